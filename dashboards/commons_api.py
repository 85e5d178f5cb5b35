"""Endpoints by which people join other commons and leave them."""

from typing import Annotated, Protocol

from fastapi import APIRouter
from fastapi import Path as InPath
from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.commons.joined import Joined
from controller.values import Json
from dashboards.asks import Ask, Id
from dashboards.problems import ERRORS

Site = Annotated[str, InPath(max_length=64)]


class JoinAsk(Ask):
    """A commons to join: its site id, its public key, its address ("" = it only asks here)."""

    site: Id
    public_key: str = Field(max_length=64)
    url: str = Field("", max_length=300)
    unsigned: bool = Field(False, description="believe unsigned answers until it signs one")


class PeerView(TypedDict):
    """A joined commons; ``reached_at`` 0 = never, ``why`` = what went wrong last.

    ``fix``: what to do about it.

    ``cursor``: how far its offers were read; ``taken``: its needs here by state (claimed, begun,
    done); ``lent``: ours it holds (leased, begun, done).

    ``forged``: answers so far that were not its own; ``answers``: signed, unsigned, "" = none yet.
    """

    site: str
    url: str
    left: bool
    public_key: str
    reached_at: int
    why: str
    fix: str
    cursor: int
    taken: dict[str, int]
    lent: dict[str, int]
    forged: int
    answers: str
    making_for_them: int
    made_by_them: int


class CommonsView(TypedDict):
    """This site as others know it, and the commons it joined."""

    site: str
    public_key: str
    peers: list[PeerView]


class JoinedView(TypedDict):
    """A commons that was joined or left."""

    site: str
    url: str
    left: bool


class Commons(Protocol):
    """What joins commons; any may raise ``Refused``."""

    @property
    def name(self) -> str:
        """This site's id."""
        ...

    @property
    def public_key(self) -> str:
        """This site's key as others know it."""
        ...

    def join(self, site: str, url: str, public_key: str, *, unsigned: bool = False) -> Joined:
        """Join a commons."""
        ...

    def leave(self, site: str) -> Joined:
        """Leave a commons."""
        ...

    def peers(self) -> list[Json]:
        """Every joined commons."""
        ...


def router(commons: Commons) -> APIRouter:
    """Routes over what joins commons."""
    routes = APIRouter(responses=ERRORS)

    def show() -> CommonsView:
        """This site's public key, and the commons it joined."""
        peers = [PeerView(**peer) for peer in commons.peers()]
        return {"site": commons.name, "public_key": commons.public_key, "peers": peers}

    def join(ask: JoinAsk) -> JoinedView:
        """Join a commons, or change its address and key."""
        return _view(commons.join(ask.site, ask.url, ask.public_key, unsigned=ask.unsigned))

    def leave(site: Site) -> JoinedView:
        """Leave a commons: what was begun ends, nothing new is begun."""
        return _view(commons.leave(site))

    routes.add_api_route("/api/commons", show, response_model=CommonsView)
    routes.add_api_route("/api/commons", join, methods=["POST"], response_model=JoinedView)
    leaving = "/api/commons/{site}/leave"
    routes.add_api_route(leaving, leave, methods=["POST"], response_model=JoinedView)
    return routes


def _view(found: Joined) -> JoinedView:
    return {"site": found.site, "url": found.url, "left": found.left}
