"""Show what the eyes see in a video, pictures or a camera: faces, quality, actions with frame numbers and times.

SOURCE is a video file, a picture, a folder of pictures, or a camera as in terminal.toml (picamera2, v4l2:NAME,
socket:PATH; the simulator serves a socket).  Recordings are read as fast as the eyes look, every frame.  Nothing is
stored; no picture and no embedding is printed.

examples:
  anxin watch clip.mp4
  anxin watch clip.mp4 --max-frames 200 --json | head
  anxin watch photos/ --every
  anxin watch v4l2:"HD Webcam"
  anxin watch socket:site/camera.sock
"""

import argparse
import json
import sys
import time
from collections import Counter, deque
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from edge.app import open_eyes
from edge.cameras import open_camera
from edge.core.types import Action, ActionSeen, Advice, Observation
from edge.errors import CameraError
from edge.ports import Camera, Vision

_NS = 1_000_000_000
_FRAME_TIMEOUT_S = 5.0
_PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_REMEMBERED = 512  # frames back to which an action's start can be traced: longer than any action lasts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="video, picture, folder, picamera2, v4l2:NAME or socket:PATH")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    parser.add_argument(
        "--every", action="store_true", help="a line for every frame, not only when something changes"
    )
    parser.add_argument("--max-frames", type=_from_one, metavar="N", help="stop after N frames")
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder of the models (default: the packaged ones)"
    )
    parser.add_argument("--width", type=int, default=640, help="width asked of a camera, px (default 640)")
    parser.add_argument("--height", type=int, default=480, help="height asked of a camera, px (default 480)")
    parser.add_argument("--fps", type=int, default=15, help="frames a second asked of a camera (default 15)")


def _from_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on is needed")
    return int(text)


def main(args: argparse.Namespace) -> int:
    """Watch until the source ends, ``--max-frames`` are seen, or Ctrl-C.  Exit 0; 12 without a camera or file."""
    camera = camera_of(args.source, args.width, args.height, args.fps)
    eyes = open_eyes(args.models)
    printer: _Json | _Lines | _Live
    if args.json:
        printer = _Json(every=args.every)
    elif sys.stdout.isatty() and not args.every:
        printer = _Live(args.source)
    else:
        printer = _Lines(every=args.every)
    with closing(camera), printer:
        camera.open()
        tally = watch(camera, eyes, printer, args.max_frames)
    printer.end(tally)
    return 0


def camera_of(source: str, width_px: int, height_px: int, frames_per_second: int) -> Camera:
    """The camera of a command line's SOURCE: a path that exists, or a configuration's kind of source."""
    path = Path(source)
    if path.is_dir():
        # One picture a second, so that each is a scene of its own and not a movement from the one before.
        return open_camera(f"folder:{path}", frames_per_second=1, paced=False)
    if path.is_file():
        kind = "folder" if path.suffix.lower() in _PICTURES else "file"
        return open_camera(f"{kind}:{path}", frames_per_second=1, paced=False)
    if ":" not in source and source != "picamera2":
        raise CameraError(f"{source} is no file, folder or camera; give a path, picamera2, v4l2:NAME or socket:PATH.")
    return open_camera(source, width_px, height_px, frames_per_second, paced=False)


def watch(camera: Camera, eyes: Vision, printer: "Printer", max_frames: int | None = None) -> "Tally":
    """Show every frame of an open camera to the eyes, and what they say to the printer."""
    tally = Tally()
    try:
        for _ in count() if max_frames is None else range(max_frames):
            frame = camera.read(_FRAME_TIMEOUT_S)
            if frame is None:
                break
            began = time.perf_counter()
            seen = eyes.observe(frame)
            tally.add(seen, time.perf_counter() - began)
            printer.show(seen, tally)
    except KeyboardInterrupt:
        pass  # how one ends a camera; what was seen is summed up
    return tally


