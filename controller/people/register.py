"""Everybody who may come in, kept in memory: an emergency stop is let through without a database.

The copy is read again when the store's revision says so, at most every ``LOOK_S`` seconds: so an
account shut out by the command, or at another replica, is out two seconds later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from controller.people.accounts import REVISION, hashed
from controller.people.records import Account, ApiToken, People, Session
from controller.people.roles import ADMIN, MAY, PUBLIC, VOTE

if TYPE_CHECKING:
    from controller.adapters.store import Tx

LOOK_S = 2.0
NOBODY = People(-1, (), (), ())


class Caller(NamedTuple):
    """Who asks, how they were known, and what they may do; ``key`` names their session or token."""

    who: str
    how: str
    role: str
    rights: frozenset[str]
    account: str = ""
    key: str = ""
    member: str = ""

    def named(self, said: str) -> str:
        """Whom a command is recorded under: the account; without one what the person said."""
        if self.account:
            return self.account
        return said if self.how == "local" else f"{said} (not logged in)"


LOCAL = Caller("local admin", "local", ADMIN, MAY[ADMIN])
ANYBODY = Caller("nobody", "public", PUBLIC, MAY[PUBLIC])
HOLDER = Caller("a member", "member", PUBLIC, MAY[PUBLIC] | {VOTE})


class Register:
    """The copy; ``read`` opens the store, ``now_ms`` is real time, ``monotonic_s`` only grows."""

    def __init__(
        self,
        read: Callable[[], AbstractContextManager[Tx]],
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._read = read
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._looked_s = -LOOK_S
        self._fill(NOBODY)

    def _fill(self, people: People) -> None:
        self._accounts = {one.id: one for one in people.accounts}
        self._sessions = {one.sha: one for one in people.sessions}
        self._tokens = {one.sha: one for one in people.tokens}
        self._revision = people.revision

    def stale(self) -> bool:
        """Whether the copy is due to be compared with the store."""
        return self._monotonic_s() - self._looked_s >= LOOK_S

    def look(self) -> None:
        """Compare the copy with the store, and read it again when it is old."""
        with self._lock, self._read() as tx:
            now_s = self._monotonic_s()
            revision = tx.site.number(REVISION)
            if revision != self._revision:
                people = tx.people
                sessions, tokens = people.sessions(), people.tokens()
                self._fill(People(revision, tuple(people.all()), tuple(sessions), tuple(tokens)))
            self._looked_s = now_s

    @property
    def empty(self) -> bool:
        """Whether no account was ever made; before the first look nobody knows."""
        return self._revision >= 0 and not self._accounts

    def account(self, name: str) -> Account | None:
        """One account as last read."""
        return self._accounts.get(name)

    def by_session(self, text: str) -> Caller | None:
        """Who is logged in with what a cookie holds, or None."""
        return self._caller(self._sessions.get(hashed(text)), "session")

    def by_token(self, text: str) -> Caller | None:
        """Who a program with this token acts as, within its scopes, or None."""
        return self._caller(self._tokens.get(hashed(text)), "token")

    def lasts(self, caller: Caller) -> bool:
        """Whether what a caller came in by is still good."""
        if not caller.account:
            return True
        kept = self._sessions if caller.how == "session" else self._tokens
        return self._caller(kept.get(caller.key), caller.how) == caller

    def _caller(self, found: Session | ApiToken | None, how: str) -> Caller | None:
        if found is None or found.expires_at <= self._now_ms():
            return None
        account = self._accounts.get(found.account)
        if account is None or account.disabled:
            return None
        rights = MAY[account.role]
        if isinstance(found, ApiToken):
            rights &= frozenset(found.scopes)
        member = account.member or ""
        return Caller(account.id, how, account.role, rights, account.id, found.sha, member)
