"""``fabcommons telemetry``: databases of the copy in InfluxDB, and what it does not have yet."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from controller import telemetry
from controller.adapters.clock import SystemClock
from controller.adapters.influx import MAX_LINES, InfluxSink
from controller.adapters.site_file import InfluxEntry, SiteFile, SiteFileError, read_site
from controller.adapters.store import SchemaMismatch, Store, StoreUnreachable, Tx
from controller.last import last_at
from controller.rollups import (
    DAY_MS,
    FIVE_MS,
    HOUR_MS,
    TOGETHER,
    Span,
    closed_before,
    portions,
    read_lines,
)
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.influx import Copies, open_copies
from fabcommons.options import command

_EXAMPLES = """\
examples:
  fabcommons telemetry setup --api v1                    what makes the databases, to be run
  fabcommons telemetry setup site.yml | sh               the same for the settings of a site
  fabcommons telemetry backfill site.yml --dry-run       what would be sent
  fabcommons telemetry backfill site.yml --from 2026-11-01 --to 2026-11-02T12:00

Times are UTC without an offset. Backfilling again writes the same points again: no doubles."""
# how long each is kept, and in pieces of which length, as InfluxDB writes it; "" for ever
KEPT = {"raw": ("30d", "1d"), "5m": ("365d", "7d"), "1h": ("", "")}
_RAW_STRETCH_MS = HOUR_MS
_POLL_S = 0.02


class Part(NamedTuple):
    """What goes into one database: its name, its sink's key, the time it covers, its reader."""

    name: str
    key: int
    span: Span
    read: Callable[[Tx, str, Span], list[str]]

    def stretches(self) -> Iterator[Span]:
        """Times short enough to be read at once."""
        return self.span.stretches(DAY_MS if self.key else _RAW_STRETCH_MS)


def add(commands: Any) -> None:
    """Add the command to the command line."""
    top = command(
        commands,
        "telemetry",
        "databases of the copy in InfluxDB, and what it does not have yet",
        _EXAMPLES,
    )
    verbs = top.add_subparsers(metavar="VERB", required=True)
    setup = verbs.add_parser("setup", help="print the commands that make databases or buckets")
    setup.add_argument("settings", type=Path, nargs="?", help="site.yml")
    setup.add_argument("--api", choices=("v1", "v2"), help="default: the one of the settings")
    setup.set_defaults(run=_setup)
    fill = verbs.add_parser("backfill", help="send what the site's store holds once more")
    fill.add_argument("settings", type=Path, help="site.yml")
    fill.add_argument("--from", dest="begin", type=_time, help="default: all the store holds")
    fill.add_argument("--to", dest="end", type=_time, help="default: now")
    fill.add_argument("--dry-run", action="store_true", help="count, send nothing")
    fill.add_argument("--patience", type=float, default=60.0, help="seconds without an answer")
    fill.add_argument("--json", action="store_true", help="print JSON for programs")
    fill.set_defaults(run=_backfill)


