"""Run the terminal: the camera, the models, the session, the page on loopback, and the signing key.

examples:
  anxin terminal --config site/terminal.toml
  anxin doctor site            (when it does not start: what is wrong, in sentences)
"""

import argparse
import contextlib
import logging
import secrets
import signal
from importlib import metadata
from pathlib import Path

from edge import app
from edge.adapters.clock_system import SystemClock
from edge.adapters.notify_systemd import notifier
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.adapters.policy_file import PolicyFile
from edge.adapters.roster_file import RosterFile
from edge.adapters.signer_jwk import JwkSigner
from edge.adapters.state_dir import StateDir
from edge.cameras import open_camera
from edge.config import TerminalConfig, load
from edge.core.policy import Policy
from edge.core.types import Event, Screen
from edge.errors import StateError, UntrustedError
from edge.kiosk.server import Page
from edge.kiosk.texts import Texts
from edge.logs import log_to_stderr
from edge.ports import Camera, Frame, Notifier, Vision
from edge.runtime.capture import CaptureLoop
from edge.runtime.heartbeat import Heartbeats
from edge.runtime.perceive import PerceiveLoop
from edge.runtime.recorder import Recorder
from edge.runtime.reporter import Reporter
from edge.runtime.selftest import SelfTest
from edge.runtime.slot import NewestFrame
from edge.runtime.terminal import Services, TerminalLoop
from edge.runtime.workers import Workers
from edge.vision.blind import Blind
from edge.vision.pipeline import Eyes
from edge.wire.envelope import DeviceFacts
from edge.wire.keys import KeyRing

LOOP_PATIENCE_S = 15.0
"""A camera may take seconds to open; every other turn is far shorter."""

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="terminal.toml of this terminal")


def main(args: argparse.Namespace) -> int:
    """Run until SIGTERM; returns 0 after a clean end, 1 after an unexpected one."""
    log_to_stderr()
    config = load(TerminalConfig, args.config)
    with Terminal(config, notifier()) as terminal:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: terminal.workers.stop())
        return terminal.run()


