"""A floor with accounts, served over HTTP, and browsers that are not logged in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from controller.adapters.passwords import quick
from controller.people import accounts
from dashboards.gate import Rules
from dashboards.server import Front, PageServer

PASSWORD = "correct horse battery"
NAMES = {"mia": "member", "tom": "technician", "stella": "steward", "ada": "admin"}


def populate(desk: Any, at_ms: int = 1) -> None:
    """One account of every role, all with one password."""
    kept = quick().hash(PASSWORD)

    def run(tx: Any) -> None:
        for name, role in NAMES.items():
            accounts.add(tx, name, role, kept, at_ms)

    desk.submit(run)


class Served:
    """A served floor; ``browser`` is a client that keeps cookies."""

    def __init__(self, desk: Any, rules: Rules | None = None) -> None:
        self.desk = desk
        self.server = PageServer(desk, port=0, front=Front(rules=rules))
        self.gate = self.server.gate
        self.gate.passwords = quick()
        self._open: list[httpx.Client] = []

    def begin_again(self) -> None:
        """Accounts and limits as at the beginning; nobody is logged in, nothing was asked."""
        kept = self.gate.passwords.hash(PASSWORD)

        def run(tx: Any) -> None:
            for name in NAMES:
                accounts.set_disabled(tx, name, False, 1)
                accounts.set_password(tx, name, kept, 1)

        self.desk.submit(run)
        self.gate.register.look()
        self.desk.asked.clear()
        self.desk.clock.advance_ms(3_600_000)  # every limit has refilled

    def browser(self, **headers: str) -> httpx.Client:
        """A client with the header of our own pages."""
        sent = {"X-Fabcommons": "1", **headers}
        made = httpx.Client(base_url=self.server.url, headers=sent, timeout=60)
        self._open.append(made)
        return made

    def logged_in(self, name: str) -> httpx.Client:
        """A client in which an account is logged in."""
        made = self.browser()
        answer = made.post("/api/log-in", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return made

    def lines(self) -> list[Any]:
        """The audit log, oldest first; ends the server, so that every line is written."""
        self.server.close()
        with self.desk.read() as tx:
            return tx.people.audit_page(1000)[::-1]

    def close(self) -> None:
        """End clients and server."""
        for client in self._open:
            client.close()
        self.server.close()


@contextmanager
def served(desk: Any, rules: Rules | None = None) -> Iterator[Served]:
    """A floor served until the block ends."""
    made = Served(desk, rules)
    try:
        yield made
    finally:
        made.close()
