"""Endpoints of an admin: accounts and their roles; and of who did what."""

from typing import Annotated, Literal, NotRequired

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import StringConstraints
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters.store import Tx
from controller.people import accounts
from controller.people.records import Account, AuditLine
from dashboards.asks import Ask
from dashboards.gate import Gate
from dashboards.people_api import Name, Password
from dashboards.problems import ERRORS
from dashboards.routing import add_rows

Id = Annotated[str, InPath(max_length=64)]
Role = Literal["member", "technician", "steward", "admin"]
Limit = Annotated[int, Query(ge=1, le=1000)]
Before = Annotated[int, Query(ge=0, le=2**53)]
WhoText = Annotated[str, StringConstraints(max_length=60)]


class AccountAsk(Ask):
    """A new account."""

    name: Name
    role: Role = "member"
    password: Password


class ChangeAsk(Ask):
    """What to change of an account; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class AccountView(TypedDict):
    """An account, without anything secret."""

    name: str
    role: str
    disabled: bool
    created_at: int
    member: NotRequired[str]
    oidc: NotRequired[str]


class AuditView(TypedDict):
    """One line of the audit log."""

    id: int
    at: int
    who: str
    how: str
    what: str
    address: str
    outcome: str


class Accounts:
    """Handlers over one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = gate.desk

    def all(self) -> list[AccountView]:
        """Every account."""
        with self._desk.read() as tx:
            return [account_view(one) for one in tx.people.all()]

    def add(self, ask: AccountAsk) -> AccountView:
        """Make an account."""
        kept = self._gate.passwords.hash(accounts.check_password(ask.password, ask.name))
        now_ms = self._gate.now_ms()
        made = self._desk.submit(lambda tx: accounts.add(tx, ask.name, ask.role, kept, now_ms))
        self._gate.register.look()
        return account_view(made)

    def change(self, name: Id, ask: ChangeAsk) -> AccountView:
        """Change an account's role, shut it out or let it in, give it a password."""
        now_ms = self._gate.now_ms()
        kept = None
        if ask.password is not None:
            kept = self._gate.passwords.hash(accounts.check_password(ask.password, name))

        def run(tx: Tx) -> Account:
            if ask.role is not None:
                accounts.set_role(tx, name, ask.role, now_ms)
            if ask.disabled is not None:
                accounts.set_disabled(tx, name, ask.disabled, now_ms)
            if kept is not None:
                accounts.set_password(tx, name, kept, now_ms)
            return accounts.known(tx, name)

        changed = self._desk.submit(run)
        self._gate.register.look()
        return account_view(changed)

    def audit(self, limit: Limit = 200, before: Before = 0, who: WhoText = "") -> list[AuditView]:
        """Who did what, newest first."""
        with self._desk.read() as tx:
            return [audit_view(line) for line in tx.people.audit_page(limit, before, who)]


def account_view(account: Account) -> AccountView:
    """An account as JSON."""
    view: AccountView = {
        "name": account.id,
        "role": account.role,
        "disabled": account.disabled,
        "created_at": account.created_at,
    }
    if account.member is not None:
        view["member"] = account.member
    if account.oidc is not None:
        view["oidc"] = account.oidc
    return view


def audit_view(line: AuditLine) -> AuditView:
    """A line of the audit log as JSON."""
    return {
        "id": line.id or 0,
        "at": line.at,
        "who": line.who,
        "how": line.how,
        "what": line.what,
        "address": line.address,
        "outcome": line.outcome,
    }


def router(gate: Gate) -> APIRouter:
    """Routes of accounts and of the audit log."""
    handlers = Accounts(gate)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/accounts", handlers.all, list[AccountView]),
        ("POST", "/api/accounts", handlers.add, AccountView),
        ("POST", "/api/accounts/{name}", handlers.change, AccountView),
        ("GET", "/api/audit", handlers.audit, list[AuditView]),
    )
    return routes
