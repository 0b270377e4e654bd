"""The eyes' speed and size: `python -m tests.bench.bench [--json FILE] [--rounds N]` (`make bench`).

Everything is a ratio within one run: after each observed frame every model is called once bare (set_tensor, invoke,
get_tensor), so that a busy machine slows both alike.  Nothing here passes or fails; the targets stand beside.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import skimage.data
from rich.console import Console
from rich.table import Table

from edge import app
from edge.adapters.tflite import interpreter_class, runtime_version
from edge.core.types import Observation
from edge.ports import Floats, Frame, Net, NetSpec, Pixels
from edge.vision.pipeline import Eyes
from edge.vision.settings import EyesSettings
from tests.bench.process import measure_terminal

WIDTH, HEIGHT, RATE = 640, 480, 15
FRAME_NS = 1_000_000_000 // RATE
# Starts like a terminal does, then says how it went; runs in a process of its own.
START = """
import json, time, psutil
from edge import app
from edge.vision.pipeline import Eyes
from tests.bench.bench import frames, ready_frames
nets = {}
def keep(spec, path):
    nets[spec.name] = app.open_net(spec, path)
    return nets[spec.name]
from edge.vision.verify import verify
assert verify(app.models_folder(), keep).ok
eyes = Eyes(nets)
seen = eyes.observe(ready_frames(1)[0])
ready = time.time()
eyes.watch(None)
for frame in ready_frames(60):
    eyes.observe(frame)
print(json.dumps({"ready": ready, "rss": psutil.Process().memory_info().rss, "faces": seen.faces}))
"""


class Counted:
    """A `Net` that counts its calls."""

    def __init__(self, net: Net) -> None:
        self.spec: NetSpec = net.spec
        self._net = net
        self.calls = 0

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        self.calls += 1
        return self._net.run(crop)


def astronaut() -> Pixels:
    """The astronaut letterboxed into 640x480."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left = (WIDTH - HEIGHT) // 2
    rgb[:, left : left + HEIGHT] = cv2.resize(
        skimage.data.astronaut(), (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA
    )
    return rgb


def frames(rgb: Pixels, count: int) -> list[Frame]:
    """``count`` frames of a picture, each with a sensor's noise of its own."""
    rng = np.random.default_rng(0)
    noise = rng.integers(-3, 4, (HEIGHT + 64, WIDTH + 64, 3), np.int16)
    made = []
    for number in range(count):
        y, x = rng.integers(0, 64, 2)
        grain = noise[y : y + HEIGHT, x : x + WIDTH]
        made.append(Frame(number, number * FRAME_NS, np.clip(rgb + grain, 0, 255).astype(np.uint8)))
    return made


def ready_frames(count: int) -> list[Frame]:
    return frames(astronaut(), count)


def bare_call(path: Path) -> Callable[[], float]:
    """One call of a model's interpreter with nothing of ours round it; milliseconds."""
    interpreter = interpreter_class()(model_content=path.read_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    entry, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, entry["shape"])
    ready = (values * 100 if entry["dtype"] == np.int8 else values).astype(entry["dtype"])

    def call() -> float:
        began = time.perf_counter()
        interpreter.set_tensor(entry["index"], ready)
        interpreter.invoke()
        for output in outputs:
            interpreter.get_tensor(output["index"])
        return 1000 * (time.perf_counter() - began)

    return call


def measure_frames(rounds: int) -> dict[str, Any]:
    """Frames as a session has them (somebody is watched for), and frames on which every model runs."""
    manifest = app.manifest()
    bare = {spec.name: bare_call(path) for spec, path in manifest.net_specs()}
    nets = {name: Counted(net) for name, net in app.open_nets().items()}
    eyes = Eyes(nets)
    described = eyes.describe(ready_frames(1)[0])
    assert described is not None
    eyes.watch(described.embedding[None])
    full = _AllModels(nets, described.embedding[None])
    bare_ms: dict[str, list[float]] = {name: [] for name in bare}
    frame_ms: list[float] = []
    full_ms: list[float] = []
    calls: dict[str, int] = dict.fromkeys(nets, 0)
    for frame in frames(astronaut(), rounds + 5):
        before = {name: net.calls for name, net in nets.items()}
        began = time.perf_counter()
        eyes.observe(frame)
        took = 1000 * (time.perf_counter() - began)
        used = {name: net.calls - before[name] for name, net in nets.items()}
        full_took = full.observe(frame)
        singles = {name: call() for name, call in bare.items()}
        if frame.number < 5:
            continue  # warm caches first
        frame_ms.append(took)
        full_ms.append(full_took)
        for name, single in singles.items():
            bare_ms[name].append(single)
            calls[name] += used[name]
    middle = {name: float(np.median(times)) for name, times in bare_ms.items()}
    expected = sum(calls[name] * middle[name] for name in calls)
    return {
        "bare": {name: spread(times) for name, times in bare_ms.items()},
        "bare_sum_p50": round(sum(middle.values()), 3),
        "frame": spread(frame_ms),
        "frame_by_bare": round(float(np.median(frame_ms)) * len(frame_ms) / expected, 3),
        "full_frame": spread(full_ms),
        "full_frame_by_bare": round(float(np.median(full_ms)) / sum(middle.values()), 3),
        "calls_per_frame": {name: round(n / len(frame_ms), 2) for name, n in calls.items()},
        "frames_per_second": round(1000 / float(np.mean(frame_ms)), 1),
    }


class _AllModels:
    """Times frames on which all four models run: eyes that always detect and take no turns."""

    def __init__(self, nets: dict[str, Counted], references: Floats) -> None:
        self._eyes = Eyes(nets, replace(EyesSettings(), detect_every_s=0.0, take_turns=False))
        self._eyes.watch(references)

    def observe(self, frame: Frame) -> float:
        began = time.perf_counter()
        seen = self._eyes.observe(frame)
        took = 1000 * (time.perf_counter() - began)
        assert seen.match is not None and seen.passive is not None
        return took


def measure_idle(count: int = 60) -> float:
    """Share of a core that the eyes take at 15 frames a second with nobody there."""
    eyes = app.open_eyes()
    room = frames(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), count)
    began = time.process_time()
    seen: list[Observation] = [eyes.observe(frame) for frame in room]
    assert not any(o.faces for o in seen)
    return (time.process_time() - began) / (count / RATE)


