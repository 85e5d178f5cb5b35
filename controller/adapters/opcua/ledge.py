"""Where a look at a cell meets the store: one transaction turns it into events and a plan.

The order's journal is named ``{run of the cell's server}-{epoch}``; it lives in the site's inbox
only, so its numbers continue from what is committed there. The claim thus remembers the run it
was made in: an order that is not listed any more was lost when the run is another one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from controller.adapters import inboxed
from controller.adapters.opcua import condition, mapping
from controller.adapters.opcua.mapping import Difference, Held, Json, Known, Part, Seen
from controller.adapters.opcua.session import Wanted
from protocols import isa95
from protocols.orders import FINAL

Tx = Any
READY = "cell-ready:"  # + machine: "1" once its place was confirmed clear after the last start
_HEARD = {mapping.RUNNING: "running", mapping.HELD: "paused"}


class Site(inboxed.Site, Protocol):
    """What the adapter asks of the site besides."""

    def picks_differ(self, tx: Tx, order: str, found: Difference) -> None:
        """Keep that a cell took other pieces than planned, until a person has counted."""
        ...

    def errand(self, tx: Tx, machine: str) -> Any:
        """The errand a cell has, as a job order; None for none."""
        ...

    def errand_event(self, tx: Tx, machine: str, event: Json, run: str) -> None:
        """Take what a look in a run of the cell's server means for its errand."""
        ...

    def is_errand(self, order: str) -> bool:
        """Whether a job order's name is an errand's."""
        ...


class Plan(NamedTuple):
    """What to do at the cell once the transaction is committed; calls are (method, job id).

    done: jobs at their end whose order the site has closed, so that clearing loses no report.
    """

    claimed: str = ""
    call: tuple[str, str] | None = None
    wanted: Wanted | None = None
    stale: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()


