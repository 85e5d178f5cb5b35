"""Our Moonraker adapter against the real Moonraker, with a Klipper of ours behind it.

Moonraker (GPL) lives in an environment of its own (scripts/moonraker) and runs as a process.
Klipper itself is in no package index: ``fake_klippy.py`` speaks its API socket.
"""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.host_rigs import M, Rig
from support.peers import environment
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
START_S = 180
DRAWN_MG = 750  # 250 mm of 3 g a metre
CONFIG = """\
[server]
host: 127.0.0.1
port: {port}
klippy_uds_address: {klippy}
[authorization]
force_logins: true
[history]
[file_manager]
enable_object_processing: False
"""


class Voron:
    """Moonraker's process and that of the Klipper behind it; files stay over restarts."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python = python
        self.folder = folder
        self.truth = folder / "truth"
        self.truth.touch()
        self.gcodes = folder / "data/gcodes"
        (folder / "data/config").mkdir(parents=True)
        self.gcodes.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # a socket's path must be short
        self.klippy_at = Path(tempfile.mkdtemp(prefix="klippy-")) / "k.sock"
        text = CONFIG.format(port=port, klippy=self.klippy_at)
        (folder / "data/config/moonraker.conf").write_text(text)
        self.klippy: subprocess.Popen[bytes] | None = None
        self.moonraker: subprocess.Popen[bytes] | None = None

    def start_klippy(self) -> None:
        self.klippy_at.unlink(missing_ok=True)
        peer = str(ROOT / "tests/interop/fake_klippy.py")
        where = [str(self.klippy_at), str(self.gcodes), str(self.truth)]
        self.klippy = _run([sys.executable, peer, *where])

    def start_moonraker(self) -> None:
        where = ["-m", "moonraker", "-d", str(self.folder / "data"), "-n"]
        self.moonraker = _run([self.python, *where])

    def wait_ready(self) -> None:
        until(self._is_ready, START_S)

    def _is_ready(self) -> bool:
        try:
            headers = {"X-Api-Key": self.key()}
            answer = httpx.get(self.url + "/server/info", headers=headers, timeout=5)
            return bool(answer.json()["result"]["klippy_state"] == "ready")
        except (httpx.HTTPError, ValueError, KeyError, sqlite3.Error, TypeError):
            return False

    def key(self) -> str:
        """The API key Moonraker made for itself."""
        base = self.folder / "data/database/moonraker-sql.db"
        with sqlite3.connect(f"file:{base}?mode=ro", uri=True) as store:
            asked = "SELECT password FROM authorized_users WHERE username = '_API_KEY_USER_'"
            return str(store.execute(asked).fetchone()[0])

    def begun(self) -> list[str]:
        return self.truth.read_text().split()

    def kill(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        self.kill(self.moonraker)
        self.kill(self.klippy)
        self.klippy_at.unlink(missing_ok=True)
        self.klippy_at.parent.rmdir()


def _run(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voron]:
    programs = environment("moonraker", "Moonraker")
    voron = Voron(str(programs / "python"), tmp_path_factory.mktemp("moonraker"))
    voron.start_klippy()
    voron.start_moonraker()
    voron.wait_ready()
    yield voron
    voron.close()


@pytest.fixture
def rig(peer: Voron, tmp_path: Path) -> Iterator[Rig]:
    made = Rig("moonraker", tmp_path, peer)  # type: ignore[arg-type]  # its url is enough
    made.shut()
    made.key, made.timeout_s = peer.key(), 10.0
    made.open()
    yield made
    made.close()


def test_an_order_is_paused_resumed_and_made_once(rig: Rig, peer: Voron) -> None:
    need = rig.run()
    name = rig.name()
    rig.site.command(M, "pause", rig.asker())
    rig.wait_state("PAUSED")
    rig.site.command(M, "resume", rig.asker())
    rig.wait_state("SUCCEEDED")
    assert peer.begun().count(name) == 1
    drawn = [e for e in rig.see(lambda tx: tx.ledger.of_order(rig.order().id)) if e.lot]
    consumed = [(e.measure, e.mass_mg) for e in drawn if e.action == "consume"]
    assert {measure for measure, _ in consumed} == {"measured"}
    assert sum(mass for _, mass in consumed) == DRAWN_MG
    rig.deliver(need)
    rig.wait(lambda: not (peer.gcodes / name).exists(), "its file was removed")


def test_a_person_cancels_on_the_page(rig: Rig, peer: Voron) -> None:
    rig.run()
    name = rig.name()
    rig.site.command(M, "cancel", rig.asker())
    rig.wait_state("CANCELLED")
    assert peer.begun().count(name) == 1


def test_moonraker_is_killed_in_mid_print(rig: Rig, peer: Voron) -> None:
    """Klipper prints on; what it did is told when Moonraker is back, and nothing starts again."""
    need = rig.run()
    name = rig.name()
    peer.kill(peer.moonraker)
    rig.wait(lambda: not rig.machine().online, "offline")
    peer.start_moonraker()
    rig.wait_state("SUCCEEDED")
    rig.deliver(need)
    assert peer.begun().count(name) == 1


def test_klipper_is_killed_in_mid_print(rig: Rig, peer: Voron) -> None:
    """Nobody knows how far it came: a person says, and the next one runs under a new name."""
    rig.run()
    name = rig.name()
    peer.kill(peer.klippy)
    rig.wait(lambda: rig.machine().state == "fault", "Klipper's end is seen")
    peer.start_klippy()
    peer.wait_ready()
    rig.wait_state("UNKNOWN")  # at the latest now: killed early enough, history never had the job
    rig.clear("bad")
    rig.wait(lambda: rig.name() != name, "it is tried again")
    rig.wait_state("RUNNING", "SUCCEEDED")
    assert peer.begun().count(name) == 1
