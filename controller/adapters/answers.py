"""Answers between sites, signed with Ed25519: the home's own words to one question, no other.

Signed are the question (its method, path, sites, number and body, as one hash), what the asker
drew by lot for it, the home's time and the hash of the answer's bytes. So an answer that was
changed, cut, made up or given to another question is none. The time is the home's word, for
people: whether an answer is new is said by the question, which is asked once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.commons.borrowing import Forged

NONCE, AT, ANSWER = "X-Fab-Nonce", "X-Fab-Time", "X-Fab-Answer"
MAX_NONCE = 64

Sign = Callable[[bytes], str]


class Received(NamedTuple):
    """An answer as it came over the wire; ``at`` and ``signature`` are "" when it is unsigned."""

    body: bytes
    at: str = ""
    signature: str = ""


class Question(NamedTuple):
    """What was asked: the signed bytes of the request, and the asker's lot."""

    home: str
    content: bytes
    nonce: str

    def answered(self, at: str, body: bytes) -> bytes:
        """The bytes under an answer's signature; ``at`` in ms UTC by the home's clock."""
        asked, said = (hashlib.sha256(one).hexdigest() for one in (self.content, body))
        words = ("fabcommons-answer-1", self.home, asked, self.nonce, at, said)
        return "\n".join(words).encode()


def seal(question: Question, sign: Sign, at_ms: int, body: bytes) -> dict[str, str]:
    """Headers that make an answer the home's own."""
    at = str(at_ms)
    return {AT: at, ANSWER: sign(question.answered(at, body))}


def received(body: bytes, headers: Mapping[str, str]) -> Received:
    """An answer with what its headers say of its maker."""
    return Received(body, headers.get(AT) or "", headers.get(ANSWER) or "")


def check(question: Question, public_key: str, answer: Received) -> None:
    """Raise Forged unless the home with this key gave this answer to this question."""
    if not answer.signature:
        raise Forged(f"the answer of {question.home} is not signed", unsigned=True)
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        signature = bytes.fromhex(answer.signature)
        key.verify(signature, question.answered(answer.at, answer.body))
    except (ValueError, InvalidSignature) as error:
        words = "is not its own: changed or cut on the way, or to another question, or another key"
        raise Forged(f"the answer of {question.home} {words}") from error
