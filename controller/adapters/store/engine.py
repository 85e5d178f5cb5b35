"""The store: one database, one writer at a time, short readers that see one moment."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import OperationalError

from controller.adapters.store import schema
from controller.adapters.store.dialects import StoreUnreachable, open_engine, store_url
from controller.adapters.store.tx import Tx


class Fence(Protocol):
    """Who may write: asked at the beginning of every writing transaction; raises Deposed."""

    @property
    def holder(self) -> str:
        """Name of the writer's sessions in the database."""
        ...

    def check(self, tx: Tx) -> None:
        """Refuse the transaction of a writer whose time is over."""
        ...


class Store:
    """The database at ``where`` (a path is an SQLite file); ``now`` gives floor time in ms UTC.

    Tables are made or upgraded on opening. Raises StoreUnreachable, SchemaMismatch.
    """

    def __init__(
        self, where: Path | str, now: Callable[[], int], fence: Fence | None = None
    ) -> None:
        self._now = now
        self._fence = fence
        self.url = store_url(where)
        try:
            self.upgraded_from = schema.prepare(self.url)
        except OperationalError as error:
            place = self.url.render_as_string(hide_password=True)
            raise StoreUnreachable(f"{place} does not open: {error.orig}") from error
        url = self.url
        if fence is not None:
            url = url.update_query_dict({"application_name": fence.holder})
        self._writer = open_engine(url, writes=True)
        self._reader = open_engine(self.url, writes=False)

    @contextmanager
    def write(self) -> Generator[Tx]:
        """One transaction; commits at the end of the block, rolls back when it raises."""
        with self._writer.begin() as conn:
            tx = Tx(conn, self._now())
            if self._fence is not None:
                self._fence.check(tx)
            yield tx

    @contextmanager
    def read(self) -> Generator[Tx]:
        """One consistent view; anything written in it is undone."""
        with self._reader.connect() as conn, conn.begin() as transaction:
            yield Tx(conn, self._now())
            transaction.rollback()

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()
