"""How well actions are found, on a real clip made worse in many ways and on acted ones, and how often luck would do.

  python -m tests.vision.score_actions --clip CLIP --events EVENTS            as it is, 30 to 8 frames a second
  python -m tests.vision.score_actions --clip CLIP --events EVENTS --worse    and small, dark, blurred ... besides
  python -m tests.vision.score_actions --faces DIR --count 40                 acted by puppets of photos (any depth)
  python -m tests.vision.score_actions --clip CLIP --luck                     the clip, and made-up films, as replays

Run by hand: minutes to hours.  EVENTS as for `score_blinks`.  Bounds are 95 % (Wilson); frames of one man are not
independent, so for the real clip they flatter.  With --json one object a row; the last line is the sum in words.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from rich.progress import Progress

from edge.app import open_nets
from edge.core.policy import Policy
from edge.core.types import Action, ActionSeen
from edge.ports import Frame, Net, Pixels
from edge.vision.pipeline import Eyes
from edge.vision.settings import EyesSettings
from tests.bounds import wilson
from tests.core.luck import Attacker, Film, chance, show_reel
from tests.vision import acted
from tests.vision.score_blinks import Span, listed_events

_NS = 1_000_000_000
SLACK_S = 0.125
# Nothing is near enough to be READY: the nets that judge a face do not run, and the mesh does as always.
ONLY_ACTIONS = EyesSettings(least_face_width=1.0)


@dataclass(frozen=True)
class Row:
    """``found`` of ``of`` movements of one kind under one condition, and other reports of that kind a minute."""

    condition: str
    frames_per_second: float
    kind: str
    found: int
    of: int
    besides: int
    seconds: float

    def sentence(self) -> str:
        low, high = wilson(self.found, self.of)
        recall = f"{self.found} of {self.of} ({low:.0%} to {high:.0%})" if self.of else "none made"
        rate = self.besides / self.seconds * 60
        return (
            f"{self.condition:<12} {self.frames_per_second:>5g}/s {self.kind:<12} {recall:<26} "
            f"besides {self.besides} ({rate:.1f} a minute)"
        )


# --- a real clip, made worse -------------------------------------------------------------------------------------


def smaller(share: float, x: float = 0.5, roll_deg: float = 0.0) -> Callable[[Pixels, int], Pixels]:
    """The picture at ``share`` of its size in a frame of 640x480, its middle at ``x``, turned."""

    def made(rgb: Pixels, _number: int) -> Pixels:
        height, width = rgb.shape[:2]
        scale = share * 640 / width
        soft = cv2.GaussianBlur(rgb, (0, 0), 0.35 / scale) if scale < 0.7 else rgb
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), roll_deg, scale)
        matrix[:, 2] += (x * 640 - width / 2, 240 - height / 2)
        return np.asarray(cv2.warpAffine(soft, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return made


def _dark(rgb: Pixels, number: int) -> Pixels:
    grain = np.random.default_rng(number).standard_normal(rgb.shape, np.float32)
    dim = rgb.astype(np.float32) * 0.35
    return np.asarray(np.clip(dim + grain * np.sqrt(36 + dim * 0.3), 0, 255), np.uint8)


def _jpeg(rgb: Pixels, _number: int) -> Pixels:
    _, coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 15])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


WORSE: Mapping[str, Callable[[Pixels, int], Pixels]] = {
    "small 13 %": smaller(0.38),
    "small 20 %": smaller(0.56),
    "off-centre": smaller(0.62, x=0.25),
    "rolled 15": smaller(0.9, roll_deg=15),
    "rolled -15": smaller(0.9, roll_deg=-15),
    "dark": _dark,
    "JPEG 15": _jpeg,
    "blurred": lambda rgb, _: np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2.0), np.uint8),
    "mirrored": lambda rgb, _: np.ascontiguousarray(rgb[:, ::-1]),
}


def recorded(clip: Path, frames_per_second: float, worse: Callable[[Pixels, int], Pixels] | None) -> Iterator[Frame]:
    """The clip's frames at a rate not above its own; above it, every frame with times that much closer."""
    video = cv2.VideoCapture(str(clip))
    own = video.get(cv2.CAP_PROP_FPS)
    step = max(own / frames_per_second, 1.0)
    number = taken = 0
    while True:
        there, bgr = video.read()
        if not there:
            video.release()
            return
        if number >= round(taken * step):
            rgb = np.ascontiguousarray(bgr[:, :, ::-1])
            time_s = number / own if step > 1 else number / frames_per_second
            yield Frame(number, round(time_s * _NS), worse(rgb, number) if worse else rgb)
            taken += 1
        number += 1


