"""One of several controllers of a site: stands by, leads, and starts anew when it was deposed.

A deposed leader replaces its own process: no thread of a past term is left that could still speak.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from starlette.types import ASGIApp

from controller.adapters.clock import Clock
from controller.adapters.site_file import SiteFile
from controller.adapters.store import Store, StoreUnreachable
from controller.adapters.store.leader import LeaderRow, Seen
from controller.leading import Leadership, awake_s, new_holder
from dashboards.server import CannotServe, PageServer
from dashboards.standby import PassOn, StandbyDesk
from fabcommons.client import FAILED, CliError
from fabcommons.front import make_front, page_host, page_url
from fabcommons.planning import house

if TYPE_CHECKING:
    from controller.replica_settings import ReplicaEntry

LOOKS = 10  # at the lease in the time of one


class StandBy:
    """A replica that waits for the lease and shows the floor meanwhile; a context manager."""

    def __init__(self, settings: SiteFile, folder: Path, base: Path, clock: Clock) -> None:
        assert settings.replica is not None
        self._entry: ReplicaEntry = settings.replica
        where = settings.store_place(folder)
        address = self._entry.address or page_url(settings)
        try:
            self._store = Store(where, clock.now_ms)
            self.row = LeaderRow(where, settings.site, new_holder(), address.rstrip("/"))
        except StoreUnreachable as error:
            raise CliError(str(error), FAILED) from error
        self._since_s = awake_s()
        desk = StandbyDesk(settings.site, clock, self._store.read, house(settings.planning, base))
        front = make_front(settings, (folder, base), "")
        trust = _trust(folder)

        def wrap(app: ASGIApp) -> ASGIApp:
            return PassOn(app, self.leader, trust)

        front = replace(front, wrap=wrap)
        port = int(settings.http.rpartition(":")[2])
        try:
            self.page = PageServer(desk, page_host(settings), port, front)
        except CannotServe as error:
            self._store.close()
            raise CliError(f"{error.reason}; choose another with --http", FAILED) from error

    def leader(self) -> str:
        """Address of the leader's page, "" while nobody leads."""
        try:
            seen = self.row.look()
        except StoreUnreachable:
            return ""
        return seen.address if seen is not None and seen.left_ms > 0 else ""

    def wait(self, stop: threading.Event) -> Leadership | None:
        """Return once we lead; None when asked to stop."""
        lead = Leadership(self.row, self._entry.lease_s)
        while not stop.wait(self._entry.lease_s / LOOKS):
            try:
                if self._is_due(self.row.look()) and lead.take():
                    return lead
            except StoreUnreachable as error:
                print(f"waiting for the database: {error}", file=sys.stderr, flush=True)
        return None

    def _is_due(self, seen: Seen | None) -> bool:
        free_s = awake_s() - self._since_s if seen is None else -seen.left_ms / 1000
        return free_s > self._entry.rank * self._entry.lease_s

    def close(self) -> None:
        """End the page and the reading; the lease row stays open for who leads."""
        self.page.close()
        self._store.close()


def start_anew() -> NoReturn:
    """Become a fresh process with the same command: nothing of what we were is left."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)


def check_alone(settings: SiteFile, folder: Path) -> None:
    """Refuse to run a site's only controller beside replicas of it; raise CliError."""
    if "://" not in settings.store:
        return
    row = LeaderRow(settings.store_place(folder), settings.site, new_holder(), "")
    try:
        seen = row.look()
    except StoreUnreachable:
        return  # no tables yet, or no database: told where it is opened
    finally:
        row.close()
    if seen is not None and seen.left_ms > 0:
        raise CliError(
            f"{settings.site} is led by the replica at {seen.address}: give this one `replica:`"
            " settings too, or stop that one first",
            FAILED,
        )


def _trust(folder: Path) -> ssl.SSLContext | bool:
    """What the leader's certificate is checked against: the system's, and the site's authority."""
    trust = ssl.create_default_context()
    authority = folder / "access" / "ca.pem"
    if authority.is_file():
        trust.load_verify_locations(authority)
    return trust
