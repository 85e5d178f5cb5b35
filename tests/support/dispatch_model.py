"""The dispatch protocol as a small machine of its own, explored in every order of events.

One operation; machines; a network that keeps every message for ever and delivers any of them at any
time, again or never (loss, delay, doubling, reordering). Machines lose power at any step; what is
journalled stays. Order states are the product's own tables. ``Bugs`` plants a fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from protocols.orders import BOUND, FINAL, MACHINE_ORDER, ORDER_STATES


@dataclass(frozen=True)
class Bugs:
    """Faults to plant; none by default."""

    motion_before_journal: bool = False
    any_grant: bool = False  # a grant is taken without its claim being looked at
    forgets_epoch: bool = False  # the highest epoch seen is not kept over a power cut
    ack_before_commit: bool = False
    withdraws_granted: bool = False
    resolved_unseen: bool = False  # a person ends an unknown order without looking at the machine


@dataclass(frozen=True)
class Limits:
    """How much happens in the explored worlds."""

    machines: int = 1
    epochs: int = 2
    cuts: int = 1


@dataclass(frozen=True)
class Machine:
    """A machine: its flash, what runs, and what it physically did."""

    journal: tuple[tuple[str, int], ...] = ()  # (event, epoch); number is the place + 1
    acked: int = 0
    last_ep: int = 0
    ready: bool = True
    moving: int = 0  # epoch whose motion goes on, 0 none
    starts: tuple[int, ...] = ()  # epochs whose motion began, in order

    def holds(self) -> tuple[str, int, int]:
        """(state by the machine's table, epoch, number of its claim) as the journal says."""
        state, ep, claim = "none", 0, 0
        for number, (event, epoch) in enumerate(self.journal, 1):
            state = MACHINE_ORDER[state][event]
            ep, claim = (epoch, number) if event == "claim" else (ep, claim)
        return (state, ep, claim) if state != "none" else ("none", 0, 0)

    def write(self, event: str, ep: int) -> Machine:
        """The same machine with one more record on its flash."""
        return replace(self, journal=(*self.journal, (event, ep)))


@dataclass(frozen=True)
class Order:
    """One attempt at the controller; its epoch is its place + 1."""

    machine: int
    state: str = "OFFERED"
    claim: int = 0


@dataclass(frozen=True)
class World:
    """Everything at one instant."""

    machines: tuple[Machine, ...]
    orders: tuple[Order, ...] = ()
    heard: tuple[int, ...] = ()  # number of the last event committed, by machine
    applied: tuple[int, ...] = ()  # how many events changed something, by machine
    wants: frozenset[tuple[int, str, int, int]] = field(default_factory=frozenset)
    acks: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    cuts: int = 0


Step = tuple[str, World]


def first(limits: Limits) -> World:
    """The world before anything happened."""
    n = limits.machines
    return World(tuple(Machine() for _ in range(n)), heard=(0,) * n, applied=(0,) * n)


def steps(world: World, limits: Limits, bugs: Bugs) -> Iterator[Step]:
    """Everything that can happen next."""
    yield from _controller(world, limits, bugs)
    for number in range(limits.machines):
        yield from _wanted(world, number, bugs)
        yield from _works(world, number, bugs)
        yield from _reports(world, number, bugs)
        if world.cuts < limits.cuts:
            yield f"power cut {number}", _cut(world, number, bugs)


def _with(world: World, number: int, machine: Machine) -> World:
    machines = (*world.machines[:number], machine, *world.machines[number + 1 :])
    return replace(world, machines=machines)


def _put(world: World, place: int, order: Order) -> World:
    return replace(world, orders=(*world.orders[:place], order, *world.orders[place + 1 :]))


def _say(world: World, machine: int, phase: str, ep: int, claim: int = 0) -> World:
    return replace(world, wants=world.wants | {(machine, phase, ep, claim)})


def _controller(world: World, limits: Limits, bugs: Bugs) -> Iterator[Step]:
    done = any(order.state == "SUCCEEDED" for order in world.orders)
    ended = not done and all(order.state in FINAL for order in world.orders)
    if ended and len(world.orders) < limits.epochs:
        ep = len(world.orders) + 1
        for number in range(limits.machines):
            offered = replace(world, orders=(*world.orders, Order(number)))
            yield f"offer {ep} to {number}", _say(offered, number, "offer", ep)
    for place in range(len(world.orders)):
        yield from _decides(world, place, bugs)


def _decides(world: World, place: int, bugs: Bugs) -> Iterator[Step]:
    order, ep = world.orders[place], place + 1
    table = ORDER_STATES[order.state]
    if "withdraw" in table or (bugs.withdraws_granted and order.state == "GRANTED"):
        gone = _put(world, place, replace(order, state="WITHDRAWN"))
        yield f"withdraw {ep}", _say(gone, order.machine, "idle", ep)
    if "grant" in table:
        granted = _put(world, place, replace(order, state=table["grant"]))
        yield f"grant {ep}", _say(granted, order.machine, "grant", ep, order.claim)
    for event in ("silence", "given_up"):
        if event in table:
            yield f"{event} {ep}", _put(world, place, replace(order, state=table[event]))
    if order.state == "UNKNOWN" and (bugs.resolved_unseen or _seen_free(world, order, ep)):
        yield f"resolve {ep}", _put(world, place, replace(order, state="FAILED"))


def _seen_free(world: World, order: Order, ep: int) -> bool:
    """What a person who stands before the machine sees: it neither moves nor holds the order."""
    machine = world.machines[order.machine]
    return machine.moving != ep and machine.holds()[1] != ep


def _wanted(world: World, number: int, bugs: Bugs) -> Iterator[Step]:
    machine = world.machines[number]
    state, held, claim = machine.holds()
    for to, phase, ep, quoted in world.wants:
        if to != number:
            continue
        own = (held, claim) == (ep, quoted) or bugs.any_grant
        if phase == "offer" and state == "none" and machine.ready and ep > machine.last_ep:
            took = replace(machine.write("claim", ep), last_ep=ep)
            yield f"{number} claims {ep}", _with(world, number, took)
        elif phase == "grant" and state == "claimed" and own:
            yield from _granted(world, number, held, bugs)
        elif phase == "idle" and state == "claimed" and held == ep:
            yield f"{number} lets {ep} go", _with(world, number, machine.write("declined", ep))


def _granted(world: World, number: int, ep: int, bugs: Bugs) -> Iterator[Step]:
    machine = world.machines[number]
    if not bugs.motion_before_journal:
        started = replace(machine.write("started", ep), ready=False)
        yield f"{number} journals {ep}", _with(world, number, started)
    elif machine.moving == 0:
        yield f"{number} moves {ep}", _with(world, number, _move(machine, ep))


def _move(machine: Machine, ep: int) -> Machine:
    return replace(machine, moving=ep, starts=(*machine.starts, ep))


def _works(world: World, number: int, bugs: Bugs) -> Iterator[Step]:
    machine = world.machines[number]
    state, ep, _ = machine.holds()
    if state == "running" and machine.moving == 0 and ep not in machine.starts:
        yield f"{number} moves {ep}", _with(world, number, _move(machine, ep))
    if state == "claimed" and machine.moving == ep and bugs.motion_before_journal:
        late = replace(machine.write("started", ep), ready=False)
        yield f"{number} journals {ep} late", _with(world, number, late)
    if state == "running" and machine.moving == ep:
        ended = replace(machine.write("finished", ep), moving=0)
        yield f"{number} finishes {ep}", _with(world, number, ended)
    if state == "none" and not machine.ready:
        yield f"{number} is clear", _with(world, number, replace(machine, ready=True))


def _cut(world: World, number: int, bugs: Bugs) -> World:
    machine = replace(world.machines[number], moving=0)
    state, ep, _ = machine.holds()
    if state == "claimed":
        machine = machine.write("declined", ep)
    elif state != "none":
        machine = machine.write("interrupted", ep)
    if bugs.forgets_epoch:
        machine = replace(machine, last_ep=0)
    return replace(_with(world, number, machine), cuts=world.cuts + 1)


_HEARD = {"finished": "finished_ok"}


def _reports(world: World, number: int, bugs: Bugs) -> Iterator[Step]:
    machine = world.machines[number]
    s = world.heard[number] + 1
    if machine.acked < s <= len(machine.journal):  # sent again and again until acknowledged
        yield f"{number} is heard to {s}", _hear(world, number, s)
    if bugs.ack_before_commit and s <= len(machine.journal):
        yield f"{number} is acknowledged to {s} too soon", _ack(world, number, s)
    for to, upto in world.acks:
        if to == number and upto > machine.acked:
            trimmed = replace(machine, acked=upto)
            yield f"{number} forgets to {upto}", _with(world, number, trimmed)


def _ack(world: World, number: int, s: int) -> World:
    return replace(world, acks=world.acks | {(number, s)})


def _hear(world: World, number: int, s: int) -> World:
    """Commit one event and what it means, then acknowledge it."""
    event, ep = world.machines[number].journal[s - 1]
    heard = (*world.heard[:number], s, *world.heard[number + 1 :])
    applied = (*world.applied[:number], world.applied[number] + 1, *world.applied[number + 1 :])
    after = replace(world, heard=heard, applied=applied)
    order = world.orders[ep - 1]
    to = ORDER_STATES[order.state].get(_HEARD.get(event, event))
    if to is not None and order.machine == number:
        claim = s if event == "claim" else order.claim
        after = _put(after, ep - 1, replace(order, state=to, claim=claim))
    return _ack(after, number, s)


def broken(world: World) -> str:
    """Name of an invariant this world breaks, "" when it keeps all."""
    starts = [ep for machine in world.machines for ep in machine.starts]
    if len(starts) != len(set(starts)):
        return "OneStart: an order was started twice"
    if sum(machine.moving != 0 for machine in world.machines) > 1:
        return "OneAtWork: one operation is made twice at a time"
    for machine, heard, applied in zip(world.machines, world.heard, world.applied, strict=True):
        if heard != applied or heard < machine.acked:
            return "EveryReport: a report was lost or counted twice"
    return next(filter(None, (_unfounded(world, m) for m in world.machines)), "")


def _unfounded(world: World, machine: Machine) -> str:
    """What is wrong with the starts of one machine."""
    for ep in machine.starts:
        state = world.orders[ep - 1].state
        if state == "WITHDRAWN" or state not in (*BOUND, *FINAL):
            return f"Granted: motion of an order that is {state}"
        if ("started", ep) not in machine.journal:
            return "Durable: motion before the journal said so"
    return ""


def settled(world: World) -> bool:
    """Whether every report is in and every order ended or waits for a person."""
    heard = all(at == len(m.journal) for m, at in zip(world.machines, world.heard, strict=True))
    return heard and all(o.state in (*FINAL, "UNKNOWN") for o in world.orders)


@dataclass
class Found:
    """What exploring found: worlds seen, the invariant broken with the way there, dead ends."""

    worlds: int
    broken: str = ""
    way: tuple[str, ...] = ()
    stuck: int = 0


def explore(limits: Limits, bugs: Bugs | None = None) -> Found:
    """Visit every world; stop at the first that breaks an invariant (a shortest way to it)."""
    bugs = bugs or Bugs()
    start = first(limits)
    came: dict[World, tuple[World | None, str]] = {start: (None, "")}
    before: dict[World, list[World]] = {}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        wrong = broken(world)
        if wrong:
            return Found(len(came), wrong, _way(came, world))
        for name, after in steps(world, limits, bugs):
            before.setdefault(after, []).append(world)
            if after not in came:
                came[after] = (world, name)
                queue.append(after)
    return Found(len(came), stuck=len(came) - len(_can_settle(came, before)))


def _way(came: dict[World, tuple[World | None, str]], world: World) -> tuple[str, ...]:
    names: list[str] = []
    at: World | None = world
    while at is not None:
        at, name = came[at]
        names.append(name)
    return tuple(reversed(names[:-1]))


def _can_settle(
    came: dict[World, tuple[World | None, str]], before: dict[World, list[World]]
) -> set[World]:
    """Worlds from which everything can still come to an end."""
    good = {world for world in came if settled(world)}
    queue = deque(good)
    while queue:
        for earlier in before.get(queue.popleft(), ()):
            if earlier not in good:
                good.add(earlier)
                queue.append(earlier)
    return good
