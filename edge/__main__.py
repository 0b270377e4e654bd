"""The `anxin` command: finds its verbs, runs one, and turns errors into sentences and exit codes.

A verb is an entry point of the group ``anxin.verbs`` (pyproject.toml): a module with ``add_arguments(parser)``
and ``main(args) -> int``, whose docstring's first line is its help.  So the device's package need not know the
office, the technician's tools or the simulator, and a terminal may be installed without them.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata

from edge.errors import AnxinError

GROUP = "anxin.verbs"

EXIT_CODES = """exit codes:
  0  as it should be            1  done, and something is to do     2  wrong usage
  10 a setting is wrong         11 a model is missing or wrong      12 no camera
  13 stored state is damaged    14 a document is not to be trusted  15 the broker cannot be reached
  16 a program is missing
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``anxin VERB ...``; returns the exit code, having said every error in one sentence on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verbs = {point.name: point.value for point in metadata.entry_points(group=GROUP)}
    parser = _parser(verbs, chosen=next((word for word in arguments if not word.startswith("-")), None))
    args = parser.parse_args(arguments)
    if args.verb is None:
        parser.print_help()
        return 2
    try:
        return int(args.run(args))
    except AnxinError as error:
        print(f"anxin {args.verb}: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has gone; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(verbs: dict[str, str], chosen: str | None) -> argparse.ArgumentParser:
    """A parser that imports only the chosen verb, so that ``anxin terminal`` starts without the simulator."""
    parser = argparse.ArgumentParser(
        prog="anxin",
        description="Anxin (安心): the community terminal for the yearly pension certification.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"anxin {metadata.version('anxin')}")
    below = parser.add_subparsers(dest="verb", metavar="VERB")
    for name in sorted(verbs):
        if chosen is not None and chosen != name and chosen in verbs:
            below.add_parser(name)
            continue
        module = import_module(verbs[name])
        summary, _, rest = (module.__doc__ or "").partition("\n\n")
        verb = below.add_parser(
            name,
            help=summary,
            description=f"{summary}\n\n{rest}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.set_defaults(run=module.main)
    return parser


if __name__ == "__main__":
    sys.exit(main())
