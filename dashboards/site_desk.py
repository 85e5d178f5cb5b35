"""The desk of a real site: the pages' wishes put to the controller's verbs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from controller import console, execution
from controller.adapters.clock import Clock
from controller.adapters.notify import PostState
from controller.adapters.store import Tx
from controller.app import Site
from controller.commands import Asker
from controller.joints.changeovers import House
from controller.needs import Line
from controller.telemetry import SinkState
from controller.values import Need, NeedRequest, Refused
from dashboards.desk import Answer, Outcome, Person, Workings
from dashboards.qualified import Qualified, check, nobody

T = TypeVar("T")


class SiteDesk:
    """A ``Desk`` over a ``Site``."""

    leads = True

    def __init__(
        self,
        site: Site,
        posts: Callable[[], list[PostState]] = list,
        qualified: Qualified = nobody,
        house: House | None = None,
        sign: Callable[[bytes], str] | None = None,
    ) -> None:
        self.sign = sign
        self.house = house or House()
        self._site = site
        self._posts = posts
        self._qualified = qualified

    @property
    def name(self) -> str:
        """The site's name."""
        return self._site.config.name

    @property
    def clock(self) -> Clock:
        """The floor's clock."""
        return self._site.clock

    def read(self) -> AbstractContextManager[Tx]:
        """A short, consistent view of the store."""
        return self._site.read()

    def submit(self, run: Callable[[Tx], T]) -> T:
        """Run a function on the writer inside a transaction; its result once committed."""
        return self._site.submit(run)

    def follow(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` after each change; return what ends that."""
        changes = self._site.changes
        # the pages read the store again, so the queue of changes is only emptied
        subscription = changes.subscribe(lambda: (subscription.take(0), wake())[1])
        return lambda: changes.unsubscribe(subscription)

    def dropped(self) -> int:
        """Readings and changes dropped because a queue was full, or refused by the registry."""
        readings = self._site.readings
        dropped = readings.dropped + readings.refused + self._site.changes.count()[1]
        return dropped + self.influx().dropped

    def workings(self) -> Workings:
        """How the process behind the floor goes; reads no database."""
        writer, readings = self._site.writer, self._site.readings
        return Workings(
            queue_items=writer.depth(),
            commits=writer.commits,
            failures=writer.failures,
            store_failing=bool(writer.store_error),
            readings=readings.taken,
            readings_refused=readings.refused,
            readings_lost=readings.lost,
            readings_clamped=readings.clamped,
            readings_dropped=readings.dropped,
            changes_dropped=self._site.changes.count()[1],
            posts=tuple(self._posts()),
        )

    def influx(self) -> SinkState:
        """How the copy of telemetry goes."""
        sink = self._site.sink
        return sink.state() if sink is not None else SinkState("off")

    def state_needs(
        self, needs: list[NeedRequest], *, all_or_nothing: bool = False
    ) -> list[Need | Exception]:
        """State needs; the answer to each in order, or Refused for all when asked so."""
        lines = self._site.state_needs(needs, all_or_nothing=all_or_nothing)
        return [_answer(line) for line in lines]

    def clear(self, machine: str, outcome: Outcome, person: Person) -> Answer:
        """The machine's bed is clear; what became of its last order."""
        order = self._site.confirm_clear(machine, outcome.result, outcome.pieces, _asker(person))
        return Answer(person.key, "done", f"{order.id} is {outcome.result}" if order else "")

    def control(self, machine: str, do: str, person: Person) -> Answer:
        """Pause, resume or cancel."""
        return Answer(self._site.command(machine, do, _asker(person)).id, "sent")

    def load(self, machine: str, ch: int, lot: str, person: Person) -> Answer:
        """A lot was put into a channel."""
        sent = self._site.command(machine, "load", _asker(person), ch, lot)
        return Answer(sent.id, "sent")

    def console(self, machine: str, line: str, person: Person) -> Answer:
        """Send one line to a machine without an order."""
        check(self._qualified, machine, person.who)
        asker = _asker(person)
        sent = self._site.give(
            machine,
            "console",
            asker,
            {"line": line},
            lambda tx: console.admit(tx, machine, line, person.who),
        )
        return Answer(sent.id, "sent")

    def resolve(self, order: str, outcome: Outcome, person: Person) -> Answer:
        """A person settles an order whose end is unknown."""
        ended = self._site.resolve(order, outcome.result, person.who)
        return Answer(person.key, "done", f"{ended.id} is {outcome.result}")

    def retry(self, operation: str, person: Person) -> Answer:
        """Let an operation that used up its attempts be tried again."""
        self._site.submit(lambda tx: execution.retry(tx, operation, person.who))
        return Answer(person.key, "done")

    def release(self, machine: str, person: Person) -> Answer:
        """Trust a quarantined machine again."""
        self._site.submit(lambda tx: execution.release_machine(tx, machine, person.who))
        return Answer(person.key, "done")

    def stop(self, machine: str, who: str) -> Answer:
        """Emergency stop: straight to the machine's wire; never waits for the database."""
        if self._site.stop(machine, who):
            return Answer("", "sent")
        raise Refused("unreachable", "machine", f"{machine} cannot be reached: use its own switch")


def _asker(person: Person) -> Asker:
    return Asker(person.who, person.key, person.saw)


def _answer(line: Line) -> Need | Exception:
    answer = line.need or line.refused
    assert answer is not None  # a line has one or the other
    return answer
