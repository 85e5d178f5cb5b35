"""One-time codes by which a new machine fetches its settings: short, expiring, read by nobody else.

A code never travels. Both sides stretch it (scrypt): half of the result names the code to the
site, the other half is the key (AES-GCM) the settings are sealed with. So the exchange is as
secret on plain HTTP as on HTTPS, and a listener without the code learns nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.values import Json, OpenCode, Refused

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none looks like another; 30 of them
LENGTH = 10  # 49 bits, of which a guess needs a second of work
LIFE_MS = 15 * 60 * 1000
_SALT = b"fabcommons enrolment 1"
_N, _R, _P = 2**14, 8, 1
MAX_OPEN = 50
MISSES, MISS_MS = 10, 60_000  # so many wrong codes in so long, then none is taken


class BadCode(Exception):
    """What was sealed cannot be opened with this code."""


def tidy(code: str) -> str:
    """A code as a person types it: any case, spaces and dashes."""
    return "".join(c for c in code.upper() if c in LETTERS)


def stretch(code: str) -> tuple[str, bytes]:
    """(name, key) of a code: what may be said aloud, and what seals."""
    raw = hashlib.scrypt(tidy(code).encode(), salt=_SALT, n=_N, r=_R, p=_P, dklen=48)
    return raw[:16].hex(), raw[16:]


def seal(key: bytes, document: Json) -> str:
    """A document only the key opens, in hex."""
    nonce = secrets.token_bytes(12)
    return (nonce + AESGCM(key).encrypt(nonce, json.dumps(document).encode(), _SALT)).hex()


def unseal(key: bytes, sealed: str) -> Json:
    """The twin of ``seal``; raise BadCode."""
    try:
        raw = bytes.fromhex(sealed)
        return json.loads(AESGCM(key).decrypt(raw[:12], raw[12:], _SALT))
    except (ValueError, InvalidTag) as error:
        raise BadCode("the code does not open what the site sent") from error


class Shelf(Protocol):
    """Where open codes lie; they outlive the controller."""

    def put(self, code: OpenCode, now_ms: int, most: int) -> bool:
        """Keep a code in place of its machine's last; False when ``most`` others are open."""
        ...

    def take(self, name: str) -> OpenCode | None:
        """A code by its name, which is then gone; None when it is not there."""
        ...


class Codes:
    """Codes given out and not used yet; ``now_ms`` is real time, UTC."""

    def __init__(self, now_ms: Callable[[], int], shelf: Shelf) -> None:
        self._now_ms = now_ms
        self._shelf = shelf
        self._missed: list[int] = []

    def make(self, machine: str) -> str:
        """A new code for a machine; one given before is worth nothing. Raise Refused."""
        now_ms = self._now_ms()
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        name, key = stretch(code)
        made = OpenCode(name, machine, key.hex(), now_ms + LIFE_MS)
        if not self._shelf.put(made, now_ms, MAX_OPEN):
            raise Refused("busy", "machine", f"{MAX_OPEN} codes are open; wait until some expire")
        return f"{code[:5]}-{code[5:]}"

    def redeem(self, name: str, settings: Callable[[str], Json]) -> str:
        """Settings of the machine a code was made for, sealed; once. Raise Refused."""
        now_ms = self._now_ms()
        self._missed = [at for at in self._missed if 0 <= now_ms - at < MISS_MS]
        if len(self._missed) >= MISSES:
            raise Refused("slow-down", "code", "too many wrong codes; try again in a minute")
        found = self._shelf.take(name)
        # more than a life left: the clock was set back since
        if found is None or not 0 < found.ends_at - now_ms <= LIFE_MS:
            self._missed.append(now_ms)
            text = "is not known here, used already, or older than 15 minutes: ask for a new one"
            raise Refused("bad-code", "code", text)
        return seal(bytes.fromhex(found.key_hex), settings(found.machine))
