"""`anxin models evaluate --attacks`, on scripted eyes and on small recordings."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.policy import Policy, Verdict
from edge.core.types import Advice, Observation
from edge.errors import CameraError
from edge.ports import Frame
from models.evaluate import attacks, look, read, tables
from models.evaluate.look import Watched
from models.evaluate.read import Presentation
from tests.models.evaluating import anxin_models, save
from tests.vision import photos

VERSIONS = {"passive_liveness": "of-a-test"}


def test_every_recording_below_live_and_spoof_is_a_session_of_its_kind(tmp_path: Path) -> None:
    for name in (
        "live/a.png", "live/room/b.mp4", "site 2/live/c.JPG", "spoof/print/d.png", "spoof/print/two/e.png",
        "spoof/f.webm", "spoof/phone/notes.txt", "elsewhere/g.png",
    ):  # fmt: skip
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    found = {one.name: (one.bona_fide, one.kind, one.video) for one in read.presentations(tmp_path)}
    assert found == {
        "live/a.png": (True, "live", False),
        "live/room/b.mp4": (True, "room", True),
        "site 2/live/c.JPG": (True, "live", False),
        "spoof/print/d.png": (False, "print", False),
        "spoof/print/two/e.png": (False, "print", False),
        "spoof/f.webm": (False, "spoof", True),
    }
    together = {one.name: len(one.files) for one in read.presentations(tmp_path, by_folder=True)}
    assert together["spoof/print"] == 1
    assert together["spoof/print/two"] == 1
    assert together["live/a.png"] == 1


def test_folders_that_are_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").write_bytes(b"")
    (tmp_path / "data" / "spoof").mkdir(parents=True)
    (tmp_path / "data" / "live").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "again").symlink_to(tmp_path / "data")
    assert [one.name for one in read.presentations(tmp_path / "data")] == ["live/a.png"]


def seen(number: int, passive: float | None, advice: Advice = Advice.READY, track: int = 1) -> Observation:
    faces = 0 if advice is Advice.NO_FACE else 1
    return Observation(number, number * 100_000_000, faces, advice, track=track, passive=passive)


def session(name: str, *, live: bool, kind: str = "phone", video: bool = True) -> Presentation:
    return Presentation(name, (Path(name),), live, "live" if live else kind, video)


def film(*scores: float, advice: Advice = Advice.READY) -> Watched:
    return Watched(tuple(seen(number, score, advice) for number, score in enumerate(scores)))


def test_who_was_never_seen_well_got_no_verdict_and_is_counted_apart() -> None:
    policy = Policy()
    sessions = [
        session("good", live=True),
        session("dark", live=True),
        session("phone", live=False),
        session("clever phone", live=False),
        session("hidden", live=False, kind="mask"),
    ]
    watched = [
        film(*[0.99999] * 20),
        film(*[0.99999] * 20, advice=Advice.TOO_DARK),
        film(*[0.001] * 20),
        film(*[0.99999] * 20),
        film(*[0.99999] * 3),
    ]
    result = attacks.weigh(sessions, watched, policy, VERSIONS).result
    figures = result.sessions_ready
    assert (figures.apcer.events, figures.apcer.trials) == (1, 2)
    assert (figures.apnrr.events, figures.apnrr.trials) == (1, 3)
    assert (figures.bpcer.events, figures.bpcer.trials) == (0, 1)
    assert (figures.bpnrr.events, figures.not_certified.events) == (1, 1)
    assert (figures.accepted.events, figures.accepted.trials) == (1, 3)
    assert figures.acer == 0.25
    # The gate kept twenty frames of the dark room: they are reported, and without it that session would pass.
    dark = result.withheld[0]
    assert (dark.advice, dark.bona_fide, dark.frames, dark.passing) == ("too_dark", True, 20, 20)
    assert result.sessions_with_face.not_certified.events == 0
    assert (result.frames_ready.bpcer.trials, result.frames_with_face.bpcer.trials) == (20, 40)
    assert (result.frames_ready.bpnrr.events, result.frames_ready.bpnrr.trials) == (20, 40)
    assert [line.verdict for line in result.sessions] == ["pass", "none", "far", "pass", "none"]
    assert {kind.kind: kind.apcer.events for kind in figures.kinds} == {"mask": 0, "phone": 1}


def test_every_frame_is_accounted_for() -> None:
    frames = (
        seen(0, 0.99999),
        replace(seen(1, None), frozen=True),
        seen(2, None),
        seen(3, None, Advice.NO_FACE),
        seen(4, 0.99999, Advice.HOLD_STILL),
    )
    result = attacks.weigh([session("film", live=True)], [Watched(frames)], Policy(), VERSIONS).result
    kept = result.frames_with_face.bona_fide
    assert (result.frames, kept, result.repeated, result.unscored, result.without_face["bona_fide"]) == (
        5,
        2,
        1,
        1,
        1,
    )
    assert sum(held.frames for held in result.withheld) == 1


def test_many_sessions_of_few_people_are_few_people_for_the_bounds() -> None:
    people = [replace(session(f"{n}", live=n < 20), person=f"student {n % 4}") for n in range(40)]
    films = [film(*[0.99999 if n < 20 else 0.001] * 9) for n in range(40)]
    known = attacks.weigh(people, films, Policy(), VERSIONS).result
    assert (known.bounds_draw, known.sessions_ready.attacks, known.sessions_ready.attack_units) == ("people", 20, 4)
    assert known.sessions_ready.apcer.high == pytest.approx(1 - 0.025 ** (1 / 4))
    assert known.frames_ready.bpcer.high == known.sessions_ready.bpcer.high == known.sessions_ready.apcer.high
    unknown = attacks.weigh([replace(one, person=None) for one in people], films, Policy(), VERSIONS).result
    assert unknown.bounds_draw == "recordings"
    # Twenty recordings, however many frames they have.
    assert unknown.frames_ready.apcer.trials == 180
    assert (
        unknown.frames_ready.apcer.high == unknown.sessions_ready.apcer.high == pytest.approx(1 - 0.025 ** (1 / 20))
    )


def test_one_student_whose_photos_all_pass_widens_the_bounds() -> None:
    people = [replace(session(f"{n}", live=False), person=f"student {n // 10}") for n in range(40)]
    films = [film(*[0.99999 if n < 10 else 0.001] * 9) for n in range(40)]
    rate = attacks.weigh(people, films, Policy(), VERSIONS).result.sessions_ready.apcer
    assert rate.value == 0.25
    assert rate.low == 0.0
    assert rate.high >= 0.5


def test_a_film_that_breaks_off_is_judged_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Breaking:
        def __init__(self) -> None:
            self.frames = photos.still(photos.collins(), 3)

        def open(self) -> None: ...

        def close(self) -> None: ...

        def read(self, timeout_s: float) -> Frame | None:
            if not self.frames:
                raise CameraError("the film is torn.")
            return self.frames.pop(0)

    monkeypatch.setattr(look, "open_camera", lambda source, paced: Breaking())
    seen = look.Watch()()(Presentation("a.mp4", (tmp_path / "a.mp4",), True, "live", video=True))
    assert (len(seen.observations), seen.readable, seen.truncated, seen.unreadable) == (3, True, True, 0)


def test_a_folder_of_live_people_alone_says_that_no_attacks_were_given() -> None:
    result = attacks.weigh([session("a", live=True)], [film(*[0.99999] * 9)], Policy(), VERSIONS).result
    rows = dict(tables.attack_rows(result.sessions_ready, result.bounds_draw))
    assert rows["APCER"] == rows["no verdict: attacks (APNRR)"] == "no attacks given"
    sentence = tables.attacks_sentence(result)
    assert "models: 1 session (9 frames) judged" in sentence
    assert "no attacks given" in sentence
    assert "0 of 1 bona fide session (none seen: up to 98 %)" in sentence


def test_a_lost_face_begins_again_and_the_best_sighting_counts() -> None:
    frames = [seen(n, 0.001, track=1) for n in range(10)] + [seen(10 + n, 0.99999, track=2) for n in range(10)]
    judged = attacks.judge(session("film", live=False), Watched(tuple(frames)), Policy())
    assert judged.verdict is Verdict.PASS
    assert judged.ready_frames == 10


def test_one_picture_is_judged_by_its_one_frame_and_four_frames_of_a_film_are_not() -> None:
    picture = attacks.judge(session("a.png", live=True, video=False), film(0.99999), Policy())
    assert picture.verdict is Verdict.PASS
    clip = attacks.judge(session("a.mp4", live=True), film(*[0.99999] * (Policy().min_passive_frames - 1)), Policy())
    assert clip.verdict is Verdict.MORE


def test_a_cue_that_nothing_else_accompanies_has_no_figure_without_it() -> None:
    sessions = [session("good", live=True), session("phone", live=False)]
    result = attacks.weigh(sessions, [film(*[0.9] * 9), film(*[0.2] * 9)], Policy(), VERSIONS).result
    passive, relief = result.cues[0], result.cues[1]
    assert (passive.cue, passive.sessions, passive.auc_alone, passive.auc_without) == ("passive", 2, 1.0, None)
    assert (relief.sessions, relief.auc_alone, relief.auc_without) == (0, None, 1.0)


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[Path]:
    """A person in a room, as a film and as pictures; and another in the dark, called an attack here."""
    root = tmp_path / "recordings"
    (root / "live").mkdir(parents=True)
    size = (photos.WIDTH, photos.HEIGHT)
    writer = cv2.VideoWriter(str(root / "live" / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, size)
    for frame in photos.still(photos.collins(), 12):
        writer.write(np.ascontiguousarray(frame.rgb[:, :, ::-1]))
    writer.release()
    for number in range(6):
        save(root / "live" / "album" / f"{number}.png", photos.noisy(photos.collins(), number))
        dark = photos.noisy(photos.hopper(), number) // 5
        save(root / "spoof" / "dark" / f"{number}.png", dark)
    (root / "spoof" / "dark" / "broken.mp4").write_bytes(b"no film")
    yield root


def test_films_and_pictures_go_through_the_terminals_eyes(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("evaluate", "--attacks", recordings, "--sessions-by-folder", "--json", "--plots", tmp_path / "plots")
    assert anxin_models(*words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "anxin.evaluate.attacks/2"
    assert said["unreadable"] == {"bona_fide": 0, "attack": 1}
    by_name = {line["name"]: line for line in said["sessions"]}
    assert set(by_name) == {"live/film.avi", "live/album", "spoof/dark"}
    # A still portrait is no person, so whether it passes is the policy's affair; that it is judged is ours.
    assert by_name["live/film.avi"]["frames"] == 12
    assert by_name["live/film.avi"]["verdict"] != "none"
    film = by_name["live/film.avi"]
    assert sum(cue["llr"] for cue in film["cues"].values()) == pytest.approx(film["score"], abs=1e-3)
    assert film["cues"]["passive"]["statistic"] != film["cues"]["passive"]["llr"]
    assert (by_name["live/album"]["ready"], by_name["live/album"]["verdict"] != "none") == (6, True)
    assert (by_name["spoof/dark"]["ready"], by_name["spoof/dark"]["verdict"]) == (0, "none")
    assert [(held["advice"], held["frames"]) for held in said["withheld"]] == [("too_dark", 6)]
    assert said["sessions_ready"]["apnrr"]["events"] == 1
    assert sorted(file.name for file in (tmp_path / "plots").iterdir())[0].startswith("liveness_")


def test_attacks_end_with_what_the_terminal_would_do(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert anxin_models("evaluate", "--attacks", recordings) == 0
    text = " ".join(capsys.readouterr().out.split())
    # How many of a portrait's pictures pass is the policy's affair, and changes with it.
    assert re.search(
        r"would accept 0 of 6 attacks \(none seen: up to \d+ %\) and not certify \d of 7 bona fide sessions", text
    )


def test_one_picture_has_a_pattern_and_a_border_since_no_later_frame_will(tmp_path: Path) -> None:
    file = save(tmp_path / "1.png", photos.collins())
    (seen,) = look.Watch()()(Presentation("1.png", (file,), True, "live", video=False)).observations
    assert seen.advice is Advice.READY
    assert seen.cues.moire is not None
    assert seen.cues.border is not None
