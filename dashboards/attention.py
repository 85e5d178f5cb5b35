"""What needs a person now: one card each, worst first, then what blocks most, then the oldest."""

from collections.abc import Mapping

from controller.values import Operation
from dashboards.models import AttentionKind, AttentionView, MachineView
from dashboards.rows import Floor

# Cost of waiting by kind: danger and lost work first, then idle machines, then things to watch.
RANKS: Mapping[str, int] = {
    "fault": 0,
    "stopped": 1,
    "unknown": 2,
    "quarantine": 3,
    "clear": 4,
    "pose": 4,
    "person": 5,
    "material": 6,
    "held": 7,
    "silent": 8,
    "paused": 9,
}
KINDS: Mapping[str, AttentionKind] = {
    "fault": "fault",
    "stopped": "stopped",
    "unknown": "unknown",
    "clear": "clear",
    "person": "person",
    "silent": "silent",
    "paused": "paused",
}
LOOK = "look at the machine: end the order only when it neither moves nor holds it"
BED = ("clear", "pose", "unknown", "fault", "stopped")
PROCESS_OF = {"printer": "fdm", "mill": "mill", "cell": "assemble", "station": "inspect"}


def attention(floor: Floor, machines: Mapping[str, MachineView]) -> dict[str, AttentionView]:
    """Cards by key; the key stays the same while the cause lasts."""
    blocked = _blocked(floor)
    cards: dict[str, AttentionView] = {}
    for view in machines.values():
        waiting = blocked.get(view["kind"], 0)
        for kind in _kinds(floor, view):
            cards[f"{kind}:{view['id']}"] = _card(floor, view, kind, waiting)
        for ch, item in view.get("material", {}).items():
            needs_mg = item.get("needs_mg", 0) * (100 - view.get("percent", 0)) // 100
            if view["state"] in ("running", "paused") and item["left_mg"] < needs_mg:
                card = _card(floor, view, "material", waiting)
                card["lot"] = item["lot"]
                card["ch"] = int(ch)
                card["text"] = f"{item['material']}: {_grams(item['left_mg'])} left, " + (
                    f"{_grams(needs_mg)} still needed"
                )
                cards[f"material:{view['id']}:{ch}"] = card
    for op in floor.rows.operations:
        if op.state == "held":
            cards[f"held:{op.id}"] = _held(op)
    return cards


def _kinds(floor: Floor, view: MachineView) -> list[AttentionKind]:
    """What a machine needs a person for; a silent one may hold an order in doubt besides."""
    state, order_state = view["state"], view.get("order_state")
    kinds: list[AttentionKind] = []
    kind = KINDS.get(state)
    bed = floor.rows.beds.get(view["id"])
    if kind == "clear" and bed is not None:
        kind = None if bed.by_robot else "pose" if bed.asks_pose else kind
    if kind is not None:
        kinds.append(kind)
    if state != "unknown" and order_state in ("IN_DOUBT", "UNKNOWN"):
        kinds.append("unknown")
    if state == "maintenance" and "why" in view and "out_at" not in view:
        kinds.append("quarantine")
    return kinds


def _held(op: Operation) -> AttentionView:
    card: AttentionView = {
        "kind": "held",
        "machine": op.machine or "",
        "rank": RANKS["held"],
        "blocked": 1,
        "saw": op.state,
        "operation": op.id,
        "need": op.need,
        "label": op.step,
    }
    if op.reason:
        card["text"] = op.reason
    return card


def _card(floor: Floor, view: MachineView, kind: AttentionKind, waiting: int) -> AttentionView:
    card: AttentionView = {
        "kind": kind,
        "machine": view["id"],
        "rank": RANKS[kind],
        "blocked": waiting,
        "saw": view["saw"],
    }
    last = floor.last.get(view["id"])
    if last is not None and last.ended_at and kind in BED:
        card["since_at"] = last.ended_at
    order = view.get("settle") or (view.get("order") if kind in ("unknown", "person") else "")
    if order:
        card["order"] = order
    if "label" in view:
        card["label"] = view["label"]
    why = view.get("why") or (last.outcome_why if last is not None and kind in BED else "")
    if kind == "unknown":
        why = f"{why}; {LOOK}" if why else LOOK
    if why:
        card["text"] = why
    if kind == "person" and "started_at" in view:
        card["since_at"] = view["started_at"]
    if kind == "silent" and "seen_at" in view:
        card["since_at"] = view["seen_at"]
    return card


def _blocked(floor: Floor) -> dict[str, int]:
    """Operations ready or planned, by the kind of machine they wait for."""
    count: dict[str, int] = {}
    kinds = {process: kind for kind, process in PROCESS_OF.items()}
    for op in floor.rows.operations:
        if op.state in ("ready", "planned"):
            kind = kinds.get(op.process, "station")
            count[kind] = count.get(kind, 0) + 1
    return count


def _grams(mass_mg: int) -> str:
    return f"{mass_mg // 1000} g"
