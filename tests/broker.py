"""A real mosquitto for tests: TLS, client certificates and access list, on a free loopback port."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import BrokerSection
from provisioning.broker import Broker, free_port, write_broker_files
from provisioning.ca import Authority

OFFICE = "office"


class TestBroker:
    """mosquitto in ``folder`` and certificates for whoever asks; `broker` starts and stops it."""

    __test__ = False

    def __init__(self, folder: Path, server_valid_from: datetime | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.now = datetime.now(UTC)
        (folder / "ca").mkdir()
        (folder / "broker").mkdir()
        self.authority = Authority.open(folder / "ca", "test authority", self.now)
        (folder / "broker" / "ca.crt").write_bytes((folder / "ca" / "ca.crt").read_bytes())
        self.authority.server(
            folder / "broker" / "server.crt",
            folder / "broker" / "server.key",
            ("localhost", "127.0.0.1"),
            server_valid_from or self.now,
        )
        write_broker_files(folder / "broker", self.port, OFFICE)
        self.broker = Broker(folder / "broker", self.port)

    def client(self, name: str, *, expired: bool = False, ca: str = "ca", **changes: object) -> BrokerSection:
        """The settings of a client with a certificate of its own."""
        issued = self.now - timedelta(days=800) if expired else self.now
        self.authority.client(self.folder / f"{name}.crt", self.folder / f"{name}.key", name, issued)
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "ca_file": self.folder / ca / "ca.crt",
            "cert_file": self.folder / f"{name}.crt",
            "key_file": self.folder / f"{name}.key",
            "keepalive_s": 5,
            "session_expiry_s": 600,
        }
        return BrokerSection.model_validate(values | changes)
