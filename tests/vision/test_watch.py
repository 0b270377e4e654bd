"""`anxin watch` on recordings: what people and machines read."""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge import watch
from edge.errors import CameraError
from tests.vision.photos import HEIGHT, WIDTH, collins, moved, noisy
from tests.vision.score_blinks import score

DATA = Path(__file__).parents[3] / "shared/data/talking_face"


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    return watch.main(parser.parse_args(arguments))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Somebody who stands there for a second and then leaves."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, (WIDTH, HEIGHT))
    for number in range(20):
        rgb = moved(collins(), x=0 if number < 15 else 2000)
        writer.write(cv2.cvtColor(noisy(rgb, number), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_machines_get_an_object_a_line_and_a_summary_last(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(clip), "--json", "--every") == 0
    *frames, summary = objects(capsys.readouterr().out)
    assert [f["frame"] for f in frames if f["type"] == "frame"] == list(range(20))
    assert frames[0]["advice"] == "ready" and frames[-1]["advice"] == "no_face"
    assert summary["type"] == "summary" and summary["frames"] == 20 and summary["tracks"] == 1
    assert summary["frames_with_face"] == 15 and summary["seconds"] == pytest.approx(19 / 15, abs=0.01)


def test_without_every_only_changes_are_told(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(clip), "--json") == 0
    frames = [line for line in objects(capsys.readouterr().out) if line["type"] == "frame"]
    assert [(f["faces"], f["neutral"]) for f in frames] == [(1, False), (1, True), (0, False)]


def test_people_get_sentences_and_a_last_line_with_figures(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(clip), "--max-frames", "5") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 face: ready, track 1" in lines[0]
    assert lines[-1].startswith("watch: 5 frames of 0.3 s, a face in 5, 1 track, 5 ready, no action, passive score")


def test_a_picture_and_a_folder_of_pictures_can_be_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), cv2.cvtColor(noisy(collins(), number), cv2.COLOR_RGB2BGR))
    assert run(str(tmp_path / "0.png"), "--json") == 0
    assert objects(capsys.readouterr().out)[-1]["frames_with_face"] == 1
    assert run(str(tmp_path), "--json") == 0
    assert objects(capsys.readouterr().out)[-1]["tracks"] == 3


def test_what_cannot_be_watched_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="is no file, folder or camera"):
        run(str(tmp_path / "missing.mp4"))
    with pytest.raises(CameraError, match="start that process first"):
        run(f"socket:{tmp_path / 'nobody'}")


@pytest.mark.data
def test_the_talking_face_blinks_and_does_nothing_else_for_forty_seconds() -> None:
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not here: the talking face is research data and no part of the repository")
    result = score(DATA / "franck.mp4", DATA / "events.csv", max_frames=1000)
    assert len(result.listed) == 1 and not result.missed
    # The list leaves out shallow blinks (docs/eyes.md); nothing but blinks may be seen in this talk.
    assert {span.event for span in result.unlisted} <= {"blink"} and len(result.unlisted) <= 5
