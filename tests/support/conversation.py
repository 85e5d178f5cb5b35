"""A recorded conversation between a machine and the controller, and its replay.

One JSON object a line. ``{"up": LEAF, "text": TEXT}`` is what the machine sent, byte for byte but
for $ORDER and $EP, which stand for the order and epoch last offered. ``{"do": VERB}`` is what the
floor did meanwhile: need, plan, clear. ``{"hears": {...}}`` is what the machine must hear after it:
fields of dn/want, and ``ack``, the last event acknowledged. See docs/version-skew.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from controller import dispatching, execution, inbound, planning
from controller.picturing import floor_picture
from protocols.messages import encode
from protocols.topics import machine_topic
from support import small_floor
from support.small_floor import Floor, Journal

FOLDER = Path(__file__).resolve().parents[1] / "conversations"
MACHINE = "printer-1"
CONTEXT = dispatching.WantContext(7, "http://127.0.0.1:1/programs")
HEARD = ("ph", "order", "ep", "claim", "lots")


class Replay:
    """A small floor that takes a recorded machine's words."""

    def __init__(self, folder: Path) -> None:
        self.floor = Floor(folder)
        self.want: dict[str, Any] = {}
        self.ack: list[Any] = []

    def play(self, path: Path) -> list[str]:
        """Play a whole recording; every line that went another way, in words."""
        wrong: list[str] = []
        for number, row in enumerate(path.read_text().splitlines(), 1):
            line = json.loads(row)
            if "do" in line:
                self._do(line["do"])
            elif "up" in line:
                outcome = self._take(line["up"], self._filled(line["text"]))
                if outcome not in line.get("is", ["taken", "applied"]):
                    wrong.append(f"{path.name}:{number}: {line['up']} was {outcome}")
            else:
                wrong += [f"{path.name}:{number}: {text}" for text in self._missed(line["hears"])]
        return wrong

    def _filled(self, text: str) -> str:
        text = text.replace('"$EP"', str(self.want.get("ep", 0)))
        return text.replace("$ORDER", str(self.want.get("order", "")))

    def _take(self, leaf: str, text: str) -> str:
        topic = machine_topic("floor", MACHINE, leaf)
        with self.floor.store.write() as tx:
            outcome = inbound.receive(tx, topic, text.encode(), "floor")
            self._settle(tx)
        return outcome

    def _do(self, verb: str) -> None:
        if verb == "need":
            self.floor.state(small_floor.print_only)
            return
        with self.floor.store.write() as tx:
            if verb == "plan":
                planning.apply_plan(tx, small_floor.plan(floor_picture(tx)), {})
            else:
                execution.confirm_clear(tx, MACHINE, execution.verdict("good", "ann", None))
            self._settle(tx)

    def _settle(self, tx: Any) -> None:
        self.want = dispatching.settle_want(tx, MACHINE, CONTEXT) or self.want
        self.ack = list(tx.effects.acks.get(MACHINE, self.ack))
        if self.want:
            encode("dn/want", self.want)

    def _missed(self, expected: dict[str, Any]) -> list[str]:
        heard = {**self.want, "ack": self.ack[1] if self.ack else 0}
        hopes = json.loads(self._filled(json.dumps(expected)))
        return [
            f"hears {name} {heard.get(name)!r}, must be {hope!r}"
            for name, hope in hopes.items()
            if heard.get(name) != hope
        ]


def record(fw: str) -> str:
    """Today's conversation, to be kept under the firmware's version: one order, start to end."""
    journal = Journal("j-1")
    order = type("Offered", (), {"id": "$ORDER", "ep": "$EP"})
    rows: list[dict[str, Any]] = []

    def up(leaf: str, value: dict[str, Any]) -> None:
        filled = json.loads(json.dumps(value).replace('"$EP"', "1").replace("$ORDER", "o-1"))
        text = encode(leaf, filled).decode()
        if "order" in value:
            text = text.replace('"order":"o-1"', '"order":"$ORDER"').replace('"ep":1', '"ep":"$EP"')
        rows.append({"up": leaf, "text": text})

    counter = {"ch": 0, "lot": "spool-1", "cum_mg": 0, "unc_mg": 0}
    up("up/hello", small_floor.hello(jid="j-1", fw=fw, ctr=[counter]))
    up("up/state", small_floor.state_report(jid="j-1", fw=fw))
    rows += [{"do": "need"}, {"do": "plan"}, {"hears": {"ph": "offer"}}]
    claim, started, *rest = journal.run(order, "spool-1", 4000)
    up("up/ev", claim)
    rows.append({"hears": {"ph": "grant", "claim": {"jid": "j-1", "s": 1}, "ack": 1}})
    up("up/ev", started)
    running = {"order": "$ORDER", "ep": "$EP", "st": "running", "done_ppm": 500_000}
    state = small_floor.state_report(jid="j-1", fw=fw, st="busy", ready=False)
    text = encode("up/state", {**state, "order": {**running, "order": "o-1", "ep": 1}}).decode()
    text = text.replace('"order":"o-1"', '"order":"$ORDER"').replace('"ep":1', '"ep":"$EP"')
    rows.append({"up": "up/state", "text": text})
    for event in rest:
        up("up/ev", event)
    rows.append({"hears": {"ack": 4}})
    up("up/rsp", {"v": 1, "id": "c-nobody-asked", "ok": True, "code": "done"})
    rows[-1]["is"] = ["taken", "dead"]
    up("up/ev", journal.event("op", who="ann", act="clear"))
    up("up/ev", journal.event("load", ch=0, lot="spool-1"))
    rows += [{"do": "clear"}, {"hears": {"ph": "idle", "ack": 6}}]
    return "".join(json.dumps(row) + "\n" for row in rows)
