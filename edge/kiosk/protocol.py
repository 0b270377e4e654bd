"""What the terminal and the page say to each other over ``ws://127.0.0.1:PORT/ws``, version 1.

Text frames are JSON objects with a ``type``; binary frames are JPEG previews (unmirrored, newest only).

Server to page
    ``hello``   first, once: the protocol's version, the leading language, limits, the page's own words
    ``view``    the whole page as it should look now; replaces the one before; sent at once to a new client
    ``say``     speak (or caption) a text; a newer one interrupts an older one

Page to server (at most `MAX_MESSAGE_BYTES` each)
    ``touch``   a button of the view; ``serial`` is the view it was touched on, so that a late touch of an
                older page is not taken for one of this page; ``still_here`` where the view has ``keypad``
                says that somebody is typing
    ``number``  an identity or staff number, where the view has ``keypad``
    ``ready``   send me one more preview frame; a client that never says so gets none

Whatever does not fit these models is refused.  docs/page.md describes the same for people.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edge.core.types import Action, Advice, Screen, Touch
from edge.errors import UntrustedError

PROTOCOL_VERSION: Final = 1
MAX_MESSAGE_BYTES: Final = 2048
MAX_NUMBER_CHARS: Final = 64  # the longest known form has 18; a scanner may add a prefix
MAX_VALUE_CHARS: Final = 64
MAX_PREVIEW_SIDE_PX: Final = 960
MAX_PREVIEW_FPS: Final = 15

Language = Literal["zh", "en"]
Tone = Literal["calm", "good", "attention"]
Serial = Annotated[int, Field(ge=0, le=2**53 - 1)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]  # sRGB
Key = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9_.]+$")]


class Message(BaseModel):
    """Frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


# --- server to page ------------------------------------------------------------------------------------------


class Text(Message):
    """One text in both languages, with its key in the catalogue (which is also the name of its voice file)."""

    key: Key
    zh: str
    en: str


class ChoiceShown(Message):
    """A button: what to send back when it is touched, and its label."""

    touch: Touch
    value: str = ""
    label: Text


class AdviceShown(Message):
    """The one next thing that helps the picture most."""

    kind: Advice
    text: Text


class ActionShown(Message):
    """The prompted action; left and right are the person's own.  Its text is absent while another is asked."""

    kind: Action
    text: Text | None = None


class Hello(Message):
    """The first message of a connection."""

    type: Literal["hello"] = "hello"
    version: int = PROTOCOL_VERSION
    language: Language
    max_message_bytes: int = MAX_MESSAGE_BYTES
    max_number_chars: int = MAX_NUMBER_CHARS
    max_preview_side_px: int = MAX_PREVIEW_SIDE_PX
    max_preview_fps: int = MAX_PREVIEW_FPS
    words: dict[str, Text] = Field(description="The page's own words: keypad, waiting, spoken help.")
    voices: dict[Language, tuple[str, ...]] = Field(description="Keys that have /static/voice/{language}/{key}.ogg.")


class ViewShown(Message):
    """The page as it should look now.  ``serial`` grows by one with every view of this terminal's process."""

    type: Literal["view"] = "view"
    serial: Serial
    screen: Screen
    prompt: Text
    detail: Text | None = None
    choices: tuple[ChoiceShown, ...] = ()
    keypad: bool = False
    preview: bool = False
    advice: AdviceShown | None = None
    action: ActionShown | None = None
    ticket: str = Field(default="", max_length=40, description="The ticket of a handover, to be shown large.")
    tone: Tone = "calm"
    light: Colour | None = Field(default=None, description="The colour to fade to softly; absent: the page's own.")


class Saying(Message):
    """Speak or caption this."""

    type: Literal["say"] = "say"
    text: Text


ToPage = Annotated[Hello | ViewShown | Saying, Field(discriminator="type")]


# --- page to server ------------------------------------------------------------------------------------------


class TouchMade(Message):
    """The person touched a button.  Without ``serial`` it counts for whatever view is current."""

    type: Literal["touch"] = "touch"
    touch: Touch
    value: str = Field(default="", max_length=MAX_VALUE_CHARS)
    serial: Serial | None = None


class NumberTyped(Message):
    """A number from the keypad, or from a reader that types like a keyboard.  Its repr never shows it."""

    type: Literal["number"] = "number"
    text: str = Field(max_length=MAX_NUMBER_CHARS, pattern=r"^[^\x00-\x1f\x7f]*$", repr=False)
    source: Literal["keypad", "qr", "card"] = "keypad"
    serial: Serial | None = None


class Ready(Message):
    """The client has drawn what it got and wants one more preview frame."""

    type: Literal["ready"] = "ready"


FromPage = Annotated[TouchMade | NumberTyped | Ready, Field(discriminator="type")]

_FROM_PAGE: Final[TypeAdapter[TouchMade | NumberTyped | Ready]] = TypeAdapter(FromPage)
_TO_PAGE: Final[TypeAdapter[Hello | ViewShown | Saying]] = TypeAdapter(ToPage)


def from_page(raw: str) -> TouchMade | NumberTyped | Ready:
    """What the page said; raises `UntrustedError`, which never repeats the content, when it does not fit."""
    if len(raw.encode("utf-8", "replace")) > MAX_MESSAGE_BYTES:
        raise UntrustedError(f"A message of the page is longer than {MAX_MESSAGE_BYTES} bytes.")
    try:
        return _FROM_PAGE.validate_json(raw)
    except (ValidationError, UnicodeEncodeError):
        raise UntrustedError("A message of the page does not fit the protocol.") from None


def to_page(raw: str) -> Hello | ViewShown | Saying:
    """What the terminal said, for clients written in Python; raises `UntrustedError` when it does not fit."""
    try:
        return _TO_PAGE.validate_json(raw)
    except ValidationError:
        raise UntrustedError("A message of the terminal does not fit the protocol.") from None
