"""Set up a site: keys, certificates, broker, settings, roster.

example:
  anxin provision dev ./site
  anxin provision dev ./site --device hall-2 --people people.toml --camera v4l2:"HD Webcam"
  anxin provision run ./site
"""

import argparse
from pathlib import Path

from rich.console import Console

from edge.errors import ConfigError

NAMES = ("broker", "office", "terminal", "uplink")

PEOPLE = """the list of people (TOML), read and never copied:

  [[person]]
  number = "11010519491231002X"     a test number, with its check character
  name = "..."                      only its masked form leaves the file
  photos = ["1.jpg", "2.jpg"]       from the file's folder; optional
  scheme = "beijing"                optional, like everything below
  standing = "due"                  not_in_scope valid due overdue suspended restored lost_eligibility under_review
  valid_until = 2026-12-31
  method = "data_match"             data_match self_face assisted_face assisted_manual home_visit overseas_form
  last_certified = 2025-12-11
  exemptions = ["blink"]            turn_left turn_right nod blink open_mouth

example:
  anxin provision dev ./site --device hall-2 --people people.toml --camera file:hall.mp4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs below ``anxin provision``."""
    below = parser.add_subparsers(dest="provision_verb", metavar="VERB", required=True)
    dev = below.add_parser(
        "dev",
        help="a development site in one folder",
        description="Makes or renews an office, a broker and a terminal for this machine.  A second run keeps keys\n"
        "and state, renews certificates that near their end, and issues the documents anew.",
        epilog=PEOPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    dev.add_argument("folder", type=Path, metavar="SITE_DIR", help="the site's folder, made if need be")
    dev.add_argument("--site", metavar="NAME", help="its name in the topics (default: dev)")
    dev.add_argument("--device", metavar="NAME", help="the terminal's name (default: dev-1)")
    dev.add_argument("--people", "--cast", type=Path, metavar="FILE", help="who is on the roster; see below")
    dev.add_argument("--policy", type=Path, metavar="FILE", help="rules other than the defaults (TOML)")
    dev.add_argument("--camera", metavar="SOURCE", help="as `camera.source` in terminal.toml")
    dev.add_argument("--page-port", type=int, metavar="N", help="the page's port on loopback (default: 8780)")
    run = below.add_parser(
        "run",
        help="run a development site's broker, office, terminal and uplink until Ctrl-C",
        description="Starts the four processes as systemd would, restarts those that end, and says how they are.",
        epilog="examples:\n  anxin provision run ./site\n  anxin provision run ./site --without terminal",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("folder", type=Path, metavar="SITE_DIR", help="a site of `anxin provision dev`")
    run.add_argument(
        "--without",
        action="append",
        default=[],
        choices=NAMES,
        help=f"leave one out ({', '.join(NAMES)}); can be repeated",
        metavar="NAME",
    )


def main(args: argparse.Namespace) -> int:
    """Run one verb; returns the exit code, raises `edge.errors.AnxinError` otherwise."""
    match args.provision_verb:
        case "dev":
            return _dev(args)
        case "run":
            return _run(args)
        case _:
            raise ConfigError(f"`anxin provision {args.provision_verb}` is unknown; see `anxin provision --help`.")


def _dev(args: argparse.Namespace) -> int:
    from provisioning.dev import POLICY, done, provision_dev, read_policy
    from provisioning.eyes import open_eyes
    from provisioning.settings import Wanted

    console = Console(highlight=False, soft_wrap=True)
    wanted = Wanted(args.site, args.device, _from_here(args.camera), args.page_port)
    policy = POLICY if args.policy is None else read_policy(args.policy)
    steps = []
    for step in provision_dev(args.folder, wanted, args.people, open_eyes=open_eyes, policy=policy):
        steps.append(step)
        console.print(f"[green]✓[/] {step.what:<13}[dim]{step.said}[/]")
    console.print(done(steps, args.folder), markup=False)
    return 0


def _run(args: argparse.Namespace) -> int:
    import signal
    import threading

    from edge.config import TerminalConfig, load
    from provisioning.site import Site

    console = Console(highlight=False, soft_wrap=True)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    names = [name for name in NAMES if name not in args.without]
    with Site(args.folder) as site:
        site.start(names)
        console.print(f"site: {', '.join(names)} run; logs in {site.layout.logs}; Ctrl-C ends them", markup=False)
        if "terminal" in names:
            page = load(TerminalConfig, site.layout.terminal_config).page
            console.print(f"site: the retiree's page is http://{page.host}:{page.port}/", markup=False)
        said: dict[str, str] = {}
        while not over.wait(1.0):
            if "broker" in names and site.pid("broker") is None:
                console.print("[dim]broker   [/]ended; it is started again")
                site.start(["broker"])
            for name in names:
                status = site.status(name) if name != "broker" else ""
                if status != said.get(name, ""):
                    said[name] = status
                    console.print(f"[dim]{name:<9}[/]", end="")
                    console.print(status, markup=False)
    console.print("site: everything is ended")
    return 0


def _from_here(source: str | None) -> str | None:
    """What is typed starts at the working folder; what stands in a settings file starts at that file."""
    kind, _, rest = (source or "").partition(":")
    return f"{kind}:{Path(rest).resolve()}" if source and kind in {"file", "folder", "socket"} else source