class Terminal:
    """One terminal, composed from its settings; `with` acquires everything or raises with what to do.

    Nothing is started before state, keys, policy, roster, models and camera are there and belong together.
    """

    def __init__(self, config: TerminalConfig, manager: Notifier) -> None:
        self._config = config
        self._manager = manager
        self._clock = SystemClock(config.clock.trust)
        self._heartbeats = Heartbeats(manager, self._clock.monotonic_ns)
        self.workers = Workers(self._heartbeats)
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Terminal":
        try:
            self._open()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.stopping()
        self._closing.close()

    def run(self) -> int:
        """Start the loops, and watch over them until the end."""
        page, capture, loop = self._page, self._capture, self._loop
        page.open(loop.tell)
        self._closing.callback(page.close)
        self.workers.start("camera", capture.turn, LOOP_PATIENCE_S)
        self.workers.start("eyes", self._look, LOOP_PATIENCE_S)
        self.workers.start("session", loop.turn, LOOP_PATIENCE_S)
        log.info("the page is on http://%s:%d/", page.host, page.port)
        self._manager.ready()
        while not self.workers.wait(1.0):
            self._heartbeats.feed()
            self._manager.status(self._reporter.turn())
        self.workers.stop()
        hung = self.workers.join(3.0)
        if hung:
            log.warning("these threads did not end: %s", ", ".join(hung))
        capture.close()
        self._reporter.stopping()
        return 0 if self.workers.failed is None else 1

    def _open(self) -> None:
        config, clock = self._config, self._clock
        site, device = config.device.site, config.device.device
        clock.open()
        state = StateDir(config.state_dir, f"{site}/{device}")
        state.open()
        self._closing.callback(state.close)
        signer = JwkSigner(config.signing_key)
        signer.open()
        office = KeyRing.load(config.office_keys)
        if not office.sealing:
            raise UntrustedError(f"{config.office_keys} has no X25519 key of the office; ask it for its key set.")
        outbox = SqliteOutbox(config.spool_dir / OUTBOX_FILE, device)
        outbox.open()
        self._closing.callback(outbox.close)

        report, nets, again = app.open_verified(config.models_dir)
        models = app.versions(config.models_dir)
        vision: Vision = Eyes(nets) if report.ok else Blind()

        self._policy = PolicyFile(
            config.inbox_dir, config.state_dir, site=site, device=device, office=office, clock=clock
        )
        self._roster = RosterFile(
            config.inbox_dir,
            config.state_dir,
            site=site,
            device=device,
            roster_key=config.roster_key,
            office=office,
            clock=clock,
            model=models["face_embedding"],
        )
        refused = [self._policy.open(), self._roster.open()]
        if self._policy.policy is None or self._roster.version == "none":
            what = " ".join(sentence for sentence in refused if sentence) or "There is no policy or no roster."
            raise UntrustedError(f"{config.inbox_dir}: {what} Ask the office for both, or run `anxin provision`.")

        # What this process runs, asked once: during an upgrade the package's metadata changes, or is not there.
        software = metadata.version("anxin")

        def facts() -> DeviceFacts:
            return DeviceFacts(site, device, clock.boot_id, software, models, self._roster.version)

        camera = _camera(config)
        self._closing.callback(camera.close)
        frames = NewestFrame()
        beat = self._heartbeats.register("page", LOOP_PATIENCE_S)
        self._page = Page(config.page.host, config.page.port, config.page.language, Texts.load(), beat=beat)
        self._selftest = SelfTest(report, again, clock, self._tell, self._alarm)
        self._perceive = PerceiveLoop(frames, vision, clock, self._selftest.doubt)
        self._reporter = Reporter(
            outbox,
            clock,
            facts,
            self._selftest,
            camera.name,
            lambda: str(self._policy.number),
            lambda: self._capture.reason,
        )

        def deliver(frame: Frame) -> None:
            frames.put(frame)
            self._page.preview(frame)
            self._reporter.frame_seen()

        services = Services(
            guide=self._page,
            roster=self._roster,
            eyes=self._perceive,
            clock=clock,
            record=Recorder(outbox, signer, clock, office.sealing[0], facts, lambda: secrets.token_bytes(10)),
            alarm=self._reporter.alarm,
            draw=lambda: secrets.token_hex(16),
            embedding_model=models["face_embedding"],
            refresh=self._refresh,
        )
        self._loop = TerminalLoop(services, self._policy.policy, eyes_trusted=report.ok)
        self._capture = CaptureLoop(
            camera,
            clock,
            deliver,
            self._reporter.camera(self._loop.tell),
            lambda: self._loop.state.phase is Screen.IDLE,
        )
        for why in refused:
            self._refuse(why)
        if not report.ok:
            self._reporter.alarm("known_answer_test_failed", report.sentence)

    def _tell(self, event: Event) -> None:
        self._loop.tell(event)

    def _alarm(self, kind: str, detail: str) -> None:
        self._reporter.alarm(kind, detail)

    def _look(self) -> None:
        self._selftest.turn(resting=self._perceive.resting)
        if (seen := self._perceive.turn()) is not None:
            self._loop.seen(*seen)

    def _refresh(self) -> Policy | None:
        """Between two people: adopt a newer roster and policy, or say once why not."""
        before = self._policy.number
        try:
            self._refuse(self._policy.refresh())
            self._refuse(self._roster.refresh())
        except StateError as error:
            self._refuse(str(error))
        return self._policy.policy if self._policy.number != before else None

    def _refuse(self, why: str | None) -> None:
        if why:
            log.warning("%s", why)
            self._reporter.alarm("document_refused", why)


def _camera(config: TerminalConfig) -> Camera:
    """The camera, opened once to see that it is there; raises `CameraError`."""
    camera = open_camera(
        config.camera.source, config.camera.width_px, config.camera.height_px, config.camera.frames_per_second
    )
    camera.open()
    camera.close()
    return camera
