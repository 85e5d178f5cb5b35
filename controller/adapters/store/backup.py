"""Backups that either database is restored from: one tar of rows as JSON lines, and programs.

Members: ``rows/TABLE.jsonl`` in the order of keys, ``programs/SHA256.gcode``, and last
``manifest.json`` with the revision of the tables and the SHA-256 of every member. A backup is of
one moment and is made while the site works; it is whole or it is not there.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import (
    Connection,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL

from controller.adapters.store import tables
from controller.adapters.store.dialects import open_engine, store_url
from controller.adapters.store.schema import FIRST, HEAD, make, prepare, revision_of
from protocols.orders import ORDER_STATES, step

FORMAT = 1
EPOCHS_AHEAD, TERMS_AHEAD = 100_000, 1000  # more than are given out between two backups
MANIFEST = "manifest.json"
_BATCH = 500
_BLOCK = 256 * 1024
Progress = Callable[[str], None]


class BackupError(Exception):
    """A backup that cannot be made, read or restored; nothing was changed. The text says why."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: revision, when made (ms UTC), rows by table, SHA-256 by member."""

    revision: str
    made_at: int
    rows: Mapping[str, int]
    sha256: Mapping[str, str]


class _Manifest(msgspec.Struct):
    format: int
    revision: str
    made_at: int
    rows: dict[str, int]
    sha256: dict[str, str]


