"""The ledger for people: a table without personal data, and the same as JSON.

The evidence is read from the signed original, so that what is shown of a decision is what was signed; whether the
signature holds is the audit's question (`central.audit`).
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Row

from central.ledger import Ledger
from edge.errors import UntrustedError
from edge.wire.messages import ResultPayload, parse

REASONS = "method / reasons"
EVIDENCE = "match / liveness"
NAMES = ("seq", "device", "outcome", "mode", REASONS, EVIDENCE, "action", "decided at", "received at", "verdict")
NAMES_STACKED = (
    "seq",
    "device\nmode",
    "outcome\nverdict",
    "decided at\nreceived at",
    f"{REASONS}\n{EVIDENCE}\naction",
)
LEAST_REASONS = 29  # the longest one, presentation_attack_suspected
LEGEND = (
    "match / liveness: each score with its threshold, ≥ met it, < did not (- was not measured).\n"
    "Match is a cosine; liveness a sum of log-likelihood ratios, positive for a person.  --json has every figure."
)

STYLE = {"certified": "green", "referred": "yellow", "informed": "cyan", "abandoned": "dim", "quarantined": "red"}


def entries(ledger: Ledger, device: str | None = None, ticket: str | None = None) -> Iterator[dict[str, object]]:
    """Every result and every message in quarantine as plain data: no person, no ticket, no signature.

    ``ticket``: only the results that gave this ticket; what is in quarantine is not asked for tickets.
    """
    for row in ledger.results(device, ticket):
        yield _result(row)
    if ticket is not None:
        return
    for row in ledger.quarantine(device):
        yield {
            "site": row.site,
            "device": row.device,
            "seq": row.seq,
            "result_id": row.result_id,
            "verdict": "quarantined",
            "reason": row.reason,
            "received_at": row.first_at,
            "times": row.times,
            "hash": row.hash,
        }


def table(ledger: Ledger, console: Console, device: str | None = None, ticket: str | None = None) -> int:
    """Print the ledger's table; returns the number of results.

    One line a result where the console is wide enough, else two or three: nothing is left out.
    """
    rows: list[tuple[str, ...]] = []
    recorded = quarantined = 0
    before: tuple[object, object, object] = (None, None, 0)
    for entry in entries(ledger, device, ticket):
        aside = entry["verdict"] == "quarantined"
        quarantined, recorded = quarantined + aside, recorded + (not aside)
        here = (entry["site"], entry["device"], entry["seq"])
        follows = aside or ticket is not None or here == (*before[:2], _next(before[2])) or entry["seq"] == 1
        before = before if aside else here
        rows.append(_cells(entry, gap=not follows))
    shown = _drawn(NAMES, rows, console.width) or _drawn(NAMES_STACKED, list(map(_stacked, rows)), console.width)
    console.print(shown)
    console.print(LEGEND, markup=False, highlight=False)
    of = f" of {device}" if device is not None else ""
    which = " with this ticket" if ticket is not None else ""
    aside_too = f", {quarantined} in quarantine" if ticket is None else ""
    results = "result" if recorded == 1 else "results"
    console.print(
        f"ledger: {recorded} {results}{of}{which}{aside_too}", markup=False, highlight=False, soft_wrap=True
    )
    return recorded


def _cells(entry: Mapping[str, object], *, gap: bool) -> tuple[str, ...]:
    """The texts of a row, in the order of `NAMES`."""
    return (
        str(entry["seq"] if entry["seq"] is not None else "-"),
        str(entry["device"]),
        str(entry.get("outcome", "-")),
        str(entry.get("mode", "-")),
        _how(entry) or "-",
        _evidence_cell(entry.get("evidence")),
        _action_cell(entry.get("evidence")),
        _clock(entry.get("decided_at")),
        _clock(entry.get("received_at")),
        str(entry["verdict"]) + (", gap before" if gap else ""),
    )


def _stacked(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The texts of a row, in the order of `NAMES_STACKED`."""
    seq, device, outcome, mode, how, figures, action, decided, received, verdict = cells
    verdict = verdict.replace(", ", ",\n")
    return (
        seq,
        f"{device}\n{mode}",
        f"{outcome}\n{verdict}",
        f"{decided}\n{received}",
        f"{how}\n{figures}\n{action}",
    )


