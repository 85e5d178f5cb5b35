"""Errors people can act on: each names the field and says what to do; bad input is never a 500."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.values import Deposed, Refused
from controller.writer import WriterClosed


class ProblemView(TypedDict):
    """One thing wrong with a request."""

    code: str
    message: str
    field: NotRequired[str]


class ErrorView(TypedDict):
    """Body of every error response."""

    problems: list[ProblemView]


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorView, "description": "what is wrong and how to put it right"}
}


class Problem(Exception):
    """A request that cannot be done. Attributes: status (HTTP), problems."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(status, code, message, field)
        self.status = status
        self.problems = [problem(code, message, field)]


# codes of the controller that mean something else than "your input is wrong"
STATUS_OF = {
    "changed": 409,
    "conflict": 409,
    "key-used": 409,
    "not-open": 409,
    "not-held": 409,
    "not-lying": 409,
    "robot-at-bed": 409,
    "too-late": 409,
    "never-heard": 409,
    "unreachable": 504,
    "not-a-member": 401,
    "not-a-steward": 403,
    "not-yourself": 403,
    "last-admin": 409,
    "disabled": 403,
}


def status_of(code: str) -> int:
    """HTTP status of a refusal by the controller."""
    return 404 if code.startswith("unknown") else STATUS_OF.get(code, 422)


PLACES = ("body", "query", "path", "header")
WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request; check its spelling",
}


def problem(code: str, message: str, field: str = "") -> ProblemView:
    """One problem; field is left out when it concerns the whole request."""
    view: ProblemView = {"code": code, "message": message}
    if field:
        view["field"] = field
    return view


def response(status: int, problems: Sequence[ProblemView]) -> JSONResponse:
    """Error response."""
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse({"problems": list(problems)}, status, headers=headers)


def of_refusal(refused: Refused) -> ProblemView:
    """Problem of a refusal by the controller."""
    return problem(refused.code, refused.message, refused.field)


def of_validation(error: Mapping[str, Any]) -> ProblemView:
    """Problem of one validation error of pydantic."""
    place = [str(part) for part in error["loc"] if part not in PLACES]
    kind = str(error["type"])
    return problem(kind, WORDS.get(kind, str(error["msg"])[:300]), ".".join(place))


def install(app: FastAPI) -> None:
    """Answer every error of the app in the one form."""

    async def on_problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return response(error.status, error.problems)

    async def on_refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        return response(status_of(error.code), [of_refusal(error)])

    async def on_validation(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return response(422, [of_validation(item) for item in error.errors()[:20]])

    async def on_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return response(error.status_code, [problem("http", str(error.detail))])

    async def on_busy(_: Request, error: Exception) -> JSONResponse:
        word = "the floor's store is busy or failing; nothing was done for certain, try again"
        return response(503, [problem("busy", f"{word} ({type(error).__name__})")])

    app.add_exception_handler(Problem, on_problem)
    for busy in (TimeoutError, SQLAlchemyError, WriterClosed, Deposed):
        app.add_exception_handler(busy, on_busy)
    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
