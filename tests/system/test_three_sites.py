"""Three sites as processes share needs while they are cut off, frozen past leases and killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from controller.adapters.broker import free_port
from support.waiting import until

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).resolve().parents[1] / "support" / "sharing_site.py"
SITES, NEEDS = ("north", "river", "hill"), 5
LIMIT_S = 200


class Cable:
    """A cable to a site that can be cut: the other end of every connection is then gone."""

    def __init__(self, to_port: int) -> None:
        self.to_port, self.cut = to_port, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to_port), 5)
            except OSError:
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while (data := one.recv(65536)) and not self.cut:
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


class Town:
    """The three processes, and the cables between them."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.ports = {name: free_port() for name in SITES}
        self.cables = {name: Cable(port) for name, port in self.ports.items()}
        self.skew_ms = {name: chance.randrange(-(10**9), 10**9) for name in SITES}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for name in SITES:
            self.start(name)
        until(lambda: all((folder / name / "public").exists() for name in SITES), LIMIT_S)
        peers = {
            name: {
                "url": f"http://127.0.0.1:{cable.port}",
                "public_key": (folder / name / "public").read_text(),
            }
            for name, cable in self.cables.items()
        }
        (folder / "peers.tmp").write_text(json.dumps(peers))
        os.replace(folder / "peers.tmp", folder / "peers.json")

    def start(self, name: str) -> None:
        (self.folder / name / "up").unlink(missing_ok=True)
        words = [str(self.folder / name), name, str(self.ports[name]), str(self.skew_ms[name])]
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [sys.executable, str(SCRIPT), *words, str(self.folder / "peers.json")],
            env={**os.environ, "NEEDS": str(NEEDS)}, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()
        self.skew_ms[name] += self.chance.randrange(0, 10**6)  # floors never start in the past
        self.start(name)

    def freeze(self, name: str, seconds: float) -> None:
        """Longer than a lease of ten minutes, which is a second here."""
        self.running[name].send_signal(signal.SIGSTOP)
        threading.Event().wait(seconds)
        self.running[name].send_signal(signal.SIGCONT)

    def done(self) -> int:
        total = 0
        for name in SITES:
            path = self.folder / name / "shares.json"
            total += json.loads(path.read_text()).get("done", 0) if path.exists() else 0
        return total

    def made(self) -> Counter[str]:
        """How often each need was made, over all sites."""
        found: Counter[str] = Counter()
        for name in SITES:
            path = self.folder / name / "made.txt"
            found.update(path.read_text().split() if path.exists() else ())
        return found

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        for cable in self.cables.values():
            cable.close()


def test_every_need_is_made_once_over_cuts_freezes_kills_and_skew(tmp_path: Path) -> None:
    town = Town(tmp_path, random.Random(5))
    try:
        until(lambda: sum(town.made().values()) > 0, LIMIT_S)
        for at, name in enumerate(SITES):
            cable = town.cables[SITES[(at + 1) % 3]]
            cable.cut = True
            town.freeze(name, 1.5)
            if at == 1:
                town.kill(name)
            cable.cut = False
        until(lambda: town.done() == 3 * NEEDS, LIMIT_S)
        made = town.made()
    finally:
        town.close()
    assert len(made) == 3 * NEEDS
    assert {need: count for need, count in made.items() if count != 1} == {}
