"""A site's own certificate authority, for the one TLS listener its machines use.

A machine holds the CA and knows its broker by the name ``SITE.fabcommons``, whatever its address.
Certificates are valid from 2000 on, for a board without a clock boots in that year.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FROM = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_CA_DAYS, _SERVER_DAYS, RENEW_DAYS = 30 * 365, 825, 90
_PEM = serialization.Encoding.PEM


def server_name(site: str) -> str:
    """Name a site's broker is known by to its machines."""
    return f"{site}.fabcommons"


def _write_secret(path: Path, data: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(data)


def _save_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoding = serialization.PrivateFormat.PKCS8
    _write_secret(path, key.private_bytes(_PEM, encoding, serialization.NoEncryption()))


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(cert: Path) -> set[str]:
    """Names and addresses a certificate is for."""
    found = x509.load_pem_x509_certificate(cert.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def fingerprint(cert: Path) -> str:
    """SHA-256 of a certificate, as browsers show it."""
    found = x509.load_pem_x509_certificate(cert.read_bytes())
    return found.fingerprint(hashes.SHA256()).hex(":").upper()


class Authority:
    """CA and server certificate in a folder, made when absent; ``now`` is real time in ms UTC."""

    def __init__(self, folder: Path, site: str, now_ms: int) -> None:
        self.folder = folder
        self._site = site
        self._now = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.cert, self.key = (folder / n for n in ("ca.pem", "server.pem", "server.key"))
        if not self.ca.exists():
            self._make_ca()
        soon = datetime.timedelta(days=RENEW_DAYS)
        if not self.cert.exists() or self._ends(self.cert) < soon:
            self.renew()

    def _ends(self, cert: Path) -> datetime.timedelta:
        found = x509.load_pem_x509_certificate(cert.read_bytes())
        return found.not_valid_after_utc - self._now

    def _make_ca(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _subject(f"{self._site} fabcommons CA")
        built = self._builder(name, name, key.public_key(), _CA_DAYS).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        _save_key(self.folder / "ca.key", key)
        self.ca.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(_PEM))

    def renew(self) -> None:
        """Make a new key and certificate for the listener; machines need not be told."""
        self._issue((self.cert, self.key), [server_name(self._site), "localhost"])

    def page(self, names: list[str]) -> tuple[Path, Path]:
        """(certificate, key) of the page for these names, made again when they or it are old."""
        cert, key = self.folder / "page.pem", self.folder / "page.key"
        if (
            not cert.exists()
            or self._ends(cert) < datetime.timedelta(days=RENEW_DAYS)
            or set(names) - _named(cert)
        ):
            self._issue((cert, key), names)
        return cert, key

    def _issue(self, paths: tuple[Path, Path], names: list[str]) -> None:
        ca_key = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
        issuer = x509.load_pem_x509_certificate(self.ca.read_bytes()).subject
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(server_name(self._site))
        built = self._builder(subject, issuer, key.public_key(), _SERVER_DAYS)
        alternatives = x509.SubjectAlternativeName([_general(name) for name in names])
        built = built.add_extension(alternatives, critical=False).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        _save_key(paths[1], key)
        paths[0].write_bytes(built.sign(ca_key, hashes.SHA256()).public_bytes(_PEM))

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(self._now + datetime.timedelta(days=days))
        )

    def ca_text(self) -> str:
        """The CA as machines hold it: DER in base64."""
        found = x509.load_pem_x509_certificate(self.ca.read_bytes())
        return base64.b64encode(found.public_bytes(serialization.Encoding.DER)).decode()
