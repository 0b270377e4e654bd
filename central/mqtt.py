"""The office's MQTT 5 session: a thin shell around paho-mqtt, whose network thread calls back here.

The callbacks only put things into a queue.  Incoming messages are acknowledged by hand; an acknowledgement belongs to
the connection that brought the message, so after a reconnect the old ones are dropped and the broker's
redelivery (or, if it lost its store, the terminal's resend) brings the message again.
"""

import logging
import queue
import ssl
import threading
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from central.consumer import Incoming
from edge.config import BrokerSection
from edge.errors import ConfigError, LinkError
from edge.wire import topics
from edge.wire.events import CONTENT_TYPE

LOG = logging.getLogger(__name__)

RECEIVE_MAXIMUM = 200  # unacknowledged messages that the broker may have here
QUEUE_MOST = 2000  # beyond this, health messages (QoS 0) are dropped
RECONNECT_S = (1, 15)
FAILED = 0x80  # MQTT 5 reason codes from here on are failures


class OfficeLink:
    """One session with the broker; see `central.consumer.Link`.  Reconnects and subscribes again by itself."""

    def __init__(self, office: str, broker: BrokerSection, group: str) -> None:
        self.connected = False  # and subscribed
        self.problem = "not connected yet"
        self._broker = broker
        self._office = office
        self._filters = subscriptions(group)
        self._queue: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._generation = 0
        self._tokens: dict[int, tuple[int, int, int]] = {}
        self._next_token = 0
        self._client: paho.Client | None = None
        self._refused_publishes = 0

    def open(self) -> None:
        """Start connecting; raises `ConfigError` for certificate files that cannot be used."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self._office, protocol=paho.MQTTv5, manual_ack=True
        )
        client.tls_set_context(tls_context(self._broker))
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=self._broker.keepalive_s,
            clean_start=False,
            properties=properties,
        )
        client.loop_start()
        self._client = client

    def close(self) -> None:
        """Say goodbye to the broker, which keeps the session; can be repeated."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def check(self) -> None:
        """Raises `LinkError` when paho's thread has died: only a restart helps then."""
        # paho 2 has no public way to ask.
        thread = getattr(self._client, "_thread", None)
        if self._client is not None and (thread is None or not thread.is_alive()):
            raise LinkError("The MQTT client's thread has ended; the service manager starts the office again.")

    def received(self, timeout_s: float, most: int) -> Sequence[Incoming]:
        """What came, oldest first; with ``most`` 0 only the wait."""
        if most == 0:
            threading.Event().wait(timeout_s)
            return []
        messages: list[Incoming] = []
        try:
            messages.append(self._queue.get(timeout=timeout_s))
            while len(messages) < most:
                messages.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return messages

    def acknowledge(self, token: int) -> None:
        with self._lock:
            generation, mid, qos = self._tokens.pop(token, (-1, 0, 0))
            current = generation == self._generation
        if current and qos and self._client is not None:
            self._client.ack(mid, qos)

    def publish(self, topic: str, payload: bytes, properties: dict[str, str]) -> bool:
        # paho would keep it for later while offline; receipts are asked for again, so none is kept.
        if self._client is None or not self.connected:
            return False
        attributes = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        attributes.ContentType = properties[CONTENT_TYPE]
        attributes.UserProperty = [(name, value) for name, value in properties.items() if name != CONTENT_TYPE]
        info = self._client.publish(topic, payload, qos=1, properties=attributes)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    # --- paho's thread ---------------------------------------------------------------------------------------

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.value >= FAILED:
            self._lost(f"the broker refuses this office: {reason}")
            return
        with self._lock:
            self._generation += 1
            self._tokens.clear()
        # Always, even if the broker says that it knows this session: its store may be older than it thinks.
        client.subscribe([(each, SubscribeOptions(qos=qos)) for each, qos in self._filters])

    def _on_subscribe(
        self, client: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= FAILED]
        if refused:
            self._lost(f"the broker refuses a subscription: {refused[0]}")
            client.disconnect()
            return
        self.connected, self.problem = True, ""
        LOG.info("connected to the broker and subscribed")

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        self._lost("the broker does not answer")

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._lost(f"the connection to the broker ended: {reason}")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.qos == 0 and self._queue.qsize() > QUEUE_MOST:
            return
        with self._lock:
            self._next_token += 1
            token = self._next_token
            self._tokens[token] = (self._generation, message.mid, message.qos)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # no topic of the contract: refused like any other; here it would end paho's thread
        self._queue.put(Incoming(topic, bytes(message.payload), message.retain, token))

    def _on_publish(
        self, _client: paho.Client, _data: Any, _mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.value >= FAILED:
            self._refused_publishes += 1
            level = logging.WARNING if self._refused_publishes == 1 else logging.DEBUG
            LOG.log(level, "the broker refused a receipt: %s", reason)

    def _lost(self, problem: str) -> None:
        level = logging.DEBUG if self.problem == problem else logging.WARNING
        self.connected, self.problem = False, problem
        LOG.log(level, "%s", problem)


def subscriptions(group: str) -> list[tuple[str, int]]:
    """(filter, QoS): results are shared by all consumers of a group, what devices say of themselves is for each."""
    return [
        (f"$share/{group}/{topics.every_device(topics.Kind.RESULT)}", 1),
        (topics.every_device(topics.Kind.STATUS), 1),
        (topics.every_device(topics.Kind.ALARM), 1),
        (topics.every_device(topics.Kind.HEALTH), 0),
    ]


def tls_context(broker: BrokerSection) -> ssl.SSLContext:
    """TLS 1.3 with the client's certificate; raises `ConfigError` naming the file that is wrong."""
    try:
        context = ssl.create_default_context(cafile=str(broker.ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigError(
            f"{broker.ca_file} is not a readable certificate; put the broker's authority there."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if broker.key_file.is_file() and broker.key_file.stat().st_mode & 0o077:
        raise ConfigError(f"{broker.key_file} is a private key that others may read; run `chmod 600` on it.")
    try:
        context.load_cert_chain(str(broker.cert_file), str(broker.key_file))
    except (OSError, ssl.SSLError):
        raise ConfigError(
            f"{broker.cert_file} and {broker.key_file} are not a certificate and its key; provision again."
        ) from None
    return context