def _drawn(names: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> Table | None:
    """A table whose reasons are broken only after commas, colons, underscores and spaces.

    None when the other columns of one line a result leave no room for them.
    """
    long = next(number for number, name in enumerate(names) if name.startswith(REASONS))
    most = [max(map(len, "\n".join(each).split("\n"))) for each in zip(names, *rows, strict=True)]
    room = width - sum(most) + most[long] - 3 * len(names)
    if room < LEAST_REASONS and names is NAMES:
        return None
    room = max(room, LEAST_REASONS)
    shown = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in names:
        shown.add_column(Text(name), justify="right" if name == "seq" else "left", overflow="fold")
    for row in rows:
        texts = [Text(each) for each in row]
        texts[long] = Text("\n".join(part for line in row[long].split("\n") for part in _broken(line, room)))
        for text in texts:
            for word, style in STYLE.items():
                text.highlight_words([word], style=style)
        shown.add_row(*texts)
    return shown


def _broken(text: str, width: int) -> Iterator[str]:
    """Lines of at most ``width``, where the words allow it."""
    line = ""
    for part in re.findall(r"[^,_: ]*[,_: ]*", text):
        if line and len(line) + len(part.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += part
    yield line.rstrip()


def _result(row: Row[Any]) -> dict[str, object]:
    return {
        "site": row.site,
        "device": row.device,
        "seq": row.seq,
        "result_id": row.result_id,
        "outcome": row.outcome,
        "mode": row.mode,
        "method": _method(row),
        "scheme": row.scheme,
        "reasons": json.loads(row.reasons),
        "evidence": _evidence(row.jws),
        "decided_at": row.decided_at,
        "received_at": row.received_at,
        "verdict": "recorded",
        "gap": bool(row.gap),
        "hash": row.hash,
        "prev": row.prev,
    }


def _evidence(jws: str) -> dict[str, object] | None:
    """What the decision rests on, each figure with its threshold, and the policy; None when it cannot be read."""
    try:
        part = jws.split(".")[1]
        result = parse(ResultPayload, base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (UntrustedError, ValueError, IndexError):
        return None
    match, alive, passive = result.match, result.liveness, result.passive
    return {
        "policy": result.policy,
        "models": dict(result.models),
        "tries": result.attempts,
        "match": match and {"score": match.score, "threshold": match.threshold, "probe_frames": match.probe_frames},
        "passive": passive and {"score": passive.score, "threshold": passive.threshold, "frames": passive.frames},
        "liveness": alive
        and {
            "score": alive.score,
            "threshold": alive.threshold,
            "cues": {name: {"statistic": cue.statistic, "llr": cue.llr} for name, cue in alive.cues.items()},
        },
        "actions": [{"kind": str(each.kind), "outcome": each.outcome} for each in result.action],
    }


def _evidence_cell(evidence: object) -> str:
    """Like ``0.63≥0.45 / +3.7≥+0.0``."""
    if not isinstance(evidence, Mapping):
        return "-"
    parts = []
    for name, form in (("match", ".2f"), ("liveness", "+.1f")):
        seen = evidence[name]
        if seen is None:
            parts.append("-")
        else:
            sign = "≥" if seen["score"] >= seen["threshold"] else "<"
            parts.append(f"{seen['score']:{form}}{sign}{seen['threshold']:{form}}")
    return " / ".join(parts)


def _action_cell(evidence: object) -> str:
    """Like ``nod passed``: every action asked, and what came of it."""
    if not isinstance(evidence, Mapping):
        return "-"
    return ", ".join(f"{each['kind']} {each['outcome']}" for each in evidence["actions"]) or "-"


def _next(seq: object) -> int:
    return seq + 1 if isinstance(seq, int) else 1


def _method(row: Row[Any]) -> str | None:
    if row.outcome != "certified":
        return None
    return "self_face" if row.mode == "self" else "assisted_face"


def _how(entry: Mapping[str, object]) -> str:
    if entry["verdict"] == "quarantined":
        return str(entry["reason"])
    reasons = entry.get("reasons")
    named = ", ".join(map(str, reasons)) if isinstance(reasons, list) else ""
    return " ".join(part for part in (str(entry["method"] or ""), named) if part)


def _clock(text: object) -> str:
    """A moment in local time to the second."""
    try:
        return datetime.fromisoformat(str(text)).astimezone().strftime("%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return "-" if text is None else str(text)
