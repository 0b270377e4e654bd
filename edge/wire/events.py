"""CloudEvents 1.0 attributes of a message, as MQTT 5 user properties (binary content mode).

They serve those who route and look; nothing is ever decided by them, because they are not signed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from edge.wire.topics import Kind

CONTENT_TYPE = "content-type"
"""Travels as MQTT's own content type property (see the link), as the CloudEvents binding asks."""

_SIGNED = frozenset({Kind.RESULT, Kind.RECEIPT, Kind.COMMAND})


def attributes(kind: Kind, site: str, device: str, event_id: str, at: datetime) -> Mapping[str, str]:
    """The properties of one message of a terminal."""
    return {
        CONTENT_TYPE: "application/jose" if kind in _SIGNED else "application/json",
        "specversion": "1.0",
        "id": event_id,
        "source": f"/anxin/{site}/{device}",
        "type": f"anxin.{kind.value.rpartition('/')[2]}.v1",
        "time": at.astimezone(UTC).isoformat(),
    }
