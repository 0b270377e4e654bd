"""One suite for every camera: what `edge.ports.Camera` promises, kept by each adapter.

The vendors' libraries are stand-ins (tests/contracts/cameras.py); with the marker ``pi`` the same suite runs on the
real picamera2 where there is one.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.adapters.camera_file import FileCamera, FolderCamera
from edge.adapters.camera_picamera2 import Picamera2Camera
from edge.adapters.camera_socket import SocketCamera
from edge.adapters.camera_v4l2 import V4l2Camera, find_device
from edge.adapters.clock_system import SystemClock
from edge.cameras import open_camera
from edge.core.types import CameraState, Event
from edge.errors import CameraError, ConfigError, ToolError
from edge.ports import Camera, Frame, Pixels
from edge.runtime.capture import CaptureLoop
from sim.camera import SimCamera
from sim.socket_camera import FrameServer
from tests.contracts.cameras import (
    HEIGHT,
    WIDTH,
    FakeCapture,
    FakePicamera2,
    fake_devices,
    offering,
    producing,
    replug,
    scene,
    unplug,
    write_pictures,
    write_video,
)
from tests.vision import photos


@dataclass
class Rig:
    """A camera, whether it looks at our scene, and a way to make it hang (None: it cannot)."""

    camera: Camera
    our_scene: bool = True
    hang: Callable[[], None] | None = None
    wake: Callable[[], None] = lambda: None


@pytest.fixture(
    params=[
        "video",
        "video paced",
        "folder",
        "folder paced",
        "v4l2",
        "socket",
        "picamera2",
        "simulated",
        "simulated socket",
        pytest.param("real picamera2", marks=pytest.mark.pi),
    ]
)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    kind = request.param
    if kind.startswith("video"):
        write_video(tmp_path / "scene.avi")
        yield Rig(FileCamera(tmp_path / "scene.avi", paced=kind.endswith("paced")))
    elif kind.startswith("folder"):
        write_pictures(tmp_path / "pictures")
        yield Rig(FolderCamera(tmp_path / "pictures", frames_per_second=50, paced=kind.endswith("paced")))
    elif kind == "v4l2":
        fake_devices(tmp_path)
        capture = FakeCapture()
        yield Rig(
            V4l2Camera("HD Webcam", WIDTH, HEIGHT, 30, root=tmp_path, make=lambda *_: capture),
            hang=capture.hanging.set,
            wake=capture.hanging.clear,
        )
    elif kind == "socket":
        with producing(tmp_path / "frames") as producer:
            yield Rig(SocketCamera(tmp_path / "frames"), hang=producer.hanging.set, wake=producer.hanging.clear)
    elif kind == "picamera2":
        library = FakePicamera2()
        yield Rig(
            Picamera2Camera(WIDTH, HEIGHT, 30, make=lambda _: library),
            hang=lambda: setattr(library, "hanging", True),
            wake=lambda: setattr(library, "hanging", False),
        )
    elif kind == "simulated":
        simulated = SimCamera(lambda number, _at_s: scene(number), frames_per_second=50)
        yield Rig(
            simulated,
            hang=lambda: setattr(simulated, "hanging", True),
            wake=lambda: setattr(simulated, "hanging", False),
        )
    elif kind == "simulated socket":
        with FrameServer(tmp_path / "frames") as server, offering(server) as hanging:
            yield Rig(SocketCamera(tmp_path / "frames"), hang=hanging.set, wake=hanging.clear)
    else:
        if find_spec("picamera2") is None:
            pytest.skip("picamera2 is not installed here: run this on a Raspberry Pi with its camera")
        yield Rig(Picamera2Camera(640, 480, 15), our_scene=False)


@pytest.fixture
def opened(rig: Rig) -> Iterator[Rig]:
    rig.camera.open()
    yield rig
    rig.camera.close()
    rig.wake()
    for thread in threading.enumerate():
        if thread.name == "camera-v4l2":
            thread.join(5)


def take(camera: Camera, count: int) -> list[Frame]:
    frames = [camera.read(2.0) for _ in range(count)]
    assert None not in frames
    return [frame for frame in frames if frame is not None]


def test_frames_are_new_pictures_in_the_order_of_their_times(opened: Rig) -> None:
    frames = take(opened.camera, 5)
    numbers, times = [f.number for f in frames], [f.at_ns for f in frames]
    assert numbers == sorted(set(numbers)) and times == sorted(set(times))


def test_no_frame_is_older_than_the_opening(rig: Rig) -> None:
    before_ns = time.monotonic_ns()
    rig.camera.open()
    first = take(rig.camera, 1)[0]
    rig.camera.close()
    assert first.at_ns >= before_ns


def test_pixels_are_rgb_rows_of_the_frame_s_own_memory(opened: Rig) -> None:
    first, second = take(opened.camera, 2)
    for frame in (first, second):
        assert frame.rgb.dtype == np.uint8 and frame.rgb.ndim == 3 and frame.rgb.flags.c_contiguous
    assert not np.shares_memory(first.rgb, second.rgb)
    if opened.our_scene:
        for picture in [second.rgb] if second.small is None else [second.rgb, second.small]:
            height, width = picture.shape[:2]
            assert width / height == pytest.approx(WIDTH / HEIGHT, rel=0.02)
            left, right = (np.median(part.reshape(-1, 3), axis=0) for part in np.array_split(picture, 2, axis=1))
            assert left[0] > 150 > left[2] and right[2] > 150 > right[0]


def test_a_camera_that_is_not_open_says_so(rig: Rig) -> None:
    with pytest.raises(CameraError, match="not open"):
        rig.camera.read(0.1)


def test_closing_never_fails_and_opening_again_works(rig: Rig) -> None:
    rig.camera.close()
    for _ in range(2):
        rig.camera.open()
        take(rig.camera, 2)
        rig.camera.close()
        rig.camera.close()
    with pytest.raises(CameraError):
        rig.camera.read(0.1)


def test_a_camera_that_hangs_is_noticed_in_time(opened: Rig) -> None:
    if opened.hang is None:
        pytest.skip("this source cannot hang")
    take(opened.camera, 1)
    opened.hang()
    with pytest.raises(CameraError, match=r"within 0\.2 s"):
        for _ in range(10):
            opened.camera.read(0.2)


class Watching:
    """The camera's loop of a terminal on a camera, turned by hand until something happens."""

    def __init__(self, camera: Camera) -> None:
        self.frames: list[Frame] = []
        self.states: list[bool] = []
        self.loop = CaptureLoop(camera, SystemClock("host"), self.frames.append, self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, CameraState):
            self.states.append(event.working)

    def until(self, done: Callable[[], bool], *, within_s: float = 20.0) -> None:
        end_s = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < end_s, (self.states, self.loop.reason)
            time.sleep(self.loop.turn())


