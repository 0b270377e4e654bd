"""The live timeline of a run: who is there, what the terminal says, what the office receives."""

import threading
import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlalchemy import Row

from sim import reckoning
from sim.faults import SITE_FAULTS

STYLE = {"certified": "bold green", "informed": "green", "referred": "yellow", "abandoned": "dim"}
KINDS = {
    "live": "a living face",
    "print": "a printed photo",
    "replay": "a phone that plays a film",
    "nobody": "nobody",
}
WIDTHS = (7, 30, 62, 32)
NARROW_COLUMNS = sum(WIDTHS) + len(WIDTHS)
"""Below this a row is written as one line instead of columns."""


class Timeline:
    """Prints a row for everything that happens and keeps the processes' state below; any thread may call it."""

    def __init__(self, console: Console, began_s: float) -> None:
        self._console = console
        self._began_s = began_s
        self._lock = threading.Lock()
        self._states = Text("starting", style="dim")
        self._live = Live(self._states, console=console, refresh_per_second=4, transient=True)
        self._said = ""

    def heard(self, kind: str, what: dict[str, object]) -> None:
        """An event of `sim.wire.run_wire`."""
        match kind:
            case "ready":
                self._row(room="[dim]the room is lit, frames flow[/]")
            case "arrives":
                self._said = ""
                who = f"[bold cyan]{what['visit']}[/] comes: {KINDS.get(str(what['kind']), what['kind'])}"
                why = f"\n[dim italic]{what['why']}[/]" if what.get("why") else ""
                self._row(room=who + why)
            case "page":
                self._page(what)
            case "does":
                self._row(room=f"{what['visit']}: {what['deed']}")
            case "connected" if not what.get("connected"):
                self._row(terminal="[yellow]the page is gone for a moment[/]")
            case "ends":
                mark = "[green]✓[/]" if what.get("as_expected") else "[red]✗[/]"
                self._row(room=f"{mark} {what['visit']} leaves after {what['seconds']} s")
            case "started":
                self.note(f"{what['process']} runs")
            case "breaks":
                self._row(room=f"[bold red]⚡ {what['fault']}[/]".replace("_", " "))
            case "mended" | "mends":
                self._row(room=f"[bold]↺ {what.get('process', '')} is back[/]")
            case "fault" if what["kind"] not in SITE_FAULTS:  # those of the site say `breaks` when they strike
                self._row(room=f"[bold red]⚡ {what['kind']}[/]".replace("_", " "))

    def recorded(self, row: Row[Any]) -> None:
        """A new row in the office's ledger."""
        reasons = ", ".join(reckoning.reasons_of(row))
        style = STYLE.get(str(row.outcome), "default")
        self._row(office=f"[{style}]#{row.seq} {row.outcome}[/]{f' ({reasons})' if reasons else ''}")

    def note(self, sentence: str) -> None:
        """Something that is worth a line."""
        with self._lock:
            self._live.console.print(Text(f"{self._seconds():>6.1f}s {sentence}", style="dim"), highlight=False)

    def processes(self, ready: dict[str, bool], waiting: int) -> None:
        """How the processes are, in the line below."""
        line = Text()
        for name, is_ready in ready.items():
            line.append(" ● " if is_ready else " ○ ", style="green" if is_ready else "red")
            line.append(name)
        line.append(f"   {waiting} results wait in the outbox   {self._seconds():.0f} s", style="dim")
        with self._lock:
            self._live.update(line)

    def _page(self, what: dict[str, object]) -> None:
        said = f"{what.get('zh', '')}\n[dim]{what.get('en', '')}[/]"
        if said != self._said:
            self._said = said
            self._row(terminal=said)

    def _row(self, room: str = "", terminal: str = "", office: str = "") -> None:
        when = f"[dim]{self._seconds():>6.1f}s[/]"
        with self._lock:
            if self._console.width < NARROW_COLUMNS:
                for who, what in (("", room), ("terminal: ", terminal), ("office: ", office)):
                    if what:
                        self._live.console.print(f"{when} {who}{what.replace(chr(10), ' ')}", highlight=False)
                return
            line = Table.grid(padding=(0, 1))
            for width in WIDTHS:
                line.add_column(width=width, overflow="fold")
            line.add_row(when, room, terminal, office)
            self._live.console.print(line, highlight=False)

    def _seconds(self) -> float:
        return time.monotonic() - self._began_s

    def __enter__(self) -> Self:
        if self._console.width < NARROW_COLUMNS:
            self._live.start()
            return self
        head = Table.grid(padding=(0, 1))
        for width in WIDTHS:
            head.add_column(width=width, style="bold")
        head.add_row("time", "in the room", "the terminal says", "the office receives")
        self._console.print(head)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