def reports(nets: Mapping[str, Net], frames: Iterator[Frame]) -> tuple[list[ActionSeen], float]:
    """What the eyes report, and how many seconds the frames took."""
    eyes, seen, last_ns = Eyes(nets, ONLY_ACTIONS), list[ActionSeen](), 0
    for frame in frames:
        seen += eyes.observe(frame).actions
        last_ns = frame.at_ns
    return seen, last_ns / _NS


def score_clip(
    nets: Mapping[str, Net], clip: Path, listed: list[Span], condition: str, frames_per_second: float
) -> list[Row]:
    """One row for each kind: listed ones of it found, and others reported."""
    video = cv2.VideoCapture(str(clip))
    own = max(video.get(cv2.CAP_PROP_FPS), frames_per_second)
    video.release()
    seen, seconds = reports(nets, recorded(clip, frames_per_second, WORSE.get(condition)))
    slack_s = SLACK_S + max(1 / frames_per_second - 1 / own, 0.0)
    rows = []
    for action in Action:
        wanted = [(span.start / own, span.end / own) for span in listed if span.event == action]
        rows.append(_row(condition, frames_per_second, action.value, wanted, seen, action, slack_s, seconds))
    return rows


def _row(
    condition: str,
    rate: float,
    kind: str,
    wanted: list[tuple[float, float]],
    seen: list[ActionSeen],
    action: Action,
    slack_s: float,
    seconds: float,
    others: list[tuple[float, float]] | None = None,
) -> Row:
    """``others`` are further movements of that action, which a report may mean as well."""
    of_kind = [(each.started_ns / _NS, each.completed_ns / _NS) for each in seen if each.action is action]

    def meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
        return one[0] <= other[1] + slack_s and other[0] <= one[1] + slack_s

    found = sum(any(meet(each, report) for report in of_kind) for each in wanted)
    known = wanted + (others or [])
    besides = sum(not any(meet(report, each) for each in known) for report in of_kind)
    return Row(condition, rate, kind, found, len(wanted), besides, seconds)


# --- acted ones --------------------------------------------------------------------------------------------------


def score_acted(nets: Mapping[str, Net], photo: Pixels, name: str, number: int) -> list[Row]:
    """One puppet's part, a row for each kind of movement (eyes kept shut apart from blinks); [] without a face."""
    bust = acted.puppet(nets, photo, name, glasses=number % 4 == 1)
    if bust is None:
        return []
    part = replace(acted.some_part(number, idle=number % 5 == 4), width_px=480, height_px=360)
    seen, seconds = reports(nets, acted.act(bust, part))
    natural = [(each, each + 0.22) for each in part.blinks_s]
    condition = "acted" if part.movements else "idle"
    rows = []
    for action in Action:
        made = [each for each in part.movements if each.action is action]
        spans = [(each.begins_s, each.ends_s) for each in made]
        kind = "eyes shut" if made and action is Action.BLINK and made[0].held_s > 0.6 else action.value
        others = natural if action is Action.BLINK else None
        rows.append(_row(condition, 0.0, kind, spans, seen, action, SLACK_S, seconds, others))
    return rows