def test_the_terminal_sees_good_pictures_loses_the_camera_when_it_hangs_and_has_it_back(rig: Rig) -> None:
    watching = Watching(rig.camera)
    try:
        watching.until(lambda: len(watching.frames) >= 5)
        assert watching.states == [True]
        assert not watching.loop.refused
        if rig.hang is None:
            return
        rig.hang()
        watching.until(lambda: watching.states == [True, False])
        lost_after_s = (time.monotonic_ns() - watching.frames[-1].at_ns) / 1e9
        assert lost_after_s < 4  # 2 s, and room for a busy machine; the virtual clock holds the 2 s
        assert "within" in watching.loop.reason
        rig.wake()
        watching.until(lambda: watching.states == [True, False, True])
        assert watching.loop.reason == ""
    finally:
        rig.wake()
        watching.loop.close()
        for thread in threading.enumerate():
            if thread.name == "camera-v4l2":
                thread.join(5)


def test_an_unplugged_camera_that_comes_back_under_another_name_is_found_again(tmp_path: Path) -> None:
    """After a brown-out video1 is video3 (raspberrypi/linux #2551)."""
    fake_devices(tmp_path)
    made: list[tuple[str, FakeCapture]] = []

    def make(device: Path, *_: int) -> FakeCapture:
        made.append((device.name, FakeCapture()))
        return made[-1][1]

    watching = Watching(V4l2Camera("HD Webcam", WIDTH, HEIGHT, 30, root=tmp_path, make=make))
    watching.until(lambda: len(watching.frames) >= 3)
    replugged = Path(shutil.copytree(tmp_path, tmp_path.with_name("later"), symlinks=True))
    replug(replugged)
    unplug(tmp_path)
    made[-1][1].unplugged = True
    watching.until(lambda: watching.states == [True, False])
    watching.until(lambda: "no camera is called" in watching.loop.reason)
    for each in ("sys/class/video4linux/video3", "sys/class/video4linux/video4"):
        (replugged / each).rename(tmp_path / each)
    (tmp_path / "dev/video3").touch()
    watching.until(lambda: watching.states == [True, False, True])
    watching.loop.close()
    assert [name for name, _ in made] == ["video1", "video3"]
    assert all(capture.released for _, capture in made)