class Ledge:
    """One machine's side of the store."""

    def __init__(self, site: Site, machine: str) -> None:
        self._site = site
        self.machine = machine
        self.software = "opc-ua"

    def observe(self, tx: Tx, seen: Seen, known_of: Callable[[str], Known]) -> Plan:
        """Take a look at the cell into the store; the plan that follows from it."""
        self._tell_state(tx, seen)
        held = self._held(tx, seen)
        offered = held is not None and held.state == "OFFERED"
        if held is not None and self._take(tx, held, seen, known_of(_job_id(held))):
            self._tell_state(tx, seen)
            held = self._held(tx, seen)
        stale, done = self._closed(tx, held, seen)
        if held is None:
            return Plan(stale=stale, done=done)
        job_id = _job_id(held)
        claimed = job_id if offered else ""
        known = Known(True) if claimed else known_of(job_id)
        method = mapping.next_call(held, seen, known)
        if not method:
            return Plan(claimed, stale=stale, done=done)
        wanted = self._wanted(tx, held) if method == "StoreAndStart" else None
        return Plan(claimed, (method, job_id), wanted, stale, done)

    def measure(self, seen: Seen, number: int) -> None:
        """Tell what a look measured, apart from events: it may be lost."""
        values = condition.measured(seen.condition)
        values.update(mapping.progress(seen))
        record: Json = {"v": 1, "bn": seen.run, "n": number, "tq": "none", "m": values}
        self._site.hear_telemetry(self.machine, record)

    def gone(self, tx: Tx, run: str) -> None:
        """The connection is lost: what a last will says of other machines."""
        self._site.hear_state(tx, self.machine, {**self._head(tx, run), "on": False})

    def barred(self, tx: Tx, words: str) -> None:
        """A person must change something before the cell can be reached."""
        tx.machines.change(self.machine, fault=words)
        tx.notice("attention", self.machine, f"{self.machine} cannot be reached: {words}")

    def warn(self, tx: Tx, words: str) -> None:
        """Something a person should look after soon."""
        tx.notice("attention", self.machine, f"{self.machine}: {words}")

    def answer(self, tx: Tx, answer: Json) -> None:
        """Answer a command."""
        self._site.answer_command(tx, self.machine, {"v": 1, **answer})

    def cleared(self, tx: Tx, seen: Seen, command: Json) -> None:
        """A person confirmed the place clear and the cell was told."""
        tx.site.put(READY + self.machine, "1")
        event = {"ty": "op", "who": command["who"], "act": "clear", "id": command["id"]}
        self._put(tx, seen.run, event)
        self._tell_state(tx, seen)

    def _take(self, tx: Tx, held: Held, seen: Seen, known: Known) -> bool:
        """Apply what the look means for the order; whether anything was applied."""
        events = mapping.derive(held, seen, known)
        for event in events:
            if event["ty"] == "started":
                tx.site.put(READY + self.machine, "0")
            if not self._put(tx, f"{held.run}-{held.ep}", event):
                return False
            if event["ty"] == "finished" and event["ok"]:
                self._compare(tx, held, seen)
        return bool(events)

    def _compare(self, tx: Tx, held: Held, seen: Seen) -> None:
        """What the cell says it took, against what it was planned to take."""
        job = seen.jobs.get(_job_id(held))
        planned = self._wanted(tx, held).requirements
        for found in mapping.differences(planned, job) if job else ():
            self._site.picks_differ(tx, held.order, found)

    def _put(self, tx: Tx, journal: str, event: Json) -> bool:
        return inboxed.put(self._site, tx, self.machine, journal, event)

    def _held(self, tx: Tx, seen: Seen) -> Held | None:
        order = tx.orders.open_on(self.machine)
        if order is None:
            return None
        run = order.claim_jid.rpartition("-")[0] if order.claim_jid else seen.run
        materials: list[Json] = tx.operations.get(order.operation).materials
        parts = tuple(_part(tx, lot, materials) for lot in order.lots)
        return Held(
            order=order.id,
            ep=order.ep,
            state=order.state,
            run=run,
            begun=order.started_at is not None,
            stop_asked=order.stop_asked_by is not None,
            sha=order.program_sha or "0" * 64,
            parts=parts,
            counted=inboxed.counted(tx, self.machine, order.claim_jid or "", parts),
        )

    def _wanted(self, tx: Tx, held: Held) -> Wanted:
        order = tx.orders.get(held.order)
        operation = tx.operations.get(order.operation)
        needs: dict[str, int] = {}
        for part in held.parts:
            needs[part.lot] = needs.get(part.lot, 0) + part.pieces
        for before, pieces in tx.operations.inputs(operation.id):
            lot = f"p-{before}"
            needs[lot] = needs.get(lot, 0) + pieces
        return Wanted(
            job_id=_job_id(held),
            label=order.label,
            work_master=operation.work_master or operation.step,
            planned_ms=operation.duration_s * 1000,
            requirements=tuple(sorted(needs.items())),
        )

    def _closed(
        self, tx: Tx, held: Held | None, seen: Seen
    ) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Listed jobs whose order the site has closed: calls that end them, ids of those ended."""
        calls: list[tuple[str, str]] = []
        done: list[str] = []
        for job_id, job in seen.jobs.items():
            parsed = isa95.parse_job_id(job_id)
            order = tx.orders.get(parsed[0]) if parsed else None
            if parsed is None or order is None or order.machine != self.machine:
                continue
            if order.ep == parsed[1] and order.state not in (*FINAL, "UNKNOWN"):
                continue
            if job.state.number in isa95.FINAL:
                done.append(job_id)
            elif order.state != "UNKNOWN":
                calls.append((mapping.stale_call(job), job_id))
        return tuple(calls), tuple(done)

    def _tell_state(self, tx: Tx, seen: Seen) -> None:
        held = self._held(tx, seen)
        look = mapping.look_of(held, seen) if held else ""
        numbers = [job.state.number for job in seen.jobs.values()]
        state: Json = {
            **self._head(tx, seen.run),
            "on": True,
            "st": _machine_state(seen, numbers),
            "ready": tx.site.get(READY + self.machine) == "1"
            and not condition.blocking(seen.condition),
        }
        need = _need(seen, state["ready"])
        if need:
            state["need"] = need
        if held is not None:
            word = _HEARD.get(look, "claimed") if held.begun else "claimed"
            job = seen.jobs.get(_job_id(held))
            if held.state != "OFFERED" and look not in (mapping.LOST, mapping.ENDED):
                ppm = mapping.done_ppm(held, job)
                order = {"order": held.order, "ep": held.ep, "st": word, "done_ppm": ppm}
                state["order"] = order
        self._site.hear_state(tx, self.machine, state)

    def _head(self, tx: Tx, run: str) -> Json:
        head = {"v": 1, "bn": run, "jid": run, "st": "off", "ready": False, "fw": self.software}
        return {**head, "t": tx.now_ms, "tq": "synced"}


def _job_id(held: Held) -> str:
    return isa95.format_job_id(held.order, held.ep)


def _part(tx: Tx, lot: Json, materials: list[Json]) -> Part:
    found = tx.lots.get(lot["lot"])
    unit = found.unit_mg_per_piece if found else 0
    ch: int = lot["ch"]
    material: Json = materials[ch] if ch < len(materials) else {}
    pieces: int = material.get("pieces") or 1
    return Part(ch, lot["lot"], lot.get("piece_mg") or unit or 0, pieces)


def _machine_state(seen: Seen, numbers: list[int]) -> str:
    decided = condition.machine_state(seen.condition)
    if decided:
        return decided
    if isa95.INTERRUPTED in numbers:
        return "paused"
    return "busy" if isa95.RUNNING in numbers else "idle"


def _need(seen: Seen, ready: bool) -> str:
    blocked = condition.blocking(seen.condition)
    if blocked:
        return blocked
    at_work = any(0 < j.state.number <= isa95.INTERRUPTED for j in seen.jobs.values())
    return "" if ready or at_work else "confirm that its place is clear"
