"""What a plan is asked for: machines, jobs, operations, set-ups, calendars, stock. All in seconds.

Seconds count from the plan's own zero (the caller's "now" or the start of a day). A problem is a
value: nothing here changes after it was made, and nothing here decides anything.

Change-overs: before an operation a machine goes from the class it holds to the operation's class;
``SetupTable.seconds[from][to]`` says how long (the diagonal counts too: the bed change of a
printer). On a ``manual`` machine a change-over needs a person, so it avoids ``Problem.unstaffed``.
Operations run without pause and avoid their machine's ``closed`` windows (holidays, breakdowns).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Window = tuple[int, int]
Curve = tuple[tuple[int, int], ...]  # (from_s, thousandths per kWh), until the next step

NEED_CLASSES = ("floor", "normal", "urgent")


@dataclass(frozen=True, slots=True)
class SetupTable:
    """Seconds of change-over from one set-up class to another; row = before, column = after."""

    classes: tuple[str, ...]
    seconds: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, the class it is set up for now ("" = any, first change-over is free)."""

    name: str
    setups: SetupTable | None = None
    setup_class: str = ""
    closed: tuple[Window, ...] = ()
    manual: bool = False
    power_w: int = 0


@dataclass(frozen=True, slots=True)
class Fixed:
    """Where an operation that was sent or has started stays; a plan never moves it."""

    machine: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a job: seconds on each eligible machine (times ``scale_permille`` / 1000, up).

    ``eligible`` may be one mapping shared by many operations; ``materials`` are (name, amount).
    """

    name: str
    job: str
    eligible: Mapping[str, int]
    after: tuple[str, ...] = ()
    setup_class: str = ""
    materials: tuple[tuple[str, int], ...] = ()
    release_s: int = 0
    scale_permille: int = 1000
    fixed: Fixed | None = None

    def seconds_on(self, machine: str) -> int:
        """Seconds on that machine; KeyError when it is not eligible."""
        return -(-self.eligible[machine] * self.scale_permille // 1000)


@dataclass(frozen=True, slots=True)
class Job:
    """All operations of one need: release, due, weight, class; ``hard`` = the due is a deadline."""

    name: str
    release_s: int = 0
    due_s: int | None = None
    weight: int = 1
    need_class: str = "normal"
    hard: bool = False
    community: str = ""


@dataclass(frozen=True, slots=True)
class Stock:
    """Amount at hand at zero (mg or pieces) and promised deliveries (at_s, amount)."""

    amount: int
    deliveries: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything a plan depends on; ``unstaffed`` are the windows when nobody is on the floor.

    ``energy``: what a kWh costs from when on (money or carbon, in thousandths); () = always alike.
    """

    machines: tuple[Machine, ...]
    jobs: tuple[Job, ...]
    operations: tuple[Operation, ...]
    stock: Mapping[str, Stock] = field(default_factory=dict[str, Stock])
    unstaffed: tuple[Window, ...] = ()
    name: str = ""
    energy: Curve = ()


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One thing wrong with the input; ``operation`` names what it is about."""

    operation: str
    code: str
    text: str
