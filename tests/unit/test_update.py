"""Updates: tried, confirmed or rolled back; no power cut at any write leaves a machine dead."""

import asyncio
import itertools
import re

import pytest

from firmware import installer, slots, update
from firmware.version import VERSION
from support.cutflash import CutFlash, PowerCut
from support.machine import PROGRAM, Machine, offer
from support.releases import SIGNER, Signer, modules, release

NEW = "9.1.0"
RELEASE, SERVED = release(NEW)


class Folder:
    """One folder of a flash."""

    def __init__(self, flash, folder):
        self.flash, self.folder = flash, folder + "/"

    def names(self):
        return [n[len(self.folder) :] for n in self.flash.names() if n.startswith(self.folder)]

    def open(self, name, mode):
        return self.flash.open(self.folder + name, mode)

    def sync(self, file):
        self.flash.sync(file)

    def rename(self, old, new):
        self.flash.rename(self.folder + old, self.folder + new)

    def remove(self, name):
        self.flash.remove(self.folder + name)

    def size(self, name):
        return self.flash.size(self.folder + name)


def server(served):
    async def fetch(file, asked):
        data = served.get(asked["url"])
        if data is None:
            raise OSError("HTTP 503")
        for at in range(0, len(data), 100):
            file.write(data[at : at + 100])

    return fetch


class Board:
    """Flash with slots, over many lives; ``machine`` is the agent of the life it is in."""

    def __init__(self, flash=None, served=SERVED, key=SIGNER.key):
        if flash is None:
            files = {"a/" + path: data for path, data in modules(VERSION).items()}
            flash = CutFlash({**files, "a/manifest": b"..."})
        self.flash, self.served, self.key = flash, served, key
        self.restarts = 0
        self.machine = None

    def boot(self):
        """One start; the slot that runs. Its machine has a journal elsewhere."""
        slot = slots.choose(self.flash)
        self.machine = Machine(CutFlash())
        target = Folder(self.flash, slots.other(slot))
        self.updates = update.Update(
            self.machine.agent,
            self.flash,
            slot,
            lambda note: installer.Installer(target, self.key, server(self.served), note),
            self.restart,
        )
        self.updates.tick(self.machine.now, True)
        return slot

    def restart(self):
        self.restarts += 1

    def update(self, told=RELEASE):
        """A person's command, carried out."""
        answer = self.machine.command("update", release=told)
        if answer["ok"]:
            asyncio.run(self.updates.run(told))
        return answer

    def wait(self, s, healthy=True):
        for _ in range(s):
            self.machine.now += 1000
            self.updates.tick(self.machine.now, healthy)

    def runs(self, slot):
        """Content of the slot's application."""
        return self.flash.files[slot + "/firmware/app.py"]

    def told(self):
        return [(e["fw"], e["ok"], e["why"]) for e in self.machine.events("update")]


def ready(board):
    assert board.boot() == "a"
    return board


def test_an_update_is_tried_and_confirmed_after_a_minute():
    board = ready(Board())
    assert board.update()["ok"]
    assert "restarts with" in board.machine.agent.upkeep
    assert board.restarts == 0
    board.wait(4)
    assert board.restarts == 1
    assert board.boot() == "b"
    assert board.machine.agent.state == "maintenance"
    board.wait(59)
    assert slots.read_record(board.flash)["active"] == "a"
    board.wait(1)
    assert slots.read_record(board.flash) == {"n": 3, "active": "b", "floor": NEW}
    assert board.told() == [(NEW, True, "healthy for 60 s")]
    assert board.machine.agent.state == "idle"
    assert board.boot() == "b"


def test_on_trial_no_order_is_taken():
    board = ready(Board())
    board.update()
    board.boot()
    board.machine.command("clear")
    board.machine.hear("dn/want", offer(1))
    assert board.machine.fetch_asked() == []
    board.wait(61)
    board.machine.hear("dn/want", offer(1))
    assert board.machine.fetch_asked() == [1]


def test_three_starts_that_fail_roll_back_and_say_so():
    board = ready(Board())
    board.update()
    assert [board.boot() for _ in range(4)] == ["b", "b", "b", "a"]
    assert board.told() == [(NEW, False, "did not come up healthy in 3 starts")]
    assert board.boot() == "a"
    assert board.told() == []  # said once


