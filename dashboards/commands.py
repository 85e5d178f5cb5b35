"""Endpoints that change something. Each carries an idempotency key; machine commands also carry
the state the person saw, and are refused (409) when it has changed meanwhile.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, NotRequired, cast

from fastapi import APIRouter, Header
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.people.register import Caller
from controller.values import NeedRequest, Refused
from dashboards.asks import (
    MAX_BATCH,
    ClearAsk,
    CommandAsk,
    LoadAsk,
    NeedAsk,
    ResolveAsk,
)
from dashboards.desk import Answer, Desk, Outcome, Person
from dashboards.gate import Who
from dashboards.once import Once
from dashboards.problems import ERRORS, Problem, ProblemView, of_refusal, of_validation
from dashboards.routing import add_rows
from protocols.records import is_id

Id = Annotated[str, InPath(max_length=64)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=64)]
STOP_WAIT_THREADS = 4


class AnswerView(TypedDict):
    """What became of a command: code "sent", "done", ..."""

    id: str
    code: str
    message: NotRequired[str]


class LineView(TypedDict):
    """Result of one line of a batch of needs."""

    n: int
    need: NotRequired[str]
    state: NotRequired[str]
    reason: NotRequired[str]
    problem: NotRequired[ProblemView]


class NeedsAnswer(TypedDict):
    """Results of a batch, line by line, and how many were accepted."""

    accepted: int
    lines: list[LineView]


class Commands:
    """Handlers of the changing endpoints over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._done = Once()
        # its own threads: an emergency stop never queues behind requests that wait for a commit
        self.stoppers = ThreadPoolExecutor(STOP_WAIT_THREADS, thread_name_prefix="stop")

    def needs(self, ask: dict[str, Any], caller: Who, key: Key = "") -> Response:
        """State one need, or a batch as ``{"needs": [...]}``; each line succeeds or fails alone.

        With ``"all_or_nothing": true`` one bad line refuses them all.
        """
        lines, whole = needs_of(ask)
        results = [_checked(line) for line in lines]
        good = [(n, line) for n, line in enumerate(results) if isinstance(line, NeedAsk)]
        if whole and len(good) < len(results):
            n, bad = next((n, r) for n, r in enumerate(results) if not isinstance(r, NeedAsk))
            words = f"line {n + 1}: {bad['message']}"
            raise Problem(422, "all-or-nothing", words, bad.get("field", ""))
        requests = [self._request(line, caller, key, n) for n, line in good]
        stated = self._desk.state_needs(requests, all_or_nothing=whole)
        answers = {n: _line(n, answer) for (n, _), answer in zip(good, stated, strict=True)}
        views = [answers.get(n) or {"n": n, "problem": r} for n, r in enumerate(results)]
        accepted = sum("need" in view for view in views)
        answer: NeedsAnswer = {"accepted": accepted, "lines": cast(list[LineView], views)}
        if accepted:
            return JSONResponse(answer, 200)
        problems = [view["problem"] for view in answer["lines"] if "problem" in view]
        return JSONResponse({**answer, "problems": problems}, 422)

    def _request(self, ask: NeedAsk, caller: Caller, header_key: str, n: int) -> NeedRequest:
        own = ask.key or (f"{header_key}/{n}" if header_key else secrets.token_hex(12))
        return NeedRequest(
            key=own,
            community=ask.community,
            design=ask.design,
            part=ask.part or "",
            quantity=ask.quantity,
            due_at=ask.due_at,
            need_class=ask.need_class,
            note=ask.note,
            stated_by=caller.account or ask.stated_by,
        )

    def clear(self, machine: Id, ask: ClearAsk, caller: Who, key: Key = "") -> AnswerView:
        """The bed or fixture is clear; the result of what was on it, with the same tap."""
        outcome = Outcome(ask.result, ask.pieces)
        return self._once(
            key,
            lambda: self._desk.clear(machine, outcome, _seen(ask, caller, key)),
            f"clear {machine}",
        )

    def control(
        self,
        machine: Id,
        do: Annotated[Literal["pause", "resume", "cancel"], InPath()],
        ask: CommandAsk,
        caller: Who,
        key: Key = "",
    ) -> AnswerView:
        """Pause, resume or cancel what the machine does."""
        return self._once(
            key, lambda: self._desk.control(machine, do, _seen(ask, caller, key)), f"{do} {machine}"
        )

    def load(self, machine: Id, ask: LoadAsk, caller: Who, key: Key = "") -> AnswerView:
        """A person put a lot into a channel of the machine."""
        return self._once(
            key,
            lambda: self._desk.load(machine, ask.ch, ask.lot, _seen(ask, caller, key)),
            f"load {machine}",
        )

    def resolve(self, order: Id, ask: ResolveAsk, caller: Who, key: Key = "") -> AnswerView:
        """A person looked: settles an order whose end is unknown."""
        outcome = Outcome(ask.result, ask.pieces, ask.note)
        person = _unseen(ask, caller, key)
        return self._once(
            key, lambda: self._desk.resolve(order, outcome, person), f"resolve {order}"
        )

    def retry(self, operation: Id, ask: CommandAsk, caller: Who, key: Key = "") -> AnswerView:
        """A person lets an operation that used up its attempts be tried again."""
        return self._once(
            key,
            lambda: self._desk.retry(operation, _unseen(ask, caller, key)),
            f"retry {operation}",
        )

    def release(self, machine: Id, ask: CommandAsk, caller: Who, key: Key = "") -> AnswerView:
        """A person trusts a quarantined machine again."""
        return self._once(
            key,
            lambda: self._desk.release(machine, _unseen(ask, caller, key)),
            f"release {machine}",
        )

    async def stop(self, machine: Id, caller: Who, who: str = "someone at the page") -> AnswerView:
        """Emergency stop: never asks, reads no database, has no body that could be wrong."""
        loop = asyncio.get_running_loop()
        said = caller.named(who[:60])
        return _view(await loop.run_in_executor(self.stoppers, self._desk.stop, machine, said))

    def _once(self, key: str, run: Callable[[], Answer], what: str) -> AnswerView:
        """One answer per key and act; the controller refuses a key used for another act."""
        return _view(self._done.run(f"{key} {what}" if key else "", run))


