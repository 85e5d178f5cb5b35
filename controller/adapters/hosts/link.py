"""The link to machines with a program of their own: one thread per machine, one endless visit.

A visit looks, tells the site, does what follows, and waits for a change. It never decides from
memory: after any failure it looks again. A machine that hangs holds up its own visit only, and an
emergency stop goes past the visit.
"""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from controller.adapters.hosts.contract import (
    PAUSED,
    RUNNING,
    WAITING,
    Adapter,
    Kind,
    Lost,
    Reading,
    Refusal,
    Settings,
)
from controller.adapters.hosts.ledge import Ledge, Plan, Site
from controller.adapters.hosts.mapping import Json, Known, words

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MAX_COMMANDS = 16


class Pace(NamedTuple):
    """Real seconds. settle: how long a start whose answer was lost may still be carried out."""

    poll_s: float = 2.0
    settle_s: float = 15.0
    retry_min_s: float = 0.5
    retry_max_s: float = 15.0


class Visit:
    """One machine; everything but ``poke``, ``command`` and ``halt`` on its own thread."""

    def __init__(self, site: Site, machine: str, kind: Kind, pace: Pace) -> None:
        self._site = site
        self._kind = kind
        self._pace = pace
        self.ledge = Ledge(site, machine, kind, f"a{secrets.token_hex(6)}")
        self._commands: deque[Json] = deque()
        self._closing = threading.Event()
        self._changed = threading.Event()
        self._begun_s = time.monotonic()
        self._fresh = ""  # claimed in this life; no start of it was ever asked
        self._lost: tuple[str, float] = ("", 0.0)  # asked: until when it may be carried out
        self._refused: tuple[str, str, bool] = ("", "", False)
        self._name: str | None = None
        self._forget_s = 0.0  # when the file of a closed order may be removed
        self._seen: Reading | None = None
        self.adapter: Adapter | None = None
        self.connected = False
        self.trouble = "not asked yet"

    def poke(self) -> None:
        """Look again soon."""
        self._changed.set()

    def command(self, document: Json) -> None:
        """Queue a person's command; the oldest unanswered ones beyond the bound are dropped."""
        self._commands.append(document)
        while len(self._commands) > _MAX_COMMANDS:
            self._commands.popleft()
        self._changed.set()

    def close(self) -> None:
        """End the visit at its next turn."""
        self._closing.set()
        self._changed.set()

    def run(self, settings: Settings) -> None:
        """Visit the machine until closed."""
        adapter = self.adapter = self._kind.open(settings)
        wait_s = self._pace.retry_min_s
        while not self._closing.is_set():
            try:
                self._round(adapter)
                wait_s = self._pace.retry_min_s
                continue
            except (Lost, Refusal) as error:
                self._tell(adapter, error)
            except Exception:  # noqa: BLE001  # top loop: a defect must not leave the machine alone
                _log.exception("%s: the visit failed", self.ledge.machine)
            self._closing.wait(wait_s)
            wait_s = min(2 * wait_s, self._pace.retry_max_s)
        adapter.close()

    def _tell(self, adapter: Adapter, error: Lost | Refusal) -> None:
        adapter.close()
        before, self.trouble = self.trouble, str(error) or type(error).__name__
        was, self.connected = self.connected, False
        if was:
            _log.warning("%s: %s", self.ledge.machine, self.trouble)
            self._submit(self.ledge.gone)
        if isinstance(error, Refusal) and self.trouble != before:
            self._submit(lambda tx: self.ledge.barred(tx, words(self.trouble)))

    def _submit(self, run: Callable[[Any], T]) -> T | None:
        """Run on the site's writer; None when that failed: the next look tells it again."""
        try:
            return self._site.submit(run)
        except Exception:  # noqa: BLE001  # whatever the site objects to must not end the visit
            if not self._closing.is_set():
                _log.exception("%s: the site did not take a report", self.ledge.machine)
                self._closing.wait(self._pace.poll_s)
            return None

    def _round(self, adapter: Adapter) -> None:
        self._changed.clear()
        name = self._name
        if name is None:
            name = self._submit(self.ledge.name) or ""
        seen = self._seen = adapter.look(name)
        self.connected, self.trouble = True, ""
        self.ledge.measure(seen)
        plan = self._submit(lambda tx: self.ledge.observe(tx, seen, name, self._known))
        acted = False
        if plan is not None:
            self._name = plan.name
            if plan.claimed:
                self._fresh = plan.name
            acted = plan.name != name or self._act(adapter, plan, seen)
        while self._commands and not self._closing.is_set():
            self._obey(adapter, self._commands.popleft())
            acted = True
        if not acted and not self._changed.is_set():
            self._rest(adapter)

    def _rest(self, adapter: Adapter) -> None:
        """Wait for a change there or here; here it is noticed within a fifth of a poll."""
        end = time.monotonic() + self._pace.poll_s
        while not self._changed.is_set() and (left := end - time.monotonic()) > 0:
            if adapter.wait(min(left, self._pace.poll_s / 5)):
                return

    def _known(self, name: str) -> Known:
        settled_s = self._lost[1] if self._lost[0] == name else self._begun_s + self._pace.settle_s
        sure = name == self._fresh or time.monotonic() >= settled_s
        refused, why, proven = self._refused
        return Known(sure, why, proven) if refused == name else Known(sure)

    def _act(self, adapter: Adapter, plan: Plan, seen: Reading) -> bool:
        if plan.closed and self._seen is seen:
            self._forget(adapter, plan.closed)
        if plan.call == "start":
            return self._start(adapter, plan, seen)
        if plan.call == "cancel":
            self._do_verb(adapter, "cancel", plan.name)
        return False

    def _forget(self, adapter: Adapter, name: str) -> None:
        """Remove a closed order's file; one that is still in use is tried again after a while."""
        if time.monotonic() < self._forget_s:
            return
        try:
            adapter.forget(name)
            self._submit(lambda tx: self.ledge.forgotten(tx, name))
        except Refusal as refusal:
            if refusal.barred:
                raise
            self._forget_s = time.monotonic() + 15 * self._pace.poll_s

    def _start(self, adapter: Adapter, plan: Plan, seen: Reading) -> bool:
        """Bring the program there; note durably that it is asked to start; ask it."""
        name, program = plan.name, plan.program
        if program is None:
            return False
        waits = name in seen.jobs and seen.jobs[name].state == WAITING
        by_hand = "start" not in self._kind.verbs
        if by_hand and waits:
            return False
        first = name == self._fresh
        try:
            adapter.put(name, program)
            if not self._submit(lambda tx: self.ledge.ask(tx, name, seen.run)) or by_hand:
                return True
            self._fresh, self._lost = "", (name, time.monotonic() + self._pace.settle_s)
            adapter.start(name)
        except Refusal as refusal:
            if refusal.barred:
                raise
            self._refused = (name, str(refusal), first)
            self._lost = (name, time.monotonic())
        return True

    def _do_verb(self, adapter: Adapter, verb: str, name: str) -> tuple[str, str]:
        job = self._seen.jobs.get(name) if self._seen else None
        if verb not in self._kind.verbs:
            return "refused", f"do it at the machine: {self._kind.about} cannot {verb} it from here"
        if job is None or job.state not in (RUNNING, PAUSED):
            return "refused", "the machine has no job in hand"
        try:
            adapter.act(verb, name, job)
        except Refusal as refusal:
            if refusal.barred:
                raise
            return "refused", str(refusal)
        return "done", ""

    def _obey(self, adapter: Adapter, command: Json) -> None:
        try:
            code, message = self._do(adapter, command)
        except (Lost, Refusal) as error:
            code, message = "refused", f"not sure that it was done: {error}"
            self._answer(command, code, message)
            raise
        self._answer(command, code, message)

    def _answer(self, command: Json, code: str, message: str) -> None:
        answer = {"id": command["id"], "ok": code == "done", "code": code}
        if message:
            answer["msg"] = words(message)
        self._submit(lambda tx: self.ledge.answer(tx, answer))

    def _do(self, adapter: Adapter, command: Json) -> tuple[str, str]:
        verb = command["do"]
        if verb == "hello":
            return "done", ""
        if verb in ("load", "unload"):
            self._submit(lambda tx: self.ledge.loaded(tx, command))
            return "done", ""
        seen = self._seen = adapter.look(self._name or "")
        if verb == "clear":
            return self._clear(adapter, seen, command)
        name = self._name or ""
        waits = name in seen.jobs and seen.jobs[name].state == WAITING
        if verb == "resume" and waits and "start" not in self._kind.verbs:
            adapter.start(name)  # a person says that it was started
            return "done", ""
        if verb in ("pause", "resume", "cancel"):
            if not name:  # a job of somebody else's may be stopped from here too
                names = [n for n, job in seen.jobs.items() if job.state in (RUNNING, PAUSED)]
                name = names[0] if names else ""
            return self._do_verb(adapter, verb, name)
        return "unknown", f"{self._kind.about} does not know {verb}"

    def _clear(self, adapter: Adapter, seen: Reading, command: Json) -> tuple[str, str]:
        running = [n for n, job in sorted(seen.jobs.items()) if job.state in (RUNNING, PAUSED)]
        if running and not self._kind.by_word:
            return "refused", f"it runs {running[0]}"
        for name in running:
            adapter.forget(name)
        if running:
            seen = adapter.look("")
        self._submit(lambda tx: self.ledge.cleared(tx, seen, command))
        return "done", ""

    def halt(self, command: Json) -> None:
        """Emergency stop on a thread of its own: whatever the visit waits for, it does not wait."""
        adapter = self.adapter
        code, message = "unknown", f"{self._kind.about} cannot be stopped from here: use its switch"
        if adapter is not None and "stop" in self._kind.verbs:
            try:
                adapter.stop()
                code, message = "done", ""
            except (Lost, Refusal) as error:
                code, message = "refused", f"not sure that it stopped: {error}"
        self._answer(command, code, message)


