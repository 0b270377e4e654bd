"""What the observations of one unbroken track add up to.

Evidence belongs to a track number.  Another number, a second face or a new reference means starting again: who is
there now need not be who was there before.  Only READY frames with exactly one face, not repeated by the camera,
give scores of liveness; the match is the eyes' own average over this track's good frames, so the latest one is taken.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.core import liveness
from edge.core.liveness import Cue, Weight
from edge.core.policy import Policy, Verdict, judge_liveness, judge_match, seconds_ns
from edge.core.types import (
    Advice,
    CueEvidence,
    LivenessEvidence,
    MatchEvidence,
    Observation,
    PassiveEvidence,
)

MOST_SCORES = 150  # of each cue, the latest: half a minute of every other frame; more would only cost time
LONGEST_GAP_NS = 1_000_000_000  # between READY frames; a longer gap is not time spent looking


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one track; without ``last_ns`` nobody was seen yet."""

    track: int = 0
    ready_frames: int = 0
    ready_ns: int = 0  # time spent READY
    last_ready_ns: int | None = None
    last_ns: int | None = None
    neutral: bool = False
    repeated_frames: int = 0
    passive: tuple[float, ...] = ()
    relief: float | None = None  # the eyes' own figure over the track: the latest is the whole
    moire: tuple[float, ...] = ()
    border: tuple[float, ...] = ()
    lit: bool = False  # the page has lit this face
    light: float | None = None  # None: not lit, or it could not be told
    match: float | None = None
    probe_frames: int = 0
    sharpness: float = 0.0  # these four are sums over READY frames
    luma_face: float = 0.0
    luma_behind: float = 0.0
    face_width: float = 0.0

    def dwelt(self, seconds: float) -> bool:
        """Whether the face was READY for that long."""
        return self.ready_ns >= seconds_ns(seconds)

    def of_match(self, policy: Policy) -> Verdict:
        return judge_match(self.match, self.probe_frames, policy)

    def of_liveness(self, policy: Policy) -> Verdict:
        return judge_liveness(liveness.total(self.weights(policy)), len(self.passive), policy)

    def weights(self, policy: Policy) -> dict[Cue, Weight]:
        """What each cue has said on this track, and what it is worth."""
        logits = [liveness.logit(score, policy.passive_clip) for score in self.passive]
        statistics = {
            Cue.PASSIVE: liveness.trimmed_mean(logits, policy.passive_trim),
            Cue.RELIEF: self.relief,
            Cue.MOIRE: liveness.typical(self.moire),
            Cue.BORDER: liveness.typical(self.border),
            Cue.LIGHT: self.light,
        }
        return liveness.weigh(statistics, policy.curves)

    def settled(self, policy: Policy) -> bool:
        """Whether the face was good and still long enough to ask for an action."""
        enough = self.ready_frames >= policy.min_ready_frames and self.dwelt(policy.ready_dwell_s)
        return self.neutral and enough

    def exhausted(self, policy: Policy) -> bool:
        """Whether more looking at this face will hardly change a score."""
        return self.dwelt(policy.ready_dwell_s + policy.patience_s) or self.probe_frames >= policy.patience_frames

    def match_record(self, policy: Policy) -> MatchEvidence | None:
        if self.match is None:
            return None
        return MatchEvidence(self.match, policy.match_threshold, self.probe_frames)

    def passive_record(self, policy: Policy) -> PassiveEvidence | None:
        passive = self.weights(policy).get(Cue.PASSIVE)
        if passive is None:
            return None
        return PassiveEvidence(liveness.share(passive.statistic), policy.passive_threshold, len(self.passive))

    def liveness_record(self, policy: Policy) -> LivenessEvidence | None:
        weights = self.weights(policy)
        if not weights:
            return None
        cues = {str(cue): CueEvidence(weight.statistic, weight.llr) for cue, weight in weights.items()}
        return LivenessEvidence(liveness.total(weights), policy.liveness_threshold, len(self.passive), cues)

    def quality(self) -> Mapping[str, float]:
        """Means over the READY frames, for the record."""
        if not self.ready_frames:
            return {}
        sums = {name: getattr(self, name) for name in ("sharpness", "luma_face", "luma_behind", "face_width")}
        means = {name: round(total / self.ready_frames, 4) for name, total in sums.items() if math.isfinite(total)}
        counts = {"ready_frames": self.ready_frames, "repeated_frames": self.repeated_frames}
        return means | {name: float(count) for name, count in counts.items()}


def crowded(seen: Observation) -> bool:
    """Whether more than one person is in the picture."""
    return seen.faces > 1 or seen.advice is Advice.TWO_FACES


def breaks(evidence: Evidence, seen: Observation) -> bool:
    """Whether this observation ends what the evidence can say about the face now."""
    another = evidence.last_ns is not None and evidence.track != seen.track
    return crowded(seen) or (seen.faces == 1 and another)


def collect(evidence: Evidence, seen: Observation) -> Evidence:
    """The evidence with one more observation; that of another track starts from nothing."""
    if seen.frozen:
        return replace(evidence, repeated_frames=evidence.repeated_frames + 1)
    if seen.faces != 1 or crowded(seen):
        return evidence
    if evidence.track != seen.track:
        evidence = Evidence(track=seen.track)
    if evidence.last_ns is not None and seen.at_ns <= evidence.last_ns:
        return evidence
    evidence = replace(evidence, last_ns=seen.at_ns, neutral=seen.neutral)
    if seen.cues.relief is not None and math.isfinite(seen.cues.relief):
        evidence = replace(evidence, relief=seen.cues.relief)
    if seen.match is not None and math.isfinite(seen.match):
        evidence = replace(evidence, match=seen.match, probe_frames=seen.probe_frames)
    return _ready(evidence, seen) if seen.advice is Advice.READY else evidence


def _ready(evidence: Evidence, seen: Observation) -> Evidence:
    gap_ns = seen.at_ns - evidence.last_ready_ns if evidence.last_ready_ns is not None else 0
    return replace(
        evidence,
        ready_frames=evidence.ready_frames + 1,
        ready_ns=evidence.ready_ns + (gap_ns if gap_ns <= LONGEST_GAP_NS else 0),
        last_ready_ns=seen.at_ns,
        passive=_with(evidence.passive, seen.passive),
        moire=_with(evidence.moire, seen.cues.moire),
        border=_with(evidence.border, seen.cues.border),
        sharpness=evidence.sharpness + seen.sharpness,
        luma_face=evidence.luma_face + seen.luma_face,
        luma_behind=evidence.luma_behind + seen.luma_behind,
        face_width=evidence.face_width + seen.face_width,
    )


def _with(known: tuple[float, ...], value: float | None) -> tuple[float, ...]:
    return known if value is None or not math.isfinite(value) else (*known, value)[-MOST_SCORES:]
