"""Runs a development site: the broker, the office, the terminal and the uplink, each a real process.

Every process gets what its systemd unit would give it: its own configuration file and state folder, a
NOTIFY_SOCKET, WATCHDOG_USEC, SIGTERM to end, and (if asked) a restart whenever it ends.  Processes are ended by
their process id only, and their output goes to ``logs/NAME.log`` in the site's folder.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from edge.errors import AnxinError, ConfigError, StateError
from provisioning.broker import Broker
from provisioning.files import folder as make_folder
from provisioning.layout import Layout
from provisioning.notify import NotifySocket

WATCHDOG_S = 30.0
ABORT_S = 5.0  # after SIGABRT comes SIGKILL: a stopped process (SIGSTOP, a dead disk) hears nothing else
RESTART_AFTER_S = 0.5  # RestartSec= of our units is 1 s; the demo has less time
STARTS_MOST = 3  # in a row without getting ready: then `wait_ready` stops waiting
TURN_S = 0.1
LOCK = "run.lock"
NAMES = ("broker", "office", "terminal", "uplink")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: ``arguments`` follow ``python -m edge``."""

    name: str
    arguments: tuple[str, ...]


class Service:
    """One process and its restarts.  Not thread-safe: `Site` calls it under its lock."""

    def __init__(self, program: Program, site: Path, environment: Mapping[str, str], *, restart: bool = True) -> None:
        self.program = program
        self.starts = 0
        self.failed_starts = 0  # in a row, without getting ready
        self.last_exit: int | None = None
        self.wanted = False
        self._site = site
        self._restart = restart
        self._environment = dict(environment)
        self._notify = NotifySocket()
        self._process: subprocess.Popen[bytes] | None = None
        self._restart_at_s: float | None = None
        self._aborted_at_s: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def ready(self) -> bool:
        """Whether the running process said READY=1."""
        return self.pid is not None and self._notify.read(time.monotonic()).ready

    @property
    def status(self) -> str:
        """The last STATUS= line."""
        return self._notify.read(time.monotonic()).status

    def start(self) -> None:
        """Start the process; `ready` says when it is."""
        self.wanted = True
        if self.pid is not None:
            return
        if self.starts == 0:
            self._notify.open()
        self._notify.forget()
        log = make_folder(self._site / "logs") / f"{self.program.name}.log"
        environment = os.environ | self._environment
        environment |= {
            "NOTIFY_SOCKET": self._notify.address,
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("WATCHDOG_PID", None)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", *self.program.arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C is for the runner, which ends the others in their order
            )
        self.starts += 1
        self._restart_at_s = self._aborted_at_s = None

    def turn(self, now_s: float) -> None:
        """Read its notices; end it when it starves its watchdog; restart it when it ended and is wanted."""
        notices = self._notify.read(now_s)
        if self._process is None:
            return
        code = self._process.poll()
        if code is None:
            if notices.fed_s is not None and now_s - notices.fed_s > WATCHDOG_S:
                self._abort(now_s)
            return
        if self._restart_at_s is None:
            self.last_exit = code
            self.failed_starts = 0 if notices.ready else self.failed_starts + 1
            self._restart_at_s = now_s + RESTART_AFTER_S
        elif self.wanted and self._restart and now_s >= self._restart_at_s:
            self.start()

    def _abort(self, now_s: float) -> None:
        """What a service manager does to a process that starved its watchdog: SIGABRT, and SIGKILL if it stays."""
        if self._aborted_at_s is None:
            self._aborted_at_s = now_s
            self.signal(signal.SIGABRT)
        elif now_s - self._aborted_at_s >= ABORT_S:
            self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the running process, if there is one."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def stop(self, timeout_s: float = 15.0) -> int | None:
        """SIGTERM, then SIGKILL after ``timeout_s``; the exit code, None if it never ran."""
        self.wanted = False
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            self.last_exit = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.last_exit = self._process.wait()
        return self.last_exit

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel would; it is restarted if the site restarts its processes."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self.last_exit = self._process.wait()

    def close(self) -> None:
        self.stop()
        self._notify.close()


