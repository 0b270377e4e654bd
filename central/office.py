"""The office as a service: settings, ledger, broker and service manager put together."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from central.consumer import Consumer, utc_now
from central.devices import Devices
from central.ledger import Ledger
from central.mqtt import OfficeLink
from central.notify import ServiceManager
from edge.config import OfficeConfig, load
from edge.wire.keys import load_private

LOG = logging.getLogger(__name__)

TURN_S = 0.5
STATUS_EVERY_S = 1.0


def read_config(file: Path, database: str | None) -> tuple[OfficeConfig, str]:
    """(settings, database URL) of ``office.toml``; ``database`` replaces the file's.  Raises `ConfigError`.

    In the file a bare path starts at the file's folder, on the command line at the working folder.
    """
    config = load(OfficeConfig, file)
    if database is None:
        return config, config.database_url(file.parent)
    return config, config.model_copy(update={"database": database}).database_url(Path.cwd())


def serve(
    config: OfficeConfig,
    database_url: str,
    over: threading.Event,
    manager: ServiceManager,
    *,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> None:
    """Take results until ``over`` is set.

    Ready means that the ledger is open and the keys are there; the broker may come later, and STATUS says whether
    it is there.  The watchdog is fed by the loop itself, so a hang in the database or in paho starves it.
    """
    signing_key = load_private(config.signing_key, "Ed25519")
    devices = Devices(config.devices_file).open()
    ledger = Ledger(database_url).open()
    try:
        link = OfficeLink(config.office, config.broker, config.group)
        consumer = Consumer(config.office, link, ledger, devices, signing_key, now=utc_now, monotonic_s=monotonic_s)
        consumer.reconsider()
        link.open()
        try:
            manager.ready()
            _run(consumer, link, ledger, over, manager, monotonic_s)
        finally:
            manager.stopping()
            link.close()
    finally:
        ledger.close()


def _run(
    consumer: Consumer,
    link: OfficeLink,
    ledger: Ledger,
    over: threading.Event,
    manager: ServiceManager,
    monotonic_s: Callable[[], float],
) -> None:
    status_at_s = 0.0
    while not over.is_set():
        consumer.turn(TURN_S)
        link.check()
        manager.watchdog()
        if monotonic_s() >= status_at_s:
            status_at_s = monotonic_s() + STATUS_EVERY_S
            manager.status(_status(consumer, link, ledger))


def _status(consumer: Consumer, link: OfficeLink, ledger: Ledger) -> str:
    if consumer.failing:
        return f"database: {consumer.failing}"
    recorded, quarantined = ledger.counts()
    where = "connected" if link.connected else f"waiting for the broker: {link.problem}"
    return f"{where}; {recorded} results, {quarantined} in quarantine"


def until_told(over: threading.Event) -> None:
    """Let SIGTERM and SIGINT set ``over``; call from the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
