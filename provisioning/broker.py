"""A site's own mosquitto: generated configuration, started on a free loopback port, stopped by its process id.

Used for development, the demo and the tests.  A real site's broker belongs to the office's operations, and needs
the same three things: client certificates as identities, the access list, and persistence that keeps what it
acknowledged.
"""

import contextlib
import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from importlib.resources import files
from pathlib import Path

from edge.errors import LinkError, StateError, ToolError
from provisioning.files import folder as make_folder
from provisioning.files import write

CONF, ACL = "mosquitto.conf", "acl"
STORE = "store"
LOG = "mosquitto.log"


def free_port(preferred: int = 0) -> int:
    """A TCP port on loopback that nobody listens on: ``preferred`` if it is free, else one of 20000 to 29999.

    Below the range from which Linux takes ports for outgoing connections, so that it stays free until it is used.
    """
    tries = [preferred] if preferred else []
    tries += [20000 + secrets.randbelow(10_000) for _ in range(100)]
    for port in tries:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise ToolError("No TCP port is free on loopback between 20000 and 29999; end what listens there.")


def write_broker_files(folder: Path, port: int, office: str) -> bool:
    """Configuration and access list in ``folder``, where the certificates already are; True when changed.

    mosquitto that is started by root changes to another user and can then read neither keys nor its log in a
    folder of root's; so it is told to run as whoever owns the folder.
    """
    make_folder(folder / STORE, mode=0o700)
    template = files("provisioning") / "templates"
    conf = (template / CONF).read_text(encoding="utf-8").format(port=port, user=_owner(folder))
    acl = (template / ACL).read_text(encoding="utf-8").format(office=office)
    changed = [write(folder / CONF, conf), write(folder / ACL, acl)]
    if os.geteuid() == 0:
        owner = folder.stat()
        for path in (folder / STORE, *(folder / STORE).iterdir(), *folder.glob("server.*"), folder / LOG):
            if path.exists():
                os.chown(path, owner.st_uid, owner.st_gid)
    return any(changed)


def _owner(folder: Path) -> str:
    try:
        return pwd.getpwuid(folder.stat().st_uid).pw_name
    except KeyError:
        return getpass.getuser()


def find_program() -> str:
    """Where mosquitto is; an ordinary user's PATH on Debian does not lead there.  Raises `ToolError`."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ToolError("mosquitto is not installed; `apt install mosquitto` brings it.")
    return program


class Broker:
    """The mosquitto process of one folder.  `stop` and `kill` return when it is gone; both can be repeated.

    Any thread may call: two that start it at once must not leave a process behind that nobody knows of.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self, timeout_s: float = 10.0) -> None:
        """Start it and wait until the port completes a TLS handshake; raises `ToolError` or `LinkError`."""
        with self._lock:
            if self.pid is None:
                self._start(timeout_s)

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it kindly (it saves its store)."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL."""
        self._end(signal.SIGKILL, 10.0)

    def wipe_store(self) -> None:
        """Delete what the broker kept; raises `StateError` while it runs."""
        if self.pid is not None:
            raise StateError("The broker still runs; stop it before its store is deleted.")
        for path in (self.folder / STORE).iterdir():
            path.unlink()

    def _start(self, timeout_s: float) -> None:
        program = find_program()
        make_folder(self.folder / STORE, mode=0o700)
        with (self.folder / "start.log").open("ab") as output:
            self._process = subprocess.Popen(
                [program, "-c", CONF],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        deadline = time.monotonic() + timeout_s
        while not accepts_tls(self.port, self.folder / "ca.crt"):
            if self._process.poll() is not None:
                raise LinkError(f"The broker ended at once; {self.folder / LOG} and start.log say why.")
            if time.monotonic() > deadline:
                self.stop()
                raise LinkError(f"The broker did not answer on port {self.port} within {timeout_s:.0f} s.")
            time.sleep(0.05)

    def _end(self, with_signal: signal.Signals, timeout_s: float) -> None:
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(with_signal)
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def accepts_tls(
    port: int, ca_file: Path, client: tuple[Path, Path] | None = None, host: str = "127.0.0.1", timeout_s: float = 1.0
) -> bool:
    """Whether a TLS 1.3 handshake with a certificate of this authority succeeds on the port."""
    try:
        handshake(host, port, ca_file, client, timeout_s)
    except (OSError, ssl.SSLError):
        return False
    return True


def handshake(
    host: str, port: int, ca_file: Path, client: tuple[Path, Path] | None = None, timeout_s: float = 3.0
) -> None:
    """One TLS 1.3 handshake, checked against ``ca_file`` and the host's name; raises OSError or ssl.SSLError."""
    context = ssl.create_default_context(cafile=str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if client is not None:
        context.load_cert_chain(*(str(path) for path in client))
    with (
        socket.create_connection((host, port), timeout=timeout_s) as raw,
        context.wrap_socket(raw, server_hostname=host),
    ):
        pass
