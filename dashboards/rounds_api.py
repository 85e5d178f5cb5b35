"""Endpoints of the commons: communities, members, rounds, ballots, attestations, decisions.

A member shows who they are by ``Authorization: Bearer TOKEN``; the token never stands in a URL.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi import Path as InPath
from fastapi.responses import Response

from controller.adapters.clock import utc_ms
from controller.adapters.store import Tx
from controller.commons import boxes, members, rounds, urgent
from controller.commons.records import CastBallot, Member, Round
from controller.commons.verbs import Commons
from controller.people.accounts import TOKEN_MARK, bind_member
from controller.people.register import Caller
from controller.values import Community, Refused
from dashboards.commons_models import (
    AdmittedView,
    AttestedView,
    BallotAsk,
    BallotView,
    CommunityAsk,
    CommunityView,
    MembersAsk,
    NeedRoundView,
    ReceiptView,
    RoundAsk,
    RoundLine,
    RoundView,
)
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.problems import ERRORS, Problem
from dashboards.rounds_views import community_views, round_line, round_view
from dashboards.routing import add_rows

Id = Annotated[str, InPath(max_length=64)]
Bearer = Annotated[str, Header(alias="Authorization", max_length=200)]
Limit = Annotated[int, Query(ge=1, le=500)]


def token_of(header: str) -> str:
    """Token of an ``Authorization: Bearer`` header, "" when there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def voter(tx: Tx, caller: Caller, authorization: str) -> Member:
    """Who votes: the member of the account that is logged in, else of the token; raise Refused.

    An account's first vote by a token joins the two: from then on the account alone votes.
    """
    token = token_of(authorization)
    if token.startswith(TOKEN_MARK):
        token = ""
    shown = tx.members.by_token(members.hashed(token)) if token else None
    account = tx.people.get(caller.account) if caller.account else None
    if account is not None and account.member:
        if shown is not None and shown.id != account.member:
            raise Refused("not-yourself", "token", "is another member's: you vote as yourself")
        own = tx.members.get(account.member)
        if own is None or own.left_at is not None:
            raise Refused("not-a-member", "account", "is no member any more: ask your community")
        return own
    found = members.member_of(tx, token)
    if account is not None:
        bind_member(tx, account.id, found.id, utc_ms())
    return found


