"""What is known of replays and prints on other media: frames of a simulation, measured elsewhere and written down.

The simulation is a test's (tests/vision/recapture.py), which nothing here may import, so its figures are data with a
source: docs/adr/0010-evidence-adds-up.md (passive, moire and border at the policy's threshold) and
models/TRIED-liveness.md.  tests/models/test_evaluate_report.py holds that both say the same.
"""

# Kind of medium: how many frames were judged, and the share in per cent that the policy's threshold accepts.
ACCEPTED = {
    "phones": (173, 4.6),
    "tablets": (99, 10.0),
    "monitors": (73, 21.0),
    "photos": (98, 15.0),
    "halftone prints": (71, 20.0),
}
PASSIVE_EER, PASSIVE_AUC = 9.6, 0.957  # per cent; of the passive net alone, a frame
SESSIONS, SESSIONS_ACCEPTED, SESSIONS_THRESHOLD = 51, 6, 0.5  # sessions of four frames, at a sum above the policy's
SOURCE = "TRIED-liveness.md"


def by_kind() -> str:
    """Like phones 4.6 %, tablets 10 %."""
    return ", ".join(f"{kind} {share:g} %" for kind, (_, share) in ACCEPTED.items())


def frames() -> int:
    return sum(count for count, _ in ACCEPTED.values())