def test_a_release_without_a_broker_or_its_machine_restarts_by_itself():
    for healthy, online in ((False, True), (True, False)):
        board = ready(Board())
        board.update()
        for n in range(3):
            assert board.boot() == "b"
            board.machine.agent.online = online
            board.wait(599, healthy)
            assert board.restarts == n
            board.wait(2, healthy)
            assert board.restarts == n + 1
        assert board.boot() == "a"


def test_a_machine_that_was_off_before_need_not_be_on_after():
    board = ready(Board())
    board.machine.agent.online = False
    board.update()
    board.boot()
    board.machine.agent.online = False
    board.wait(61)
    assert slots.read_record(board.flash)["active"] == "b"


def test_health_must_last_without_a_break():
    board = ready(Board())
    board.update()
    board.boot()
    board.wait(59)
    board.wait(1, healthy=False)
    board.wait(60)
    assert "trial" in slots.read_record(board.flash)
    board.wait(1)
    assert "trial" not in slots.read_record(board.flash)


def test_only_an_idle_machine_is_updated():
    board = ready(Board())
    board.machine.start(1)
    assert "an order is here" in board.update()["msg"]
    board.machine.drive("ended", True, "", True)
    assert board.update()["ok"]
    assert "made already" in board.machine.command("update", release=RELEASE)["msg"]
    board.boot()
    assert "on trial" in board.update()["msg"]


def test_an_order_being_fetched_is_not_lost_to_an_update():
    board = ready(Board())
    board.machine.command("clear")
    board.machine.hear("dn/want", offer(1))
    assert "an order is here" in board.update()["msg"]
    board.machine.fetched(1)
    assert board.machine.order_state == "claimed"


def test_a_machine_without_slots_says_what_to_do():
    machine = Machine(CutFlash())
    answer = machine.command("update", release=RELEASE)
    assert (answer["code"], "over USB" in answer["msg"]) == ("refused", True)
    assert ready(Board()).machine.command("update")["msg"] == "needs a release"


def refusals():
    yield "older", release("0.0.9"), "0.0.9 is older than " + VERSION
    yield "the same", release(VERSION), VERSION + " is what runs here"
    yield "foreign", release(NEW, signer=Signer(9)), "by the key this machine trusts"
    spoiled = release(NEW)
    spoiled[1]["http://h/firmware/9.1.0/firmware/app.py"] = b"# evil\n"
    yield "spoiled", spoiled, "firmware/app.py does not match its hash"
    missing = release(NEW)
    del missing[1]["http://h/firmware/9.1.0/protocols/errors.py"]
    yield "missing", missing, "HTTP 503"


@pytest.mark.parametrize(
    ("made", "why"),
    [r[1:] for r in refusals()],
    ids=["older", "the same", "foreign", "spoiled", "missing"],
)
def test_a_release_that_is_not_right_changes_nothing_that_runs(made, why):
    told, served = made
    board = ready(Board(served=served))
    before = board.runs("a")
    assert board.update(told)["ok"]
    assert why in board.told()[0][2]
    assert board.machine.agent.state == "idle"
    assert (board.boot(), board.runs("a") == before) == ("a", True)
    assert "trial" not in slots.read_record(board.flash)


def test_never_below_what_was_once_confirmed():
    """A flash whose slot in use was lost may install that version again, never an older one."""
    flash = Board().flash
    slots.write_record(flash, {"n": 4, "active": "a", "floor": "9.0.0"})
    board = ready(Board(flash))
    told, board.served = release("8.9.9")
    board.boot()
    board.update(told)
    assert board.told()[0][2] == "8.9.9 is older than 9.0.0"


def test_nothing_stale_stays_in_a_slot():
    flash = Board().flash
    flash.files["b/firmware/old.py"] = b"would be imported instead of old.mpy"
    board = ready(Board(flash))
    board.update()
    names = [n for n in flash.names() if n.startswith("b/")]
    assert names == sorted(["b/manifest", *("b/" + p for p in modules(NEW))])


