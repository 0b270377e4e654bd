"""What is a new picture of the room, and what is not: frozen, looping, black, torn, rolled, slanted, out of time."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ports import Frame, Pixels
from edge.runtime.picture import PictureCheck, Trouble
from sim import spoil

FRAME_NS = 66_000_000


def room(number: int, *, level: float = 1.0, noise: float = 1.0, height: int = 240, width: int = 320) -> Pixels:
    """A room of ours: a wall that gets darker to the right, a door, a lamp, something that moves, and noise."""
    rng = np.random.default_rng(number)
    rgb = np.empty((height, width, 3), np.float32)
    rgb[:] = np.linspace(150, 90, width)[None, :, None] * np.array([1.0, 0.95, 0.85])
    rgb[height // 4 :, width // 8 : width // 4] = (90, 60, 40)
    rgb[height // 10 : height // 4, width // 2 : width * 5 // 8] = (240, 235, 210)
    x = width // 3 + number * 3 % (width // 3)
    rgb[height // 2 :, x : x + width // 6] = (60, 70, 110)
    return np.clip(rgb * level + rng.normal(0, noise, rgb.shape), 0, 255).astype(np.uint8)


def frame(number: int, rgb: Pixels | None = None) -> Frame:
    return Frame(number, (number + 1) * FRAME_NS, room(number) if rgb is None else rgb)


def judged(frames: list[Frame]) -> list[Trouble | None]:
    check = PictureCheck()
    check.opened(0)
    return [check.trouble(each, (number + 1) * FRAME_NS) for number, each in enumerate(frames)]


def after_good_ones(*spoiled: Frame) -> list[Trouble | None]:
    return judged([*(frame(number) for number in range(5)), *spoiled])[5:]


def test_a_room_with_its_noise_is_a_new_picture_every_time() -> None:
    assert judged([frame(number) for number in range(60)]) == [None] * 60


def test_a_room_in_which_nothing_moves_is_still_new_because_of_the_noise() -> None:
    still = room(1, noise=0).astype(np.int16)
    rng = np.random.default_rng(5)
    frames = [
        frame(number, np.clip(still + rng.integers(-1, 2, still.shape), 0, 255).astype(np.uint8))
        for number in range(30)
    ]
    assert judged(frames) == [None] * 30


@pytest.mark.parametrize("level", [0.5, 0.1, 0.05])
def test_a_dark_room_is_not_a_broken_camera(level: float) -> None:
    assert judged([frame(n, room(n, level=level)) for n in range(10)]) == [None] * 10


@pytest.mark.parametrize("level", [1.5, 2.0])
def test_a_room_with_far_too_much_light_is_not_a_broken_camera(level: float) -> None:
    assert judged([frame(n, room(n, level=level)) for n in range(10)]) == [None] * 10


def test_a_warm_lamp_and_a_coloured_page_are_not_a_broken_camera() -> None:
    tints = ((1.3, 1.0, 0.6), (0.7, 1.0, 1.3), (0.8, 1.2, 0.8), (1.2, 0.8, 1.2))
    pictures = [np.clip(room(n) * np.array(tint), 0, 255).astype(np.uint8) for n, tint in enumerate(tints)]
    assert judged([frame(n, rgb) for n, rgb in enumerate(pictures)]) == [None] * 4


@pytest.mark.parametrize("buffers", [1, 2, 4, 32])
@pytest.mark.parametrize("times_move", [True, False])
def test_buffers_that_come_round_again_are_repeats(buffers: int, times_move: bool) -> None:
    check = PictureCheck()
    check.opened(0)
    fresh = [frame(number) for number in range(buffers)]
    for each in fresh:
        assert check.trouble(each, each.at_ns) is None
    for turn in range(2 * buffers):
        old = fresh[turn % buffers]
        at_ns = (buffers + turn + 1) * FRAME_NS
        again = replace(old, at_ns=at_ns, rgb=old.rgb.copy()) if times_move else old
        assert check.trouble(again, at_ns) is (Trouble.REPEATED if times_move else Trouble.PAST)


def test_a_clock_painted_into_a_frozen_picture_does_not_make_it_new() -> None:
    lifeless = spoil.Lifeless()
    assert judged([lifeless(frame(number)) for number in range(6)]) == [None, *[Trouble.LIFELESS] * 5]


def test_fresh_noise_over_a_frozen_picture_cannot_be_told_and_is_left_to_liveness() -> None:
    still = room(1)
    rng = np.random.default_rng(5)
    frames = [frame(n, np.clip(still + rng.normal(0, 1, still.shape), 0, 255).astype(np.uint8)) for n in range(5)]
    assert judged(frames) == [None] * 5


@pytest.mark.parametrize(
    ("spoiler", "trouble"),
    [
        (spoil.black, Trouble.BLACK),
        (spoil.white, Trouble.WHITE),
        (spoil.green, Trouble.TINTED),
        (spoil.torn, Trouble.TORN),
        (spoil.rolled, Trouble.ROLLED),
        (spoil.resized, Trouble.RESIZED),
    ],
)
def test_what_a_broken_camera_gives_is_told_by_its_name(spoiler: Callable[[Frame], Frame], trouble: Trouble) -> None:
    assert after_good_ones(*(spoiler(frame(n)) for n in range(5, 10))) == [trouble] * 5


@pytest.mark.parametrize(
    ("colour", "trouble"),
    [
        ((0, 0, 0), Trouble.BLACK),
        ((16, 16, 16), Trouble.BLACK),
        ((255, 255, 255), Trouble.WHITE),
        ((0, 135, 0), Trouble.TINTED),
        ((255, 0, 255), Trouble.TINTED),
        ((128, 128, 128), Trouble.ONE_COLOUR),
    ],
)
def test_one_colour_without_any_noise_shows_nothing(colour: tuple[int, int, int], trouble: Trouble) -> None:
    check = PictureCheck()
    check.opened(0)
    flat = np.full((240, 320, 3), colour, np.uint8)
    assert check.trouble(frame(0, flat), FRAME_NS) is trouble


def test_magenta_over_a_whole_room_is_a_broken_driver() -> None:
    """YUV with U = V = 255, as RGB."""
    luma = room(5).mean(axis=2)
    rgb = np.stack([luma + 179, luma - 135, luma + 227], axis=2)
    assert after_good_ones(frame(5, np.clip(rgb, 0, 255).astype(np.uint8))) == [Trouble.TINTED]


def test_the_upper_part_of_an_older_picture_over_a_newer_one_is_torn() -> None:
    """Where somebody stands at the seam the two do not meet."""
    older, newer = room(4), np.roll(room(5), 90, axis=1)
    seam = 150
    newer[:seam] = older[:seam]
    assert after_good_ones(frame(5, newer)) == [Trouble.TORN]


def test_a_recording_with_black_bars_above_and_below_is_not_torn() -> None:
    pictures = [room(n) for n in range(5)]
    for rgb in pictures:
        rgb[:30] = rgb[-30:] = 0
    assert judged([frame(n, rgb) for n, rgb in enumerate(pictures)]) == [None] * 5


def test_sideways_rolled_columns_are_noticed_too() -> None:
    assert after_good_ones(frame(5, np.roll(room(5), 100, axis=1))) == [Trouble.ROLLED]


def test_somebody_who_walks_along_a_plain_wall_does_not_roll_the_picture() -> None:
    pictures = []
    for number in range(20):
        rgb = np.random.default_rng(number).integers(150, 156, (240, 320, 3), np.uint8)
        rgb[60:, 10 * number : 10 * number + 110] -= 90
        pictures.append(rgb)
    assert judged([frame(n, rgb) for n, rgb in enumerate(pictures)]) == [None] * 20


def test_a_room_that_was_rolled_for_a_minute_is_the_room_as_it_is_now() -> None:
    check = PictureCheck()
    check.opened(0)
    assert check.trouble(frame(0), FRAME_NS) is None
    for number in (1, 106, 212, 848):  # what moves is then where it was
        assert check.trouble(spoil.rolled(frame(number)), (number + 1) * FRAME_NS) is Trouble.ROLLED
    assert check.trouble(spoil.rolled(frame(1000)), 1001 * FRAME_NS) is None


def test_a_terminal_that_was_pushed_a_little_is_not_rolled() -> None:
    wide = room(5, height=300, width=400)
    moved = [frame(n, np.ascontiguousarray(wide[n : n + 240, 2 * n : 2 * n + 320])) for n in range(12)]
    noisy = [replace(each, rgb=np.clip(each.rgb + room(each.number, level=0), 0, 255)) for each in moved]
    assert judged(noisy) == [None] * 12


@pytest.mark.parametrize("padding", [2, 8, 32, -8])
def test_a_wrong_row_length_slants_the_picture(padding: int) -> None:
    """A driver that pads its rows, read as if it did not (or the other way round)."""
    height, width = 240, 320
    flat = room(1, height=height + 40, width=width + padding).reshape(-1, 3)
    slanted = flat[: height * width].reshape(height, width, 3)
    check = PictureCheck()
    check.opened(0)
    assert check.trouble(frame(0, np.ascontiguousarray(slanted)), FRAME_NS) is Trouble.SLANTED


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((240, 320), np.uint8),
        np.zeros((240, 320, 4), np.uint8),
        np.zeros((240, 320, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((9000, 40, 3), np.uint8),
        None,
        "a picture",
    ],
)
def test_what_is_no_picture_at_all_reaches_no_model(odd: object) -> None:
    assert after_good_ones(Frame(5, 6 * FRAME_NS, odd)) == [Trouble.ODD]  # type: ignore[arg-type]
    assert after_good_ones(Frame(5, 6 * FRAME_NS, room(5), small=odd)) == (  # type: ignore[arg-type]
        [None] if odd is None else [Trouble.ODD]
    )


def test_times_that_stand_still_go_backwards_or_ahead_are_refused() -> None:
    check = PictureCheck()
    check.opened(10 * FRAME_NS)
    now_ns = 100 * FRAME_NS
    from_before_the_start = Frame(0, 9 * FRAME_NS, room(0))
    assert check.trouble(from_before_the_start, 11 * FRAME_NS) is Trouble.PAST
    assert check.trouble(Frame(1, now_ns, room(1)), now_ns) is None
    assert check.trouble(Frame(2, now_ns, room(2)), now_ns + FRAME_NS) is Trouble.PAST
    assert check.trouble(Frame(3, now_ns - 5, room(3)), now_ns + FRAME_NS) is Trouble.PAST
    assert check.trouble(Frame(4, now_ns + 2_000_000_000, room(4)), now_ns + FRAME_NS) is Trouble.FUTURE
    assert check.trouble(Frame(5, now_ns + FRAME_NS, room(5)), now_ns + 60 * FRAME_NS) is Trouble.PAST
    assert check.trouble(Frame(6, now_ns + 60 * FRAME_NS, room(6)), now_ns + 60 * FRAME_NS) is None


@pytest.mark.parametrize("quality", [95, 70, 40])
def test_a_webcam_s_compression_is_taken_for_no_fault(quality: int) -> None:
    def through_jpeg(rgb: Pixels) -> Pixels:
        packed = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)

    frames = [frame(n, through_jpeg(room(n, noise=2.0, height=480, width=640))) for n in range(40)]
    assert judged(frames) == [None] * 40


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(32, 200),
    width=st.integers(32, 200),
    fill=st.sampled_from(["zeros", "noise", "lines", "half"]),
    seed=st.integers(0, 1000),
)
def test_whatever_bytes_come_the_check_answers(height: int, width: int, fill: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    check = PictureCheck()
    check.opened(0)
    for number in range(3):
        rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
        if fill == "zeros":
            rgb[:] = 0
        elif fill == "lines":
            rgb[:] = rgb[:, :1]
        elif fill == "half":
            rgb[height // 2 :] = 0
        answer = check.trouble(frame(number, rgb), (number + 1) * FRAME_NS)
        assert answer is None or answer in Trouble
