"""Leading a site of several replicas: the lease renewed, the fence handed to the store.

Two guards, either of which suffices: the database refuses every transaction of a term that is past
(``check``), and what would leave for the machines is held back once the lease may have run out by
our own clock (``holds``), counted from before the last renewal was asked for.
"""

import logging
import secrets
import socket
import threading
import time

from controller.adapters.store import StoreUnreachable, Tx
from controller.adapters.store.leader import LeaderRow
from controller.loops import Beat, Loop

RENEWALS = 4  # tried in the time of one lease
_log = logging.getLogger(__name__)


def awake_s() -> float:
    """Real seconds that only grow, also while this computer sleeps where it can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def new_holder() -> str:
    """A name no other process ever had: host and chance; at most 60 characters."""
    return f"fab-{socket.gethostname()[:40]}-{secrets.token_hex(6)}"


class Leadership:
    """Our time as leader of a site; ``lost`` is set once somebody else has taken over."""

    def __init__(self, row: LeaderRow, lease_s: float) -> None:
        self._row = row
        self._lease_s = lease_s
        self._until_s = 0.0
        self._keeper = Loop(Beat("lease", lease_s / RENEWALS, self.renew))
        self.term = 0
        self.lost = threading.Event()

    @property
    def holder(self) -> str:
        """Who we are in the lease row and among the database's sessions."""
        return self._row.holder

    def take(self) -> bool:
        """Become leader if nobody is; then the lease is kept until ``release``."""
        asked_s = awake_s()
        term = self._row.take(int(self._lease_s * 1000))
        if term is None:
            return False
        self.term = term
        self._until_s = asked_s + self._lease_s
        self._keeper.start()
        return True

    def renew(self) -> None:
        """Do what the keeper does every so often."""
        self.renewed()

    def renewed(self) -> bool:
        """Ask for more time; a database that cannot be asked leaves us what we have."""
        if self.lost.is_set():
            return False
        asked_s = awake_s()
        try:
            term = self._row.renew(int(self._lease_s * 1000))
        except StoreUnreachable as error:
            _log.warning("the lease could not be renewed: %s", error)
            return False
        if term is None:
            self.lost.set()
            _log.error("another replica leads %s: term %d is over", self._row.site, self.term)
            return False
        self.term = max(self.term, term)
        self._until_s = asked_s + self._lease_s
        return True

    def holds(self) -> bool:
        """Whether the lease is ours for certain, by our own clock."""
        return not self.lost.is_set() and awake_s() < self._until_s

    def check(self, tx: Tx) -> None:
        """The fence of every writing transaction; raise Deposed."""
        tx.leader.check(self._row.site, self.holder, self.term)

    def begin(self, tx: Tx) -> int:
        """First words of a term: the site's number follows."""
        return tx.site.raise_to("term", self.term)

    def follow(self, tx: Tx, term: int) -> None:
        """A machine has seen a later term than ours: ours becomes that, if this commits."""
        if term > self.term:
            tx.leader.raise_term(self._row.site, self.holder, term)

    def release(self) -> None:
        """Stop leading in order, so that the next need not wait."""
        self._keeper.close()
        self.lost.set()
        try:
            self._row.release()
        except StoreUnreachable as error:
            _log.warning("the lease runs out by itself: %s", error)
        self._row.close()
