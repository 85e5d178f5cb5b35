"""The loaded NodeSets kept between starts: reading them takes asyncua 6 s, unpickling 1 s.

The file is named by a digest of everything it depends on (NodeSets, asyncua, Python, the code that
reads them), lies in the checkout's ``.cache/cell`` and is only a short cut: without it, or when it
cannot be read, the NodeSets are read as ever. ``--warm`` writes it and removes those of other
names; a running cell never does.
"""

import contextlib
import gc
import os
import pickle
from pathlib import Path
from typing import Any

from asyncua.server.internal_server import InternalServer

_DAMAGED = (AttributeError, ImportError, TypeError, ValueError)  # what unpickling junk may raise


class CachedServer(InternalServer):
    """Internal server of asyncua that begins with a kept address space when there is one."""

    def __init__(self, file: Path | None) -> None:
        super().__init__()
        self._file = file
        self.uris: list[str] = []  # namespaces of the kept address space; [] = nothing was kept

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        """Take the kept address space, else read the standard one."""
        kept = read_kept(self._file)
        if kept is None:
            await super().load_standard_address_space(shelf_file)
            return
        self.uris, nodes = kept
        self.aspace.__dict__["_nodes"] = nodes

    def keep(self, uris: list[str]) -> bool:
        """Keep the address space without the callbacks of its methods, so it serves no more."""
        nodes: dict[Any, Any] = self.aspace.__dict__["_nodes"]
        for node in nodes.values():
            node.call = None
        return self._file is not None and _write(self._file, (uris, nodes))


def read_kept(file: Path | None) -> tuple[list[str], dict[Any, Any]] | None:
    """Namespaces and nodes of a file; None when there is none or it is damaged."""
    if file is None or not file.exists():
        return None
    gc.disable()  # half the time goes into looking for cycles that are not there
    try:
        return pickle.loads(file.read_bytes())
    except (OSError, pickle.PickleError, EOFError, LookupError, *_DAMAGED):
        return None
    finally:
        gc.enable()


def _write(file: Path, value: Any) -> bool:
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with part.open("wb") as out:
            pickle.dump(value, out, pickle.HIGHEST_PROTOCOL)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, file)
        for old in file.parent.glob(f"*{file.suffix}"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True
