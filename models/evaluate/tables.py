"""Results for people: tables and one last sentence."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from models.evaluate.results import (
    AttacksResult,
    EqualError,
    LivenessFigures,
    MatchFigures,
    OperatingPoint,
    PairsResult,
    Rate,
)


def percent(value: float | None, digits: int = 2) -> str:
    return "not measurable" if value is None else f"{100 * value:.{digits}f} %"


def rate(one: Rate) -> str:
    """Like 0.36 % (1 of 280; 0.01 to 1.97 %)."""
    if one.value is None:
        return "none seen"
    bounds = f"{_bound(one.low)} to {_bound(one.high)} %"
    return f"{100 * one.value:.3g} % ({one.events:,} of {one.trials:,}; {bounds})"


def _bound(value: float) -> str:
    return f"{100 * value:.0f}" if value >= 0.1 else f"{100 * value:.2g}"


def equal(one: EqualError | None) -> str:
    return "not measurable" if one is None else f"{percent(one.rate)} at {one.threshold:.3f}"


def point(one: OperatingPoint) -> str:
    if one.accepted is None or one.threshold is None:
        return f"not measurable below {one.measurable_from:.2g}"
    bounds = "" if one.low is None or one.high is None else f" ({100 * one.low:.2f} to {100 * one.high:.2f} %)"
    return f"{percent(one.accepted)}{bounds} at {one.threshold:.3f}"


def pairs_rows(figures: MatchFigures) -> list[tuple[str, str]]:
    """Name and figure of everything in one way of counting."""
    accuracy = "not measurable"
    if figures.accuracy is not None:
        spread = "" if figures.accuracy.deviation is None else f" ± {100 * figures.accuracy.deviation:.2f}"
        how = f"{figures.accuracy.folds} folds" if figures.accuracy.folds else "threshold chosen on these very pairs"
        accuracy = f"{percent(figures.accuracy.mean)}{spread} ({how}, at {figures.accuracy.threshold:.3f})"
    return [
        ("pairs", f"{figures.genuine:,} genuine, {figures.impostor:,} impostor"),
        ("accuracy", accuracy),
        ("EER", equal(figures.eer)),
        ("AUC", "not measurable" if figures.auc is None else f"{figures.auc:.6f}"),
        *((f"TAR at FAR {one.limit:g}", point(one)) for one in figures.points),
        ("FMR at the policy's threshold", rate(figures.fmr)),
        ("FNMR at the policy's threshold", rate(figures.fnmr)),
    ]


def attack_rows(figures: LivenessFigures) -> list[tuple[str, str]]:
    at = figures.bpcer_at_apcer_1pct
    if at is None:
        bpcer = "not measurable"
    else:
        bpcer = f"not measurable below {at.measurable_from:.2g}" if at.accepted is None else percent(1 - at.accepted)
    return [
        ("bona fide, attacks", f"{figures.bona_fide:,}, {figures.attacks:,}"),
        ("APCER", rate(figures.apcer)),
        ("BPCER", rate(figures.bpcer)),
        ("ACER (worst kind)", percent(figures.acer)),
        ("no verdict: attacks (APNRR)", rate(figures.apnrr)),
        ("no verdict: bona fide (BPNRR)", rate(figures.bpnrr)),
        ("AUC", "not measurable" if figures.auc is None else f"{figures.auc:.4f}"),
        ("EER", equal(figures.eer)),
        ("BPCER at APCER 1 %", bpcer),
    ]


def show_pairs(result: PairsResult, console: Console) -> None:
    photos, ways = result.photos, result.figures
    failures = _counted(photos.failures) or "none"
    console.print(
        f"photos: {photos.looked_at:,}, of which {photos.with_face:,} have a face and {photos.ready:,} pass the "
        f"quality gate; failures to acquire: {failures}",
        highlight=False,
    )
    advice = _counted({name: n for name, n in photos.advice.items() if name != "ready"})
    if advice:
        console.print(f"what the gate asks of the others: {advice}", highlight=False)
    if result.with_itself:
        console.print(
            f"listed pairs of one file with itself: {result.with_itself:,}; they flatter every figure below, take "
            "them out of the list",
            style="yellow",
            highlight=False,
        )
    columns = {
        "every pair with faces": pairs_rows(ways.with_face),
        "both photos pass the gate": pairs_rows(ways.ready),
        "failures as non-matches": pairs_rows(ways.all),
    }
    console.print(_side_by_side(columns))
    if result.groups:
        table = Table(result.group_by or "", "FNMR", "times the whole", "FMR", box=None, padding=(0, 2, 0, 0))
        for group in result.groups:
            worse = "" if group.worse is None else f"{group.worse:.2f}"
            table.add_row(
                group.name,
                rate(group.fnmr),
                worse,
                rate(group.fmr),
                style="red" if group.certainly_worse else "yellow" if group.worse_than_target else None,
            )
        console.print(table)
    console.print(
        f"bounds are 95 %: by drawing {result.bootstrap.units:,} {result.bootstrap.unit} anew "
        f"{result.bootstrap.replicates:,} times; of rates the wider of that and the exact (binomial) ones",
        highlight=False,
    )
    console.print(pairs_sentence(result), highlight=False)


def pairs_sentence(result: PairsResult) -> str:
    whole = result.figures.with_face
    return (
        f"models: {whole.genuine:,} genuine and {whole.impostor:,} impostor pairs of {result.photos.looked_at:,} "
        f"photos compared in {result.seconds:.0f} s: at the policy's threshold {result.match_threshold:g} FNMR is "
        f"{percent(whole.fnmr.value)} and FMR {percent(whole.fmr.value, 4)}, EER "
        f"{'not measurable' if whole.eer is None else percent(whole.eer.rate)}"
    )


def show_attacks(result: AttacksResult, console: Console) -> None:
    columns = {
        "frames, READY": attack_rows(result.frames_ready),
        "frames with a face": attack_rows(result.frames_with_face),
        "sessions": attack_rows(result.sessions_ready),
        "sessions, gate ignored": attack_rows(result.sessions_with_face),
    }
    console.print(_side_by_side(columns))
    kinds = Table("kind of attack", "sessions", "APCER", "no verdict", "AUC", "frames APCER", box=None)
    frames = {one.kind: one for one in result.frames_ready.kinds}
    for one in result.sessions_ready.kinds:
        of_frames = frames.get(one.kind)
        kinds.add_row(
            one.kind,
            f"{one.attacks:,}",
            rate(one.apcer),
            rate(one.non_response),
            "" if one.auc is None else f"{one.auc:.4f}",
            "" if of_frames is None else rate(of_frames.apcer),
        )
    console.print(kinds)
    if result.withheld:
        table = Table("withheld by the gate", "who", "frames", "would pass", "passive, median", box=None)
        for held in result.withheld:
            middle = "" if held.passive_median is None else f"{held.passive_median:.3f}"
            who = "bona fide" if held.bona_fide else "attack"
            table.add_row(held.advice, who, f"{held.frames:,}", f"{held.passing:,}", middle)
        console.print(table)
    cues = Table("cue", "sessions", "AUC alone", "AUC without it", box=None)
    for cue in result.cues:
        alone, without = ("" if value is None else f"{value:.4f}" for value in (cue.auc_alone, cue.auc_without))
        cues.add_row(cue.cue, f"{cue.sessions:,}", alone, without)
    console.print(cues)
    lost = result.without_face
    console.print(
        f"frames without a face: {lost['bona_fide']:,} bona fide, {lost['attack']:,} of attacks; repeated byte "
        f"for byte: {result.repeated:,}; unreadable recordings: {result.unreadable}",
        highlight=False,
    )
    console.print(attacks_sentence(result), highlight=False)


def attacks_sentence(result: AttacksResult) -> str:
    sessions = result.sessions_ready
    refused = sessions.bpcer.events
    auc = "not measurable" if result.frames_ready.auc is None else f"{result.frames_ready.auc:.4f}"
    return (
        f"models: {sessions.bona_fide + sessions.attacks:,} sessions ({result.frames:,} frames) judged in "
        f"{result.seconds:.0f} s: by liveness alone the terminal would accept {sessions.accepted.events:,} of "
        f"{sessions.attacks:,} attacks and not certify {sessions.not_certified.events:,} of {sessions.bona_fide:,} "
        f"bona fide sessions ({refused:,} refused, {sessions.bpnrr.events:,} never good enough to judge); AUC of "
        f"READY frames {auc}"
    )


def _side_by_side(columns: dict[str, list[tuple[str, str]]]) -> Table:
    table = Table("", *columns, box=None, padding=(0, 2, 0, 0))
    for number, (name, _) in enumerate(next(iter(columns.values()))):
        table.add_row(name, *(rows[number][1] for rows in columns.values()))
    return table


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in _most_first(counts.items()))


def _most_first(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items, key=lambda item: (-item[1], item[0]))
