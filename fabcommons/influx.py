"""The copies of telemetry in InfluxDB of a site: raw points and two lengths of rollups.

Each has a spool and a sender of its own, so that raw points that must go never take rollups with
them, and a missing database stops nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from controller.adapters.site_file import InfluxEntry
from controller.rollups import FIVE_MS, HOUR_MS
from controller.telemetry import SinkState
from fabcommons.options import secret

if TYPE_CHECKING:
    from controller.adapters.influx import InfluxSink

WORST_FIRST = ("misconfigured", "down", "ok")


class Copies:
    """A ``telemetry.Sink`` of raw points, with ``rollups`` beside it by length in ms."""

    def __init__(self, raw: InfluxSink, rollups: dict[int, InfluxSink]) -> None:
        self.raw = raw
        self.rollups = rollups

    def write(self, lines: list[str]) -> None:
        """Keep lines of raw points to be sent."""
        self.raw.write(lines)

    def state(self) -> SinkState:
        """How all go: counts together, state and error of the worst."""
        states = [sink.state() for sink in (self.raw, *self.rollups.values())]
        worst = min(states, key=lambda one: WORST_FIRST.index(one.state))
        return SinkState(
            worst.state,
            sum(one.sent for one in states),
            sum(one.rejected for one in states),
            sum(one.dropped for one in states),
            sum(one.waiting_bytes for one in states),
            worst.error or next((one.error for one in states if one.error), ""),
        )

    def close(self) -> None:
        """Stop sending; what is on disk is sent after the next start."""
        for sink in (self.raw, *self.rollups.values()):
            sink.close()


def open_copies(entry: InfluxEntry | None, folder: Path) -> Copies | None:
    """The copies that settings name, with their spools in ``folder``; raise CliError."""
    if entry is None:
        return None
    from controller.adapters.influx import Address, Client, InfluxSink, Limits  # loads slowly

    password = secret("influx.password_env", entry.password_env)
    token = secret("influx.token_env", entry.token_env)

    def one(name: str, where: Path, max_mb: int) -> InfluxSink:
        address = Address(
            url=entry.url,
            api="v1" if entry.api == "v1" else "v2",
            database=name,
            bucket=name,
            org=entry.org,
            user=entry.user,
            password=password,
            token=token,
        )
        return InfluxSink(Client(address), where, Limits(max_mb * 1_000_000))

    lengths = ((FIVE_MS, entry.five_minutes, "5m"), (HOUR_MS, entry.hours, "1h"))
    rollups = {
        every_ms: one(name, folder / short, max(1, entry.max_mb // 4))
        for every_ms, name, short in lengths
        if name
    }
    return Copies(one(entry.raw_name(), folder, entry.max_mb), rollups)
