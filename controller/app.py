"""The site: joins the activities around one writer, and offers people's verbs to API and CLI."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from controller import commands, dispatching, execution, inbound, needs, planning, telemetry
from controller.adapters.clock import Clock, SystemClock
from controller.adapters.mqtt import Broker, Incoming, Listener, MqttLink
from controller.adapters.store import Store, Tx
from controller.changes import Change, Changes
from controller.commands import Asker
from controller.joints import handovers, stations
from controller.last import LAST_AT
from controller.leading import Leadership
from controller.links import HANDS, MachineLink
from controller.loops import Beat, Loop, Watch
from controller.needs import Line, Router
from controller.outlet import Outlet
from controller.picture import FloorPicture, FloorPlan
from controller.picturing import floor_picture
from controller.plain import accept_all, no_plan, no_router
from controller.values import (
    Command,
    JobOrder,
    Json,
    Need,
    NeedRequest,
)
from controller.writer import Hooks, Item, Writer
from protocols.errors import WireError
from protocols.messages import decode
from protocols.topics import parse_topic

T = TypeVar("T")
First = Callable[[Tx], None]
RUNS = 600  # newest runs that durations are learned from
TIDY_STEPS = 100  # pieces of upkeep at once at most


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """One site; waits are real seconds, whatever the floor's clock rate."""

    name: str
    store: Path | str
    broker: Broker | None = None
    programs_url: str = "http://127.0.0.1:8000/programs"
    silence_s: float = 60.0
    offer_s: float = 120.0
    plan_every_s: float = 2.0
    plan_rest_s: float = 0.1
    resend_s: float = 30.0
    tidy_every_s: float = 10.0
    keep: telemetry.Keep = telemetry.KEEP


@dataclass(frozen=True, slots=True)
class Parts:
    """What is handed in: clock, routing, sharing, planning, links by name, a copy of telemetry.

    reach: called with each fault point's name (tests). lead: None where one controller is alone.
    """

    clock: Clock = field(default_factory=SystemClock)
    router: Router = no_router
    sharer: Callable[[Tx], int] = accept_all
    planner: Callable[[FloorPicture], FloorPlan] = no_plan
    links: dict[str, MachineLink] = field(default_factory=dict[str, MachineLink])
    sink: telemetry.Sink | None = None
    reach: Callable[[str], None] | None = None
    lead: Leadership | None = None

    def may(self) -> bool:
        """Whether anything may leave for the machines."""
        return self.lead is None or self.lead.holds()


