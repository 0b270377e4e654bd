"""The demo: a fresh site of real processes, the scenario ``demo`` walked up to it, and a reckoning at the end.

Nothing here is simulated but the room: mosquitto with TLS, the office, the terminal and the uplink are processes as
systemd would start them; frames come over a camera socket, people use the terminal's page.
"""

import contextlib
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from central.show import table
from edge.config import TerminalConfig, load
from edge.errors import StateError
from provisioning.site import Site
from sim import scenario
from sim.reckoning import Office, Reckoning, reckon
from sim.scenario import Scenario
from sim.timeline import Timeline
from sim.wire import fresh_site, run_wire

DRAIN_S = 30.0
"""How long the last results may take to reach the ledger: the uplink's backoff after the broker's return."""

WATCH_S = 0.25


def demo(console: Console, *, folder: Path | None, keep: bool, name: str, seed: int | None, as_json: bool) -> int:
    """Run the demo; returns 0 only if everybody ended as expected and nothing was lost, duplicated or unsigned.

    ``folder`` is the site's folder (default: a temporary one, removed afterwards unless ``keep`` or something went
    wrong; Ctrl-C is nothing wrong).  Raises `AnxinError` when something that it needs is not here.
    """
    plan = scenario.load(name)
    own = folder is None
    root = Path(tempfile.mkdtemp(prefix="anxin-")) if folder is None else folder
    fine = stopped = False
    try:
        result = _run(Console(quiet=True) if as_json else console, root, plan, name, seed)
        fine = result.fine
        if as_json:
            console.print_json(json.dumps(result.plain()))
        else:
            console.print(result.last_line(), markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        stopped = True
        Console(stderr=True).print("demo: stopped; every process that it started is ended", soft_wrap=True)
        raise
    finally:
        if own and (fine or stopped) and not keep:
            shutil.rmtree(root, ignore_errors=True)
        elif not as_json:
            # On stderr: the last line of what the demo prints is its result.
            Console(stderr=True).print(f"the site with its logs is kept in {root}", style="dim", soft_wrap=True)
    return 0 if fine else 1


def _run(console: Console, root: Path, plan: Scenario, name: str, seed: int | None) -> Reckoning:
    began_s = time.monotonic()
    _provision(console, root, plan)
    with Site(root) as site, Timeline(console, began_s) as timeline:
        timeline.note(f"logs in {site.layout.logs}")
        with _ledger_watched(site, timeline):

            def heard(kind: str, what: dict[str, object]) -> None:
                timeline.heard(kind, what)
                if kind == "started" and what["process"] == "terminal":
                    timeline.note("see what the retiree sees: " + _page(site))

            report = run_wire(plan, name, site, heard, seed=seed)
            _drained(site, timeline)
        result = reckon(plan, report, site.layout)
    console.print()
    with Office(site.layout) as office:
        table(office.ledger, console)
    for sentence in result.sentences():
        console.print(f"[yellow]{sentence}[/]", highlight=False, soft_wrap=True)
    return result


def _provision(console: Console, root: Path, plan: Scenario) -> None:
    with console.status("making a fresh site: authority, keys, certificates, roster from photos") as status:
        for step in fresh_site(plan, root):
            status.update(f"{step.what}: {step.said}")
    console.print(f"[dim]a fresh site in {root}[/]", highlight=False)


@contextlib.contextmanager
def _ledger_watched(site: Site, timeline: Timeline) -> Iterator[None]:
    """Tell the timeline of every new row, and how the processes are."""
    over = threading.Event()

    def watch() -> None:
        known: set[str] = set()
        while not over.wait(WATCH_S):
            timeline.processes({name: site.ready(name) for name in ("office", "terminal", "uplink")}, _waiting(site))
            # The office may be in the middle of making its ledger.
            with contextlib.suppress(StateError), Office(site.layout) as office:
                for row in office.rows():
                    if row.result_id not in known:
                        known.add(row.result_id)
                        timeline.recorded(row)

    thread = threading.Thread(target=watch, name="demo-ledger")
    thread.start()
    try:
        yield
    finally:
        time.sleep(2 * WATCH_S)
        over.set()
        thread.join()


def _drained(site: Site, timeline: Timeline) -> None:
    """Wait until the outbox is empty, for a while: what stays is counted as lost."""
    deadline_s = time.monotonic() + DRAIN_S
    while (waiting := _waiting(site)) and time.monotonic() < deadline_s:
        time.sleep(0.2)
    if waiting:
        timeline.note(f"{waiting} results still wait in the outbox after {DRAIN_S:.0f} s")


def _waiting(site: Site) -> int:
    with Office(site.layout, ledger=False) as office:
        return office.waiting()


def _page(site: Site) -> str:
    page = load(TerminalConfig, site.layout.terminal_config).page
    return f"http://{page.host}:{page.port}/"
