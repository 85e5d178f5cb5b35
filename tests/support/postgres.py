"""A real PostgreSQL of the tests' own, and fresh databases in it."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from controller.adapters.broker import free_port
from controller.adapters.store import Store

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
_numbers = itertools.count(1)


def _bin() -> Path:
    if _PROGRAMS:
        return _PROGRAMS[-1].parent
    reason = "PostgreSQL is not here (make servers)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Postgres:
    """One server on loopback in a folder of its own; it can be killed and started again."""

    def __init__(self) -> None:
        self._bin = _bin()
        self._folder = Path(tempfile.mkdtemp(prefix="fab-pg-"))
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        cluster = str(self._folder / "cluster")
        self._run("initdb", "-D", cluster, "-U", "fab", "-A", "trust", "--locale=C", "-E", "UTF8")
        self._cluster = cluster
        self._ready = False
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start and wait until it answers."""
        where = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -c fsync=off -c max_connections=200"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", self._cluster, "-w", "-t", "90", "-l", log, "-o", where, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop; ``immediate`` is as a power cut."""
        self._run("pg_ctl", "-D", self._cluster, "-w", "-t", "90", "-m", mode, "stop")

    def database(self) -> str:
        """Address of a new database whose tables are made."""
        if not self._ready:
            Store(self.empty("ready"), lambda: 0).close()
            self._ready = True
        return self.empty(f"site{next(_numbers)}", "ready")

    def empty(self, name: str, template: str = "template0") -> str:
        """Address of a new database that is a copy of ``template``."""
        place = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "fab")
        self._run("createdb", *place, "-T", template, name)
        return f"postgresql://fab@127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        """Stop and forget everything."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)


@functools.cache
def server() -> Postgres:
    """The one server of this test run."""
    made = Postgres()
    atexit.register(made.close)
    return made


def store_place(file: Path) -> Path | str:
    """Where a test keeps its store: the file, or a database of its own when PostgreSQL is asked."""
    if os.environ.get("FABCOMMONS_TEST_STORE") == "postgresql":
        return server().database()
    return file
