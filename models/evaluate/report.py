"""`anxin models report`: what was measured on the research data, and what it means in people.

The same functions as `anxin models evaluate`; the same data and models give the same report.  `stamp` is the part by
which a stale report is found out without the data (tests/models/test_evaluate_report.py).
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from edge.app import versions
from edge.core.policy import Policy
from edge.errors import StateError
from edge.vision.manifest import Manifest
from models import FOLDER
from models.evaluate import attacks, command, look, material, pairs, plots, report_fixed, research, workers
from models.evaluate import report_text as text
from models.evaluate.errors import UnusableInputError
from models.evaluate.research import SAME_SITTING, Research

EXAMPLES = (
    "anxin models report --data ../shared/data",
    "anxin models report --data ../shared/data --out /tmp/REPORT.md",
)
PLOTS = "report_plots"
# What of the policy the eyes' figures stand and fall with.
_KEYS = (
    "match_",
    "passive_",
    "liveness_",
    "min_probe_frames",
    "min_passive_frames",
    "light_challenge",
    "max_tries",
    "max_restarts",
    "visits_most",
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Everything in the report: press photos; eight people between sittings and by sitting; frames; sessions."""

    data: Research
    press: pairs.Compared
    asian: pairs.Compared
    by_sitting: pairs.Compared
    frames: attacks.Weighed
    sessions: attacks.Weighed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="the research data (docs/evaluate.md says its shape)"
    )
    parser.add_argument("--out", type=Path, default=FOLDER / "REPORT.md", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--jobs", type=command.from_one, metavar="N", help="processes (default: one a processor)")


def main(args: argparse.Namespace) -> int:
    """Write the report and its plots.  Exit 0; raises AnxinError (2 for data of another shape)."""
    models = command.pinned(None)
    data, folder = research.research(args.data), args.out.parent / PLOTS
    plots.ready(folder)
    measured = measure(data, args.jobs, Console(stderr=True))
    drawn = draw(measured, Policy(), folder)
    content = render(measured, models, Policy(), {name: f"{PLOTS}/{file.name}" for name, file in drawn.items()})
    try:
        args.out.write_text(content, encoding="utf-8")
    except OSError as error:
        raise StateError(f"{args.out} cannot be written ({error.strerror}); give --out another file.") from error
    Console().print(
        f"models: report on {measured.press.result.photos.looked_at:,} press photos and "
        f"{measured.frames.result.frames:,} live and attack frames written to {args.out}, with {len(drawn)} plots",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def measure(data: Research, jobs: int | None, console: Console) -> Measured:
    """Look at all of it with the installed models and the policy's defaults."""
    policy, names = Policy(), versions()
    press = pairs.look_at(data.press_pairs, data.press_people, look.Describe(), jobs, console)
    live = pairs.look_at(data.asian_pairs, (), look.Describe(), jobs, console)
    other = [pair for pair in data.asian_pairs if pair.group != SAME_SITTING]
    everything = [*data.pictures, *data.sessions]
    count = min(workers.jobs_for(len(everything) + 200, jobs), len(everything))
    watched = workers.answers(everything, look.Watch(), count, console, "watching sessions")
    split = len(data.pictures)
    return Measured(
        data=data,
        press=pairs.compare(press, policy, names),
        asian=pairs.compare(material.Seen(other, live.looked), policy, names),
        by_sitting=pairs.compare(live, policy, names, group_by="pairs of", replicates=200),
        frames=attacks.weigh(data.pictures, watched[:split], policy, names),
        sessions=attacks.weigh(data.sessions, watched[split:], policy, names),
    )


def draw(measured: Measured, policy: Policy, folder: Path) -> dict[str, Path]:
    """The report's plots by name; raises ToolError without matplotlib, UnusableInputError without scores to draw."""
    press, asian = ((one.genuine, one.impostor) for one in (measured.press, measured.asian))
    ready, with_face, sessions = (
        command.heaps(judged)
        for judged in (measured.frames.frames, measured.frames.frames_with_face, measured.sessions.sessions)
    )
    match, live = ("FMR", "FNMR"), ("APCER", "BPCER")
    at, passive, ratio = policy.match_threshold, policy.passive_threshold, policy.liveness_threshold
    pair, kind = ("genuine", "impostor"), ("bona fide", "attack")
    both = {"press photos": press, "eight Asian students": asian}
    frames = {"frames, READY": ready, "frames with a face": with_face, "sessions": sessions}

    def file(name: str) -> Path:
        return folder / f"{name}.png"

    drawn = {
        "match_det": plots.trade_off(both, file("match_det"), *match, "Match: error trade-off"),
        "match_rates": plots.rates(*press, at, file("match_rates"), *match, "Match, press photos"),
        "match_scores": plots.histogram(*press, at, file("match_scores"), pair, "Match, press photos", "cosine"),
        "asian_rates": plots.rates(*asian, at, file("asian_rates"), *match, "Match, eight Asian students"),
        "asian_scores": plots.histogram(
            *asian, at, file("asian_scores"), pair, "Match, eight Asian students", "cosine"
        ),
        "frames_det": plots.trade_off(frames, file("frames_det"), *live, "Liveness: error trade-off"),
        "frames_scores": plots.histogram(
            *with_face, passive, file("frames_scores"), kind, "Passive liveness, frames with a face", "passive score"
        ),
        "sessions_rates": plots.rates(*sessions, ratio, file("sessions_rates"), *live, "Liveness of sessions"),
        "sessions_scores": plots.histogram(
            *sessions, ratio, file("sessions_scores"), kind, "Liveness of sessions", "sum of log-likelihood ratios"
        ),
    }
    if missing := sorted(name for name, made in drawn.items() if made is None):
        raise UnusableInputError(f"the data hold too little to draw {', '.join(missing)}; give the whole folder.")
    return {name: made for name, made in drawn.items() if made is not None}


def stamp(models: Manifest, policy: Policy) -> list[str]:
    """The lines that must be in a report that is not stale: every model, every threshold of the eyes, every file."""
    kept = {
        key: value for key, value in policy.to_mapping().items() if key.startswith(_KEYS) or key.endswith("_curve")
    }
    return [
        *(f"| model `{model.name}` | `{model.version}` | `{model.sha256[:16]}` |" for model in models.models),
        f"| manifest | what was measured | `{_digest([model.measured for model in models.models])}` |",
        f"| builder | `report.json` | `{_digest((FOLDER / 'report.json').read_text(encoding='utf-8'))}` |",
        f"| simulated | accepted | `{_digest(report_fixed.screens())}` |",
        *(f"| policy | `{key}` | `{json.dumps(value)}` |" for key, value in kept.items()),
    ]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def fixed(models: Manifest) -> list[str]:
    """The report's last parts, which rest on committed files only: a report without them, word by word, is stale."""
    tried = sorted(file.name for file in FOLDER.glob("TRIED*.md"))
    parts = (
        report_fixed.quantization(FOLDER / "report.json", models),
        report_fixed.tried(tried),
        report_fixed.limits(),
        report_fixed.glossary(),
    )
    return [part.strip() for part in parts]


def render(measured: Measured, models: Manifest, policy: Policy, drawn: Mapping[str, str]) -> str:
    """The report as Markdown."""
    parts = [
        text.head(measured.press.result, measured.asian.result, measured.sessions.result, policy),
        text.targets(measured.press.result, measured.asian.result, measured.frames.result, measured.sessions.result),
        text.stamped(stamp(models, policy)),
        text.match(measured.press, policy, [drawn[name] for name in ("match_det", "match_rates", "match_scores")]),
        text.asian(
            measured.asian,
            measured.press.result,
            measured.by_sitting.result,
            research.subjects(measured.data.pictures),
            policy,
            [drawn[name] for name in ("asian_rates", "asian_scores")],
        ),
        text.liveness(
            measured.frames.result,
            measured.sessions.result,
            [drawn[name] for name in ("frames_det", "frames_scores", "sessions_rates", "sessions_scores")],
        ),
        text.people(measured.press.result, measured.asian.result, measured.sessions.result, policy),
        *fixed(models),
    ]
    return "\n".join(part.strip() + "\n" for part in parts)
