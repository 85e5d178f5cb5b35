"""Requests between sites, signed with Ed25519: who asks whom for what, and never twice.

Signed are method, path, the home's name, the asker's name, a request number and the body's hash.
The number only grows, so an old request is refused whatever the clocks say; the home's name keeps
a request to one home from being used at another. Answers: controller/adapters/answers.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from controller.adapters.answers import NONCE, Question, Received, check, received
from controller.commons.borrowing import Forged, Unreachable
from controller.commons.leases import Claim
from controller.values import Json

if TYPE_CHECKING:
    from controller.adapters.store import Tx

TIMEOUT_S = 10.0
NUMBERS_AHEAD = 60_000  # ms: so long a block of request numbers lasts at most
NUMBERS_KEY = "request_number"
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


class Numbers:
    """Request numbers that only grow, over restarts and clocks that go back.

    Each is above every one before and at least the time in ms, so that a site brought back from an
    old copy is believed again. A block is noted in the store before any number of it is used.
    """

    def __init__(self, submit: Callable[[Callable[[Tx], Any]], Any], now_ms: Callable[[], int]):
        self._submit, self._now_ms = submit, now_ms
        self._next = self._end = 0

    def __call__(self) -> int:
        """The next number."""
        number = max(self._next, self._now_ms()) if self._end else 0
        if number >= self._end:
            number = self._submit(self._reserve)
            self._end = number + NUMBERS_AHEAD
        self._next = number + 1
        return number

    def _reserve(self, tx: Tx) -> int:
        first = max(self._next, self._now_ms(), tx.site.number(NUMBERS_KEY))
        tx.site.raise_to(NUMBERS_KEY, first + NUMBERS_AHEAD)
        return first


Transport = Callable[[urllib.request.Request], Received]
T = TypeVar("T")


class Offer(TypedDict):
    """A need as its home offers it; what else is said of it is left out."""

    need: str
    seq: int
    community: str
    design: str
    manifest_sha256: str
    part: str
    quantity: int
    due_at: int | None
    need_class: str
    note: str


class Offers(msgspec.Struct):
    """Answer of a home: needs offered, and the cursor to go on from."""

    needs: list[Offer]
    cursor: int


class Claimed(msgspec.Struct):
    """A claim that stands."""

    need: str
    token: int


class Claims(msgspec.Struct):
    """Answer of a home: what became of a batch of claims."""

    claims: list[Claimed]
    refused: dict[str, str]


def _over_http(request: urllib.request.Request) -> Received:
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return received(answer.read(MAX_ANSWER), answer.headers)


class Address(NamedTuple):
    """A home as people joined it; ``may_be_unsigned``: of a release that signs no answers."""

    name: str
    url: str
    public_key: str
    may_be_unsigned: bool = False


class HttpHome:
    """A home reached over HTTP; ``transport`` raises OSError when there is no answer."""

    def __init__(self, at: Address, who: Identity, transport: Transport = _over_http) -> None:
        self.name = at.name
        self.signed = 0
        self._at = at
        self._url = at.url.rstrip("/")
        self._who = who
        self._transport = transport

    def offers(self, after: int) -> tuple[list[Json], int]:
        """Open needs after a cursor, and the next cursor; raise Unreachable."""
        answer = self._send("GET", f"/commons/needs?after={after}", None, Offers)
        return [{**offer} for offer in answer.needs], answer.cursor

    def ask(self, verb: str, claims: list[Claim]) -> tuple[dict[str, int], dict[str, str]]:
        """Claim, begin, complete or release; raise Unreachable."""
        body = {"claims": [{"need": one.need, "token": one.token} for one in claims]}
        answer = self._send("POST", f"/commons/needs/{verb}", body, Claims)
        return {one.need: one.token for one in answer.claims}, answer.refused

    def _send(self, method: str, path: str, body: Any, kind: type[T]) -> T:
        """Sign and send; the home's own answer as a value; raise Unreachable, or Forged of it."""
        data = b"" if body is None else json.dumps(body).encode()
        seq = self._who.next_seq()
        signed = Request(method, path, self.name, self._who.site, seq, data)
        question = Question(self.name, signed.content(), secrets.token_hex(16))
        headers = {
            "Content-Type": "application/json",
            "X-Fabcommons": "1",
            SITE: self._who.site,
            SEQ: str(seq),
            SIGNATURE: self._who.key.sign(question.content).hex(),
            NONCE: question.nonce,
        }
        request = urllib.request.Request(
            self._url + path, data=data or None, headers=headers, method=method
        )
        try:
            answer = self._transport(request)
            self._believe(question, answer)
            return msgspec.json.decode(answer.body, type=kind)
        except (OSError, ValueError, RecursionError, HTTPException) as error:
            raise Unreachable(f"{self.name} at {self._url}: {_words(error)}") from error

    def _believe(self, question: Question, answer: Received) -> None:
        """Raise Forged unless the answer is the home's own, or people let it be unsigned."""
        try:
            check(question, self._at.public_key, answer)
        except Forged as forged:
            if not (forged.unsigned and self._at.may_be_unsigned):
                raise
            return
        self.signed += 1


def _words(error: Exception) -> str:
    """An error with what the home says of it."""
    if not isinstance(error, urllib.error.HTTPError):
        reason = getattr(error, "reason", error)
        return str(getattr(reason, "strerror", None) or reason)
    try:
        said = json.loads(error.read(10_000))["problems"][0]["message"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return str(error)
    return f"{error}: {said}"
