"""Depth ``wire``: a scenario on a running site of real processes, with the room as one more process.

`run_wire` is what the demo calls: it starts `sim.world`, passes on what happens, breaks what the scenario breaks, and
reports how each visit ended on the page.  What the office's ledger holds is for the caller to compare.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import StateError
from provisioning.broker import free_port
from provisioning.dev import Step, provision_dev
from provisioning.eyes import open_eyes
from provisioning.settings import Wanted
from provisioning.site import NAMES, Site
from sim import cast
from sim.faults import SiteFaults
from sim.report import Report, VisitReport
from sim.scenario import Scenario

OnEvent = Callable[[str, dict[str, object]], None]
WORLD_ENDS_WITHIN_S = 10.0
READY_WITHIN_S = 60.0


def fresh_site(plan: Scenario, root: Path) -> Iterator[Step]:
    """Make the site of a scenario in ``root``, step by step; raises `AnxinError`.

    Its roster comes from reference photos, through the terminal's own eyes.  The list of people is not left behind.
    """
    with tempfile.TemporaryDirectory(prefix="anxin-people-") as private:
        people = Path(private) / "people.toml"
        keys = [visit.who for visit in plan.visits if visit.who is not None]
        cast.write_people(people, keys, datetime.now(UTC).date())
        # A port of its own: another site on this machine may come and take the usual one.
        yield from provision_dev(root, Wanted(page_port=free_port()), people, open_eyes=open_eyes)


class WorldProcess:
    """The room's process.  ``on_event`` is called in a thread of its own; it ends with the process."""

    def __init__(self, scenario_name: str, site: Path, on_event: OnEvent, seed: int | None = None) -> None:
        self._command = [sys.executable, "-m", "sim.world", "--scenario", scenario_name, "--site", str(site)]
        if seed is not None:
            self._command += ["--seed", str(seed)]
        self.log = site / "logs" / "world.log"
        self._on_event = on_event
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self.ready = threading.Event()
        """Set when frames flow, or when the process ended before they did."""

    def start(self) -> None:
        """Start it; it waits at the page for the terminal."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        self._thread = threading.Thread(target=self._read, name="sim-world-events", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code; raises `StateError` when it takes longer."""
        if self._process is None or self._thread is None:
            raise StateError("The simulated room was not started.")
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise StateError(f"The simulated room did not end in time; {self.log} may say why.") from None
        self._thread.join()
        return code

    def stop(self) -> None:
        """End it, whatever it does."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(WORLD_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._thread is not None:
            self._thread.join()
        if process.stdout is not None:
            process.stdout.close()

    def _read(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        for line in process.stdout:
            try:
                what = json.loads(line)
            except json.JSONDecodeError:
                continue
            kind = str(what.pop("event", ""))
            if kind == "ready":
                self.ready.set()
            self._on_event(kind, what)
        self.ready.set()


def run_wire(
    plan: Scenario, name: str, site: Site, on_event: OnEvent, *, seed: int | None = None, timeout_s: float = 600.0
) -> Report:
    """Run a scenario on an open site; raises `StateError` when the room or a process cannot be run.

    Starts what does not run yet, the terminal last: it needs the room's camera.  ``name`` is how the scenario was
    called (a name or a file).  ``on_event`` gets the events of `sim.world`, ``started`` for each process, and
    ``breaks`` and ``mended`` for the site's faults; it is called by other threads.  Everything still runs at the end.
    """
    ended: dict[str, dict[str, object]] = {}
    faults = SiteFaults(plan.faults, site, on_event)

    def heard(kind: str, what: dict[str, object]) -> None:
        on_event(kind, what)
        visit = str(what.get("visit", ""))
        if kind == "ends":
            ended[visit] = what
        if kind in {"arrives", "leaves"}:
            faults.moment(visit, kind)
        elif kind == "page":
            faults.moment(visit, str(what.get("screen", "")))

    world = WorldProcess(name, site.layout.root, heard, seed)
    try:
        world.start()
        for process in NAMES:
            if process == "terminal":
                continue
            _start(site, process, on_event)
        if not world.ready.wait(READY_WITHIN_S):
            raise StateError(f"The simulated room was not ready in time; {world.log} may say why.")
        if world.running:
            _start(site, "terminal", on_event)
        world.wait(timeout_s)
    finally:
        world.stop()
        faults.close()
    visits = tuple(_reported(visit.key, ended.get(visit.key)) for visit in plan.visits)
    total = sum(visit.seconds for visit in visits)
    return Report(plan.title, plan.seed if seed is None else seed, visits, round(total, 1), "wire")


def _start(site: Site, process: str, on_event: OnEvent) -> None:
    if site.pid(process) is None:
        site.start([process])
        on_event("started", {"process": process})


def _reported(key: str, what: dict[str, object] | None) -> VisitReport:
    if what is None:
        return VisitReport(key, None, (), "", 0.0, False, "the visit did not end")
    page, expected = str(what.get("page", "")), str(what.get("expected", ""))
    difference = "" if page == expected else f"page {page or 'none'}, not {expected or 'none'}"
    return VisitReport(key, None, (), page, float(str(what.get("seconds", 0))), not difference, difference)
