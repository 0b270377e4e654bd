"""Run the uplink: from the outbox over MQTT to the office, and nothing else.

It has neither camera nor signing key: it goes on delivering when the camera is dead, and cannot forge a result.

examples:
  anxin uplink --config site/uplink.toml
  anxin doctor site            (when it does not start: what is wrong, in sentences)
"""

import argparse
import contextlib
import logging
import random
import secrets
import signal
import threading
from importlib import metadata
from pathlib import Path

from edge.adapters.clock_system import SystemClock
from edge.adapters.link_paho import PahoLink, Will
from edge.adapters.machine_psutil import PsutilMachine
from edge.adapters.notify_systemd import notifier
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.adapters.state_dir import StateDir
from edge.config import UplinkConfig, load
from edge.errors import ConfigError
from edge.logs import log_to_stderr
from edge.ports import Notifier
from edge.runtime.heartbeat import Heartbeats
from edge.runtime.uplink import Uplink, UplinkSettings
from edge.wire.keys import KeyRing

TURN_S = 0.2
STATUS_EVERY_S = 2.0
LOOP_PATIENCE_S = 25.0
"""A connection to a broker that answers slowly may take three times five seconds, and names may resolve slowly."""

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="uplink.toml of this terminal")


def main(args: argparse.Namespace) -> int:
    """Deliver until SIGTERM; returns 0 after a clean end."""
    log_to_stderr()
    config = load(UplinkConfig, args.config)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    run(config, over, notifier())
    return 0


def run(config: UplinkConfig, over: threading.Event, manager: Notifier) -> None:
    """Deliver until ``over`` is set; raises what of state or configuration does not hold.

    Ready means that the outbox and the keys are there; the broker may come later, and STATUS says whether it is.
    """
    site, device = config.device.site, config.device.device
    clock = SystemClock("kernel")
    clock.open()
    with contextlib.ExitStack() as closing:
        state = StateDir(config.state_dir, f"{site}/{device}")
        state.open()
        closing.callback(state.close)
        office = KeyRing.load(config.office_keys)
        if not office.verifying:
            raise ConfigError(f"{config.office_keys} holds no signing key of the office; ask for its key set again.")
        spool = SqliteOutbox(config.spool_dir / OUTBOX_FILE, device)
        spool.open()
        closing.callback(spool.close)
        uplink = Uplink(
            UplinkSettings(
                site=site,
                device=device,
                software=metadata.version("anxin"),
                window=config.window,
                first_s=config.retry.first_s,
                most_s=config.retry.most_s,
                health_every_s=config.health_every_s,
            ),
            spool,
            clock,
            office,
            rand=random.random,
            random_bytes=secrets.token_bytes,
            wait=over.wait,
            machine=PsutilMachine(config.state_dir),
        )
        uplink.attach(PahoLink(device, config.broker, uplink.subscriptions(), clock, lambda: Will(*uplink.will())))
        heartbeats = Heartbeats(manager, clock.monotonic_ns)
        beat = heartbeats.register("uplink", LOOP_PATIENCE_S)
        log.info("delivering for %s at %s:%d", device, config.broker.host, config.broker.port)
        manager.ready()
        closing.callback(uplink.close)
        closing.callback(manager.stopping)
        told_ns = 0
        while not over.is_set():
            uplink.turn(TURN_S)
            beat()
            heartbeats.feed()
            now_ns = clock.monotonic_ns()
            if now_ns - told_ns >= STATUS_EVERY_S * 1e9:
                told_ns = now_ns
                manager.status(uplink.status_line())
