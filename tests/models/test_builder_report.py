"""What the last build said of each model survives a build of only some of them."""

import json
from pathlib import Path

from models.builder.report import BuildReport, Made, write


def made(name: str, size: int) -> Made:
    return Made(name, size, 4 * size, "0" * 64, "int8", shipped=True, identical=True, figures={"cosine_mean": 0.99})


def test_a_build_of_one_model_keeps_what_is_known_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write(BuildReport((made("face_embedding", 1), made("face_detection", 2))), path)
    write(BuildReport((made("face_embedding", 3),)), path)
    entries = json.loads(path.read_text())["models"]
    assert [(entry["name"], entry["bytes"]) for entry in entries] == [("face_detection", 2), ("face_embedding", 3)]
    assert "identical" not in entries[0]


def test_the_last_line_says_the_result_in_words_and_figures() -> None:
    built = BuildReport((made("face_detection", 1_000_000), made("face_embedding", 2_000_000)))
    assert built.sentence == ("models: 2 of 2 built, every gate held, 2 of 2 identical to the shipped files (3.0 MB)")
