"""Any bytes at any time: a driver stays up, bounded, in a known state, and says why in words."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.drivers.grbl import Grbl
from firmware.drivers.marlin import Marlin
from firmware.drivers.numbered import HISTORY
from simulators.mill import Mill
from simulators.printer import Printer
from support.rigs import Rig, streamer

MARLIN_STATES = [
    "silent",
    "asking",
    "idle",
    "running",
    "pausing",
    "paused",
    "held",
    "ending",
    "cancelling",
    "halted",
]
GRBL_STATES = [
    "silent",
    "calming",
    "resetting",
    "reading",
    "homing",
    "idle",
    "locked",
    "entering",
    "checking",
    "leaving",
    "verifying",
    "running",
    "changing",
    "ending",
    "holding",
    "paused",
    "spinning",
    "resuming",
]
SAID = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"ok\n",
            b"ok N3 P15 B3\n",
            b"ok\r\nok\r\n",
            b"start\n",
            b"wait\n",
            b"Resend: 3\n",
            b"rs\n",
        ]
    ),
    st.sampled_from([b"Resend: 99999999999\n", b"ok T:20 /0\n", b"echo:busy: paused for user\n"]),
    st.sampled_from([b"//action:paused\n", b"//action:resumed\n", b"//action:cancel\n", b"!! x\n"]),
    st.sampled_from([b"Error:Thermal Runaway\n", b"echo: cold extrusion prevented\n", b"o3 N7\n"]),
    st.sampled_from([b"<Idle|MPos:0,0,0|FS:0,0>\n", b"<Run|MPos:1,0,0>\n", b"<Hold:0>\n", b"<>\n"]),
    st.sampled_from(
        [b"Grbl 1.1h ['$' for help]\r\n", b"ALARM:1\n", b"error:9\n", b"[OPT:V,0,0]\n"]
    ),
    st.sampled_from([b"<Door:0|MPos:0,0,0>\n", b"<Alarm|MPos:0,0,0>\n", b"[GC:]\n", b"$130=x\n"]),
    st.just(b"x" * 10_000),
    st.just(b"\xff" * 300 + b"\n"),
)
DONE = st.sampled_from(["run", "pause", "resume", "cancel", "stop", "recover", "close", "safe"])
STEP = st.tuples(SAID | DONE, st.sampled_from([1, 40, 250, 1000, 4000, 40_000]))


def do(driver: Any, act: str) -> None:
    if act == "run":
        if driver.state == "idle" and not driver.running:
            driver.run(streamer("G21 G90\nG1 X1 F100\nG1 X2\nM6\nG1 X3\n"), "label")
    elif act == "close":
        driver.close("unplugged")
    else:
        getattr(driver, act)()


def play(driver: Any, states: list[str], steps: list[tuple[Any, int]]) -> None:
    now, under_way = 0, False
    for what, ms in steps:
        if isinstance(what, str):
            do(driver, what)
        else:
            driver.feed(what, now)
        under_way = under_way or driver.running
        now += ms
        driver.step(now)
        driver.step(now + 1)
        assert driver.state in states
        assert len(driver._lines._rest) <= 256 and len(driver._own) < 60
        assert len(driver.out) < 4000
        driver.out = bytearray()
        for event in driver.events:
            check(event)
            if event[0] in ("ended", "lost"):
                assert under_way
                under_way = False
        driver.events = []
        assert under_way == driver.running


def check(event: tuple[Any, ...]) -> None:
    if event[0] in ("offline", "lost", "need", "paused"):
        assert event[1] and event[1].isprintable()
    if event[0] == "ended":
        assert event[1] is True or event[2]
    if event[0] == "fault":
        assert event[1] and event[2]


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_a_printer_that_says_anything(steps: list[tuple[Any, int]]) -> None:
    driver = Marlin()
    play(driver, MARLIN_STATES, steps)
    assert len(driver._flow._entries) == HISTORY and len(driver.caps) < 60


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_a_mill_that_says_anything(steps: list[tuple[Any, int]]) -> None:
    play(Grbl(), GRBL_STATES, steps)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["run", "pause", "resume", "cancel", "recover"]),
        st.sampled_from([20, 200, 1500, 9000]),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(ACTS, st.sampled_from([0, 40, 700]))
def test_whatever_people_do_a_mill_is_never_taken_for_reset(acts: list[Any], late: float) -> None:
    rig = Rig(Grbl(), Mill(), late)
    rig.idle()
    for act, ms in acts:
        do(rig.driver, act)
        rig.wait(ms)
    rig.driver.cancel()
    rig.until(lambda: not rig.driver.running and rig.driver.state in ("idle", "locked"))
    assert not rig.has("fault"), rig.events
    rig.wait(5000)
    assert rig.core.spindle == 5


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_whatever_people_do_a_printer_comes_back(acts: list[Any]) -> None:
    rig = Rig(Marlin(), Printer())
    rig.idle()
    for act, ms in acts:
        do(rig.driver, act)
        rig.wait(ms)
    rig.driver.cancel()
    rig.until(lambda: not rig.driver.running and rig.driver.state == "idle")
    assert not rig.has("fault"), rig.events
