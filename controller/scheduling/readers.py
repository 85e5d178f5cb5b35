"""Files to problems: the classic text formats of the flexible job shop, and JSON.

Text formats are told apart by what they say, never by name: a header of two or three numbers, then
either operations with arcs (assembly graphs) or jobs; set-up matrices, one per machine, may follow.
What follows a ``#`` is a remark.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from controller.scheduling.documents import from_json
from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Job, Machine, Operation, Problem, SetupTable

MOST = 100_000  # jobs, machines, operations of a job: beyond any file of these formats


def read_problem(path: Path) -> Problem:
    """The problem in a file; ReadError names the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read: {error}") from error
    try:
        if text.lstrip().startswith("{"):
            return from_json(text, path.stem)
        return from_text(text, path.stem)
    except ReadError as error:
        raise ReadError(f"{path}: {error}") from error


class _Step(NamedTuple):
    job: int
    step: int
    times: dict[int, int]


class _Numbers:
    """The numbers of a file after its header, taken one after the other."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def take(self) -> int:
        if self._at >= len(self._tokens):
            raise ReadError("ends too early")
        token = self._tokens[self._at]
        self._at += 1
        try:
            return int(token)
        except ValueError:
            raise ReadError(f"{token!r} is not a whole number") from None

    def count(self, of: str) -> int:
        """A number of things; ReadError when it is none or beyond any real file's."""
        number = self.take()
        if not 0 <= number <= MOST:
            raise ReadError(f"{number} {of}: must be 0 to {MOST}")
        return number

    def left(self) -> int:
        return len(self._tokens) - self._at


def from_text(text: str, name: str) -> Problem:
    """A problem from text; ReadError when no format fits."""
    bare = (line.split("#")[0].split() for line in text.splitlines())
    lines = [line for line in bare if line]
    if not lines or len(lines[0]) not in (2, 3):
        raise ReadError("starts with neither JSON nor a line of two or three numbers")
    header, tokens = lines[0], [token for line in lines[1:] for token in line]
    if len(header) == 3 and len(lines) > 1 and len(lines[1]) == 2:
        return _assembly(header, tokens, name)
    return _jobs(header, tokens, name)


def _jobs(header: list[str], tokens: list[str], name: str) -> Problem:
    head = _Numbers(header[:2])
    jobs, machines = head.count("jobs"), head.count("machines")
    numbers = _Numbers(tokens)
    steps: list[_Step] = []
    for job in range(jobs):
        steps.extend(
            _Step(job, step, _times(numbers)) for step in range(numbers.count("operations"))
        )
    base = _base(steps, machines)
    tables: list[SetupTable] | None = None
    if numbers.left():
        tables = _tables(numbers, machines, [_name(step) for step in steps])
    after = {_name(b): (_name(a),) for a, b in pairwise(steps) if a.job == b.job}
    return _problem(name, machines, steps, after, (base, tables))


def _assembly(header: list[str], tokens: list[str], name: str) -> Problem:
    head = _Numbers(header)
    count, arcs, machines = (head.count(of) for of in ("operations", "arcs", "machines"))
    numbers = _Numbers(tokens)
    links = [(numbers.take(), numbers.take()) for _ in range(arcs)]
    steps = [_Step(0, step, _times(numbers)) for step in range(count)]
    if numbers.left():
        raise ReadError(f"{numbers.left()} numbers are left over at the end")
    after: dict[str, tuple[str, ...]] = {}
    for before, behind in links:
        if not (0 <= before < count and 0 <= behind < count):
            raise ReadError(f"arc {before} {behind} names an operation that does not exist")
        own = _name(steps[behind])
        after[own] = (*after.get(own, ()), _name(steps[before]))
    return _problem(name, machines, steps, after, (_base(steps, machines), None))


def _times(numbers: _Numbers) -> dict[int, int]:
    count = numbers.count("machines of an operation")
    return {numbers.take(): numbers.take() for _ in range(count)}


def _base(steps: list[_Step], machines: int) -> int:
    """Whether machines count from 0 or from 1."""
    named = {machine for step in steps for machine in step.times}
    base = 0 if 0 in named else 1
    if named and (min(named) < 0 or max(named) >= machines + base):
        raise ReadError(f"machine {max(named)} does not exist, there are {machines}")
    return base


def _tables(numbers: _Numbers, machines: int, names: list[str]) -> list[SetupTable]:
    size = len(names)
    if numbers.left() != machines * size * size:
        raise ReadError(
            f"{numbers.left()} numbers follow the jobs; set-ups of {size} operations "
            f"on {machines} machines would be {machines * size * size}"
        )
    return [
        SetupTable(tuple(names), tuple(tuple(numbers.take() for _ in names) for _ in names))
        for _ in range(machines)
    ]


def _name(step: _Step) -> str:
    return f"{step.job + 1}.{step.step + 1}"


def _problem(
    name: str,
    machines: int,
    steps: list[_Step],
    after: dict[str, tuple[str, ...]],
    extra: tuple[int, list[SetupTable] | None],
) -> Problem:
    base, tables = extra

    def operations() -> Iterator[Operation]:
        for step in steps:
            yield Operation(
                name=_name(step),
                job=f"job {step.job + 1}",
                eligible={f"m{machine}": time for machine, time in step.times.items()},
                after=after.get(_name(step), ()),
                setup_class=_name(step) if tables else "",
            )

    jobs = dict.fromkeys(f"job {step.job + 1}" for step in steps)
    return Problem(
        machines=tuple(
            Machine(f"m{i + base}", tables[i] if tables else None) for i in range(machines)
        ),
        jobs=tuple(Job(job) for job in jobs),
        operations=tuple(operations()),
        name=name,
    )
