"""A bare MQTT 5 client with a certificate, for tests that speak to a real broker."""

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 15.0


class Client:
    """One connection, ``with`` opens it; what arrives is in ``messages`` as (topic, payload)."""

    def __init__(self, port: int, folder: Path, name: str = "client", *, patience_s: float = PATIENCE_S) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._patience_s = patience_s
        self._port = port
        self._answers: dict[int, int] = {}
        self._connected = threading.Event()
        self._changed = threading.Condition()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        if (folder / f"{name}.crt").exists():
            context.load_cert_chain(str(folder / f"{name}.crt"), str(folder / f"{name}.key"))
        self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_answer
        self._client.on_subscribe = self._on_answer

    def __enter__(self) -> "Client":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._connected.wait(self._patience_s), "the broker did not let this client in"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> int:
        """The MQTT 5 reason code of the PUBACK."""
        return self._answer(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def subscribe(self, topic: str) -> int:
        _, mid = self._client.subscribe(topic, qos=1)
        assert mid is not None
        return self._answer(mid)

    def wait_for(self, count: int) -> list[tuple[str, bytes]]:
        """Until so many messages have come."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.messages) >= count, PATIENCE_S)
            assert len(self.messages) >= count, f"{len(self.messages)} of {count} messages came"
            return list(self.messages)

    def _answer(self, mid: int) -> int:
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, PATIENCE_S), "the broker did not answer"
            return self._answers[mid]

    def _on_connect(self, _c: Any, _d: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.value == 0:
            self._connected.set()

    def _on_message(self, _c: Any, _d: Any, message: Any) -> None:
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload)))
            self._changed.notify_all()

    def _on_answer(self, _c: Any, _d: Any, mid: int, reason: Any, _p: Any) -> None:
        first = reason[0] if isinstance(reason, list) else reason
        with self._changed:
            self._answers[mid] = first.value
            self._changed.notify_all()


def wait_until(true: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again until ``true()``; no test waits for a fixed time."""
    deadline_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.05)
