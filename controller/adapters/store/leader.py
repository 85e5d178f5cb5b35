"""Who leads a site: the lease row, on connections of its own, and the fence in every transaction.

The lease is taken and renewed in one statement by the clock of the database; ``term`` grows by one
at least at each taking. Every writing transaction of the leader first locks the row, FOR KEY SHARE,
as long as it has the leader's holder and term. A taking changes ``term``, a key column, so it waits
for such a transaction, and one that comes later finds the row changed and is refused; a renewal
does neither. A holder frozen in the middle of a transaction is in nobody's way: who takes over
first ends the sessions of an expired holder.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, bindparam, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from controller.adapters.store.dialects import StoreUnreachable, store_url
from controller.adapters.store.leader_tables import leader
from controller.adapters.store.rows import Room
from controller.values import Deposed

WAIT_MS = 2_000  # for a lock on the row
CONNECT_S = 3
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_TERM_OF_SITE = "COALESCE((SELECT value::bigint FROM site WHERE name = 'term'), 0)"
_TAKE = text(
    "INSERT INTO leader AS now_held (site, holder, address, term, expires_at)"
    f" VALUES (:site, :holder, :address, {_TERM_OF_SITE} + 1, {_NOW} + :lease_ms)"
    " ON CONFLICT (site) DO UPDATE SET holder = excluded.holder, address = excluded.address,"
    " term = GREATEST(now_held.term + 1, excluded.term), expires_at = excluded.expires_at"
    f" WHERE now_held.expires_at < {_NOW} RETURNING term"
)
_RENEW = text(
    f"UPDATE leader SET expires_at = {_NOW} + :lease_ms"
    " WHERE site = :site AND holder = :holder RETURNING term"
)
_RELEASE = text("UPDATE leader SET expires_at = 0 WHERE site = :site AND holder = :holder")
_LOOK = text(f"SELECT holder, address, term, expires_at - {_NOW} FROM leader WHERE site = :site")
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = :holder AND datname = current_database()"
)
_CHECK = (
    select(leader.c.term)
    .where(leader.c.site == bindparam("site"), leader.c.holder == bindparam("holder"))
    .where(leader.c.term == bindparam("term"))
    .with_for_update(read=True, key_share=True)
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Who holds the lease; ``left_ms`` is negative once it ran out."""

    holder: str
    address: str
    term: int
    left_ms: int


class LeaderRoom(Room):
    """The lease row inside a writing transaction of who claims to lead."""

    def check(self, site: str, holder: str, term: int) -> None:
        """Refuse the transaction unless the lease is still theirs; raise Deposed."""
        found = self._value(_CHECK, site=site, holder=holder, term=term)
        if found is None:
            raise Deposed(f"{holder} no longer leads {site} in term {term}")

    def raise_term(self, site: str, holder: str, least: int) -> None:
        """A machine has seen a later term (an old backup was restored): go on from there."""
        self._change(leader, {"site": site, "holder": holder}, {"term": least})


class LeaderRow:
    """The lease of one site as one replica sees it; PostgreSQL only. Raises StoreUnreachable."""

    def __init__(self, where: Path | str, site: str, holder: str, address: str) -> None:
        self.site, self.holder, self.address = site, holder, address
        url = store_url(where)
        if url.get_backend_name() != "postgresql":
            raise StoreUnreachable("replicas share a PostgreSQL database; SQLite has one")
        options = f"-c lock_timeout={WAIT_MS} -c statement_timeout={WAIT_MS}"
        arguments = {"options": options, "connect_timeout": CONNECT_S}
        self._engine = create_engine(
            url, isolation_level="AUTOCOMMIT", pool_pre_ping=True, connect_args=arguments
        )

    def take(self, lease_ms: int) -> int | None:
        """Take the lease if nobody holds it: the new term, None while somebody does."""
        seen = self.look()
        if seen is not None and seen.left_ms >= 0:
            return None
        with self._connected() as conn:
            if seen is not None:
                conn.execute(_END, {"holder": seen.holder})
            mine = {"site": self.site, "holder": self.holder, "address": self.address}
            return conn.execute(_TAKE, {**mine, "lease_ms": lease_ms}).scalar()

    def renew(self, lease_ms: int) -> int | None:
        """Hold on for another ``lease_ms``: the term, None when somebody else has taken it."""
        with self._connected() as conn:
            mine = {"site": self.site, "holder": self.holder, "lease_ms": lease_ms}
            return conn.execute(_RENEW, mine).scalar()

    def release(self) -> None:
        """Let the next take it at once."""
        with self._connected() as conn:
            conn.execute(_RELEASE, {"site": self.site, "holder": self.holder})

    def look(self) -> Seen | None:
        """Who holds it, by the clock of the database."""
        with self._connected() as conn:
            row = conn.execute(_LOOK, {"site": self.site}).first()
        return None if row is None else Seen(row[0], row[1], row[2], row[3])

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Generator[Connection]:
        try:
            with self._engine.connect() as conn:
                yield conn
        except DBAPIError as error:
            raise StoreUnreachable(f"the lease of {self.site}: {error.orig}") from error
