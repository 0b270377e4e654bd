"""The real page behind the Guide port, with a real client: what the person sees, says, and is spared."""

import asyncio
import logging
import re
import socket
import threading
from itertools import count

import aiohttp
import numpy as np
import pytest
import simplejpeg

from edge.core.phrases import Phrase
from edge.core.types import Action, Advice, Choice, Event, NumberEntered, Say, Screen, Touch, Touched, View
from edge.errors import ConfigError
from edge.kiosk import protocol
from edge.kiosk.protocol import Hello, Saying, ViewShown
from edge.kiosk.security import HEADERS
from edge.kiosk.server import MAX_CLIENTS, MAX_REFUSED, Page, encoded
from edge.kiosk.texts import Texts
from edge.ports import Frame, Guide
from tests.kiosk.window import PATIENCE_S, window

pytestmark = pytest.mark.asyncio

NUMBER = "110101194501011237"
YES = Choice(Touch.YES, Phrase.BUTTON_YES)
NO = Choice(Touch.NO, Phrase.BUTTON_NO)
CONFIRM = View(Screen.CONFIRM, Phrase.CONFIRM_SELF, params={"name": "王*英"}, choices=(YES, NO))
KEYPAD = View(
    Screen.IDENTIFY, Phrase.ASK_NUMBER, keypad=True, choices=(Choice(Touch.BACK, Phrase.BUTTON_BACK),)
)  # fmt: skip
DONE = View(
    Screen.CLOSING, Phrase.CLOSING_DONE, params={"name": "王*英", "until": "2027-11-30"}, tone="good",
    choices=(Choice(Touch.FINISH, Phrase.BUTTON_FINISH),),
)  # fmt: skip


def framing(advice: Advice) -> View:
    cannot = Choice(Touch.CANNOT, Phrase.BUTTON_CANNOT)
    return View(Screen.FRAMING, Phrase(f"advice.{advice}"), choices=(cannot,), preview=True, advice=advice)


def grey(number: int, width: int = 640, height: int = 480) -> Frame:
    return Frame(number, number, np.full((height, width, 3), 128, np.uint8))


def as_guide(page: Page) -> Guide:
    return page  # mypy: the page is a Guide


async def test_a_view_is_shown_in_both_languages_with_the_date_written_out(page: Page) -> None:
    async with window(page) as person:
        page.show(DONE)
        view = await person.hears(ViewShown)
    assert view.prompt.zh == "办好了！王*英 的认证有效期到2027年11月30日。"
    assert view.prompt.en == "Done! 王*英 is certified until 30 November 2027."
    assert (view.screen, view.tone, view.keypad, view.preview) == (Screen.CLOSING, "good", False, False)
    assert [(c.touch, c.label.zh, c.label.en) for c in view.choices] == [(Touch.FINISH, "完成", "Finish")]


async def test_what_the_person_touches_is_told_to_the_session(page: Page, told: list[Event]) -> None:
    async with window(page, Origin=page.url.rstrip("/")) as person:
        page.show(CONFIRM)
        view = await person.hears(ViewShown)
        await person.says(type="touch", touch="no", value="", serial=view.serial)
        await person.says(type="touch", touch="yes")
        await person.settles(page)
    assert told == [Touched(Touch.NO), Touched(Touch.YES)]


async def test_a_button_that_the_page_does_not_offer_does_nothing(page: Page, told: list[Event]) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        await person.says(type="touch", touch="agree")
        await person.says(type="touch", touch="yes", value="spouse")
        await person.says(type="number", text=NUMBER)
        await person.settles(page)
    assert told == []


async def test_a_late_touch_of_the_page_before_is_not_taken_for_this_one(page: Page, told: list[Event]) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        confirm = await person.hears(ViewShown)
        page.show(View(Screen.IDENTIFY, Phrase.VALID_ALREADY, params=DONE.params, choices=(YES,)))
        await person.says(type="touch", touch="yes", serial=confirm.serial)
        await person.settles(page)
    assert told == []


