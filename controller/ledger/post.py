"""The one poster: every line of the ledger and every change of a balance is made here."""

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.ledger.actions import ACTIONS, effects
from controller.values import MEASURES, EconomicEvent, Lot

if TYPE_CHECKING:
    from controller.adapters.store import Tx


class LedgerConflict(Exception):
    """A line that cannot be posted; nothing changed. Attributes: key, reason."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason


def post(tx: "Tx", event: EconomicEvent) -> int:
    """Append a line and move its balances; the same line again changes nothing. Returns its number.

    Raises LedgerConflict for an unknown action or measure, or another line under the same key.
    """
    if event.action not in ACTIONS:
        raise LedgerConflict(event.key, f"{event.action} is not an action of the ledger")
    if event.measure not in MEASURES:
        raise LedgerConflict(event.key, f"{event.measure} is not a kind of measure")
    number = tx.ledger.append(replace(event, created_at=tx.now_ms, id=None))
    if number is None:
        return _same(tx.ledger.by_key(event.key), event)
    mass = dict(effects(event.action, event.lot, event.to_lot, event.mass_mg))
    pieces = dict(effects(event.action, event.lot, event.to_lot, event.pieces))
    for lot, mass_mg in mass.items():
        tx.ledger.add_to_balance(lot, mass_mg, pieces[lot])
    return number


def _same(known: EconomicEvent | None, event: EconomicEvent) -> int:
    assert known is not None
    if replace(known, created_at=0, id=None) != replace(event, created_at=0, id=None):
        raise LedgerConflict(event.key, "another line was posted under this key")
    assert known.id is not None
    return known.id


def correct(tx: "Tx", number: int, mass_mg: int, pieces: int, why: str) -> int:
    """Correct a line by a new one that adds ``mass_mg`` and ``pieces`` (both may be negative)."""
    line = tx.ledger.get(number)
    if line is None:
        raise LedgerConflict(f"correct:{number}", "there is no such line")
    key = f"correct:{number}:{mass_mg}:{pieces}:{why}"[:200]
    fixed = replace(
        line,
        key=key,
        mass_mg=mass_mg,
        pieces=pieces,
        duration_ms=0,
        corrects=number,
        note=why,
        id=None,
    )
    return post(tx, fixed)


def need_lot(tx: "Tx", lot: Lot) -> str:
    """Make sure that a lot exists; return its id."""
    if tx.lots.get(lot.id) is None:
        tx.lots.add(lot)
    return lot.id


def take_stock(tx: "Tx", lot: str, mass_mg: int, line: EconomicEvent) -> int:
    """Raise or lower a lot to the mass found; ``line`` gives key, agents, time, measure, note."""
    found = mass_mg - tx.ledger.balance(lot).mass_mg
    if tx.ledger.by_key(line.key) is not None or found == 0:
        return 0
    action = "raise" if found > 0 else "lower"
    post(tx, replace(line, action=action, lot=lot, mass_mg=abs(found)))
    return found
