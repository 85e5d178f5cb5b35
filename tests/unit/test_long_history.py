"""What a floor asks its store again and again costs no more with years of history behind it.

The database says itself how it answers each statement a mixed floor runs (EXPLAIN QUERY PLAN): none
may walk through a table that grows for ever, nor through all that ended, of a machine or at all.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from dashboards.reading import read_rows
from support import show
from support.quick_parts import greedy

GROWING = {
    "need", "lot", "balance", "inbox", "command", "operation", "operation_link", "job_order",
    "economic_event", "notice", "dead_letter", "sign_off", "plan_change",
}  # fmt: skip
OFTEN = 5  # times a floor of three needs runs a statement; what is asked once may take long
DAY_MS = 24 * 3600 * 1000
LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+\b")
LISTS = re.compile(r"\?(?:, \?)+")
NEWEST = re.compile(r"WHERE \w+\.machine = '[^']*' ORDER BY \w+\.\w+ DESC\s+LIMIT")
ENDED = re.compile("'(?:done|cancelled|delivered|SUCCEEDED|FAILED|WITHDRAWN)'")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Statements of a floor at work and its pages, with how often and one example; the store."""
    often: Counter[str] = Counter()
    example: dict[str, str] = {}

    def note(statement: str) -> None:
        shape = LISTS.sub("?", LITERAL.sub("?", statement))
        often[shape] += 1
        example.setdefault(shape, statement)

    def watch(conn: sqlite3.Connection, _record: object) -> None:
        conn.set_trace_callback(note)

    folder = tmp_path_factory.mktemp("floor")
    event.listen(Engine, "connect", watch)
    try:
        made = show.floor(folder, plan=greedy)
        made.state(show.requests(3))
        made.run()
        for _ in range(OFTEN):
            with made.store.read() as tx:
                read_rows(tx)
                tx.plans.board(tx.now_ms - DAY_MS)
        yield often, example, folder / "site.sqlite"
        made.close()
    finally:
        event.remove(Engine, "connect", watch)


def test_no_repeated_question_walks_through_the_history(asked: Any) -> None:
    often, example, file = asked
    slow: list[str] = []
    with sqlite3.connect(file) as raw:
        for shape, count in often.items():
            if count < OFTEN or not shape.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            plan = [row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + example[shape])]
            slow += [
                f"{count} times {step}: {shape}"
                for step in plan
                if _walks(step, example[shape], plan)
            ]
    raw.close()
    assert not slow, "\n".join(slow)
    assert sum(count >= OFTEN for count in often.values()) > 50  # it was a floor at work


def _walks(step: str, statement: str, plan: list[str]) -> bool:
    words = step.split()
    if words[0] not in ("SCAN", "SEARCH") or words[1] not in GROWING:
        return False
    if step.endswith("(state=?)"):  # the ended ones by a narrower search beside it, or not at all
        narrower = any("(state=? AND done_at>?)" in other for other in plan)
        return bool(ENDED.search(statement)) and not narrower
    if step.endswith("(machine=?)"):
        return not NEWEST.search(statement)
    sorts = any("TEMP B-TREE" in other for other in plan)
    return words[0] == "SCAN" and (sorts or "LIMIT" not in statement)