# --- what only one of them can do ------------------------------------------------------------------------------


@pytest.mark.parametrize("paced", [True, False])
def test_a_recording_ends_with_none(tmp_path: Path, paced: bool) -> None:
    write_video(tmp_path / "scene.avi", frames=4)
    write_pictures(tmp_path / "pictures", count=4)
    cameras: list[Camera] = [
        FileCamera(tmp_path / "scene.avi", paced=paced),
        FolderCamera(tmp_path / "pictures", frames_per_second=50, paced=paced),
        FolderCamera(tmp_path / "pictures" / "000.png", frames_per_second=50, paced=paced),
    ]
    for camera in cameras:
        camera.open()
        while (camera.read(2.0)) is not None:
            pass
        assert camera.read(2.0) is None
        camera.close()


def test_an_unpaced_video_gives_every_frame_at_its_own_time(tmp_path: Path) -> None:
    write_video(tmp_path / "scene.avi", frames=6, rate=25)
    camera = FileCamera(tmp_path / "scene.avi", paced=False)
    camera.open()
    frames = take(camera, 6)
    assert [f.number for f in frames] == list(range(6))
    assert {b.at_ns - a.at_ns for a, b in pairwise(frames)} == {40_000_000}
    camera.close()


def test_a_paced_video_skips_what_nobody_fetched(tmp_path: Path) -> None:
    write_video(tmp_path / "scene.avi", frames=40, rate=50)
    camera = FileCamera(tmp_path / "scene.avi")
    camera.open()
    first = take(camera, 1)[0]
    time.sleep(0.2)
    second = take(camera, 1)[0]
    camera.close()
    assert second.number - first.number >= 9


@pytest.mark.parametrize("name", ["missing.avi", "text.avi"])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.avi").write_text("not a video")
    with pytest.raises(CameraError, match="video"):
        FileCamera(tmp_path / name).open()


def test_a_folder_without_pictures_and_a_broken_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="holds no pictures"):
        FolderCamera(tmp_path).open()
    for content in (b"no picture", photos.gigapixels()):
        (tmp_path / "broken.png").write_bytes(content)
        camera = FolderCamera(tmp_path, paced=False)
        camera.open()
        with pytest.raises(CameraError, match="cannot be read as a picture"):
            camera.read(1.0)


def test_a_v4l2_camera_is_found_by_card_name_or_by_id(tmp_path: Path) -> None:
    fake_devices(tmp_path)
    assert find_device("HD Webcam", tmp_path).name == "video1"
    assert find_device("usb-Maker_HD_Webcam_1234-video-index0", tmp_path).name == "video1"


def test_an_unknown_v4l2_name_lists_the_names_there_are(tmp_path: Path) -> None:
    fake_devices(tmp_path)
    with pytest.raises(CameraError, match=r"no camera is called Nobody.*HD_Webcam_1234.*HD Webcam"):
        find_device("Nobody", tmp_path)
    with pytest.raises(CameraError, match="there are: none"):
        find_device("Nobody", tmp_path / "empty")
    with pytest.raises(CameraError):
        find_device("../../etc/passwd", tmp_path)


def test_two_v4l2_cameras_of_one_name_must_be_told_apart(tmp_path: Path) -> None:
    fake_devices(tmp_path)
    (tmp_path / "sys/class/video4linux/video0/name").write_text("HD Webcam\n")
    with pytest.raises(CameraError, match=r"2 cameras are called HD Webcam"):
        find_device("HD Webcam", tmp_path)


