"""What people ask of the commons; every verb returns once it is committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from controller.commons import releasing, rounds
from controller.commons.records import Round

if TYPE_CHECKING:
    from controller.adapters.store import Tx


class Submit(Protocol):
    """Runs a function on the writer inside a transaction; its result once committed."""

    def __call__(self, run: Callable[[Tx], Any], /) -> Any:
        """Run it."""
        ...


class Commons:
    """Verbs that take more than one transaction, over a site's writer and reader."""

    def __init__(self, submit: Submit, read: Callable[[], AbstractContextManager[Tx]]) -> None:
        self._submit = submit
        self._read = read
        self._counting = threading.Lock()

    def close(self, round_id: str) -> Round:
        """Close a round's ballot and count it; raise Refused."""
        self._submit(lambda tx: rounds.close_round(tx, round_id))
        self.count_closed()
        with self._read() as tx:
            found = tx.rounds.get(round_id)
        assert found is not None
        return found

    def look(self) -> None:
        """Close ballots whose time has come, and count what is closed."""
        with self._read() as tx:
            current = tx.rounds.current()
            due = current is not None and tx.now_ms >= current.closes_at
            closed = tx.rounds.in_state("closed")
        if due and current is not None:
            self._submit(lambda tx: rounds.close_round(tx, current.id))
        if due or closed:
            self.count_closed()
        self.release()

    def release(self) -> None:
        """Give unused urgent reserve to needs that wait, once halfway through a round."""
        with self._counting:
            with self._read() as tx:
                found = releasing.due(tx)
            if found is not None:
                more = releasing.count(found)
                self._submit(lambda tx: releasing.apply_release(tx, found, more))

    def count_closed(self) -> None:
        """Count every closed round, outside any transaction, and take it to the needs."""
        with self._counting:
            with self._read() as tx:
                closed = tx.rounds.in_state("closed")
            for found in closed:
                counted = rounds.count(found)
                self._submit(lambda tx, f=found, c=counted: rounds.apply_round(tx, f.id, c))
