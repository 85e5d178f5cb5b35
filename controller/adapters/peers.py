"""Requests between sites, signed with Ed25519: who asks whom for what, and never twice.

Signed are method, path, the home's name, the asker's name, a request number and the body's hash.
The number only grows, so an old request is refused whatever the clocks say; the home's name keeps
a request to one home from being used at another.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from controller.commons.borrowing import Unreachable
from controller.commons.leases import Claim
from controller.values import Json

TIMEOUT_S = 20.0
MAX_ANSWER = 4_000_000
SITE, SEQ, SIGNATURE = "X-Fab-Site", "X-Fab-Seq", "X-Fab-Signature"


class Request(NamedTuple):
    """What is signed."""

    method: str
    path: str
    home: str
    site: str
    seq: int
    body: bytes

    def content(self) -> bytes:
        """The bytes under the signature."""
        digest = hashlib.sha256(self.body).hexdigest()
        return "\n".join(
            ("fabcommons-1", self.method, self.path, self.home, self.site, str(self.seq), digest)
        ).encode()


def load_key(path: Path) -> Ed25519PrivateKey:
    """The site's key from a file only its owner can read; made when there is none."""
    if path.exists():
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    key = Ed25519PrivateKey.generate()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(key.private_bytes_raw().hex() + "\n")
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """What other sites are told of a key."""
    return key.public_key().public_bytes_raw().hex()


def genuine(request: Request, public_key: str, signature: str) -> bool:
    """Whether a request was signed by the holder of a key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), request.content())
    except (ValueError, InvalidSignature):
        return False
    return True


class Identity(NamedTuple):
    """Who asks: name, key, and a function that gives the next request number, once."""

    site: str
    key: Ed25519PrivateKey
    next_seq: Callable[[], int]


class HttpHome:
    """A home reached over HTTP."""

    def __init__(self, name: str, url: str, who: Identity) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._who = who

    def offers(self, after: int) -> tuple[list[Json], int]:
        """Open needs after a cursor, and the next cursor; raise Unreachable."""
        answer = self.send("GET", f"/commons/needs?after={after}", None)
        return answer["needs"], int(answer["cursor"])

    def ask(self, verb: str, claims: list[Claim]) -> tuple[dict[str, int], dict[str, str]]:
        """Claim, begin, complete or release; raise Unreachable."""
        body = {"claims": [{"need": one.need, "token": one.token} for one in claims]}
        answer = self.send("POST", f"/commons/needs/{verb}", body)
        stands = {one["need"]: int(one["token"]) for one in answer["claims"]}
        return stands, dict(answer["refused"])

    def send(self, method: str, path: str, body: Any) -> Any:
        """Sign and send; the answer as JSON; raise Unreachable."""
        data = b"" if body is None else json.dumps(body).encode()
        seq = self._who.next_seq()
        signed = Request(method, path, self.name, self._who.site, seq, data)
        headers = {
            "Content-Type": "application/json",
            "X-Fabcommons": "1",
            SITE: self._who.site,
            SEQ: str(seq),
            SIGNATURE: self._who.key.sign(signed.content()).hex(),
        }
        request = urllib.request.Request(
            self._url + path, data=data or None, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read(MAX_ANSWER))
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self.name} at {self._url}: {error}") from error
