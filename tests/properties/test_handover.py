"""Every order of events at a printer that a robot clears, explored; bugs planted in it are found.

The world has a printer, its bed, its door, a robot and a person. What one side tells another is
on its way for a while: everything else may happen in between. The controller knows only messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from controller import handover

BAD = "bad"


class World(NamedTuple):
    """The truth, what the controller believes (``state``), and what is on its way."""

    state: str = "clear"  # the controller's
    order: str = ""  # "", open, good, bad: the printer's order as the controller has it
    ready: bool = True  # the printer's own word, as the controller has it
    printer: str = "idle"  # idle, granted (told to print), printing
    printed: str = ""  # end on its way to the controller: good, bad, none
    part: bool = False
    pose: bool = False  # confirmed since it was last touched
    door: str = "open"
    robot: str = "home"  # home, told, inside, stuck, done
    clearing: str = ""  # the command "clear" on its way to the printer: for this order, or late


class Rules(NamedTuple):
    """What is checked; a planted bug replaces one of it."""

    step: Callable[[str, str], str] = handover.step
    may_print: Callable[[str, str], bool] = handover.may_print
    may_reach: Callable[[str, str, bool], bool] = handover.may_reach
    may_say_clear: Callable[[str], bool] = handover.may_say_clear
    seen: Callable[[str, str, bool], str] = handover.seen
    believes_late: bool = False  # the printer takes a "clear" meant for an earlier order


def controller(w: World, rules: Rules) -> Iterator[World]:
    """What the controller may do now by its table."""
    event = rules.seen(w.state, w.order, w.ready)
    if event:
        yield w._replace(state=rules.step(w.state, event))
        return  # it looks before it acts
    if rules.may_print(w.state, w.door) and w.ready and not w.order:
        late = "late" if w.clearing else ""
        yield w._replace(order="open", ready=False, printer="granted", clearing=late)
    if w.state == "lying" and w.part and w.pose:
        yield w._replace(state=rules.step("lying", "posed"))
    if w.state == "posed" and not w.pose:
        yield w._replace(state=rules.step("posed", "moved"))
    if rules.may_reach(w.state, w.door, w.pose):
        yield w._replace(state=rules.step("posed", "reach"), robot="told")
    if w.state == "emptied" and not w.clearing:
        yield w._replace(clearing="for this")


def printer(w: World, rules: Rules) -> Iterator[World]:
    """What the printer may do by itself, and what it says."""
    if w.printer == "granted":
        yield w._replace(printer="printing", part=True, pose=False)
        yield w._replace(printer="idle", printed="none")
    if w.printer == "printing":
        yield w._replace(printer="idle", printed="good")
        yield w._replace(printer="idle", printed=BAD)
    if w.printed:
        order = {"none": ""}.get(w.printed, w.printed)
        yield w._replace(printed="", order=order, ready=w.printed == "none")
    if w.clearing == "for this" or (w.clearing and rules.believes_late):
        yield w._replace(clearing="", order="", ready=True)
    if w.clearing:
        yield w._replace(clearing="")  # expired on its way, or refused


def robot(w: World, rules: Rules) -> Iterator[World]:
    """What the robot may do once it was told, and what it says."""
    if w.robot == "told":
        yield w._replace(robot="inside")
        yield w._replace(robot="refusing")
    if w.robot == "inside":
        yield w._replace(robot="done", part=False, pose=False)
        yield w._replace(robot="stuck", pose=False)
    said = {"refusing": "refused", "done": "left", "stuck": "failed"}.get(w.robot)
    if said and w.state == "reaching":
        at_rest = "stuck" if said == "failed" else "home"
        yield w._replace(robot=at_rest, state=rules.step("reaching", said))


def people(w: World, rules: Rules) -> Iterator[World]:
    """Camera, hands, the door; a person who clears looks first, also at a robot that is stuck."""
    if w.part and not w.pose and w.printer == "idle" and w.robot == "home":
        yield w._replace(pose=True)
    if w.pose and w.robot == "home":
        yield w._replace(pose=False)  # somebody touched it
    if w.printer == "idle" and w.robot == "home" and w.door != "none":
        yield w._replace(door="closed" if w.door == "open" else "open")
    lies = w.order in ("good", BAD) and not w.printed
    if lies and rules.may_say_clear(w.state) and w.printer == "idle":
        at_rest = "home" if w.robot == "stuck" else w.robot
        yield w._replace(part=False, pose=False, order="", ready=True, robot=at_rest)


def wrong(before: World, w: World) -> str:
    """The interlock that is broken; "" when none is."""
    inside = w.robot in ("inside", "stuck")
    if inside and w.printer == "printing":
        return "the printer moves with the robot in its bed"
    if before.printer == "granted" and w.printer == "printing":
        if before.part:
            return "a print began on a bed that was not clear"
        if before.door == "open":
            return "a print began with the door open"
    if before.robot == "told" and w.robot == "inside":
        if not before.part or not before.pose:
            return "the robot reached for a part whose place was not confirmed"
        if before.door == "closed":
            return "the robot reached into a closed door"
    return ""


class Explored(NamedTuple):
    worlds: set[World]
    found: list[str]


def explore(rules: Rules) -> Explored:
    """Every world that can be reached, breadth first; how the first broken interlock came about."""
    level = [World(), World(door="none")]
    before: dict[World, World | None] = dict.fromkeys(level)
    while level:
        after: list[World] = []
        for w in level:
            for nxt in _next(w, rules):
                broken = wrong(w, nxt)
                if broken:
                    return Explored(set(before), [broken, *_path(before, w), str(nxt)])
                if nxt not in before:
                    before[nxt] = w
                    after.append(nxt)
        level = after
    return Explored(set(before), [])


def _next(w: World, rules: Rules) -> Iterator[World]:
    yield from controller(w, rules)
    yield from printer(w, rules)
    yield from robot(w, rules)
    yield from people(w, rules)


def _path(before: dict[World, World | None], w: World | None) -> list[str]:
    steps: list[str] = []
    while w is not None:
        steps.append(str(w))
        w = before[w]
    return steps[::-1]


def test_no_interlock_breaks_whatever_happens_in_whatever_order() -> None:
    explored = explore(Rules())
    assert explored.found == []
    assert len(explored.worlds) > 100  # it did explore
    assert {w.state for w in explored.worlds} == set(handover.STATES)


def test_every_state_leads_back_to_a_clear_bed() -> None:
    """No deadlock: from wherever it got to, the bed can become clear again."""
    worlds = explore(Rules()).worlds
    back: dict[World, list[World]] = {}
    for w in worlds:
        for nxt in _next(w, Rules()):
            back.setdefault(nxt, []).append(w)
    level = [w for w in worlds if w.state == "clear" and w.ready and not w.part]
    home = set(level)
    while level:
        level = [w for nxt in level for w in back.get(nxt, []) if w not in home]
        home.update(level)
    assert worlds - home == set()


def _always(*_given: Any) -> bool:
    return True


def _with(state: str, event: str, after: str) -> Callable[[str, str], str]:
    def step(at: str, happened: str) -> str:
        return after if (at, happened) == (state, event) else handover.step(at, happened)

    return step


PLANTED = {
    "a person may say clear while the robot reaches": Rules(may_say_clear=_always),
    "the printer may start whatever the handover says": Rules(
        may_print=lambda state, door: door != "open",
        may_say_clear=_always,
    ),
    "the door is not looked at by the printer": Rules(may_print=lambda s, d: s == "clear"),
    "the door is not looked at by the robot": Rules(may_reach=lambda s, d, p: s == "posed" and p),
    "the pose is not asked again": Rules(may_reach=lambda s, d, p: s == "posed" and d == "open"),
    "a late clear is believed": Rules(believes_late=True),
    "an ended print counts as posed": Rules(
        step=_with("printing", "ended", "posed"),
        may_reach=lambda s, d, p: s == "posed" and d != "closed",
    ),
    "a failed reach counts as left": Rules(step=_with("reaching", "failed", "emptied")),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bug_is_found(name: str) -> None:
    assert explore(PLANTED[name]).found != [], name


def test_table_refuses_what_it_does_not_list() -> None:
    with pytest.raises(handover.IllegalHandover):
        handover.step("reaching", "cleared")
    assert handover.step("emptied", "cleared") == "clear"
