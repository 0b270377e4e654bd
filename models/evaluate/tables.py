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


def verdicts(figures: LivenessFigures, *, bona_fide: bool) -> str:
    """One answer to one question: how many of all sessions liveness got wrong, could judge, and could not."""
    wrong, none, total, units = (
        (figures.bpcer, figures.bpnrr, figures.bona_fide, figures.bona_fide_units)
        if bona_fide
        else (figures.apcer, figures.apnrr, figures.attacks, figures.attack_units)
    )
    if not total:
        return "none given"
    judged = "" if wrong.value is None else f" ({100 * wrong.value:.3g} % of them, {_span(wrong)})"
    return (
        f"{wrong.events:,} of {counted(total, 'session')} (of {units:,} people): {wrong.trials:,} were judged{judged}"
        f", {none.events:,} got no verdict"
    )


def percent(value: float | None, digits: int = 2) -> str:
    return "not measurable" if value is None else f"{100 * value:.{digits}f} %"


def rate(one: Rate, nothing: str = "none given") -> str:
    """Like 0.36 % (1 of 280; 0.01 to 1.97 %), or ``nothing`` where there was nothing to count."""
    if one.value is None:
        return nothing
    return f"{100 * one.value:.3g} % ({one.events:,} of {one.trials:,}; {_span(one)})"


def _span(one: Rate) -> str:
    return f"{_bound(one.low)} to {_bound(one.high)} %"


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


def attack_rows(figures: LivenessFigures, draw: str) -> list[tuple[str, str]]:
    """As `pairs_rows`; ``draw`` is what the bounds take as independent (`AttacksResult.bounds_draw`)."""
    no_attacks = "none judged" if figures.attacks else "no attacks given"
    no_people = "none judged" if figures.bona_fide else "no live people given"
    at = figures.bpcer_at_apcer_1pct
    if at is None:
        bpcer = "not measurable"
    else:
        bpcer = f"not measurable below {at.measurable_from:.2g}" if at.accepted is None else percent(1 - at.accepted)
    return [
        ("bona fide, attacks", f"{figures.bona_fide:,}, {figures.attacks:,}"),
        (f"{draw} in them", f"{figures.bona_fide_units:,}, {figures.attack_units:,}"),
        ("APCER", rate(figures.apcer, no_attacks)),
        ("BPCER", rate(figures.bpcer, no_people)),
        ("ACER (worst kind)", percent(figures.acer)),
        ("no verdict: attacks (APNRR)", rate(figures.apnrr, no_attacks)),
        ("no verdict: bona fide (BPNRR)", rate(figures.bpnrr, no_people)),
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
            if group.certainly_worse:
                worse += ", certainly worse"
            elif group.worse_than_target:
                worse += ", over 1.25, not certain"
            table.add_row(
                group.name,
                rate(group.fnmr),
                worse,
                rate(group.fmr),
                style="red" if group.certainly_worse else "yellow" if group.worse_than_target else None,
            )
        console.print(table)
    console.print(
        f"bounds are two-sided, 95 %: by drawing {result.bootstrap.units:,} {result.bootstrap.unit} anew "
        f"{result.bootstrap.replicates:,} times; of rates the wider of that and the exact (binomial) ones",
        highlight=False,
    )
    console.print(pairs_sentence(result), highlight=False, soft_wrap=True)


def pairs_sentence(result: PairsResult) -> str:
    whole = result.figures.with_face
    return (
        f"models: {whole.genuine:,} genuine and {counted(whole.impostor, 'impostor pair')} of "
        f"{counted(result.photos.looked_at, 'photo')} compared in {result.seconds:.0f} s: at the policy's threshold "
        f"{result.match_threshold:g} FNMR is {percent(whole.fnmr.value)}{_up_to(whole.fnmr)} and FMR "
        f"{percent(whole.fmr.value, 4)}{_up_to(whole.fmr)}, EER "
        f"{'not measurable' if whole.eer is None else percent(whole.eer.rate)}"
    )


def show_attacks(result: AttacksResult, console: Console) -> None:
    columns = {
        "frames, READY": attack_rows(result.frames_ready, result.bounds_draw),
        "frames with a face": attack_rows(result.frames_with_face, result.bounds_draw),
        "sessions": attack_rows(result.sessions_ready, result.bounds_draw),
        "sessions, gate ignored": attack_rows(result.sessions_with_face, result.bounds_draw),
    }
    console.print(f"bounds are two-sided, 95 %: {bounds_draw(result)}", highlight=False)
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
    lost, broken = result.without_face, result.unreadable
    console.print(
        f"frames without a face: {lost['bona_fide']:,} bona fide, {lost['attack']:,} of attacks; repeated byte "
        f"for byte: {result.repeated:,}; unreadable files: {broken['bona_fide']:,} bona fide, "
        f"{broken['attack']:,} of attacks; films that broke off and were judged as far as they go: "
        f"{result.truncated:,}",
        highlight=False,
    )
    console.print(attacks_sentence(result), highlight=False, soft_wrap=True)


def attacks_sentence(result: AttacksResult) -> str:
    sessions = result.sessions_ready
    refused = sessions.bpcer.events
    auc = "not measurable" if result.frames_ready.auc is None else f"{result.frames_ready.auc:.4f}"
    accepted = "no attacks given"
    if sessions.attacks:
        accepted = (
            f"accept {sessions.accepted.events:,} of {counted(sessions.attacks, 'attack')}{_up_to(sessions.accepted)}"
        )
    certified = "no live people given"
    if sessions.bona_fide:
        certified = (
            f"not certify {sessions.not_certified.events:,} of {counted(sessions.bona_fide, 'bona fide session')}"
            f"{_up_to(sessions.not_certified)} ({refused:,} refused, {sessions.bpnrr.events:,} never good "
            "enough to judge)"
        )
    return (
        f"models: {counted(sessions.bona_fide + sessions.attacks, 'session')} ({counted(result.frames, 'frame')}) "
        f"judged in {result.seconds:.0f} s: by liveness alone the terminal would {accepted} and {certified}; AUC "
        f"of READY frames {auc}"
    )


def bounds_draw(result: AttacksResult) -> str:
    """What the bounds of liveness rest on, in words."""
    if result.bounds_draw == "people":
        return "people are drawn, not their frames or sessions"
    return (
        "recordings are taken as independent, for people are not known; several of one person make bounds too narrow"
    )


def counted(number: int, what: str) -> str:
    """Like 1 photo, 2,000 photos."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _up_to(one: Rate) -> str:
    """A bare nought says too much: with what it could be."""
    return f" (none seen: up to {_bound(one.high)} %)" if one.trials and not one.events else ""


def _side_by_side(columns: dict[str, list[tuple[str, str]]]) -> Table:
    table = Table("", *columns, box=None, padding=(0, 2, 0, 0))
    for number, (name, _) in enumerate(next(iter(columns.values()))):
        table.add_row(name, *(rows[number][1] for rows in columns.values()))
    return table


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in _most_first(counts.items()))


def _most_first(items: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(items, key=lambda item: (-item[1], item[0]))
