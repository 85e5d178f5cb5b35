"""Endpoints of stations: what a person does there, photos, signing off with what was found."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from fastapi import APIRouter, Header, Request
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller import execution
from controller.adapters.store import Tx
from controller.commands import Asker, saw
from controller.execution import Findings
from controller.joints import stations
from controller.links import HANDS
from controller.pictures import MAX_BYTES, BadPicture, PictureFacts, examine
from controller.routed import Photo, SignOff
from controller.values import JobOrder, Machine, Operation, Refused
from dashboards.asks import CommandAsk, Name
from dashboards.commands import AnswerView, command_id
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.present import present
from dashboards.problems import ERRORS, Problem
from dashboards.routing import add_rows

MAX_PHOTOS = 6
Id = Annotated[str, InPath(max_length=64)]
Sha256 = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=64)]
Check = Annotated[str, StringConstraints(max_length=200)]
Words = Annotated[str, StringConstraints(max_length=500)]
KEPT = {"cache-control": "private, max-age=31536000, immutable"}


class SignAsk(CommandAsk):
    """What a person found: result, ticks, values in whole units, a note."""

    result: Literal["good", "bad", "rework"] = "good"
    pieces: int | None = Field(None, ge=0, le=1000)
    checks: list[Check] = Field(default_factory=list[str], max_length=20)
    values: dict[str, int] = Field(default_factory=dict[str, int], max_length=20)
    note: Words = ""


class MeasureView(TypedDict):
    """A value to measure: good from low to high, whole units."""

    name: str
    title: str
    unit: str
    low: int
    high: int


class SignedView(TypedDict):
    """A sign-off: who, when, result, ticks, values, photos by SHA-256."""

    order: str
    who: str
    at: int
    result: str
    checks: list[str]
    values: dict[str, int]
    photos: list[str]
    note: NotRequired[str]
    why: NotRequired[str]


class StationView(TypedDict):
    """A place where a person works, and what is to be done there now."""

    id: str
    name: str
    kind: str
    saw: str
    state: str
    order: NotRequired[str]
    operation: NotRequired[str]
    need: NotRequired[str]
    part: NotRequired[str]
    title: NotRequired[str]
    step: NotRequired[str]
    process: NotRequired[str]
    pieces: NotRequired[int]
    instructions: NotRequired[str]
    pictures: NotRequired[list[str]]
    checks: NotRequired[list[str]]
    measures: NotRequired[list[MeasureView]]
    photo: NotRequired[bool]
    photos: NotRequired[list[str]]
    rework: NotRequired[str]
    place: NotRequired[str]
    started_at: NotRequired[int]
    ready_at: NotRequired[int]
    left_s: NotRequired[int]
    before: NotRequired[list[SignedView]]


class PhotoView(TypedDict):
    """A photo that was kept: SHA-256, kind, sides in pixels."""

    sha256: str
    kind: str
    width: int
    height: int


class Stations:
    """Handlers of the station endpoints over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self) -> dict[str, StationView]:
        """Every station, and every machine with something to be signed off, by id."""
        with self._desk.read() as tx:
            views = {m.id: (m, _view(tx, m)) for m in tx.machines.all()}
        return {
            name: view
            for name, (machine, view) in views.items()
            if machine.link in HANDS or "order" in view
        }

    def one(self, machine: Id) -> StationView:
        """One station with what is to be done there."""
        with self._desk.read() as tx:
            return _view(tx, _machine(tx, machine))

    def sign_off(self, machine: Id, ask: SignAsk, caller: Who, key: Key = "") -> AnswerView:
        """End what is done at a station by what was found; values outside their limits fail it."""
        who = caller.named(ask.who)
        found = Findings(who, ask.result, ask.pieces, tuple(ask.checks), ask.values, ask.note)
        asker = Asker(who, command_id(key), ask.saw)
        signed = self._desk.submit(lambda tx: stations.sign_off(tx, machine, found, asker))
        if signed is None:
            return {"id": asker.key, "code": "done"}
        message = f"{signed.result}: {signed.why}" if signed.why else signed.result
        return {"id": asker.key, "code": "done", "message": message}

    async def photo(
        self, machine: Id, request: Request, caller: Who, who: Name = "someone at the page"
    ) -> PhotoView:
        """Keep a photo (PNG or JPEG as the body) of what lies at a station, without metadata."""
        content = await request.body()
        return await run_in_threadpool(self._kept, machine, content, caller.named(who))

    def _kept(self, machine: str, content: bytes, who: str) -> PhotoView:
        try:
            facts = examine(content)
        except BadPicture as error:
            raise Problem(422, "picture", str(error), "body") from error
        sha = hashlib.sha256(facts.content).hexdigest()
        self._desk.submit(lambda tx: _keep(tx, machine, (sha, facts), who))
        return {"sha256": sha, "kind": facts.kind, "width": facts.width, "height": facts.height}

    def shown(self, sha256: Sha256) -> Response:
        """Bytes of a photo."""
        with self._desk.read() as tx:
            found, content = tx.routes.photo(sha256), tx.routes.picture(sha256)
        if found is None or content is None:
            raise Problem(404, "unknown", "no photo with this hash is kept here", "sha256")
        return Response(content, media_type=f"image/{found.kind}", headers=KEPT)


