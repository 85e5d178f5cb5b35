"""``fabcommons demo``: a whole floor at work on this computer, with nothing else installed."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from controller.adapters.broker import is_broker
from controller.adapters.site_file import CommunityEntry, SiteFile
from controller.adapters.slicer import SlicerError, find_slicer
from controller.definition import Design, DesignError
from controller.definition.adhoc import Bench, designs_from_folder
from controller.values import NeedRequest
from dashboards.routes_api import bom_view
from fabcommons import faults
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.floor import Extent, Floor
from fabcommons.options import command
from fabcommons.processes import Children
from fabcommons.report import Report, summary
from fabcommons.running import Place, RunningSite, design_folders
from fabcommons.town import SETTINGS, Held, Town
from fabcommons.verdict import findings, rows_of
from protocols.orders import FINAL

ROOT = Path(__file__).resolve().parent.parent
SITE = "demo"
COMMUNITIES = (
    CommunityEntry("north", "North Workshop", members=120),
    CommunityEntry("river", "River School", members=60),
    CommunityEntry("hill", "Hill Clinic", members=20),
)
DEFAULT_LICENCE = "CC-BY-SA-4.0"
_TECHNICIAN_S = 45  # floor time a simulated technician takes for each act
_SMALL = 8  # steps of a design that the mix of the demo holds
_EXAMPLES = """\
examples:
  fabcommons demo                              watch the floor until Ctrl-C
  fabcommons demo --until-done                 60 needs, then a summary
  fabcommons demo --until-done --needs 6 --printers 1 --mills 1
  fabcommons demo --until-done --design designs/camera-arm
                                               one part of 27 steps over every kind of machine
  fabcommons demo --design ~/my-parts --licence CC-BY-4.0
                                               each program or mesh of a folder, once

