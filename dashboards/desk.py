"""What the pages ask of a floor. ``Desk`` is the whole of it: a test can stand in for a site."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeVar

from controller.adapters.clock import Clock
from controller.adapters.notify import PostState
from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.telemetry import SinkState
from controller.values import Need, NeedRequest

T = TypeVar("T")


class Person(NamedTuple):
    """Who asks, under which idempotency key, having seen what ("" = did not say)."""

    who: str
    key: str
    saw: str = ""


class Outcome(NamedTuple):
    """What a person found: result good or bad, and how many good pieces."""

    result: str
    pieces: int
    note: str = ""


class Answer(NamedTuple):
    """What became of a command so far; code is the controller's word."""

    id: str
    code: str
    message: str = ""


class Workings(NamedTuple):
    """The process behind the floor since it started; counts but for the first and the fourth."""

    queue_items: int = 0
    commits: int = 0
    failures: int = 0
    store_failing: bool = False
    readings: int = 0
    readings_refused: int = 0
    readings_lost: int = 0
    readings_dropped: int = 0
    readings_clamped: int = 0
    changes_dropped: int = 0
    posts: tuple[PostState, ...] = ()


class Desk(Protocol):
    """Reading and asking. Any may raise ``Refused``; all but ``stop`` wait for a commit."""

    @property
    def name(self) -> str:
        """The site's name."""
        ...

    @property
    def clock(self) -> Clock:
        """The floor's clock."""
        ...

    @property
    def leads(self) -> bool:
        """Whether this process runs the site; a standby shows it and passes requests on."""
        ...

    @property
    def sign(self) -> Callable[[bytes], str] | None:
        """Signs with the site's own key, as hex; None = this process has no key."""
        ...

    @property
    def house(self) -> House:
        """Rules of the house: when people are there, what a change of material takes."""
        ...

    def read(self) -> AbstractContextManager[Tx]:
        """A short, consistent view of the store."""
        ...

    def submit(self, run: Callable[[Tx], T]) -> T:
        """Run a function on the writer inside a transaction; its result once committed."""
        ...

    def follow(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` after each change; return what ends that."""
        ...

    def dropped(self) -> int:
        """Messages and changes dropped because a queue was full."""
        ...

    def workings(self) -> Workings:
        """How the process behind the floor goes; reads no database."""
        ...

    def influx(self) -> SinkState:
        """How the copy of telemetry goes."""
        ...

    def state_needs(
        self, needs: list[NeedRequest], *, all_or_nothing: bool = False
    ) -> list[Need | Exception]:
        """State needs; the answer to each in order, or Refused for all when asked so."""
        ...

    def clear(self, machine: str, outcome: Outcome, person: Person) -> Answer:
        """The machine's bed is clear; what became of its last order."""
        ...

    def control(self, machine: str, do: str, person: Person) -> Answer:
        """Pause, resume or cancel."""
        ...

    def load(self, machine: str, ch: int, lot: str, person: Person) -> Answer:
        """A lot was put into a channel."""
        ...

    def console(self, machine: str, line: str, person: Person) -> Answer:
        """Send one line of G-code to a machine without an order; for the qualified."""
        ...

    def resolve(self, order: str, outcome: Outcome, person: Person) -> Answer:
        """A person settles an order whose end is unknown."""
        ...

    def retry(self, operation: str, person: Person) -> Answer:
        """Let an operation that used up its attempts be tried again."""
        ...

    def release(self, machine: str, person: Person) -> Answer:
        """Trust a quarantined machine again."""
        ...

    def stop(self, machine: str, who: str) -> Answer:
        """Emergency stop: straight to the machine's wire; never waits for the database."""
        ...
