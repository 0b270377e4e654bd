"""What every link promises, and what a real broker, its certificates and its access list do to the real one."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.adapters.clock_system import SystemClock
from edge.adapters.link_paho import CONTENT_TYPE, PahoLink, Will
from edge.errors import ConfigError, LinkError
from edge.ports import Incoming, Link
from edge.wire.topics import Kind, build, every_device
from provisioning.broker import find_program
from provisioning.ca import Authority
from tests.broker import OFFICE, TestBroker
from tests.fakes import FakeLink

pytestmark = pytest.mark.process

RESULT, RECEIPT = build("s1", "terminal-1", Kind.RESULT), build("s1", "terminal-1", Kind.RECEIPT)
NO_SUBSCRIBERS, NOT_AUTHORISED = 0x10, 0x87


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    made = TestBroker(tmp_path_factory.mktemp("site"))
    with made.broker:
        yield made


def linked(site: TestBroker, name: str, *topics: str, will: Callable[[], Will] | None = None) -> PahoLink:
    kept_s = 0 if name == OFFICE else 600  # the office of one test does not hear what another left
    return PahoLink(name, site.client(name, session_expiry_s=kept_s), topics, SystemClock("host"), will)


def until(link: PahoLink, done: Callable[[], bool], timeout_s: float = 10.0) -> list[Incoming]:
    """Turn the link until ``done``; what it received meanwhile."""
    messages: list[Incoming] = []
    end = time.monotonic() + timeout_s
    while not done() and time.monotonic() < end:
        messages += link.received(0.05)
    assert done(), link.problem
    return messages


def heard(link: PahoLink, count: int = 1) -> list[Incoming]:
    messages: list[Incoming] = []
    end = time.monotonic() + 10
    while len(messages) < count and time.monotonic() < end:
        messages += link.received(0.05)
    return messages


def code_of(link: Link, token: int) -> int:
    for _ in range(200):
        link.received(0.05)
        for answered, code in link.acknowledged():
            if answered == token:
                return code
    raise AssertionError("the broker did not answer")


@pytest.fixture
def office(site: TestBroker) -> Iterator[PahoLink]:
    link = linked(site, OFFICE, every_device(Kind.RESULT))
    link.open()
    yield link
    link.close()


@pytest.fixture(params=["fake", "mosquitto"])
def pair(request: pytest.FixtureRequest, site: TestBroker) -> Iterator[tuple[Link, Callable[[bytes], object]]]:
    """A terminal's link, and how the office sends it a receipt."""
    if request.param == "fake":
        fake = FakeLink()
        yield fake, lambda payload: fake.tell(RECEIPT, payload)
        return
    real, other = linked(site, "terminal-1", RECEIPT), linked(site, OFFICE, every_device(Kind.RESULT))
    other.open()
    yield real, lambda payload: code_of(other, other.publish(RECEIPT, payload))
    real.close()
    other.close()


def test_before_it_is_opened_nothing_is_taken(pair: tuple[Link, object]) -> None:
    link, _ = pair
    assert not link.connected
    with pytest.raises(LinkError):
        link.publish(RESULT, b"x")
    assert list(link.received(0.0)) == []


def test_each_message_is_answered_under_its_own_token(pair: tuple[Link, object]) -> None:
    link, _ = pair
    link.open()
    assert link.connected
    tokens = {link.publish(RESULT, bytes([n])) for n in range(5)}
    answers: dict[int, int] = {}
    for _ in range(200):
        link.received(0.05)
        answers |= dict(link.acknowledged())
        if len(answers) == 5:
            break
    assert set(answers) == tokens and set(answers.values()) == {0}


def test_what_the_office_sends_arrives_and_can_be_acknowledged(
    pair: tuple[Link, Callable[[bytes], object]],
) -> None:
    link, send = pair
    link.open()
    send(b"receipt")
    messages: list[Incoming] = []
    for _ in range(200):
        messages += link.received(0.05)
        if messages:
            break
    [message] = messages
    assert (message.topic, message.payload, message.retained) == (RECEIPT, b"receipt", False)
    link.acknowledge(message.token)


