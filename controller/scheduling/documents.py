"""JSON to problems and back.

Our own document: ``machines``, ``jobs``, ``operations`` with the fields of ``problem.py``;
``setups`` by name, named by machines; ``stock`` by material. Times in seconds.
Documents with ``serve`` are read by ``floors.py``.
"""

import msgspec

from controller.scheduling.errors import ReadError
from controller.scheduling.floors import from_floor
from controller.scheduling.problem import (
    Curve,
    Job,
    Machine,
    Operation,
    Problem,
    SetupTable,
    Stock,
    Window,
)


class MachineEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A machine; ``setups`` names a table of the document."""

    name: str
    setups: str = ""
    setup_class: str = ""
    closed: tuple[Window, ...] = ()
    manual: bool = False
    power_w: int = 0


class Document(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A problem as JSON."""

    machines: tuple[MachineEntry, ...]
    jobs: tuple[Job, ...]
    operations: tuple[Operation, ...]
    setups: dict[str, SetupTable] = {}
    stock: dict[str, Stock] = {}
    unstaffed: tuple[Window, ...] = ()
    name: str = ""
    energy: Curve = ()


def from_json(text: str, name: str) -> Problem:
    """A problem from JSON text; ReadError names the field."""
    try:
        if "serve" in msgspec.json.decode(text):
            return from_floor(text)
        document = msgspec.json.decode(text, type=Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReadError(str(error)) from error
    times = [at for at, _ in document.energy]
    if sorted(set(times)) != times:
        raise ReadError("energy: each step must begin after the one before")
    for machine in document.machines:
        if machine.setups and machine.setups not in document.setups:
            raise ReadError(f"machine {machine.name}: no set-ups named {machine.setups!r}")
    return Problem(
        tuple(_machine(entry, document) for entry in document.machines),
        document.jobs,
        document.operations,
        document.stock,
        document.unstaffed,
        document.name or name,
        document.energy,
    )


def _machine(entry: MachineEntry, document: Document) -> Machine:
    table = document.setups.get(entry.setups)
    return Machine(entry.name, table, entry.setup_class, entry.closed, entry.manual, entry.power_w)


def to_json(problem: Problem) -> str:
    """The problem as our own document, the twin of from_json."""
    names: dict[int, str] = {}
    setups: dict[str, SetupTable] = {}
    for machine in problem.machines:
        if machine.setups is not None and id(machine.setups) not in names:
            names[id(machine.setups)] = f"table {len(names) + 1}"
            setups[names[id(machine.setups)]] = machine.setups
    entries = tuple(
        MachineEntry(
            m.name, names.get(id(m.setups), ""), m.setup_class, m.closed, m.manual, m.power_w
        )
        for m in problem.machines
    )
    document = Document(
        entries,
        problem.jobs,
        problem.operations,
        setups,
        dict(problem.stock),
        problem.unstaffed,
        problem.name,
        problem.energy,
    )
    return msgspec.json.encode(document).decode()
