"""``fabcommons store``: back a site's store up, restore it, check that it is sound."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from controller.adapters.site_file import SiteFile, SiteFileError, read_site
from controller.adapters.store import SchemaMismatch, Store, StoreUnreachable
from controller.adapters.store.backup import BackupError, Contents, dump, fence, load, verify
from controller.adapters.store.dialects import store_url
from controller.adapters.store.soundness import unsound
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.options import command

_EXAMPLES = """\
examples:
  fabcommons store backup site.yml monday.tar     one moment of it, while the site works
  fabcommons store verify monday.tar              every byte of a backup
  fabcommons store restore site.yml monday.tar    into an empty store, SQLite or PostgreSQL
  fabcommons store check site.yml                 database, ledger and programs; exit 1 if unsound

From SQLite to PostgreSQL: stop the controller, back up, set `store: postgresql://...` in the
settings, restore, start the controller."""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    store = command(commands, "store", "back the store up, restore it, check it", _EXAMPLES)
    verbs = store.add_subparsers(metavar="VERB", required=True)
    for name, words, run in (
        ("backup", "write a backup of a site", _backup),
        ("restore", "fill an empty store from a backup", _restore),
        ("verify", "check a backup", _verify),
        ("check", "check a store", _check),
    ):
        verb = verbs.add_parser(name, help=words)
        if name != "verify":
            verb.add_argument("settings", type=Path, help="site.yml")
        if name != "check":
            verb.add_argument("backup", type=Path, help="the backup, a .tar")
        verb.add_argument("--json", action="store_true", help="print JSON for programs")
        if name == "restore":
            verb.add_argument("--dry-run", action="store_true", help="check, restore nothing")
        verb.set_defaults(run=run)


def _site(options: argparse.Namespace) -> tuple[SiteFile, Path]:
    try:
        return read_site(options.settings), options.settings.resolve().parent
    except SiteFileError as error:
        raise CliError(str(error), USAGE) from error


def _backup(options: argparse.Namespace) -> int:
    settings, folder = _site(options)
    url = store_url(settings.store_place(folder))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise CliError(f"there is no store at {url.database}", FAILED)
    made_at = int(time.time() * 1000)
    try:
        contents = dump(url, options.backup, folder / "programs", made_at, _tell)
    except BackupError as error:
        raise CliError(str(error), FAILED) from error
    return _say(options, contents, f"{options.backup}: {_size(options.backup)}")


def _restore(options: argparse.Namespace) -> int:
    settings, folder = _site(options)
    try:
        if options.dry_run:
            return _say(options, verify(options.backup), f"{options.backup}: can be restored")
        url = store_url(settings.store_place(folder))
        contents = load(options.backup, url, folder / "programs", _tell)
        fence(url)
    except (BackupError, StoreUnreachable) as error:
        raise CliError(str(error), FAILED) from error
    return _say(options, contents, f"{options.backup}: restored")


def _verify(options: argparse.Namespace) -> int:
    try:
        contents = verify(options.backup)
    except BackupError as error:
        raise CliError(str(error), FAILED) from error
    return _say(options, contents, f"{options.backup}: whole")


def _check(options: argparse.Namespace) -> int:
    settings, folder = _site(options)
    try:
        store = Store(settings.store_place(folder), lambda: 0)
    except (SchemaMismatch, StoreUnreachable) as error:
        raise CliError(str(error), FAILED) from error
    try:
        found = unsound(store, folder / "programs")
    finally:
        store.close()
    print(json.dumps(found) if options.json else "\n".join(found) or "sound")
    return FAILED if found else OK


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


def _say(options: argparse.Namespace, contents: Contents, words: str) -> int:
    _tell("")
    rows = sum(contents.rows.values())
    programs = sum(name.startswith("programs/") for name in contents.sha256)
    if options.json:
        found = {"revision": contents.revision, "made_at": contents.made_at}
        print(json.dumps({**found, "rows": dict(contents.rows), "programs": programs}))
    else:
        tables = sum(count > 0 for count in contents.rows.values())
        print(f"{words}, {rows} rows of {tables} tables, {programs} programs")
    return OK


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