`--until-done` exits 0 only if every need was delivered, every job order ended once, and the
ledger equals to the milligram what the simulated machines physically did."""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    demo = command(
        commands,
        "demo",
        "a floor at work: simulated machines, real firmware, real controller",
        _EXAMPLES,
    )
    option = demo.add_argument
    option("--until-done", action="store_true", help="end when all needs are met, with a verdict")
    option("--needs", type=int, default=60, help="needs to state (default %(default)s)")
    option("--printers", type=int, default=4)
    option("--mills", type=int, default=2)
    option("--cells", type=int, default=1)
    option("--time-scale", type=int, default=60, help="floor seconds per second (default 60)")
    option("--seed", type=int, default=1, help="seed of all chance (default 1)")
    option("--design", type=Path, metavar="DIR", help="make each program or mesh in DIR once")
    option("--licence", default=DEFAULT_LICENCE, help="SPDX licence of bare files in DIR")
    option("--broker", default="auto", help="auto, mosquitto, amqtt or HOST:PORT")
    option("--firmware", choices=("auto", "micropython", "cpython"), default="auto")
    option("--http", default="127.0.0.1:8010", help="address of the page (default %(default)s)")
    option("--robot-clears", action="store_true", help="cells clear the beds of printers")
    option("--reject", type=float, default=0.0, help="share of parts judged bad (default 0)")
    option("--faults", choices=faults.KINDS, default="none", help="what goes wrong, by the seed")
    option("--folder", type=Path, help="where it keeps its files (default: a new one in /tmp)")
    option("--timeout", type=float, default=3600, help="with --until-done: give up after seconds")
    option("--json", action="store_true", help="print the summary as JSON")
    demo.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demo; exit 1 when a promise was not kept."""
    _check(options)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fabcommons-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _end)  # leave no child behind
    try:
        code = _run_in(options, folder)
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _end(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _check(options: argparse.Namespace) -> None:
    for name in ("needs", "printers", "mills", "cells", "time_scale"):
        if getattr(options, name) < (1 if name in ("needs", "time_scale") else 0):
            raise CliError(f"--{name.replace('_', '-')} is too small", USAGE)
    if not is_broker(options.broker):
        words = f"{options.broker!r} must be auto, mosquitto, amqtt or HOST:PORT"
        raise CliError(f"--broker {words}", USAGE)
    if options.design is not None and not options.design.is_dir():
        raise CliError(f"--design {options.design}: is not a folder", USAGE)


def _run_in(options: argparse.Namespace, folder: Path) -> int:
    say = _say_to(sys.stderr)
    floor = Floor(_extent(options), folder / "floor")
    floor.folder.mkdir(parents=True, exist_ok=True)
    settings = SiteFile(
        site=SITE,
        broker=options.broker,
        http=options.http,
        clock_rate=options.time_scale,
        communities=list(COMMUNITIES),
        machines=floor.machines(),
        lots=floor.lots(),
        rounds=None if options.design else SETTINGS,
    )
    with (
        Children(folder / "logs") as children,
        RunningSite(settings, Place(folder, ROOT)) as running,
    ):
        say(f"broker: {running.broker.kind} on port {running.broker.port}")
        designs = _designs(options, running, folder, say)
        floor.start(children, SITE, (running.broker.host, running.broker.port))
        children.start("technician", _technician(options, running.url, floor.folder))
        say(f"floor:  {len(settings.machines)} machines, time runs x{options.time_scale}")
        say(f"page:   {running.url}")
        town = Town(running, options.seed) if settings.rounds else None
        stated = _state(running, _requests(options, designs))
        say(f"needs:  {len(stated)} stated by {len(COMMUNITIES)} communities")
        if town is not None:
            held = town.hold(stated, folder)
            say(f"ballot: {held.words()}\n        {held.file}")
        if not options.until_done:
            _watch(children, town)
            return OK
        progress = Progress(running, children, say)
        if options.faults != "none":
            progress.chaos = faults.Chaos(running, floor, children)
        progress.until_done(options.timeout)
        children.stop("technician")
        running.leave_cells()
        floor.settle(children)
        judged = Judged(floor.truths(), town.held if town else None)
        return _verdict(options, running, judged, progress.elapsed_s)


def _state(running: RunningSite, requests: list[NeedRequest]) -> list[str]:
    """State the needs; their ids."""
    stated: list[str] = []
    for line in running.site.state_needs(requests):
        if line.need is None:
            raise CliError(f"need {line.line} was refused: {line.refused}", FAILED)
        stated.append(line.need.id)
    return stated


def _say_to(stream: Any) -> Any:
    def say(text: str) -> None:
        print(text, file=stream, flush=True)

    return say


def _extent(options: argparse.Namespace) -> Extent:
    extent = Extent(
        printers=options.printers,
        mills=options.mills,
        cells=options.cells,
        time_scale=options.time_scale,
        seed=options.seed,
        firmware=options.firmware,
        robot_clears=options.robot_clears,
    )
    if options.faults == "none":
        return extent
    return replace(extent, faults=faults.machine_faults(extent, options.seed))


def _technician(options: argparse.Namespace, url: str, buttons: Path) -> list[str]:
    command = [sys.executable, "-m", "simulators.technician", "--url", url]
    command += ["--delay", str(_TECHNICIAN_S), "--reject", str(options.reject)]
    command += ["--buttons", str(buttons)]
    if options.robot_clears:
        command += ["--leave", "printer"]
    return [*command, "--seed", str(options.seed)]


def _designs(
    options: argparse.Namespace, running: RunningSite, folder: Path, say: Any
) -> list[Design]:
    """Import the designs to make: ours, or those of ``--design``."""
    if options.design is None:
        designs = [running.add_design(path) for path in design_folders(ROOT / "designs")]
        small = [d for d in designs if len(d.profile.steps) <= _SMALL]  # the arm takes hours
        usable = [d for d in small if options.cells or d.id != "toggle-clamp"]
        return [d for d in usable if options.mills or not _mills(d)]
    if any((options.design / name).exists() for name in ("production.yml",)):
        return [running.add_design(options.design)]
    return _bare_designs(options, running, folder, say)


def _bare_designs(
    options: argparse.Namespace, running: RunningSite, folder: Path, say: Any
) -> list[Design]:
    def progress(done: int, of: int, file: str) -> None:
        say(f"design: {done}/{of} {file}")

    bench = Bench(
        licence=options.licence,
        stated_by="the person who ran this demo",
        slicer=find_slicer(folder / "sliced"),
        settings=ROOT / "designs" / "profiles" / "petg-0.3mm.ini",
        refused=(OSError, SlicerError),
        progress=progress,
    )
    try:
        designs, skipped = designs_from_folder(options.design, bench)
    except DesignError as error:
        raise CliError("\n".join(map(str, error.problems)), USAGE) from error
    for left_out in skipped:
        say(f"left out: {left_out.file}: {left_out.reason}")
    for design in designs:
        running.keep_design(design)
    return designs


def _mills(design: Design) -> bool:
    return any(step.process == "mill" for step in design.profile.steps)


def _requests(options: argparse.Namespace, designs: list[Design]) -> list[NeedRequest]:
    """What the communities ask for: every design of a folder once, or a seeded mix of ours."""
    chance = random.Random(options.seed)
    names = [community.id for community in COMMUNITIES]
    members = [community.members for community in COMMUNITIES]
    count = options.needs if options.design is None else len(designs)
    weights = [1 if design.id == "toggle-clamp" else 3 for design in designs]
    requests: list[NeedRequest] = []
    for number in range(count):
        design = designs[number] if options.design else chance.choices(designs, weights)[0]
        requests.append(
            NeedRequest(
                key=f"demo-{options.seed}-{number}",
                community=chance.choices(names, members)[0],
                design=design.id,
                part=design.profile.part,
                quantity=1,
                need_class=chance.choices(("normal", "floor", "urgent"), (8, 1, 1))[0],
                stated_by="simulated member",
            )
        )
    return requests


def _watch(children: Children, town: Town | None) -> None:
    """Until Ctrl-C; a child that ends by itself ends the demo."""
    pause = threading.Event()
    print("Ctrl-C ends it", file=sys.stderr, flush=True)
    while not pause.wait(1.0):
        children.check()
        if town is not None:
            town.attend()


class Progress:
    """Waits for the floor to finish, saying how far it is."""

    def __init__(self, running: RunningSite, children: Children, say: Any) -> None:
        self._running = running
        self._children = children
        self._say = say
        self._pause = threading.Event()
        self._began_s = running.site.clock.monotonic_s()
        self._said = ""
        self.chaos: faults.Chaos | None = None

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the beginning."""
        return self._running.site.clock.monotonic_s() - self._began_s

    def until_done(self, timeout_s: float) -> None:
        """Return once no need is open; raise CliError when that takes too long."""
        while not self._done():
            self._children.check()
            if self.chaos is not None:
                self.chaos.turn(self.elapsed_s, self._say)
            if self.elapsed_s > timeout_s:
                raise CliError(f"not done after {timeout_s:.0f} s: {self._said}", FAILED)
            self._pause.wait(0.5)

    def _done(self) -> bool:
        with self._running.site.read() as tx:
            needs = tx.needs.all()
            open_orders = sum(order.state not in FINAL for order in tx.orders.all())
            done = sum(op.state == "done" for op in _all_operations(tx, needs))
            total = sum(op.state != "cancelled" for op in _all_operations(tx, needs))
        finished = sum(need.state in ("delivered", "refused", "withdrawn") for need in needs)
        text = f"{finished}/{len(needs)} needs, {done}/{total} operations"
        if text != self._said:
            self._said = text
            self._say(f"{self.elapsed_s:6.0f} s  {text}")
        return finished == len(needs) and open_orders == 0


def _all_operations(tx: Any, needs: list[Any]) -> list[Any]:
    return tx.operations.of_needs([need.id for need in needs])


class Judged(NamedTuple):
    """What a demo is judged by: what the machines did, and the round that was held, if any."""

    truths: dict[str, dict[str, Any]]
    held: Held | None


def _verdict(
    options: argparse.Namespace, running: RunningSite, judged: Judged, elapsed_s: float
) -> int:
    with running.site.read() as tx:
        rows = rows_of(tx)
        programs = {program.sha: program for program in tx.designs.programs()}
        assembled = [n.id for n in rows.needs if len(tx.operations.of_need(n.id)) > 1]
        bills = tuple(bom_view(tx, need) for need in assembled) if options.design else ()
    found = findings(rows, judged.truths)
    if judged.held is not None:
        found += [f"round {judged.held.round}: {text}" for text in judged.held.findings]
    report = Report(
        rows, judged.truths, programs, found, elapsed_s, options.time_scale, judged.held, bills
    )
    if options.json:
        print(json.dumps(report.document(), indent=2))
    else:
        print(summary(report))
    return FAILED if found else OK
