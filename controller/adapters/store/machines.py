"""Machines, their counters and the commands sent to them."""

from sqlalchemy import delete, select

from controller.adapters.store import tables
from controller.adapters.store.rows import Room, as_row, to_row
from controller.values import Command, Counter, Machine

_machine = tables.machine
_counter = tables.counter
_command = tables.command
_ALL = select(_machine).order_by(_machine.c.id)


class MachineRoom(Room):
    """Machines of the site."""

    def get(self, machine: str) -> Machine | None:
        """One machine, or None."""
        return self._by(Machine, _machine, id=machine)

    def all(self) -> list[Machine]:
        """Every machine, by id."""
        return self._each(Machine, _ALL)

    def add(self, machine: Machine) -> None:
        """Store a new machine."""
        self._put(_machine, as_row(_machine, machine))

    def change(self, machine: str, **changes: object) -> None:
        """Change fields of one machine."""
        self._change(_machine, {"id": machine}, to_row(_machine, changes))

    def acknowledge(self, machine: str, jid: str, s: int) -> None:
        """Events up to ``s`` are committed, if this is the journal the machine writes now."""
        self._change(_machine, {"id": machine, "jid": jid}, {"acked_s": s})

    def counter(self, machine: str, jid: str, ch: int, lot: str) -> Counter | None:
        """Last cumulative counter reported, or None."""
        return self._by(Counter, _counter, machine=machine, jid=jid, ch=ch, lot=lot)

    def counters(self, machine: str) -> list[Counter]:
        """All counters of one machine."""
        return self._all(Counter, select(_counter).where(_counter.c.machine == machine))

    def put_counter(self, counter: Counter) -> None:
        """Store the counter as reported."""
        row = as_row(_counter, counter)
        keys = {name: row[name] for name in ("machine", "jid", "ch", "lot")}
        if self._change(_counter, keys, row) == 0:
            self._put(_counter, row)

    def drop_counter(self, counter: Counter) -> None:
        """Forget a counter, so that the next report begins anew."""
        self._run(
            delete(_counter).where(
                _counter.c.machine == counter.machine,
                _counter.c.jid == counter.jid,
                _counter.c.ch == counter.ch,
                _counter.c.lot == counter.lot,
            )
        )


class CommandRoom(Room):
    """Commands of people to machines."""

    def get(self, command: str) -> Command | None:
        """One command, or None."""
        return self._by(Command, _command, id=command)

    def add(self, command: Command) -> None:
        """Store a new command."""
        self._put(_command, as_row(_command, command))

    def change(self, command: str, **changes: object) -> None:
        """Change fields of one command."""
        self._change(_command, {"id": command}, to_row(_command, changes))

    def of_machine(self, machine: str, limit: int) -> list[Command]:
        """The newest commands to one machine, newest first."""
        query = select(_command).where(_command.c.machine == machine)
        return self._all(Command, query.order_by(_command.c.created_at.desc()).limit(limit))

    def unanswered(self, since: int) -> list[Command]:
        """Commands asked since a time that no machine has answered, oldest first."""
        query = select(_command).where(
            _command.c.answered_at.is_(None), _command.c.created_at >= since
        )
        return self._all(Command, query.order_by(_command.c.created_at))

    def page(self, limit: int) -> list[Command]:
        """The newest commands, newest first."""
        return self._all(
            Command, select(_command).order_by(_command.c.created_at.desc()).limit(limit)
        )
