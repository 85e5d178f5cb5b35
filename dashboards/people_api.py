"""Endpoints of coming and going: log in, log out, who am I, the first account, one's own tokens."""

import secrets
from typing import Annotated, NotRequired

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters.store import Tx
from controller.commons.members import member_of
from controller.people import accounts
from controller.people.records import ApiToken
from controller.people.roles import ADMIN, READ, RIGHTS
from dashboards import oidc_api
from dashboards.asks import Ask
from dashboards.gate import Gate, Who, address_of
from dashboards.problems import ERRORS, Problem
from dashboards.routing import add_rows

Id = Annotated[str, InPath(max_length=64)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=accounts.MAX_PASSWORD)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=100)]
WRONG = "name or password is wrong"


class LogInAsk(Ask):
    """Who comes."""

    name: Name
    password: Password


class SetUpAsk(LogInAsk):
    """The first account, with the code the controller printed."""

    code: Secret


class PasswordAsk(Ask):
    """A new password for oneself."""

    old: Password
    new: Password


class MemberAsk(Ask):
    """The token of the member one is; it ends with this."""

    token: Secret


class TokenAsk(Ask):
    """A token for a program that acts for one, within scopes, for so many days."""

    name: Name
    scopes: list[Name] = Field(max_length=len(RIGHTS))
    days: int = Field(90, ge=1, le=accounts.MAX_TOKEN_DAYS)


class MeView(TypedDict):
    """Who asks and what they may do; ``log_in`` false: everybody here is the admin."""

    name: str
    how: str
    role: str
    rights: list[str]
    log_in: bool
    accounts: bool
    on_floor: bool
    member: NotRequired[str]
    oidc: NotRequired[str]
    stops: NotRequired[list[str]]  # machines that somebody on the floor may stop without a log-in


class TokenView(TypedDict):
    """A token without its text, which is shown once (``token``)."""

    id: str
    name: str
    scopes: list[str]
    created_at: int
    expires_at: int
    revoked_at: NotRequired[int]
    token: NotRequired[str]


