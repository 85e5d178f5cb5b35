"""``Tx``: one open transaction as the activities see it. They never see SQLAlchemy."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from controller.adapters.store import prepared
from controller.adapters.store.commons import MemberRoom, RoundRoom
from controller.adapters.store.enrol import EnrolRoom
from controller.adapters.store.inbox import DeadLetterRoom, InboxRoom, NoticeRoom, SiteRoom
from controller.adapters.store.leader import LeaderRoom
from controller.adapters.store.lots import LedgerRoom, LotRoom
from controller.adapters.store.machines import CommandRoom, MachineRoom
from controller.adapters.store.needs import CommunityRoom, DesignRoom, NeedRoom
from controller.adapters.store.orders import OperationRoom, OrderRoom
from controller.adapters.store.peers import PeerRoom
from controller.adapters.store.people import PeopleRoom
from controller.adapters.store.plans import PlanRoom
from controller.adapters.store.routes import RouteRoom
from controller.adapters.store.telemetry import TelemetryRoom
from controller.adapters.store.upkeep import UpkeepRoom
from controller.values import Json, Notice, StoreFailed


@dataclass(slots=True)
class Effects:
    """What must happen once the transaction is committed."""

    touched: set[str] = field(default_factory=set[str])
    wants: dict[str, Json] = field(default_factory=dict[str, Json])
    acks: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    commands: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    notices: list[Notice] = field(default_factory=list[Notice])
    resend: set[str] = field(default_factory=set[str])
    replan: bool = False

    def copy(self) -> "Effects":
        """The same effects, changing apart from these."""
        return Effects(
            set(self.touched),
            dict(self.wants),
            dict(self.acks),
            list(self.commands),
            list(self.notices),
            set(self.resend),
            self.replan,
        )


class Tx:
    """Rooms of the store inside one transaction that began at ``now_ms`` (floor time).

    ``effects`` collects what must happen after the commit; a savepoint undone takes its effects
    back.
    """

    def __init__(self, conn: Connection, now_ms: int) -> None:
        self._conn = conn
        self.now_ms = now_ms
        self.site = SiteRoom(conn)
        self.communities = CommunityRoom(conn)
        self.designs = DesignRoom(conn)
        self.needs = NeedRoom(conn)
        self.members = MemberRoom(conn)
        self.rounds = RoundRoom(conn)
        self.peers = PeerRoom(conn)
        self.people = PeopleRoom(conn)
        self.operations = OperationRoom(conn)
        self.orders = OrderRoom(conn)
        self.machines = MachineRoom(conn)
        self.commands = CommandRoom(conn)
        self.lots = LotRoom(conn)
        self.ledger = LedgerRoom(conn)
        self.inbox = InboxRoom(conn)
        self.dead = DeadLetterRoom(conn)
        self.notice_room = NoticeRoom(conn)
        self.telemetry = TelemetryRoom(conn)
        self.upkeep = UpkeepRoom(conn)
        self.routes = RouteRoom(conn)
        self.plans = PlanRoom(conn)
        self.leader = LeaderRoom(conn)
        self.codes = EnrolRoom(conn)
        self.effects = Effects()
        self._depth = 0
        self._raw: Any = None

    def touch(self, machine: str) -> None:
        """Say that a machine's desired document may have changed."""
        self.effects.touched.add(machine)

    def notice(self, kind: str, subject: str, text: str) -> None:
        """Tell people: store a notice and hand it to the live feed after the commit."""
        self.effects.notices.append(self.notice_room.add(self.now_ms, kind, subject, text))

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Undo everything of the block when it raises; the transaction goes on.

        Raises StoreFailed when the database failed, not what was written: the transaction is over.
        """
        before = self.effects.copy()
        try:
            with self._nested():
                yield
        except (InterfaceError, InternalError, OperationalError) as error:
            raise StoreFailed(_first_words(error)) from error
        except BaseException:
            self.effects = before
            raise

    @contextmanager
    def _nested(self) -> Generator[None]:
        """SAVEPOINT by hand: SQLAlchemy's own takes longer than an event."""
        self._depth += 1
        name, raw = f"s{self._depth}", self._driver()
        prepared.say(self._conn, raw, f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            prepared.say(self._conn, raw, f"ROLLBACK TO SAVEPOINT {name}")
            raise
        finally:
            self._depth -= 1
        prepared.say(self._conn, raw, f"RELEASE SAVEPOINT {name}")

    def _driver(self) -> Any:
        """The driver's own connection under this transaction."""
        if self._raw is None:
            self._raw = prepared.driver(self._conn)
        return self._raw


def _first_words(error: BaseException) -> str:
    """What went wrong first: undoing a transaction that is gone fails too."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)
