"""A broker gone mad: whatever it writes, the link says that the connection is bad and raises nothing else."""

import random
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from edge.adapters import link_paho
from edge.adapters.clock_system import SystemClock
from edge.adapters.link_paho import PahoLink
from edge.errors import LinkError
from tests.broker import TestBroker

pytestmark = pytest.mark.process

CONNACK = bytes([0x20, 0x03, 0x00, 0x00, 0x00])
SUBACK = bytes([0x90, 0x04, 0x00, 0x01, 0x00, 0x01])
# A message at QoS 1 on a/b with a content type and a user property.
MESSAGE = bytes.fromhex("3216 0003 612f62 0007 0b 0300016a 260001 61 0001 62 7b7d7d")


class Mad:
    """A TLS server with the broker's certificate that answers each client with the next of ``speeches``."""

    def __init__(self, site: TestBroker, speeches: list[bytes]) -> None:
        self.speeches = speeches
        self.spoken = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(site.folder / "broker" / "server.crt", site.folder / "broker" / "server.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Mad":
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for speech in self.speeches:
            raw, _ = self._listener.accept()
            with raw:
                raw.settimeout(5)
                try:
                    with self._context.wrap_socket(raw, server_side=True) as tls:
                        tls.recv(4096)
                        tls.sendall(speech)
                        self.spoken += 1
                except OSError:
                    continue


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    yield TestBroker(tmp_path_factory.mktemp("mad"))


def speeches(count: int = 60) -> list[bytes]:
    """Noise, cut and altered packets, wild lengths, messages with impossible topics and properties."""
    dice = random.Random(20261123)
    noise = [dice.randbytes(dice.randrange(1, 200)) for _ in range(12)]
    cut = [CONNACK[:3], b"\x20\xff\xff\xff\xff\xff\xff", bytes([0x20, 0x03, 0x00, 0x87, 0x00])]
    after = [
        bytes([0x30, 0x05, 0x00, 0x02, 0xFF, 0xFE, 0x00]),  # a topic that is no UTF-8
        bytes([0x32, 0x03, 0x00, 0x50, 0x41]),  # a topic longer than its packet
        bytes([0x30, 0x07, 0x00, 0x01, 0x61, 0x03, 0xEE, 0xEE, 0xEE]),  # properties that do not exist
        bytes([0xE0, 0x01, 0x8E]),  # a goodbye: session taken over
        bytes([0x40, 0x02, 0x77, 0x77]),  # an answer to nothing
        bytes([0x90, 0x01, 0x00]),
        b"\xf0\x00\x00\x00",
    ]
    whole = CONNACK + SUBACK + MESSAGE
    altered = []
    for _ in range(count):
        one = bytearray(whole)
        for _ in range(dice.randrange(1, 4)):
            one[dice.randrange(len(one))] = dice.randrange(256)
        altered.append(bytes(one))
    return noise + cut + altered + [CONNACK + each for each in after] + [CONNACK + SUBACK + each for each in after]


def test_a_mad_broker_never_gets_more_than_a_lost_connection(
    site: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_paho, "CONNECT_S", 1.0)
    with Mad(site, speeches()) as mad:
        link = PahoLink("terminal-1", site.client("terminal-1", port=mad.port), ["a/b"], SystemClock("host"))
        for _ in mad.speeches:
            try:
                link.open()
                for _ in range(20):
                    link.received(0.05)
                    if not link.connected:
                        break
            except LinkError as error:
                assert str(error)
            assert not link.connected and link.problem
        link.close()
        assert mad.spoken == len(mad.speeches)
