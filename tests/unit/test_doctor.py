"""Each thing broken on purpose is found, with the fix; a sound site has nothing bad."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from controller import inbound
from controller.adapters.authority import Authority
from controller.adapters.broker import free_port
from controller.adapters.store import Store, Tx
from controller.app import LAST_AT
from controller.commons.joined import join, note_forged
from fabcommons import cli, doctor_site
from fabcommons.finding import BAD, GOOD, HINT, Finding
from protocols import mqtt
from support import small_floor

NOW = 1_800_000_000_000
DAY_MS = 86_400_000
Change = Callable[[Tx], object]


def site(folder: Path, more: str = "", change: Change | None = None) -> Path:
    """Settings and a store with the small floor in it."""
    path = folder / "site.yml"
    path.write_text(f"site: floor\nhttp: 127.0.0.1:8010\n{more}")
    store = Store(folder / "site.db", lambda: NOW)
    with store.write() as tx:
        small_floor.fill(tx)
        tx.site.put(LAST_AT, str(NOW))
        if change is not None:
            change(tx)
    store.close()
    return path


def look(path: Path, now_ms: int = NOW, mounts: Path = doctor_site.MOUNTS) -> dict[str, Finding]:
    """What is found, by what was looked at; the worst where there are several."""
    found: dict[str, Finding] = {}
    rank = (GOOD, HINT, BAD)
    for one in doctor_site.findings(path, now_ms, mounts):
        before = found.get(one.what)
        if before is None or rank.index(one.state) > rank.index(before.state):
            found[one.what] = one
        assert one.state == GOOD or one.fix
    return found


def test_a_sound_site_has_nothing_bad(tmp_path: Path) -> None:
    found = look(site(tmp_path))
    assert not [one for one in found.values() if one.state == BAD]
    assert found["store"].text.startswith("opens")


def test_settings_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    path.write_text("site: x\naccess: {tls: proxy}\n")
    assert "access.proxies: name the addresses" in look(path)["settings"].text


def test_a_page_with_names_on_loopback_wants_its_proxy_named(tmp_path: Path) -> None:
    names = "access: {names: [fab.example.org]}\n"
    assert "access.proxies" in look(site(tmp_path, names))["access"].fix
    named = "access: {names: [fab.example.org], tls: proxy, proxies: [127.0.0.1]}\n"
    (tmp_path / "named").mkdir()
    assert look(site(tmp_path / "named", named))["access"].state == GOOD


def _bury(tx: Tx) -> None:
    inbound.bury(tx, "fab/1/floor/ghost/up/ev", b"x", "unknown-machine", "is not registered")


def _forge(tx: Tx) -> None:
    join(tx, "hill", "http://hill", "a" * 64)
    note_forged(tx, "hill", "is not signed")


CHANGES: dict[str, tuple[Change, str, str]] = {
    "clock": (lambda tx: tx.site.put(LAST_AT, str(NOW + DAY_MS)), BAD, "86400 s behind"),
    "identity": (lambda tx: tx.machines.change("mill-1", stale_boots=2), BAD, "mill-1"),
    "quarantine": (lambda tx: tx.machines.change("mill-1", quarantine="lies"), HINT, "lies"),
    "commons": (_forge, BAD, "1 of hill"),
    "letters": (_bury, HINT, "fab/1/floor/ghost/up/ev"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_the_store_tells_is_found(what: str, tmp_path: Path) -> None:
    change, state, words = CHANGES[what]
    found = look(site(tmp_path, change=change))[what]
    assert (found.state, words in found.text) == (state, True)
    (tmp_path / "sound").mkdir()
    assert look(site(tmp_path / "sound")).get(what, Finding("", GOOD, "")).state == GOOD


def test_a_store_that_is_no_database_or_does_not_answer_is_found(tmp_path: Path) -> None:
    path = site(tmp_path)
    (tmp_path / "site.db").write_bytes(b"no database at all, " * 100)
    assert look(path)["store"].state == BAD
    path.write_text(f"site: x\nstore: postgresql://nobody@127.0.0.1:{free_port()}/none\n")
    found = look(path)["store"]
    assert (found.state, "PostgreSQL" in found.fix) == (BAD, True)


def test_a_store_on_a_network_file_system_is_found(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nnas:/x {tmp_path.resolve()} nfs4 rw 0 0\n")
    assert look(site(tmp_path), mounts=mounts)["file system"].state == BAD
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\n")
    assert look(site(tmp_path / "."), mounts=mounts)["file system"].state == GOOD


def test_certificates_that_end_are_found(tmp_path: Path) -> None:
    path = site(tmp_path)
    made = Authority(tmp_path / "access", "floor", NOW)
    assert look(path)["certificate"].state == GOOD
    assert look(path, NOW + 820 * DAY_MS)["certificate"].state == HINT
    assert look(path, NOW + 900 * DAY_MS)["certificate"].state == BAD
    made.cert.write_text("no certificate")
    assert look(path)["certificate"].state == BAD


def test_an_old_backup_and_telemetry_that_waits_are_found(tmp_path: Path) -> None:
    path = site(tmp_path)
    assert look(path)["backup"].state == HINT
    old = tmp_path / "old.tar"
    waiting = tmp_path / "influx" / "raw" / "spool" / "000000000001.lp"
    waiting.parent.mkdir(parents=True)
    for place, age_ms in ((old, 9 * DAY_MS), (waiting, 3_600_000)):
        place.touch()
        os.utime(place, ((NOW - age_ms) / 1000,) * 2)
    assert (look(path)["backup"].state, look(path)["spool"].state) == (HINT, HINT)
    for place in (old, waiting):
        os.utime(place, (NOW / 1000,) * 2)
    assert (look(path)["backup"].state, look(path)["spool"].state) == (GOOD, GOOD)


class Answers:
    """A broker that answers each CONNECT with a code."""

    def __init__(self, code: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._code = code
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        line, _ = self._server.accept()
        with line:
            line.recv(100)
            line.sendall(mqtt.connack(False, self._code))


@pytest.mark.parametrize(("code", "state"), [(0, HINT), (5, GOOD)])
def test_a_broker_is_tried_without_a_password(code: int, state: str, tmp_path: Path) -> None:
    found = look(site(tmp_path, f"broker: 127.0.0.1:{Answers(code).port}\n"))
    assert (found["broker"].state, found["topics"].state) == (GOOD, state)


def test_a_broker_that_is_not_there_is_found(tmp_path: Path) -> None:
    found = look(site(tmp_path, f"broker: 127.0.0.1:{free_port()}\n"))
    assert (found["broker"].state, "topics" in found) == (BAD, False)


def test_a_serial_port_that_is_gone_is_found(tmp_path: Path) -> None:
    path = site(tmp_path)
    settings = {
        "site": "floor", "machine": "printer-1", "broker": {"host": "h"}, "flash": "f",
        "serial": {"port": str(tmp_path / "ttyUSB9")}, "dialect": "marlin",
    }  # fmt: skip
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "printer-1.json").write_text(json.dumps(settings))
    assert "ttyUSB9" in look(path)["serial"].text
    (tmp_path / "ttyUSB9").touch()
    assert look(path)["serial"].state == GOOD


def test_the_command_says_it_as_json_and_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site(tmp_path, f"broker: 127.0.0.1:{free_port()}\n")
    words = ["doctor", "--json", "--site", str(path), "--url", f"http://127.0.0.1:{free_port()}"]
    assert cli.main(words) == 1
    found = {one["what"]: one for one in json.loads(capsys.readouterr().out)}
    assert (found["broker"]["state"], found["settings"]["state"]) == (BAD, GOOD)
    shutil.rmtree(tmp_path / "access", ignore_errors=True)
