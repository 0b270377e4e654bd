"""From an attempt to a durable, signed row: the step before the page may say "done"."""

from collections.abc import Callable

from joserfc.jwk import OKPKey

from edge.core.types import Attempt
from edge.ports import Clock, Outbox, Signer, Slot
from edge.wire.envelope import DeviceFacts, make_result


class Recorder:
    """Signs attempts and commits them to the outbox.

    ``facts`` is asked for at every record, because the roster may have changed since the last one; ``rand``
    gives ten random bytes for a UUIDv7.
    """

    def __init__(
        self,
        outbox: Outbox,
        signer: Signer,
        clock: Clock,
        office: OKPKey,
        facts: Callable[[], DeviceFacts],
        rand: Callable[[], bytes],
    ) -> None:
        self._outbox = outbox
        self._signer = signer
        self._clock = clock
        self._office = office
        self._facts = facts
        self._rand = rand

    def __call__(self, attempt: Attempt) -> str:
        """The result_id, once the row is on the disk; raises `NotDurableError`, and then nothing was stored."""

        def make(slot: Slot) -> tuple[str, str]:
            return make_result(
                attempt,
                slot,
                self._facts(),
                now=self._clock.now(),
                monotonic_ns=self._clock.monotonic_ns(),
                rand=self._rand(),
                office=self._office,
                sign=self._signer.sign,
            )

        return self._outbox.commit(make)
