"""The terminal as a process: start to READY=1, memory, and what it takes of a core while nobody is there."""

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from edge.errors import ToolError
from edge.ports import Frame
from provisioning.broker import free_port
from provisioning.dev import Eyes, provision_dev
from provisioning.settings import Wanted
from provisioning.site import Site
from sim.socket_camera import FrameServer

STARTS = 3
IDLE_S = 6.0
RATE = 15


def measure_terminal() -> dict[str, Any]:
    """Medians over three starts of `anxin terminal` with a camera of 640x480 noise at 15 frames a second."""
    with tempfile.TemporaryDirectory(prefix="anxin-bench-") as folder:
        root, camera = Path(folder) / "site", Path(folder) / "camera.sock"
        for _ in provision_dev(root, Wanted(camera=f"socket:{camera}", page_port=free_port()), open_eyes=_no_eyes):
            pass
        with FrameServer(camera) as server, _Noise(server), Site(root) as site:
            starts, worked = [], []
            for _ in range(STARTS):
                began_s = time.monotonic()
                site.start(("terminal",))
                starts.append(time.monotonic() - began_s)
                worked.append(sum(psutil.Process(site.pid("terminal")).cpu_times()[:2]))
                if len(starts) < STARTS:
                    site.stop("terminal")
            process = psutil.Process(site.pid("terminal"))
            time.sleep(1.0)  # past the start's own work
            before, began_s = process.cpu_times(), time.monotonic()
            time.sleep(IDLE_S)
            after = process.cpu_times()
            busy_s = after.user + after.system - before.user - before.system
            return {
                "start_to_ready_s": round(float(np.median(starts)), 2),
                "start_core_s": round(float(np.median(worked)), 2),
                "rss_mb": round(process.memory_info().rss / 2**20, 1),
                "idle": round(busy_s / (time.monotonic() - began_s), 4),
            }


def _no_eyes() -> Eyes:
    raise ToolError("the bench enrols nobody")


class _Noise:
    """A camera that works and shows nobody."""

    def __init__(self, server: FrameServer) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench-noise")
        rng = np.random.default_rng(1)
        # More than the loop remembers, and a lamp, or it would be a camera that repeats or shows only black.
        self._pictures = [rng.integers(0, 20, (480, 640, 3), np.uint8) for _ in range(40)]
        for picture in self._pictures:
            picture[40:160, 200:360] += 120

    def _run(self) -> None:
        number = 0
        while not self._over.wait(1 / RATE):
            number += 1
            self._server.offer(Frame(number, time.monotonic_ns(), self._pictures[number % len(self._pictures)]))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
