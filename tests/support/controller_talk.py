"""What a controller says through one order, recorded and played to an agent.

The twin of ``conversation``. One JSON object a line: ``{"down": LEAF, "text": TEXT}`` is what the
controller sent, byte for byte but for $JID, $BN and $S (the machine's journal, boot and claim);
``{"do": "fetched"}`` and ``{"do": "ended"}`` is what happened at the machine; ``{"says": {...}}``
is what it must say after it: fields of its newest event, ``code`` of its last answer, how many
orders it started, and what it holds acknowledged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from protocols.messages import decode, encode
from support.machine import LOT, PROGRAM, Machine

HOLDERS = (("$JID", "jid-0"), ("$BN", "bn-0"))


def record() -> str:
    """One order as the controller of today sends it, start to end."""
    rows: list[dict[str, Any]] = []

    def down(leaf: str, body: dict[str, Any]) -> None:
        text = encode(leaf, {"v": 1, **body}).decode()
        for holder, stands in HOLDERS:
            text = text.replace(f'"{stands}"', f'"{holder}"')
        rows.append({"down": leaf, "text": text.replace(":98765", ':"$S"')})

    order = {"order": "o-1", "ep": 7, "prog": PROGRAM, "lots": [LOT], "label": "clamp jaw"}
    command = {"term": 3, "bn": "bn-0", "ttl_ms": 60000, "who": "ann", "t": 1_760_000_000_000}
    down("dn/time", {"t": 1_760_000_000_000, "rate": 1})
    down("dn/want", {"term": 3, "rev": 1, "ph": "idle"})
    down("dn/cmd", {**command, "id": "c-1", "do": "clear"})
    rows.append({"says": {"ty": "op", "act": "clear", "who": "ann"}})
    down("dn/want", {"term": 3, "rev": 2, "ph": "offer", **order})
    rows += [{"do": "fetched"}, {"says": {"ty": "claim", "order": "o-1", "ep": 7}}]
    down("dn/ack", {"term": 3, "jid": "jid-0", "s": 2})
    claim = {"jid": "jid-0", "s": 98765}
    down("dn/want", {"term": 3, "rev": 3, "ph": "grant", "claim": claim, **order})
    rows.append({"says": {"ty": "started", "ep": 7, "starts": 1, "acked": 2}})
    down("dn/want", {"term": 3, "rev": 3, "ph": "grant", "claim": claim, **order})
    rows.append({"says": {"ty": "started", "ep": 7, "starts": 1}})
    down("dn/cmd", {**command, "id": "c-2", "do": "resume"})
    rows.append({"says": {"code": "refused"}})
    rows += [{"do": "ended"}, {"says": {"ty": "finished", "ok": True, "ep": 7}}]
    down("dn/ack", {"term": 3, "jid": "jid-0", "s": 4})
    down("dn/want", {"term": 3, "rev": 4, "ph": "idle"})
    down("dn/want", {"term": 2, "rev": 9, "ph": "offer", **order, "ep": 8})
    rows.append({"says": {"ty": "finished", "starts": 1, "acked": 4}})
    return "".join(json.dumps(row) + "\n" for row in rows)


def play(path: Path, machine: Machine) -> list[str]:
    """Play a recording to an agent; every line that went another way, in words."""
    wrong: list[str] = []
    said: list[Any] = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        row = json.loads(text)
        said += machine.events()
        if "down" in row:
            machine.hear(row["down"], decode(row["down"], _filled(row["text"], machine)))
        elif row.get("do") == "fetched":
            machine.fetched(machine.fetch_asked()[-1])
        elif "do" in row:
            machine.drive("ended", True, "", True)
        else:
            found = _said(machine, said)
            for name, hope in row["says"].items():
                if found.get(name) != hope:
                    wrong.append(
                        f"{path.name}:{number}: {name} is {found.get(name)!r}, not {hope!r}"
                    )
    return wrong


def _filled(text: str, machine: Machine) -> bytes:
    for holder, value in (("$JID", machine.journal.jid), ("$BN", machine.agent.bn)):
        text = text.replace(f'"{holder}"', f'"{value}"')
    order = machine.memory.order
    return text.replace('"$S"', str(order["claim_s"] if order else 0)).encode()


def _said(machine: Machine, before: list[Any]) -> dict[str, Any]:
    answers = [a[2] for a in machine.done if a[:2] == ("say", "up/rsp")]
    newest = [*before, *machine.events()][-1:]
    code = answers[-1]["code"] if answers else ""
    event = newest[0] if newest else {}
    return {**event, "code": code, "starts": len(machine.starts), "acked": machine.journal.acked}
