"""Our OctoPrint adapter against the real OctoPrint server and its virtual printer.

OctoPrint (AGPL) lives in an environment of its own (scripts/octoprint) and runs as a process.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.adapters.hosts.contract import RUNNING, Settings
from controller.adapters.hosts.octoprint import open_adapter
from support.host_rigs import M, Rig
from support.peers import environment
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
KEY = "0123456789ABCDEF0123456789ABCDEF"
START_S = 180
SLOW = ("M117 part\nG28\nM83\n" + "G1 X10 E2.5 F3000\nG4 P100\n" * 100).encode()
LENGTH_UM = 250_000
QUIET = ["tracking", "announcements", "softwareupdate", "discovery", "pluginmanager", "backup"]
SETTINGS = {
    "server": {
        "firstRun": False,
        "onlineCheck": {"enabled": False},
        "pluginBlacklist": {"enabled": False},
    },
    "plugins": {"virtual_printer": {"enabled": True}, "_disabled": QUIET},
    "serial": {"port": "VIRTUAL", "autoconnect": True},
    "api": {"key": KEY},
}


class OctoPrint:
    """The server's process, on a port and in a folder that stay the same over restarts."""

    def __init__(self, command: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.command = command
        (folder / "config.yaml").write_text(json.dumps(SETTINGS))  # YAML contains JSON
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        where = ["-b", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [self.command, "serve", "--iknowwhatimdoing", *where],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: self.get("/api/job").get("state") == "Operational", START_S)

    def get(self, path: str) -> Any:
        try:
            return self._ask("GET", path).json()
        except (httpx.HTTPError, ValueError):
            return {}

    def post(self, path: str, body: Any) -> int:
        return self._ask("POST", path, json=body).status_code

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"X-Api-Key": KEY}
        return httpx.request(method, self.url + path, headers=headers, timeout=10, **more)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrint]:
    programs = environment("octoprint", "OctoPrint")
    server = OctoPrint(str(programs / "octoprint"), tmp_path_factory.mktemp("octoprint"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def rig(peer: OctoPrint, tmp_path: Path) -> Iterator[Rig]:
    peer.post("/api/job", {"command": "cancel"})
    until(lambda: peer.get("/api/job").get("state") == "Operational", START_S)
    made = Rig("octoprint", tmp_path, peer, SLOW)  # type: ignore[arg-type]  # its url is enough
    made.shut()
    made.key, made.timeout_s = KEY, 10.0
    made.open()
    yield made
    made.close()


def prints(peer: OctoPrint, name: str) -> dict[str, Any]:
    """What OctoPrint recorded of a file's prints."""
    found: dict[str, Any] = peer.get(f"/api/files/local/{name}").get("prints", {})
    return found


def test_an_order_is_paused_resumed_and_made_once(rig: Rig, peer: OctoPrint) -> None:
    need = rig.run()
    name = rig.name()
    rig.wait(lambda: rig.order().done_ppm > 0, "progress is told")
    rig.site.command(M, "pause", rig.asker())
    rig.wait_state("PAUSED")
    assert peer.get("/api/job")["state"] in ("Paused", "Pausing")
    rig.site.command(M, "resume", rig.asker())
    rig.wait_state("RUNNING")
    rig.wait_state("SUCCEEDED")
    assert (prints(peer, name)["success"], prints(peer, name).get("failure", 0)) == (1, 0)
    drawn = [e for e in rig.see(lambda tx: tx.ledger.of_order(rig.order().id)) if e.lot]
    assert {e.measure for e in drawn if e.action == "consume"} == {"estimated"}
    assert sum(e.mass_mg for e in drawn if e.action == "consume") == LENGTH_UM * 3 // 1000
    rig.deliver(need)
    rig.wait(lambda: not prints(peer, name), "its file was removed")
    values = rig.see(lambda tx: tx.telemetry.last(M))
    assert "nozzle_mc" in {value.name for value in values}


def test_a_person_cancels_on_the_page(rig: Rig, peer: OctoPrint) -> None:
    rig.run()
    name = rig.name()
    rig.site.command(M, "cancel", rig.asker())
    rig.wait_state("CANCELLED")
    assert peer.get("/api/job")["state"] in ("Operational", "Cancelling")
    assert prints(peer, name).get("success", 0) == 0


def test_a_job_of_somebody_else_is_seen_and_left_alone(rig: Rig, peer: OctoPrint) -> None:
    rig.clear()
    adapter = open_adapter(Settings(peer.url, key=KEY))
    (rig.folder / "benchy.gcode").write_bytes(SLOW)
    adapter.put("benchy.gcode", rig.folder / "benchy.gcode")
    adapter.start("benchy.gcode")
    rig.wait(lambda: not rig.machine().ready, "it is not ready")
    assert adapter.look("").jobs["benchy.gcode"].state == RUNNING
    rig.ask()
    peer.post("/api/job", {"command": "cancel"})
    rig.wait(lambda: rig.machine().state == "idle", "it is idle")
    assert rig.state() == ""
    adapter.close()


def test_its_push_tells_of_a_change(rig: Rig, peer: OctoPrint) -> None:
    rig.run()
    adapter = open_adapter(Settings(peer.url, key=KEY))
    adapter.wait(0.5)
    peer.post("/api/job", {"command": "cancel"})
    told: list[bool] = []
    until(lambda: told.append(adapter.wait(1.0)) or any(told), 60)
    adapter.close()


def test_the_server_is_killed_in_mid_print(rig: Rig, peer: OctoPrint) -> None:
    """The virtual printer dies with it: nobody knows how far it came, and nothing starts again."""
    rig.run()
    name = rig.name()
    peer.kill()
    rig.wait(lambda: not rig.machine().online, "offline")
    peer.start()
    rig.wait_state("UNKNOWN")
    assert prints(peer, name) == {}
    assert peer.get("/api/job")["state"] == "Operational"
