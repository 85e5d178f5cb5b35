"""What people are told when they are not looking at the page: pure, no clock, no I/O.

A card is told once while it lasts, and not before it has lasted a little: a machine that is back in
a moment wakes nobody; what has ended is told once. In quiet hours nothing is told but
an emergency: cards wait and are told afterwards if they are still there, ends are told afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from controller.values import Notice

if TYPE_CHECKING:
    from controller.adapters.store import Tx

NEEDS, DONE, FAILED = EVENTS = ("needs-a-human", "done", "failed")
MOST_HELD = 100  # ends kept over quiet hours; the oldest go
MOST_ENDED = 500  # ends remembered so that none is told twice


class Quiet(NamedTuple):
    """Hours of a day, in minutes since midnight there; they may go past midnight."""

    begin_min: int
    end_min: int
    zone: ZoneInfo

    def covers(self, at_ms: int) -> bool:
        """Whether a time, ms UTC, falls into them."""
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)
        now_min = 60 * local.hour + local.minute
        if self.begin_min < self.end_min:
            return self.begin_min <= now_min < self.end_min
        return now_min >= self.begin_min or now_min < self.end_min


class Rule(NamedTuple):
    """Which events go somewhere, when not, and how long a card lasts first (no emergency waits)."""

    events: frozenset[str]
    quiet: Quiet | None = None
    settle_ms: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person is told; ``key`` stays the same while its cause lasts."""

    key: str
    event: str
    title: str
    text: str = ""
    at: int = 0
    emergency: bool = False
    page: str = "/"


@dataclass(frozen=True, slots=True)
class Told:
    """What one place was told: cards that still last, ends, and ends held back.

    ``since`` is when each card that still lasts was first seen, told or not.
    """

    cards: frozenset[str] = frozenset()
    since: Mapping[str, int] = field(default_factory=dict[str, int])
    ended: tuple[str, ...] = ()
    held: tuple[Message, ...] = field(default=())
    dropped: int = 0


def decide(
    told: Told, rule: Rule, floor: tuple[Iterable[Message], Iterable[Message]], now_ms: int
) -> tuple[Told, list[Message]]:
    """What to tell now, emergencies first, and what was told then.

    floor: the cards of all that needs a person now, and what ended since the last time.
    """
    cards, ends = floor
    is_quiet = rule.quiet is not None and rule.quiet.covers(now_ms)
    there = {card.key: card for card in cards if card.event in rule.events}
    since = {key: min(now_ms, told.since.get(key, now_ms)) for key in there}
    new = [
        card
        for key, card in there.items()
        if key not in told.cards
        and (card.emergency or (not is_quiet and now_ms - since[key] >= rule.settle_ms))
    ]
    fresh = _fresh(told, [one for one in ends if one.event in rule.events])
    waiting = (*told.held, *fresh)
    held = waiting[-MOST_HELD:] if is_quiet else ()
    after = Told(
        cards=(told.cards & there.keys()) | {card.key for card in new},
        since=since,
        ended=(*told.ended, *(one.key for one in fresh))[-MOST_ENDED:],
        held=held,
        dropped=told.dropped + (len(waiting) - len(held) if is_quiet else 0),
    )
    send = [*new, *(() if is_quiet else waiting)]
    return after, sorted(send, key=lambda one: not one.emergency)


def _fresh(told: Told, ended: Sequence[Message]) -> list[Message]:
    known, fresh = set(told.ended), list[Message]()
    for one in ended:
        if one.key not in known:
            known.add(one.key)
            fresh.append(one)
    return fresh


def ended(tx: Tx, notices: Iterable[Notice]) -> list[Message]:
    """What the notices say has ended: needs delivered, job orders failed."""
    found = [_ended(tx, notice) for notice in notices]
    return [one for one in found if one is not None]


def _ended(tx: Tx, notice: Notice) -> Message | None:
    if notice.kind == "need":
        need = tx.needs.get(notice.subject)
        if need is not None and need.state == "delivered":
            title = f"{need.quantity} x {need.part} for {need.community} is delivered"
            page = f"/needs/{need.id}"
            return Message(f"done:{need.id}", DONE, title, "", notice.at, page=page)
    if notice.kind == "order":
        order = tx.orders.get(notice.subject)
        if order is not None and order.state == "FAILED":
            title = f"{order.machine}: {order.label or order.id} failed"
            page, why = f"/machines/{order.machine}", order.outcome_why or ""
            return Message(f"failed:{order.id}", FAILED, title, why, notice.at, page=page)
    return None
