"""Passwords kept as argon2id hashes (RFC 9106, its second recommendation: 64 MiB, 3 passes)."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2  # hashes computed together: each takes 64 MiB and a core


class Passwords:
    """Hashes and checks; at most two at once, so that a flood of log-ins takes no more."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = ""

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        with self._places:
            return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Say whether a password is the one; takes as long for an account that does not exist."""
        with self._places:
            try:
                return self._hasher.verify(kept or self._anyone(), password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def _anyone(self) -> str:
        """A hash to compare with when there is none, made when it is first needed."""
        self._nobody = self._nobody or self._hasher.hash("nobody has this password")
        return self._nobody


def quick() -> Passwords:
    """Weak hashes that cost nothing, for tests of what stands around them."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
