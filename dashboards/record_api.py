"""Endpoints of what is public: records of parts, their labels, the ledger, open discrepancies."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse, Response

from controller.adapters.store import Tx
from controller.ledger.discrepancies import settle
from controller.ledger.jsonld import export
from controller.ledger.vocabulary import context
from dashboards import labels
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.page_models import DiscrepancyView
from dashboards.problems import ERRORS, Problem
from dashboards.record_page import LOCAL, STYLE, label_words, language_of, page
from dashboards.record_views import RecordView, SettleAsk, discrepancy_view, record_view
from dashboards.routing import add_rows

Id = Annotated[str, InPath(max_length=64)]
Language = Annotated[str, Query(max_length=2)]
VARY = {"vary": "Accept-Language"}
LD_JSON = "application/ld+json"


class Records:
    """Handlers of the public record over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def record(self, need: Id) -> RecordView:
        """The public record of the parts made for a need."""
        with self._desk.read() as tx:
            return self._of(tx, need)

    def page(self, need: Id, request: Request, lang: Language = "") -> HTMLResponse:
        """The same as a page, in the reader's language."""
        with self._desk.read() as tx:
            view = self._of(tx, need)
        return HTMLResponse(page(view, _language(request, lang)), headers=VARY)

    def style(self) -> Response:
        """How record pages look."""
        return Response(STYLE, media_type="text/css")

    def local(self) -> Response:
        """The script by which record pages tell moments in the reader's zone."""
        return Response(LOCAL, media_type="text/javascript")

    def label(self, need: Id, request: Request, lang: Language = "") -> Response:
        """A label for the part: QR code to its record, and a few words; PDF of 80 x 40 mm."""
        with self._desk.read() as tx:
            words = label_words(self._of(tx, need), _language(request, lang))
        return Response(labels.pdf(_address(request, need), words), media_type="application/pdf")

    def qr(self, need: Id, request: Request) -> Response:
        """The label's QR code alone, as PNG."""
        with self._desk.read() as tx:
            self._of(tx, need)
        return Response(labels.png(_address(request, need)), media_type="image/png")

    def ledger(
        self,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> JSONResponse:
        """Economic events after a number, oldest first, as JSON-LD in ValueFlows 1.0.0."""
        with self._desk.read() as tx:
            events = tx.ledger.after(after, limit)
            document = export(tx, events)
        headers = {"x-last-event": str(events[-1].id if events else after)}
        return JSONResponse(document, media_type=LD_JSON, headers=headers)

    def context(self) -> JSONResponse:
        """The JSON-LD context of the ledger alone."""
        return JSONResponse({"@context": context()}, media_type=LD_JSON)

    def discrepancies(self, resolved: bool = False) -> list[DiscrepancyView]:
        """Figures of job orders that a person must look at; resolved ones too when asked."""
        with self._desk.read() as tx:
            found = tx.ledger.discrepancies(only_open=not resolved)
            return [discrepancy_view(one) for one in found]

    def settle(self, order: Id, ask: SettleAsk, caller: Who) -> DiscrepancyView:
        """A person's word on a discrepancy of an order."""
        who = caller.named(ask.who)
        found = self._desk.submit(lambda tx: settle(tx, order, ask.kind, who, ask.weighed_mg))
        return discrepancy_view(found)

    def _of(self, tx: Tx, need: str) -> RecordView:
        found = tx.needs.get(need)
        if found is None:
            raise Problem(404, "unknown", "there is no such need", "need")
        return record_view(tx, found)


def _language(request: Request, chosen: str) -> int:
    return language_of(request.headers.get("accept-language", ""), chosen)


def _address(request: Request, need: str) -> str:
    return str(request.base_url) + f"records/{need}"


def router(desk: Desk) -> APIRouter:
    """Routes of the public record."""
    records = Records(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/records/{need}", records.record, RecordView),
        ("GET", "/api/discrepancies", records.discrepancies, list[DiscrepancyView]),
        ("POST", "/api/discrepancies/{order}", records.settle, DiscrepancyView),
    )
    plain: tuple[tuple[str, Any, Any], ...] = (
        ("/api/ledger.jsonld", records.ledger, JSONResponse),
        ("/api/ledger/context.jsonld", records.context, JSONResponse),
        ("/records/style.css", records.style, Response),
        ("/records/local.js", records.local, Response),
        ("/records/{need}", records.page, HTMLResponse),
        ("/records/{need}/label.pdf", records.label, Response),
        ("/records/{need}/label.png", records.qr, Response),
    )
    for path, handler, kind in plain:
        routes.add_api_route(path, handler, response_class=kind)
    return routes
