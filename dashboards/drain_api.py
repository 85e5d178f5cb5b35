"""Endpoints for the controller's own upgrade: no new orders, and how many still run."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from controller import draining
from controller.draining import DrainView
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.problems import ERRORS


class DrainAsk(BaseModel):
    """Whether new orders stop."""

    on: bool
    who: str = Field("", max_length=60)


def router(desk: Desk) -> APIRouter:
    """Routes over the floor."""
    routes = APIRouter(responses=ERRORS)

    def look() -> DrainView:
        """Whether new orders stopped, and how many still run."""
        with desk.read() as tx:
            return draining.found(tx)

    def drain(ask: DrainAsk, caller: Who) -> DrainView:
        """Offer no new orders before an upgrade, or offer them again; what runs, runs on."""
        who = caller.named(ask.who)
        return desk.submit(lambda tx: draining.drain(tx, who, on=ask.on))

    routes.add_api_route("/api/drain", look, response_model=DrainView)
    routes.add_api_route("/api/drain", drain, methods=["POST"], response_model=DrainView)
    return routes