def _time(text: str) -> int:
    """Milliseconds UTC of an ISO 8601 date or time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: write e.g. 2026-11-01T12:00") from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _site(path: Path) -> tuple[SiteFile, InfluxEntry]:
    try:
        settings = read_site(path)
    except SiteFileError as error:
        raise CliError(str(error), USAGE) from error
    if settings.influx is None:
        raise CliError(f"{path}: has no influx: in it (docs/telemetry.md)", USAGE)
    return settings, settings.influx


# setup -----------------------------------------------------------------------------------------


def _setup(options: argparse.Namespace) -> int:
    if options.settings is not None:
        entry = _site(options.settings)[1]
    else:
        entry = InfluxEntry(
            "http://127.0.0.1:8086", database="fab_raw", bucket="fab_raw", org="ORG"
        )
    print("\n".join(setup_commands(entry, options.api or entry.api)))
    return OK


def setup_commands(entry: InfluxEntry, api: str) -> list[str]:
    """Shell commands that make what the settings name; those of v1 may be run again."""
    raw = entry.database or entry.bucket
    named = [("raw", raw), ("5m", entry.five_minutes), ("1h", entry.hours)]
    named = [(part, name) for part, name in named if name]
    if api == "v1":
        return [
            f"{_curl(entry)} --data-urlencode 'q={text}'"
            for part, name in named
            for text in influxql(name, *KEPT[part])
        ]
    rows = ["# InfluxDB 2"]
    for part, name in named:
        kept, shard = KEPT[part]
        more = f" --retention {kept} --shard-group-duration {shard}" if kept else " --retention 0"
        rows.append(
            f"influx bucket create --host {entry.url} --org {entry.org} --name {name}{more}"
        )
    rows.append("# InfluxDB 3 (org is ignored; these instead)")
    for part, name in named:
        kept = f" --retention-period {KEPT[part][0]}" if KEPT[part][0] else ""
        rows.append(f"# influxdb3 create database --host {entry.url}{kept} {name}")
    return rows


def influxql(name: str, kept: str, shard: str) -> list[str]:
    """InfluxQL that makes a database and says how long it keeps points."""
    policy = f'ALTER RETENTION POLICY "autogen" ON "{name}"'
    keep = f"DURATION {kept or 'INF'} REPLICATION 1 SHARD DURATION {shard or '7d'} DEFAULT"
    return [f'CREATE DATABASE "{name}"', f"{policy} {keep}"]


def _curl(entry: InfluxEntry) -> str:
    login = f' -u "{entry.user}:${entry.password_env}"' if entry.user else ""
    return f"curl -fsS{login} {entry.url.rstrip('/')}/query"


# backfill --------------------------------------------------------------------------------------


def _backfill(options: argparse.Namespace) -> int:
    settings, entry = _site(options.settings)
    folder = options.settings.resolve().parent
    try:
        now_ms = last_at(settings.store_place(folder))
        if not now_ms:
            raise CliError(f"{settings.store}: there is nothing in this store", FAILED)
        store = Store(settings.store_place(folder), lambda: 0)
    except (SchemaMismatch, StoreUnreachable) as error:
        raise CliError(str(error), FAILED) from error
    if settings.clock_rate == 1:
        now_ms = max(now_ms, SystemClock().now_ms())
    try:
        parts = _parts(store, entry, (options.begin, options.end), now_ms)
        if options.dry_run:
            return _say(options, {part.name: _count(store, settings, part) for part in parts})
        with _alone(folder / "influx" / "backfill") as spools:
            return _say(options, _fill(store, settings, parts, spools, options.patience))
    finally:
        store.close()


def _parts(
    store: Store, entry: InfluxEntry, asked: tuple[int | None, int | None], now_ms: int
) -> list[Part]:
    with store.read() as tx:
        raw_at, rolled_at = tx.telemetry.first_at()
    end_at = min(now_ms, asked[1] if asked[1] is not None else now_ms)
    parts: list[Part] = []
    for name, key, first_at in (
        (entry.raw_name(), 0, raw_at),
        (entry.five_minutes, FIVE_MS, rolled_at),
        (entry.hours, HOUR_MS, rolled_at),
    ):
        if not name or first_at is None:
            continue
        every = key or 1
        begin = max(first_at, asked[0] or 0)
        end = min(end_at - end_at % every, closed_before(now_ms, every) if key else end_at)
        read = read_lines if key else _raw_lines
        parts.append(Part(name, key, Span(every, begin - begin % every, end), read))
    return parts


def _raw_lines(tx: Tx, site: str, span: Span) -> list[str]:
    kinds = {machine.id: machine.kind for machine in tx.machines.all()}
    return telemetry.lines(site, kinds, tx.telemetry.raw_between(span.begin_at, span.end_at))


def _count(store: Store, settings: SiteFile, part: Part) -> dict[str, int]:
    count = 0
    for span in part.stretches():
        with store.read() as tx:
            count += len(part.read(tx, settings.site, span))
    return {"lines": count, "rejected": 0}


def _fill(
    store: Store, settings: SiteFile, parts: list[Part], folder: Path, patience_s: float
) -> dict[str, dict[str, int]]:
    copies = open_copies(settings.influx, folder)
    assert copies is not None
    try:
        for sink in _sinks(copies).values():
            _wait(sink, patience_s)  # for what a run before left
        return {part.name: _send(store, settings, part, copies, patience_s) for part in parts}
    finally:
        _tell("")
        copies.close()


def _sinks(copies: Copies) -> dict[int, InfluxSink]:
    return {0: copies.raw, **copies.rollups}


def _send(
    store: Store, settings: SiteFile, part: Part, copies: Copies, patience_s: float
) -> dict[str, int]:
    sink = _sinks(copies)[part.key]
    count, rejected = 0, sink.state().rejected
    for span in part.stretches():
        with store.read() as tx:
            lines = part.read(tx, settings.site, span)
        for some in portions(lines, TOGETHER if part.key else MAX_LINES):
            sink.write(some)
            _wait(sink, patience_s)
        count += len(lines)
        _tell(f"{part.name}: up to {_words(span.end_at)}, {count} lines")
    return {"lines": count, "rejected": sink.state().rejected - rejected}


def _wait(sink: InfluxSink, patience_s: float) -> None:
    """Return once all is sent; raise CliError when the server does not take it."""
    pause = threading.Event()
    left_s, waiting = patience_s, -1
    while (state := sink.state()).waiting_bytes:
        if state.state == "misconfigured":
            raise CliError(f"{state.error}: see `fabcommons telemetry setup`", FAILED)
        left_s = patience_s if state.waiting_bytes != waiting else left_s - _POLL_S
        if left_s <= 0:
            raise CliError(f"{state.error or 'no answer'}; run it again later", FAILED)
        waiting = state.waiting_bytes
        pause.wait(_POLL_S)
    if state.dropped:
        raise CliError(f"the spool cannot be written: {state.error}", FAILED)


@contextmanager
def _alone(folder: Path) -> Generator[Path]:
    """A folder for spools apart from the controller's, which may run; raise CliError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CliError(f"another backfill is at work in {folder}", FAILED) from error
        yield folder


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


def _words(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _say(options: argparse.Namespace, found: dict[str, dict[str, int]]) -> int:
    if options.json:
        print(json.dumps({"dry_run": options.dry_run, "databases": found}))
    else:
        word = "would be sent" if options.dry_run else "sent"
        for name, counts in found.items():
            print(f"{name}: {counts['lines']} lines {word}, {counts['rejected']} refused")
        if not found:
            print("nothing to send: the store holds no telemetry")
    return FAILED if any(counts["rejected"] for counts in found.values()) else OK