def measure_start(times: int = 3) -> dict[str, Any]:
    """From the start of a process to eyes that are verified and have looked; and its memory after 60 frames."""
    starts, memory = [], []
    for _ in range(times):
        began = time.time()
        done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
        starts.append(said["ready"] - began)
        memory.append(said["rss"] / 2**20)
    return {"start_to_ready_s": round(float(np.median(starts)), 2), "rss_mb": round(max(memory), 1)}


def spread(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 3) for q in (50, 95)}


def machine() -> dict[str, Any]:
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith(("model name", "Model"))]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
        "interpreter": runtime_version(),
        "threads": 1,
    }


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def show(result: dict[str, Any], console: Console) -> None:
    eyes = result["eyes"]
    table = Table(title=f"eyes on {result['machine']['cpu']}, {result['machine']['interpreter']}, one thread")
    for column in ("what", "p50", "p95", "target"):
        table.add_column(column, justify="left" if column in ("what", "target") else "right")
    for name, times in eyes["bare"].items():
        table.add_row(f"{name}, bare call, ms", f"{times['p50']:.2f}", f"{times['p95']:.2f}", "")
    table.add_row("all four bare, ms", f"{eyes['bare_sum_p50']:.2f}", "", "")
    full, frame = eyes["full_frame"], eyes["frame"]
    table.add_row("a frame with every model, ms", f"{full['p50']:.2f}", f"{full['p95']:.2f}", "")
    table.add_row("  by its bare calls", f"{eyes['full_frame_by_bare']:.2f}", "", "at most 1.15")
    table.add_row("a frame of a session, ms", f"{frame['p50']:.2f}", f"{frame['p95']:.2f}", "")
    table.add_row("  by its bare calls", f"{eyes['frame_by_bare']:.2f}", "", "")
    table.add_row("frames a second", f"{eyes['frames_per_second']:.0f}", "", "")
    for name, part in (("eyes alone", result), ("terminal", result["terminal"])):
        table.add_row(f"{name}: start to ready, s", f"{part['start_to_ready_s']:.2f}", "", "at most 3")
        table.add_row(f"{name}: memory, MB", f"{part['rss_mb']:.0f}", "", "at most 250")
        table.add_row(f"{name}: nobody there, share of a core", f"{100 * part['idle']:.1f} %", "", "at most 3 %")
    console.print(table)


def sentence(result: dict[str, Any]) -> str:
    eyes, terminal = result["eyes"], result["terminal"]
    return (
        f"bench: a frame with every model takes {eyes['full_frame']['p50']:.1f} ms, "
        f"{eyes['full_frame_by_bare']:.2f} times its bare interpreter calls; a session's frame "
        f"{eyes['frame']['p50']:.1f} ms ({eyes['frames_per_second']:.0f} a second); the terminal is ready after "
        f"{terminal['start_to_ready_s']:.1f} s, {terminal['rss_mb']:.0f} MB, "
        f"idle {100 * terminal['idle']:.1f} % of a core"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the figures go")
    parser.add_argument("--rounds", type=int, default=120, help="frames to measure")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    result = {
        "machine": machine(),
        "eyes": measure_frames(args.rounds),
        **measure_start(),
        "idle": round(measure_idle(), 4),
        "terminal": measure_terminal(),
    }
    args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    console = Console()
    show(result, console)
    console.print(sentence(result), soft_wrap=True, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
