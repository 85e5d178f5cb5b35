"""Endpoints of routes: pictures, bills of materials, serial numbers, places."""

from pathlib import Path
from typing import Annotated, NotRequired

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters.store import Tx
from controller.genealogy import Line, bom, history
from controller.places import room_of
from controller.route_picture import nodes_of, nodes_of_need, picture
from dashboards.desk import Desk
from dashboards.present import present
from dashboards.problems import ERRORS, Problem
from dashboards.routing import add_rows
from dashboards.stations import KEPT, SignedView, signed_view

Id = Annotated[str, InPath(max_length=64)]
Sha256 = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
SVG = "image/svg+xml"


class BomLineView(TypedDict):
    """One material of a need, mg: measured, uncertain, counted; what of it is scrap."""

    material: str
    kind: str
    measured_mg: int
    uncertain_mg: int
    counted_mg: int
    pieces: int
    scrap_mg: int
    lots: list[str]


class BomView(TypedDict):
    """Bill of materials of a need with its mass balance, mg; ``off_mg`` is 0 when it balances."""

    need: str
    lines: list[BomLineView]
    in_mg: int
    from_others_mg: int
    scrap_mg: int
    delivered_mg: int
    to_others_mg: int
    lying_mg: int
    in_work_mg: int
    off_mg: int
    serials: list[str]


class TraceView(TypedDict):
    """One lot in the making of a part, ``depth`` steps before it."""

    depth: int
    lot: str
    material: str
    kind: str
    mass_mg: int
    pieces: int
    order: str
    machine: str
    step: str


class SerialView(TypedDict):
    """A numbered part: where it comes from, lot by lot, and what people found."""

    serial: str
    need: str
    operation: str
    unit: int
    lot: str
    made_at: int
    went_in: list[TraceView]
    signed: list[SignedView]


class PlaceView(TypedDict):
    """A place where parts wait: slots taken, and the operations whose pieces lie there."""

    name: str
    capacity: int
    taken: int
    takes: list[str]
    lying: NotRequired[list[str]]


class Routes:
    """Handlers of the route endpoints over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of_design(self, design: Id) -> Response:
        """The route of a design as a picture."""
        with self._desk.read() as tx:
            found = tx.designs.get(design)
        if found is None or not found.profile.get("steps"):
            raise Problem(404, "unknown", "there is no such design with a route", "design")
        return Response(picture(*nodes_of(found.profile), found.title), media_type=SVG)

    def of_need(self, need: Id) -> Response:
        """The operations of a need as a picture, with how far they are."""
        with self._desk.read() as tx:
            found = tx.needs.get(need)
            operations = tx.operations.of_need(need)
            links = tx.routes.links_of_needs([need])
        if found is None:
            raise Problem(404, "unknown", "there is no such need", "need")
        title = f"{found.id}: {found.quantity} x {found.part}"
        return Response(picture(*nodes_of_need(operations, links), title), media_type=SVG)

    def bom(self, need: Id) -> BomView:
        """What a need took, and the balance of its mass."""
        with self._desk.read() as tx:
            if tx.needs.get(need) is None:
                raise Problem(404, "unknown", "there is no such need", "need")
            return bom_view(tx, need)

    def serial(self, serial: Id) -> SerialView:
        """A numbered part and every lot that went into it."""
        with self._desk.read() as tx:
            part = tx.routes.numbered(serial)
            if part is None:
                raise Problem(404, "unknown", "no part has this serial number", "serial")
            told = history(tx, part)
        return {
            "serial": part.serial,
            "need": part.need,
            "operation": part.operation,
            "unit": part.unit,
            "lot": part.lot,
            "made_at": part.made_at,
            "went_in": [_trace(line) for line in told.lines],
            "signed": [signed_view(signed) for signed in told.signed],
        }

    def places(self) -> dict[str, PlaceView]:
        """Places where parts wait, with what lies there."""
        with self._desk.read() as tx:
            room = room_of(tx)
            lying = tx.routes.lying()
        return {
            place.id: present(
                PlaceView,
                name=place.name,
                capacity=place.capacity,
                taken=room.held.get(place.id, 0),
                takes=place.takes,
                lying=[op.id for op in lying if op.place == place.id] or None,
            )
            for place in room.places.values()
        }

    def sheet(self, sha256: Sha256) -> FileResponse:
        """A picture of a design, shown at a station."""
        with self._desk.read() as tx:
            found = tx.designs.program(sha256)
        if found is None or found.kind not in ("png", "jpeg") or not Path(found.path).is_file():
            raise Problem(404, "unknown", "no picture with this hash is kept here", "sha256")
        return FileResponse(found.path, media_type=f"image/{found.kind}", headers=KEPT)


def bom_view(tx: Tx, need: str) -> BomView:
    """Bill of materials of a need that is known."""
    made = bom(tx, need)
    lines: list[BomLineView] = [
        {
            "material": line.material,
            "kind": line.kind,
            "measured_mg": line.measured_mg,
            "uncertain_mg": line.uncertain_mg,
            "counted_mg": line.counted_mg,
            "pieces": line.pieces,
            "scrap_mg": line.scrap_mg,
            "lots": list(line.lots),
        }
        for line in made.lines
    ]
    return {
        "need": need,
        "lines": lines,
        "in_mg": made.in_mg,
        "from_others_mg": made.from_others_mg,
        "scrap_mg": made.scrap_mg,
        "delivered_mg": made.delivered_mg,
        "to_others_mg": made.to_others_mg,
        "lying_mg": made.lying_mg,
        "in_work_mg": made.in_work_mg,
        "off_mg": made.off_mg,
        "serials": [part.serial for part in tx.routes.numbered_of(need)],
    }


def _trace(line: Line) -> TraceView:
    return {
        "depth": line.depth,
        "lot": line.lot,
        "material": line.material,
        "kind": line.kind,
        "mass_mg": line.mass_mg,
        "pieces": line.pieces,
        "order": line.order,
        "machine": line.machine,
        "step": line.step,
    }


def router(desk: Desk) -> APIRouter:
    """Routes of the route endpoints."""
    handlers = Routes(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/needs/{need}/bom", handlers.bom, BomView),
        ("GET", "/api/serials/{serial}", handlers.serial, SerialView),
        ("GET", "/api/places", handlers.places, dict[str, PlaceView]),
    )
    for path, drawn in (
        ("/api/designs/{design}/picture.svg", handlers.of_design),
        ("/api/needs/{need}/picture.svg", handlers.of_need),
    ):
        routes.add_api_route(path, drawn, response_class=Response)
    routes.add_api_route("/api/pictures/{sha256}", handlers.sheet, response_class=FileResponse)
    return routes
