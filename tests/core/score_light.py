"""How well light tells people from pictures by the physical model: `python -m tests.core.score_light`.

400 people and 120 of each attack, drawn from their seeds; the figures of docs/adr/0009-light-challenge.md.
"""

import math
import random
import sys
from collections import Counter

from edge.core.light import LightAnswer
from models.evaluate.metrics import Scores, auc
from tests.core.lit_people import Setting, Who, answer

BANDS = ((0, 150), (150, 600), (600, 2000), (2000, math.inf), (0, math.inf))
PEOPLE, ATTACKS = 400, 120
Scored = list[tuple[Setting, LightAnswer]]


def drawn(who: Who, seed: int) -> Setting:
    """The visit of a seed: 60 to 6,000 lux, walls lit half or twice as the face, hues as restless as real ones."""
    chance = random.Random(f"{seed}/{who}/draw")
    lux = math.exp(chance.uniform(math.log(60), math.log(6000)))
    return Setting(
        who=who,
        lux=lux,
        wall_lux=lux * math.exp(chance.gauss(0, 0.5)),
        warmth=chance.uniform(-0.5, 0.8),
        noise=chance.choice([0.006, 0.01, 0.015, 0.02]),
        balance=chance.choice([0, 0.3, 0.5]),
        late_s=chance.uniform(0.05, 0.35),
        fps=chance.choice([8, 10, 12, 15]),
        sway_deg=chance.uniform(0.3, 3),
        flicker=chance.choice([0, 0, 0, 0.02]),
        seed=seed,
    )


def main() -> int:
    scored: dict[Who, Scored] = {}
    for who in Who:
        visits = [drawn(who, seed) for seed in range(PEOPLE if who is Who.PERSON else ATTACKS)]
        scored[who] = [(visit, answer(visit)) for visit in visits]
    for least, most in BANDS:
        inside = {who: [each for visit, each in scored[who] if least <= visit.lux < most] for who in Who}
        sys.stdout.write(f"{least} to {most} lux\n")
        people = [each.score or 0.0 for each in inside[Who.PERSON]]
        for who in Who:
            told = ", ".join(
                f"{count} {name}" for name, count in Counter(each.answer for each in inside[who]).items()
            )
            scores = [each.score or 0.0 for each in inside[who]]
            against = "" if who is Who.PERSON else f"AUC {auc(Scores(people), Scores(scores)):.3f}   "
            sys.stdout.write(f"  {who:8s} {against}{told}\n")
    wronged = sum((each.score or 0.0) < 0 for _, each in scored[Who.PERSON])
    sys.stdout.write(f"{wronged} of {PEOPLE} people had light against them.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
