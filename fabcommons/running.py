"""A running site: broker, controller, links to cells and the page, opened and closed together."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from fastapi import APIRouter

from controller import inbound, resources
from controller.adapters import faultpoints
from controller.adapters.broker import open_broker
from controller.adapters.clock import Clock, FloorClock, SystemClock
from controller.adapters.feeds import Drop, Taken
from controller.adapters.notify import Origin
from controller.adapters.releases import Releases
from controller.adapters.site_file import LotEntry, PlaceEntry, SiteFile
from controller.adapters.store import SchemaMismatch, StoreUnreachable, Tx
from controller.app import Parts, Site, SiteConfig
from controller.commons.settings import configure
from controller.commons.verbs import Commons as Rounds
from controller.definition import Design, DesignError, ProgramFacts, load_design
from controller.definition.program_store import ProgramStore
from controller.joints.designs import import_design, router
from controller.joints.sharing import sharer
from controller.last import last_at
from controller.leading import Leadership
from controller.loops import Beat, Loop
from controller.rollups import Desk, RollupCopy
from controller.routed import Place as PartsPlace
from controller.software import Firmware
from controller.telemetry import Keep
from controller.values import Community, Lot, Machine, Refused
from dashboards import commons_api, enrol_api, software_api
from dashboards.qualified import by_list
from dashboards.server import CannotServe, PageServer
from dashboards.site_desk import SiteDesk
from fabcommons.client import FAILED, CliError
from fabcommons.door import open_door
from fabcommons.front import (
    check_open,
    machines_url,
    make_front,
    page_host,
    page_url,
    set_up_code,
    settle_port,
)
from fabcommons.influx import open_copies
from fabcommons.joining import Commons
from fabcommons.links import Links
from fabcommons.notify import SETTLE_MS, Notifier, open_places
from fabcommons.options import secret
from fabcommons.planning import house, make_planner
from fabcommons.slicing import Slicing
from fabcommons.software import SiteSoftware

SETUP = "set-up"
REAL_RESEND_S, FAST_RESEND_S = 30.0, 3.0  # floor minutes count on a floor whose time runs faster
DROP_EVERY_S = 1.0
ROUNDS_EVERY_S = 1.0
ROLLUPS_EVERY_S = 5.0
SWITCH_S = 0.001  # a thread that computes gives way so soon: an emergency stop must not wait


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site lives: its folder, and the settings file's folder for relative paths."""

    folder: Path
    base: Path


