"""``fabcommons simulate``: months of a floor in minutes, by policy, or with more machines."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabcommons.client import OK, USAGE, CliError
from fabcommons.options import command
from fabcommons.tables import table

if TYPE_CHECKING:
    from controller.scheduling.simulation.measures import Outcome
    from controller.scheduling.simulation.scenario import Scenario

_EXAMPLES = """\
examples:
  fabcommons simulate                                 two months of 4 printers, a mill, a bench
  fabcommons simulate --add mill                      what if we bought a second mill?
  fabcommons simulate --site site.yml --add mill      the same, for our own machines and shifts
  fabcommons simulate --machines print=10,mill=2,assemble=2 --days 90 --load 0.9 --plot out.svg
  fabcommons simulate --policies "ATCS,plan by search" --shifts "mon-fri 08:00-17:00" --json

Every policy faces the same needs, breakdowns, run times and people, drawn by --seed."""
FLOOR = "print=4,mill=1,assemble=1"
KINDS = {
    "print": "print",
    "printer": "print",
    "mill": "mill",
    "laser": "laser",
    "assemble": "assemble",
    "cell": "assemble",
    "bench": "assemble",
    "station": "assemble",
}


def add(commands: Any) -> None:
    """Add the command to the command line."""
    simulate = command(
        commands,
        "simulate",
        "months of a floor in minutes: compare policies, or try more machines",
        _EXAMPLES,
    )
    option = simulate.add_argument
    option("--site", type=Path, metavar="FILE", help="take machines and shifts from its settings")
    option("--machines", default="", help=f"kind=count, ... ({FLOOR}, or the site's)")
    option("--add", action="append", default=[], metavar="KIND[=N]", help="what if we bought it?")
    option("--days", type=int, default=60, help="length of the story (60)")
    option("--load", type=float, default=0.8, help="share of the busiest machines' time (0.8)")
    option("--seed", type=int, default=1)
    option("--noise", type=float, default=0.2, help="spread of run times (0.2)")
    option("--mtbf-h", type=float, default=200.0, help="hours between breakdowns, 0 = none (200)")
    option("--person-min", type=float, default=10.0, help="minutes until somebody comes (10)")
    option("--shifts", action="append", default=[], help="'mon-fri 08:00-17:00'; repeatable")
    option("--policies", default="", help="names, comma-separated (all)")
    option("--rounds", type=int, default=12, help="rounds of search per plan (12)")
    option("--hindsight-s", type=float, default=10.0, help="CPU seconds of hindsight (10)")
    option("--plot", type=Path, metavar="OUT.svg", help="draw the outcomes")
    option("--json", action="store_true", help="print JSON for programs")
    simulate.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tell the story under every policy; print, draw."""
    from controller.scheduling.simulation.measures import hindsight
    from controller.scheduling.simulation.plots import page
    from controller.scheduling.simulation.scenario import tell

    begun = time.process_time()
    options = _of_site(options)
    scenarios = _scenarios(options)
    away = _away(options)
    documents: list[dict[str, Any]] = []
    outcomes: list[Outcome] = []
    for name, scenario in scenarios.items():
        story = tell(scenario)
        _say(f"{name}: {len(story.jobs)} needs, {len(story.operations)} operations")
        found = _play(name if len(scenarios) > 1 else "", story, away, options)
        _say(f"{name}: hindsight, {options.hindsight_s:g} CPU-s")
        yardstick = hindsight(story, away, options.hindsight_s)
        outcomes += found
        documents.append(
            {
                "floor": name,
                "needs": len(story.jobs),
                "operations": len(story.operations),
                "hindsight": yardstick._asdict(),
                "outcomes": [one._asdict() for one in found],
            }
        )
        if not options.json:
            _show(name, found, yardstick.proven_h, yardstick.found_h)
    if options.plot is not None:
        options.plot.write_text(page(f"{options.days} days, seed {options.seed}", outcomes))
    if options.json:
        print(json.dumps({"floors": documents, "cpu_s": round(time.process_time() - begun, 1)}))
    return OK


