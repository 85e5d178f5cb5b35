"""Cards of the attention strip as messages for people who are not looking at it."""

from collections.abc import Mapping

from controller.adapters.store import Tx
from controller.notifying import NEEDS, Message
from dashboards.models import AttentionView
from dashboards.reading import read_rows
from dashboards.views import floor_document

EMERGENCIES = ("fault", "stopped")
WORDS: Mapping[str, str] = {
    "fault": "has a fault",
    "stopped": "was stopped",
    "unknown": "holds an order whose end nobody knows",
    "quarantine": "is in quarantine",
    "clear": "waits to be cleared",
    "pose": "waits for the place of its part to be confirmed",
    "person": "waits for a person",
    "material": "is about to run out of material",
    "silent": "is silent",
    "paused": "is paused",
}


def messages(tx: Tx, rate: int) -> list[Message]:
    """One message a card, worst first; ``rate`` = floor seconds per second."""
    floor = floor_document(read_rows(tx), rate)
    cards = sorted(floor["attention"].items(), key=lambda item: (item[1]["rank"], item[0]))
    return [message(key, card, tx.now_ms) for key, card in cards]


def message(key: str, card: AttentionView, now_ms: int) -> Message:
    """The message of one card."""
    parts = [card.get("label", ""), card.get("text", "")]
    kind, machine = card["kind"], card["machine"]
    title = f"{machine} {WORDS.get(kind, kind)}"
    if kind == "held":
        title = f"{card.get('label', 'an operation')} of {card.get('need', '')} waits for a person"
        parts = parts[1:]
    return Message(
        key,
        NEEDS,
        title,
        "; ".join(part for part in parts if part),
        now_ms,
        emergency=kind in EMERGENCIES,
        page=f"/machines/{machine}" if machine else "/",
    )
