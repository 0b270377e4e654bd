"""The report's sections as Markdown, made from results: every figure comes from a measurement of this very run."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.core.policy import Policy
from models.evaluate import report_fixed, simulated, tables
from models.evaluate.metrics import Scores
from models.evaluate.pairs import Compared
from models.evaluate.results import AttacksResult, MatchFigures, OperatingPoint, PairsResult, Rate

MILLION = 1_000_000
_THRESHOLDS = (0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60)


def per_million(rate: Rate) -> str:
    """Like 14,300 (1,730 to 50,700)."""
    if rate.value is None:
        return "not measurable"
    seen = "none seen" if rate.events == 0 else rounded(rate.value * MILLION)
    low, high = rounded(rate.low * MILLION), rounded(rate.high * MILLION)
    return f"{seen} (up to {high})" if rate.events == 0 else f"{seen} ({low} to {high})"


def rounded(value: float) -> str:
    """A count of people with three figures that mean something."""
    if value <= 0:
        return "0"
    digits = 2 - math.floor(math.log10(value))
    return f"{round(value, min(digits, 1)):,.0f}" if value >= 10 else f"{value:.2g}"


def normal_misses(genuine: Scores, threshold: float) -> float | None:
    """The share below the threshold of a normal curve through the scores: an extrapolation, not a measurement."""
    if genuine.total < 20:
        return None
    mean = float(np.average(genuine.values, weights=genuine.counts))
    spread = math.sqrt(float(np.average((genuine.values - mean) ** 2, weights=genuine.counts)))
    return 0.5 * math.erfc((mean - threshold) / spread / math.sqrt(2)) if spread else None


def head(press: PairsResult, asian: PairsResult, sessions: AttacksResult, policy: Policy) -> str:
    whole, live = press.figures.with_face, sessions.sessions_ready
    threshold = f"{policy.liveness_threshold:g}"
    students = asian.figures.with_face
    return f"""
# What the eyes can do: the report behind the thresholds

Made by `anxin models report --data ../shared/data`; do not edit it, make it again (`make report`). Everything below
was measured with the shipped int8 models through the terminal's own path (`Eyes.describe`, `Eyes.observe`), except
where it says **extrapolated** or **simulated**. Bounds in brackets are two-sided, 95 %: the wider of the exact
binomial ones (Clopper and Pearson) and of a bootstrap over people; where nothing was seen, the exact ones by people.
The words are explained at the end.

| question | answer |
|---|---|
| people refused by the match at {policy.match_threshold:g}, one photo against one | {tables.rate(whole.fnmr)} |
| strangers accepted by the match at {policy.match_threshold:g} | {tables.rate(whole.fmr)} |
| the same among eight Asian students, all pairs of frames | {tables.rate(students.fmr)} |
| sessions of live people that liveness refuses | {tables.verdicts(live, bona_fide=True)} |
| sessions with a printed photo that liveness accepts | {tables.verdicts(live, bona_fide=False)} |
| real replays on screens that liveness accepts | **not measured**: there are none in the data |
| *simulated* recaptures that liveness accepts at {threshold}, single frames | {simulated.by_kind()} (of {simulated.frames()}; [{simulated.SOURCE}]({simulated.SOURCE})) |
| people over 55, Asian people over 50 | **not measured**: the data tell no ages |