def _seen(ask: CommandAsk, caller: Caller, key: str) -> Person:
    return Person(caller.named(ask.who), command_id(key), ask.saw)


def _unseen(ask: CommandAsk | ResolveAsk, caller: Caller, key: str) -> Person:
    return Person(caller.named(ask.who), command_id(key))


def needs_of(ask: dict[str, Any]) -> tuple[list[Any], bool]:
    """Lines of a body that states one need or a batch, and whether it is all of them or none."""
    if "needs" not in ask:
        return [ask], False
    lines = ask["needs"]
    if not isinstance(lines, list) or not lines or len(cast(list[Any], lines)) > MAX_BATCH:
        raise Problem(422, "range", f"must be a list of 1 to {MAX_BATCH} needs", "needs")
    return cast(list[Any], lines), ask.get("all_or_nothing") is True


def _checked(line: Any) -> NeedAsk | ProblemView:
    try:
        return NeedAsk.model_validate(line)
    except ValidationError as error:
        return of_validation(cast(dict[str, Any], error.errors()[0]))


def command_id(key: str) -> str:
    """Id of a command on the wire from an idempotency key of any form."""
    if not key:
        return secrets.token_hex(12)
    return key if is_id(key) else hashlib.sha256(key.encode()).hexdigest()[:32]


def _line(n: int, result: object) -> LineView:
    if isinstance(result, Refused):
        return {"n": n, "problem": of_refusal(result)}
    if isinstance(result, Exception):
        raise result
    need: Any = result
    line: LineView = {"n": n, "need": need.id, "state": need.state}
    if need.reason:
        line["reason"] = need.reason
    return line


def _view(answer: Answer) -> AnswerView:
    view: AnswerView = {"id": answer.id, "code": answer.code}
    if answer.message:
        view["message"] = answer.message
    return view


def router(commands: Commands) -> APIRouter:
    """Routes of the changing endpoints."""
    routes = APIRouter(responses=ERRORS)
    routes.add_api_route(
        "/api/needs",
        commands.needs,
        methods=["POST"],
        response_class=Response,
        responses={200: {"model": NeedsAnswer}},
    )
    add_rows(
        routes,
        ("POST", "/api/machines/{machine}/stop", commands.stop, AnswerView),
        ("POST", "/api/machines/{machine}/clear", commands.clear, AnswerView),
        ("POST", "/api/machines/{machine}/load", commands.load, AnswerView),
        ("POST", "/api/machines/{machine}/release", commands.release, AnswerView),
        ("POST", "/api/machines/{machine}/{do}", commands.control, AnswerView),
        ("POST", "/api/orders/{order}/resolve", commands.resolve, AnswerView),
        ("POST", "/api/operations/{operation}/retry", commands.retry, AnswerView),
    )
    return routes
