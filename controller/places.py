"""Places between operations, and why nobody ever waits for each other there for good.

An operation starts only with room kept for its pieces, so no machine is blocked when it ends. That
alone does not prevent deadlock: a rack can fill with halves of many kits. So room is given as a
banker gives credit (Dijkstra 1965, Habermann 1969):

- A *kit* is all operations of a need that hang together. Its *claim* on a place is the most slots
  it can ever take there, in whatever order its operations run, fail or are made again.
- An operation may start when, after it, the kits can still be finished one after another: some kit
  finds its whole claim in what is free, then the next in what that one gives back, and so on.

Then some kit can always take every slot it may want, so each of its ready operations may start;
scrap only gives slots back, which keeps the order possible. A kit whose claim is larger than a
place is refused when the need is stated.

Why the claim is an upper bound: an operation's pieces lie from its start until every operation
that takes of them is done. Pieces with one taker lie in the branch of that taker, which takes the
larger of its own slots and its branches' together (its product lies where an input lay; of several
pieces some may lie while inputs for the rest are made again, so those add up); pieces with several
takers count by themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.routed import Place
from controller.values import Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx

Link = tuple[str, str, int]  # before, after, pieces
RUNNING = ("ordered", "running", "inspecting")
NO_ROOM = "waits for room in"  # begins every reason that is about room
ENDED = ("done", "cancelled")
Slots = dict[str, int]  # slots by place


@dataclass(slots=True)
class Kit:
    """Operations that hang together: the most slots they may take, and those they hold now."""

    needs: set[str] = field(default_factory=set[str])
    claim: Slots = field(default_factory=Slots)
    held: Slots = field(default_factory=Slots)

    def lacks(self, free: Mapping[str, int]) -> str:
        """A place where the rest of the claim is not free; empty when it is everywhere."""
        for place, claim in self.claim.items():
            if claim - self.held.get(place, 0) > free.get(place, 0):
                return place
        return ""


def place_for(process: str, places: Iterable[Place]) -> Place | None:
    """Where pieces of a process go: the first place that takes them; None = nothing to keep."""
    return next((place for place in places if process in place.takes), None)


class Room:
    """Who holds which slots of the floor's places; answers whether an operation may start."""

    def __init__(
        self, places: Iterable[Place], operations: Iterable[Operation], links: Iterable[Link]
    ) -> None:
        self.places = {place.id: place for place in places}
        self._operations = {op.id: op for op in operations} if self.places else {}
        self._graph = _Graph(self._operations, links, tuple(self.places.values()))
        self.kits, self._kit_of = self._graph.kits()
        self.held: Slots = {}
        for op in self._operations.values():
            if op.place is not None:
                self._hold(op, op.place)

    def _hold(self, op: Operation, place: str) -> None:
        extra = self._graph.extra(op, place)
        self.held[place] = self.held.get(place, 0) + extra
        held = self._kit_of[op.id].held
        held[place] = held.get(place, 0) + extra

    def place_of(self, operation: str) -> str | None:
        """Place where the pieces of an operation will lie; None when the floor has none for it."""
        op = self._operations.get(operation)
        found = place_for(op.process, self.places.values()) if op is not None else None
        return found.id if found is not None else None

    def why_not(self, operation: str) -> str:
        """Why an operation may not start for want of room, in words; empty when it may."""
        place = self.place_of(operation)
        if place is None:
            return ""
        op = self._operations[operation]
        extra = 0 if op.place is not None else self._graph.extra(op, place)
        if extra == 0:
            return ""
        named, held = self.places[place], self.held.get(place, 0)
        if held + extra > named.capacity:
            return f"{NO_ROOM} {named.name}: {held} of {named.capacity} taken"
        kit = self._kit_of[operation]
        kit.held[place] = kit.held.get(place, 0) + extra
        stuck = self._stuck()
        kit.held[place] -= extra
        if not stuck:
            return ""
        needs = " or ".join(sorted(stuck)[:3])
        return f"{NO_ROOM} {named.name}: what is free is kept so that {needs} can finish"

    def take(self, operation: str) -> str | None:
        """Keep room for an operation that starts; the place, or None when it needs none."""
        place = self.place_of(operation)
        op = self._operations.get(operation)
        if place is not None and op is not None and op.place is None:
            self._hold(op, place)
        return place

    def too_large(self) -> str:
        """Why some kit can never be finished here, in words; empty when all can."""
        for kit in self.kits:
            for place, claim in kit.claim.items():
                named = self.places[place]
                if claim > named.capacity:
                    return (
                        f"may take {claim} slots of {named.name} at once, which has"
                        f" {named.capacity}: ask for fewer at once or widen the place"
                    )
        return ""

    def _stuck(self) -> set[str]:
        """Needs that could not be finished one after another; empty when all could."""
        free = {p.id: p.capacity for p in self.places.values()}
        open_kits = [kit for kit in self.kits if any(kit.held.values())]
        for kit in open_kits:
            for place, slots in kit.held.items():
                free[place] -= slots
        if any(slots < 0 for slots in free.values()):
            return {need for kit in open_kits for need in kit.needs}
        left = open_kits
        while left:
            able = [kit for kit in left if not kit.lacks(free)]
            if not able:
                return {need for kit in left for need in kit.needs}
            for kit in able:
                for place, slots in kit.held.items():
                    free[place] += slots
            left = [kit for kit in left if kit not in able]
        return set()