**The target of at most 1 % accepted attacks is not shown to be reached**: not by the prints, which are too few, and
in the simulation, the only thing known of screens, it is missed by far. The prompted action comes on top and is not
counted here.
"""  # noqa: E501


def targets(press: PairsResult, asian: PairsResult, frames: AttacksResult, sessions: AttacksResult) -> str:
    """What design/targets.md asks of the eyes' accuracy, and what these data can say of it."""
    points = {one.limit: one for one in press.figures.with_face.points}
    students = {one.limit: one for one in asian.figures.with_face.points}
    live, single = sessions.sessions_ready, frames.frames_ready
    auc = "not measurable" if single.auc is None else f"{single.auc:.4f}"
    return f"""
## Against the targets

| target | on these data | holds? |
|---|---|---|
| LFW 6,000 pairs at least 99.5 % | not here: the list is kept apart (`anxin models evaluate --pairs` measures it) | not said |
| TAR at least 99 % at FAR 1e-3 | press photos {tables.point(points[1e-3])} | {_holds(points[1e-3], 0.99)} |
| people over 55, and Asian people over 50: FRR at most 1 % at FAR 1e-4 | press photos of all ages: TAR {tables.point(points[1e-4])}; eight Asian students: TAR {tables.point(students[1e-4])} | {_holds(points[1e-4], 0.99)} for the press photos; not said for the old |
| attacks accepted at most 1 % of sessions, printed photos | {tables.verdicts(live, bona_fide=False)} | {_below(live.apcer, 0.01)} |
| attacks accepted at most 1 % of sessions, screens | *simulated*, frames: {simulated.by_kind()}; {simulated.SESSIONS} *simulated* sessions of four frames on all media: {simulated.SESSIONS_ACCEPTED} accepted at {simulated.SESSIONS_THRESHOLD:g} ([{simulated.SOURCE}]({simulated.SOURCE})) | not shown: missed in the simulation, real ones not measured |
| bona fide refused at most 3 % of sessions | {tables.verdicts(live, bona_fide=True)} | {_below(live.bpcer, 0.03)} |
| AUC at least 0.995 a frame, on replays | no real replays; *simulated* recaptures {simulated.PASSIVE_AUC:g} (passive net alone); prints {auc} | not shown: missed in the simulation |
"""  # noqa: E501


def _holds(point: OperatingPoint, least: float) -> str:
    if point.low is None or point.high is None:
        return "not said"
    return "yes" if point.low >= least else "no" if point.high < least else "not certain: the bounds go over it"


def _below(rate: Rate, most: float) -> str:
    return "yes" if rate.high <= most else "no" if rate.low > most else "not certain: too few to say"


def stamped(lines: Sequence[str]) -> str:
    return "\n".join(
        (
            "## What this is the report of",
            "",
            "A test compares these lines, and every part below that is not measured, with the code and fails when",
            "the report is stale. Changed code of the eyes is not seen by it.",
            "",
            "| | | |",
            "|---|---|---|",
            *lines,
        )
    )


def match(compared: Compared, policy: Policy, drawn: Sequence[str]) -> str:
    result, photos = compared.result, compared.result.photos
    failures = ", ".join(f"{n} {name}" for name, n in photos.failures.items()) or "none"
    advice = ", ".join(f"{n} {name}" for name, n in photos.advice.items() if name != "ready")
    return "\n".join(
        (
            "## Match: press photos",
            "",
            report_fixed.wrapped(
                f"{photos.looked_at:,} development photos of {result.impostors.people or 0:,} people of Labeled "
                f"Faces in the Wild: {result.genuine_listed} genuine pairs, and as impostors all pairs of two people "
                f"({result.figures.with_face.impostor:,}). Failures to acquire: {failures}. The gate "
                f"would pass {photos.ready:,} and ask something of the others ({advice}); press photos are not taken "
                "at a terminal. (No accuracy: that needs impostor pairs in the list.)"
            ),
            "",
            *_ways(result),
            "",
            report_fixed.wrapped(
                "What other thresholds would mean. The last column is **extrapolated**: a normal curve through the "
                f"{compared.genuine.total} genuine scores, which knows nothing of the rare bad photo."
            ),
            "",
            *_thresholds(compared, policy, extrapolated=True),
            "",
            *_pictures(drawn),
        )
    )


def asian(
    compared: Compared,
    press: PairsResult,
    by_sitting: PairsResult,
    people: int,
    policy: Policy,
    drawn: Sequence[str],
) -> str:
    groups = [
        f"| {group.name} | {group.genuine or group.impostor:,} "
        f"| {tables.rate(group.fnmr) if group.genuine else ''} | {tables.rate(group.fmr) if group.impostor else ''} |"
        for group in by_sitting.groups
    ]
    return "\n".join(
        (
            "## Match: Asian faces in other light",
            "",
            report_fixed.wrapped(
                f"The live frames of the NUAA imposter database: **{people} students**, one webcam, changing light. "
                "Genuine pairs are of two sittings; frames of one sitting are nearly one picture and are only listed "
                f"by group. {people} people cannot tell a rate: the pairs are many, the people are not, and the "
                "bounds say so. What they can tell is a direction: of strangers there pass at the policy's threshold "
                f"{_one_in(press.figures.with_face.fmr)} among the press photos, and "
                f"{_one_in(compared.result.figures.with_face.fmr)} here (with and without glasses: by group below). "
                "A threshold need not be the same threshold for everybody."
            ),
            "",
            *_ways(compared.result),
            "",
            *_thresholds(compared, policy, extrapolated=False),
            "",
            "| pairs of | pairs | FNMR | FMR |",
            "|---|---|---|---|",
            *groups,
            "",
            *_pictures(drawn),
        )
    )


