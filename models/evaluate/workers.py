"""Looks at many pictures in several processes, each with eyes of its own (one interpreter thread each).

What a process learns goes back through its pipe and is never written anywhere: embeddings stay in memory.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edge.errors import AnxinError, ToolError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Item], Answer]
Open = Callable[[], Work[Item, Answer]]

# Below this a process of its own takes longer to start (1.5 s) than the work.
_LEAST_FOR_PROCESSES = 100


def jobs_for(items: int, jobs: int | None = None) -> int:
    """How many processes: as many as processors; none besides this one for a handful of items."""
    if jobs is not None:
        return max(1, min(jobs, items))
    return 1 if items < _LEAST_FOR_PROCESSES else max(1, min(os.cpu_count() or 1, items))


def answers(
    items: Sequence[Item], open_work: Open[Item, Answer], jobs: int, console: Console, what: str
) -> list[Answer]:
    """What ``open_work()`` says to each item, in the order of the items; shows progress on ``console``.

    ``open_work`` is picklable and called once in each process; with one job it is called here.  Raises what the
    work raises of AnxinError, and ToolError when a process ends by itself.
    """
    found: dict[int, Answer] = {}
    with _progress(console, what, len(items)) as step:
        if jobs == 1:
            work = open_work()
            for number, item in enumerate(items):
                found[number] = work(item)
                step()
        else:
            with _processes(open_work, jobs) as pipes:
                for number, answer in _spread(items, pipes):
                    found[number] = answer
                    step()
    return [found[number] for number in range(len(items))]


def _spread(items: Sequence[Item], pipes: list[Connection]) -> Iterator[tuple[int, Any]]:
    """Two items to every process, a new one for every answer, so that none waits."""
    left = iter(enumerate(items))
    by_pipe: dict[object, Connection] = {id(pipe): pipe for pipe in pipes}
    open_answers = 0
    try:
        for pipe in (*pipes, *pipes):
            open_answers += _send_next(pipe, left)
        while open_answers:
            for one in wait(pipes):
                pipe = by_pipe[id(one)]
                number, answer, error = pipe.recv()
                if error is not None:
                    raise error
                open_answers += _send_next(pipe, left) - 1
                yield number, answer
    except (EOFError, ConnectionError):
        raise ToolError("a process that looks at pictures ended by itself; run again with --jobs 1.") from None


def _send_next(pipe: Connection, left: Iterator[tuple[int, Item]]) -> int:
    following = next(left, None)
    if following is None:
        return 0
    pipe.send(following)
    return 1


@contextmanager
def _processes(open_work: Open[Item, Answer], jobs: int) -> Iterator[list[Connection]]:
    # Not forked: an interpreter's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    children = []
    try:
        for _ in range(jobs):
            here, there = context.Pipe()
            child = context.Process(target=_serve, args=(there, open_work), daemon=True)
            child.start()
            there.close()
            pipes.append(here)
            children.append(child)
        yield pipes
    finally:
        for pipe in pipes:
            with suppress(OSError):
                pipe.send(None)
            pipe.close()
        for child in children:
            child.join(5.0)
            if child.is_alive():
                child.terminate()
                child.join()
            child.close()


def _serve(pipe: Connection, open_work: Open[Item, Answer]) -> None:
    """A child's life: answer until told to end.  Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    with suppress(EOFError, ConnectionError):  # the parent has gone
        try:
            work = open_work()
        except AnxinError as error:
            pipe.send((0, None, error))
            return
        while (asked := pipe.recv()) is not None:
            number, item = asked
            try:
                pipe.send((number, work(item), None))
            except AnxinError as error:
                pipe.send((number, None, error))


@contextmanager
def _progress(console: Console, what: str, total: int) -> Iterator[Callable[[], None]]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
