"""Certificates of OPC UA applications: ours, made and rotated; the cells', trusted one by one.

A certificate is trusted when its very bytes lie in the trust folder (or are the one file named);
chains and authorities are not followed. Rotation lays the next pair beside the current one, and
the one before stays until a person deletes it: of the pairs there are, a cell is offered the
newest first, so that no moment of a rotation locks the controller out.
"""

import datetime
import hashlib
import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WARN_DAYS = 30
_MAX_REJECTED = 20
_DAY_MS = 24 * 3600 * 1000
_SKEW = datetime.timedelta(hours=1)  # a cell's clock may be behind ours
_GENERATIONS = (".next", "", ".old")  # in the order they are offered


class NotTrusted(Exception):
    """A certificate stands in the way of a connection; str() says whose and what to do."""


class Security(NamedTuple):
    """How a connection is protected: our pair, and the cell's certificate or a folder of them."""

    certificate: Path
    key: Path
    policy: str = "Basic256Sha256"
    mode: str = "SignAndEncrypt"
    server_certificate: Path | None = None
    trust: Path | None = None


class Facts(NamedTuple):
    """What people compare of a certificate; thumbprint is OPC UA's, SHA-1 in hex."""

    thumbprint: str
    subject: str
    uris: tuple[str, ...]
    not_before_at: int
    not_after_at: int

    def days_left(self, now_ms: int) -> int:
        """Whole days until it ends, negative once it has."""
        return (self.not_after_at - now_ms) // _DAY_MS


class Pair(NamedTuple):
    """Our certificate (DER) and its key (PEM); generation is ".next", "" (current) or ".old"."""

    generation: str
    certificate: bytes
    key: bytes

    @property
    def uri(self) -> str:
        """ApplicationUri that the certificate speaks for."""
        return facts_of(self.certificate).uris[0]


def facts_of(der: bytes) -> Facts:
    """Facts of a certificate; raise ValueError when it is none."""
    found = x509.load_der_x509_certificate(der)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
    except x509.ExtensionNotFound:
        uris = ()
    return Facts(
        hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        found.subject.rfc4514_string(),
        uris,
        int(found.not_valid_before_utc.timestamp() * 1000),
        int(found.not_valid_after_utc.timestamp() * 1000),
    )


def read_certificate(path: Path) -> bytes:
    """Bytes of a DER or PEM file as DER; raise ValueError or OSError."""
    content = path.read_bytes()
    if content.lstrip().startswith(b"-----BEGIN"):
        found = x509.load_pem_x509_certificate(content)
        return found.public_bytes(serialization.Encoding.DER)
    facts_of(content)
    return content


def pem_of(der: bytes) -> bytes:
    """A DER certificate as PEM, for peers that read that only."""
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)


def first_of_chain(der: bytes) -> bytes:
    """The leading certificate of a DER blob that may carry its issuers behind it."""
    if len(der) < 4 or der[:2] != b"\x30\x82":
        return der
    return der[: 4 + int.from_bytes(der[2:4], "big")]


def make_pair(certificate: Path, key: Path, name: str, days: int, generation: str = "") -> Facts:
    """Make an RSA-2048 pair (OPC 10000-6, 6.2.2); raise FileExistsError rather than replace one."""
    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = _sign(secret, name, days).public_bytes(serialization.Encoding.DER)
    pem = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for path in (certificate, key):
        if _of(path, generation).exists():
            raise FileExistsError(f"{_of(path, generation)} is there already")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(_of(key, generation), pem)
    _write(_of(certificate, generation), der)
    return facts_of(der)


