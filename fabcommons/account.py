"""``fabcommons account``: who may come in, said beside the store of a site, running or not."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from controller.adapters.authority import fingerprint
from controller.adapters.clock import utc_ms
from controller.adapters.passwords import Passwords
from controller.adapters.site_file import SiteFile, SiteFileError, read_site
from controller.adapters.store import SchemaMismatch, Store, StoreUnreachable, Tx
from controller.people import accounts
from controller.people.records import Account, AuditLine
from controller.people.roles import ACCOUNT_ROLES, MAY, MEANING, RIGHTS
from controller.values import Refused
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.front import certificate
from fabcommons.options import command

T = TypeVar("T")
_EXAMPLES = """\
examples:
  fabcommons account add site.yml anna --role admin      asks for a password
  fabcommons account role site.yml ben technician
  fabcommons account token site.yml anna --name grafana --scope read --days 90
  fabcommons account disable site.yml ben                out, everywhere, within seconds
  fabcommons account certificate site.yml                of the page, with its fingerprint

roles, each with what stands before it: member (sees the floor, states needs, votes, stops
machines), technician (tends machines), steward (runs rounds and communities, reads the audit
log), admin (accounts, enrolment, firmware)."""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    account = command(commands, "account", "who may come in, and as what", _EXAMPLES)
    verbs = account.add_subparsers(metavar="VERB", required=True)
    for name, words, run in (
        ("add", "make an account", _add),
        ("list", "every account", _list),
        ("disable", "shut an account out; --off lets it in again", _disable),
        ("password", "give an account a new password", _password),
        ("role", "give an account another role", _role),
        ("token", "make a token for a program, or revoke one", _token),
        ("certificate", "make the page's certificate, show its fingerprint", _certificate),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("settings", type=Path, help="site.yml")
        if name not in ("list", "certificate"):
            verb.add_argument("name", help="the account")
        verb.add_argument("--json", action="store_true", help="print JSON for programs")
        _options(verb, name)
        verb.set_defaults(run=run)


def _options(verb: argparse.ArgumentParser, name: str) -> None:
    if name == "add":
        verb.add_argument("--role", choices=ACCOUNT_ROLES, default="member")
    if name == "role":
        verb.add_argument("role", choices=ACCOUNT_ROLES)
    if name in ("add", "password"):
        verb.add_argument("--password-file", type=Path, help="instead of asking; - is stdin")
    if name == "disable":
        verb.add_argument("--off", action="store_true", help="let it in again")
    if name == "token":
        verb.add_argument("--for", dest="label", default="a program", help="what it is for")
        verb.add_argument(
            "--scope", action="append", choices=RIGHTS, help="(repeat) what it may do"
        )
        verb.add_argument("--days", type=int, default=90)
        verb.add_argument("--revoke", metavar="ID", help="end this token instead")
        verb.add_argument("--list", action="store_true", help="list them instead")


def site_of(path: Path) -> tuple[SiteFile, Path]:
    """Settings of a site and its folder; raise CliError."""
    try:
        return read_site(path), path.resolve().parent
    except SiteFileError as error:
        raise CliError(str(error), USAGE) from error


@contextmanager
def opened(path: Path) -> Generator[Store]:
    """A site's store; raise CliError when it does not open."""
    settings, folder = site_of(path)
    try:
        store = Store(settings.store_place(folder), utc_ms)
    except (SchemaMismatch, StoreUnreachable) as error:
        raise CliError(str(error), FAILED) from error
    try:
        yield store
    finally:
        store.close()


def _do(options: argparse.Namespace, what: str, run: Callable[[Tx, int], T]) -> T:
    """Run a change and its line in the audit log in one transaction; raise CliError."""
    now_ms = utc_ms()
    who = f"{getpass.getuser()} at the command line"
    line = AuditLine(None, now_ms, who, "command", f"account {what}", "", "done")
    try:
        with opened(options.settings) as store, store.write() as tx:
            found = run(tx, now_ms)
            accounts.audit(tx, line)
            return found
    except Refused as error:
        raise CliError(str(error), USAGE) from error