@dataclass
class Tally:
    """What was seen so far."""

    frames: int = 0
    with_face: int = 0
    tracks: set[int] = field(default_factory=set)
    advice: Counter[Advice] = field(default_factory=Counter)
    actions: Counter[Action] = field(default_factory=Counter)
    passive: list[float] = field(default_factory=list)
    looking_s: list[float] = field(default_factory=list)
    first_ns: int | None = None
    last_ns: int = 0
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def add(self, seen: Observation, took_s: float) -> None:
        self.frames += 1
        self.first_ns = seen.at_ns if self.first_ns is None else self.first_ns
        self.last_ns = seen.at_ns
        self.recent.append((seen.at_ns, seen.frame_no))
        self.looking_s.append(took_s)
        self.advice[seen.advice] += 1
        self.actions.update(action.action for action in seen.actions)
        if seen.faces:
            self.with_face += 1
            self.tracks.add(seen.track)
        if seen.passive is not None:
            self.passive.append(seen.passive)

    def seconds(self, at_ns: int) -> float:
        """Seconds since the first frame."""
        return (at_ns - (self.first_ns or at_ns)) / _NS

    def frame_at(self, at_ns: int) -> int:
        """The number of the frame with that time."""
        return next((number for when, number in reversed(self.recent) if when <= at_ns), 0)

    def figures(self) -> dict[str, Any]:
        taken = np.array(self.looking_s or [0.0]) * 1000
        return {
            "frames": self.frames,
            "seconds": round(self.seconds(self.last_ns), 3),
            "frames_with_face": self.with_face,
            "tracks": len(self.tracks),
            "ready_frames": self.advice[Advice.READY],
            "advice": {advice.value: n for advice, n in self.advice.most_common()},
            "actions": {action.value: self.actions[action] for action in Action},
            "passive_median": round(float(np.median(self.passive)), 4) if self.passive else None,
            "ms_p50": round(float(np.percentile(taken, 50)), 2),
            "ms_p95": round(float(np.percentile(taken, 95)), 2),
        }

    def sentence(self) -> str:
        f = self.figures()
        actions = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in f["actions"].items() if n) or "no action"
        passive = "" if f["passive_median"] is None else f", passive score {f['passive_median']:.2f} in the median"
        return (
            f"watch: {f['frames']} frames of {f['seconds']:.1f} s, a face in {f['frames_with_face']}, "
            f"{f['tracks']} track{'' if f['tracks'] == 1 else 's'}, {f['ready_frames']} ready, {actions}{passive}; "
            f"{f['ms_p50']:.1f} ms a frame (95th percentile {f['ms_p95']:.1f})"
        )


class Printer:
    """Where observations go.  A context manager; `end` prints the sum after it."""

    def __init__(self, *, every: bool = False) -> None:
        self._every = every
        self._before: tuple[Any, ...] | None = None

    def __enter__(self) -> "Printer":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, seen: Observation, tally: Tally) -> None:
        for action in seen.actions:
            self.action(action, seen, tally)
        state = (seen.faces, seen.advice, seen.track, seen.neutral, seen.frozen)
        if self._every or state != self._before:
            self.frame(seen, tally)
        self._before = state

    def action(self, action: ActionSeen, seen: Observation, tally: Tally) -> None:
        raise NotImplementedError

    def frame(self, seen: Observation, tally: Tally) -> None:
        raise NotImplementedError

    def end(self, tally: Tally) -> None:
        raise NotImplementedError


class _Json(Printer):
    """Objects of type ``frame`` (as `Observation`), ``action`` (with start_frame, end_frame) and last ``summary``."""

    def action(self, action: ActionSeen, seen: Observation, tally: Tally) -> None:
        self._write(
            type="action",
            event=action.action.value,
            start_frame=tally.frame_at(action.started_ns),
            end_frame=tally.frame_at(action.completed_ns),
            start_s=round(tally.seconds(action.started_ns), 3),
            end_s=round(tally.seconds(action.completed_ns), 3),
            score=round(action.score, 3),
            track=seen.track,
        )

    def frame(self, seen: Observation, tally: Tally) -> None:
        self._write(
            type="frame",
            frame=seen.frame_no,
            time_s=round(tally.seconds(seen.at_ns), 3),
            faces=seen.faces,
            advice=seen.advice.value,
            track=seen.track,
            neutral=seen.neutral,
            frozen=seen.frozen,
            **{name: round(getattr(seen, name), 3) for name in _FIGURES},
            passive=None if seen.passive is None else round(seen.passive, 4),
        )

    def end(self, tally: Tally) -> None:
        self._write(type="summary", **tally.figures(), text=tally.sentence())

    @staticmethod
    def _write(**content: Any) -> None:
        sys.stdout.write(json.dumps(content) + "\n")
        sys.stdout.flush()