def test_an_unplugged_v4l2_camera_is_told_from_a_hung_one(tmp_path: Path) -> None:
    fake_devices(tmp_path)
    capture = FakeCapture()
    camera = V4l2Camera("HD Webcam", WIDTH, HEIGHT, 30, root=tmp_path, make=lambda *_: capture)
    camera.open()
    capture.unplugged = True
    with pytest.raises(CameraError, match="stopped giving frames"):
        for _ in range(5):
            camera.read(1.0)
    camera.close()
    assert capture.released


@pytest.mark.parametrize("odd", [np.zeros((HEIGHT, WIDTH, 2), np.uint8), np.zeros((0, 0, 3), np.uint8)])
def test_a_v4l2_camera_that_gives_an_odd_frame_is_told_and_released(tmp_path: Path, odd: Pixels) -> None:
    class Odd(FakeCapture):
        def read(self) -> tuple[bool, Any]:
            return True, odd

    fake_devices(tmp_path)
    capture = Odd()
    camera = V4l2Camera("HD Webcam", WIDTH, HEIGHT, 30, root=tmp_path, make=lambda *_: capture)
    camera.open()
    with pytest.raises(CameraError, match="stopped giving frames"):
        camera.read(1.0)
    assert capture.released
    camera.close()


def test_nobody_at_the_socket_and_nonsense_from_it_are_camera_errors(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="start that process"):
        SocketCamera(tmp_path / "frames").open()
    with producing(tmp_path / "frames") as producer:
        producer.garbage = True
        camera = SocketCamera(tmp_path / "frames")
        camera.open()
        with pytest.raises(CameraError, match="no more frames"):
            camera.read(1.0)
        camera.close()


def test_a_closed_socket_is_a_camera_error(tmp_path: Path) -> None:
    camera = SocketCamera(tmp_path / "frames")
    with producing(tmp_path / "frames"):
        camera.open()
        take(camera, 1)
    with pytest.raises(CameraError, match="no more frames"):
        for _ in range(10):
            camera.read(1.0)
    camera.close()


def test_a_slow_reader_of_a_socket_gets_the_newest_frame(tmp_path: Path) -> None:
    with producing(tmp_path / "frames"):
        camera = SocketCamera(tmp_path / "frames")
        camera.open()
        take(camera, 1)
        time.sleep(0.3)
        before_ns = time.monotonic_ns()
        latest = take(camera, 2)[-1]
        camera.close()
    # What the kernel had queued is skipped; the producer was blocked by it and goes on with the present.
    assert latest.at_ns >= before_ns - 400_000_000 and latest.number >= 1


def test_a_pi_camera_that_exchanges_the_format_is_refused() -> None:
    library = FakePicamera2()
    library.lores_format = "XRGB8888"
    camera = Picamera2Camera(WIDTH, HEIGHT, 30, make=lambda _: library)
    with pytest.raises(CameraError, match="XRGB8888"):
        camera.open()
    assert library.closed


def test_a_pi_without_camera_or_library_says_what_to_do() -> None:
    def none(_number: int) -> FakePicamera2:
        raise IndexError("list index out of range")

    with pytest.raises(CameraError, match="ribbon cable"):
        Picamera2Camera(WIDTH, HEIGHT, 30, make=none).open()
    if find_spec("picamera2") is None:
        with pytest.raises(ToolError, match="apt install python3-picamera2"):
            Picamera2Camera(WIDTH, HEIGHT, 30).open()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("picamera2", Picamera2Camera),
        ("picamera2:1", Picamera2Camera),
        ("v4l2:HD Webcam", V4l2Camera),
        ("file:clip.mp4", FileCamera),
        ("folder:photos", FolderCamera),
        ("socket:/run/anxin/frames", SocketCamera),
    ],
)
def test_a_configured_source_becomes_its_camera(source: str, kind: type) -> None:
    assert isinstance(open_camera(source), kind)


@pytest.mark.parametrize("source", ["", "v4l2", "file:", "picamera2:x", "webcam:0"])
def test_an_unknown_source_is_a_configuration_error(source: str) -> None:
    with pytest.raises(ConfigError, match="none that is known"):
        open_camera(source)
