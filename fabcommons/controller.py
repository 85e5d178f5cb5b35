"""``fabcommons controller``: run a site from its settings file."""

from __future__ import annotations

import argparse
import getpass
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from controller import draining
from controller.adapters.broker_login import BrokerLoginError, address
from controller.adapters.site_file import SiteFile, SiteFileError, read_site
from controller.leading import Leadership
from controller.values import Deposed
from fabcommons.client import OK, USAGE, Client, CliError
from fabcommons.floor import Extent, Floor
from fabcommons.logs import JsonLog, PlainLog
from fabcommons.options import add_common, command, show
from fabcommons.replica import StandBy, check_alone, start_anew
from fabcommons.running import Place, RunningSite, clock_of, last_ms_of

DRAINS = {"drain": True, "resume": False}
SIGNAL_S = 0.2  # until a signal to drain is obeyed, or the end of our term
WAIT_S = 2.0


class Told(NamedTuple):
    """What signals ask of a running site, and where it says what happens."""

    stop: threading.Event
    drained: threading.Event
    log: PlainLog | JsonLog


_EXAMPLES = """\
examples:
  fabcommons controller --example > site.yml     a settings file to start from
  fabcommons controller site.yml                 run the site until Ctrl-C
  fabcommons controller site.yml --check         say what is wrong with it, start nothing
  fabcommons controller drain --wait             no new orders; returns when none runs any more
  fabcommons controller resume                   orders are offered again"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    controller = command(commands, "controller", "run a site from its settings file", _EXAMPLES)
    option = controller.add_argument
    option("settings", type=Path, nargs="?", help="site.yml, or drain, or resume")
    option("--check", action="store_true", help="only check the settings and the designs")
    option("--example", action="store_true", help="print a settings file to start from")
    option("--broker", help="instead of the file's: auto, mosquitto, amqtt or HOST:PORT")
    option("--rank", type=int, help="instead of the file's replica.rank: 0 leads first")
    option("--http", help="instead of the file's, e.g. 127.0.0.1:8010")
    option("--set-up", action="store_true", help="print a code by which the page makes an admin")
    option("--log-json", action="store_true", help="tell every event as a JSON line on stderr")
    option("--wait", action="store_true", help="drain: until no order runs on a machine")
    add_common(controller)
    controller.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the site until a signal."""
    if options.example:
        print(example(), end="")
        return OK
    if options.settings is None:
        raise CliError("name a settings file; `fabcommons controller --example` prints one", USAGE)
    if str(options.settings) in DRAINS:
        return drain(options)
    settings = _settings(options)
    base = options.settings.resolve().parent
    if options.check:
        _check_broker(settings, base)
        _check_designs(settings, base)
        print(f"{options.settings}: {len(settings.machines)} machines, sound")
        return OK
    return _serve(options, settings, base)


def _serve(options: argparse.Namespace, settings: SiteFile, base: Path) -> int:
    """Run a site until SIGTERM or SIGINT, all committed; SIGUSR1 drains it."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, on_signal)
    drained = threading.Event()
    signal.signal(signal.SIGUSR1, lambda _number, _frame: drained.set())
    log = JsonLog(settings, sys.stderr) if options.log_json else PlainLog()
    with closing(log):
        _run(settings, Place(base, base), options, Told(stop, drained, log))
    return OK


def _run(settings: SiteFile, place: Place, options: argparse.Namespace, told: Told) -> None:
    """The site's only controller, or one of its replicas."""
    if settings.replica is None:
        check_alone(settings, place.folder)
        _lead(settings, place, options, told, None)
        return
    lead = _stand_by(settings, place, told)
    if lead is None:
        return
    try:
        _lead(settings, place, options, told, lead)
    except Deposed:
        start_anew()
    finally:
        lead.release()


