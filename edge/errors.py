"""The tree of Anxin's exceptions.

    AnxinError
    ├── ConfigError     a setting is unknown, missing or out of bounds                    exit 10
    ├── ModelError      a model file is missing, damaged, or answers wrongly              exit 11
    ├── CameraError     no camera, a vanished one, or one that stopped giving new frames  exit 12
    │   ├── CameraGoneError  it is not connected: opening it again helps only when it is back
    │   └── CameraStuckError  it is there and gives nothing: only a new process helps
    ├── StateError      stored state is damaged, of another device, or cannot be written  exit 13
    │   └── NotDurableError  a record could not be made durable: nothing may be promised
    ├── UntrustedError  a roster, policy, receipt or message that must not be believed    exit 14
    ├── LinkError       the broker cannot be reached or refuses us                        exit 15
    └── ToolError       a program or package we need is not installed                     exit 16

Adapters translate their vendor's errors into this tree; nobody else catches broadly.  Every message is a
sentence that says what to do, and never holds a name, an identity number, an image or an embedding.
"""


class AnxinError(Exception):
    """The base of all errors that Anxin raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 1


class ConfigError(AnxinError):
    """A setting is unknown, missing or out of bounds; the message names the file, the key and the remedy."""

    exit_code = 10


class ModelError(AnxinError):
    """A model file is missing, damaged, or does not give its known answer."""

    exit_code = 11


class CameraError(AnxinError):
    """No camera, a camera that vanished, or one that no longer gives new frames."""

    exit_code = 12


class CameraGoneError(CameraError):
    """The camera is not connected."""


class CameraStuckError(CameraError):
    """The camera is there and gives nothing, however often it is opened: only a new process helps."""


class StateError(AnxinError):
    """Stored state is damaged, belongs to another device, or cannot be written; nothing was overwritten."""

    exit_code = 13


class NotDurableError(StateError):
    """A record could not be made durable; the person must not be told that it is done."""


class UntrustedError(AnxinError):
    """A document or message fails its signature, schema, addressee, number or date and is refused."""

    exit_code = 14


class LinkError(AnxinError):
    """The broker cannot be reached, or refuses this client; the outbox keeps everything meanwhile."""

    exit_code = 15


class ToolError(AnxinError):
    """A program or package that this command needs is not installed; the message names it."""

    exit_code = 16
