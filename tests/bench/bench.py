"""Speed and size, beside the targets: `python -m tests.bench.bench [--json FILE] [--plot FILE]` (`make bench`).

Ratios within one run, because machines are noisy; docs/bench.md says what each figure is.  Nothing here passes or
fails: a missed target is printed as missed.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import psutil
from rich.console import Console
from rich.table import Table

from edge.adapters.tflite import runtime_version
from edge.errors import AnxinError
from tests.bench.chain import measure_chain
from tests.bench.eyes import YARDSTICK, measure_frames, measure_idle
from tests.bench.plot import draw
from tests.bench.process import measure_terminal

# Of design/targets.md: where in bench.json, at most, and in words.
TARGETS: tuple[tuple[str, float, str], ...] = (
    ("eyes.full_frame_by_bare", 1.15, "a frame with every net, by its bare calls"),
    ("eyes.full_frame_by_mobilenet", 1.8, "a frame with every net, by MobileNetV1-224-int8"),
    ("terminal.start_to_ready_s", 3.0, "terminal: start to ready, s"),
    ("terminal.rss_mb", 250.0, "terminal: memory at rest, MB"),
    ("chain.paced.rss_mb", 250.0, "looking at somebody: memory, MB"),
    ("terminal.idle", 0.03, "terminal: share of a core with nobody there"),
    ("idle", 0.03, "eyes alone: share of a core with nobody there"),
)

EXAMPLES = """examples:
  python -m tests.bench.bench                                    what `make bench` does, about 50 s
  python -m tests.bench.bench --plot bench.png                   with a picture of where a frame's time goes
  python -m tests.bench.bench --look-s 600                       look for ten minutes: does memory grow?
"""


def measure(rounds: int, look_s: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Everything that bench.json holds."""
    cv2.setNumThreads(1)
    tell("the eyes, frame by frame")
    result = {"machine": machine(), "eyes": measure_frames(rounds), "idle": round(measure_idle(), 4)}
    tell("camera to observation, in a process of its own")
    result["chain"] = measure_chain(look_s)
    tell("the terminal's process")
    result["terminal"] = measure_terminal()
    result["targets"] = [
        {"what": name, "value": value, "at_most": most, "met": None if value is None else value <= most}
        for name, most, _ in TARGETS
        for value in (figure(result, name),)
    ]
    return result


def figure(result: dict[str, Any], name: str) -> float | None:
    """The figure at a dotted place; None where it was not measured."""
    place: Any = result
    for key in name.split("."):
        place = place[key]
    return None if place is None else float(place)


def machine() -> dict[str, Any]:
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith(("model name", "Model"))]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "interpreter": runtime_version(),
        "threads": 1,
    }


def show(result: dict[str, Any], console: Console) -> None:
    about = result["machine"]
    title = f"{about['cpu']}, load {about['load']:.1f} on {about['cores']} cores, {about['interpreter']}, one thread"
    times = Table(title=title)
    for column in ("milliseconds of a core", "p50", "p95", "a frame of a session"):
        times.add_column(column, justify="left" if column.startswith("milli") else "right")
    eyes = result["eyes"]
    for name, spread in eyes["bare"].items():
        times.add_row(f"{name}, bare call", *_spread(spread), f"x {eyes['calls_per_frame'][name]:.2f}")
    times.add_row("all bare calls together", f"{eyes['bare_sum_p50']:.2f}", "", "")
    times.add_row("MobileNetV1-224-int8, bare call", *_spread(eyes[YARDSTICK]), "")
    times.add_row("a frame with every net", *_spread(eyes["full_frame"]), "")
    times.add_row("a frame of a session", *_spread(eyes["frame"]), f"{eyes['frame_by_bare']:.2f} of its bare calls")
    console.print(times)
    chain = Table(title="from the camera's frame to what was seen of it (socket, capture, slot, eyes)")
    for column in (
        "camera",
        "frames/s seen",
        "late p50, ms",
        "late p95, ms",
        "of a core",
        "MB",
        "MB more at the end",
    ):
        chain.add_column(column, justify="right")
    for part in result["chain"].values():
        chain.add_row(
            f"{part['camera_rate']}/s",
            f"{part['frames_per_second']:.1f}",
            f"{part['late_p50_ms']:.0f}",
            f"{part['late_p95_ms']:.0f}",
            f"{100 * part['busy']:.0f} %",
            f"{part['rss_mb']:.0f}",
            f"{part['rss_growth_mb']:.1f}",
        )
    console.print(chain)
    targets = Table(title="targets")
    for column in ("what", "measured", "at most", ""):
        targets.add_column(column, justify="right" if column in ("measured", "at most") else "left")
    for target, (_, most, words) in zip(result["targets"], TARGETS, strict=True):
        verdict = {True: "met", False: "missed", None: "not measured"}[target["met"]]
        value = "" if target["value"] is None else f"{target['value']:.3g}"
        targets.add_row(words, value, f"{most:g}", verdict)
    console.print(targets)
    console.print(
        f"The terminal's start took {result['terminal']['start_core_s']:.2f} s of a core; the rest is waiting."
    )


def sentence(result: dict[str, Any]) -> str:
    eyes, terminal, chain = result["eyes"], result["terminal"], result["chain"]
    judged = [target["met"] for target in result["targets"] if target["met"] is not None]
    by_mobilenet = eyes["full_frame_by_mobilenet"]
    yardstick = "not measured" if by_mobilenet is None else f"{by_mobilenet:.2f}"
    return (
        f"bench: {sum(judged)} of {len(judged)} targets met; a frame with every net takes "
        f"{eyes['full_frame']['p50']:.1f} ms, {eyes['full_frame_by_bare']:.2f} times its bare calls and {yardstick} "
        f"times MobileNetV1; a session's frame {eyes['frame']['p50']:.1f} ms; camera to observation "
        f"{chain['flat_out']['frames_per_second']:.0f} a second; the terminal is ready after "
        f"{terminal['start_to_ready_s']:.1f} s, {terminal['rss_mb']:.0f} MB, "
        f"idle {100 * terminal['idle']:.1f} % of a core"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the figures go")
    parser.add_argument("--plot", type=Path, help="a picture (PNG) of where a frame's time goes; needs matplotlib")
    parser.add_argument("--rounds", type=_positive, default=120, help="frames to measure")
    parser.add_argument(
        "--look-s", type=_positive, default=12, help="how long to look at somebody; memory at its end"
    )
    args = parser.parse_args(arguments)
    console = Console()
    try:
        with console.status("") as status:
            result = measure(args.rounds, args.look_s, lambda what: status.update(f"measuring {what}"))
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        show(result, console)
        if args.plot is not None:
            draw(result, args.plot)
    except AnxinError as error:
        console.print(f"bench: {error}", style="red", soft_wrap=True, highlight=False)
        return 1
    console.print(sentence(result), soft_wrap=True, highlight=False)
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _spread(spread: dict[str, float] | None) -> tuple[str, str]:
    return ("not measured", "") if spread is None else (f"{spread['p50']:.2f}", f"{spread['p95']:.2f}")


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