def liveness(frames: AttacksResult, sessions: AttacksResult, drawn: Sequence[str]) -> str:
    whole = sessions.sessions_ready
    kinds = [
        f"| {kind.kind} | {kind.attacks} | {tables.rate(kind.apcer, 'none judged')} "
        f"| {tables.rate(kind.non_response)} |"
        for kind in whole.kinds
    ]
    withheld = [
        f"| {held.advice} | {'bona fide' if held.bona_fide else 'attack'} | {held.frames} | {held.passing} "
        f"| {'' if held.passive_median is None else f'{held.passive_median:.3f}'} |"
        for held in frames.withheld
    ]
    cues = [
        f"| {cue.cue} | {cue.sessions} | {_figure(cue.auc_alone)} | {_figure(cue.auc_without)} |"
        for cue in sessions.cues
    ]
    return "\n".join(
        (
            "## Liveness: people and printed photos",
            "",
            report_fixed.wrapped(
                f"NUAA development frames, {frames.frames} single pictures; as sessions the frames of one sitting "
                "together (a few frames each, each looked at by itself), and a minute of the talking face: "
                f"{whole.bona_fide} live and {whole.attacks} attack sessions. Bounds draw people: "
                f"{whole.attack_units} students, who are the same on the photos, and the man who talks. A session "
                "with fewer READY frames than the policy "
                "asks gets no verdict, and many here have no more than that in all: those are the data's "
                "gaps, not the terminal's. Rates are of sessions with a verdict; `no verdict` is of all."
            ),
            "",
            *_columns(
                {
                    "frames, READY": tables.attack_rows(frames.frames_ready, frames.bounds_draw),
                    "frames with a face": tables.attack_rows(frames.frames_with_face, frames.bounds_draw),
                    "sessions": tables.attack_rows(whole, sessions.bounds_draw),
                    "sessions, gate ignored": tables.attack_rows(sessions.sessions_with_face, sessions.bounds_draw),
                }
            ),
            "",
            "| kind of attack | sessions | APCER | no verdict |",
            "|---|---|---|---|",
            *kinds,
            "",
            "What the quality gate withheld, and what the passive net would have said:",
            "",
            "| advice | who | frames | would pass | passive, median |",
            "|---|---|---|---|---|",
            *withheld,
            "",
            report_fixed.wrapped(
                "Each cue by itself, and the sum without it, over the sessions in which it could be told. Pictures "
                "that are no film have no movement, so no relief; recordings were not lit by the page, so no light. "
                "Where the passive net alone is perfect, as on these prints, no ablation can show what a cue adds."
            ),
            "",
            "| cue | sessions | AUC alone | AUC without it |",
            "|---|---|---|---|",
            *cues,
            "",
            *_pictures(drawn),
        )
    )