def dump(url: URL, out: Path, programs: Path, made_at: int, tell: Progress) -> Contents:
    """Write a backup of the store at ``url`` and of the programs kept; raise BackupError."""
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                contents = _write(tar, url, programs, made_at, tell)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, out)
    except OSError as error:
        raise BackupError(f"{out}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return contents


def _write(
    tar: tarfile.TarFile, url: URL, programs: Path, made_at: int, tell: Progress
) -> Contents:
    shas: dict[str, str] = {}
    counts: dict[str, int] = {}
    engine = open_engine(url, writes=False)
    with engine.connect() as conn, conn.begin():
        revision = revision_of(conn)
        if not revision:
            raise BackupError("the store is empty: nothing to back up")
        for table in _tables(conn):
            tell(f"rows of {table.name}")
            with tempfile.TemporaryFile() as body:
                counts[table.name] = _lines(conn, table, body)
                _add(tar, f"rows/{table.name}.jsonl", body, shas)
    engine.dispose()
    for path in sorted(programs.glob("*.gcode")):
        tell(f"program {path.stem[:12]}")
        with path.open("rb") as body:
            _add(tar, f"programs/{path.name}", body, shas)
    contents = Contents(revision, made_at, counts, shas)
    manifest = _Manifest(FORMAT, revision, made_at, counts, shas)
    _add(tar, MANIFEST, io.BytesIO(msgspec.json.encode(manifest)), {})
    return contents


def _tables(conn: Connection) -> list[Table]:
    """Tables as they are in the database, the referred before the referring."""
    found = MetaData()
    found.reflect(conn)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _lines(conn: Connection, table: Table, body: Any) -> int:
    count = 0
    for row in conn.execute(select(table).order_by(*table.primary_key.columns)).mappings():
        body.write(json.dumps(dict(row), default=_hex, separators=(",", ":")).encode())
        body.write(b"\n")
        count += 1
    return count


def _hex(content: bytes) -> str:
    return content.hex()


def _add(tar: tarfile.TarFile, name: str, body: Any, shas: dict[str, str]) -> None:
    body.seek(0)
    digest = hashlib.sha256()
    member = tarfile.TarInfo(name)
    while block := body.read(_BLOCK):
        digest.update(block)
        member.size += len(block)
    body.seek(0)
    tar.addfile(member, body)
    shas[name] = digest.hexdigest()


def verify(backup: Path) -> Contents:
    """What a backup holds, every byte of it checked; raise BackupError."""
    try:
        with tarfile.open(backup, "r:") as tar:
            return _check(tar)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BackupError(f"{backup}: is not a whole backup: {error}") from error


def _check(tar: tarfile.TarFile) -> Contents:
    found = {member.name: _sha(tar, member) for member in tar if member.name != MANIFEST}
    try:
        file = tar.extractfile(MANIFEST)
        manifest = msgspec.json.decode(file.read() if file else b"", type=_Manifest)
    except (KeyError, msgspec.DecodeError) as error:
        raise BackupError(f"no manifest in the backup: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(f"format {manifest.format} is not known; this is {FORMAT}")
    names = found.keys() | manifest.sha256.keys()
    wrong = sorted(name for name in names if found.get(name) != manifest.sha256.get(name))
    if wrong:
        raise BackupError(f"damaged: {', '.join(wrong[:5])} differ from the manifest")
    return Contents(manifest.revision, manifest.made_at, manifest.rows, manifest.sha256)


def _sha(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member)
    if file is None:
        raise BackupError(f"{member.name} is not a file")
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def load(backup: Path, url: URL, programs: Path, tell: Progress) -> Contents:
    """Fill an empty store from a backup, whole or not at all; raise BackupError.

    A backup of older tables is brought up to those of this program on the way.
    """
    contents = verify(backup)
    if contents.revision == HEAD:
        _load(backup, contents, url, HEAD, tell)
    elif FIRST <= contents.revision < HEAD:
        _load_older(backup, contents, url, tell)
    else:
        raise BackupError(f"the backup is of revision {contents.revision}; use the newer program")
    programs.mkdir(parents=True, exist_ok=True)
    with tarfile.open(backup, "r:") as tar:
        for member in tar:
            folder, _, name = member.name.partition("/")
            if folder == "programs" and "/" not in name:
                tell(f"program {name[:12]}")
                _extract(tar, member, programs / name)
    return contents


def fence(url: URL) -> None:
    """Let a restored store number its orders far above any it gave out after the backup.

    A machine that was away would else be offered an epoch under which another ran. What was offered
    then may have run since: nobody can know, so each such order waits for a person who looks.
    """
    engine = open_engine(url, writes=True)
    site = tables.site
    with engine.begin() as conn:
        _doubt_offers(conn)
        for name, ahead in (("epoch", EPOCHS_AHEAD), ("term", TERMS_AHEAD)):
            now = conn.execute(select(site.c.value).where(site.c.name == name)).scalar()
            row = {"value": str(int(now or 0) + ahead)}
            if conn.execute(update(site).where(site.c.name == name).values(row)).rowcount == 0:
                conn.execute(insert(site).values(name=name, **row))
    engine.dispose()


def _doubt_offers(conn: Connection) -> None:
    order, operation = tables.job_order, tables.operation
    offered = [state for state in ORDER_STATES if ORDER_STATES[state].get("withdraw")]
    taken = select(order.c.operation).where(order.c.state.in_(offered))
    why = "was offered when the backup was made and may have run since; say whether it is made"
    conn.execute(update(operation).where(operation.c.id.in_(taken)).values(reason=why))
    asked = update(order).where(order.c.state.in_(offered))
    conn.execute(asked.values(state=step("OFFERED", "lost")))


def _load_older(backup: Path, contents: Contents, url: URL, tell: Progress) -> None:
    with tempfile.TemporaryDirectory() as folder:
        between = store_url(Path(folder) / "older.db")
        _load(backup, contents, between, contents.revision, tell)
        prepare(between)
        newer = Path(folder) / "newer.tar"
        _load(newer, dump(between, newer, Path(folder), contents.made_at, tell), url, HEAD, tell)


def _load(backup: Path, contents: Contents, url: URL, revision: str, tell: Progress) -> None:
    engine = open_engine(url, writes=True)
    try:
        with engine.begin() as conn:
            there = inspect(conn).get_table_names()
            if "site" in there and conn.execute(select(tables.site)).first() is not None:
                raise BackupError("the store is in use; a backup is restored into an empty one")
        if not there:
            make(engine, "", revision)
        with tarfile.open(backup, "r:") as tar, engine.begin() as conn:
            for table in _tables(conn):
                tell(f"rows of {table.name}")
                if table.name in contents.rows:
                    _fill(conn, table, _rows(tar, f"rows/{table.name}.jsonl"))
    finally:
        engine.dispose()


def _rows(tar: tarfile.TarFile, name: str) -> Iterator[dict[str, Any]]:
    file = tar.extractfile(name)
    assert file is not None, name
    for line in file:
        yield cast("dict[str, Any]", json.loads(line))


def _fill(conn: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    for row in rows:
        batch.append(row | {name: bytes.fromhex(row[name]) for name in binary})
        if len(batch) == _BATCH:
            conn.execute(insert(table), batch)
            batch = []
    if batch:
        conn.execute(insert(table), batch)
    if conn.dialect.name == "postgresql":
        _count_on(conn, table)


def _count_on(conn: Connection, table: Table) -> None:
    """Let a numbered table go on after its highest number."""
    for column in table.primary_key.columns:
        asked = text("SELECT pg_get_serial_sequence(:t, :c)")
        sequence = conn.execute(asked, {"t": table.name, "c": column.name}).scalar()
        if sequence is not None:
            last = conn.execute(select(func.max(column))).scalar()
            conn.execute(select(func.setval(sequence, last or 1, last is not None)))


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if target.exists():
        return
    source = tar.extractfile(member)
    assert source is not None, member.name
    part = target.with_name(target.name + ".part")
    with part.open("wb") as out:
        while block := source.read(_BLOCK):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, target)
