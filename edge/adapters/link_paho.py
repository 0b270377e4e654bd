"""The MQTT 5 session over paho-mqtt 2: TLS with a client certificate, acknowledgements by hand.

paho is driven by the caller, inside `received`: there is no network thread that could die unseen, and its
callbacks only append to queues.  Every connection gets a paho client of its own, because paho keeps what was not
acknowledged and would send it again after a reconnect, beside what the outbox sends.  Reconnecting, and when, is
the caller's: `connected` turns False, `problem` says why, `open` tries once.
"""

import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from cryptography import x509
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.config import BrokerSection
from edge.errors import ConfigError, LinkError
from edge.ports import Clock, Incoming

CONNECT_S = 5.0
"""Patience for each of: TCP, the TLS handshake, CONNACK with SUBACK."""

RECEIVE_MAXIMUM = 100
MAX_PACKET_BYTES = 64 * 1024
MAX_INBOX = 1000
CONTENT_TYPE = "content-type"
"""The key of ``properties`` that becomes MQTT's content type; every other one becomes a user property."""

FAILED = 0x80
SESSION_TAKEN_OVER = 0x8E

# X509_V_ERR_* of OpenSSL.
_NOT_YET_VALID, _EXPIRED = 9, 10


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes (QoS 1, retained) when this connection ends without a goodbye."""

    topic: str
    payload: bytes
    properties: Mapping[str, str]


class PahoLink:
    """`edge.ports.Link` to a real broker.  Used by one thread.

    ``will`` is asked at every connection.  ``taken_over`` counts the times when another client with our identity
    pushed us out: two cards with one identity.
    """

    def __init__(
        self,
        client_id: str,
        broker: BrokerSection,
        subscriptions: Sequence[str],
        clock: Clock,
        will: Callable[[], Will] | None = None,
    ) -> None:
        self.connected = False
        self.problem = "Not connected yet."
        self.taken_over = 0
        self._client_id = client_id
        self._broker = broker
        self._subscriptions = tuple(subscriptions)
        self._clock = clock
        self._will = will
        self._client: paho.Client | None = None
        self._tokens = 0
        self._sent: dict[int, int] = {}  # paho's message id: our token
        self._answers: deque[tuple[int, int]] = deque()
        self._inbox: deque[Incoming] = deque()
        self._owed: dict[int, tuple[paho.Client, int]] = {}  # our token: who waits for the acknowledgement
        self._most_unanswered = 0
        self._complaint = ""

    def open(self) -> None:
        """Connect and subscribe, once; raises `LinkError`, or `ConfigError` for certificate files of ours."""
        self._forget()
        context = _context(self._broker)
        client = self._make(context)
        connect = _properties(PacketTypes.CONNECT)
        connect.SessionExpiryInterval = self._broker.session_expiry_s
        connect.ReceiveMaximum = RECEIVE_MAXIMUM
        connect.MaximumPacketSize = MAX_PACKET_BYTES
        self._complaint = ""
        try:
            client.connect(
                self._broker.host,
                self._broker.port,
                keepalive=self._broker.keepalive_s,
                clean_start=False,
                properties=connect,
            )
        except (OSError, ValueError) as error:
            self._refuse(_why(error))
        self._client = client
        until = self._clock.monotonic_ns() + int(CONNECT_S * 1e9)
        while not self.connected and not self._complaint and self._clock.monotonic_ns() < until:
            self._turn(0.1)
        if not self.connected:
            self._refuse(self._complaint or "The broker does not complete the connection; asking again.")
        self.problem = ""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        """Hand one message to the broker; returns a token that `acknowledged` later reports (QoS 1)."""
        if self._client is None or not self.connected:
            raise LinkError("The broker is not connected; the message waits.")
        if qos and len(self._sent) >= self._most_unanswered:
            raise LinkError("The broker has not yet answered what it was sent; the message waits.")
        sent = self._client.publish(topic, payload, qos, retain, _attributes(properties or {}, PacketTypes.PUBLISH))
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose("The connection broke while sending.")
            raise LinkError("The connection to the broker broke while sending; the message waits.")
        self._tokens += 1
        if qos:
            self._sent[sent.mid] = self._tokens
        return self._tokens

    def acknowledged(self) -> Sequence[tuple[int, int]]:
        """(token, MQTT reason code) of the publishes that the broker answered since the last call."""
        answers = list(self._answers)
        self._answers.clear()
        return answers

    def received(self, timeout_s: float) -> Sequence[Incoming]:
        """Work for the session until something happens or ``timeout_s`` is over; what came, oldest first.

        Returns at once when there is no connection.
        """
        before = self._events()
        self._turn(timeout_s)
        for _ in range(RECEIVE_MAXIMUM):
            now = self._events()
            if now == before:
                break
            before = now
            self._turn(0.0)
        messages = list(self._inbox)
        self._inbox.clear()
        return messages

    def acknowledge(self, token: int) -> None:
        """Tell the broker that an incoming QoS 1 message is safe here; nothing, if its connection is gone."""
        client, mid = self._owed.pop(token, (None, 0))
        if client is not None and client is self._client:
            client.ack(mid, 1)

    def close(self) -> None:
        """Say goodbye; can be repeated.  The broker keeps the session, and drops the will."""
        if self._client is not None and self.connected:
            self._client.disconnect()
        self._forget()

    # --- paho ------------------------------------------------------------------------------------------------

    def _make(self, context: ssl.SSLContext) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages = 0  # bounded by `publish`, which knows the broker's own limit
        client.tls_set_context(context)
        if self._will is not None:
            will = self._will()
            client.will_set(will.topic, will.payload, 1, True, _attributes(will.properties, PacketTypes.WILLMESSAGE))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        return client

    def _turn(self, timeout_s: float) -> None:
        if self._client is None:
            return
        code = self._client.loop(timeout_s)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose(self._complaint or f"The connection to the broker was lost ({paho.error_string(code)}).")

    def _events(self) -> tuple[int, int, bool]:
        return len(self._inbox), len(self._answers), self.connected

    def _lose(self, why: str) -> None:
        self.problem = self._complaint = why
        self._forget()

    def _forget(self) -> None:
        """Drop the connection; what came stays good, what either side still owes the other does not."""
        self.connected = False
        client, self._client = self._client, None
        if client is not None and client.socket() is not None:
            client.on_disconnect = None
            client.disconnect()
            client.loop(0.0)
        self._sent.clear()
        self._owed.clear()

    def _refuse(self, why: str) -> None:
        self._forget()
        # The broker's refusal may get lost in a broken pipe; our own certificate's dates do not.
        why = _date_trouble(self._broker.cert_file, self._clock.now()) or why
        self.problem = why
        raise LinkError(why)

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.value >= FAILED:
            self._complaint = f"The broker refuses this terminal ({reason}); have its certificate and access checked."
            return
        self._most_unanswered = int(getattr(properties, "ReceiveMaximum", 65_535))
        if not self._subscriptions:
            self.connected = True
            return
        # Always: a broker that lost its store may still say that it knows this session.
        client.subscribe([(each, SubscribeOptions(qos=1)) for each in self._subscriptions])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [reason for reason in reasons if reason.value >= FAILED]
        if refused:
            self._complaint = f"The broker refuses a subscription ({refused[0]}); have its access list checked."
        else:
            self.connected = True

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.value == SESSION_TAKEN_OVER:
            self.taken_over += 1
            self._complaint = "Another client with this terminal's identity took its place."
        elif not self._complaint:
            self._complaint = f"The broker ended the connection ({reason})."
        self.connected = False

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # no topic of the contract; refused by whoever parses it
        self._tokens += 1
        if message.qos:
            self._owed[self._tokens] = (client, message.mid)
        if len(self._inbox) < MAX_INBOX:
            user = dict(getattr(message.properties, "UserProperty", ()))
            self._inbox.append(Incoming(topic, bytes(message.payload), message.retain, user, self._tokens))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        token = self._sent.pop(mid, None)
        if token is not None:
            self._answers.append((token, reason.value))

    def _on_log(self, _client: paho.Client, _data: Any, level: int, text: str) -> None:
        # After a TLS 1.3 handshake the broker's refusal of our certificate shows only here.
        if level == LogLevel.MQTT_LOG_ERR and not self._complaint:
            self._complaint = f"The connection to the broker failed: {text}."


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho leaves that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except (OSError, ValueError):
            self.close()
            raise


def _context(broker: BrokerSection) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    for file in (broker.ca_file, broker.cert_file, broker.key_file):
        if not file.is_file():
            raise ConfigError(f"{file} does not exist; make this terminal's certificates with `anxin provision`.")
    if broker.key_file.stat().st_mode & 0o077:
        raise ConfigError(f"{broker.key_file} is a private key that others may read; run `chmod 600` on it.")
    try:
        context.load_verify_locations(broker.ca_file)
        context.load_cert_chain(broker.cert_file, broker.key_file)
    except (OSError, ssl.SSLError):
        raise ConfigError(
            f"{broker.cert_file}, its key or {broker.ca_file} cannot be used; make them anew with `anxin provision`."
        ) from None
    return context


def _date_trouble(cert_file: Path, now: datetime) -> str | None:
    try:
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    except (OSError, ValueError):
        return None
    if now < certificate.not_valid_before_utc:
        return "This terminal's certificate is not yet valid by this machine's clock; waiting for the right time."
    if now >= certificate.not_valid_after_utc:
        return f"This terminal's certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it."
    return None


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _NOT_YET_VALID:
            return "The broker's certificate is not yet valid by this machine's clock; waiting for the right time."
        if error.verify_code == _EXPIRED:
            return "The broker's certificate has expired by this machine's clock; check the clock, tell the office."
        return f"The broker's certificate is not trusted ({error.verify_message}); check host and CA file."
    if isinstance(error, TimeoutError):
        return "The broker does not answer in time; asking again."
    if isinstance(error, OSError):
        return f"The broker cannot be reached ({error.strerror or error}); asking again."
    return "The broker's address cannot be used; check the configuration."


def _properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call]


def _attributes(properties: Mapping[str, str], kind: int) -> Properties:
    attributes = _properties(kind)
    user = [(key, value) for key, value in properties.items() if key != CONTENT_TYPE]
    if CONTENT_TYPE in properties:
        attributes.ContentType = properties[CONTENT_TYPE]
    if user:
        attributes.UserProperty = user
    return attributes