async def test_a_touch_counts_while_only_the_advice_changes(page: Page, told: list[Event]) -> None:
    async with window(page) as person:
        page.show(framing(Advice.TOO_FAR))
        first = await person.hears(ViewShown)
        page.show(framing(Advice.MOVE_LEFT))
        page.show(framing(Advice.HOLD_STILL))
        await person.says(type="touch", touch="cannot", serial=first.serial)
        await person.says(type="touch", touch="cannot", serial=first.serial + 100)
        await person.settles(page)
    assert told == [Touched(Touch.CANNOT)]


async def test_a_number_is_told_and_appears_in_no_log(
    page: Page, told: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with window(page) as person:
        page.show(KEYPAD)
        await person.says(type="number", text=NUMBER, source="keypad")
        await person.says(type="number", text=NUMBER, source="unheard of")
        await person.says(type="number", text=NUMBER, source="card", extra=NUMBER)
        await person.settles(page)
        page.show(CONFIRM)
        await person.says(type="number", text=NUMBER)
        await person.settles(page)
    assert told == [NumberEntered(NUMBER, "keypad")]
    assert NUMBER not in caplog.text
    assert NUMBER not in repr(told)
    assert NUMBER not in repr(protocol.NumberTyped(text=NUMBER))


async def test_a_staff_number_comes_with_the_button_that_asks_for_it(page: Page, told: list[Event]) -> None:
    go_on = Choice(Touch.START_ASSISTED, Phrase.BUTTON_CONTINUE)
    async with window(page) as person:
        page.show(View(Screen.IDENTIFY, Phrase.ASK_STAFF_NUMBER, keypad=True, choices=(go_on,)))
        await person.says(type="touch", touch="start_assisted", value="A1207")
        await person.settles(page)
    assert told == [Touched(Touch.START_ASSISTED, "A1207")]


async def test_somebody_who_types_slowly_is_known_to_be_there(page: Page, told: list[Event]) -> None:
    async with window(page) as person:
        page.show(KEYPAD)
        await person.says(type="touch", touch="still_here")
        await person.says(type="touch", touch="back", value=NUMBER)
        await person.settles(page)
        page.show(CONFIRM)
        await person.says(type="touch", touch="still_here")
        await person.settles(page)
    assert told == [Touched(Touch.STILL_HERE)]


async def test_malformed_messages_are_counted_and_logged_once_without_content(
    page: Page, told: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        await person.hears(ViewShown)
        for raw in (
            "",
            "{",
            "[]",
            '{"type":"secret"}',
            '{"type":"touch","touch":"secret"}',
            '{"type":"ready","secret":1}',
        ):
            await person.socket.send_str(raw)
        await person.socket.send_bytes(b"secret")
        await person.says(type="touch", touch="yes")  # the connection is kept
        await person.settles(page)
    assert page.refused == 8
    assert told == [Touched(Touch.YES)]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "secret" not in caplog.text


async def test_a_window_that_sends_nothing_but_nonsense_is_closed_and_the_others_stay(page: Page) -> None:
    async with window(page) as person, window(page) as noise:
        for _ in range(MAX_REFUSED + 1):
            await noise.socket.send_str("nonsense")
        closed = await noise.socket.receive(timeout=PATIENCE_S)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)
        page.show(CONFIRM)
        await person.hears(ViewShown)


async def test_an_oversized_message_closes_its_connection_only(page: Page, told: list[Event]) -> None:
    async with window(page) as person, window(page) as large:
        page.show(CONFIRM)
        await large.hears(ViewShown)
        await large.says(type="touch", touch="yes", value="x" * protocol.MAX_MESSAGE_BYTES)
        closed = await large.socket.receive(timeout=PATIENCE_S)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)
        await person.says(type="touch", touch="no")
        await person.settles(page)
    assert told == [Touched(Touch.NO)]
    assert page.refused == 2


async def test_a_page_that_comes_back_sees_at_once_where_it_was(page: Page) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        before = await person.hears(ViewShown)
    async with window(page) as person:
        assert await person.hears(ViewShown) == before


async def test_showing_the_same_view_again_changes_nothing(page: Page) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        page.show(CONFIRM)
        page.show(DONE)
        first, second = await person.hears(ViewShown), await person.hears(ViewShown)
    assert (first.screen, second.screen) == (Screen.CONFIRM, Screen.CLOSING)
    assert second.serial == first.serial + 1