class Rounds:
    """Handlers of the commons over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def communities(self) -> dict[str, CommunityView]:
        """Communities, their part of everything, what they owe."""
        with self._desk.read() as tx:
            return community_views(tx)

    def put_community(self, ask: CommunityAsk) -> CommunityView:
        """Add a community or change it."""
        weight = ask.members if ask.need_weight is None else ask.need_weight
        community = Community(ask.id, ask.name, ask.members, weight)

        def run(tx: Tx) -> CommunityView:
            members.put_community(tx, community)
            return community_views(tx)[community.id]

        return self._desk.submit(run)

    def admit(self, community: Id, ask: MembersAsk) -> list[AdmittedView]:
        """Admit members; their tokens are shown this one time."""
        admitted = self._desk.submit(
            lambda tx: members.admit_members(tx, community, ask.count, ask.steward)
        )
        return [{"id": one.member.id, "token": one.token} for one in admitted]

    def leave(self, caller: Who, authorization: Bearer = "") -> CommunityView:
        """The member with this token leaves their community."""

        def run(tx: Tx) -> CommunityView:
            member = voter(tx, caller, authorization)
            members.leave(tx, member.id)
            return community_views(tx)[member.community]

        return self._desk.submit(run)

    def rounds(self, limit: Limit = 50) -> list[RoundLine]:
        """Rounds, newest first."""
        with self._desk.read() as tx:
            return [round_line(tx, found) for found in tx.rounds.page(limit)]

    def open(self, ask: RoundAsk) -> RoundView:
        """Open the next round with every stated need on its ballot."""
        return self._desk.submit(lambda tx: round_view(tx, rounds.open_round(tx, ask.hours)))

    def round(self, round_id: Id) -> RoundView:
        """A round with its needs and sums; ``current`` is the open one."""
        with self._desk.read() as tx:
            return round_view(tx, _round(tx, round_id))

    def close(self, round_id: Id) -> RoundView:
        """Close the ballot and count it."""
        with self._desk.read() as tx:
            found = _round(tx, round_id)
        Commons(self._desk.submit, self._desk.read).close(found.id)
        with self._desk.read() as tx:
            return round_view(tx, _round(tx, found.id))

    def cast(
        self, round_id: Id, ask: BallotAsk, caller: Who, authorization: Bearer = ""
    ) -> ReceiptView:
        """Cast a ballot, or replace the one cast before; until the round closes."""
        wishes = boxes.Wishes(ask.approvals, ask.limits)

        def run(tx: Tx) -> ReceiptView:
            found = _round(tx, round_id)
            receipt = boxes.cast_ballot(tx, found.id, voter(tx, caller, authorization), wishes)
            return {
                "round": found.id,
                "voter": receipt.member,
                "version": receipt.version,
                "sha256": receipt.sha256,
            }

        return self._desk.submit(run)

    def ballot(self, round_id: Id, caller: Who, authorization: Bearer = "") -> BallotView:
        """The member's own ballot as it counts now."""

        def run(tx: Tx) -> tuple[str, CastBallot | None]:
            member = voter(tx, caller, authorization)
            which = _round(tx, round_id).id
            return which, boxes.own_ballot(tx, which, member)

        which, found = self._desk.submit(run)
        if found is None:
            none: BallotView = {
                "round": which, "voter": "", "version": 0, "sha256": "", "approvals": {},
                "limits": {},
            }  # fmt: skip
            return none
        return {
            "round": which,
            "voter": found.voter,
            "version": found.version,
            "sha256": found.sha,
            "approvals": found.approvals,
            "limits": found.limits,
            "cast_at": found.cast_at,
        }

    def file(self, round_id: Id, name: Id) -> Response:
        """A published file of a round, byte for byte as its hash says."""
        with self._desk.read() as tx:
            found = tx.rounds.file(_round(tx, round_id).id, name)
        if found is None:
            raise Problem(404, "unknown", "this round has published no such file", "name")
        kind = "application/json" if name.endswith(".json") else "text/plain; charset=utf-8"
        return Response(found.body.encode(), media_type=kind, headers={"etag": f'"{found.sha}"'})

    def attest(self, need: Id, caller: Who, authorization: Bearer = "") -> AttestedView:
        """A steward attests that a need is urgent or basic; an urgent one may go ahead at once."""
        found = self._desk.submit(
            lambda tx: urgent.attest(tx, need, voter(tx, caller, authorization))
        )
        return {"need": found.id, "state": found.state, "reason": found.reason}

    def decided(self, need: Id) -> list[NeedRoundView]:
        """What each round decided of a need."""
        with self._desk.read() as tx:
            return [
                {"round": d.round, "state": d.state, "stage": d.stage, "reason": d.reason}
                for d in tx.rounds.decided(need)
            ]


def _round(tx: Tx, round_id: str) -> Round:
    found = tx.rounds.current() if round_id == "current" else tx.rounds.get(round_id)
    if found is None:
        words = "no round is open" if round_id == "current" else "there is no such round"
        raise Problem(404, "unknown", f"{words}; see /api/rounds", "round")
    return found


def router(desk: Desk) -> APIRouter:
    """Routes of the commons."""
    handlers = Rounds(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/communities", handlers.communities, dict[str, CommunityView]),
        ("POST", "/api/communities", handlers.put_community, CommunityView),
        ("POST", "/api/communities/{community}/members", handlers.admit, list[AdmittedView]),
        ("POST", "/api/members/leave", handlers.leave, CommunityView),
        ("GET", "/api/rounds", handlers.rounds, list[RoundLine]),
        ("POST", "/api/rounds", handlers.open, RoundView),
        ("GET", "/api/rounds/{round_id}", handlers.round, RoundView),
        ("POST", "/api/rounds/{round_id}/close", handlers.close, RoundView),
        ("POST", "/api/rounds/{round_id}/ballot", handlers.cast, ReceiptView),
        ("GET", "/api/rounds/{round_id}/ballot", handlers.ballot, BallotView),
        ("POST", "/api/needs/{need}/attest", handlers.attest, AttestedView),
        ("GET", "/api/needs/{need}/rounds", handlers.decided, list[NeedRoundView]),
    )
    routes.add_api_route(
        "/api/rounds/{round_id}/files/{name}", handlers.file, response_class=Response
    )
    return routes