def _machine(tx: Tx, machine: str) -> Machine:
    found = tx.machines.get(machine)
    if found is None:
        raise Problem(404, "unknown", "there is no such machine", "machine")
    return found


def _keep(tx: Tx, machine: str, picture: tuple[str, PictureFacts], who: str) -> None:
    order = stations.order_at(tx, machine)
    sha, facts = picture
    if len(tx.routes.photos(order.id)) >= MAX_PHOTOS:
        raise Refused("too-many", "photo", f"{MAX_PHOTOS} photos are kept of this already")
    tx.routes.put_picture(sha, facts.content)
    size = len(facts.content)
    photo = Photo(sha, order.id, facts.kind, size, facts.width, facts.height, who, tx.now_ms)
    tx.routes.add_photo(photo)


def _view(tx: Tx, machine: Machine) -> StationView:
    try:
        order = stations.order_at(tx, machine.id)
    except Refused:
        order = None
    operation = tx.operations.get(order.operation) if order is not None else None
    if order is None or operation is None:
        return present(StationView, **_head(machine))
    return present(StationView, **_head(machine), **_job(tx, order, operation))


def _head(machine: Machine) -> dict[str, Any]:
    return {
        "id": machine.id,
        "name": machine.name,
        "kind": machine.kind,
        "saw": saw(machine),
        "state": machine.state,
    }


def _job(tx: Tx, order: JobOrder, operation: Operation) -> dict[str, Any]:
    work: Mapping[str, Any] = operation.work
    need = tx.needs.get(operation.need)
    left_s = execution.timer_left_s(tx, order, operation)
    inputs = [name for name, _ in tx.operations.inputs(operation.id)]
    before = [signed for name in inputs for signed in tx.routes.signed_of(name)]
    before += tx.routes.signed_of(operation.id)
    return {
        "order": order.id,
        "operation": operation.id,
        "need": operation.need,
        "part": need.part if need is not None else "",
        "title": operation.title,
        "step": operation.step,
        "process": operation.process,
        "pieces": operation.pieces,
        "instructions": operation.instructions,
        "pictures": list(work.get("pictures", ())) or None,
        "checks": list(work.get("checks", ())) or None,
        "measures": [_measure(item) for item in work.get("measures", ())] or None,
        "photo": work.get("photo"),
        "photos": [photo.sha for photo in tx.routes.photos(order.id)] or None,
        "rework": work.get("rework", {}).get("title"),
        "place": operation.place,
        "started_at": order.started_at,
        "ready_at": tx.now_ms + left_s * 1000 if left_s else None,
        "left_s": left_s,
        "before": [signed_view(signed) for signed in before] or None,
    }


def _measure(measure: Mapping[str, Any]) -> MeasureView:
    return {
        "name": measure["name"],
        "title": measure.get("title") or measure["name"],
        "unit": measure["unit"],
        "low": measure["low"],
        "high": measure["high"],
    }


def signed_view(signed: SignOff) -> SignedView:
    """A sign-off as JSON."""
    return present(
        SignedView,
        order=signed.order_id,
        who=signed.who,
        at=signed.at,
        result=signed.result,
        checks=signed.checks,
        values=signed.values,
        photos=signed.photos,
        note=signed.note,
        why=signed.why,
    )


def router(desk: Desk) -> APIRouter:
    """Routes of the station endpoints."""
    handlers = Stations(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/stations", handlers.all, dict[str, StationView]),
        ("GET", "/api/stations/{machine}", handlers.one, StationView),
        ("POST", "/api/stations/{machine}/sign-off", handlers.sign_off, AnswerView),
    )
    routes.add_api_route(
        "/api/stations/{machine}/photo",
        handlers.photo,
        methods=["POST"],
        response_model=PhotoView,
        openapi_extra={"requestBody": {"content": _BODY, "required": True}},
    )
    routes.add_api_route("/api/photos/{sha256}", handlers.shown, response_class=Response)
    return routes


_BINARY = {"schema": {"type": "string", "format": "binary", "maxLength": MAX_BYTES}}
_BODY = {"image/png": _BINARY, "image/jpeg": _BINARY}
