"""An agent on cut-prone flash with a pretended app around it: starts are counted, not made."""

import itertools

from firmware.agent import Agent
from firmware.clock import FloorTime
from firmware.journal import Journal
from firmware.memory import Memory
from firmware.meter import Meter
from protocols.messages import decode, encode

SHA = "a" * 64
PROGRAM = {"url": "http://h/p", "sha": SHA, "size": 10, "kind": "marlin"}
LOT = {"ch": 0, "lot": "lot-a", "ug_per_m": 3000000}
_IDS = itertools.count(1)


def new_id():
    return f"i{next(_IDS)}"


def offer(ep, rev=None, term=1, lots=(LOT,), **more):
    want = {"v": 1, "term": term, "rev": ep * 10 if rev is None else rev, "ph": "offer"}
    want.update({"order": f"o-{ep}", "ep": ep, "prog": PROGRAM, "lots": list(lots)}, **more)
    return want


def grant(ep, jid, s, rev=None, **more):
    claim = {"jid": jid, "s": s}
    return offer(ep, ep * 10 + 1 if rev is None else rev, **{"ph": "grant", "claim": claim, **more})


def idle(rev, term=1):
    return {"v": 1, "term": term, "rev": rev, "ph": "idle"}


class Machine:
    """One life of an agent; ``starts`` lists (epoch) of every start of motion in this life."""

    def __init__(self, flash, limit=65536, dialect="marlin", auto_ready=False):
        self.flash = flash
        self.now = 0
        floor = FloorTime()
        self.journal = Journal(flash, Memory(), new_id, limit, 1024)
        self.meter = Meter(self.journal, lambda: floor.stamp(self.now))
        config = {"dialect": dialect, "auto_ready": auto_ready}
        self.agent = Agent(self.journal, self.meter, floor, config, (new_id(), "test"))
        self.starts = []
        self.done = []  # every action carried out
        self.agent.boot(self.now)
        self.agent.drive(("online",), self.now)

    @property
    def memory(self):
        return self.journal.memory

    @property
    def order_state(self):
        return self.memory.order_state

    def hear(self, leaf, message):
        """A dn/ message over the wire; then act."""
        self.agent.receive(leaf, decode(leaf, encode(leaf, message)), self.now)
        self.act()

    def drive(self, *event):
        self.agent.drive(event, self.now)
        self.act()

    def fetched(self, ep, why=""):
        self.agent.fetched(ep, why, self.now)
        self.act()

    def tick(self, ms=50):
        self.now += ms
        self.agent.tick(self.now)
        self.act()

    def act(self):
        while self.agent.actions:
            action = self.agent.actions.pop(0)
            self.done.append(action)
            if action[0] == "note":
                self.agent.note(action[1])
            if action[0] == "run":
                assert self.order_state == "running"  # durable before motion
                self.starts.append(action[1]["ep"])

    def command(self, do, **more):
        message = {"v": 1, "term": max(1, self.memory.term), "id": new_id(), "bn": self.agent.bn}
        message.update({"do": do, "ttl_ms": 5000, "who": "simulated technician", **more})
        self.hear("dn/cmd", message)
        return [a[2] for a in self.done if a[:2] == ("say", "up/rsp")][-1]

    def fetch_asked(self):
        return [a[1] for a in self.done if a[0] == "fetch"]

    def events(self, *types):
        """Events still in the journal, decoded; all types when none is named."""
        out, s = [], self.journal.acked
        while True:
            found = self.journal.event_after(s)
            if found is None:
                return [e for e in out if not types or e["ty"] in types]
            s = found[0]
            out.append(decode("up/ev", found[1]))

    def claim_of(self, ep):
        """Clear, offer, fetch: returns the claim's sequence number."""
        if not self.memory.ready:
            assert self.command("clear")["ok"]
        self.hear("dn/want", offer(ep))
        self.fetched(ep)
        return self.memory.order["claim_s"]

    def start(self, ep):
        s = self.claim_of(ep)
        self.hear("dn/want", grant(ep, self.journal.jid, s))


def reboot(machine):
    """The machine after a power cut."""
    return Machine(machine.flash.after_cut())


def types(machine):
    """Types of the events in its journal."""
    return [event["ty"] for event in machine.events()]
