"""The office: take results in, show the ledger, audit it.

examples:
  anxin central serve --config office.toml
  anxin central serve --config office.toml --database postgresql+psycopg://anxin@db/anxin
  anxin central ledger --config office.toml --device dev-1
  anxin central verify --config office.toml --json
"""

import argparse
import json
import logging
import os
import sys
import threading
from pathlib import Path

from rich.console import Console

from edge.errors import ConfigError

DEFAULT = "office.toml"
PIPED_COLUMNS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs below ``anxin central``."""
    below = parser.add_subparsers(dest="central_verb", metavar="VERB", required=True)
    texts = {
        "serve": (
            "take results from the broker into the ledger until told to stop",
            "Runs until SIGTERM.  Speaks sd_notify where NOTIFY_SOCKET is set.  SQLite by default; `database` in\n"
            "office.toml or --database takes any SQLAlchemy URL of SQLite or PostgreSQL.",
            "anxin central serve --config site/office.toml",
        ),
        "ledger": (
            "show the ledger without personal data",
            "One line per result and per message in quarantine; two or three in a narrow window.\n\n"
            "`match / liveness` like 0.63≥0.45 / +3.7≥+0.0: each score with its threshold, ≥ met it, < did not.\n"
            "Match is a cosine; liveness a sum of log-likelihood ratios, positive for a person.\n"
            "With --ticket the exit code is 1 when no result gave it.",
            "anxin central ledger --config site/office.toml --ticket K-38472\n  "
            "anxin central ledger --config site/office.toml --json | jq 'select(.outcome==\"referred\")'",
        ),
        "verify": (
            "audit the ledger offline: signatures, chain, gaps",
            "Needs only the ledger and the devices file.  Exit code 1 when anything is wrong.",
            "anxin central verify --config site/office.toml",
        ),
    }
    for name, (summary, text, example) in texts.items():
        verb = below.add_parser(
            name,
            help=summary,
            description=text,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.add_argument(
            "--config", type=Path, default=Path(DEFAULT), metavar="FILE", help="settings (default: %(default)s)"
        )
        verb.add_argument("--database", metavar="URL", help="instead of the one in the settings")
        if name == "serve":
            verb.add_argument("--verbose", action="store_true", help="say more on stderr")
        else:
            verb.add_argument("--json", action="store_true", help="for programs: one JSON document a line")
        if name == "ledger":
            verb.add_argument("--device", metavar="NAME", help="only this terminal's")
            verb.add_argument("--ticket", metavar="TICKET", help="only the result that gave this ticket")


def main(args: argparse.Namespace) -> int:
    """Run one verb; returns the exit code, raises `edge.errors.AnxinError` otherwise."""
    match args.central_verb:
        case "serve":
            return _serve(args)
        case "ledger":
            return _ledger(args)
        case "verify":
            return _verify(args)
        case _:
            raise ConfigError(f"`anxin central {args.central_verb}` is unknown; see `anxin central --help`.")


def _serve(args: argparse.Namespace) -> int:
    from central.notify import ServiceManager
    from central.office import read_config, serve, until_told

    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    config, url = read_config(args.config, args.database)
    over = threading.Event()
    until_told(over)
    serve(config, url, over, ServiceManager())
    return 0


def _ledger(args: argparse.Namespace) -> int:
    from central.ledger import Ledger
    from central.office import read_config
    from central.show import entries, table

    _, url = read_config(args.config, args.database)
    ledger = Ledger(url).open(create=False)
    # A table in a file or a pipe has a line for each result, unless COLUMNS says otherwise.
    narrow = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(soft_wrap=args.json, width=None if narrow else PIPED_COLUMNS)
    found = 0
    try:
        if args.json:
            for entry in entries(ledger, args.device, args.ticket):
                console.out(json.dumps(entry, ensure_ascii=False), highlight=False)
                found += 1
        else:
            found = table(ledger, console, args.device, args.ticket)
    finally:
        ledger.close()
    return 0 if found or args.ticket is None else 1


def _verify(args: argparse.Namespace) -> int:
    from central.audit import audit
    from central.devices import Devices
    from central.ledger import Ledger
    from central.office import read_config

    config, url = read_config(args.config, args.database)
    devices = Devices(config.devices_file).open()
    ledger = Ledger(url).open(create=False)
    try:
        report = audit(ledger, devices)
    finally:
        ledger.close()
    console = Console(soft_wrap=True)
    if args.json:
        console.out(json.dumps(report.as_dict(), ensure_ascii=False), highlight=False)
    else:
        for device in report.devices:
            for sentence in device.sentences():
                console.print(f"- {sentence}", highlight=False, markup=False)
        console.print(report.last_line(), highlight=False, markup=False)
    return 0 if report.fine else 1