class People:
    """Handlers over one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = gate.desk
        self.oidc_label: str = gate.rules.oidc.label if gate.rules.oidc else ""

    async def me(self, request: Request, caller: Who) -> MeView:
        """Who I am here, and what I may do."""
        gate = self._gate
        view: MeView = {
            "name": caller.account,
            "how": caller.how,
            "role": caller.role,
            "rights": sorted(caller.rights),
            "log_in": not gate.open,
            "accounts": not gate.register.empty,
            "on_floor": gate.on_floor(request),
        }
        if caller.member:
            view["member"] = caller.member
        if view["on_floor"] and READ not in caller.rights:
            view["stops"] = await run_in_threadpool(self._machines)
        if self.oidc_label:
            view["oidc"] = self.oidc_label
        return view

    def _machines(self) -> list[str]:
        with self._desk.read() as tx:
            return [one.id for one in tx.machines.all() if one.link != "person"]

    def log_in(self, ask: LogInAsk, request: Request, response: Response) -> MeView:
        """Begin a session: its cookie is in the answer."""
        name = ask.name.strip().lower()
        request.state.tried = name
        gate, address = self._gate, address_of(request.scope)
        self._knock(address)
        wait_s = gate.tries.take(f"{name} {address}")
        if wait_s:
            raise Problem(429, "slow-down", f"too many log-ins; wait {wait_s:.0f} s")
        gate.register.look()
        found = gate.register.account(name)
        kept = found.password if found is not None and not found.disabled else None
        if not gate.passwords.matches(kept, ask.password):
            raise Problem(401, "log-in", WRONG)
        gate.tries.give_back(f"{name} {address}")
        return self.begin(name, request, response)

    def begin(self, name: str, request: Request, response: Response) -> MeView:
        """Open a session for an account that was found to be who it says."""
        gate, address = self._gate, address_of(request.scope)
        life_ms, now_ms = gate.rules.session_ms, gate.now_ms()
        text = self._desk.submit(
            lambda tx: accounts.open_session(tx, name, life_ms, now_ms, address)
        )
        gate.register.look()
        response.set_cookie(
            gate.cookie,
            text,
            max_age=life_ms // 1000,
            httponly=True,
            samesite="strict",
            secure=gate.rules.tls,
        )
        caller = gate.register.by_session(text)
        assert caller is not None
        return {
            "name": name,
            "how": "session",
            "role": caller.role,
            "rights": sorted(caller.rights),
            "log_in": True,
            "accounts": True,
            "on_floor": gate.on_floor(request),
        }

    def log_out(self, caller: Who, response: Response) -> dict[str, bool]:
        """End the session."""
        if caller.how == "session":
            self._desk.submit(lambda tx: accounts.close_session(tx, caller.key))
            self._gate.register.look()
        response.delete_cookie(self._gate.cookie, secure=self._gate.rules.tls, httponly=True)
        return {"ok": True}

    def set_up(self, ask: SetUpAsk, request: Request, response: Response) -> MeView:
        """Make the first account, an admin, with the code the controller printed; once."""
        gate = self._gate
        request.state.tried = ask.name
        self._knock(address_of(request.scope))
        gate.register.look()
        code = gate.rules.set_up_code
        if not gate.register.empty or not code:
            raise Problem(409, "conflict", "there is an account already: ask its admin for yours")
        if not secrets.compare_digest(code.encode(), ask.code.strip().encode()):
            raise Problem(
                401, "code", "is not the code the controller printed at its start", "code"
            )
        password = accounts.check_password(ask.password, ask.name)
        kept, now_ms = gate.passwords.hash(password), gate.now_ms()

        def run(tx: Tx) -> None:
            if tx.people.all():
                raise Problem(409, "conflict", "there is an account already")
            accounts.add(tx, ask.name, ADMIN, kept, now_ms)

        self._desk.submit(run)
        return self.begin(ask.name, request, response)

    def password(
        self, ask: PasswordAsk, request: Request, caller: Who, response: Response
    ) -> MeView:
        """Change one's own password; every other session ends."""
        gate = self._gate
        self._knock(address_of(request.scope))
        found = gate.register.account(caller.account)
        if found is None or not gate.passwords.matches(found.password, ask.old):
            raise Problem(401, "log-in", "is not your password", "old")
        kept = gate.passwords.hash(accounts.check_password(ask.new, caller.account))
        now_ms = gate.now_ms()
        self._desk.submit(lambda tx: accounts.set_password(tx, caller.account, kept, now_ms))
        return self.begin(caller.account, request, response)

    def member(self, ask: MemberAsk, caller: Who) -> dict[str, str]:
        """Be the member of this token: from now on the account alone votes."""
        now_ms = self._gate.now_ms()

        def run(tx: Tx) -> str:
            found = member_of(tx, ask.token)
            accounts.bind_member(tx, caller.account, found.id, now_ms)
            return found.id

        found = self._desk.submit(run)
        self._gate.register.look()
        return {"member": found}

    def tokens(self, caller: Who) -> list[TokenView]:
        """One's own tokens."""
        with self._desk.read() as tx:
            return [token_view(one) for one in tx.people.tokens_of(caller.account)]

    def give_token(self, ask: TokenAsk, caller: Who) -> TokenView:
        """A token for a program; its text is shown this one time."""
        ends = (self._gate.now_ms(), ask.days)
        scopes = [str(scope) for scope in ask.scopes]
        made = self._desk.submit(
            lambda tx: accounts.give_token(tx, caller.account, ask.name, scopes, ends)
        )
        self._gate.register.look()
        return {**token_view(made.kept), "token": made.text}

    def revoke_token(self, token: Id, caller: Who) -> dict[str, bool]:
        """End one of one's own tokens."""
        now_ms = self._gate.now_ms()
        self._desk.submit(lambda tx: accounts.revoke_token(tx, caller.account, token, now_ms))
        self._gate.register.look()
        return {"ok": True}

    def _knock(self, address: str) -> None:
        wait_s = self._gate.knocks.take(address)
        if wait_s:
            raise Problem(429, "slow-down", f"too many log-ins from here; wait {wait_s:.0f} s")


def token_view(token: ApiToken) -> TokenView:
    """A token as JSON, without its text."""
    view: TokenView = {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
    if token.revoked_at is not None:
        view["revoked_at"] = token.revoked_at
    return view


def router(gate: Gate) -> APIRouter:
    """Routes of coming and going."""
    people = People(gate)
    routes = APIRouter(responses=ERRORS)
    if gate.rules.oidc is not None:
        routes.include_router(oidc_api.router(gate, gate.rules.oidc, people.begin))
    add_rows(
        routes,
        ("GET", "/api/me", people.me, MeView),
        ("POST", "/api/log-in", people.log_in, MeView),
        ("POST", "/api/log-out", people.log_out, dict[str, bool]),
        ("POST", "/api/set-up", people.set_up, MeView),
        ("POST", "/api/me/password", people.password, MeView),
        ("POST", "/api/me/member", people.member, dict[str, str]),
        ("GET", "/api/me/tokens", people.tokens, list[TokenView]),
        ("POST", "/api/me/tokens", people.give_token, TokenView),
        ("POST", "/api/me/tokens/{token}/revoke", people.revoke_token, dict[str, bool]),
    )
    return routes