async def test_the_greeting_tells_language_limits_and_the_pages_own_words(page: Page) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(page.url + "ws") as raw:
        hello = protocol.to_page(await raw.receive_str(timeout=PATIENCE_S))
    assert isinstance(hello, Hello)
    assert (hello.version, hello.language) == (1, "zh")
    assert hello.words["page.done"].zh == "好了"
    assert hello.voices == {"zh": (), "en": ()}  # no voice has been recorded yet


async def test_what_is_said_reaches_every_window(page: Page) -> None:
    async with window(page) as one, window(page) as other:
        page.say(Say(Phrase.ACTION_BLINK))
        assert (await one.hears(Saying)).text.zh == "请闭一会儿眼睛，慢慢数“一、二”就好。"
        assert (await other.hears(Saying)).text.en == "Please close your eyes just while you count slowly to two."


async def test_the_action_and_its_text_go_together_and_a_question_in_between_keeps_the_action(page: Page) -> None:
    async with window(page) as person:
        page.show(View(Screen.CHALLENGE, Phrase.ACTION_BLINK, action=Action.BLINK))
        blink = await person.hears(ViewShown)
        page.show(View(Screen.CHALLENGE, Phrase.STILL_THERE, action=Action.BLINK))
        question = await person.hears(ViewShown)
    assert blink.action is not None
    assert blink.action.text == blink.prompt
    assert question.action == protocol.ActionShown(kind=Action.BLINK)


async def test_a_ticket_is_given_on_its_own_so_that_it_can_be_shown_large(page: Page) -> None:
    office = {"place": "一楼", "place_en": "ground floor", "hours": "上午", "hours_en": "mornings"}
    params = {"ticket": "K-38472", **office}
    async with window(page) as person:
        page.show(View(Screen.CLOSING, Phrase.CLOSING_CANNOT, Phrase.CLOSING_TICKET_DETAIL, params))
        assert (await person.hears(ViewShown)).ticket == "K-38472"


async def frames_until(page: Page, got: asyncio.Future[bytes]) -> bytes:
    """Offer frames as a camera does until one has arrived."""
    async with asyncio.timeout(PATIENCE_S):
        for number in count(1):
            if got.done():
                break
            page.preview(grey(number))
            await asyncio.sleep(0.01)
    return got.result()


async def test_the_live_picture_comes_one_frame_for_each_time_the_page_is_ready(page: Page) -> None:
    async with window(page) as person:
        page.show(framing(Advice.TOO_FAR))
        await person.hears(ViewShown)
        for _ in range(3):
            await person.says(type="ready")
            jpeg = await frames_until(page, asyncio.ensure_future(person.sees()))
            assert simplejpeg.decode_jpeg(jpeg).shape == (480, 640, 3)
        for number in range(5):  # not ready: nothing more comes
            page.preview(grey(number))
        page.say(Say(Phrase.DECIDING))
        await person.hears(Saying)


async def test_no_picture_leaves_for_a_page_that_shows_none(page: Page) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        await person.hears(ViewShown)
        await person.says(type="ready")
        await person.settles(page)
        for number in range(5):
            page.preview(grey(number))
        page.show(DONE)
        assert (await person.hears(ViewShown)).screen is Screen.CLOSING
        assert page._newest is None


async def test_a_large_frame_is_sent_smaller() -> None:
    assert simplejpeg.decode_jpeg(encoded(grey(1, 1920, 1080).rgb)).shape == (540, 960, 3)
    assert simplejpeg.decode_jpeg(encoded(grey(1, 640, 480).rgb)).shape == (480, 640, 3)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.evil.example:80"},
    ],
)
@pytest.mark.parametrize("path", ["", "ws", "static/page.js"])
async def test_a_foreign_page_or_name_gets_nothing(page: Page, path: str, headers: dict[str, str]) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"} if path == "ws" else {}
    async with aiohttp.ClientSession() as http, http.get(page.url + path, headers=asked | headers) as answer:
        assert answer.status == 403
        assert answer.headers["Cache-Control"] == "no-store"
    assert page.refused == 1


