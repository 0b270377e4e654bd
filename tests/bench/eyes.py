"""The eyes alone, one thread: each net's bare call, a frame with every net, a frame of a session, MobileNetV1.

Milliseconds are the thread's own (CLOCK_THREAD_CPUTIME_ID): on a machine with nothing else to do they are the
clock's, and on a busy one waiting for a core does not count.  After each frame every net is called once bare
(set_tensor, invoke, get_tensor) and MobileNetV1 with them, so that everything is measured on the same machine.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edge import app
from edge.adapters.tflite import interpreter_class
from edge.core.types import Observation
from edge.errors import ToolError
from edge.ports import Floats, Frame, Net, NetSpec, Pixels
from edge.vision.pipeline import Eyes
from edge.vision.settings import EyesSettings
from tests.bench.mobilenet import mobilenet_v1_int8
from tests.bench.pictures import RATE, empty, frames, scene

WARM = 5  # frames before anything counts
YARDSTICK = "mobilenet_v1_224_int8"


class Counted:
    """A `Net` that counts its calls."""

    def __init__(self, net: Net) -> None:
        self.spec: NetSpec = net.spec
        self._net = net
        self.calls = 0

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        self.calls += 1
        return self._net.run(crop)


def measure_frames(rounds: int) -> dict[str, Any]:
    """Frames as a session has them (somebody is watched for), and frames on which every net runs."""
    bare = {spec.name: _bare_call(path.read_bytes()) for spec, path in app.manifest().net_specs()}
    yardstick = _yardstick()
    nets = {name: Counted(net) for name, net in app.open_nets().items()}
    reference = _reference(nets)
    session = Eyes(nets)
    full = Eyes(nets, replace(EyesSettings(), detect_every_s=0.0, take_turns=False))
    for eyes in (session, full):
        eyes.watch(reference)
    times: dict[str, list[float]] = {name: [] for name in ("session", "full", YARDSTICK, *bare)}
    calls: list[dict[str, int]] = []
    for frame in frames(scene(), rounds + WARM):
        before = {name: net.calls for name, net in nets.items()}
        times["session"].append(_took(session, frame))
        calls.append({name: net.calls - before[name] for name, net in nets.items()})
        times["full"].append(_took(full, _as_new(frame)))
        for name, call in bare.items():
            times[name].append(call())
        times[YARDSTICK].append(yardstick() if yardstick else np.nan)
    return _figures({name: values[WARM:] for name, values in times.items()}, calls[WARM:], list(bare))


def measure_idle(count: int = 60) -> float:
    """Share of a core that the eyes take at 15 frames a second with nobody there."""
    eyes = app.open_eyes()
    room = list(frames(empty(), count))
    began = time.thread_time()
    seen: list[Observation] = [eyes.observe(frame) for frame in room]
    took = time.thread_time() - began
    if any(observation.faces for observation in seen):
        raise ToolError("the bench's empty room has a face in it; its figure would be wrong.")
    return took / (count / RATE)


def spread(values: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(values, q)), 3) for q in (50, 95)}


def _figures(times: dict[str, list[float]], calls: list[dict[str, int]], names: list[str]) -> dict[str, Any]:
    middle = {name: float(np.median(values)) for name, values in times.items()}
    everything = sum(middle[name] for name in names)
    per_frame = {name: sum(one.get(name, 0) for one in calls) / len(calls) for name in names}
    measured = not np.isnan(middle[YARDSTICK])
    return {
        "bare": {name: spread(times[name]) for name in names},
        "bare_sum_p50": round(everything, 3),
        "calls_per_frame": {name: round(count, 2) for name, count in per_frame.items()},
        "frame": spread(times["session"]),
        "frame_by_bare": round(
            float(np.mean(times["session"])) / sum(per_frame[name] * float(np.mean(times[name])) for name in names), 3
        ),
        "full_frame": spread(times["full"]),
        "full_frame_by_bare": round(middle["full"] / everything, 3),
        YARDSTICK: spread(times[YARDSTICK]) if measured else None,
        "full_frame_by_mobilenet": round(middle["full"] / middle[YARDSTICK], 3) if measured else None,
        "frames_per_second": round(1000 / float(np.mean(times["session"])), 1),
    }


def _bare_call(content: bytes) -> Callable[[], float]:
    """One call of a model's interpreter with nothing of ours round it."""
    interpreter = interpreter_class()(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    entry, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    values = np.random.default_rng(0).uniform(-1, 1, entry["shape"])
    ready = (values * 100 if entry["dtype"] == np.int8 else values).astype(entry["dtype"])

    def call() -> float:
        began = time.thread_time()
        interpreter.set_tensor(entry["index"], ready)
        interpreter.invoke()
        for output in outputs:
            interpreter.get_tensor(output["index"])
        return 1000 * (time.thread_time() - began)

    return call


def _yardstick() -> Callable[[], float] | None:
    try:
        return _bare_call(mobilenet_v1_int8())
    except ToolError:
        return None


def _reference(nets: dict[str, Counted]) -> Floats:
    described = Eyes(nets).describe(next(frames(scene(), 1)))
    if described is None:
        raise ToolError("the eyes do not find the face of the golden scene; `anxin models verify` may say why.")
    return described.embedding[None]


def _took(eyes: Eyes, frame: Frame) -> float:
    began = time.thread_time()
    eyes.observe(frame)
    return 1000 * (time.thread_time() - began)


def _as_new(frame: Frame) -> Frame:
    """The same picture just written."""
    return replace(frame, rgb=frame.rgb.copy())
