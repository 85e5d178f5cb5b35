"""What one machine takes and another refuses: by the controller and by firmware."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from controller import gcode_rules, needs, planning, resources
from controller.adapters.site_file import SiteFileError, read_site
from controller.console import admit
from controller.definition.programs import check
from controller.dispatching import WantContext, settle_want
from controller.joints.changeovers import House
from controller.joints.rolling import Rolling
from controller.joints.sharing import share_out
from controller.picturing import floor_picture
from controller.values import Machine, Refused
from firmware.flash import Flash
from firmware.spool import Spool
from firmware.streamer import spooled
from protocols.forbidden import forbidden
from support import small_floor
from support.small_floor import SHA_PRINT

PRINT = b"START_PRINT BED=60\nG1 X1 E1 F60\nM118 hello\nM600\nG1 X2\n"
KEPT = ("M500", "M502", "M997", "M999", "M112", "RESTART", "SAVE_CONFIG", "M28 a.gco")


def printer(**rules) -> Machine:
    capability = {"nozzle_um": [400], **({"gcode": rules} if rules else {})}
    return Machine("printer-1", "printer", "mqtt", "Printer 1", capability)


@pytest.fixture
def commands(tmp_path):
    path = tmp_path / "part.gcode"
    path.write_bytes(PRINT)
    return {name: list(said) for name, said in check(path, "marlin").commands.items()}


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({}, "line 1: START_PRINT is a macro; take it out, or allow it: gcode.allow of printer-1"),
        ({"allow": ["START_PRINT"]}, "line 3: M118 would speak with the machine's voice; take"),
        ({"allow": ["START_PRINT", "M118"]}, ""),
        ({"allow": ["START_PRINT", "M118"], "deny": ["M600"]}, "line 4: M600 is denied on"),
        ({"allow": ["START_PRINT", "M118"], "only": ["M104"]}, "line 4: M600 is not on this"),
        ({"allow": ["START_PRINT", "M118"], "only": ["M600"]}, ""),
        ({"allow": ["START_PRINT"], "deny": ["START_PRINT"]}, "line 1: START_PRINT is denied"),
    ],
)
def test_controller_and_firmware_judge_alike(commands, tmp_path, rules, why) -> None:
    said = gcode_rules.refusal(commands, printer(**rules))
    assert (said.startswith(why), bool(said)) == (True, bool(why))
    sha = hashlib.sha256(PRINT).hexdigest()
    flash = Flash(str(tmp_path / "flash"))
    with flash.open(spooled({"sha": sha}), "wb") as file:
        file.write(PRINT)
    program = {"url": "http://x/p", "sha": sha, "size": len(PRINT), "kind": "marlin"}
    here = asyncio.run(Spool(flash, "marlin", 10**6).fetch({**program, "rules": rules}))
    assert here.partition(" is ")[0].partition(" would ")[0] == (
        said.partition(" is ")[0].partition(" would ")[0].replace(":", "")
    )


@pytest.mark.parametrize("line", KEPT)
def test_no_rule_gives_what_no_machine_is_given(line: str, tmp_path) -> None:
    name = line.split(maxsplit=1)[0]
    assert forbidden(line.encode(), "marlin", {"allow": [name], "only": [name]})
    (wrong,) = gcode_rules.problems({"allow": [name]}, "printer")
    assert "no machine is given that" in wrong
    path = tmp_path / "x.gcode"
    path.write_text(f"G1 X1 F60\n{line}\n")
    assert check(path, "marlin").problems


def test_a_mill_is_given_extra_commands_but_no_kept_offsets_and_no_settings() -> None:
    rules = {"allow": ["M62", "M63"]}
    assert gcode_rules.problems(rules, "mill") == []
    assert forbidden(b"M62 P1", "grbl", rules) is None
    for line in (b"G10 L2 P1 X0", b"G28.1", b"$RST=*", b"$100=1", b"$Bye"):
        assert forbidden(line, "grbl", {"allow": ["G10", "G28.1", line.decode()]})
    mill = Machine("mill-1", "mill", "mqtt", "Mill 1", {"gcode": rules})
    asks = {"M62": [3, "M62 is not a command of GRBL 1.1"]}
    assert gcode_rules.refusal(asks, mill) == ""
    assert gcode_rules.refusal(asks, Machine("mill-2", "mill", "mqtt", "M", {})).startswith(
        "line 3: M62 is not a command"
    )


@pytest.mark.parametrize(
    "rules",
    [
        {"alow": ["M600"]}, {"allow": "M600"}, {"deny": ["G1"]}, {"allow": ["m600"]},
        {"allow": ["M600"] * 17}, {"allow": ["M" + "1" * 24]}, {"only": ["M6 00"]}, {"allow": [5]},
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_refused_with_their_field(rules, tmp_path) -> None:
    assert gcode_rules.problems(rules, "printer")
    assert gcode_rules.problems({"allow": ["M600"]}, "station")
    file = tmp_path / "site.yml"
    machine = f"{{id: p1, kind: printer, gcode: {rules}}}"
    file.write_text(f"site: floor\nmachines: [{machine}]\n")
    with pytest.raises(SiteFileError, match=r"machines\[0\].*gcode"):
        read_site(file)


def test_a_need_says_which_line_no_machine_here_takes(floor, commands) -> None:
    def change(tx) -> None:
        program = tx.designs.program(SHA_PRINT)
        tx.designs.put_program(replace(program, commands=commands))
        for machine in tx.machines.all():
            tx.machines.change(machine.id, online=True, state="idle", ready=True)

    floor.do(change)
    need = floor.state(small_floor.print_only)
    why = told(floor, need)
    assert "line 1: START_PRINT is a macro; take it out, or allow it: gcode.allow" in why
    rules = {"allow": ["START_PRINT", "M118"]}
    floor.do(lambda tx: resources.register_machine(tx, printer(**rules)))
    assert "line" not in told(floor, need)
    with floor.store.read() as tx:
        assert tx.orders.open_on("printer-1").program_sha == SHA_PRINT
    context = WantContext(1, "http://floor/programs")
    want = floor.do(lambda tx: settle_want(tx, "printer-1", context))
    assert (want["ph"], want["prog"]["rules"]) == ("offer", rules)


def test_rules_tightened_after_the_plan_hold_the_offer_back(floor, commands) -> None:
    def change(tx) -> None:
        program = tx.designs.program(SHA_PRINT)
        tx.designs.put_program(replace(program, commands={"M600": [4, ""]}))
        for machine in tx.machines.all():
            tx.machines.change(machine.id, online=True, state="idle", ready=True)

    floor.do(change)
    floor.state(small_floor.print_only)
    plan = floor.do(lambda tx: small_floor.plan(floor_picture(tx)))
    floor.do(lambda tx: resources.register_machine(tx, printer(deny=["M600"])))
    assert floor.do(lambda tx: planning.apply_plan(tx, plan)) == 0
    floor.do(lambda tx: resources.register_machine(tx, printer()))
    assert floor.do(lambda tx: planning.apply_plan(tx, plan)) == 1


def test_a_stated_need_is_refused_in_words_where_it_never_can_be(floor, commands) -> None:
    def change(tx) -> None:
        program = tx.designs.program(SHA_PRINT)
        tx.designs.put_program(replace(program, commands=commands))
        needs.state(tx, small_floor.request("a"), small_floor.print_only)
        share_out(tx, resources.why_not)

    floor.do(change)
    with floor.store.read() as tx:
        need = tx.needs.by_key("a")
    assert need.state == "refused"
    assert "line 1: START_PRINT" in need.reason


def test_a_program_read_before_rules_waits_for_its_import_only_where_there_are_rules() -> None:
    assert gcode_rules.refusal(None, printer()) == ""
    assert "import its design again" in gcode_rules.refusal(None, printer(deny=["M600"]))


def test_a_hand_is_denied_what_programs_are_denied_and_given_no_more(floor) -> None:
    rules = {"allow": ["M118"], "deny": ["M106"]}
    floor.do(lambda tx: resources.register_machine(tx, printer(**rules)))
    floor.do(lambda tx: tx.machines.change("printer-1", online=True, state="idle"))
    for line in ("M106 S255", "M118 x"):
        with pytest.raises(Refused):
            floor.do(lambda tx, line=line: admit(tx, "printer-1", line, "ada"))
    floor.do(lambda tx: admit(tx, "printer-1", "M105", "ada"))


def told(floor, need: str) -> str:
    rolling = Rolling(resources.why_not, House(), None)
    with floor.store.read() as tx:
        plan = rolling(floor_picture(tx))
    floor.do(lambda tx: planning.apply_plan(tx, plan))
    with floor.store.read() as tx:
        return " ".join(op.reason for op in tx.operations.of_need(need))