async def test_localhost_is_the_same_terminal(page: Page) -> None:
    name = f"localhost:{page.port}"
    async with window(page, Host=name, Origin=f"http://{name}"):
        assert page.clients == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("", 200), ("static/page.js", 200), ("static/page.css", 200), ("nothing", 404), ("static/../server.py", 404)],
)
async def test_every_answer_says_do_not_store_and_stay_here(page: Page, path: str, status: int) -> None:
    async with aiohttp.ClientSession() as http, http.get(page.url + path) as answer:
        assert answer.status == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "Server" not in answer.headers
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_the_page_holds_no_inline_script_or_style_and_nothing_from_elsewhere(page: Page) -> None:
    async with aiohttp.ClientSession() as http, http.get(page.url) as answer:
        html = await answer.text()
    assert re.findall(r"<script(?![^>]* src=)", html) == []
    assert "style=" not in html
    assert re.findall(r"https?:", html) == []
    assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) == {
        "/static/icon.svg", "/static/page.css", "/static/page.js",
    }  # fmt: skip


async def test_too_many_windows_are_told_so(page: Page) -> None:
    async with aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(page.url + "ws") for _ in range(MAX_CLIENTS)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(page.url + "ws")
        assert refusal.value.status == 503
        for opened in sockets:
            await opened.close()


async def test_a_taken_port_is_said_in_a_sentence(page: Page, texts: Texts) -> None:
    second = Page("127.0.0.1", page.port, "zh", texts)
    with pytest.raises(ConfigError, match=rf"Port {page.port} on 127\.0\.0\.1 is taken .* set `page\.port`"):
        second.open(lambda _event: None)
    second.close()
    assert [t.name for t in threading.enumerate()].count("page") == 1


async def test_it_listens_on_loopback_only(page: Page) -> None:
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.2", page.port)) != 0  # bound to one address, not to all


async def test_closing_ends_every_window_and_leaves_no_thread_and_can_be_repeated(page: Page) -> None:
    async with window(page) as person:
        page.show(CONFIRM)
        await person.hears(ViewShown)
        await asyncio.to_thread(page.close)
        closed = await person.socket.receive(timeout=PATIENCE_S)
        assert closed.type is aiohttp.WSMsgType.CLOSE
        assert closed.data == aiohttp.WSCloseCode.GOING_AWAY
    page.close()
    assert "page" not in [thread.name for thread in threading.enumerate()]
    page.show(DONE)  # nobody looks any more: nothing happens
    page.say(Say(Phrase.DECIDING))
    page.preview(grey(1))


async def test_it_can_be_opened_again_and_shows_what_was_shown(page: Page, told: list[Event]) -> None:
    page.show(CONFIRM)
    page.close()
    page.open(told.append)
    async with window(page) as person:
        assert (await person.hears(ViewShown)).screen is Screen.CONFIRM


async def test_many_threads_may_show_and_every_window_ends_at_the_last_view(page: Page) -> None:
    async with window(page) as person:
        threads = [threading.Thread(target=page.show, args=(framing(advice),)) for advice in list(Advice)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        page.show(DONE)
        seen = [await person.hears(ViewShown)]
        while seen[-1].screen is not Screen.CLOSING:
            seen.append(await person.hears(ViewShown))
    assert [view.serial for view in seen] == sorted({view.serial for view in seen})


async def test_the_heart_of_the_page_beats_while_it_lives(texts: Texts) -> None:
    beats = threading.Semaphore(0)
    page = Page("127.0.0.1", 0, "en", texts, beat=beats.release)
    page.open(lambda _event: None)
    for _ in range(2):
        assert await asyncio.to_thread(beats.acquire, timeout=PATIENCE_S)
    page.close()


async def test_a_frame_that_comes_while_the_page_changes_is_not_kept(page: Page) -> None:
    """The camera's thread looked at the old page, and gets the lock only after the session changed it."""

    class Overtaken:
        def __init__(self) -> None:
            self.lock = page._lock

        def __enter__(self) -> None:
            page._lock = self.lock
            page.show(DONE)
            self.lock.acquire()

        def __exit__(self, *_: object) -> None:
            self.lock.release()

    async with window(page) as one:
        page.show(framing(Advice.READY))
        await one.says(type="ready")
        await one.settles(page)
        page._lock = Overtaken()  # type: ignore[assignment]
        page.preview(grey(1))
        assert page._newest is None
