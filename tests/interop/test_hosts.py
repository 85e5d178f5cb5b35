"""The same tests for every adapter of machines people already own, each against a server of ours.

What differs is said in the rig: whether the machine starts by itself, what it can be asked, and
whether it can prove that a job never began.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.hosts.registry import KINDS
from controller.adapters.site_file import read_site
from controller.ledger.balance import check
from controller.links import HOSTS
from fabcommons.cli import main
from support.host_rigs import FACES, PLANNED_MG, UG_PER_M, M, Rig
from support.host_servers import KEY, Server, Works

PROVES = ("moonraker", "octoprint")  # can show that a job never began
STARTS = [name for name in KINDS if "start" in KINDS[name].verbs]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    made = {name: Server(face) for name, face in FACES.items()}
    yield made
    for server in made.values():
        server.close()


@pytest.fixture
def rig(request: Any, servers: dict[str, Server], tmp_path: Path) -> Iterator[Rig]:
    server = servers.get(request.param)
    if server is not None:
        server.works = Works()
    made = Rig(request.param, tmp_path, server)
    yield made
    made.close()


def every(*kinds: str) -> Any:
    return pytest.mark.parametrize("rig", kinds or tuple(KINDS), indirect=True)


def consumed(rig: Rig) -> dict[str, int]:
    """Mass drawn by measure."""
    order = rig.order()
    found: dict[str, int] = {}
    for line in rig.see(lambda tx: tx.ledger.of_order(order.id)):
        if line.action == "consume":
            found[line.measure] = found.get(line.measure, 0) + line.mass_mg
    return found


def test_every_adapter_is_known_to_the_site_file() -> None:
    assert tuple(KINDS) == HOSTS


@every()
def test_an_order_runs_once(rig: Rig) -> None:
    need = rig.run()
    name = rig.name()
    rig.finish()
    rig.deliver(need)
    assert rig.see(check) == []
    if rig.kind != "folder":
        assert rig.starts() == [name]
    drawn = consumed(rig)
    assert sum(drawn.values()) == PLANNED_MG == 1000 * UG_PER_M // 1_000_000
    by = {"moonraker": "measured", "octoprint": "estimated"}.get(rig.kind, "uncertain")
    assert set(drawn) == {by}
    rig.wait(lambda: not _left(rig, name), "its file was removed")


def _left(rig: Rig, name: str) -> bool:
    if rig.kind in ("folder", "mtconnect"):
        return any(path.name == name for path in rig.laid.rglob("*"))
    return name in rig.works.files


@every(*STARTS)
def test_a_start_answered_too_late_is_not_asked_twice(rig: Rig) -> None:
    rig.works.faults = ["start-late"]
    need = rig.run()
    rig.finish()
    rig.deliver(need)
    assert rig.starts() == [rig.name()]


@every(*STARTS)
def test_a_start_that_never_arrived(rig: Rig) -> None:
    """Where the machine proves it, it is asked again; else a person is asked."""
    rig.works.faults = ["start-lost"]
    rig.clear()
    rig.ask()
    if rig.kind in PROVES:
        rig.wait_state("RUNNING")
        assert rig.starts() == [rig.name()]
    else:
        rig.wait_state("UNKNOWN")
        assert rig.starts() == []


@every(*STARTS)
def test_a_controller_that_died_after_asking(rig: Rig) -> None:
    """The start was asked and carried out, and the site knows only that it wanted to ask."""
    rig.works.faults = ["start-late"]
    rig.clear()
    need = rig.ask()
    rig.wait(rig.starts, "it began")
    rig.shut()
    rig.open()
    rig.wait_state("RUNNING")
    rig.finish()
    rig.deliver(need)
    assert len(rig.starts()) == 1


@every()
def test_the_connection_is_lost_in_mid_print(rig: Rig) -> None:
    rig.silence_s = 0.5
    rig.shut()
    rig.open()
    need = rig.run()
    _cut(rig, off=True)
    rig.wait_state("IN_DOUBT")
    assert not rig.machine().online
    _cut(rig, off=False)
    rig.wait_state("RUNNING")
    rig.finish()
    rig.deliver(need)


def _cut(rig: Rig, *, off: bool) -> None:
    if rig.kind == "folder":
        there, away = rig.laid, rig.laid.with_name("away")
        there.rename(away) if off else away.rename(there)
    else:
        rig.works.down = off


@every()
def test_the_site_is_restarted_in_mid_print(rig: Rig) -> None:
    """What ended meanwhile is told by the machine; an agent only tells what it is watched doing."""
    need = rig.run()
    rig.shut()
    if rig.kind == "mtconnect":
        rig.open()
        rig.wait(lambda: rig.machine().online, "online")
    rig.finish()
    if rig.kind != "mtconnect":
        rig.open()
    rig.wait_state("SUCCEEDED")
    rig.deliver(need)
    assert rig.kind == "folder" or rig.starts() == [rig.name()]


@every()
def test_the_machines_own_program_is_restarted_in_mid_print(rig: Rig) -> None:
    """Nobody knows how far it came: a person says."""
    rig.run()
    if rig.kind == "folder":
        (rig.laid / "running" / rig.name()).unlink()
    else:
        rig.works.restart()
    rig.wait_state("UNKNOWN")
    rig.clear("bad")
    assert rig.see(check) == []
    order = rig.see(lambda tx: next(o for o in tx.orders.all() if o.result))
    assert order.state == "FAILED"


@every(*FACES)
def test_somebody_starts_a_job_at_the_machine(rig: Rig) -> None:
    rig.clear()
    rig.works.files["benchy.gcode"] = b"G28"
    rig.works.begin("benchy.gcode")
    rig.wait(lambda: not rig.machine().ready, "it is not ready")
    rig.ask()
    rig.works.end("complete")
    rig.wait(lambda: rig.machine().state == "idle", "it is idle")
    assert rig.state() == "" and not rig.machine().ready
    reasons = rig.see(lambda tx: [op.reason for op in tx.operations.open()])
    rig.wait(lambda: any("cleared" in r for r in rig.see(_reasons)), f"why it waits: {reasons}")


def _reasons(tx: Any) -> list[str]:
    return [op.reason for op in tx.operations.open()]


@every("moonraker")
def test_a_job_that_came_and_went_unseen_makes_it_unready(rig: Rig) -> None:
    rig.clear()
    rig.shut()
    rig.works.files["benchy.gcode"] = b"G28"
    rig.works.begin("benchy.gcode")
    rig.works.end("complete")
    rig.open()
    rig.wait(lambda: rig.machine().online and not rig.machine().ready, "it must be cleared")


@every()
def test_a_person_cancels(rig: Rig) -> None:
    rig.run()
    command = rig.site.command(M, "cancel", rig.asker())
    rig.wait(lambda: rig.see(lambda tx: tx.commands.get(command.id)).answered_at, "an answer")
    if rig.cancels:
        rig.wait_state("CANCELLED")
        assert not rig.machine().ready
    else:
        assert not rig.see(lambda tx: tx.commands.get(command.id)).ok
        rig.works.end("cancelled")  # by hand
        rig.wait_state("UNKNOWN")


@every("moonraker", "octoprint", "prusalink", "mtconnect")
def test_pause_and_resume(rig: Rig) -> None:
    need = rig.run()
    if rig.pauses:
        rig.site.command(M, "pause", rig.asker())
    else:
        rig.works.hold("paused")
    rig.wait_state("PAUSED")
    if rig.pauses:
        rig.site.command(M, "resume", rig.asker())
    else:
        rig.works.hold("printing")
    rig.wait_state("RUNNING")
    rig.finish()
    rig.deliver(need)


@every()
def test_a_job_that_fails(rig: Rig) -> None:
    rig.run()
    rig.finish(ok=False)
    rig.wait_state("UNKNOWN" if rig.kind == "mtconnect" else "FAILED")
    assert rig.order().outcome_why
    assert not rig.machine().ready


@every(*FACES)
def test_a_machine_in_trouble_takes_nothing(rig: Rig) -> None:
    rig.clear()
    rig.works.broken = "thermal runaway"
    rig.wait(lambda: rig.machine().state == "fault", "a fault")
    rig.ask()
    rig.wait(lambda: any("fault" in r for r in rig.see(_reasons)), "why it waits")
    assert rig.starts() == []
    rig.works.broken = ""
    rig.wait(lambda: rig.machine().state != "fault", "no fault")


@every("moonraker", "octoprint", "prusalink")
def test_a_wrong_key_is_said_in_words(rig: Rig) -> None:
    rig.wait(lambda: rig.machine().online, "online")
    rig.works.down = True  # what is connected stays so until then
    rig.wait(lambda: not rig.machine().online, "offline")
    rig.works.key, rig.works.down = "another", False
    rig.wait(lambda: "key" in rig.machine().fault, "the fault names the key")
    assert not rig.machine().online
    rig.works.key = rig.key
    rig.wait(lambda: rig.machine().online and not rig.machine().fault, "it is let in again")


@pytest.mark.parametrize("link", FACES)
def test_detect_tells_which_program_answers(
    link: str, servers: dict[str, Server], tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    servers[link].works = Works()
    monkeypatch.setenv("HOST_KEY", KEY)
    asked = ["machine", "detect", "--url", servers[link].url]
    keyed = [] if link == "mtconnect" else ["--key-env", "HOST_KEY"]
    assert main([*asked, *keyed]) == 0
    lines = capsys.readouterr().out.partition("machines:")[2]
    path = tmp_path / "site.yml"
    path.write_text("site: shop\nmachines:" + lines.replace("    capability:\n", ""))
    (found,) = read_site(path).machines
    assert (found.link, found.url) == (link, servers[link].url)
    if keyed:
        assert main(asked) == 1
        assert "--key-env" in capsys.readouterr().err


@every("moonraker", "octoprint")
def test_an_emergency_stop_does_not_wait(rig: Rig) -> None:
    """The visit hangs in a start that is not answered; the stop goes past it."""
    rig.clear()
    rig.works.faults = ["start-late"]
    rig.ask()
    rig.wait(rig.starts, "it began")
    assert rig.site.stop(M, "simulated technician")
    rig.wait(lambda: rig.works.broken, "it stopped")


@every("folder")
def test_a_person_says_on_the_page_what_happens(rig: Rig) -> None:
    """Nothing but the page: it was started, it is over, the part is good."""
    rig.clear()
    need = rig.ask()
    rig.wait(lambda: rig.machine().state == "paused", "it waits for a person")
    assert "start fc-" in rig.machine().need_person
    rig.site.command(M, "resume", rig.asker())
    rig.wait_state("RUNNING")
    rig.wait(lambda: rig.machine().state == "busy", "it is busy")
    rig.clear("good")
    rig.wait(lambda: rig.see(lambda tx: tx.needs.get(need).state) == "delivered", "delivered")
    rig.wait(lambda: not _left(rig, rig.name()), "its file was removed")
    assert consumed(rig) == {"uncertain": PLANNED_MG} and rig.see(check) == []


@every("moonraker")
def test_a_spool_is_changed_on_the_page(rig: Rig) -> None:
    rig.clear()
    rig.site.command(M, "unload", rig.asker(), ch=0)
    rig.wait(lambda: rig.see(lambda tx: tx.lots.loaded(M, 0)) is None, "unloaded")
    rig.site.command(M, "load", rig.asker(), ch=0, lot="spool-1")
    rig.wait(lambda: rig.see(lambda tx: tx.lots.loaded(M, 0)), "loaded")
