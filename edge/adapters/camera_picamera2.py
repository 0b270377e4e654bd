"""The Raspberry Pi camera through picamera2, behind `edge.ports.Camera`.

Two streams: main for the face, lores (YUV420) for the detector.  What picamera2 does that one has to know:
  * It calls back under its own lock, from its own thread: copy, leave, never call it from there (#849).
  * The first requests may be from before `start` (#426): frames older than `open` are dropped by their time.
  * A format that the pipeline does not have is silently exchanged: `camera_configuration()` tells the real one.
  * Its RGB888 lies in memory as B, G, R; a YUV420 array keeps the rows' padding.
  * SensorTimestamp counts CLOCK_BOOTTIME, which runs on in suspend; everybody else here counts CLOCK_MONOTONIC.
"""

import threading
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import cv2
import numpy as np

from edge.errors import CameraError, CameraGoneError, ToolError
from edge.ports import Frame, Pixels

_SMALL_PX = 320  # the detector sees 128; a lores stream of 320 costs little and survives the letterbox
# What lies in memory under picamera2's names, and how it becomes RGB; None: it is.
_TO_RGB: Mapping[str, int | None] = {
    "RGB888": cv2.COLOR_BGR2RGB,
    "BGR888": None,
    "YUV420": cv2.COLOR_YUV2RGB_I420,
    "NV12": cv2.COLOR_YUV2RGB_NV12,
}


def _picamera2(number: int) -> Any:
    """A Picamera2; ToolError when the package or libcamera's binding is missing."""
    try:
        library = import_module("picamera2")
    except ImportError as error:
        raise ToolError(f"picamera2 cannot be imported ({error}); run: apt install python3-picamera2") from None
    return library.Picamera2(number)


class Picamera2Camera:
    """The newest frame of camera ``number``.  ``make`` gives an object with Picamera2's methods."""

    def __init__(
        self,
        width_px: int,
        height_px: int,
        frames_per_second: int,
        number: int = 0,
        *,
        make: Callable[[int], Any] = _picamera2,
    ) -> None:
        self.name = f"picamera2:{number}"
        self._number = number
        self._size = (width_px, height_px)
        small_height = round(_SMALL_PX * height_px / width_px / 2) * 2  # YUV420 halves it
        self._small_size = (_SMALL_PX, small_height)
        self._rate = frames_per_second
        self._make = make
        self._camera: Any = None
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: str | None = None
        self._count = 0
        self._opened_ns = 0
        self._formats: dict[str, str] = {}

    def open(self) -> None:
        self.close()
        with self._changed:
            self._frame, self._error, self._count = None, None, 0
        try:
            self._camera = self._make(self._number)
            self._configure()
            self._camera.post_callback = self._arrived
            self._opened_ns = time.monotonic_ns()
            self._camera.start()
        except IndexError:  # picamera2's list of cameras is shorter
            self.close()
            raise CameraGoneError(
                f"{self.name} is not connected; check its ribbon cable and `rpicam-hello --list-cameras`."
            ) from None
        except (RuntimeError, OSError) as error:  # what picamera2 and libcamera raise when they cannot start it
            self.close()
            raise CameraError(
                f"{self.name} cannot be started ({error}); check its ribbon cable and `rpicam-hello --list-cameras`."
            ) from None
        except CameraError:
            self.close()
            raise

    def read(self, timeout_s: float) -> Frame | None:
        if self._camera is None:
            raise CameraError(f"{self.name} is not open; open the camera before reading it.")
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._error is not None, timeout_s)
            frame, self._frame = self._frame, None
        if frame is not None:
            return frame
        if self._error is not None:
            raise CameraError(f"{self.name} gave a frame that cannot be used ({self._error}); it is opened again.")
        raise CameraError(f"{self.name} gave no new frame within {timeout_s:g} s; it is opened again.")

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is None:
            return
        camera.post_callback = None
        for end in (camera.stop, camera.close):
            try:
                end()
            except Exception:  # noqa: BLE001, S112 - the vendor's boundary: close never raises, whatever broke before
                continue
        with self._changed:
            self._frame = None

    def _configure(self) -> None:
        camera = self._camera
        wanted = camera.create_video_configuration(
            main={"size": self._size, "format": "RGB888"},
            lores={"size": self._small_size, "format": "YUV420"},
            controls={"FrameRate": float(self._rate)},
            buffer_count=4,  # one at the sensor, one in our callback, two to spare; more only adds memory
            queue=False,  # no frame waits for us in the library: the newest is the one to look at
        )
        camera.configure(wanted)
        actual = camera.camera_configuration()
        for stream, size in (("main", self._size), ("lores", self._small_size)):
            got = actual[stream]
            if str(got["format"]) not in _TO_RGB or tuple(got["size"]) != size:
                width, height = got["size"]
                raise CameraError(
                    f"{self.name} gives {width}x{height} {got['format']} for {size[0]}x{size[1]} on its {stream} "
                    "stream; choose a size the sensor has."
                )
            self._formats[stream] = str(got["format"])

    def _arrived(self, request: Any) -> None:
        """picamera2's callback: copy both streams and leave; the library then releases the buffers."""
        try:
            at_ns = _monotonic_ns(request.get_metadata().get("SensorTimestamp"))
            self._count += 1
            if at_ns < self._opened_ns:
                return
            rgb = self._picture(request, "main", self._size)
            small = self._picture(request, "lores", self._small_size)
        except Exception as error:  # noqa: BLE001 - in the vendor's thread it would end silently; `read` tells it
            with self._changed:
                self._error = f"{type(error).__name__}: {error}"
                self._changed.notify_all()
            return
        with self._changed:
            self._frame = Frame(self._count - 1, at_ns, rgb, small)
            self._changed.notify_all()

    def _picture(self, request: Any, stream: str, size: tuple[int, int]) -> Pixels:
        """RGB of a stream, its own memory, without the rows' padding."""
        width, height = size
        array = request.make_array(stream)
        code = _TO_RGB[self._formats[stream]]
        rgb = np.asarray(array if code is None else cv2.cvtColor(array, code), np.uint8)
        return np.array(rgb[:height, :width], np.uint8, order="C", copy=True)


def _monotonic_ns(sensor_ns: int | None) -> int:
    """The sensor's time on CLOCK_MONOTONIC; now, where the pipeline tells none."""
    now_ns = time.monotonic_ns()
    if not sensor_ns:
        return now_ns
    slept_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now_ns
    return min(sensor_ns - slept_ns, now_ns)
