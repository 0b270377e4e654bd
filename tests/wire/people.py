"""What the wire's tests send: one attempt with everything in it, and strategies for others."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from edge.core import types as t
from edge.wire.envelope import DeviceFacts

NOON = datetime(2026, 3, 9, 4, 0, 0, tzinfo=UTC)

FACTS = DeviceFacts(
    site="chaoyang-07",
    device="terminal-1",
    boot_id="0f1e2d3c-0000-4000-8000-0123456789ab",
    software="0.1.0",
    models={"face_embedding": "sface-int8-1", "passive_liveness": "minifas-int8-1"},
    roster="12",
)


def attempt(**changes: object) -> t.Attempt:
    """Somebody who was certified by face with one action."""
    values: dict[str, object] = {
        "scheme": "beijing-enterprise",
        "mode": t.Mode.SELF,
        "outcome": t.Outcome.CERTIFIED,
        "reasons": (),
        "attempts": 1,
        "started_at": NOON,
        "decided_at": NOON + timedelta(seconds=50),
        "clock": t.ClockState(True, "kernel", 0.01),
        "challenge_nonce": "00112233445566778899aabbccddeeff",
        "policy_version": "3",
        "person_ref": "p-000017",
        "consent": t.Consent(True, "2026-01", NOON + timedelta(seconds=20)),
        "captured_at": NOON + timedelta(seconds=45),
        "match": t.MatchEvidence(0.71, 0.36, 5),
        "passive": t.PassiveEvidence(0.999, 0.9956, 20),
        "liveness": t.LivenessEvidence(
            3.0, 1.0, 20, {"passive": t.CueEvidence(6.9, 2.5), "border": t.CueEvidence(0.5, 0.5)}
        ),
        "actions": (t.ActionEvidence(t.Action.NOD, True, NOON + timedelta(seconds=30), 4200, 0.8),),
        "quality": {"sharpness": 88.5},
        "valid_until": date(2027, 3, 31),
    }
    return t.Attempt(**(values | changes))  # type: ignore[arg-type]


moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

attempts = st.builds(
    attempt,
    mode=st.sampled_from(t.Mode),
    outcome=st.sampled_from(t.Outcome),
    reasons=st.lists(st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True), max_size=5).map(tuple),
    attempts=st.integers(0, 9),
    started_at=moments,
    decided_at=moments,
    person_ref=st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    relation=st.none() | st.sampled_from(t.Relation),
    match=st.none() | st.builds(t.MatchEvidence, st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 99)),
    quality=st.dictionaries(st.sampled_from(["sharpness", "luma_face"]), st.floats(-1e6, 1e6)),
    valid_until=st.none() | st.dates(date(2020, 1, 1), date(2090, 1, 1)),
)
