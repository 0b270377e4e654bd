"""`anxin models evaluate`: the arguments, what runs, and where the answer goes."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from edge.app import manifest
from edge.core.policy import Policy
from edge.errors import ModelError
from edge.vision.manifest import Manifest
from edge.vision.verify import file_fault
from models.evaluate import attacks, look, pairs, plots, read, tables
from models.evaluate.attacks import Judged
from models.evaluate.errors import UnusableInputError
from models.evaluate.metrics import Scores

EXAMPLES = (
    "anxin models evaluate --pairs pairs.csv --root photos",
    "anxin models evaluate --pairs pairs.csv --root photos --group-by age_band --plots plots",
    "anxin models evaluate --pairs genuine.csv --root lfw --impostors-from lfw/images --json",
    "anxin models evaluate --attacks recordings",
    "anxin models evaluate --attacks recordings --sessions-by-folder --json --plots plots",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--pairs",
        type=Path,
        metavar="CSV",
        help="pairs of photos: columns path_a, path_b, same (all genuine without it), optional fold and groups",
    )
    what.add_argument(
        "--attacks", type=Path, metavar="DIR", help="pictures and videos below live/ and spoof/KIND/, at any depth"
    )
    parser.add_argument("--root", type=Path, metavar="DIR", help="the list's paths start here (default: its folder)")
    parser.add_argument("--group-by", metavar="COLUMN", help="error rates for each value of this column")
    parser.add_argument(
        "--impostors-from",
        type=Path,
        metavar="DIR",
        help="impostor pairs: all photos of different people of a folder with one sub-folder a person",
    )
    parser.add_argument(
        "--sessions-by-folder", action="store_true", help="the pictures of one sub-folder are one session"
    )
    parser.add_argument(
        "--max-seconds", type=_positive, default=60.0, metavar="S", help="of each video (default: %(default)g)"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the curves into this folder (PNG)")
    parser.add_argument(
        "--json", action="store_true", help="print JSON (models/evaluate/results.py) instead of tables"
    )
    parser.add_argument("--jobs", type=from_one, metavar="N", help="processes (default: one for each processor)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="the models' folder (default: the installed one)")


def main(args: argparse.Namespace) -> int:
    """Exit 0 when it was measured, whatever came out; raises AnxinError (2 for unusable input, 11 for the models)."""
    # Progress and remarks go to stderr, so that --json can be piped.
    notes = Console(stderr=True)
    if args.plots:
        plots.ready(args.plots)
    out = Console(file=sys.stdout)
    if args.pairs is not None:
        return _pairs(args, notes, out)
    return _attacks(args, notes, out)


def _pairs(args: argparse.Namespace, notes: Console, out: Console) -> int:
    if args.sessions_by_folder:
        raise UnusableInputError("--sessions-by-folder belongs to --attacks; leave it out.")
    models = pinned(args.folder)
    listed = read.pairs(args.pairs, args.root or args.pairs.parent, args.group_by)
    folder = read.people(args.impostors_from) if args.impostors_from else []
    if remark := read.many_a_person(folder):
        notes.print(remark, style="yellow", highlight=False, soft_wrap=True)
    began = time.monotonic()
    seen = pairs.look_at(listed, folder, look.Describe(args.folder), args.jobs, notes)
    compared = pairs.compare(
        seen, Policy(), models.versions(), group_by=args.group_by, seconds=time.monotonic() - began
    )
    if args.plots:
        _drawn(draw_pairs(compared, args.plots), args.plots, notes)
    if args.json:
        _print(compared.result)
    else:
        tables.show_pairs(compared.result, out)
    return 0


def _attacks(args: argparse.Namespace, notes: Console, out: Console) -> int:
    for name in ("root", "group_by", "impostors_from"):
        if getattr(args, name) is not None:
            raise UnusableInputError(f"--{name.replace('_', '-')} belongs to --pairs; leave it out.")
    models = pinned(args.folder)
    sessions = read.presentations(args.attacks, by_folder=args.sessions_by_folder)
    began = time.monotonic()
    watched = attacks.look_at(sessions, look.Watch(args.folder, args.max_seconds), args.jobs, notes)
    weighed = attacks.weigh(sessions, watched, Policy(), models.versions(), time.monotonic() - began)
    if args.plots:
        _drawn(draw_attacks(weighed, args.plots), args.plots, notes)
    if args.json:
        _print(weighed.result)
    else:
        tables.show_attacks(weighed.result, out)
    return 0


def pinned(folder: Path | None) -> Manifest:
    """The manifest of the models' folder; raises ModelError when a file is not the one it names.

    A figure is published under a model's version, so it must be that file's.
    """
    listed = manifest(folder)
    for model in listed.models:
        if (fault := file_fault(listed, model)) is not None:
            raise ModelError(fault)
    return listed


def draw_pairs(compared: pairs.Compared, folder: Path, prefix: str = "match") -> list[Path]:
    """The plots of a list of pairs; raises ToolError without matplotlib."""
    genuine, impostor, at = compared.genuine, compared.impostor, compared.result.match_threshold
    made = (
        plots.trade_off(
            {"every pair with faces": (genuine, impostor)},
            folder / f"{prefix}_det.png",
            "FMR",
            "FNMR",
            "Match: error trade-off",
        ),
        plots.rates(
            genuine, impostor, at, folder / f"{prefix}_rates.png", "FMR", "FNMR", "Match: error by threshold"
        ),
        plots.histogram(
            genuine,
            impostor,
            at,
            folder / f"{prefix}_scores.png",
            ("genuine", "impostor"),
            "Match: scores",
            "cosine",
        ),
    )
    return [file for file in made if file is not None]


def draw_attacks(weighed: attacks.Weighed, folder: Path, prefix: str = "liveness") -> list[Path]:
    """The plots of live people and attacks; raises ToolError without matplotlib."""
    ready, frames, sessions = (
        heaps(judged) for judged in (weighed.frames, weighed.frames_with_face, weighed.sessions)
    )
    result = weighed.result
    names = ("bona fide", "attack")
    made = (
        plots.trade_off(
            {"frames, READY": ready, "frames with a face": frames, "sessions": sessions},
            folder / f"{prefix}_det.png",
            "APCER",
            "BPCER",
            "Liveness: error trade-off",
        ),
        plots.rates(
            *sessions,
            result.liveness_threshold,
            folder / f"{prefix}_rates.png",
            "APCER",
            "BPCER",
            "Liveness of sessions: error by threshold",
        ),
        plots.histogram(
            *frames,
            result.passive_threshold,
            folder / f"{prefix}_frame_scores.png",
            names,
            "Passive liveness of frames with a face",
            "passive score",
        ),
        plots.histogram(
            *sessions,
            result.liveness_threshold,
            folder / f"{prefix}_session_scores.png",
            names,
            "Liveness of sessions",
            "sum of log-likelihood ratios",
        ),
    )
    return [file for file in made if file is not None]


def heaps(judged: Sequence[Judged]) -> tuple[Scores, Scores]:
    """Scores of the bona fide and of the attacks; those without a verdict have none."""
    scored = [(one.bona_fide, one.score) for one in judged if one.score is not None]
    return Scores([score for live, score in scored if live]), Scores([score for live, score in scored if not live])


def _drawn(files: Sequence[Path], folder: Path, notes: Console) -> None:
    names = ", ".join(file.name for file in files) or "nothing: there are too few scores of both kinds"
    notes.print(f"--plots wrote to {folder}: {names}", highlight=False, soft_wrap=True)


def _print(result: BaseModel) -> None:
    sys.stdout.write(result.model_dump_json(by_alias=True, indent=1) + "\n")


def from_one(text: str) -> int:
    """An argument's whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on is needed")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("a number of seconds above 0 is needed")
    return value
