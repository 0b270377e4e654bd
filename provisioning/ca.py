"""A certificate authority for a development site: one root, server and client certificates (EC P-256).

The authority's key lies in the site's folder, which is right for a machine of one's own and wrong for a real
site: there the office's authority signs what the technician's tool asks for.  Validity starts a day early, so
that a terminal whose clock is a little slow still believes its broker.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.errors import StateError
from provisioning.files import PRIVATE, read, write

BACKDATED = timedelta(days=1)
ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)
RENEW_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Authority:
    """The site's root: ``folder`` holds ca.crt and ca.key."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def open(cls, folder: Path, name: str, now: datetime) -> "Authority":
        """The authority in ``folder``, made on the first call and kept ever after; raises `StateError`."""
        key_file, cert_file = folder / "ca.key", folder / "ca.crt"
        if key_file.exists() or cert_file.exists():
            return cls(folder, _load_key(key_file), load_certificate(cert_file))
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        public = key.public_key()
        certificate = (
            _blank(subject, subject, public, now, ROOT_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_key(key_file, key)
        write(cert_file, certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    def server(self, cert_file: Path, key_file: Path, names: tuple[str, ...], now: datetime) -> bool:
        """A server certificate for DNS names and addresses; False when the one there is still good."""
        return self._leaf(cert_file, key_file, names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now)

    def client(self, cert_file: Path, key_file: Path, common_name: str, now: datetime) -> bool:
        """A client certificate whose common name is the device's or the office's; False when still good."""
        return self._leaf(cert_file, key_file, common_name, (), ExtendedKeyUsageOID.CLIENT_AUTH, now)

    def _leaf(
        self,
        cert_file: Path,
        key_file: Path,
        common_name: str,
        names: tuple[str, ...],
        purpose: x509.ObjectIdentifier,
        now: datetime,
    ) -> bool:
        if key_file.exists():
            key = _load_key(key_file)
            if cert_file.exists() and self._still_good(load_certificate(cert_file), key, common_name, now):
                return False
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            _write_key(key_file, key)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = (
            _blank(subject, self.certificate.subject, key.public_key(), now, LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        write(cert_file, certificate.public_bytes(serialization.Encoding.PEM))
        return True

    def _still_good(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, common_name: str, now: datetime
    ) -> bool:
        return (
            issued_by(certificate, self.certificate)
            and certificate.public_key() == key.public_key()
            and common_name_of(certificate) == common_name
            and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
        )


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file; raises `StateError` with what to do."""
    try:
        return x509.load_pem_x509_certificate(read(path))
    except ValueError:
        raise StateError(f"{path} is not a certificate in PEM form; put the right file there.") from None


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` signed ``certificate``."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def common_name_of(certificate: x509.Certificate) -> str:
    """The subject's common name; empty when there is none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _blank(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - BACKDATED)
        .not_valid_after(start + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(read(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StateError(f"{path} is not an EC key in PEM form; restore it, or start a new site in another folder.")
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write(path, pem, mode=PRIVATE)