def _stand_by(settings: SiteFile, place: Place, told: Told) -> Leadership | None:
    """Show the floor until we lead; None when asked to stop before."""
    log = told.log
    clock = clock_of(settings, last_ms_of(settings, place))
    with closing(StandBy(settings, place.folder, place.base, clock)) as standing:
        log.say(f"site {settings.site}: page {standing.page.url}, standing by")
        return standing.wait(told.stop)


def _lead(
    settings: SiteFile,
    place: Place,
    options: argparse.Namespace,
    told: Told,
    lead: Leadership | None,
) -> None:
    """Run the site until a signal, or until another replica leads it."""
    log = told.log
    with RunningSite(settings, place, options.set_up, lead) as running, log.follow(running.site):
        where = f"{running.broker.host}:{running.broker.port} ({running.broker.kind})"
        log.say(f"site {settings.site}: page {running.url}, broker {where}")
        if running.set_up_code:
            print(_words_on_accounts(running, options.settings), flush=True)
        while not told.stop.wait(SIGNAL_S):
            if lead is not None and lead.lost.is_set():
                log.say(f"site {settings.site}: another replica leads; starting anew")
                start_anew()
            if told.drained.is_set():
                told.drained.clear()
                running.site.submit(lambda tx: draining.drain(tx, "SIGUSR1", on=True))


def drain(options: argparse.Namespace) -> int:
    """Ask a running controller to offer no new orders, or to offer them again."""
    client = Client(options.url)
    ask = {"on": DRAINS[str(options.settings)], "who": getpass.getuser()}
    found = client.post("/api/drain", ask)
    while options.wait and ask["on"] and found["running"]:
        time.sleep(WAIT_S)
        found = client.get("/api/drain")
    return show(options, found, _words_on_drain)


def _words_on_drain(found: dict[str, Any]) -> str:
    if not found["draining"]:
        return "orders are offered again"
    return f"no new orders; {found['running']} still run, {found['open']} are not settled"


def _words_on_accounts(running: RunningSite, settings: Path) -> str:
    """What somebody is told who starts a site without accounts; on stdout, never in the log."""
    who = "everybody on this computer is its admin"
    if not running.page.gate.rules.loopback:
        who = "nobody can do anything yet"
    return (
        f"no accounts: {who}. The first, an admin:\n"
        f"  fabcommons account add {settings} NAME --role admin\n"
        f"  or log in at {running.url} with the set-up code {running.set_up_code} (good once)"
    )


def _settings(options: argparse.Namespace) -> SiteFile:
    try:
        settings = read_site(options.settings)
    except SiteFileError as error:
        raise CliError(str(error), USAGE) from error
    if options.broker:
        settings.broker = options.broker
    if options.http:
        settings.http = options.http
    if options.rank is not None and settings.replica is not None:
        settings.replica.rank = options.rank
    return settings


def _check_broker(settings: SiteFile, base: Path) -> None:
    try:
        address(settings.broker_login, "", 0, base)
    except BrokerLoginError as error:
        raise CliError(str(error), USAGE) from error


def _check_designs(settings: SiteFile, base: Path) -> None:
    from controller.definition import DesignError, load_design

    problems: list[str] = []
    for folder in settings.designs:
        try:
            load_design(base / folder)
        except DesignError as error:
            problems += [f"{folder}: {problem}" for problem in error.problems]
    if problems:
        raise CliError("\n".join(problems), USAGE)


def example() -> str:
    """A settings file that works, with one machine of each kind."""
    import yaml

    floor = Floor(Extent(printers=1, mills=1, cells=1), Path("."))
    settings = SiteFile(site="workshop", machines=floor.machines(), lots=floor.lots())
    for machine in settings.machines:
        if machine.url:
            machine.url = "opc.tcp://cell-1.local:4840"
    document = msgspec.to_builtins(settings)
    document["communities"] = [{"id": "north", "name": "North Workshop", "members": 120}]
    head = "# A site. Machines on MQTT connect by themselves; see fabcommons machine run --help.\n"
    return head + yaml.safe_dump(document, sort_keys=False)