def test_closing_can_be_repeated_and_opening_again_works(pair: tuple[Link, object]) -> None:
    link, _ = pair
    link.open()
    link.close()
    link.close()
    assert not link.connected
    link.open()
    assert link.connected


# --- the real one against a real broker ----------------------------------------------------------------------


def test_properties_travel_with_a_message(site: TestBroker, office: PahoLink) -> None:
    link = linked(site, "terminal-1")
    link.open()
    link.publish(RESULT, b"x", properties={"ce-id": "7", CONTENT_TYPE: "application/jose"})
    [message] = heard(office)
    assert message.properties == {"ce-id": "7"}
    office.acknowledge(message.token)
    link.close()


def test_an_unacknowledged_message_comes_again_after_a_reconnect(site: TestBroker, office: PahoLink) -> None:
    link = linked(site, "terminal-2", build("s1", "terminal-2", Kind.RECEIPT))
    link.open()
    office.publish(build("s1", "terminal-2", Kind.RECEIPT), b"first")
    [first] = heard(link)
    link.close()
    link.acknowledge(first.token)  # too late: that connection is gone
    link.open()
    [again] = heard(link)
    assert again.payload == b"first"
    link.acknowledge(again.token)
    link.received(0.1)
    link.close()
    link.open()
    assert list(link.received(0.3)) == []
    link.close()


def test_what_was_sent_while_the_terminal_was_away_waits_for_it(site: TestBroker, office: PahoLink) -> None:
    link = linked(site, "terminal-3", build("s1", "terminal-3", Kind.RECEIPT))
    link.open()
    link.close()
    code_of(office, office.publish(build("s1", "terminal-3", Kind.RECEIPT), b"while you were away"))
    link.open()
    [message] = heard(link)
    assert message.payload == b"while you were away"
    link.close()


def test_speaking_as_another_terminal_is_denied_and_seen(site: TestBroker) -> None:
    link = linked(site, "terminal-1")
    link.open()
    assert code_of(link, link.publish(build("s1", "terminal-9", Kind.RESULT), b"x")) == NOT_AUTHORISED
    link.close()


def test_a_message_that_nobody_hears_is_answered_so(site: TestBroker) -> None:
    link = linked(site, "terminal-1")
    link.open()
    assert code_of(link, link.publish(build("s1", "terminal-1", Kind.ALARM), b"x")) == NO_SUBSCRIBERS
    link.close()


def test_the_will_speaks_for_a_terminal_that_vanished(site: TestBroker) -> None:
    status = build("s1", "terminal-5", Kind.STATUS)
    watcher = linked(site, OFFICE, every_device(Kind.STATUS))
    watcher.open()
    link = linked(site, "terminal-5", will=lambda: Will(status, b"offline", {"ce-type": "status"}))
    link.open()
    assert link._client is not None
    link._client.socket().close()  # type: ignore[union-attr]
    [message] = heard(watcher)
    assert (message.topic, message.payload, message.properties) == (status, b"offline", {"ce-type": "status"})
    watcher.acknowledge(message.token)
    link.received(0.1)
    assert not link.connected
    watcher.close()
    # Somebody who comes later still learns it, as a retained message.
    late = linked(site, OFFICE, every_device(Kind.STATUS))
    late.open()
    [kept] = heard(late)
    assert kept.retained
    late.publish(status, b"", retain=True)
    late.close()


def test_a_goodbye_is_no_reason_for_the_will(site: TestBroker) -> None:
    status = build("s1", "terminal-6", Kind.STATUS)
    watcher = linked(site, OFFICE, every_device(Kind.STATUS))
    watcher.open()
    link = linked(site, "terminal-6", will=lambda: Will(status, b"offline", {}))
    link.open()
    link.close()
    assert not [each for each in watcher.received(0.3) if each.topic == status]
    watcher.close()


def test_two_cards_with_one_identity_are_told_apart_from_a_bad_network(site: TestBroker) -> None:
    first, second = linked(site, "terminal-1"), linked(site, "terminal-1")
    first.open()
    second.open()
    until(first, lambda: not first.connected)
    assert second.connected
    # mosquitto 2.0.11 just closes the older connection; the standard's word for it is understood all the same.
    reason = ReasonCode(PacketTypes.DISCONNECT, identifier=0x8E)
    second._on_disconnect(None, None, None, reason, None)  # type: ignore[arg-type]
    assert second.taken_over == 1
    second.close()


