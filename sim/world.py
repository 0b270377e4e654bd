"""The room in front of a real terminal, as a process: `python -m sim.world --scenario demo --site SITE_DIR`.

It streams the room's frames to the terminal's socket camera, walks the visitors up one after the other, and lets each
of them use the terminal's page over its WebSocket.  What happens is told on stdout, one JSON object a line:

    ready      the frames flow (camera, seconds it took)        arrives  visit, kind, face, who
    page       visit, screen, prompt, zh, en, advice, action     does     visit, deed
    connected  visit, connected (the page's window)              ends     visit, page, ticket, seconds, as_expected
    leaves     visit                                             finished visits, as_expected

Numbers that are typed are never told.  It ends with 0 when every visit ended on the page that the scenario expects.
"""

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from edge.app import open_nets
from edge.config import TerminalConfig
from edge.config import load as load_config
from edge.core.types import Screen
from edge.errors import AnxinError, ConfigError
from edge.kiosk.protocol import NumberTyped, TouchMade, ViewShown
from edge.ports import Frame
from sim import cast, scenario
from sim.inprocess import deed_name
from sim.people import Leave, Mind, Page, Press, Type
from sim.puppet.room import Light
from sim.puppet.wardrobe import Wardrobe
from sim.scenario import FaultKind, Scenario, Visit
from sim.socket_camera import FrameServer
from sim.spoil import SPOILERS, Spoiler
from sim.stage import PuppetStage
from sim.window import Window

TURN_S = 0.05
LONGEST_VISIT_S = 600.0
PAUSE_S = 0.3
Tell = Callable[[str, dict[str, object]], None]


