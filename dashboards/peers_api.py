"""Endpoints for other sites: needs offered here, leases on them; both ways signed."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters import answers, peers
from controller.adapters.store import Tx
from controller.commons import leases
from controller.commons.records import SharedNeed
from controller.values import Need
from dashboards.asks import Ask, Id
from dashboards.desk import Desk
from dashboards.problems import ERRORS, Problem

VERBS: dict[str, Callable[[Tx, str, list[leases.Claim]], leases.Answer]] = {
    "claims": lambda tx, site, claims: leases.claim(tx, site, [one.need for one in claims]),
    "begin": leases.begin,
    "completions": leases.complete,
    "releases": leases.release,
}
NeedId = Annotated[str, InPath(max_length=64)]


class ClaimAsk(Ask):
    """A need and the token it is held by; 0 when it is not held yet."""

    need: Id
    token: int = Field(0, ge=0, le=2**53)


class ClaimsAsk(Ask):
    """A batch of claims."""

    claims: list[ClaimAsk] = Field(max_length=leases.MAX_BATCH)


class ClaimView(TypedDict):
    """A claim that stands; ``expires_at`` by the home's clock, 0 once begun."""

    need: str
    token: int
    expires_at: int


class ClaimsView(TypedDict):
    """What became of a batch."""

    claims: list[ClaimView]
    refused: dict[str, str]


class OffersView(TypedDict):
    """Needs offered to other sites, and the cursor to go on from."""

    home: str
    needs: list[dict[str, Any]]
    cursor: int


class SharedView(TypedDict):
    """A need of ours that is offered to other sites."""

    need: str
    state: str
    holder: str


class Signed(NamedTuple):
    """What a request says, under which signature, and what its asker drew; not yet believed."""

    request: peers.Request
    signature: str
    nonce: str


class Peers:
    """Handlers for other sites over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def offers(self, request: Request, after: Annotated[int, Query(ge=0)] = 0) -> Response:
        """Needs offered here after a cursor."""
        signed = await self._signed(request)

        def run(tx: Tx) -> OffersView:
            self._admit(tx, signed)
            listed, cursor = leases.offers(tx, after)
            return {"home": self._desk.name, "needs": listed, "cursor": cursor}

        return await self._answer(signed, run)

    async def ask(
        self,
        request: Request,
        verb: Annotated[Literal["claims", "begin", "completions", "releases"], InPath()],
        ask: ClaimsAsk,
    ) -> Response:
        """Claim needs, begin, complete or give them back."""
        signed = await self._signed(request)
        claims = [leases.Claim(one.need, one.token) for one in ask.claims]

        def run(tx: Tx) -> ClaimsView:
            self._admit(tx, signed)
            answer = VERBS[verb](tx, signed.request.site, claims)
            good = [
                ClaimView(need=one.need, token=one.token, expires_at=ends)
                for one, ends in answer.good
            ]
            return {"claims": good, "refused": answer.refused}

        return await self._answer(signed, run)

    def share(self, need: NeedId) -> SharedView:
        """Offer a need to other sites instead of making it here."""
        return _shared(self._desk.submit(lambda tx: leases.share(tx, need)))

    def take_home(self, need: NeedId) -> SharedView:
        """Make a need here after all."""
        found: Need = self._desk.submit(lambda tx: leases.take_home(tx, need))
        return {"need": found.id, "state": "home", "holder": ""}

    async def _answer(self, signed: Signed, run: Callable[[Tx], Any]) -> Response:
        """What the writer says once it is committed, signed as the answer to this request."""
        from starlette.concurrency import run_in_threadpool

        body = msgspec.json.encode(await run_in_threadpool(self._desk.submit, run))
        sign, headers = self._desk.sign, dict[str, str]()
        if sign is not None:
            asked = answers.Question(self._desk.name, signed.request.content(), signed.nonce)
            headers = answers.seal(asked, sign, self._desk.clock.now_ms(), body)
        return Response(body, media_type="application/json", headers=headers)

    async def _signed(self, request: Request) -> Signed:
        site, seq = request.headers.get(peers.SITE, ""), request.headers.get(peers.SEQ, "")
        if not site or not (seq.isascii() and seq.isdigit() and len(seq) < 16):
            raise Problem(401, "unsigned", f"needs {peers.SITE}, {peers.SEQ}, {peers.SIGNATURE}")
        query = f"?{request.url.query}" if request.url.query else ""
        path, body = request.url.path + query, await request.body()
        made = peers.Request(request.method, path, self._desk.name, site, int(seq), body)
        nonce = request.headers.get(answers.NONCE, "")[: answers.MAX_NONCE]
        return Signed(made, request.headers.get(peers.SIGNATURE, ""), nonce)

    @staticmethod
    def _admit(tx: Tx, signed: Signed) -> None:
        """Believe a request once: a known site, its signature, a new number."""
        request = signed.request
        peer = tx.peers.get(request.site)
        if peer is None or not peers.genuine(request, peer.public_key, signed.signature):
            raise Problem(401, "signature", "is not the signature of a site that joined here")
        if not tx.peers.use_seq(request.site, request.seq):
            raise Problem(409, "replayed", f"a request number above {peer.last_seq} is needed")


def _shared(found: SharedNeed) -> SharedView:
    return {"need": found.need, "state": found.state, "holder": found.holder}


def router(desk: Desk) -> APIRouter:
    """Routes for other sites, and of offering needs to them."""
    handlers = Peers(desk)
    routes = APIRouter(responses=ERRORS)
    routes.add_api_route("/commons/needs", handlers.offers, response_model=OffersView)
    for path, handler, model in (
        ("/commons/needs/{verb}", handlers.ask, ClaimsView),
        ("/api/needs/{need}/share", handlers.share, SharedView),
        ("/api/needs/{need}/take-home", handlers.take_home, SharedView),
    ):
        routes.add_api_route(path, handler, methods=["POST"], response_model=model)
    return routes