def test_a_message_larger_than_agreed_never_arrives(site: TestBroker, office: PahoLink) -> None:
    link = linked(site, "terminal-1", RECEIPT)
    link.open()
    office.publish(RECEIPT, bytes(100_000))
    office.publish(RECEIPT, b"small")
    messages = heard(link)
    assert [message.payload for message in messages] == [b"small"]
    link.acknowledge(messages[0].token)
    link.received(0.05)
    link.close()


def test_a_broker_that_is_killed_is_noticed_and_found_again_with_its_subscriptions(tmp_path: Path) -> None:
    site = TestBroker(tmp_path)
    site.broker.start()
    link, other = linked(site, "terminal-1", RECEIPT), linked(site, OFFICE)
    link.open()
    site.broker.kill()
    until(link, lambda: not link.connected)
    with pytest.raises(LinkError, match="reached"):
        link.open()
    site.broker.wipe_store()
    site.broker.start()
    try:
        link.open()
        other.open()
        other.publish(RECEIPT, b"after the store was lost")
        [message] = heard(link)
        assert message.payload == b"after the store was lost"
    finally:
        link.close()
        other.close()
        site.broker.stop()


def test_a_certificate_that_is_not_yet_valid_means_wait(tmp_path: Path) -> None:
    site = TestBroker(tmp_path)
    # `Broker.start` would wait for a handshake that cannot succeed, so the certificate changes afterwards.
    with site.broker:
        pass
    for name in ("server.crt", "server.key"):
        (tmp_path / "broker" / name).unlink()
    later = Authority(site.authority.folder, site.authority.key, site.authority.certificate)
    later.server(
        tmp_path / "broker" / "server.crt",
        tmp_path / "broker" / "server.key",
        ("127.0.0.1",),
        site.now + timedelta(days=30),
    )
    with pytest.raises(LinkError):
        site.broker.start(timeout_s=0.6)
    # Started without waiting, as a service manager would.
    import subprocess

    server = subprocess.Popen(
        [find_program(), "-c", "mosquitto.conf"], cwd=tmp_path / "broker", stderr=subprocess.DEVNULL
    )
    try:
        link = linked(site, "terminal-1")
        said = ""
        for _ in range(50):
            with pytest.raises(LinkError) as refused:
                link.open()
            said = str(refused.value)
            if "reached" not in said:
                break
            time.sleep(0.1)
        assert "not yet valid" in said and link.problem == said
    finally:
        server.terminate()
        server.wait(10)


def test_a_broker_of_another_authority_is_not_believed(site: TestBroker, tmp_path: Path) -> None:
    Authority.open(tmp_path, "somebody else", site.now)
    settings = site.client("terminal-1", ca_file=tmp_path / "ca.crt")
    link = PahoLink("terminal-1", settings, [], SystemClock("host"))
    with pytest.raises(LinkError, match="not trusted"):
        link.open()


def test_an_expired_certificate_of_ours_is_named_as_the_reason(site: TestBroker) -> None:
    link = PahoLink("terminal-8", site.client("terminal-8", expired=True), [], SystemClock("host"))
    with pytest.raises(LinkError, match="certificate expired on"):
        link.open()


def test_a_missing_or_readable_key_is_a_mistake_of_the_installation(site: TestBroker) -> None:
    settings = site.client("terminal-7")
    settings.key_file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        PahoLink("terminal-7", settings, [], SystemClock("host")).open()
    settings.key_file.unlink()
    with pytest.raises(ConfigError, match="anxin provision"):
        PahoLink("terminal-7", settings, [], SystemClock("host")).open()


def test_a_subscription_that_is_not_allowed_is_no_reason_to_give_up_results(site: TestBroker) -> None:
    """mosquitto grants a filter beyond its access list and delivers nothing; others refuse: neither is a crash."""
    link = linked(site, "terminal-1", build("s1", "terminal-9", Kind.RECEIPT))
    try:
        link.open()
        assert link.connected
    except LinkError as error:
        assert "subscription" in str(error)
    link.close()