class Projector:
    """The thread that renders the room and offers each frame to whoever watches."""

    def __init__(self, stage: PuppetStage, server: FrameServer, frames_per_second: float) -> None:
        self.frozen = self.hanging = False
        self.spoiler: Spoiler | None = None
        self.rendered = 0
        self._stage, self._server = stage, server
        self._period_s = 1 / frames_per_second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sim-projector", daemon=True)
        self._began_s = time.monotonic()
        self._last: Frame | None = None

    def start(self) -> None:
        self._began_s = time.monotonic()
        self._thread.start()

    def now_s(self) -> float:
        """The scene's time."""
        return time.monotonic() - self._began_s

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            due_s = self._began_s + number * self._period_s
            wait_s = due_s - time.monotonic()
            if wait_s > 0 and self._over.wait(wait_s):
                return
            if self._server.consumers and not self.hanging:
                self._server.offer(self._frame(number))
                self.rendered += 1
            # A machine that cannot keep up shows fewer frames, not later ones.
            number = max(number + 1, int((time.monotonic() - self._began_s) / self._period_s))

    def _frame(self, number: int) -> Frame:
        at_ns = time.monotonic_ns()
        if self.frozen and self._last is not None:
            return Frame(number, at_ns, self._last.rgb)
        self._last = Frame(number, at_ns, self._stage.picture(number, self.now_s()))
        return self._last if self.spoiler is None else self.spoiler(self._last)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a visit ended, as the person saw it."""

    visit: str
    page: str
    ticket: bool
    seconds: float
    as_expected: bool


class World:
    """Everybody who comes, one after the other."""

    def __init__(self, plan: Scenario, stage: PuppetStage, projector: Projector, page_url: str, tell: Tell) -> None:
        self._plan, self._stage, self._projector, self._url, self._tell = plan, stage, projector, page_url, tell
        self._members = cast.load()

    async def run(self, seed: int) -> list[Ended]:
        """All visits; returns how each ended."""
        ended = []
        for visit in self._plan.visits:
            ended.append(await self._visit(visit, seed))
            await asyncio.sleep(PAUSE_S)
        return ended

    async def _visit(self, visit: Visit, seed: int) -> Ended:
        number = visit.number if visit.who is None else self._members[visit.who].number
        mind = Mind(visit, number or "", seed)
        began_s = self._projector.now_s()
        self._tell("arrives", {"visit": visit.key, "kind": visit.kind, "face": visit.face, "why": visit.expect.why})
        self._stage.enter(visit, began_s)
        faults = _LocalFaults(self._plan, visit, self._stage, self._projector, self._tell)
        faults.moment("arrives")
        dropped = False

        def shown(view: ViewShown) -> None:
            self._stage.shine(view.light, self._projector.now_s())
            page = Page.of_shown(view)
            if mind.page is None or mind.page.question != page.question:
                self._tell("page", _told(visit, view))
                faults.moment(page.screen.value)
            mind.read(page, self._projector.now_s())

        def changed(connected: bool) -> None:
            self._tell("connected", {"visit": visit.key, "connected": connected})

        async with Window(self._url, shown, changed) as window:
            while not mind.gone and self._projector.now_s() - began_s < LONGEST_VISIT_S:
                await asyncio.sleep(TURN_S)
                now_s = self._projector.now_s()
                faults.mend(now_s)
                if faults.page_dies and not dropped:
                    dropped = True
                    await window.drop()
                if not window.connected:
                    continue  # nobody presses a white screen
                for deed in mind.turn(now_s):
                    self._tell("does", {"visit": visit.key, "deed": deed_name(deed)})
                    if isinstance(deed, Press):
                        await window.send(TouchMade(touch=deed.touch, value=deed.value))
                    elif isinstance(deed, Type):
                        await window.send(NumberTyped(text=deed.text))
                    elif not isinstance(deed, Leave):
                        self._stage.perform(deed, now_s)
        faults.moment("leaves")
        faults.mend(float("inf"))
        self._stage.leave(self._projector.now_s())
        return self._done(visit, mind, self._projector.now_s() - began_s)

    def _done(self, visit: Visit, mind: Mind, seconds: float) -> Ended:
        page = mind.ending.prompt if mind.ending else ""
        ticket = mind.ending is not None and mind.ending.detail == "closing.ticket_detail"
        as_expected = page == visit.expect.page
        ended = Ended(visit.key, page, ticket, round(seconds, 1), as_expected)
        self._tell(
            "ends",
            {
                "visit": visit.key,
                "page": page,
                "ticket": ticket,
                "seconds": ended.seconds,
                "expected": visit.expect.page,
                "outcome": visit.expect.outcome,
                "as_expected": as_expected,
            },
        )
        self._tell("leaves", {"visit": visit.key})
        return ended


class _LocalFaults:
    """The faults of one visit that lie in the room: camera, light, the page's window.  Others are the site's."""

    def __init__(self, plan: Scenario, visit: Visit, stage: PuppetStage, projector: Projector, tell: Tell) -> None:
        self._waiting = [fault for fault in plan.faults if fault.visit == visit.key]
        self._running: list[tuple[float, FaultKind]] = []
        self._stage, self._projector, self._tell = stage, projector, tell
        self.page_dies = False

    def moment(self, at: str) -> None:
        for fault in [each for each in self._waiting if each.at == at]:
            self._waiting.remove(fault)
            self._tell("fault", {"kind": fault.kind, "for_s": fault.for_s})
            self._running.append((self._projector.now_s() + fault.for_s, fault.kind))
            self._switch(fault.kind, broken=True)

    def mend(self, now_s: float) -> None:
        for each in [each for each in self._running if each[0] <= now_s]:
            self._running.remove(each)
            self._switch(each[1], broken=False)

    def _switch(self, kind: FaultKind, *, broken: bool) -> None:
        if kind is FaultKind.CAMERA_FREEZES:
            self._projector.frozen = broken
        elif kind in {FaultKind.CAMERA_HANGS, FaultKind.CAMERA_LOST}:
            self._projector.hanging = broken
        elif kind in SPOILERS:
            self._projector.spoiler = SPOILERS[kind]() if broken else None
        elif kind is FaultKind.LIGHT_FAILS:
            self._stage.light(Light(level=0.05) if broken else None)
        elif kind is FaultKind.PAGE_DIES:
            self.page_dies = broken


def _told(visit: Visit, view: ViewShown) -> dict[str, object]:
    return {
        "visit": visit.key,
        "screen": view.screen,
        "prompt": view.prompt.key,
        "zh": view.prompt.zh,
        "en": view.prompt.en,
        "advice": view.advice.kind if view.advice else None,
        "action": view.action.kind if view.action and view.screen is Screen.CHALLENGE else None,
    }


def camera_of(config: TerminalConfig) -> Path:
    """The socket that the terminal of a site reads; raises `ConfigError` when it has another camera."""
    kind, _, path = config.camera.source.partition(":")
    if kind != "socket":
        raise ConfigError(
            f'The site\'s camera is `{kind}`; the simulated room needs `camera.source = "socket:PATH"`.'
        )
    return Path(path)


def run(plan: Scenario, camera: Path, page_url: str, seed: int, tell: Tell) -> list[Ended]:
    """Serve the room and run every visit; raises `AnxinError` when something needed is not here."""
    began_s = time.monotonic()
    stage = PuppetStage(plan, Wardrobe(open_nets()), seed)
    stage.prepare()
    with FrameServer(camera) as server:
        projector = Projector(stage, server, plan.camera.frames_per_second)
        projector.start()
        tell("ready", {"camera": str(camera), "seconds": round(time.monotonic() - began_s, 1)})
        try:
            ended = asyncio.run(World(plan, stage, projector, page_url, tell).run(seed))
        finally:
            projector.stop()
    tell(
        "finished",
        {"visits": len(ended), "as_expected": sum(e.as_expected for e in ended), "frames": projector.rendered},
    )
    return ended


def tell_stdout(kind: str, what: dict[str, object]) -> None:
    """One JSON object a line, with the machine's monotonic seconds."""
    sys.stdout.write(json.dumps({"event": kind, "at": round(time.monotonic(), 3), **what}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(prog="python -m sim.world", description=__doc__.split("\n")[0])
    out.add_argument("--scenario", default="demo", help="name or file of the scenario (default: demo)")
    out.add_argument("--site", type=Path, help="the site's folder: camera and page are read from its terminal.toml")
    out.add_argument("--camera", type=Path, help="the socket to serve frames on, instead of the site's")
    out.add_argument("--page", help="the page's address, instead of the site's")
    out.add_argument("--seed", type=int, help="instead of the scenario's")
    return out


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    cv2.setNumThreads(1)  # the terminal needs the other core
    try:
        plan = scenario.load(args.scenario)
        camera, page = args.camera, args.page
        if camera is None or page is None:
            if args.site is None:
                raise ConfigError("Give --site SITE_DIR, or both --camera and --page.")
            config = load_config(TerminalConfig, args.site / "terminal.toml")
            camera = camera or camera_of(config)
            page = page or f"http://{config.page.host}:{config.page.port}/"
        ended = run(plan, camera, page, plan.seed if args.seed is None else args.seed, tell_stdout)
    except AnxinError as error:
        print(f"sim.world: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0 if all(each.as_expected for each in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
