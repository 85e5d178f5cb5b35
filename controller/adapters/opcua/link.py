"""The link to robotic cells: one thread, one asyncio loop, one endless visit per cell.

A visit looks, tells the site, does what follows, and waits for a change. It never decides from
memory: after any failure it connects again, finds every node again and looks again. The writer
of the site never waits for a cell; a cell that hangs holds up its own visit only.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from controller.adapters.opcua import condition, mapping
from controller.adapters.opcua.connect import LOST, Access
from controller.adapters.opcua.discovery import NotACell
from controller.adapters.opcua.errands import Errands
from controller.adapters.opcua.ledge import Ledge, Plan, Site
from controller.adapters.opcua.mapping import Json, Known, Seen
from controller.adapters.opcua.security import NotTrusted
from controller.adapters.opcua.session import CellSession, Wanted
from protocols import isa95

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MAX_COMMANDS = 16
_METHODS = {"pause": "Pause", "resume": "Resume", "cancel": "Stop", "stop": "Abort"}


class Pace(NamedTuple):
    """Real seconds. settle: how long a call whose answer was lost may still be carried out."""

    poll_s: float = 2.0
    settle_s: float = 10.0
    open_s: float = 60.0
    retry_min_s: float = 0.5
    retry_max_s: float = 15.0


class Visit:
    """One cell: connects for ever, looks, acts. All but ``poke`` and ``command`` on the loop."""

    def __init__(self, ledge: Ledge, errands: Errands, access: Access, pace: Pace) -> None:
        self.ledge = ledge
        self._errands = errands
        self._access = access
        self._pace = pace
        self._changed = asyncio.Event()
        self._commands: deque[Json] = deque()
        self._fresh: set[str] = set()  # claimed in this life and not yet sent
        self._lost: dict[str, float] = {}  # answer lost: until when the call may be carried out
        self._life_s = time.monotonic()
        self._refused = ("", "")
        self._seen: Seen | None = None
        self._looks = 0
        self._measure_s = 0.0
        self.connected = False
        self.trouble = ""

    def poke(self) -> None:
        """Look again soon."""
        self._changed.set()

    def command(self, document: Json) -> None:
        """Queue a person's command; the oldest unanswered ones beyond the bound are dropped."""
        self._commands.append(document)
        while len(self._commands) > _MAX_COMMANDS:
            self._commands.popleft()
        self._changed.set()

    async def run(self, site: Site) -> None:
        """Visit the cell until cancelled."""
        wait_s = self._pace.retry_min_s
        while True:
            try:
                opening = CellSession.open(self._access, self._changed.set)
                session = await asyncio.wait_for(opening, self._pace.open_s)
            except (*LOST, NotACell, NotTrusted) as error:
                await self._tell(site, error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, self._pace.retry_max_s)
                continue
            wait_s = self._pace.retry_min_s
            await self._stay(site, session)
            await asyncio.sleep(wait_s)

    async def _tell(self, site: Site, error: Exception) -> None:
        """Keep why there is no connection; what only a person can change is said to people."""
        before, self.trouble = self.trouble, f"{type(error).__name__}: {error}"
        if not isinstance(error, LOST) and self.trouble != before:
            words = str(error)
            await self._submit(site, lambda tx: self.ledge.barred(tx, words))

    async def _stay(self, site: Site, session: CellSession) -> None:
        self.connected, self.trouble = True, ""
        self.ledge.software = session.plate.get("SoftwareRevision", "") or "opc-ua"
        for warning in session.warnings:
            await self._submit(site, lambda tx, text=warning: self.ledge.warn(tx, text))
        try:
            while not session.outdated:
                await self._round(site, session)
        except LOST as error:
            self.trouble = f"{type(error).__name__}: {error}"
            _log.warning("%s: connection lost: %s", self.ledge.machine, self.trouble)
        finally:
            self.connected = False
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(session.close(), self._access.request_s)
            if self.trouble:  # else its certificates were changed and it is back at once
                await self._submit(site, lambda tx: self.ledge.gone(tx, session.run))

    async def _submit(self, site: Site, run: Callable[[Any], T]) -> T | None:
        """Run on the site's writer; None when that failed: the next look tells it again."""
        try:
            return await asyncio.to_thread(site.submit, run)
        except Exception:  # noqa: BLE001  # whatever the site objects to must not end the visit
            _log.exception("%s: the site did not take a report", self.ledge.machine)
            await asyncio.sleep(self._pace.poll_s)
            return None

    async def _round(self, site: Site, session: CellSession) -> None:
        self._changed.clear()
        seen = self._seen = await self._look(session)
        self._measure(seen)
        plan = await self._submit(site, lambda tx: self.ledge.observe(tx, seen, self._known))
        acted = plan is not None and await self._act(session, plan)
        if not acted:
            acted = await self._run_errand(site, session, seen)
        while self._commands:
            await self._obey(site, session, self._commands.popleft())
            acted = True
        if not acted:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._pace.poll_s)

    async def _run_errand(self, site: Site, session: CellSession, seen: Seen) -> bool:
        plan = await self._submit(site, lambda tx: self._errands.observe(tx, seen, self._known))
        return plan is not None and await self._act(session, plan)

    def _measure(self, seen: Seen) -> None:
        """Telemetry of a look, at most once a poll."""
        if time.monotonic() >= self._measure_s:
            self._measure_s = time.monotonic() + self._pace.poll_s
            self._looks += 1
            self.ledge.measure(seen, self._looks)

    async def _look(self, session: CellSession) -> Seen:
        seen = await session.look()
        foreign = [
            job
            for job_id, job in seen.jobs.items()
            if isa95.parse_job_id(job_id) is None and job.state.number not in isa95.FINAL
        ]
        blocked = condition.blocking(seen.condition)
        if blocked:
            return seen._replace(unfit=blocked)
        return seen._replace(unfit="busy with a job of its own") if foreign else seen

    def _known(self, job_id: str) -> Known:
        refused = self._refused[1] if self._refused[0] == job_id else ""
        sure = job_id in self._fresh or time.monotonic() >= self._settled_s(job_id)
        return Known(sure, refused)

    def _settled_s(self, job_id: str) -> float:
        """When no call for a job can be under way any more: a lost one, one of an earlier life."""
        return self._lost.get(job_id, self._life_s + self._pace.settle_s)

    async def _act(self, session: CellSession, plan: Plan) -> bool:
        for method, job_id in plan.stale:
            status = await session.call(method, job_id, "the site has closed this order")
            level = logging.DEBUG if method == "Clear" else logging.WARNING
            words = isa95.explain(status)
            _log.log(level, "%s: %s of %s: %s", self.ledge.machine, method, job_id, words)
        if plan.claimed:
            self._fresh = {plan.claimed}
        if plan.call is None:
            return False
        method, job_id = plan.call
        if plan.wanted is None:
            status = await session.call(method, job_id, "asked by the site")
        else:
            status = await self._send(session, plan.wanted)
        if status & isa95.DONE:
            return True
        self._refused = (job_id, f"{method}: {isa95.explain(status)}")
        await asyncio.sleep(self._pace.retry_min_s)
        return True

    async def _send(self, session: CellSession, wanted: Wanted) -> int:
        """Hand an order over; while its answer is out, it counts as lost."""
        self._fresh.discard(wanted.job_id)
        self._lost = {wanted.job_id: time.monotonic() + self._pace.settle_s}
        status = await session.store_and_start(wanted)
        self._lost = {}
        return status

    async def _obey(self, site: Site, session: CellSession, command: Json) -> None:
        code, message = await self._do(site, session, command)
        answer = {"id": command["id"], "ok": code == "done", "code": code}
        if message:
            answer["msg"] = mapping.words(message)
        await self._submit(site, lambda tx: self.ledge.answer(tx, answer))

    async def _do(self, site: Site, session: CellSession, command: Json) -> tuple[str, str]:
        verb = command["do"]
        if command.get("bn", session.run) != session.run:
            return "stale", "the cell was restarted since"
        if verb == "hello":
            return "done", ""
        if verb == "clear":
            return await self._clear(site, session, command)
        if verb not in _METHODS:
            return "unknown", f"a cell does not know {verb}"
        at_work = [
            job_id
            for job_id, job in (self._seen.jobs if self._seen else {}).items()
            if job.state.number in (isa95.RUNNING, isa95.INTERRUPTED)
        ]
        if not at_work:
            return "refused", "the cell has no job in hand"
        status = await session.call(_METHODS[verb], at_work[0], f"asked by {command['who']}")
        ok = bool(status & isa95.DONE)
        return ("done", "") if ok else ("refused", isa95.explain(status))

    async def _clear(self, site: Site, session: CellSession, command: Json) -> tuple[str, str]:
        seen = await self._look(session)
        plan = await self._submit(site, lambda tx: self.ledge.observe(tx, seen, self._known))
        if plan is None:
            return "refused", "the site does not answer"
        for job_id in plan.done:
            status = await session.call("Clear", job_id, f"cleared by {command['who']}")
            if not status & isa95.DONE:
                return "refused", f"{job_id}: {isa95.explain(status)}"
        seen = await self._look(session)
        await self._submit(site, lambda tx: self.ledge.cleared(tx, seen, command))
        return "done", ""


