"""A disk that is full while machines report: nothing is buried, nothing half written, all comes in.

SQLite undoes the whole transaction by itself when it finds no room; what a batch wrote after that
was committed statement by statement, and the report that met the full disk was taken for poison.
"""

from __future__ import annotations

from typing import Any

from controller import execution, inbound
from controller.writer import Hooks, Item, Writer
from protocols.messages import encode
from support.small_floor import Journal, hello

FULL, ENDLESS = 0, 1073741823
EVENTS = 60


def limit(store: Any, pages: int) -> None:
    """SQLite's own limit of pages; 0 = no more than there are."""
    with store._writer.connect() as conn:
        now = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages or now}")
        conn.rollback()


def reports() -> list[Item]:
    journal = Journal()
    documents = [
        journal.event("fault", code="c", msg="the nozzle is clogged again" * 4)
        for _ in range(EVENTS)
    ]
    return [
        Item(
            lambda tx, d=d: inbound.receive(
                tx, "fab/1/floor/printer-1/up/ev", encode("up/ev", d), "floor"
            )
        )
        for d in documents
    ]


def test_reports_that_met_a_full_disk_come_in_whole_later(floor: Any) -> None:
    floor.do(execution.hear_hello, "printer-1", hello())
    writer = Writer(floor.store, Hooks(lambda tx: None, lambda tx: None))
    items = reports()
    if floor.store.url.get_backend_name() == "sqlite":
        limit(floor.store, FULL)
        assert not writer._try(items)
        assert "full" in writer.store_error
        with floor.store.read() as tx:
            assert (tx.inbox.count(), tx.dead.count()) == (0, 0)
        limit(floor.store, ENDLESS)
    assert writer._try(items)
    with floor.store.read() as tx:
        assert (tx.inbox.count(), tx.dead.count()) == (EVENTS, 0)
        assert tx.machines.get("printer-1").acked_s == EVENTS