class Site:
    """One controller's floor. Verbs run on the writer and return once they are committed."""

    def __init__(self, config: SiteConfig, parts: Parts, store: Store) -> None:
        self.config = config
        self.clock = parts.clock
        self.changes = Changes()
        self.readings = telemetry.TelemetryBuffer(parts.clock.rate)
        self.outlet = Outlet(dict(parts.links), parts.may)
        self.watch = Watch(parts.clock)
        hooks = Hooks(self._before_commit, self._after_commit, parts.reach)
        self.writer = Writer(store, hooks)
        self.mqtt: MqttLink | None = None
        self.sink = parts.sink
        self._parts = parts
        self._store = store
        self._late: deque[Item] = deque(maxlen=1000)
        self.loops = {
            beat.name: Loop(beat)
            for beat in (
                Beat("plan", config.plan_every_s, self._plan, config.plan_rest_s),
                Beat("tick", 0.5, self._tick),
                Beat("telemetry", 1.0, self._flush),
                Beat("time", 5.0, self._tell_time),
                Beat("tidy", config.tidy_every_s, self._tidy),
                Beat("resend", config.resend_s, self.resend),
            )
        }

    @classmethod
    def open(cls, config: SiteConfig, parts: Parts | None = None) -> "Site":
        """Open (or create) a site's store, start its writer, its loops and its links."""
        parts = parts or Parts()
        site = cls(config, parts, Store(config.store, parts.clock.now_ms, parts.lead))
        site.writer.start()
        site.submit(site._begin)
        if config.broker is not None:
            listener = Listener(site._heard, site._connected, parts.may)
            site.mqtt = MqttLink(config.broker, config.name, lambda: site.outlet.term, listener)
            site.outlet.links["mqtt"] = site.mqtt
            site.mqtt.start()
        for loop in site.loops.values():
            loop.start()
        return site

    def close(self) -> None:
        """Finish what is queued, then let go of everything."""
        for loop in self.loops.values():
            loop.close()
        for link in self.outlet.links.values():
            link.close()
        self._flush()
        self.writer.close()
        self._store.close()

    def read(self) -> AbstractContextManager[Tx]:
        """A short consistent view of the store; nothing written in it stays."""
        return self._store.read()

    def submit(self, run: Callable[[Tx], T], timeout_s: float = 30.0) -> T:
        """Run a function on the writer inside a transaction; its result once committed."""
        return self.writer.submit(run, timeout_s)

    # verbs of people ---------------------------------------------------------------------------

    def state_needs(
        self, requests: Sequence[NeedRequest], *, all_or_nothing: bool = False
    ) -> list[Line]:
        """State needs; one outcome per line, or Refused for all when asked so."""
        router = self._parts.router
        return self.submit(
            lambda tx: needs.state_batch(tx, requests, router, all_or_nothing=all_or_nothing)
        )

    def withdraw_need(self, need: str, who: str) -> Need:
        """Take a need back; raise Refused."""
        return self.submit(lambda tx: needs.withdraw(tx, need, who))

    def confirm_clear(
        self, machine: str, result: str, good_pieces: int | None, asker: Asker
    ) -> JobOrder | None:
        """Record the result that lies on a machine and tell it that it is clear; raise Refused."""
        verdict = execution.verdict(result, asker.who, good_pieces)

        def run(tx: Tx) -> JobOrder | None:
            if commands.known(tx, machine, "clear", asker) is not None:
                return None
            commands.check_saw(tx, machine, asker)
            found = tx.machines.get(machine)
            handovers.check_clear(tx, machine)
            if found is not None and found.link == stations.LINK:
                commands.keep(tx, machine, commands.by_hand("clear", asker))
                stations.finish(tx, found)
                return execution.confirm_clear(tx, machine, verdict)
            document = self._document(machine, "clear", asker)
            if found is not None and found.link in HANDS:
                stations.end(tx, found)
            order = execution.confirm_clear(tx, machine, verdict)
            commands.send(tx, machine, document)
            return order

        return self.submit(run)

    def confirm_pose(self, machine: str, by: str) -> None:
        """A sensor, a camera or a person says where the part on a bed lies; raise Refused."""
        self.submit(lambda tx: handovers.confirm_pose(tx, machine, by))

    def resolve(self, order: str, result: str, who: str) -> JobOrder:
        """End an order in doubt or unknown by a person's word; raise Refused."""
        verdict = execution.verdict(result, who, None)
        return self.submit(lambda tx: execution.resolve(tx, order, verdict))

    def command(
        self, machine: str, do: str, asker: Asker, ch: int | None = None, lot: str | None = None
    ) -> Command:
        """Send a command to a machine and keep it with its answer, once a key; raise Refused."""
        extra: Json = {"ch": ch, "lot": lot}
        return self.give(machine, do, asker, extra)

    def update_firmware(self, machine: str, release: Json, asker: Asker) -> Command:
        """Ask an idle machine to install a release {url, sha, size, version}; raise Refused."""
        return self.give(machine, "update", asker, {"release": release})

    def give(
        self, machine: str, do: str, asker: Asker, extra: Json, first: First = lambda _: None
    ) -> Command:
        """Send a command with more fields, once a key; ``first`` may refuse it. Raise Refused."""

        def run(tx: Tx) -> Command:
            before = commands.known(tx, machine, do, asker)
            if before is not None:
                return before
            commands.check_saw(tx, machine, asker)
            first(tx)
            document = self._document(machine, do, asker)
            document.update({name: value for name, value in extra.items() if value is not None})
            return commands.send(tx, machine, document)

        return self.submit(run)

    def stop(self, machine: str, who: str) -> bool:
        """Software emergency stop: sent at once, past queue and store, and journalled after.

        Returns whether it left; raise Refused for a machine that was never heard.
        """
        document = self._document(machine, "stop", Asker(who))
        sent = self.outlet.command(machine, document)
        item = Item(lambda tx: commands.journal_stop(tx, machine, document, sent=sent))
        if not self.writer.offer(item):
            self._late.append(item)
        return sent

    def _document(self, machine: str, do: str, asker: Asker) -> Json:
        now_ms = self.clock.now_ms()
        return commands.build(self.watch.boot(machine), do, asker, self.outlet.term, now_ms)

    # machines ----------------------------------------------------------------------------------

    def receive(self, machine: str, leaf: str, record: Json) -> None:
        """Take a decoded message of a machine that is not on MQTT, as if it came from there."""
        self.watch.heard(machine)
        if "bn" in record:
            self.watch.booted(machine, record["bn"])
        if leaf == "up/tele":
            self.readings.add(machine, record, self.clock.now_ms())
        else:
            self.submit(lambda tx: inbound.take(tx, machine, leaf, record))

    def resend(self) -> None:
        """Hand every machine its desired document and acknowledgement again."""
        self.writer.offer(Item(_resend_all))

    # inside ------------------------------------------------------------------------------------

    def _begin(self, tx: Tx) -> None:
        tx.site.put("name", self.config.name)
        tx.site.put("drain", "")  # as draining.DRAIN: an upgrade is over
        lead = self._parts.lead
        self.outlet.term = tx.site.next("term") if lead is None else lead.begin(tx)
        for machine in tx.machines.all():
            tx.machines.change(machine.id, online=False)
            tx.touch(machine.id)
            if machine.bn:
                self.watch.booted(machine.id, machine.bn)

    def _connected(self) -> None:
        self.loops["time"].wake()
        self.loops["resend"].wake()

    def _heard(self, message: Incoming) -> None:
        """On the network thread: note who spoke, part telemetry from events, queue the rest."""
        link, site = self.mqtt, self.config.name
        machine, leaf, record = self._note(message)
        if leaf == "up/tele" and record is not None:
            self.readings.add(machine, record, self.clock.now_ms())
            if link is not None:
                link.puback(message)  # asked for by nobody; 200 unanswered would stop the rest
            return
        self.writer.put(
            Item(
                lambda tx: inbound.receive(tx, message.topic, message.payload, site, record),
                done=None if link is None else lambda: link.puback(message),
            )
        )

    def _note(self, message: Incoming) -> tuple[str, str, Json | None]:
        """Machine, leaf and record of a message; no record when the writer must bury it."""
        try:
            _, machine, leaf = parse_topic(message.topic)
            record = decode(leaf, message.payload)
        except WireError:
            return "", "", None
        alive = record.get("on", True)
        if alive and leaf in ("up/state", "up/hello"):
            self.watch.booted(machine, record["bn"])
        if alive and not message.retained:
            self.watch.heard(machine)
        return machine, leaf, record

    def _before_commit(self, tx: Tx) -> None:
        tx.site.raise_to(LAST_AT, tx.now_ms)
        self.outlet.term = max(self.outlet.term, tx.site.number("term"))
        if self._parts.lead is not None:
            self._parts.lead.follow(tx, self.outlet.term)
        context = dispatching.WantContext(self.outlet.term, self.config.programs_url)
        for machine in sorted(tx.effects.touched | tx.effects.resend):
            found = tx.machines.get(machine)
            if found is None:
                continue
            if found.link == stations.LINK:
                stations.attend(tx, found)
                continue
            self.outlet.learn(machine, found.link)
            want = dispatching.settle_want(tx, machine, context) or found.want
            if machine in tx.effects.resend and want is not None:
                tx.effects.wants[machine] = want

    def _after_commit(self, tx: Tx) -> None:
        if self._parts.lead is not None:
            self._parts.lead.term = self.outlet.term
        self.outlet.release(tx)
        for notice in tx.effects.notices:
            self.changes.publish(Change(notice.kind, notice.subject, notice))
        if tx.effects.replan:
            if not tx.effects.notices:  # pages wait for no second look at what they show
                self.changes.publish(Change("floor", ""))
            self.loops["plan"].wake()

    def _plan(self) -> None:
        with self.read() as tx:
            stated = any(need.state == "stated" for need in tx.needs.open())
        if stated:
            self.submit(self._parts.sharer)
        with self.read() as tx:
            picture = replace(floor_picture(tx), runs=tuple(tx.plans.runs(RUNS)))
        plan = self._parts.planner(picture)
        self.submit(lambda tx: planning.apply_plan(tx, plan, handovers.barred(tx)))

    def _tick(self) -> None:
        while self._late and self.writer.offer(self._late[0]):
            self._late.popleft()
        self.submit(self._look_around)

    def _look_around(self, tx: Tx) -> None:
        """Silence after a grant is doubt; an offer nobody takes is taken back."""
        offered_before = tx.now_ms - int(self.config.offer_s * 1000 * self.clock.rate)
        people = {machine.id for machine in tx.machines.all() if machine.link == stations.LINK}
        for machine in tx.machines.all():
            if machine.id in people or not machine.online:
                continue
            if self.watch.silent(machine.id, self.config.silence_s):
                execution.mark_silent(tx, machine.id, f"{machine.id} is silent")
        for order in tx.orders.open():
            if order.machine in people:
                continue
            if order.state in ("GRANTED", "RUNNING", "PAUSED"):
                self._look_at(tx, order)
            elif order.state == "OFFERED" and order.offered_at < offered_before:
                dispatching.withdraw(tx, order, f"{order.machine} did not take the offer")
        handovers.tend(tx, handovers.Tools(self.watch.boot, self.outlet.term, self.clock.rate))

    def _look_at(self, tx: Tx, order: JobOrder) -> None:
        if self.watch.silent(order.machine, self.config.silence_s):
            execution.mark_silent(tx, order.machine, f"{order.machine} is silent")

    def _flush(self) -> None:
        items = self.readings.take()
        if not items:
            return
        self.writer.put(Item(lambda tx: telemetry.flush(tx, items), alone=True))
        if self.sink is not None:
            with self.read() as tx:
                kinds = {machine.id: machine.kind for machine in tx.machines.all()}
            self.sink.write(telemetry.lines(self.config.name, kinds, items))

    def _tidy(self) -> None:
        for _ in range(TIDY_STEPS):  # each a transaction of its own: nobody waits for long
            if not self.submit(lambda tx: telemetry.tidy(tx, self.config.keep)):
                return

    def _tell_time(self) -> None:
        if self.mqtt is None or not self.mqtt.connected:
            return
        with self.read() as tx:
            machines = [m.id for m in tx.machines.all() if m.link == "mqtt"]
        for machine in machines:
            self.mqtt.time(machine, self.clock.now_ms(), self.clock.rate)


def _resend_all(tx: Tx) -> None:
    for machine in tx.machines.all():
        tx.effects.resend.add(machine.id)
        if machine.jid is not None and not machine.quarantine:
            tx.effects.acks[machine.id] = (machine.jid, machine.acked_s)
