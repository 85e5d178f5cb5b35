"""What a kWh costs, as it was sent to the site: kept in the site's room until other steps are sent.

What was sent goes before the file named in the settings; no steps at all give way to the file.
"""

import json
from typing import NamedTuple

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.picture import ENERGY
from controller.scheduling.energy import THOUSANDTHS, Steps, curve_from, read_steps
from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Curve
from controller.values import Json, Refused

MOST_STEPS = 2000
EPOCH_S = 10 * 365 * 86_400  # a smaller number in a file counts from some zero, not from 1970


class Sent(NamedTuple):
    """Steps as (UTC ms, price of a kWh), what the price is in, who sent them."""

    steps: tuple[tuple[int, float], ...]
    unit: str
    who: str


class PriceView(TypedDict):
    """From when on (UTC ms) a kWh costs how much."""

    from_at: int
    per_kwh: float


class EnergyView(TypedDict):
    """``source`` sent, settings or none; steps in force from now on; who sent them and when."""

    source: str
    unit: str
    by: str
    sent_at: int | None
    steps: list[PriceView]


def keep(tx: Tx, sent: Sent, house: House) -> EnergyView:
    """Keep the steps and plan anew; Refused names the step that is not after the one before."""
    if len(sent.steps) > MOST_STEPS:
        raise Refused("too-many", "steps", f"at most {MOST_STEPS}; send the next days only")
    for i in range(1, len(sent.steps)):
        if sent.steps[i][0] <= sent.steps[i - 1][0]:
            text = "must be later than the step before; sort the steps by time"
            raise Refused("not-ascending", f"steps.{i}.from_at", text)
    kept = {
        "steps": [[at, round(THOUSANDTHS * price)] for at, price in sent.steps],
        "unit": sent.unit,
        "by": sent.who,
        "sent_at": tx.now_ms,
    }
    tx.site.put(ENERGY, json.dumps(kept) if sent.steps else "")
    tx.effects.replan = True
    return found(tx, house)


def from_file(text: str) -> tuple[tuple[int, float], ...]:
    """Steps of a CSV with times (not seconds from some zero); Refused names the line."""
    try:
        steps = read_steps(text)
    except ReadError as error:
        raise Refused("bad-csv", "csv", str(error)) from error
    if steps[0][0] < EPOCH_S:
        raise Refused("bad-csv", "csv", "line 1: write times such as 2026-11-23T00:00Z")
    return tuple((round(1000 * at), price / THOUSANDTHS) for at, price in steps)


def found(tx: Tx, house: House) -> EnergyView:
    """What holds from now on and where it comes from."""
    text = tx.site.get(ENERGY) or ""
    curve = curve_at(text, tx.now_ms, house)
    kept: Json = json.loads(text) if text else {}
    return {
        "source": "sent" if text else "settings" if curve else "none",
        "unit": kept.get("unit", ""),
        "by": kept.get("by", ""),
        "sent_at": kept.get("sent_at"),
        "steps": [
            {"from_at": tx.now_ms + 1000 * at_s, "per_kwh": price / THOUSANDTHS}
            for at_s, price in curve
        ],
    }


def curve_at(text: str, at_ms: int, house: House) -> Curve:
    """The curve from a moment of the floor on, of what was kept or else of the settings' file."""
    if not text:
        return house.energy(at_ms)
    steps: Steps = tuple((at / 1000, price) for at, price in json.loads(text)["steps"])
    return curve_from(steps, at_ms / 1000)
