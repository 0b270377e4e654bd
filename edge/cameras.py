"""Which camera a configuration's ``source`` means; with `edge.app` the only place that knows the adapters."""

from pathlib import Path

from edge.adapters.camera_file import FileCamera, FolderCamera
from edge.adapters.camera_picamera2 import Picamera2Camera
from edge.adapters.camera_socket import SocketCamera
from edge.adapters.camera_v4l2 import V4l2Camera
from edge.errors import ConfigError
from edge.ports import Camera


def open_camera(
    source: str, width_px: int = 640, height_px: int = 480, frames_per_second: int = 15, *, paced: bool = True
) -> Camera:
    """The camera of ``source``, not yet opened (`Camera.open` acquires).

    picamera2 | picamera2:NUMBER | v4l2:NAME | file:PATH | folder:PATH | socket:PATH.  ``paced`` False reads recorded
    sources as fast as they can be read.  Raises `ConfigError` for anything else.
    """
    kind, _, rest = source.partition(":")
    match kind, rest:
        case "picamera2", "":
            return Picamera2Camera(width_px, height_px, frames_per_second)
        case "picamera2", number if number.isdecimal():
            return Picamera2Camera(width_px, height_px, frames_per_second, int(number))
        case "v4l2", name if name:
            return V4l2Camera(name, width_px, height_px, frames_per_second)
        case "file", path if path:
            return FileCamera(Path(path), paced=paced)
        case "folder", path if path:
            return FolderCamera(Path(path), frames_per_second=frames_per_second, paced=paced)
        case "socket", path if path:
            return SocketCamera(Path(path))
    raise ConfigError(
        f"the camera source {source} is none that is known; use picamera2, v4l2:NAME, file:PATH, folder:PATH or "
        "socket:PATH."
    )