def room_of(tx: "Tx", needs: Iterable[str] | None = None) -> Room:
    """Room of the floor as it stands; of some needs only when named."""
    places = tx.routes.places()
    if not places:
        return Room((), (), ())
    if needs is not None:
        asked = list(needs)
        return Room(places, tx.operations.of_needs(asked), tx.routes.links_of_needs(asked))
    asked = [need.id for need in tx.needs.open()]
    operations = {op.id: op for op in tx.operations.of_needs(asked)}
    operations.update((op.id, op) for op in tx.routes.lying())
    return Room(places, operations.values(), tx.routes.links_of_needs(asked))


class _Graph:
    """Operations with who takes whose pieces."""

    def __init__(
        self,
        operations: Mapping[str, Operation],
        links: Iterable[Link],
        places: tuple[Place, ...],
    ) -> None:
        self._operations = operations
        self._places = places
        self._links = [(b, a, n) for b, a, n in links if b in operations and a in operations]
        self._takers: dict[str, list[str]] = {}
        for before, after, pieces in self._links:
            if pieces:
                self._takers.setdefault(before, []).append(after)
        self._branches: dict[str, list[str]] = {}
        for before, takers in self._takers.items():
            if len(takers) == 1:
                self._branches.setdefault(takers[0], []).append(before)

    def extra(self, op: Operation, place: str) -> int:
        """Slots an operation takes besides those its inputs will leave while it runs."""
        if op.state in ENDED or op.pieces > 1:
            return op.slots
        inputs = [self._operations[name] for name in self._branches.get(op.id, ())]
        return max(0, op.slots - sum(i.slots for i in inputs if i.place == place))

    def kits(self) -> tuple[list[Kit], dict[str, Kit]]:
        """Kits, and the kit of each operation."""
        parent = {name: name for name in self._operations}

        def root(name: str) -> str:
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        for before, after, _ in self._links:
            parent[root(before)] = root(after)
        self._join_needs(parent, root)
        kits: dict[str, Kit] = {}
        of: dict[str, Kit] = {}
        for name, op in self._operations.items():
            of[name] = kits.setdefault(root(name), Kit())
            of[name].needs.add(op.need)
        self._claims(of)
        return list(kits.values()), of

    def _join_needs(self, parent: dict[str, str], root: Callable[[str], str]) -> None:
        """Finished parts that lie in a place until the whole need is delivered join its kits."""
        first: dict[str, str] = {}
        for name, op in self._operations.items():
            if name not in self._takers and place_for(op.process, self._places) is not None:
                known = first.setdefault(op.need, name)
                parent[root(name)] = root(known)

    def _claims(self, of: Mapping[str, Kit]) -> None:
        claims: dict[str, Slots] = {}
        for name in self._inner_first():
            own = self._claim(name, claims)
            claims[name] = own
            if len(self._takers.get(name, ())) != 1:
                total = of[name].claim
                for place, slots in own.items():
                    total[place] = total.get(place, 0) + slots

    def _claim(self, name: str, claims: Mapping[str, Slots]) -> Slots:
        own: Slots = {}
        for branch in self._branches.get(name, ()):
            for place, slots in claims[branch].items():
                own[place] = own.get(place, 0) + slots
        op = self._operations[name]
        place = place_for(op.process, self._places)
        if place is not None and op.state != "cancelled":
            below = own.get(place.id, 0)
            together = op.pieces > 1  # some may be good while inputs for the others are made again
            own[place.id] = below + op.slots if together else max(below, op.slots)
        return own

    def _inner_first(self) -> list[str]:
        """Operations, each after the branches that lead to it."""
        out: list[str] = []
        stack = [name for name in self._operations if len(self._takers.get(name, ())) != 1]
        while stack:
            name = stack.pop()
            out.append(name)
            stack += self._branches.get(name, ())
        return out[::-1]
