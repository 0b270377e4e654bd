"""A broker gone mad: what it writes never ends the office's session for good."""

import pytest

from central.mqtt import OfficeLink
from tests.broker import TestBroker
from tests.contracts.test_link_hostile import CONNACK, Mad
from tests.provisioning.mqtt_client import wait_until

pytestmark = pytest.mark.process

SUBACK = bytes([0x90, 0x07, 0x00, 0x01, 0x00, 0x01, 0x01, 0x01, 0x00])
NO_UTF8 = bytes([0x30, 0x05, 0x00, 0x02, 0xFF, 0xFE, 0x00])


def test_a_topic_that_is_no_text_is_a_message_like_any_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = TestBroker(tmp_path_factory.mktemp("mad"))
    came: list[str] = []

    def came_in() -> list[str]:
        came.extend(message.topic for message in link.received(0.1, 9))
        return came

    with Mad(site, [CONNACK + SUBACK + NO_UTF8]) as mad:
        link = OfficeLink("office", site.client("terminal-1", port=mad.port), "office")
        link.open()
        try:
            wait_until(came_in, "the message did not come")
            link.check()
        finally:
            link.close()
    assert came == [""]