class HostsLink:
    """All such machines of a site. ``add`` begins to visit one."""

    def __init__(self, site: Site, pace: Pace | None = None) -> None:
        self._site = site
        self._pace = pace or Pace()
        self._visits: dict[str, Visit] = {}
        self._threads: dict[str, threading.Thread] = {}

    def add(self, machine: str, kind: Kind, settings: Settings) -> None:
        """Visit one more machine."""
        visit = self._visits[machine] = Visit(self._site, machine, kind, self._pace)
        thread = threading.Thread(
            target=visit.run, args=(settings,), name=f"host-{machine}", daemon=True
        )
        self._threads[machine] = thread
        thread.start()

    def want(self, machine: str, document: Json) -> None:
        """The desired document changed; the visit reads it from the store itself."""
        visit = self._visits.get(machine)
        if visit is not None:
            visit.poke()

    def acknowledge(self, machine: str, document: Json) -> None:
        """Nothing to trim: such a machine's journal lives in the site's inbox."""

    def command(self, machine: str, document: Json) -> bool:
        """Hand a person's command to the visit; False while the machine is not connected."""
        visit = self._visits.get(machine)
        if visit is None or not visit.connected:
            return False
        if document["do"] == "stop":
            threading.Thread(target=visit.halt, args=(document,), daemon=True).start()
        else:
            visit.command(document)
        return True

    def trouble(self, machine: str) -> str:
        """Why a machine is not connected, in words; "" when it is."""
        visit = self._visits.get(machine)
        return visit.trouble if visit else "not configured"

    def close(self) -> None:
        """Leave every machine; a visit in a call is left to end by itself."""
        for visit in self._visits.values():
            visit.close()
        for thread in self._threads.values():
            thread.join(3.0)
        self._threads = {}
