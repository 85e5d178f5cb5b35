"""Endpoints by which machines come to a site and are put out of it."""

from typing import Annotated, Protocol

from fastapi import APIRouter
from fastapi import Path as InPath
from pydantic import StringConstraints
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.asks import Ask, Name
from dashboards.gate import Who
from dashboards.problems import ERRORS

Id = Annotated[str, InPath(max_length=64)]
CodeName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class EnrolAsk(Ask):
    """Who lets a machine in, or puts it out."""

    who: Name = "someone at the page"


class RedeemAsk(Ask):
    """The public half of a stretched code; the code itself never travels."""

    name: CodeName


class CodeView(TypedDict):
    """A code to type in where the machine is; good once, for 15 minutes."""

    code: str


class SealedView(TypedDict):
    """Settings that only the code opens."""

    sealed: str


class Doorkeeper(Protocol):
    """Lets machines in and puts them out; any may raise ``Refused``."""

    def code(self, machine: str, who: str) -> str:
        """A one-time code for a registered machine."""
        ...

    def redeem(self, name: str) -> str:
        """Settings for the machine a code names, sealed with it; once."""
        ...

    def revoke(self, machine: str, who: str) -> None:
        """Take a machine's credentials away and put it out."""
        ...


def router(door: Doorkeeper) -> APIRouter:
    """Routes over who lets machines in."""
    routes = APIRouter(responses=ERRORS)

    def enrol(machine: Id, ask: EnrolAsk, caller: Who) -> CodeView:
        """A one-time code for a machine; one made before is worth nothing."""
        return {"code": door.code(machine, caller.named(ask.who))}

    def redeem(ask: RedeemAsk) -> SealedView:
        """A new machine fetches its settings, once."""
        return {"sealed": door.redeem(ask.name)}

    def revoke(machine: Id, ask: EnrolAsk, caller: Who) -> CodeView:
        """Put a machine out: its credentials are worth nothing from now on."""
        door.revoke(machine, caller.named(ask.who))
        return {"code": ""}

    table = (
        ("/api/enrol", redeem, SealedView),
        ("/api/machines/{machine}/enrol", enrol, CodeView),
        ("/api/machines/{machine}/revoke", revoke, CodeView),
    )
    for path, handler, model in table:
        routes.add_api_route(path, handler, methods=["POST"], response_model=model)
    return routes
