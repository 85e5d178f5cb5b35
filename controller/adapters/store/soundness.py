"""Whether a store is sound: the database's own check, the ledger's sums, programs by their hash."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from controller.adapters.store.dialects import open_engine
from controller.adapters.store.engine import Store
from controller.ledger.balance import check

_BLOCK = 256 * 1024


def unsound(store: Store, programs: Path) -> list[str]:
    """Everything that is wrong, a sentence each; empty when nothing is."""
    found = list(_database(store))
    with store.read() as tx:
        found += [
            f"ledger: {d.subject}: {d.what} is kept as {d.kept}, its lines say {d.derived}"
            for d in check(tx)
        ]
        known = {row.sha for row in tx.designs.programs()}
    found += list(_programs(programs, known))
    return found


def _database(store: Store) -> Iterator[str]:
    if store.url.get_backend_name() != "sqlite":
        return  # PostgreSQL keeps references itself and checks its pages by its own tools
    engine = open_engine(store.url, writes=False)
    with engine.connect() as conn:
        for row in conn.execute(text("PRAGMA integrity_check")):
            if row[0] != "ok":
                yield f"database: {row[0]}"
        for row in conn.execute(text("PRAGMA foreign_key_check")):
            yield f"database: row {row[1]} of {row[0]} refers to a missing {row[2]}"
    engine.dispose()


def _programs(folder: Path, known: set[str]) -> Iterator[str]:
    for sha in sorted(known):
        path = folder / f"{sha}.gcode"
        if not path.exists():
            yield f"program {sha[:12]}: is not kept; import its design again"
        elif _sha(path) != sha:
            yield f"program {sha[:12]}: its file was changed; import its design again"


def _sha(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
