"""A worker's process: started, asked, ended.  One core for each, and only one of them works at a time."""

import json
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

READY_WITHIN_S = 300.0


class WorkerError(Exception):
    """The worker ended, or said something else; its log says why."""


class Worker:
    """One library on one photo; ``ready_s`` is from the start of the process to its first answer about the photo."""

    def __init__(self, name: str, runner: tuple[str, ...], photo: Path, size: tuple[int, int], log: Path) -> None:
        self.name = name
        self._runner, self._photo, self._size, self._log = runner, photo, size, log
        self.ready_s = 0.0
        self.about: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Worker":
        width, height = self._size
        began_s = time.perf_counter()
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [*self._runner, str(self._photo), str(width), str(height)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        # One core: libraries that start a thread per core would otherwise take what ours is denied.
        psutil.Process(self._process.pid).cpu_affinity([(psutil.cpu_count() or 1) - 1])
        self.about = self._answer()
        self.ready_s = time.perf_counter() - began_s
        return self

    def ask(self, **what: object) -> dict[str, Any]:
        """The answer to one line; raises WorkerError."""
        if self._process is None or self._process.stdin is None:
            raise WorkerError(f"{self.name} was not started")
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self._answer()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # closing flushes what a dead worker will not read
                    pipe.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise WorkerError(f"{self.name} answered with something that is no JSON") from error
        return answer

    def _ended(self) -> WorkerError:
        said = self._log.read_text(errors="replace").strip().splitlines()
        return WorkerError(f"{self.name} ended: {said[-1][:160] if said else 'it said nothing'}")
