"""Telemetry of one machine for people: last values with their age, one field over time."""

from typing import NamedTuple

from controller.adapters.store import Tx
from controller.values import Reading
from dashboards.models import ReadingsView, ReadingView
from protocols.telemetry import REGISTRY


class Span(NamedTuple):
    """Which field, from when (ms UTC)."""

    name: str
    since_at: int


def readings(tx: Tx, machine: str, span: Span | None) -> ReadingsView:
    """Last values, and the five-minute rollups of one field when a span is given."""
    view: ReadingsView = {
        "machine": machine,
        "at": tx.now_ms,
        "last": [_reading(r) for r in tx.telemetry.last(machine) if r.name in REGISTRY],
    }
    if span is not None:
        rows = tx.telemetry.rollups(machine, span.name, span.since_at)
        view["name"] = span.name
        view["times_s"] = [r.at // 1000 for r in rows]
        view["low"] = [r.min for r in rows]
        view["mean"] = [r.sum // r.n for r in rows]
        view["high"] = [r.max for r in rows]
    return view


def _reading(reading: Reading) -> ReadingView:
    unit, _, _, meaning = REGISTRY[reading.name]
    return {
        "name": reading.name,
        "unit": unit,
        "value": reading.value,
        "at": reading.at,
        "meaning": meaning,
    }
