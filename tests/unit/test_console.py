"""Single lines to a machine: by the table of programs, only when idle, answered, noted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.app import Parts, Site, SiteConfig
from controller.commands import Asker
from controller.values import Refused
from dashboards.desk import Person
from dashboards.problems import Problem
from dashboards.qualified import by_list
from dashboards.site_desk import SiteDesk
from firmware.drivers.grbl import Grbl
from firmware.drivers.marlin import Marlin
from protocols.console import only_reads, refusal
from protocols.forbidden import forbidden
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig
from support import small_floor
from support.cutflash import CutFlash
from support.machine import Machine
from support.postgres import store_place
from support.rigs import Rig


@pytest.mark.parametrize(
    ("line", "dialect", "why"),
    [
        ("M105", "marlin", ""),
        ("G1 X10 F3000", "marlin", ""),
        ("G28", "marlin", ""),
        ("G1 X10 E1", "marlin", "draws material"),
        ("; nothing", "marlin", "nothing to send"),
        ("M105\nM106", "marlin", "one line"),
        ("G1 X10", "grbl", ""),
        ("$$", "grbl", "$ lines"),
        ("G10 L2 P1 X0", "grbl", "kept offsets"),
        ("!", "grbl", "real-time"),
    ],
)
def test_what_a_line_may_be(line: str, dialect: str, why: str) -> None:
    found = refusal(line, dialect)
    assert why in found if why else found == ""


@pytest.mark.parametrize("line", ["M500", "M502", "M112", "M997", "M28 x.g", "M999"])
def test_what_no_program_may_hold_no_person_may_send(line: str) -> None:
    assert refusal(line, "marlin") == (forbidden(line.encode(), "marlin") or "")


def test_only_lines_that_tell_leave_a_machine_ready() -> None:
    assert [only_reads(line) for line in ("M105", "M114 R", "G28", "M104 S0")] == [
        True, True, False, False,
    ]  # fmt: skip


# firmware -----------------------------------------------------------------------------------


def asked(machine: Machine, line: str, key: str = "c-1") -> list[dict[str, Any]]:
    """Answers to a line; empty while the machine has not answered."""
    before = len(machine.done)
    command = {"v": 1, "term": 1, "id": key, "bn": machine.agent.bn, "do": "console"}
    machine.hear("dn/cmd", {**command, "ttl_ms": 5000, "who": "ada", "line": line})
    return [a[2] for a in machine.done[before:] if a[:2] == ("say", "up/rsp")]


def test_a_line_goes_to_the_machine_once_and_is_answered_once() -> None:
    machine = Machine(CutFlash())
    machine.command("clear")
    assert asked(machine, "G28") == []
    assert asked(machine, "G28") == []  # the same command again
    assert ("console", "G28") in machine.done
    assert asked(machine, "M105", "c-2")[0]["msg"] == "the line before is not answered yet"
    assert not machine.memory.ready  # it may have moved anything
    machine.drive("answered", ["X:0 Y:0", "ok"], "")
    said = machine.done[-1][2]
    assert (said["id"], said["ok"], said["lines"]) == ("c-1", True, ["X:0 Y:0", "ok"])
    assert asked(machine, "G28")[0]["code"] == "done"  # repeated: the answer kept
    assert [a for a in machine.done if a[0] == "console"] == [("console", "G28")]
    assert [e["act"] for e in machine.events("op")] == ["clear", "console"]


def test_a_line_that_only_tells_takes_no_readiness() -> None:
    machine = Machine(CutFlash())
    machine.command("clear")
    asked(machine, "M105")
    assert machine.memory.ready
    assert not machine.agent.is_free()  # until it is answered
    machine.drive("answered", ["ok T:20"], "")
    assert machine.agent.is_free()


def test_no_line_while_an_order_is_there_nor_a_forbidden_one() -> None:
    machine = Machine(CutFlash())
    assert asked(machine, "M500", "c-0")[0]["code"] == "refused"
    machine.start(1)
    assert asked(machine, "M105", "c-5")[0]["code"] == "refused"
    assert not [a for a in machine.done if a[0] == "console"]


def test_a_line_without_an_answer_is_given_up() -> None:
    machine = Machine(CutFlash())
    asked(machine, "M105")
    for _ in range(700):
        machine.tick()
    assert machine.done[-1][2]["msg"] == "no answer in 30 s"


def test_the_machines_words_come_back() -> None:
    rig = Rig(Marlin(), Printer(PrinterConfig()))
    rig.idle()
    rig.driver.console("M114")
    rig.until(lambda: rig.has("answered"), 60)
    (event,) = [e for e in rig.events if e[0] == "answered"]
    assert any("X:" in line for line in event[1])


def test_a_mill_answers_and_refuses() -> None:
    rig = Rig(Grbl(), Mill(MillConfig()))
    rig.idle()
    for line, word in (("G1 X1 F300", "ok"), ("G1 X1 Y", "error:")):
        rig.events.clear()
        rig.driver.console(line)
        rig.until(lambda: rig.has("answered"), 60)
        (event,) = [e for e in rig.events if e[0] == "answered"]
        assert any(line.startswith(word) for line in event[1]), event
    assert rig.driver.state == "idle"


# controller ---------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site.open(SiteConfig("lab", store_place(tmp_path / "site.db")), Parts())
    made.submit(small_floor.fill)
    made.receive("printer-1", "up/state", small_floor.state_report())
    yield made
    made.close()


def test_a_qualified_person_sends_a_line_and_all_see_it(site: Site) -> None:
    desk = SiteDesk(site, list, by_list({"printer-1": ["ada"]}))
    with pytest.raises(Problem) as refused:
        desk.console("printer-1", "M105", Person("bob", "k-1"))
    assert refused.value.status == 403
    sent = desk.console("printer-1", "M105", Person("ada", "k-2"))
    again = desk.console("printer-1", "M105", Person("ada", "k-2"))
    assert sent.id == again.id
    answer = {"v": 1, "id": sent.id, "ok": True, "code": "done", "lines": ["ok T:20", "ok"]}
    site.receive("printer-1", "up/rsp", answer)
    with site.read() as tx:
        command = tx.commands.get(sent.id)
        assert command is not None
        assert (command.msg, command.body["line"]) == ("ok T:20\nok", "M105")
        notices = [n.text for n in tx.notice_room.page(50)]
    assert notices.count("ada sent M105 to printer-1") == 1


def test_the_controller_refuses_what_the_machine_would(site: Site) -> None:
    desk = SiteDesk(site, list, lambda machine, who: True)
    for n, (machine, line, code) in enumerate(
        (
            ("printer-1", "M500", "bad-line"),
            ("nobody", "M105", "unknown-machine"),
        )
    ):
        with pytest.raises(Refused) as refused:
            desk.console(machine, line, Person("ada", f"k-{n}"))
        assert refused.value.code == code
    site.receive("printer-1", "up/state", small_floor.state_report(st="busy"))
    with pytest.raises(Refused, match="not idle"):
        desk.console("printer-1", "M105", Person("ada", "k-9"))
    with pytest.raises(Refused, match="never heard"):
        site.command("mill-1", "pause", Asker("ada"))