class Site:
    """The processes of a site folder that `anxin provision dev` made.

    ``restart`` brings a process back whenever it ends unasked, as ``Restart=always`` does.  Use it as a context
    manager; leaving ends whatever runs.
    """

    def __init__(self, folder: Path, *, restart: bool = True, environment: Mapping[str, str] | None = None) -> None:
        self.layout = Layout(folder.resolve())
        self._restart = restart
        self._environment = dict(environment or {})
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._services: dict[str, Service] = {}
        self._broker: Broker | None = None
        self._mine: int | None = None

    def open(self) -> None:
        """Read the site's settings; raises `ConfigError`, or `StateError` if it runs already.  Starts nothing."""
        layout = self.layout
        port = layout.read_broker_port()
        self._take(layout.root / LOCK)
        self._broker = Broker(layout.broker, port)
        arguments = {
            "office": ("central", "serve", "--config", str(layout.office_config)),
            "terminal": ("terminal", "--config", str(layout.terminal_config)),
            "uplink": ("uplink", "--config", str(layout.uplink_config)),
        }
        self._services = {
            name: Service(Program(name, arguments[name]), layout.root, self._environment, restart=self._restart)
            for name in arguments
        }
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="site", daemon=True)
        self._thread.start()

    @property
    def broker(self) -> Broker:
        """The site's mosquitto; `Broker.kill`, `Broker.wipe_store` and `Broker.start` are its own."""
        if self._broker is None:
            raise StateError("The site is not open; use `with Site(folder) as site`.")
        return self._broker

    def start(self, names: Iterable[str] = NAMES, timeout_s: float = 60.0) -> None:
        """Start these and wait until each is ready; raises `StateError` with the log's name if one is not."""
        names = tuple(names)
        if "broker" in names:
            self.broker.start()
        mine = [name for name in names if name != "broker"]
        with self._lock:
            for name in mine:
                self._service(name).start()
        for name in mine:
            self.wait_ready(name, timeout_s)

    def wait_ready(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait until ``name`` said READY=1; raises `StateError` when it ended instead or took too long."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._lock:
                service = self._service(name)
                if service.ready:
                    return
                ended = service.failed_starts >= (STARTS_MOST if self._restart else 1)
                code = service.last_exit if ended else None
            if code is not None or time.monotonic() > deadline_s:
                what = f"ended with code {code}" if code is not None else f"was not ready within {timeout_s:.0f} s"
                raise StateError(f"{name} {what}; {self.layout.logs / (name + '.log')} says why.")
            time.sleep(0.02)

    def stop(self, name: str) -> None:
        """End one process kindly; it is not restarted."""
        if name == "broker":
            self.broker.stop()
            return
        with self._lock:
            self._service(name).stop()

    def kill(self, name: str) -> None:
        """End one process with SIGKILL; with ``restart`` it comes back by itself, but for the broker."""
        if name == "broker":
            self.broker.kill()
            return
        with self._lock:
            self._service(name).kill()

    def pid(self, name: str) -> int | None:
        """The process id while ``name`` runs."""
        if name == "broker":
            return self.broker.pid
        with self._lock:
            return self._service(name).pid

    def ready(self, name: str) -> bool:
        with self._lock:
            return self._service(name).ready

    def status(self, name: str) -> str:
        """The last STATUS= line of ``name``."""
        with self._lock:
            return self._service(name).status

    def starts(self, name: str) -> int:
        """How often ``name`` was started, restarts included."""
        with self._lock:
            return self._service(name).starts

    def close(self) -> None:
        """End everything: terminal first, so that what it recorded can still leave, the broker last."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for name in ("terminal", "uplink", "office"):
            if name in self._services:
                self._services[name].close()
        self._services = {}
        if self._broker is not None:
            self._broker.stop()
        mine, self._mine = self._mine, None
        if mine is not None:
            os.close(mine)

    def _take(self, lock: Path) -> None:
        """Keep a second runner out: its office would push this one's off the broker again and again."""
        try:
            self._mine = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(f"{lock.parent} runs already; end that run first (Ctrl-C there).") from None
        except OSError as error:
            raise StateError(f"{lock} cannot be written ({error.strerror}); check its owner and mode.") from None

    def _service(self, name: str) -> Service:
        try:
            return self._services[name]
        except KeyError:
            raise ConfigError(f"there is no process `{name}`; choose one of {', '.join(NAMES)}") from None

    def _run(self) -> None:
        while not self._over.wait(TURN_S):
            with self._lock:
                for service in self._services.values():
                    service.turn(time.monotonic())

    def __enter__(self) -> "Site":
        try:
            self.open()
        except AnxinError:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