class _Lines(Printer):
    """A line for people, where there is no terminal to draw on."""

    def action(self, action: ActionSeen, seen: Observation, tally: Tally) -> None:
        first = tally.frame_at(action.started_ns)
        sys.stdout.write(
            f"frame {first:>6} to {seen.frame_no:<6} {tally.seconds(action.completed_ns):8.2f} s  "
            f"{action.action.value.replace('_', ' ')} ({action.score:.2f})\n"
        )

    def frame(self, seen: Observation, tally: Tally) -> None:
        frozen = " frozen" if seen.frozen else ""
        face = ""
        if seen.faces:
            passive = "" if seen.passive is None else f", passive {seen.passive:.2f}"
            face = (
                f", track {seen.track}, width {seen.face_width:.2f}, yaw {seen.yaw_deg:+.0f}, pitch "
                f"{seen.pitch_deg:+.0f}, light {seen.luma_face:.0f}, sharp {seen.sharpness:.0f}{passive}"
            )
        sys.stdout.write(
            f"frame {seen.frame_no:>6} {tally.seconds(seen.at_ns):18.2f} s  {seen.faces} "
            f"face{'' if seen.faces == 1 else 's'}: {seen.advice.value.replace('_', ' ')}{face}{frozen}\n"
        )

    def end(self, tally: Tally) -> None:
        sys.stdout.write(tally.sentence() + "\n")
        sys.stdout.flush()


class _Live(Printer):
    """A table that stays in place, and the actions scrolling above it."""

    def __init__(self, source: str) -> None:
        super().__init__(every=True)
        self._console = Console()
        self._live = Live(console=self._console, refresh_per_second=8)
        self._title = Path(source).name if Path(source).exists() else source

    def __enter__(self) -> "Printer":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def action(self, action: ActionSeen, seen: Observation, tally: Tally) -> None:
        first, name = tally.frame_at(action.started_ns), action.action.value.replace("_", " ")
        when = f"{tally.seconds(action.completed_ns):8.2f} s"
        self._live.console.print(f"{when}  frames {first} to {seen.frame_no}  [bold]{name}[/] {action.score:.2f}")

    def frame(self, seen: Observation, tally: Tally) -> None:
        table = Table(title=self._title, show_header=False, min_width=48)
        table.add_row("frame", f"{seen.frame_no} at {tally.seconds(seen.at_ns):.2f} s")
        table.add_row("faces", f"{seen.faces}, track {seen.track}" + (" (frozen picture)" if seen.frozen else ""))
        table.add_row("advice", seen.advice.value.replace("_", " "))
        table.add_row("width", f"{seen.face_width:.2f} of the frame")
        table.add_row("yaw, pitch, roll", f"{seen.yaw_deg:+.0f} {seen.pitch_deg:+.0f} {seen.roll_deg:+.0f} degrees")
        table.add_row("light, behind", f"{seen.luma_face:.0f}, {seen.luma_behind:.0f} of 255")
        table.add_row("sharpness", f"{seen.sharpness:.0f}")
        table.add_row("passive", f"{tally.passive[-1]:.2f}" if tally.passive else "not yet")
        table.add_row("neutral", "known" if seen.neutral else "being learnt")
        self._live.update(table)

    def end(self, tally: Tally) -> None:
        self._console.print(tally.sentence(), soft_wrap=True, highlight=False)


_FIGURES = (
    "face_width",
    "face_x",
    "face_y",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "sharpness",
    "luma_face",
    "luma_behind",
)