# power cuts ------------------------------------------------------------------------------------
def is_whole(board, slot):
    version = VERSION if slot == "a" else NEW
    files = {n[2:]: d for n, d in board.flash.files.items() if n.startswith(slot + "/")}
    files.pop("manifest.new", None)
    return files.pop("manifest", None) is not None and files == modules(version)


def life(board, first):
    """From a start: update when it is not done yet, restart, be confirmed."""
    assert is_whole(board, first)
    if first == "a":
        board.update()
        board.wait(4)
        assert is_whole(board, board.boot())
    board.wait(61)


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_a_power_cut_at_any_write_of_an_update_bricks_nothing(kept):
    whole = Board()
    life(whole, whole.boot())
    points = whole.flash.operations
    assert points > 25
    for cut_at in range(points):
        board = Board(CutFlash(Board().flash.files, cut_at, kept))
        with pytest.raises(PowerCut):
            life(board, board.boot())
        after = Board(board.flash.after_cut())
        slot = after.boot()
        assert is_whole(after, slot), cut_at
        life(after, slot)  # and the update goes through in the next life
        assert slots.read_record(after.flash)["active"] == "b", cut_at
        assert after.runs("b") == modules(NEW)["firmware/app.py"]


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_a_power_cut_at_any_write_of_a_rollback_bricks_nothing(kept):
    def fail(board):
        board.update()
        for _ in range(4):
            assert is_whole(board, board.boot())
        board.boot()

    whole = Board()
    whole.boot()
    fail(whole)
    for cut_at in range(whole.flash.operations):
        board = Board(CutFlash(Board().flash.files, cut_at, kept))
        with pytest.raises(PowerCut):
            board.boot()
            fail(board)
        after = Board(board.flash.after_cut())
        starts = [after.boot() for _ in range(5)]
        assert all(is_whole(after, slot) for slot in starts)
        assert starts[-1] == "a"


def test_cuts_again_and_again_bricks_nothing():
    """Every pair of cuts: the second one in the life after the first."""
    whole = Board()
    life(whole, whole.boot())
    points = whole.flash.operations
    for first, second in itertools.product(range(0, points, 5), range(0, points, 7)):
        flash = CutFlash(Board().flash.files, first, 0.5)
        for cut_at in (second, None):
            try:
                board = Board(flash)
                life(board, board.boot())
            except PowerCut:
                flash = flash.after_cut(cut_at, 0.5)
        board = Board(flash.after_cut())
        assert is_whole(board, board.boot())


@pytest.mark.parametrize("junk", [b"", b"\0" * 40, b"\xff" * 300, b"00000000 {}", b"zz", b"{}"])
def test_a_boot_record_of_rubbish_starts_slot_a(junk):
    flash = Board().flash
    flash.files["boot-0"] = flash.files["boot-1"] = junk
    assert Board(flash).boot() == "a"


def test_one_spoiled_record_leaves_the_other():
    board = ready(Board())
    board.update()
    board.boot()
    board.wait(61)
    newest = max(
        ("boot-0", "boot-1"),
        key=lambda n: int(re.search(rb'"n": (\d+)', board.flash.files[n])[1]),
    )
    board.flash.files[newest] = board.flash.files[newest][:-1] + b"?"
    assert board.boot() in ("a", "b")
    assert is_whole(board, board.boot())


def test_a_full_flash_is_told_and_nothing_changes():
    board = ready(Board())
    board.flash.limit = sum(map(len, board.flash.files.values())) + 500
    assert board.update()["ok"]
    assert "no space" in board.told()[0][2]
    board.flash.limit = None
    assert (board.boot(), is_whole(board, "a")) == ("a", True)


def test_a_slot_that_cannot_be_loaded_falls_back_to_the_other():
    board = ready(Board())
    board.update()
    board.boot()
    board.wait(61)
    assert slots.fall_back(board.flash, lambda slot: True)
    assert board.boot() == "a"
    assert board.told() == [(NEW, False, "slot b could not be loaded")]
    assert not slots.fall_back(board.flash, lambda slot: False)


def test_the_program_of_an_offer_is_another_thing():
    assert set(PROGRAM) != set(RELEASE)
