"""Modules a board needs now and then: imported where they are used, forgotten afterwards."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MICROPYTHON = sys.implementation.name == "micropython"


def forget(*names: str) -> None:
    """Forget modules (package.module), so that their memory is free again; PCs keep them."""
    if not _MICROPYTHON:
        return
    for name in names:
        package, _, leaf = name.rpartition(".")
        sys.modules.pop(name, None)
        above: "Any" = sys.modules.get(package)
        if above is not None and hasattr(above, leaf):
            delattr(above, leaf)
