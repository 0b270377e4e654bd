"""How well actions are found in a clip with listed events: `python -m tests.vision.score_blinks CLIP EVENTS`.

Reads EVENTS (video,event,start_frame,end_frame,...) and what `anxin watch CLIP --json` says.  An event counts as
found when a report of its kind overlaps it within three frames; a report that overlaps no listed event is unlisted.
"""

import argparse
import csv
import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from edge import watch

SLACK_FRAMES = 3


@dataclass(frozen=True)
class Span:
    event: str
    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        near = self.start <= other.end + SLACK_FRAMES and other.start <= self.end + SLACK_FRAMES
        return self.event == other.event and near


@dataclass(frozen=True)
class Score:
    """``found`` of ``listed`` events; ``unlisted`` reports; the clip's length."""

    listed: list[Span]
    missed: list[Span]
    unlisted: list[Span]
    seconds: float

    def sentence(self) -> str:
        kinds = sorted({span.event for span in self.unlisted})
        besides = ", ".join(f"{sum(s.event == kind for s in self.unlisted)} {kind}" for kind in kinds) or "nothing"
        found = len(self.listed) - len(self.missed)
        return f"score: {found} of {len(self.listed)} listed events found; besides in {self.seconds:.0f} s: {besides}"


def listed_events(file: Path, clip: str) -> list[Span]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["video"] == clip]
    return [Span(row["event"], int(row["start_frame"]), int(row["end_frame"])) for row in rows]


def reported_events(clip: Path, max_frames: int | None = None) -> tuple[list[Span], float]:
    """What the eyes report in the clip, and its length in seconds."""
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    limit = [] if max_frames is None else ["--max-frames", str(max_frames)]
    out = io.StringIO()
    with redirect_stdout(out):
        watch.main(parser.parse_args([str(clip), "--json", *limit]))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    spans = [Span(x["event"], x["start_frame"], x["end_frame"]) for x in lines if x["type"] == "action"]
    return spans, float(lines[-1]["seconds"])


def score(clip: Path, events: Path, max_frames: int | None = None) -> Score:
    reported, seconds = reported_events(clip, max_frames)
    listed = [s for s in listed_events(events, clip.name) if max_frames is None or s.end < max_frames]
    return Score(
        listed,
        missed=[span for span in listed if not any(span.meets(other) for other in reported)],
        unlisted=[span for span in reported if not any(span.meets(other) for other in listed)],
        seconds=seconds,
    )


if __name__ == "__main__":
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("clip", type=Path)
    command.add_argument("events", type=Path)
    given = command.parse_args()
    result = score(given.clip, given.events)
    for span in result.missed:
        print(f"missed    {span.event} {span.start} to {span.end}")
    for span in result.unlisted:
        print(f"unlisted  {span.event} {span.start} to {span.end}")
    print(result.sentence())
