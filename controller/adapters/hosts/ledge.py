"""Where a reading of a machine meets the store: one transaction turns it into events and a plan.

Durable beside the orders, in the site's own values: whether the bed was confirmed clear since the
last motion, which start was asked (written before it is), and the newest job the machine told of
when it was cleared. Each order's journal is named by its epoch and lives in the site's inbox.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from controller.adapters import inboxed
from controller.adapters.hosts import mapping
from controller.adapters.hosts.contract import (
    PAUSED,
    RUNNING,
    Kind,
    Reading,
    file_name,
    parse_name,
)
from controller.adapters.hosts.mapping import Asked, Held, Json, Known, Part
from controller.adapters.inboxed import Site
from protocols.orders import FINAL

Tx = Any
READY = "host-ready:"  # + machine: "1" once it was confirmed clear after the last motion
ASKED = "host-asked:"  # + machine: file name and life of the start asked last
MARK = "host-mark:"  # + machine: the newest job it told of when last cleared or used by us
BLIND_MS = 60_000  # floor time unseen after which a machine that keeps no history must be looked at
_WORDS = {RUNNING: "running", PAUSED: "paused"}


class Plan(NamedTuple):
    """What to do once the transaction is committed: a call for file ``name``, if it was looked for.

    closed: the file of an order that is over and may be removed.
    """

    name: str = ""
    call: str = ""
    program: Path | None = None
    claimed: bool = False
    closed: str = ""


class Ledge:
    """One machine's side of the store; ``boot`` names this life of the controller's adapter."""

    def __init__(self, site: Site, machine: str, kind: Kind, boot: str) -> None:
        self._site = site
        self.machine = machine
        self._kind = kind
        self._boot = boot
        self._count = 0
        self.software = kind.about

    def name(self, tx: Tx) -> str:
        """File name of the order in hand, "" for none."""
        order = tx.orders.open_on(self.machine)
        return self._name(order) if order is not None else ""

    def observe(
        self, tx: Tx, seen: Reading, looked_for: str, known_of: Callable[[str], Known]
    ) -> Plan:
        """Take a look at the machine into the store; the plan that follows from it.

        Nothing follows for an order whose file was not looked for.
        """
        self.software = seen.software or self.software
        self._keep_epoch(tx, seen)
        held = self._held(tx)
        self._see_strangers(tx, held, seen)
        self._tell_state(tx, held, seen)
        if held is not None and held.name != looked_for:
            return Plan(held.name)
        offered = held is not None and held.state == "OFFERED"
        if held is not None and self._take(tx, held, seen, known_of(held.name)):
            held = self._held(tx)
            self._tell_state(tx, held, seen)
        closed = self._closed(tx, held)
        if held is None:
            return Plan(closed=closed)
        call = mapping.next_call(held, seen, known_of(held.name))
        return Plan(held.name, call, self._program(tx, held), offered, closed)

    def ask(self, tx: Tx, name: str, run: str) -> bool:
        """Note durably that a start is about to be asked; False when it is not wanted any more."""
        held = self._held(tx)
        wanted = ("GRANTED", "IN_DOUBT")
        if held is None or held.name != name or held.stop_asked or held.state not in wanted:
            return False
        tx.site.put(READY + self.machine, "0")
        tx.site.put(ASKED + self.machine, f"{name} {run}")
        return True

    def forgotten(self, tx: Tx, name: str) -> None:
        """The file of a closed order is no longer at the machine."""
        if (tx.site.get(ASKED + self.machine) or "").startswith(name + " "):
            tx.site.put(ASKED + self.machine, "")

    def measure(self, seen: Reading) -> None:
        """Tell what a look measured, apart from events: it may be lost."""
        self._count += 1
        record: Json = {"v": 1, "bn": self._boot, "n": self._count, "tq": "none"}
        self._site.hear_telemetry(self.machine, {**record, "m": dict(seen.values)})

    def gone(self, tx: Tx) -> None:
        """The machine does not answer: what a last will says of other machines."""
        self._site.hear_state(tx, self.machine, {**self._head(tx), "on": False})

    def barred(self, tx: Tx, words: str) -> None:
        """A person must change something before the machine lets us in."""
        tx.machines.change(self.machine, fault=words)
        tx.notice("attention", self.machine, f"{self.machine} cannot be reached: {words}")

    def answer(self, tx: Tx, answer: Json) -> None:
        """Answer a command."""
        self._site.answer_command(tx, self.machine, {"v": 1, **answer})

    def cleared(self, tx: Tx, seen: Reading, command: Json) -> None:
        """A person confirmed the bed clear."""
        tx.site.put(READY + self.machine, "1")
        tx.site.put(MARK + self.machine, seen.mark)
        event = {"ty": "op", "who": command["who"], "act": "clear", "id": command["id"]}
        self._put(tx, f"clear-{self.machine}"[:32], event)
        self._tell_state(tx, self._held(tx), seen)

    def loaded(self, tx: Tx, command: Json) -> None:
        """A person put a lot into a channel, or took it out."""
        ch = command.get("ch", 0)
        verb, lot = command["do"], command.get("lot")
        before = tx.lots.loaded(self.machine, ch)
        if verb == "unload" and before is None:
            return
        event = {"ty": verb, "ch": ch, "lot": lot or (before.id if before else "")}
        held = self._held(tx)
        journal = _journal(held) if held is not None else f"clear-{self.machine}"[:32]
        self._put(tx, journal, event)

    def started_by_hand(self, tx: Tx) -> bool:
        """Whether the order in hand waits to be begun by a person."""
        held = self._held(tx)
        return held is not None and held.state in ("GRANTED", "IN_DOUBT") and not held.begun

    def _keep_epoch(self, tx: Tx, seen: Reading) -> None:
        """A machine that ran an epoch keeps it used, whatever became of this site's store."""
        names = (*seen.jobs, *seen.files)
        epochs = [found[1] for name in names if (found := parse_name(name)) is not None]
        if epochs and max(epochs) < 2**31 - 1:
            tx.site.raise_to("epoch", max(epochs))

    def _see_strangers(self, tx: Tx, held: Held | None, seen: Reading) -> None:
        """Somebody used the machine, or may have while nobody looked: it must be cleared again."""
        ready, mark = tx.site.get(READY + self.machine), tx.site.get(MARK + self.machine)
        own = held.name if held is not None else ""
        alive = [n for n, job in seen.jobs.items() if job.state in (RUNNING, PAUSED) and n != own]
        why = f"{alive[0]} runs on it, started by somebody there" if alive else ""
        if seen.mark and mark != seen.mark:
            tx.site.put(MARK + self.machine, seen.mark)
            why = why or ("somebody used it meanwhile" if mark is not None else "")
        last = tx.machines.get(self.machine).last_seen_at or 0
        if not seen.mark and tx.now_ms - last > BLIND_MS:
            why = why or "nobody saw it for a while and it keeps no history"
        if why and ready == "1":
            tx.site.put(READY + self.machine, "0")
            text = f"{self.machine} must be cleared again: {why}"
            tx.notice("attention", self.machine, text)

    def _take(self, tx: Tx, held: Held, seen: Reading, known: Known) -> bool:
        """Apply what the look means for the order; whether anything was applied."""
        events = mapping.derive(held, seen, known)
        for event in events:
            if event["ty"] == "started":
                tx.site.put(READY + self.machine, "0")
            if not self._put(tx, _journal(held), event):
                return False
        return bool(events)

    def _put(self, tx: Tx, journal: str, event: Json) -> bool:
        return inboxed.put(self._site, tx, self.machine, journal, event)

    def _name(self, order: Any) -> str:
        return file_name(order.id, order.ep, self._kind.suffix)

    def _held(self, tx: Tx) -> Held | None:
        order = tx.orders.open_on(self.machine)
        if order is None:
            return None
        materials: list[Json] = tx.operations.get(order.operation).materials
        parts = tuple(_part(tx, lot, materials) for lot in order.lots)
        name, _, run = (tx.site.get(ASKED + self.machine) or "").partition(" ")
        return Held(
            order=order.id,
            ep=order.ep,
            state=order.state,
            name=self._name(order),
            begun=order.started_at is not None,
            stop_asked=order.stop_asked_by is not None,
            sha=order.program_sha or "0" * 64,
            done_ppm=order.done_ppm,
            parts=parts,
            counted=inboxed.counted(tx, self.machine, order.claim_jid or "", parts),
            asked=Asked(name, run) if name else None,
            cannot=self._cannot(tx, order),
        )

    def _cannot(self, tx: Tx, order: Any) -> str:
        program = tx.designs.program(order.program_sha) if order.program_sha else None
        if not self._kind.programs:
            return f"{self._kind.about} only reports: it takes no orders"
        if program is None:
            return "has no program, and this machine needs one"
        if program.kind not in self._kind.programs:
            return f"its program is {program.kind}, this machine takes {self._kind.programs[0]}"
        return "" if Path(program.path).is_file() else "its program is not in the store any more"

    def _program(self, tx: Tx, held: Held) -> Path | None:
        program = tx.designs.program(held.sha)
        return Path(program.path) if program is not None else None

    def _closed(self, tx: Tx, held: Held | None) -> str:
        name = (tx.site.get(ASKED + self.machine) or "").partition(" ")[0]
        if not name or (held is not None and held.name == name):
            return ""
        parsed = parse_name(name)
        order = tx.orders.get(parsed[0]) if parsed else None
        if order is None or order.state == "WITHDRAWN":
            return name
        return name if order.state in FINAL and order.settled_at is not None else ""

    def _tell_state(self, tx: Tx, held: Held | None, seen: Reading) -> None:
        ready = tx.site.get(READY + self.machine) == "1"
        fault = seen.fault and "fault"
        state: Json = {**self._head(tx), "on": True, "st": fault or seen.state, "ready": ready}
        need = mapping.words(self._need(held, seen, ready))[:80]
        if need:
            state["need"] = need
        if held is not None and held.state != "OFFERED":
            job = seen.jobs.get(held.name)
            word = _WORDS.get(job.state) if job is not None else None
            if word or not seen.blind:
                ppm = max(held.done_ppm, job.done_ppm) if job is not None else held.done_ppm
                order = {"order": held.order, "ep": held.ep, "st": word or "claimed"}
                if word or not held.begun:
                    state["order"] = {**order, "done_ppm": ppm}
        self._site.hear_state(tx, self.machine, state)
        if seen.fault:
            tx.machines.change(self.machine, fault=mapping.words(seen.fault))

    def _need(self, held: Held | None, seen: Reading, ready: bool) -> str:
        if seen.need:
            return seen.need
        if held is None and not ready:
            return mapping.unfit(seen) or "confirm that its bed is clear"
        return ""

    def _head(self, tx: Tx) -> Json:
        head = {"v": 1, "bn": self._boot, "jid": self._boot, "st": "off", "ready": False}
        return {**head, "fw": self.software[:40] or "-", "t": tx.now_ms, "tq": "synced"}


def _journal(held: Held) -> str:
    return f"h-{held.ep}"


def _part(tx: Tx, lot: Json, materials: list[Json]) -> Part:
    found = tx.lots.get(lot["lot"])
    ch: int = lot["ch"]
    material: Json = materials[ch] if ch < len(materials) else {}
    piece_mg = lot.get("piece_mg") or (found.unit_mg_per_piece if found else 0) or 0
    pieces: int = material.get("pieces") or (1 if piece_mg else 0)
    planned = material.get("mass_mg") or piece_mg * pieces
    ug_per_m = lot.get("ug_per_m") or (found.ug_per_m if found else 0) or 0
    return Part(ch, lot["lot"], ug_per_m, planned, piece_mg if pieces else 0)
