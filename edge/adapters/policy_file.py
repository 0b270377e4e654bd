"""The office's signed policy from the inbox; the same rules of acceptance as for a roster."""

import hashlib
from pathlib import Path

from edge.core.policy import Policy
from edge.errors import UntrustedError
from edge.ports import Clock
from edge.wire import envelope, keys
from edge.wire.acceptance import Acceptance, Accepted
from edge.wire.documents import PolicyDoc, check_addressee
from edge.wire.messages import parse

INBOX_FILE = "policy.jws"
KEPT_FILE = "policy.accepted.jws"
_MAX_FILE_BYTES = PolicyDoc.MAX_BYTES // 3 * 4 + 4096


class PolicyFile:
    """The policy in force.

    An expired one stays in force when there is no newer (a terminal without network goes on certifying by the
    last rules it was given) and ``expired`` says so for the status; a new one must not be expired.
    """

    def __init__(
        self, inbox: Path, state: Path, *, site: str, device: str, office: keys.KeyRing, clock: Clock
    ) -> None:
        self._site, self._device = site, device
        self._office = office
        self._clock = clock
        self._document = Acceptance("policy", inbox / INBOX_FILE, state / KEPT_FILE, _MAX_FILE_BYTES, self._examine)

    def open(self) -> str | None:
        """Read the kept policy, then the inbox; returns why a new one was refused.

        Raises `StateError` for a damaged kept policy.
        """
        self._document.open()
        return self.refresh()

    def refresh(self) -> str | None:
        """Look for a new policy; cheap when nothing changed.  The sentence why one was refused, once per file."""
        return self._document.refresh(self._clock.state().synced)

    @property
    def policy(self) -> Policy | None:
        """The policy in force; None before the first."""
        current = self._document.current
        return None if current is None else current.content[0]

    @property
    def number(self) -> int:
        """The document's number; 0 before the first."""
        current = self._document.current
        return 0 if current is None else current.number

    @property
    def expired(self) -> bool:
        """Whether the policy in force should have been replaced by now."""
        current = self._document.current
        return current is not None and self._clock.now() >= current.content[1].expires_at

    def _examine(self, data: bytes, at_least: int, check_date: bool) -> Accepted[tuple[Policy, PolicyDoc]]:
        payload = envelope.verify(data, self._office.verifying, envelope.Typ.POLICY, PolicyDoc.MAX_BYTES)
        document = parse(PolicyDoc, payload)
        now = self._clock.now() if check_date else document.issued_at
        check_addressee(document, site=self._site, device=self._device, now=now, at_least=at_least)
        try:
            policy = Policy.from_mapping(document.policy)
        except ValueError as error:
            raise UntrustedError(f"This policy cannot be followed ({error}); ask the office for a new one.") from None
        return Accepted(document.number, hashlib.sha256(data).hexdigest(), (policy, document))
