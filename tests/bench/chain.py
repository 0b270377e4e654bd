"""From a camera's frame to what was seen of it, in a process of its own: capture, slot and eyes as in the terminal.

The producer is the bench, over a socket.  The session and the page come after; they take no time of a frame.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from edge import app
from edge.adapters.camera_socket import SocketCamera
from edge.adapters.clock_system import SystemClock
from edge.core.types import Event
from edge.errors import ToolError
from edge.ports import Frame
from edge.runtime.capture import CaptureLoop
from edge.runtime.perceive import PerceiveLoop
from edge.runtime.slot import NewestFrame
from edge.vision.pipeline import Eyes
from sim.socket_camera import FrameServer
from tests.bench.pictures import frames, scene

CAMERA_RATE, FLAT_OUT_RATE = 15, 240
FLAT_OUT_S = 6.0


def measure_chain(look_s: float) -> dict[str, Any]:
    """At a camera's pace for ``look_s``, and as fast as it goes; each in a fresh process that looks at somebody."""
    return {"paced": _measure(CAMERA_RATE, look_s), "flat_out": _measure(FLAT_OUT_RATE, FLAT_OUT_S)}


def _measure(rate: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="anxin-bench-") as folder:
        path = Path(folder) / "camera.sock"
        with FrameServer(path) as server, _offering(server, rate):
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.chain", str(path), str(seconds)],
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds + 60,
            )
    if done.returncode != 0:
        raise ToolError(f"the bench's chain ended early: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"camera_rate": rate, **said}


@contextlib.contextmanager
def _offering(server: FrameServer, rate: int) -> Iterator[None]:
    over = threading.Event()
    shown = [frame.rgb for frame in frames(scene(), 40)]

    def offer() -> None:
        number, next_s = 0, time.monotonic()
        while not over.wait(max(0.0, next_s - time.monotonic())):
            next_s = max(next_s + 1 / rate, time.monotonic())
            number += 1
            server.offer(Frame(number, time.monotonic_ns(), shown[number % len(shown)]))

    thread = threading.Thread(target=offer, name="bench-camera")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run(path: Path, seconds: float) -> dict[str, Any]:
    """Start as the terminal does (verified nets), look at whoever is there, and say how that went."""
    began_s = psutil.Process().create_time()
    report, nets, _ = app.open_verified()
    if not report.ok:
        raise ToolError(report.sentence)
    clock, slot, lost = SystemClock(), NewestFrame(), list[Event]()
    capture = CaptureLoop(SocketCamera(path), clock, slot.put, lost.append)
    perceive = PerceiveLoop(slot, Eyes(nets), clock)
    described = Eyes(nets).describe(next(frames(scene(), 1)))
    perceive.look(None if described is None else described.embedding[None])
    over = threading.Event()
    camera = threading.Thread(target=_keep_turning, args=(capture, over), name="capture")
    camera.start()
    try:
        while perceive.turn() is None:
            pass
        ready_s = time.time() - began_s
        return {"start_to_first_observation_s": round(ready_s, 2), **_look(perceive, slot, seconds)}
    finally:
        over.set()
        camera.join()
        capture.close()


def _look(perceive: PerceiveLoop, slot: NewestFrame, seconds: float) -> dict[str, Any]:
    process, late_ms, ready, matched = psutil.Process(), list[float](), 0, 0
    dropped, busy_s, began_s = slot.dropped, sum(process.cpu_times()[:2]), time.monotonic()
    early_mb = process.memory_info().rss / 2**20
    while time.monotonic() - began_s < seconds:
        if (answer := perceive.turn()) is None:
            continue
        seen = answer[1].observation
        late_ms.append((time.monotonic_ns() - seen.at_ns) / 1e6)
        ready += seen.advice.value == "ready"
        matched += seen.match is not None
    took_s = time.monotonic() - began_s
    return {
        "frames_per_second": round(len(late_ms) / took_s, 1),
        "late_p50_ms": round(float(np.percentile(late_ms, 50)), 1),
        "late_p95_ms": round(float(np.percentile(late_ms, 95)), 1),
        "dropped": slot.dropped - dropped,
        "ready": round(ready / len(late_ms), 3),
        "matched": round(matched / len(late_ms), 3),
        "busy": round((sum(process.cpu_times()[:2]) - busy_s) / took_s, 3),
        "rss_mb": round(process.memory_info().rss / 2**20, 1),
        "rss_growth_mb": round(process.memory_info().rss / 2**20 - early_mb, 1),
    }


def _keep_turning(capture: CaptureLoop, over: threading.Event) -> None:
    while not over.is_set():
        over.wait(capture.turn())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("socket", type=Path)
    parser.add_argument("seconds", type=float)
    args = parser.parse_args()
    print(json.dumps(run(args.socket, args.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
