"""Endpoints for what a kWh costs, in money or carbon: plans move work into cheap hours."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from controller.joints import prices
from controller.joints.prices import MOST_STEPS, EnergyView
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.problems import ERRORS

EARLIEST, LATEST = 946_684_800_000, 4_102_444_800_000  # the years 2000 and 2100, UTC ms


class PriceStep(BaseModel):
    """From when on (UTC ms) a kWh costs how much, until the next step; may be negative."""

    model_config = ConfigDict(extra="forbid")
    from_at: int = Field(ge=EARLIEST, le=LATEST)
    per_kwh: float = Field(ge=-1e6, le=1e6, allow_inf_nan=False)


class EnergyAsk(BaseModel):
    """Either steps, or a CSV with a time and a price a line; no steps: the settings' file again."""

    model_config = ConfigDict(extra="forbid")
    steps: Annotated[list[PriceStep], Field(max_length=MOST_STEPS)] | None = None
    csv: str | None = Field(None, max_length=200_000)
    unit: str = Field("", max_length=20)
    who: str = Field("", max_length=60)

    @model_validator(mode="after")
    def one_of_both(self) -> "EnergyAsk":
        """Steps and a CSV exclude each other."""
        if (self.steps is None) == (self.csv is None):
            raise ValueError("send either steps or csv")
        return self


def router(desk: Desk) -> APIRouter:
    """Routes over the site's curve."""
    routes = APIRouter(responses=ERRORS)

    def look() -> EnergyView:
        """What a kWh costs from now on, and where that comes from."""
        with desk.read() as tx:
            return prices.found(tx, desk.house)

    def put(ask: EnergyAsk, caller: Who) -> EnergyView:
        """Put another curve in the place of the one that holds; plans are made anew."""
        steps = tuple((step.from_at, step.per_kwh) for step in ask.steps or ())
        if ask.csv is not None:
            steps = prices.from_file(ask.csv)
        sent = prices.Sent(steps, ask.unit, caller.named(ask.who))
        return desk.submit(lambda tx: prices.keep(tx, sent, desk.house))

    routes.add_api_route("/api/energy", look, response_model=EnergyView)
    routes.add_api_route("/api/energy", put, methods=["PUT"], response_model=EnergyView)
    return routes
