"""`anxin models` as its user sees it."""

import argparse
import json
from pathlib import Path

import pytest

from edge.errors import ModelError
from models import cli


def anxin_models(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="anxin models")
    cli.add_arguments(parser)
    return cli.main(parser.parse_args(words))


def test_verify_ends_with_the_result_in_words_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert anxin_models("verify") == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("models: 4 of 4 verified, 0 failed (6.0 MB, LiteRT ")


def test_verify_as_json_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert anxin_models("verify", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert said["models"][0]["name"] == "face_detection"
    assert {model["ok"] for model in said["models"]} == {True}


def test_verify_of_a_damaged_folder_exits_1_and_says_which(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "face_landmarks.tflite").write_bytes(b"")
    assert anxin_models("verify", "--folder", str(folder)) == 1
    out = capsys.readouterr().out
    assert out.strip().splitlines()[-1].startswith("models: 3 of 4 verified, 1 failed")


def test_a_folder_that_holds_no_models_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install Anxin's models again"):
        anxin_models("verify", "--folder", str(tmp_path))


def test_list_shows_every_version_and_ends_with_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert anxin_models("list") == 0
    assert capsys.readouterr().out.strip().splitlines()[-1].startswith("models: 4 listed (6.0 MB)")
    assert anxin_models("list", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["models"][2]["version"] == "sface-128-int8-1"
    assert "folder" not in said


def test_wrong_usage_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        anxin_models("train")
    assert stop.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
