"""The ledger for people: a table without personal data, and the same as JSON.

The evidence is read from the signed original, so that what is shown of a decision is what was signed; whether the
signature holds is the audit's question (`central.audit`).
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Row

from central.ledger import Ledger
from edge.errors import UntrustedError
from edge.wire.messages import ResultPayload, parse

REASONS = "method / reasons"
EVIDENCE = "match / liveness"
NARROW_COLUMNS = 112

STYLE = {"certified": "green", "referred": "yellow", "informed": "cyan", "abandoned": "dim", "quarantined": "red"}


def entries(ledger: Ledger, device: str | None = None) -> Iterator[dict[str, object]]:
    """Every result and every message in quarantine as plain data: no person, no ticket, no signature."""
    for row in ledger.results(device):
        yield _result(row)
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


def table(ledger: Ledger, console: Console, device: str | None = None) -> int:
    """Print the ledger's table; returns the number of results."""
    shown = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    names = ("seq", "device", "outcome", "mode", REASONS, EVIDENCE, "decided at", "received at", "verdict")
    # What fits is better than everything cut to "certifi…"; --json has the rest.
    left_out = {"mode", "received at", EVIDENCE} if console.width < NARROW_COLUMNS else set()
    for name in names:
        if name not in left_out:
            shown.add_column(
                name, justify="right" if name == "seq" else "left", no_wrap=name != REASONS, overflow="fold"
            )
    recorded = quarantined = 0
    before: tuple[object, object, object] = (None, None, 0)
    for entry in entries(ledger, device):
        aside = entry["verdict"] == "quarantined"
        quarantined, recorded = quarantined + aside, recorded + (not aside)
        here = (entry["site"], entry["device"], entry["seq"])
        missing = not aside and here != (*before[:2], _next(before[2])) and entry["seq"] != 1
        before = before if aside else here
        outcome = str(entry.get("outcome", "-"))
        verdict = str(entry["verdict"])
        cells = (
            str(entry["seq"] if entry["seq"] is not None else "-"),
            str(entry["device"]),
            f"[{STYLE.get(outcome, 'default')}]{outcome}[/]",
            str(entry.get("mode", "-")),
            _how(entry),
            _evidence_cell(entry.get("evidence")),
            _clock(entry.get("decided_at")),
            _clock(entry.get("received_at")),
            f"[red]{verdict}[/]" if aside else verdict + (" (gap before)" if missing else ""),
        )
        shown.add_row(*(cell for name, cell in zip(names, cells, strict=True) if name not in left_out))
    console.print(shown)
    of = f" of {device}" if device is not None else ""
    console.print(f"ledger: {recorded} results{of}, {quarantined} in quarantine", markup=False, highlight=False)
    return recorded


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
    """Like ``0.71≥0.43 / +3.0≥+1.0``."""
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
