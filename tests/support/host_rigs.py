"""One floor with one machine behind an adapter, and hands to make happen what happens to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller import resources
from controller.adapters.clock import SystemClock
from controller.adapters.hosts.contract import Settings
from controller.adapters.hosts.link import HostsLink, Pace
from controller.adapters.hosts.registry import KINDS
from controller.adapters.store import Tx
from controller.app import Parts, Site, SiteConfig
from controller.commands import Asker
from controller.joints.cells import CellSite
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.routed import RoutedNeed, RoutedOperation
from controller.values import Community, DesignRow, Lot, Machine, NeedRequest, ProgramRow
from support.host_servers import (
    KEY,
    MoonrakerFace,
    MTConnectFace,
    OctoPrintFace,
    PrusaLinkFace,
    Server,
)
from support.waiting import until

PACE = Pace(poll_s=0.2, settle_s=1.5, retry_min_s=0.1, retry_max_s=0.4)
TIMEOUT_S = 0.8
LIMIT_S = 60
WHO = "simulated technician"
M = "machine-1"
PROGRAM = b"M117 part\nG28\nG1 X10 E1000\n"
PLANNED_MG = 3000
UG_PER_M = 3_000_000  # one metre is 3 g
FACES: dict[str, Any] = {
    "moonraker": MoonrakerFace(),
    "octoprint": OctoPrintFace(),
    "prusalink": PrusaLinkFace(),
    "mtconnect": MTConnectFace(),
}
MATERIALS = [{"material": "petg", "mass_mg": PLANNED_MG}]


def plan(picture: FloorPicture) -> FloorPlan:
    ready = [op for op in picture.operations if op.state in ("ready", "planned")]
    at = picture.at
    return FloorPlan(tuple(Assignment(op.id, M, at, at + 60_000) for op in ready), {})


class Rig:
    """A site, an adapter, and the machine behind it (``works``, or files for a folder)."""

    def __init__(
        self, kind: str, folder: Path, server: Server | None, program: bytes = PROGRAM
    ) -> None:
        self.kind = kind
        self.server = server
        self.folder = folder
        self.laid = folder / "laid"
        self.laid.mkdir()
        self.key = KEY
        self.silence_s = 60.0
        self.timeout_s = TIMEOUT_S
        self.starts_itself = "start" in KINDS[kind].verbs
        self.cancels = "cancel" in KINDS[kind].verbs
        self.pauses = "pause" in KINDS[kind].verbs
        self.program = program
        (folder / "part.gcode").write_bytes(program)
        self.open()

    @property
    def works(self) -> Any:
        assert self.server is not None
        return self.server.works

    def open(self) -> None:
        """Start the site, as after a restart."""
        config = SiteConfig(
            "shop", self.folder / "site.db", plan_every_s=1.0, silence_s=self.silence_s
        )
        self.site = Site.open(config, Parts(SystemClock(), self._route, planner=plan))
        self.link = HostsLink(CellSite(self.site), PACE)
        self.site.outlet.links[self.kind] = self.link
        self.site.submit(self._fill)
        by_hand = self.kind in ("folder", "mtconnect")
        settings = Settings(
            url=self.server.url if self.server else "",
            key=self.key,
            folder=self.laid if by_hand else None,
            timeout_s=self.timeout_s,
        )
        self.link.add(M, KINDS[self.kind], settings)

    def _sha(self) -> str:
        return hashlib.sha256(self.program).hexdigest()

    def _route(self, design: DesignRow, quantity: int) -> RoutedNeed:
        sha = self._sha()
        steps = [
            RoutedOperation(unit, "print", "fdm", {}, sha, 60, MATERIALS)
            for unit in range(quantity)
        ]
        return RoutedNeed(tuple(steps), ())

    def _fill(self, tx: Tx) -> None:
        if tx.machines.get(M) is not None:
            return
        tx.communities.put(Community("north", "North", 12, 12))
        profile = {"part": "clamp"}
        fields = ("clamp", "1.0", "Clamp", "CERN-OHL-S-2.0", "Fabcommons", "c" * 64)
        tx.designs.put(DesignRow(*fields, {}, profile, "/designs/clamp", 0))
        path = str(self.folder / "part.gcode")
        program = ProgramRow(self._sha(), "clamp", "part.gcode", "marlin", len(self.program), path)
        tx.designs.put_program(program)
        resources.register_machine(tx, Machine(M, "printer", self.kind, M, {}))
        spool = Lot("spool-1", "petg", "spool", ug_per_m=UG_PER_M)
        resources.create_lot(tx, spool, 1_000_000, 0, WHO)
        resources.load(tx, spool.id, M, 0)

    def shut(self) -> None:
        """End the site as a stop of its process would; the machine goes on."""
        self.site.close()

    def close(self) -> None:
        self.shut()

    # seeing ------------------------------------------------------------------------------------

    def see(self, test: Callable[[Any], Any]) -> Any:
        with self.site.read() as tx:
            return test(tx)

    def order(self) -> Any:
        """The newest order."""
        found = self.see(_orders)
        return found[-1] if found else None

    def machine(self) -> Any:
        return self.see(lambda tx: tx.machines.get(M))

    def state(self) -> str:
        order = self.order()
        return order.state if order else ""

    def wait(self, test: Callable[[], Any], what: str) -> None:
        try:
            until(lambda: bool(test()), LIMIT_S)
        except AssertionError as error:
            order, machine = self.order(), self.machine()
            notices = self.see(lambda tx: [n.text for n in tx.notice_room.page(8)])
            words = f"{what}: {order}, {machine}, {self.link.trouble(M)}, {notices}"
            raise AssertionError(words) from error

    def wait_state(self, *states: str) -> None:
        self.wait(lambda: self.state() in states, f"order {' or '.join(states)}")

    def name(self) -> str:
        order = self.order()
        return f"fc-{order.id}-{order.ep}{KINDS[self.kind].suffix}"

    # people ------------------------------------------------------------------------------------

    def asker(self) -> Asker:
        return Asker(WHO)

    def clear(self, result: str = "good") -> None:
        """Confirm the bed clear, and what lay on it; once more when it was not sure to be heard."""
        self.wait(lambda: self.machine().online, "the machine is online")
        self.site.confirm_clear(M, result, None, self.asker())

        def is_ready() -> bool:
            (last,) = self.see(lambda tx: tx.commands.of_machine(M, 1))
            if last.ok is False and self.machine().online and not self.machine().ready:
                self.site.confirm_clear(M, result, None, self.asker())
            return self.machine().ready

        self.wait(is_ready, "the machine is ready")

    def ask(self, need: str = "k1") -> str:
        """State a need for one part; its id."""
        (line,) = self.site.state_needs([NeedRequest(need, "north", "clamp", "clamp", 1)])
        return line.need.id

    def run(self) -> str:
        """A need whose order runs; its id."""
        self.clear()
        need = self.ask()
        self.begin()
        self.wait_state("RUNNING")
        return need

    def begin(self) -> None:
        """What a person does at a machine that does not start by itself."""
        if self.starts_itself:
            return
        self.wait(lambda: self.state() == "GRANTED" and (self.laid / self.name()).exists(), "laid")
        if self.kind == "folder":
            self.move("", "running")
        else:
            self.works.begin(self.name())

    def move(self, before: str, after: str) -> None:
        (self.laid / after).mkdir(exist_ok=True)
        (self.laid / before / self.name()).rename(self.laid / after / self.name())

    def finish(self, *, ok: bool = True) -> None:
        """The program ends at the machine."""
        if self.kind == "folder":
            self.move("running", "done" if ok else "failed")
        else:
            self.works.end("complete" if ok else "error")

    def starts(self) -> list[str]:
        """What physically began."""
        if self.kind != "folder":
            return list(self.works.starts)
        places = [self.laid / place for place in ("running", "done", "failed")]
        return [path.name for place in places if place.is_dir() for path in place.iterdir()]

    def deliver(self, need: str) -> None:
        """Say that the part is good; see the need delivered."""
        self.wait_state("SUCCEEDED")
        self.clear()
        self.wait(lambda: self.see(lambda tx: tx.needs.get(need).state) == "delivered", "delivered")


def _orders(tx: Any) -> list[Any]:
    found = [
        o
        for need in tx.needs.all()
        for op in tx.operations.of_need(need.id)
        for o in tx.orders.of_operation(op.id)
    ]
    return sorted(found, key=lambda o: o.ep)