def _add(options: argparse.Namespace) -> int:
    kept = _asked(options)
    name, role = options.name, options.role
    made = _do(
        options, f"add {name} as {role}", lambda tx, at: accounts.add(tx, name, role, kept, at)
    )
    return _say(options, made)


def _disable(options: argparse.Namespace) -> int:
    name, out = options.name, not options.off
    word = "disable" if out else "enable"
    found = _do(options, f"{word} {name}", lambda tx, at: accounts.set_disabled(tx, name, out, at))
    return _say(options, found)


def _role(options: argparse.Namespace) -> int:
    name, role = options.name, options.role
    found = _do(
        options, f"role {name} {role}", lambda tx, at: accounts.set_role(tx, name, role, at)
    )
    return _say(options, found)


def _password(options: argparse.Namespace) -> int:
    kept, name = _asked(options), options.name
    found = _do(
        options, f"password {name}", lambda tx, at: accounts.set_password(tx, name, kept, at)
    )
    return _say(options, found)


def _token(options: argparse.Namespace) -> int:
    name = options.name
    if options.list:
        with opened(options.settings) as store, store.read() as tx:
            for one in tx.people.tokens_of(name):
                state = "revoked" if one.revoked_at else ", ".join(one.scopes)
                print(f"{one.id}  {one.name:20}  {state}")
        return OK
    if options.revoke:
        revoke = options.revoke
        _do(
            options,
            f"token {name} revoke {revoke}",
            lambda tx, at: accounts.revoke_token(tx, name, revoke, at),
        )
        print(f"{revoke}: revoked")
        return OK
    scopes = options.scope or ["read"]
    made = _do(
        options,
        f"token {name} for {options.label}: {', '.join(scopes)}",
        lambda tx, at: accounts.give_token(tx, name, options.label, scopes, (at, options.days)),
    )
    if options.json:
        print(json.dumps({"id": made.kept.id, "token": made.text, "scopes": made.kept.scopes}))
    else:
        print(made.text)
        print(f"shown this once; revoke it with --revoke {made.kept.id}", file=sys.stderr)
    return OK


def _list(options: argparse.Namespace) -> int:
    with opened(options.settings) as store, store.read() as tx:
        found = tx.people.all()
    if options.json:
        print(json.dumps([_document(one) for one in found]))
        return OK
    for one in found:
        state = "shut out" if one.disabled else one.role
        print(f"{one.id:20}  {state:10}  {one.member or ''}".rstrip())
    return OK


def _certificate(options: argparse.Namespace) -> int:
    settings, folder = site_of(options.settings)
    path, _ = certificate(settings, folder, folder)
    print(f"{path}\nSHA-256 {fingerprint(path)}")
    return OK


def _asked(options: argparse.Namespace) -> str:
    """Hash of a password that was asked for twice, or read; raise CliError."""
    try:
        if options.password_file is None:
            password = getpass.getpass("password: ")
            if getpass.getpass("again: ") != password:
                raise CliError("the two differ", USAGE)
        elif str(options.password_file) == "-":
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = options.password_file.read_text().rstrip("\n")
        return Passwords().hash(accounts.check_password(password, options.name))
    except OSError as error:
        raise CliError(f"{options.password_file}: {error.strerror}", USAGE) from error
    except Refused as error:
        raise CliError(str(error), USAGE) from error


def _say(options: argparse.Namespace, account: Account) -> int:
    if options.json:
        print(json.dumps(_document(account)))
        return OK
    may = ", ".join(MEANING[right] for right in RIGHTS if right in MAY[account.role])
    state = "shut out" if account.disabled else f"{account.role}: may {may}"
    print(f"{account.id}: {state}")
    return OK


def _document(account: Account) -> dict[str, Any]:
    return {
        "name": account.id,
        "role": account.role,
        "disabled": account.disabled,
        "created_at": account.created_at,
        "member": account.member,
    }
