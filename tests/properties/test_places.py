"""Places: every interleaving of small kits on tight racks, with scrap, comes to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.places import Room, place_for
from controller.routed import Place
from controller.values import Operation

RACK = ("fdm", "mill", "assemble")


def op(name: str, process: str, **more: Any) -> Operation:
    need = name.split("-", maxsplit=1)[0]
    base = Operation(name, need, 0, name, process, {}, None, 60, [], "", "waiting")
    return replace(base, **more)


Kit = tuple[list[Operation], list[tuple[str, str, int]]]


def join_of(need: str, parts: int) -> Kit:
    """So many printed parts, assembled, then inspected (which is kept nowhere)."""
    prints = [op(f"{need}-p{n}", "fdm") for n in range(parts)]
    join, look = op(f"{need}-join", "assemble"), op(f"{need}-look", "inspect")
    links = [(p.id, join.id, 1) for p in prints] + [(join.id, look.id, 1)]
    return [*prints, join, look], links


def two_floors(need: str) -> Kit:
    """Two sub-assemblies of two parts each, joined in the end."""
    names = [f"{need}-{n}" for n in ("a1", "a2", "b1", "b2")]
    parts = [op(name, "fdm") for name in names]
    subs = [op(f"{need}-a", "assemble"), op(f"{need}-b", "assemble")]
    last = op(f"{need}-z", "inspect")
    links = [(n, subs[i // 2].id, 1) for i, n in enumerate(names)]
    links += [(sub.id, last.id, 1) for sub in subs]
    return [*parts, *subs, last], links


def plate_of(need: str) -> Kit:
    """One plate of two pieces that two inspections take."""
    plate = op(f"{need}-plate", "fdm", pieces=2)
    looks = [op(f"{need}-l{n}", "inspect") for n in range(2)]
    return [plate, *looks], [(plate.id, look.id, 1) for look in looks]


State = frozenset[tuple[str, str, str | None]]  # operation, state, place


class Floor:
    """All operations with their links; a state says where each is. ``guarded``: by Room."""

    def __init__(self, kits: list[Kit], capacity: int, *, guarded: bool = True) -> None:
        self.operations = {o.id: o for kit, _ in kits for o in kit}
        self.links = [link for _, links in kits for link in links]
        self.places = (Place("rack", "Rack", capacity, list(RACK)),)
        self.guarded = guarded
        self.before: dict[str, list[str]] = {}
        self.after: dict[str, list[str]] = {}
        for first, then, _ in self.links:
            self.before.setdefault(then, []).append(first)
            self.after.setdefault(first, []).append(then)

    def begin(self) -> State:
        return frozenset((name, "waiting", None) for name in self.operations)

    def room(self, state: State) -> Room:
        now = [replace(self.operations[n], state=s, place=p) for n, s, p in state]
        return Room(self.places, now, self.links)

    def next(self, state: State) -> Iterator[State]:
        """Every state one happening later: a start, a good end, an end as scrap."""
        where = {name: (st, place) for name, st, place in state}
        room = self.room(state)
        held = room.held.get("rack", 0)
        assert held <= self.places[0].capacity, "more lies there than it holds"
        for name, (now, _) in where.items():
            if now == "waiting" and all(where[b][0] == "done" for b in self.before.get(name, ())):
                yield from self._start(where, name, room)
            elif now == "running":
                yield self._good(where, name)
                yield self._scrap(where, name)

    def _start(self, where: dict[str, Any], name: str, room: Room) -> Iterator[State]:
        place = place_for(self.operations[name].process, self.places)
        if self.guarded:
            free = not room.why_not(name)
        else:  # only room for this one part, as a floor without credit would
            extra = room._graph.extra(self.operations[name], "rack") if place else 0
            free = room.held.get("rack", 0) + extra <= self.places[0].capacity
        if free:
            yield pack(where, **{name: ("running", place.id if place else None)})

    def _good(self, where: dict[str, Any], name: str) -> State:
        changed = {name: ("done", where[name][1])}
        for before in self.before.get(name, ()):
            others = [t for t in self.after[before] if t != name]
            if all(where[t][0] == "done" for t in others):
                changed[before] = ("done", None)
        return pack(where, **changed)

    def _scrap(self, where: dict[str, Any], name: str) -> State:
        """What went in is used up: it must all be made again."""
        changed: dict[str, Any] = {}
        todo = [name]
        while todo:
            lost = todo.pop()
            changed[lost] = ("waiting", None)
            todo += [b for b in self.before.get(lost, ()) if len(self.after[b]) == 1]
        return pack(where, **changed)

    def done(self, state: State) -> bool:
        return all(now == "done" for _, now, _ in state)


def pack(where: dict[str, Any], **changed: Any) -> State:
    return frozenset((n, *v) for n, v in {**where, **changed}.items())


def dead_ends(floor: Floor, limit: int = 60_000) -> list[State]:
    """States from which nothing goes on although not all is done; every state is visited."""
    seen, todo, dead = {floor.begin()}, [floor.begin()], []
    while todo:
        state = todo.pop()
        later = list(floor.next(state))
        if not later and not floor.done(state):
            dead.append(state)
        fresh = [s for s in later if s not in seen]
        seen.update(fresh)
        todo += fresh
        assert len(seen) < limit, "too many states to look at them all"
    return dead


CASES = {
    "three pairs, two slots": ([join_of(n, 2) for n in "xyz"], 2),
    "pairs and a triple, three slots": ([join_of("x", 2), join_of("y", 3)], 3),
    "sub-assemblies, four slots": ([two_floors("x"), join_of("y", 2)], 4),
    "plates and pairs, two slots": ([plate_of("x"), plate_of("y"), join_of("z", 2)], 2),
}


@pytest.mark.parametrize("case", CASES)
def test_no_interleaving_ends_in_deadlock(case: str) -> None:
    kits, capacity = CASES[case]
    assert dead_ends(Floor(kits, capacity)) == []


def test_without_credit_the_same_floor_does_end_in_deadlock() -> None:
    kits, capacity = CASES["three pairs, two slots"]
    assert dead_ends(Floor(kits, capacity, guarded=False))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(("join2", "join3", "floors", "plate")), min_size=1, max_size=6),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_random_walks_over_larger_floors_come_to_an_end(
    kinds: list[str], spare: int, random: Any
) -> None:
    makers = {
        "join2": lambda n: join_of(n, 2),
        "join3": lambda n: join_of(n, 3),
        "floors": two_floors,
        "plate": plate_of,
    }
    kits = [makers[kind](f"n{i}") for i, kind in enumerate(kinds)]
    most = max(
        Room((Place("rack", "R", 99, list(RACK)),), *kit).kits[0].claim["rack"] for kit in kits
    )
    floor = Floor(kits, most + spare)
    state = floor.begin()
    for step in range(400):
        if floor.done(state):
            return
        later = sorted(floor.next(state), key=sorted_text)
        assert later, floor.room(state).held
        good = [s for s in later if progress(s) > progress(state)]
        state = random.choice(good if step > 150 and good else later)
    raise AssertionError("never done")


def progress(state: State) -> int:
    return sum({"waiting": 0, "running": 1, "done": 2}[now] for _, now, _ in state)


def sorted_text(state: State) -> str:
    return str(sorted(map(str, state)))


def test_a_kit_too_large_for_its_place_is_told_in_words() -> None:
    operations, links = join_of("n1", 4)
    room = Room((Place("rack", "Rack", 3, list(RACK)),), operations, links)
    assert "may take 4 slots of Rack at once, which has 3" in room.too_large()


def test_an_assembly_takes_the_slots_its_inputs_leave() -> None:
    operations, links = join_of("n1", 2)
    lying = [
        replace(o, state="done", place="rack") if o.process == "fdm" else o for o in operations
    ]
    room = Room((Place("rack", "Rack", 2, list(RACK)),), lying, links)
    assert room.held == {"rack": 2}
    assert room.why_not("n1-join") == ""
    room.take("n1-join")
    assert room.held == {"rack": 2}


def test_a_floor_without_places_never_waits_for_room() -> None:
    operations, links = join_of("n1", 4)
    room = Room((), operations, links)
    assert room.why_not("n1-p0") == "" and room.take("n1-p0") is None
