"""Communities, designs, programs and needs in the store."""

import json
from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select, update

from controller.adapters.store import tables
from controller.adapters.store.prepared import one_of
from controller.adapters.store.rows import Room, as_row, to_row
from controller.values import NEED_STATES, Community, DesignRow, Json, Need, ProgramRow

_program = tables.program

OPEN_NEEDS = ("stated", "accepted", "making")
_OPEN = (
    select(tables.need)
    .where(one_of(tables.need.c.state, OPEN_NEEDS))
    .order_by("created_at", tables.need.c.seq)
)


class CommunityRoom(Room):
    """Who states needs."""

    def get(self, community: str) -> Community | None:
        """One community, or None."""
        return self._by(Community, tables.community, id=community)

    def all(self) -> list[Community]:
        """Every community, by id."""
        return self._all(Community, select(tables.community).order_by(tables.community.c.id))

    def put(self, community: Community) -> None:
        """Add a community or replace what is known of it."""
        row = as_row(tables.community, community)
        if self.get(community.id) is None:
            self._run(insert(tables.community).values(row))
        else:
            self._run(
                update(tables.community).where(tables.community.c.id == community.id).values(row)
            )


class DesignRoom(Room):
    """Imported designs and their programs."""

    def get(self, design: str) -> DesignRow | None:
        """One design, or None."""
        return self._by(DesignRow, tables.design, id=design)

    def all(self) -> list[DesignRow]:
        """Every design, by id."""
        return self._all(DesignRow, select(tables.design).order_by(tables.design.c.id))

    def put(self, design: DesignRow) -> None:
        """Add a design or replace it by a newer import."""
        row = as_row(tables.design, design)
        if self.get(design.id) is None:
            self._run(insert(tables.design).values(row))
        else:
            self._run(update(tables.design).where(tables.design.c.id == design.id).values(row))

    def program(self, sha: str) -> ProgramRow | None:
        """One program by its SHA-256, or None."""
        return self._by(ProgramRow, tables.program, sha=sha)

    def programs(self) -> list[ProgramRow]:
        """Every program, by design and name."""
        return self._all(
            ProgramRow, select(tables.program).order_by(tables.program.c.design, "name", "sha")
        )

    def commands(self, shas: Iterable[str]) -> dict[str, Json | None]:
        """What each of these programs uses, by SHA-256; None where it was not noted."""
        found: dict[str, Json | None] = {}
        listed, columns = sorted(shas), (_program.c.sha, _program.c.commands_json)
        for at in range(0, len(listed), 500):
            where = _program.c.sha.in_(listed[at : at + 500])
            for sha, text in self._conn.execute(select(*columns).where(where)):
                found[sha] = json.loads(text) if text else None
        return found

    def put_program(self, program: ProgramRow) -> None:
        """Add a program; the same content replaces what is known of it."""
        self._run(delete(tables.program).where(tables.program.c.sha == program.sha))
        self._run(insert(tables.program).values(as_row(tables.program, program)))


class NeedRoom(Room):
    """Stated needs."""

    def get(self, need: str) -> Need | None:
        """One need, or None."""
        return self._by(Need, tables.need, id=need)

    def by_key(self, key: str) -> Need | None:
        """The need stated under an idempotency key, or None."""
        return self._by(Need, tables.need, key=key)

    def all(self) -> list[Need]:
        """Every need, oldest first."""
        return self._all(Need, select(tables.need).order_by("created_at", tables.need.c.seq))

    def page(self, limit: int, states: tuple[str, ...] = ()) -> list[Need]:
        """The newest needs, newest first, optionally only in some states."""
        query = select(tables.need).order_by(tables.need.c.seq.desc()).limit(limit)
        if states:  # by what they are not: the newest are looked through, never all of a state
            others = [state for state in NEED_STATES if state not in states]
            query = query.where(tables.need.c.state.not_in(others))
        return self._all(Need, query)

    def open(self) -> list[Need]:
        """Needs that are neither delivered, refused nor withdrawn, oldest first."""
        return self._each(Need, _OPEN)

    def count_by_state(self) -> dict[str, int]:
        """How many needs are in each state."""
        query = select(tables.need.c.state, func.count()).group_by(tables.need.c.state)
        return {row[0]: row[1] for row in self._conn.execute(query)}

    def add(self, need: Need) -> None:
        """Store a new need."""
        row = as_row(tables.need, need) | {"seq": self._last_seq(tables.need) + 1}
        self._put(tables.need, row)

    def change(self, need: str, **changes: object) -> None:
        """Change fields of one need."""
        self._change(tables.need, {"id": need}, to_row(tables.need, changes))