def _sign(secret: rsa.RSAPrivateKey, name: str, days: int) -> x509.Certificate:
    host = socket.gethostname()
    who = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Fabcommons {name}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fabcommons"),
        ]
    )
    uri = x509.UniformResourceIdentifier(f"urn:{host}:fabcommons:{name}")
    now = datetime.datetime.fromtimestamp(_now_s(), datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    public = secret.public_key()
    extensions: list[tuple[Any, bool]] = [
        (x509.SubjectAlternativeName([uri, x509.DNSName(host)]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage, True),
        (x509.ExtendedKeyUsage(both), False),
    ]
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - _SKEW)
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(secret, hashes.SHA256())


def _now_s() -> float:
    """Real time: certificates live by the calendar, whatever the floor's clock says."""
    return datetime.datetime.now(datetime.UTC).timestamp()


def now_ms() -> int:
    """Real time, ms of UTC."""
    return int(_now_s() * 1000)


def _of(path: Path, generation: str) -> Path:
    return path.with_name(path.stem + generation + path.suffix)


def _write(path: Path, content: bytes) -> None:
    """Write a file only its owner may read, whole or not at all."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, path)


def pairs(certificate: Path, key: Path) -> list[Pair]:
    """Our usable pairs, the one to offer first first; raise NotTrusted when there is none."""
    found: list[Pair] = []
    for generation in _GENERATIONS:
        try:
            der = read_certificate(_of(certificate, generation))
            pem = _of(key, generation).read_bytes()
            if _belongs(der, pem):
                found.append(Pair(generation, der, pem))
        except (OSError, ValueError):
            continue
    if not found:
        raise NotTrusted(
            f"we have no certificate: {certificate} with {key}; "
            "make one with 'fabcommons cell certificates make'"
        )
    return found


def _belongs(der: bytes, pem: bytes) -> bool:
    """Whether a key is the certificate's own."""
    secret = serialization.load_pem_private_key(pem, None)
    public = x509.load_der_x509_certificate(der).public_key()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return secret.public_key().public_bytes(*form) == public.public_bytes(*form)


def finish_rotation(certificate: Path, key: Path) -> bool:
    """Make the next pair the current one and keep the current as the old; False without a next."""
    if not (_of(certificate, ".next").exists() and _of(key, ".next").exists()):
        return False
    for path in (key, certificate):
        if path.exists():
            os.replace(path, _of(path, ".old"))
        os.replace(_of(path, ".next"), path)
    return True


def stamp(security: Security) -> tuple[Any, ...]:
    """Changes when any file does that a connection was made by."""
    paths = [_of(p, g) for g in _GENERATIONS for p in (security.certificate, security.key)]
    paths += [p for p in (security.server_certificate, security.trust) if p is not None]
    return tuple(_mark(path) for path in paths)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def check_server(security: Security, der: bytes, uri: str, where: str) -> None:
    """Raise NotTrusted unless the certificate a server shows is expected, valid and its own."""
    try:
        facts = facts_of(der)
    except ValueError as error:
        raise NotTrusted(f"{where} shows no certificate that can be read") from error
    shown = f"{where} shows certificate {facts.thumbprint} ({facts.subject})"
    if security.server_certificate is not None:
        if der != _pinned(security.server_certificate):
            keep_rejected(security, der)
            raise NotTrusted(f"{shown}, not the one in {security.server_certificate}")
    elif der not in trusted(security.trust):
        keep_rejected(security, der)
        raise NotTrusted(
            f"{shown}, which is not trusted: compare it with the cell's own display, then "
            f"'fabcommons cell certificates trust {where} --thumbprint {facts.thumbprint[:8]}...'"
        )
    if not facts.not_before_at <= now_ms() <= facts.not_after_at:
        raise NotTrusted(f"{shown}, which is not valid today: it needs a new one")
    if uri not in facts.uris:
        raise NotTrusted(f"{shown}, which does not speak for {uri}")


def _pinned(path: Path) -> bytes:
    try:
        return read_certificate(path)
    except (OSError, ValueError) as error:
        raise NotTrusted(f"server_certificate {path} cannot be read: {error}") from error


def trusted(folder: Path | None) -> list[bytes]:
    """Certificates of a folder; what is none is left out."""
    found: list[bytes] = []
    for path in sorted(folder.glob("*")) if folder is not None else ():
        try:
            found.append(read_certificate(path))
        except (OSError, ValueError):
            continue
    return found


def trust(folder: Path, der: bytes) -> Path:
    """Add a certificate to a trust folder; the file's path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{facts_of(der).thumbprint}.der"
    _write(path, der)
    return path


def keep_rejected(security: Security, der: bytes) -> None:
    """Keep a refused certificate to look at, at most 20 of them, beside our own."""
    folder = security.certificate.parent / "rejected"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if len(list(folder.glob("*.der"))) < _MAX_REJECTED:
            _write(folder / f"{facts_of(der).thumbprint}.der", der)
    except OSError:
        return
