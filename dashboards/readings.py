"""Telemetry for people: last values with their age, one field over time, of one machine or all."""

from typing import NamedTuple

from controller.adapters.store import Tx
from controller.adapters.store.telemetry import HOUR_MS, ROLLUP_MS, Point, folded
from controller.values import Reading
from dashboards.models import FleetReadingsView, ReadingsView, ReadingView
from protocols.telemetry import REGISTRY

RAW_MS = 3 * HOUR_MS  # a chart no longer than this is of raw readings
FIVE_MS = 7 * 24 * HOUR_MS  # and one no longer than this of five minutes; else of hours
COLUMNS = 1000  # points of a chart of raw readings at most


class Span(NamedTuple):
    """Which field, from when until when (ms UTC; 0 = now)."""

    name: str
    since_at: int
    until_at: int = 0


def readings(tx: Tx, machine: str, span: Span | None) -> ReadingsView:
    """Last values, and one field over time when a span is given: raw, by 5 minutes or by hours."""
    view: ReadingsView = {
        "machine": machine,
        "at": tx.now_ms,
        "last": [_reading(r) for r in tx.telemetry.last(machine) if r.name in REGISTRY],
    }
    if span is not None:
        points, every_ms = series(tx, machine, span)
        view["name"] = span.name
        view["every_s"] = every_ms // 1000
        view["times_s"] = [point[0] // 1000 for point in points]
        view["low"] = [point[1] for point in points]
        view["mean"] = [point[3] // point[4] for point in points]
        view["high"] = [point[2] for point in points]
    return view


def series(tx: Tx, machine: str, span: Span) -> tuple[list[Point], int]:
    """Points (at, min, max, sum, n) of one field, and how far apart they are (ms)."""
    until_at = span.until_at or tx.now_ms + 1
    long_ms = until_at - span.since_at
    between = (span.since_at, until_at)
    if long_ms > FIVE_MS:
        return tx.telemetry.hours(machine, span.name, between), HOUR_MS
    if long_ms > RAW_MS:
        found = tx.telemetry.five_minutes([machine], span.name, between)
        return found.get(machine, []), ROLLUP_MS
    raw = [(at, m[span.name]) for at, m in tx.telemetry.raw(machine, *between) if span.name in m]
    every_ms = max(1000, -(-long_ms // COLUMNS // 1000) * 1000)
    return folded(((at, value, value, value, 1) for at, value in raw), every_ms), every_ms


def fleet(tx: Tx, span: Span) -> FleetReadingsView:
    """One field of every machine by five minutes."""
    until_at = span.until_at or tx.now_ms + 1
    names = [machine.id for machine in tx.machines.all()]
    found = tx.telemetry.five_minutes(names, span.name, (span.since_at, until_at))
    return {
        "name": span.name,
        "at": tx.now_ms,
        "every_s": ROLLUP_MS // 1000,
        "machines": {
            machine: {
                "times_s": [point[0] // 1000 for point in points],
                "low": [point[1] for point in points],
                "mean": [point[3] // point[4] for point in points],
                "high": [point[2] for point in points],
            }
            for machine, points in found.items()
        },
    }


def _reading(reading: Reading) -> ReadingView:
    unit, _, _, meaning = REGISTRY[reading.name]
    return {
        "name": reading.name,
        "unit": unit,
        "value": reading.value,
        "at": reading.at,
        "meaning": meaning,
    }
