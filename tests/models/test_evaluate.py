"""`anxin models evaluate` as its user sees it, on public-domain portraits and on scripted eyes."""

import json
import re
import sys
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console

from edge.core.policy import Policy
from edge.core.types import Advice
from edge.errors import AnxinError, ModelError, StateError, ToolError
from models import FOLDER
from models.evaluate import look, pairs, read, tables, workers
from models.evaluate.errors import UnusableInputError
from models.evaluate.look import Looked
from models.evaluate.material import Seen
from models.evaluate.read import Photo
from tests.models.evaluating import anxin_models, save
from tests.vision import photos

DATA = FOLDER.parent.parent / "shared" / "data"
QUIET = Console(file=StringIO())
VERSIONS = {"face_embedding": "of-a-test"}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two photos each of two people, one of nobody, and one that is no picture."""
    root = tmp_path / "album"
    collins, hopper = photos.collins(), photos.hopper()
    save(root / "collins" / "1.png", collins)
    save(root / "collins" / "2.png", photos.noisy(photos.moved(collins, x=20, roll_deg=4), 1))
    save(root / "hopper" / "1.png", hopper)
    save(root / "hopper" / "2.jpg", hopper[:, ::-1])
    save(root / "nobody" / "1.png", np.full((200, 200, 3), 90, np.uint8))
    (root / "nobody" / "2.png").write_bytes(b"no picture")
    return root


def listed(root: Path, *lines: str, heading: str = "path_a,path_b,same,band") -> Path:
    file = root / "pairs.csv"
    file.write_text("\n".join((heading, *lines)) + "\n", encoding="utf-8")
    return file


SIX = (
    "collins/1.png,collins/2.png,1,space",
    "hopper/1.png,hopper/2.jpg,1,navy",
    "collins/1.png,hopper/1.png,0,space",
    "collins/2.png,hopper/2.jpg,0,navy",
    "nobody/1.png,hopper/1.png,0,navy",
    "collins/1.png,nobody/2.png,0,space",
)


def test_two_people_are_told_apart_and_every_failure_is_counted(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plots = tmp_path / "plots"
    words = ("evaluate", "--pairs", listed(album, *SIX), "--group-by", "band", "--json", "--plots", plots)
    assert anxin_models(*words) == 0
    printed = capsys.readouterr()
    assert "match_det.png, match_rates.png, match_scores.png" in printed.err
    said = json.loads(printed.out)
    assert said["schema"] == "anxin.evaluate.pairs/1"
    assert (said["genuine_listed"], said["impostor_listed"]) == (2, 4)
    assert said["photos"]["looked_at"] == 6
    assert said["photos"]["failures"] == {"no_face": 1, "unreadable": 1}
    with_face, everything = said["figures"]["with_face"], said["figures"]["all"]
    assert (with_face["genuine"], with_face["impostor"]) == (2, 2)
    assert (everything["genuine"], everything["impostor"]) == (2, 4)
    assert (with_face["fmr"]["events"], with_face["fnmr"]["events"]) == (0, 0)
    assert with_face["auc"] == 1.0
    assert with_face["accuracy"]["how"] == "optimistic"
    # Two impostor pairs cannot say anything of one in a hundred.
    assert [(p["threshold"], p["measurable_from"]) for p in with_face["points"]] == [(None, 0.5)] * 3
    assert {group["name"]: group["genuine"] for group in said["groups"]} == {"navy": 1, "space": 1}
    drawn = sorted(file.name for file in plots.iterdir())
    assert drawn == ["match_det.png", "match_rates.png", "match_scores.png"]
    assert all(cv2.imread(str(file)) is not None for file in plots.iterdir())


def test_a_missed_face_is_a_non_match_where_failures_count(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ("collins/1.png,collins/2.png", "nobody/1.png,nobody/2.png")
    file = listed(album, *lines, heading="path_a,path_b")
    assert anxin_models("evaluate", "--pairs", file, "--impostors-from", album, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert (figures["with_face"]["fnmr"]["events"], figures["with_face"]["fnmr"]["trials"]) == (0, 1)
    assert (figures["all"]["fnmr"]["events"], figures["all"]["fnmr"]["trials"]) == (1, 2)
    # Three people with two photos each: 12 pairs, of which 4 have two faces.
    assert (figures["with_face"]["impostor"], figures["all"]["impostor"]) == (4, 12)
    assert figures["all"]["fmr"]["events"] == 0


def test_the_last_line_says_the_result_in_words_and_figures(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert anxin_models("evaluate", "--pairs", listed(album, *SIX), "--root", album) == 0
    lines = " ".join(capsys.readouterr().out.split())
    assert "models: 2 genuine and 2 impostor pairs of 6 photos compared in" in lines
    # A bare nought would say too much of two pairs.
    assert re.search(r"FNMR is 0.00 % \(none seen: up to \d+ %\) and FMR 0.0000 % \(none seen: .*EER 0.00 %$", lines)
    assert "failures to acquire: 1 no_face, 1 unreadable" in lines


def test_a_group_over_the_target_says_so_in_words(tmp_path: Path) -> None:
    faces = {
        Path(f"{n}/{side}"): Looked(None, Advice.READY, vector(n % 2 * side)) for n in range(20) for side in (0, 2)
    }
    rows = [
        read.Pair(Path(f"{n}/0"), Path(f"{n}/2"), same=True, group="old" if n % 2 else "young") for n in range(20)
    ]
    result = pairs.compare(Seen(rows, faces), Policy(), VERSIONS, group_by="band", replicates=20).result
    out = StringIO()
    tables.show_pairs(result, Console(file=out, width=200))
    assert "2.00, certainly worse" in out.getvalue()
    sentence = out.getvalue().rstrip().splitlines()[-1]
    assert sentence.startswith("models: 20 genuine and 0 impostor pairs of 40 photos compared")


def test_several_processes_see_what_one_sees(album: Path, nets: object) -> None:
    files = sorted(album.rglob("*.*"))
    alone, together = (workers.answers(files, look.Describe(), jobs, QUIET, "") for jobs in (1, 2))
    assert [one.failure for one in alone] == [one.failure for one in together]
    for one, other in zip(alone, together, strict=True):
        if one.embedding is not None and other.embedding is not None:
            assert (one.embedding == other.embedding).all()


def test_a_strip_of_a_picture_has_no_face(tmp_path: Path) -> None:
    describe = look.Describe()()
    for number, (high, wide) in enumerate(((1, 1), (1, 4000), (4000, 2))):
        file = save(tmp_path / f"{number}.png", np.full((high, wide, 3), 128, np.uint8))
        assert describe(file).failure == look.NO_FACE


def test_a_picture_of_more_pixels_than_can_be_decoded_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(photos.gigapixels())
    assert look.picture(tmp_path / "1.png") is None


def test_a_folder_in_which_nobody_has_a_face_gives_no_impostors_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        save(tmp_path / name / "1.png", np.full((100, 100, 3), 90, np.uint8))
    file = listed(tmp_path, "one/1.png,one/1.png", heading="path_a,path_b")
    assert anxin_models("evaluate", "--pairs", file, "--impostors-from", tmp_path, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    figures = said["figures"]
    assert said["with_itself"] == 1
    assert (figures["with_face"]["impostor"], figures["all"]["impostor"]) == (0, 1)
    assert (figures["all"]["fmr"]["events"], figures["all"]["fnmr"]["events"]) == (0, 1)
    assert [point["low"] for point in figures["all"]["points"]] == [None] * 3


def refuse() -> Any:
    raise ToolError("this tool is not here.")


def vanish() -> Any:
    sys.exit(3)


def test_a_process_that_cannot_open_its_models_says_why() -> None:
    with pytest.raises(ToolError, match="this tool is not here"):
        workers.answers([1, 2, 3], refuse, 2, QUIET, "")


def test_a_process_that_ends_by_itself_is_reported() -> None:
    with pytest.raises(ToolError, match="ended by itself"):
        workers.answers([1, 2, 3], vanish, 2, QUIET, "")


# --- lists and folders that cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "heading", "says"),
    [
        (
            ("a.png,b.png,1,x", "a.png,c.png,0,x"),
            "path_a,path_b,same,band",
            r"line 3: the picture does not exist below",
        ),
        (("a.png,../b.png,1,x",), "path_a,path_b,same,band", r"line 2: the path leaves --root .* by \.\."),
        (("a.png,b.png,perhaps,x",), "path_a,path_b,same,band", r"line 2: same: input should be a valid boolean"),
        (("a.png,,1,x",), "path_a,path_b,same,band", r"line 2: path_b: string should have at least 1 character"),
        (("a.png,b.png",), "path_a,path_b,same", r"line 2: there are not as many cells as headings"),
        (("a.png,b.png,1,x,y",), "path_a,path_b,same,band", r"line 2: there are not as many cells"),
        (("a.png,b.png,1",), "left,right,same", r"has no column path_a"),
        ((), "path_a,path_b,same", r"lists no pair"),
        (
            ("a.png;b.png;1",),
            "path_a;path_b;same",
            r"line 1: the cells are parted by semicolons; save it with commas",
        ),
        (("a.png,b.png,1,1", "a.png,b.png,1,"), "path_a,path_b,same,fold", r"some pairs a fold and others none"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_its_line(
    tmp_path: Path, lines: tuple[str, ...], heading: str, says: str
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnusableInputError, match=says) as refused:
        read.pairs(listed(tmp_path, *lines, heading=heading), tmp_path)
    assert refused.value.exit_code == 2


def test_an_empty_list_is_told_what_its_first_line_is(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_bytes(b"")
    with pytest.raises(UnusableInputError, match="is empty; its first line must name the columns"):
        read.pairs(tmp_path / "pairs.csv", tmp_path)


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "below").mkdir()
    file = listed(tmp_path, f"{tmp_path}/a.png,{tmp_path}/a.png,1,x")
    assert read.pairs(file, tmp_path / "below")[0].first == tmp_path / "a.png"


def test_two_sub_folders_of_dozens_of_photos_are_remarked_upon() -> None:
    few = [Photo(Path(f"{who}/{n}"), Path(who)) for who in "ab" for n in range(40)]
    assert "Each sub-folder is taken for one person" in (read.many_a_person(few) or "")
    assert read.many_a_person(few[:50]) is None
    assert read.many_a_person([Photo(Path(f"{n}/1"), Path(f"{n}")) for n in range(90)]) is None


def test_a_column_of_names_is_no_column_of_groups(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    file = listed(tmp_path, *(f"a.png,a.png,1,{n}" for n in range(201)))
    assert len(read.pairs(file, tmp_path)) == 201
    with pytest.raises(UnusableInputError, match="column band: 201 different values"):
        read.pairs(file, tmp_path, "band")


def test_what_cannot_be_evaluated_is_refused_in_one_sentence(tmp_path: Path, album: Path) -> None:
    file = listed(album, *SIX)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00path_a")
    refused: list[tuple[tuple[str | Path, ...], str]] = [
        (("--pairs", tmp_path / "none.csv"), "cannot be read as a CSV file"),
        (("--pairs", binary), "it is not UTF-8"),
        (("--pairs", file, "--root", tmp_path / "none"), "is no folder; give --root"),
        (("--pairs", file, "--group-by", "age"), "has no column age"),
        (("--pairs", file, "--impostors-from", album / "collins"), "at least two sub-folders"),
        (("--pairs", file, "--sessions-by-folder"), "belongs to --attacks"),
        (("--attacks", album), "no pictures or videos in folders named live and spoof"),
        (("--attacks", tmp_path / "none"), "is no folder"),
        (("--attacks", album, "--group-by", "band"), "--group-by belongs to --pairs"),
    ]
    for words, says in refused:
        with pytest.raises(AnxinError, match=says) as stopped:
            anxin_models("evaluate", *words)
        assert stopped.value.exit_code == 2


def test_no_figure_is_made_under_the_name_of_another_file(album: Path, folder: Path) -> None:
    with (folder / "passive_liveness.tflite").open("r+b") as changed:
        changed.seek(-1, 2)
        changed.write(b"\xff")
    for words in (("--pairs", listed(album, *SIX)), ("--attacks", album)):
        with pytest.raises(ModelError, match="is not the file the manifest names") as stopped:
            anxin_models("evaluate", *words, "--folder", folder)
        assert stopped.value.exit_code == 11


def test_pairs_or_attacks_must_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        anxin_models("evaluate")
    assert stop.value.code == 2
    assert "one of the arguments --pairs --attacks is required" in capsys.readouterr().err


def test_without_matplotlib_a_plot_is_refused_in_one_sentence(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ToolError, match="install the extra `models`"):
        anxin_models("evaluate", "--pairs", listed(album, *SIX), "--plots", tmp_path / "plots")


def test_a_folder_for_plots_that_cannot_be_made_is_refused_before_the_work(album: Path) -> None:
    file = listed(album, *SIX)
    with pytest.raises(StateError, match="cannot be made a folder"):
        anxin_models("evaluate", "--pairs", file, "--plots", file / "plots")


# --- what the figures mean ------------------------------------------------------------------------------------


def vector(angle: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray([np.cos(angle), np.sin(angle), 0.0], np.float32)


def test_only_pairs_that_the_gate_passes_are_counted_as_ready_and_folds_choose_their_thresholds() -> None:
    faces = {
        Path("a/1"): Looked(None, Advice.READY, vector(0.0)),
        Path("a/2"): Looked(None, Advice.READY, vector(0.5)),
        Path("b/1"): Looked(None, Advice.LOOK_STRAIGHT, vector(1.5)),
        Path("b/2"): Looked(None, Advice.READY, vector(1.8)),
    }
    rows = [
        read.Pair(Path(first), Path(second), first[0] == second[0], fold)
        for fold in ("1", "2")
        for first, second in (("a/1", "a/2"), ("b/1", "b/2"), ("a/1", "b/2"), ("a/2", "b/1"))
    ]
    result = pairs.compare(Seen(rows, faces), Policy(), VERSIONS, replicates=20).result
    assert (result.figures.with_face.genuine, result.figures.ready.genuine) == (4, 2)
    assert (result.figures.with_face.impostor, result.figures.ready.impostor) == (4, 2)
    accuracy = result.figures.with_face.accuracy
    assert accuracy is not None
    assert (accuracy.how, accuracy.folds, accuracy.mean) == ("folds", 2, 1.0)
    assert result.bootstrap.unit == "people"


def test_a_group_with_more_misses_is_marked_as_worse() -> None:
    faces = {
        Path(f"{n}/{side}"): Looked(None, Advice.READY, vector(n % 2 * side)) for n in range(20) for side in (0, 2)
    }
    rows = [
        read.Pair(Path(f"{n}/0"), Path(f"{n}/2"), same=True, group="old" if n % 2 else "young") for n in range(20)
    ]
    result = pairs.compare(Seen(rows, faces), Policy(), VERSIONS, group_by="band", replicates=20).result
    old, young = result.groups
    assert (old.fnmr.value, old.worse, old.worse_than_target) == (1.0, 2.0, True)
    assert (young.fnmr.value, young.worse, young.worse_than_target) == (0.0, 0.0, False)
    assert (old.certainly_worse, young.certainly_worse) == (True, False)
    # Nothing but genuine pairs: no rate of false matches is made up.
    assert (result.figures.with_face.eer, result.figures.with_face.fmr.value) == (None, None)
    assert result.figures.with_face.points == []


def test_a_thousand_pairs_of_three_people_are_three_people() -> None:
    faces = {Path(f"{who}/{n}"): Looked(None, Advice.READY, vector(2.0 * who)) for who in range(3) for n in range(20)}
    rows = [read.Pair(one, other, one.parent == other.parent) for one, other in combinations(faces, 2)]
    figures = pairs.compare(Seen(rows, faces), Policy(), VERSIONS, replicates=20).result.figures.with_face
    assert (figures.fnmr.events, figures.fnmr.trials) == (0, 570)
    assert (figures.fmr.events, figures.fmr.trials) == (0, 1200)
    # No draw of people without a miss has one: the TARs are no surer than that.
    measured = [point for point in figures.points if point.accepted is not None]
    assert [point.accepted for point in measured] == [1.0, 1.0]
    assert [point.low or 0.0 for point in measured] == pytest.approx([0.025 ** (1 / 3)] * 2)
    # Three people, three pairs of people: the bounds say that most could miss, not one in two hundred.
    assert figures.fnmr.high == figures.fmr.high == pytest.approx(1 - 0.025 ** (1 / 3))


def test_names_that_contradict_the_list_make_pairs_the_unit() -> None:
    faces = {Path(f"flat/{n}"): Looked(None, Advice.READY, vector(n / 9)) for n in range(4)}
    rows = [
        read.Pair(Path("flat/0"), Path("flat/1"), same=True),
        read.Pair(Path("flat/2"), Path("flat/3"), same=False),
    ]
    assert pairs.compare(Seen(rows, faces), Policy(), VERSIONS, replicates=20).result.bootstrap.unit == "pairs"
    # A folder that says who is who decides, even where the list's own folders do not.
    folder = [Photo(file, Path(name)) for file, name in zip(faces, "aabc", strict=True)]
    both = pairs.compare(Seen(rows, faces, folder), Policy(), VERSIONS, replicates=20).result
    assert both.bootstrap.unit == "people"


# --- on research photographs, where they are -------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
def test_the_press_photos_and_the_printed_photos_are_measured_in_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (DATA / "lfw_dev" / "genuine_pairs.csv").read_text().splitlines()
    few = listed(tmp_path, *lines[1::14], heading=lines[0])
    assert anxin_models("evaluate", "--pairs", few, "--root", DATA / "lfw_dev", "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]["with_face"]
    assert figures["genuine"] == 10
    assert figures["fnmr"]["events"] <= 1
    for label, kind in (("live", "live"), ("spoof", "spoof/print")):
        for file in sorted((DATA / "nuaa_dev" / label).glob("*.jpg"))[::25]:
            link = tmp_path / "nuaa" / kind / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    assert anxin_models("evaluate", "--attacks", tmp_path / "nuaa", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["frames_with_face"]["auc"] == 1.0
    assert [kind["kind"] for kind in said["sessions_ready"]["kinds"]] == ["print"]
