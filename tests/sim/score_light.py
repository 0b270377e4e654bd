"""How well light tells people from pictures of them, on rendered frames: `python -m tests.sim.score_light`.

Every second visit is a live puppet, the others are prints, phones, tablets and films of a person who was lit by
another sequence; room light (60 to 6000 lux), page, distance, camera and page's delay are drawn from the seed.  The
answers by kind and light go to stdout, and the AUC of `LightAnswer.score` (what could not be told counts as 0).
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Mapping

import cv2
import numpy as np
from rich.progress import track

from edge.app import open_nets
from edge.core import light
from edge.core.light import Answer
from edge.ports import Net
from models.evaluate.metrics import Scores, auc
from sim.puppet.lamp import Screen
from sim.puppet.room import Light
from sim.puppet.wardrobe import Wardrobe
from tests.sim.lit import Visit, showing

IN_TURN = ("live", "print", "live", "phone", "live", "tablet", "live", "film", "live", "tablet film")
FACES = ("collins", "hopper", "obama", "biden")
BANDS = ((150, "below 150 lux"), (600, "150 to 600"), (2000, "600 to 2000"), (math.inf, "above 2000"))


def drawn(seed: int) -> Visit:
    """The visit of a seed."""
    chance = np.random.default_rng([seed, 99])
    name = FACES[int(chance.integers(len(FACES)))]
    lux = float(np.exp(chance.uniform(math.log(60), math.log(6000))))
    width, fps = float(chance.uniform(0.2, 0.36)), float(chance.choice([8, 10, 12, 15]))
    balance, late_s = float(chance.choice([0, 0.3, 0.5])), float(chance.uniform(0.05, 0.3))
    high = chance.uniform
    screen = Screen(float(high(0.2, 0.34)), float(high(0.13, 0.2)), float(high(200, 400)), float(high(0.5, 0.8)))
    room = Light(warmth=float(high(-0.5, 0.8)), from_left=float(high(-0.6, 0.6)), lux=lux)
    return Visit(IN_TURN[seed % len(IN_TURN)], name, seed, room, fps, width, balance, late_s, screen)


def band_of(visit: Visit) -> str:
    return next(name for most, name in BANDS if visit.light.lux < most)


def table(scored: list[tuple[Visit, light.LightAnswer]]) -> str:
    """The answers and the AUC as markdown."""
    lines = [f"| visit | room | n | {' | '.join(Answer)} |", f"|---|---|---|{'---|' * len(Answer)}"]
    for kind in dict.fromkeys(IN_TURN):
        for _, band in BANDS:
            found = [each.answer for visit, each in scored if (visit.kind, band_of(visit)) == (kind, band)]
            if found:
                counts = Counter(found)
                lines.append(
                    f"| {kind} | {band} | {len(found)} | {' | '.join(str(counts[a] or '') for a in Answer)} |"
                )
    lines += ["", f"| AUC, live against | {' | '.join(name for _, name in BANDS)} | all |", f"|---|{'---|' * 5}"]
    for kind in (*dict.fromkeys(IN_TURN[1::2]), "all of them"):
        figures = []
        for band in (*(name for _, name in BANDS), ""):
            inside = [(v.kind, a.score or 0.0) for v, a in scored if band in {"", band_of(v)}]
            people = [score for k, score in inside if k == "live"]
            attacks = [score for k, score in inside if k != "live" and kind in {k, "all of them"}]
            figures.append(f"{auc(Scores(people), Scores(attacks)):.3f}" if people and attacks else "")
        lines.append(f"| {kind} | {' | '.join(figures)} |")
    return "\n".join(lines)


def score(first: int, count: int, nets: Mapping[str, Net]) -> list[tuple[Visit, light.LightAnswer]]:
    wardrobe = Wardrobe(nets)
    visits = [drawn(seed) for seed in range(first, first + count)]
    return [(visit, light.answer(showing(visit, nets, wardrobe))) for visit in track(visits, "Lighting faces")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=40, help="visits (default 40; some seconds each)")
    parser.add_argument("--seed", type=int, default=1000, help="the first visit's seed (default 1000)")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    scored = score(args.seed, args.count, open_nets())
    sys.stdout.write(table(scored) + "\n")
    wronged = sum(a.score is not None and a.score < 0 for v, a in scored if v.kind == "live")
    people = sum(v.kind == "live" for v, _ in scored)
    sys.stdout.write(f"\n{wronged} of {people} live faces had light against them.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
