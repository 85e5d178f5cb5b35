"""A broker that somebody else runs: mosquitto with TLS, passwords and client certificates."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.access import Access
from controller.adapters.authority import Authority
from controller.adapters.broker import find_mosquitto, free_port
from controller.adapters.broker_login import BrokerLogin, address
from controller.adapters.site_file import read_site
from fabcommons.running import Place, RunningSite
from support.broker import start_mosquitto
from support.fake_machine import FakeMachine
from support.small_floor import hello, state_report
from support.waiting import until

SITE = "outside"
NOW_MS = 1_760_000_000_000


class Outside:
    """mosquitto as a company runs it: no anonymous clients, certificates asked for, ACL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "access", SITE, NOW_MS)
        self.access = Access(folder / "access", SITE)
        self.page = self.authority.page(["localhost", "127.0.0.1"])
        self.port = free_port()
        config = folder / "outside.conf"
        config.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {self.access.passwords}\nacl_file {self.access.acl}\n"
            f"cafile {self.authority.ca}\ncertfile {self.page[0]}\nkeyfile {self.page[1]}\n"
            "require_certificate true\nset_tcp_nodelay true\n"
        )
        log = (folder / "outside.log").open("wb")
        program = find_mosquitto()
        assert program is not None
        self._process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
        until(lambda: b" running" in (folder / "outside.log").read_bytes(), 60)

    def settings(self, **login: Any) -> Path:
        """A site's settings file with this login."""
        user, password = self.access.login()
        (self.folder / "word").write_text(password)
        sound = {
            "user": user, "password_file": "word", "tls": True, "ca": str(self.authority.ca),
            "certificate": str(self.page[0]), "key": str(self.page[1]),
        }  # fmt: skip
        body = {
            "site": SITE, "broker": f"localhost:{self.port}", "http": f"127.0.0.1:{free_port()}",
            "broker_login": {**sound, **login},
            "machines": [{"id": "printer-1", "kind": "printer"}],
        }  # fmt: skip
        path = self.folder / "site.yml"
        path.write_text(json.dumps(body))
        return path

    def give(self, machine: str) -> str:
        """A machine's new password; the broker's admin reads the file again."""
        password = self.access.give(machine)
        self._process.send_signal(signal.SIGHUP)
        return password

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    start_mosquitto(tmp_path / "here").close()  # skips where there is none
    made = Outside(tmp_path)
    yield made
    made.close()


def running(path: Path) -> RunningSite:
    return RunningSite(read_site(path), Place(path.parent / "run", path.parent))


def test_controller_and_machine_meet_at_a_broker_with_tls_and_passwords(outside: Outside) -> None:
    with running(outside.settings()) as site:
        link = site.site.mqtt
        assert link is not None
        until(lambda: link.connected, 90)
        login = ("printer-1", outside.give("printer-1"))
        machine = FakeMachine(site.broker, SITE, "printer-1", login=login, tls=context(outside))
        machine.send("up/hello", hello(machine.bn, machine.journal.jid))
        machine.send("up/state", state_report(machine.bn, machine.journal.jid))
        machine.until_want("idle")
        machine.close()


def context(outside: Outside) -> Any:
    login = BrokerLogin(
        tls=True, ca=str(outside.authority.ca), certificate=str(outside.page[0]),
        key=str(outside.page[1]),
    )  # fmt: skip
    return address(login, "", 0, outside.folder).tls


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password_file": "wrong"}, "refuses us"),
        ({"certificate": "", "key": ""}, "does not connect|hung up"),
        ({"ca": "other.pem"}, "certificate verify failed"),
    ],
)
def test_a_login_that_is_wrong_is_told(outside: Outside, wrong: Any, words: str) -> None:
    (outside.folder / "wrong").write_text("not it")
    other = Authority(outside.folder / "elsewhere", "other", NOW_MS)
    (outside.folder / "other.pem").write_bytes(other.ca.read_bytes())
    with running(outside.settings(**wrong)) as site:
        link = site.site.mqtt
        assert link is not None
        until(lambda: re.search(words, link.reason), 90)
        assert not link.connected
