"""Firmware releases: signed on a steward's computer, kept in a folder, handed out to machines.

firmware/0.2.0/manifest                 made by ``sign``, see protocols/manifest.py
firmware/0.2.0/firmware/agent.py ...    the files it names
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from controller.values import Json
from protocols import manifest
from protocols.errors import WireError

PRIVATE_MODE = 0o600


class ReleaseError(Exception):
    """A key or a release that cannot be used; the message names the file and what to do."""


def make_key(path: Path) -> str:
    """Write a new signing key, readable by its owner only; return its public part in hex."""
    if path.exists():
        raise ReleaseError(f"{path}: is there already; a lost key means flashing by USB")
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.touch(PRIVATE_MODE)
    path.write_bytes(text)
    return public_hex(key)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Signing key of a file; raise ReleaseError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ReleaseError(
            f"{path}: {error.strerror}; make one: fabcommons firmware keygen"
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{path}: is not a private key in PEM without a passphrase") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ReleaseError(f"{path}: is not a P-256 key; make one: fabcommons firmware keygen")
    return key


def _bytes(value: int) -> bytes:
    return value.to_bytes(32, "big")


def public_hex(key: ec.EllipticCurvePrivateKey) -> str:
    """Public part as machines hold it (``update.key``): x and y in 128 hexadecimal digits."""
    numbers = key.public_key().public_numbers()
    return (_bytes(numbers.x) + _bytes(numbers.y)).hex()


def _facts(folder: Path, path: Path) -> Json:
    data = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    return {"path": name, "size": len(data), "sha": hashlib.sha256(data).hexdigest()}


def sign(folder: Path, version: str, key: ec.EllipticCurvePrivateKey) -> Path:
    """Write the manifest of the modules in a folder; return it. Raise ReleaseError."""
    kept = [p for p in folder.rglob("*") if p.suffix in (".py", ".mpy") and p.is_file()]
    files = [_facts(folder, path) for path in kept]
    strange = [f["path"] for f in files if not manifest.is_safe_path(f["path"])]
    if strange or not files:
        what = ", ".join(strange[:3]) or "no modules"
        raise ReleaseError(f"{folder}: holds {what}; build it with fabcommons firmware build")
    try:
        text = manifest.body(version, files)
    except WireError as error:
        raise ReleaseError(f"{folder}: {error}") from error
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    target = folder / manifest.NAME
    target.write_bytes(manifest.signed(text, _bytes(r) + _bytes(s)))
    return target


@dataclass(frozen=True, slots=True)
class Release:
    """A signed release as a command carries it; ``url`` is added by who serves it."""

    version: str
    sha: str
    size: int


class Releases:
    """Signed releases in a folder, one folder each, named by its version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Release]:
        """Every signed release, newest first; what is not one is left out."""
        found: list[Release] = []
        for path in self._folder.glob(f"*/{manifest.NAME}"):
            version = path.parent.name
            try:
                manifest.version_of(version)
            except WireError:
                continue
            data = path.read_bytes()
            found.append(Release(version, hashlib.sha256(data).hexdigest(), len(data)))
        return sorted(found, key=lambda r: manifest.version_of(r.version), reverse=True)

    def get(self, version: str) -> Release | None:
        """A release by its version, the newest when it is empty; None when there is none."""
        found = self.all()
        if not version:
            return found[0] if found else None
        return next((r for r in found if r.version == version), None)

    def file(self, version: str, path: str) -> Path | None:
        """One file of a release; None when it is no part of one."""
        if not (path == manifest.NAME or manifest.is_safe_path(path)):
            return None
        if self.get(version) is None:
            return None
        found = self._folder / version / path
        return found if found.is_file() else None