def _of_site(options: argparse.Namespace) -> argparse.Namespace:
    """The options with machines and shifts from a site's settings where none are given."""
    from controller.adapters.site_file import SiteFileError, read_site

    known = vars(options)
    if options.site is None:
        return argparse.Namespace(**{**known, "machines": options.machines or FLOOR})
    try:
        settings = read_site(options.site)
    except SiteFileError as error:
        raise CliError(f"--site: {error}", USAGE) from error
    kinds = [KINDS[machine.kind] for machine in settings.machines if machine.kind in KINDS]
    found = ",".join(f"{kind}={kinds.count(kind)}" for kind in dict.fromkeys(kinds))
    machines = options.machines or found
    if not machines:
        raise CliError(f"--site: {options.site} lists no machines; give --machines", USAGE)
    shifts = options.shifts or list(settings.planning.shifts)
    _say(f"{settings.site}: {machines}; people there: {', '.join(shifts) or 'always'}")
    return argparse.Namespace(**{**known, "machines": machines, "shifts": shifts})


def _play(prefix: str, story: Any, away: Any, options: argparse.Namespace) -> list[Outcome]:
    from controller.scheduling.simulation.measures import outcome
    from controller.scheduling.simulation.policies import policies

    known = policies(options.rounds)
    wanted = [name.strip() for name in options.policies.split(",") if name.strip()] or list(known)
    out: list[Outcome] = []
    for number, name in enumerate(wanted, 1):
        if name not in known:
            raise CliError(f"--policies: {name!r} is none of {', '.join(known)}", USAGE)
        begun = time.process_time()
        full = f"{name} ({prefix})" if prefix else name
        out.append(outcome(full, story, away, known[name]()))
        _say(f"  {number}/{len(wanted)} {full}: {time.process_time() - begun:.1f} CPU-s")
    return out


def _scenarios(options: argparse.Namespace) -> dict[str, Scenario]:
    """The floor as it is, and, where machines are to be tried, as it would be."""
    from controller.scheduling.simulation.scenario import Scenario

    if options.days < 1 or not 0.0 < options.load <= 2.0:
        raise CliError("--days must be at least 1 and --load between 0 and 2", USAGE)
    base = Scenario(
        _counts(options.machines.split(","), "--machines"),
        options.days,
        options.load,
        options.seed,
        options.noise,
        options.mtbf_h,
        person_min=options.person_min,
    )
    if not options.add:
        return {"as it is": base}
    from dataclasses import replace

    added = _counts(options.add, "--add")
    words = " and ".join(f"{count} {kind} more" for kind, count in added.items())
    return {"as it is": base, f"with {words}": replace(base, added=added)}


def _counts(texts: list[str], option: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for text in texts:
        kind, _, count = text.strip().partition("=")
        if kind not in KINDS or not (count or "1").isdigit():
            raise CliError(
                f"{option}: {text!r}; write e.g. mill=2; kinds: {', '.join(KINDS)}", USAGE
            )
        counts[KINDS[kind]] = counts.get(KINDS[kind], 0) + int(count or "1")
    return counts


def _away(options: argparse.Namespace) -> Any:
    """When nobody is there, over the whole story; it begins on a Monday."""
    from datetime import UTC, datetime

    from controller.scheduling.errors import ReadError
    from controller.scheduling.shifts import read_shift, unstaffed

    try:
        shifts = [read_shift(text) for text in options.shifts]
    except ReadError as error:
        raise CliError(f"--shifts: {error}", USAGE) from error
    monday = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
    return unstaffed(shifts, UTC, monday, 3 * options.days * 86_400)


def _show(name: str, outcomes: list[Outcome], proven_h: float, found_h: float) -> None:
    rows = [
        (
            one.policy,
            f"{one.weighted_tardiness_h:.0f} h",
            f"{one.late}/{one.delivered}",
            f"{one.mean_delivery_h:.1f} h",
            f"{one.worst_delivery_h:.0f} h",
            f"{one.setup_h:.0f} h",
            f"{100 * max(one.use.values()):.0f} %",
            f"{one.fairness:.3f}",
        )
        for one in outcomes
    ]
    head = ("policy", "tardiness", "late", "delivery", "worst", "set-ups", "busiest", "fairness")
    print(f"\n{name}")
    print(table(head, rows))
    print(
        f"with hindsight: {found_h:.0f} h in the best plan found, not below {proven_h:.0f} h "
        "(proven); part of the distance nobody can know beforehand"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