class OpcuaLink:
    """All cells of a site. ``start`` once; ``add`` before or after."""

    def __init__(self, site: Site, pace: Pace | None = None) -> None:
        self._site = site
        self._pace = pace or Pace()
        self._visits: dict[str, Visit] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="opcua-link", daemon=True)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin to visit."""
        self._thread.start()

    def add(self, machine: str, access: Access) -> None:
        """Visit one more cell."""
        visit = Visit(Ledge(self._site, machine), Errands(self._site, machine), access, self._pace)
        self._visits[machine] = visit
        self._loop.call_soon_threadsafe(self._begin, machine, visit)

    def want(self, machine: str, document: Json) -> None:
        """The desired document changed; the visit reads it from the store itself."""
        self._poke(machine)

    def acknowledge(self, machine: str, document: Json) -> None:
        """Nothing to trim: a cell's journal lives in the site's inbox."""

    def command(self, machine: str, document: Json) -> bool:
        """Hand a person's command to the visit; False while the cell is not connected."""
        visit = self._visits.get(machine)
        if visit is None or not visit.connected:
            return False
        self._loop.call_soon_threadsafe(visit.command, document)
        return True

    def trouble(self, machine: str) -> str:
        """Why a cell is not connected, in words; "" when it is."""
        visit = self._visits.get(machine)
        return visit.trouble if visit else "not configured"

    def close(self) -> None:
        """Leave every cell and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10.0)

    def _poke(self, machine: str) -> None:
        visit = self._visits.get(machine)
        if visit is not None:
            self._loop.call_soon_threadsafe(visit.poke)

    def _begin(self, machine: str, visit: Visit) -> None:
        task = self._loop.create_task(visit.run(self._site), name=f"cell-{machine}")
        task.add_done_callback(lambda done: self._ended(machine, done))
        self._tasks[machine] = task

    def _ended(self, machine: str, task: asyncio.Task[None]) -> None:
        """A visit only ends by a defect or by closing; begin again after the longest pause."""
        if task.cancelled():
            return
        _log.error("%s: the visit failed", machine, exc_info=task.exception())
        self._loop.call_later(self._pace.retry_max_s, self._begin, machine, self._visits[machine])

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        gathered = asyncio.gather(*tasks, return_exceptions=True)
        self._loop.run_until_complete(gathered)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