def people(press: PairsResult, asian: PairsResult, sessions: AttacksResult, policy: Policy) -> str:
    live, tries = sessions.sessions_ready, policy.max_tries
    looks = tries * (policy.max_restarts + 1)
    miss, false = press.figures.with_face.fnmr, press.figures.with_face.fmr
    paragraphs = (
        f"**Genuine people, match.** At one try {per_million(miss)} of a million would not match their reference at "
        f"{policy.match_threshold:g}, measured with one press photo against another, often years apart. The terminal "
        f"averages a probe over at least {policy.min_probe_frames} good frames and gives {tries} tries, so it should "
        "be fewer; how many is **extrapolated** between two ends. If a person who misses once misses always (an old "
        "reference photo is as old at the third try): as many as at one try. If every try were a new chance: "
        f"{_of_tries(miss, tries)}. The truth is nearer the first. Nobody of them is told no: they are handed over "
        "to a colleague.",
        "**Strangers, match.** Of a million people who claim to be somebody else and show their own face, "
        f"{per_million(false)} are above the threshold at one try. With {tries} tries, **extrapolated** as if every "
        f"try were a new chance, at most {_at_most(false, tries)}. Whoever steps out or goes back before each try is "
        f"over gets up to {looks} looks a visit and {policy.visits_most} visits a day (docs/session.md): at most "
        f"{_at_most(false, looks)} a visit and {_at_most(false, looks * policy.visits_most)} a day, **extrapolated** "
        "likewise; looks at one face are nearly one sample, so it should be far fewer. They are strangers at random; "
        "relatives and lookalikes are more alike, and were not measured. Among the eight students it would be "
        f"{per_million(asian.figures.with_face.fmr)}, for frames that pass the gate "
        f"{per_million(asian.figures.ready.fmr)}: eight people are no population, but no reason to sleep well. "
        "Whoever shows their own face passes liveness; only the match stands against them.",
        f"**Live people, liveness.** Of a million sessions {per_million(live.bpcer)} would be refused by liveness "
        f"alone, out of {live.bpcer.trials} sessions that were judged ({live.bona_fide_units} people in all). The "
        "upper bound is what so few can say.",
        "**Printed photos, liveness.** Whoever holds up a good photo of the right person passes the match; only "
        f"liveness and the prompted action stand against them. Of a million such sessions {per_million(live.apcer)} "
        f"would pass liveness, out of {live.apcer.trials} judged (photos of {live.attack_units} people); the "
        "prompted action comes on top, uncounted.",
        report_fixed.screens(),
    )
    return "\n\n".join(
        ("## What the chosen points mean, in people of a million", *map(report_fixed.wrapped, paragraphs))
    )


def _thresholds(compared: Compared, policy: Policy, *, extrapolated: bool) -> list[str]:
    genuine, impostor = compared.genuine, compared.impostor
    rows = []
    for threshold in sorted({*_THRESHOLDS, policy.match_threshold}):
        passed, missed = impostor.passing(threshold), genuine.total - genuine.passing(threshold)
        cells = [
            f"{threshold:.2f} (policy)" if math.isclose(threshold, policy.match_threshold) else f"{threshold:.2f}",
            rounded(passed / impostor.total * MILLION) if passed else "none seen",
            f"{missed:,} of {genuine.total:,}",
        ]
        if extrapolated:
            cells.append(_extrapolated(normal_misses(genuine, threshold)))
        rows.append(f"| {' | '.join(cells)} |")
    last = " genuine refused of a million, extrapolated |" if extrapolated else ""
    return [
        f"| threshold | strangers accepted of a million | genuine pairs refused |{last}",
        f"|---|---|---|{'---|' if extrapolated else ''}",
        *rows,
    ]


def _ways(result: PairsResult) -> list[str]:
    ways: dict[str, MatchFigures] = {
        "every pair with faces": result.figures.with_face,
        "both photos pass the gate": result.figures.ready,
        "failures as non-matches": result.figures.all,
    }
    rows = _columns({name: tables.pairs_rows(figures) for name, figures in ways.items()})
    return [row for row in rows if not row.startswith("| accuracy") or result.impostors.source == "list"]


def _columns(columns: dict[str, list[tuple[str, str]]]) -> list[str]:
    names = [name for name, _ in next(iter(columns.values()))]
    return [
        f"| | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
        *(f"| {name} | {' | '.join(rows[n][1] for rows in columns.values())} |" for n, name in enumerate(names)),
    ]


def _pictures(drawn: Sequence[str]) -> list[str]:
    return [f"![{Path(name).stem.replace('_', ' ')}]({name})" for name in drawn]


def _one_in(rate: Rate) -> str:
    return f"none of {rate.trials:,}" if not rate.value else f"one in {rounded(1 / rate.value)}"


def _extrapolated(share: float | None) -> str:
    return "too few" if share is None else rounded(share * MILLION)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _of_tries(rate: Rate, tries: int) -> str:
    if rate.value is None:
        return "not measurable"
    return f"{rounded(rate.value**tries * MILLION)} (at most {rounded(rate.high**tries * MILLION)})"


def _at_most(rate: Rate, tries: int) -> str:
    if rate.value is None:
        return "not measurable"
    return rounded((1 - (1 - rate.high) ** tries) * MILLION)