def summed(rows: list[Row]) -> list[Row]:
    """The rows of one condition, rate and kind as one."""
    together: dict[tuple[str, float, str], Row] = {}
    for row in rows:
        key = (row.condition, row.frames_per_second, row.kind)
        old = together.get(key, replace(row, found=0, of=0, besides=0, seconds=0.0))
        together[key] = replace(
            row,
            found=old.found + row.found,
            of=old.of + row.of,
            besides=old.besides + row.besides,
            seconds=old.seconds + row.seconds,
        )
    return list(together.values())


# --- luck --------------------------------------------------------------------------------------------------------


def luck_of(film: Film, policy: Policy, rounds: int, seed: int = 1) -> dict[str, float]:
    """The chance of passing for each kind asked first, for a random one, and for who uses every button there is."""
    answer = {str(action): chance(film, policy, seed, rounds, first=action) for action in Action}
    answer["random"] = chance(film, policy, seed, rounds)
    pressing = [Attacker(frozenset({action}), policy.refusals_most, policy.repeats_most) for action in policy.actions]
    answer["at best"] = max(chance(film, policy, seed, rounds, attacker) for attacker in pressing)
    return answer


def main(given: argparse.Namespace) -> int:
    nets = open_nets()
    rows: list[Row] = []
    out: list[dict[str, object]] = []
    with Progress(disable=given.json or not sys.stderr.isatty()) as progress:
        if given.clip and given.events:
            listed = listed_events(given.events, given.clip.name)
            tasks = [("as it is", rate) for rate in given.rates]
            tasks += [(name, rate) for name in (WORSE if given.worse else ()) for rate in given.rates]
            for condition, rate in progress.track(tasks, description="clip"):
                rows += score_clip(nets, given.clip, listed, condition, rate)
        if given.faces:
            for number, (name, photo) in enumerate(
                progress.track(acted.photos(given.faces, given.count, given.seed), description="puppets")
            ):
                rows += score_acted(nets, photo, name, number)
        if given.luck:
            films = {f"all, one in {every} s": show_reel(every, 3, loops=20) for every in (3, 4, 6, 15)}
            if given.clip:
                seen, seconds = reports(nets, recorded(given.clip, 25.0, None))
                films = {given.clip.name: Film(seen, round(seconds * _NS)), **films}
            for name, film in progress.track(list(films.items()), description="luck"):
                out.append({"type": "luck", "film": name, **luck_of(film, Policy(), given.rounds)})
    rows = [row for row in summed(rows) if row.of or row.besides]
    for row in rows:
        print(json.dumps({"type": "row", **asdict(row)}) if given.json else row.sentence())
    for each in out:
        print(
            json.dumps(each)
            if given.json
            else ", ".join(f"{k} {v:.3g}" if k not in {"type", "film"} else str(v) for k, v in each.items())
        )
    found, of = Counter[str](), Counter[str]()
    for row in rows:
        found[row.kind] += row.found
        of[row.kind] += row.of
    words = ", ".join(f"{kind} {found[kind]} of {of[kind]}" for kind in of if of[kind]) or "no movements listed"
    besides, minutes = (
        sum(row.besides for row in rows),
        sum({(r.condition, r.frames_per_second): r.seconds for r in rows}.values()) / 60,
    )
    text = f"score: found {words}; besides {besides} in {minutes:.1f} minutes"
    print(json.dumps({"type": "summary", "text": text}) if given.json else text)
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="a recording")
    parser.add_argument("--events", type=Path, help="its listed events (CSV)")
    parser.add_argument("--rates", type=float, nargs="+", default=[30, 24, 15, 12.5, 10, 8], metavar="FPS")
    parser.add_argument("--worse", action="store_true", help="also made worse in every way")
    parser.add_argument("--faces", type=Path, metavar="DIR", help="photos for puppets")
    parser.add_argument("--count", type=int, default=20, help="how many of them (default 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--luck", action="store_true", help="the chance of passing for replays")
    parser.add_argument(
        "--rounds", type=int, default=2000, help="challenges a figure of luck rests on (default 2000)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(arguments().parse_args()))
