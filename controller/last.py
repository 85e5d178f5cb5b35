"""Floor time of the last commit: a floor whose time runs fast is opened again where it was."""

from pathlib import Path

from controller.adapters.store import Store

LAST_AT = "last_at"  # ms UTC, in the site's own values


def last_at(store: Path | str) -> int:
    """Floor time of the last commit in a store, ms UTC; 0 when there is none."""
    if isinstance(store, Path) and not store.exists():
        return 0
    opened = Store(store, lambda: 0)
    with opened.read() as tx:
        found = tx.site.number(LAST_AT)
    opened.close()
    return found