class RunningSite:
    """Everything of a site that runs in this process; ``url`` is its page. A context manager."""

    def __init__(
        self,
        settings: SiteFile,
        place: Place,
        set_up: bool = False,
        lead: Leadership | None = None,
    ) -> None:
        self.settings = settings
        self.place = place
        place.folder.mkdir(parents=True, exist_ok=True)
        sys.setswitchinterval(SWITCH_S)
        for noisy in ("amqtt", "asyncua"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)
        last_ms = last_ms_of(settings, place)
        self._sink = open_copies(settings.influx, place.folder / "influx")
        settle_port(settings)
        origin = Origin(settings.site, page_url(settings))
        self._places = open_places(settings.notify, origin, place.base, secret)
        self._door = open_door(settings, place.folder, place.base)
        self.broker = self._door.broker
        self._planner = make_planner(settings.planning, place.base)
        self.share = sharer(resources.why_never)
        parts = Parts(
            clock=clock_of(settings, last_ms),
            sink=self._sink,
            router=router,
            sharer=self.share,
            planner=self._planner,
            reach=faultpoints.from_environment(os.environ),
            lead=lead,
        )
        self.site = Site.open(
            SiteConfig(
                name=settings.site,
                store=settings.store_place(place.folder),
                broker=self._door.address,
                programs_url=f"{machines_url(settings)}/programs",
                resend_s=REAL_RESEND_S if settings.clock_rate == 1 else FAST_RESEND_S,
                keep=Keep(settings.telemetry.raw_days, settings.telemetry.five_minute_days),
            ),
            parts,
        )
        self._links = Links(self.site, place.base)
        self.programs = ProgramStore(place.folder / "programs")
        self.commons = Commons(self.site, settings.commons, place.folder)
        self.set_up_code = ""
        self.page = self._open_page(set_up)
        self._fill()
        self._drop = self._open_drop()
        self.rounds = Rounds(self.site.submit, self.site.read)
        self._rounds = self._open_rounds()
        self._rollups = self._open_rollups()
        self._slicing = Slicing(self.site, self.programs, settings.slicing, place.base)
        self.notifier = self._open_notifier()

    @property
    def url(self) -> str:
        """Address of the page and the API."""
        return self.page.url

    def _open_page(self, set_up: bool) -> PageServer:
        desk = SiteDesk(
            self.site,
            lambda: [place.post.state() for place in self._places],
            by_list({machine.id: machine.console for machine in self.settings.machines}),
            house(self.settings.planning, self.place.base),
            self.commons.sign,
        )
        port = int(self.settings.http.rpartition(":")[2])
        try:
            check_open(self.settings, self.site, set_up)
            self.set_up_code = set_up_code(self.site)
            folders = (self.place.folder, self.place.base)
            front = make_front(self.settings, folders, self.set_up_code)
            front = replace(front, rooms=self._rooms())
            return PageServer(desk, page_host(self.settings), port, front)
        except (CannotServe, CliError) as error:
            self.site.close()
            self.broker.close()
            if isinstance(error, CliError):
                raise
            raise CliError(f"{error.reason}; choose another with --http", FAILED) from error

    def _rooms(self) -> tuple[APIRouter, ...]:
        """Endpoints of this very site."""
        return (self._software(), self._enrol(), commons_api.router(self.commons))

    def _software(self) -> APIRouter:
        """Endpoints of the machines' own software, served from the site's folder ``firmware``."""
        url = f"{machines_url(self.settings)}/firmware"
        releases = Releases(self.place.folder / "firmware")
        return software_api.router(SiteSoftware(Firmware(self.site, releases, url)))

    def _enrol(self) -> APIRouter:
        """Endpoints by which machines are let in and put out."""
        return enrol_api.router(self._door.enrolment(self.site))

    def _open_rounds(self) -> Loop:
        """Close ballots in time and count them."""
        loop = Loop(Beat("rounds", ROUNDS_EVERY_S, self.rounds.look))
        loop.start()
        return loop

    def _open_notifier(self) -> Notifier:
        """Tell people what needs them, at the places the settings name."""
        rate = self.site.clock.rate
        notifier = Notifier(self._places, self.site.read, rate, rate * SETTLE_MS)
        notifier.start()
        return notifier

    def _open_drop(self) -> Loop | None:
        """Watch the folder needs are laid into, when the settings name one."""
        if self.settings.need_drop is None:
            return None
        folder = self.place.base / self.settings.need_drop
        drop = Drop(folder, self.site.state_needs, self._dropped)
        loop = Loop(Beat("drop", DROP_EVERY_S, drop.look))
        loop.start()
        return loop

    def _open_rollups(self) -> Loop | None:
        """Hand closed rollups to the copy of telemetry, when there is one."""
        if self._sink is None:
            return None
        site = self.site
        desk = Desk(site.config.name, site.clock, site.read, site.submit)
        copies = [RollupCopy(desk, sink, every) for every, sink in self._sink.rollups.items()]

        def look() -> None:
            for copy in copies:
                copy.look()

        loop = Loop(Beat("rollups", ROLLUPS_EVERY_S, look))
        loop.start()
        return loop

    def _dropped(self, taken: Taken) -> None:
        """Show on the page what of a dropped file was refused."""
        if not taken.refused:
            return
        name = taken.path.name.encode("utf-8", "replace").decode()
        reason = f"{taken.refused} refused, {taken.why[:300]}; see {name}.rejected"
        topic = f"need_drop/{name}"
        self.site.submit(lambda tx: inbound.bury(tx, topic, b"", "need-refused", reason))

    def _fill(self) -> None:
        settings = self.settings
        self.site.submit(lambda tx: _communities(tx, settings))
        self.site.submit(lambda tx: configure(tx, settings.rounds))
        self.site.submit(lambda tx: self._declare(tx, settings))
        for machine in settings.machines:
            self._links.add(machine)
        for place in settings.places:
            self.add_place(place)
        for design in settings.designs:
            self.add_design(self.place.base / design)

    def _declare(self, tx: Tx, settings: SiteFile) -> None:
        """Register machines and lots in one transaction; thousands are as quick as one."""
        for entry in settings.machines:
            found = Machine(
                id=entry.id,
                kind=entry.kind,
                link=entry.link,
                name=entry.name or entry.id,
                capability={**entry.capability, **({"gcode": entry.gcode} if entry.gcode else {})},
                url=entry.url,
            )
            resources.register_machine(tx, found)
        for lot in settings.lots:
            self._add_lot(tx, lot)

    def add_place(self, entry: PlaceEntry) -> None:
        """Declare where parts wait; raise CliError when it is wrong."""
        place = PartsPlace(entry.id, entry.name or entry.id, entry.capacity, entry.takes)
        try:
            self.site.submit(lambda tx: resources.declare_place(tx, place))
        except Refused as refused:
            raise CliError(f"places: {entry.id}: {refused}") from refused

    def _add_lot(self, tx: Tx, entry: LotEntry) -> None:
        """Declare a lot and where it is loaded; known lots stay as they are."""
        if tx.lots.get(entry.id) is not None:
            return
        lot = Lot(
            id=entry.id,
            material=entry.material,
            kind=entry.kind,
            unit_mg_per_piece=entry.piece_mg,
            ug_per_m=entry.ug_per_m,
            colour=entry.colour,
            created_at=tx.now_ms,
        )
        mass_mg = entry.mass_mg or entry.pieces * (entry.piece_mg or 0)
        resources.create_lot(tx, lot, mass_mg, entry.pieces, SETUP)
        if entry.machine is not None:
            resources.load(tx, lot.id, entry.machine, entry.ch)

    def add_design(self, folder: Path) -> Design:
        """Import a design folder with its programs; raise CliError with every problem."""
        try:
            design = load_design(folder)
        except DesignError as error:
            raise CliError(f"{folder}:\n" + "\n".join(map(str, error.problems))) from error
        self.keep_design(design)
        return design

    def keep_design(self, design: Design) -> None:
        """Store a design and copies of its programs."""
        paths = {facts.sha256: self._keep(facts) for facts in design.programs}
        self.site.submit(lambda tx: import_design(tx, design, paths))

    def _keep(self, facts: ProgramFacts) -> Path:
        """Copy a program into the store; raise CliError when it changed since it was checked."""
        sha = self.programs.put(facts.path)
        if sha != facts.sha256:
            raise CliError(f"{facts.path} changed while it was imported: import it again")
        return self.programs.path(sha)

    def restart_broker(self) -> None:
        """End the broker as a power cut would and start it again at the same place."""
        old = self.broker
        if old.kind == "external" or self._door.access is not None:
            return
        old.kill()
        self.broker = open_broker(old.kind, self.place.folder / "broker", old.host, old.port)

    def leave_cells(self) -> None:
        """Leave every cell for good, before it is ended."""
        self._links.leave_cells()

    def close(self) -> None:
        """Close what takes needs, the site and the broker, in that order."""
        if self._drop is not None:
            self._drop.close()
        self._rounds.close()
        self.commons.close()
        self._slicing.close()
        if self._rollups is not None:
            self._rollups.close()
        self.notifier.close()
        self.page.close()
        self.site.close()
        self._planner.close()
        self.broker.close()
        if self._sink is not None:
            self._sink.close()

    def __enter__(self) -> RunningSite:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def last_ms_of(settings: SiteFile, place: Place) -> int:
    """Floor time the store already holds, ms UTC; raise CliError when it does not open."""
    try:
        return last_at(settings.store_place(place.folder))
    except (SchemaMismatch, StoreUnreachable) as error:
        raise CliError(str(error), FAILED) from error


def clock_of(settings: SiteFile, last_ms: int) -> Clock:
    """A clock at the floor's rate that never goes back behind what the store already holds."""
    if settings.clock_rate == 1:
        return SystemClock()
    return FloorClock(settings.clock_rate, not_before_ms=last_ms)


def _communities(tx: Tx, settings: SiteFile) -> None:
    for entry in settings.communities:
        members = max(entry.members, len(tx.members.of(entry.id)))
        weight = entry.need_weight if entry.need_weight is not None else members
        tx.communities.put(Community(entry.id, entry.name, members, weight))


def design_folders(parent: Path) -> Iterable[Path]:
    """Folders below ``parent`` that hold a production profile, by name."""
    return sorted(path.parent for path in parent.glob("*/production.yml"))
