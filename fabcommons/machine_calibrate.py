"""``fabcommons machine calibrate``: from ruler and scale to the numbers to set. Sends nothing."""

from __future__ import annotations

import argparse
import json
from typing import Any

from controller.definition.materials import MATERIALS
from fabcommons.calibration import (
    Flow,
    LinearMass,
    Refused,
    Steps,
    check_expected,
    flow,
    linear_mass,
)
from fabcommons.client import OK, USAGE, Client, CliError
from fabcommons.options import command
from protocols.records import is_id

_FLOW_GUIDE = """\
How much filament goes in of what is asked for:
 1. End `fabcommons machine run` for this printer; use its own display or another host.
 2. Heat the nozzle to printing temperature. Mark the filament 120 mm above the feeder's inlet.
 3. Feed 100 mm slowly: M83, then G1 E100 F100.
 4. Measure from inlet to mark. 120 mm less that is what went in.
 5. Read the steps per mm now set (M503 shows M92 E...).
 6. fabcommons machine calibrate flow --asked-mm 100 --measured-mm WENT_IN --steps-per-mm NOW
Do it three times and take the middle one."""
_DENSITY_GUIDE = """\
What a metre of this filament weighs, before the spool is declared:
 1. Cut a piece of 2 m or more; straighten it along a rule and measure it.
 2. Weigh it: zero the scale, lay the coil on, read.
 3. Measure its diameter at ten places, take the mean.
 4. fabcommons machine calibrate density --length-mm L --mass-g M --diameter-mm D --material petg"""


def add(verbs: Any) -> None:
    """Add the verb to the command line."""
    calibrate = verbs.add_parser("calibrate", help="feeder and filament, by ruler and scale")
    kinds = calibrate.add_subparsers(metavar="WHAT", required=True)
    _add_flow(kinds)
    _add_density(kinds)


def _parser(kinds: Any, name: str, about: str, guide: str) -> Any:
    parser = command(kinds, name, about, guide)
    parser.add_argument("--dry-run", action="store_true", help="print only how to measure")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser


def _add_flow(kinds: Any) -> None:
    parser = _parser(kinds, "flow", "feeder: steps per mm or extrusion multiplier", _FLOW_GUIDE)
    option = parser.add_argument
    option("--asked-mm", type=float, help="length commanded")
    option("--measured-mm", type=float, help="length that went in")
    option("--ruler-mm", type=float, default=0.5, help="step it was read to, default %(default)s")
    option("--steps-per-mm", type=float, help="steps per mm now set: gives M92")
    option("--multiplier", type=float, help="extrusion multiplier now in use (1 = 100 %%)")
    parser.set_defaults(run=run_flow)


def _add_density(kinds: Any) -> None:
    parser = _parser(kinds, "density", "filament: mass of a metre", _DENSITY_GUIDE)
    option = parser.add_argument
    option("--length-mm", type=float, help="length weighed")
    option("--mass-g", type=float, help="what it weighs")
    option("--diameter-mm", type=float, default=1.75, help="mean diameter, default %(default)s")
    option("--ruler-mm", type=float, default=1.0, help="step it was read to, default %(default)s")
    option("--scale-g", type=float, default=0.01, help="step of the scale, default %(default)s")
    option("--calliper-mm", type=float, default=0.01, help="default %(default)s")
    option("--material", choices=sorted(_filaments()), help="checks the result against it")
    option("--lot", default="", help="id of the lot it is for")
    option("--url", help="ask this site whether the lot is known")
    parser.set_defaults(run=run_density)


def _filaments() -> list[str]:
    return [name for name, kind in MATERIALS.items() if kind.form == "filament"]


def run_flow(options: argparse.Namespace) -> int:
    """Print steps per mm or multiplier to set; refuse absurd lengths."""
    if options.dry_run:
        print(_FLOW_GUIDE)
        return OK
    _need(options, "asked_mm", "measured_mm")
    try:
        found = flow(options.asked_mm, options.measured_mm, options.ruler_mm)
        answer = _flow_answer(found, options.steps_per_mm, options.multiplier)
    except Refused as refused:
        raise CliError(str(refused), USAGE) from refused
    print(json.dumps(answer, indent=2) if options.json else _flow_words(answer))
    return OK


def _flow_answer(found: Flow, steps: float | None, multiplier: float | None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "factor": round(found.factor, 5),
        "uncertain_percent": round(found.relative * 100, 2),
        "within_uncertainty": found.within,
    }
    if steps is not None:
        answer["steps_per_mm"] = round(found.steps_per_mm(steps), 2)
        answer["command"] = f"M92 E{answer['steps_per_mm']:.2f}"
    if multiplier is not None:
        answer["multiplier"] = round(found.multiplier(multiplier), 3)
    return answer


def _flow_words(answer: dict[str, Any]) -> str:
    doubt = answer["uncertain_percent"]
    lines = [f"factor {answer['factor']:.4f}, uncertain by {doubt:.2f} % at most (ruler)"]
    if answer["within_uncertainty"]:
        return "\n".join([*lines, "That is within what the ruler can tell: leave it as it is."])
    if "command" in answer:
        lines += [
            f"set on the printer: {answer['command']}, then M500 to keep it (M503 shows it)",
            "then measure again: it should come out within what the ruler can tell",
        ]
    if "multiplier" in answer:
        lines += [
            f"extrusion multiplier: {answer['multiplier']:.3f} (in the slicer)",
            "the ledger counts what is commanded, so it will be off by the factor: steps per mm"
            " (--steps-per-mm) keep it true",
        ]
    if len(lines) == 1:
        lines.append("name --steps-per-mm (M503 shows M92 E...) for what to set")
    return "\n".join(lines)


def run_density(options: argparse.Namespace) -> int:
    """Print ug_per_m and its uncertainty, and what to enter for the lot; refuse absurd values."""
    if options.dry_run:
        print(_DENSITY_GUIDE)
        return OK
    _need(options, "length_mm", "mass_g")
    if options.lot and not is_id(options.lot):
        raise CliError(f"--lot {options.lot}: must be an id: a-z, 0-9 and '-'", USAGE)
    steps = Steps(options.scale_g, options.ruler_mm, options.calliper_mm)
    try:
        found = linear_mass(options.length_mm, options.mass_g, options.diameter_mm, steps)
        if options.material:
            expected = MATERIALS[options.material].ug_per_m(round(options.diameter_mm * 1000))
            check_expected(found, expected, options.material)
    except Refused as refused:
        raise CliError(str(refused), USAGE) from refused
    known = _known(options.url, options.lot) if options.lot and options.url else None
    if options.json:
        print(json.dumps(_density_answer(options, found, known), indent=2))
    else:
        print("\n".join([*_density_words(found), *_entry_words(options, found, known)]))
    return OK


def _known(url: str, lot: str) -> bool:
    """Whether the site has the lot; raise CliError."""
    return lot in Client(url).get("/api/materials")["lots"]


def _density_answer(
    options: argparse.Namespace, found: LinearMass, known: bool | None
) -> dict[str, Any]:
    return {
        "lot": options.lot or None,
        "known_at_site": known,
        "ug_per_m": found.ug_per_m,
        "uncertain_ug_per_m": found.uncertain_ug_per_m,
        "density_g_cm3": round(found.density_g_cm3, 4),
        "uncertain_g_cm3": round(found.uncertain_g_cm3, 4),
    }


def _density_words(found: LinearMass) -> list[str]:
    lines = [
        f"ug_per_m: {found.ug_per_m}, uncertain by {found.uncertain_ug_per_m} at most"
        f" ({found.relative:.2%}; scale and ruler)",
        f"density: {found.density_g_cm3:.3f} g/cm3, uncertain by {found.uncertain_g_cm3:.3f}"
        " (calliper, too; the ledger does not need it)",
    ]
    if found.poor:
        lines.append("That is much: weigh a longer piece, or use a finer scale.")
    return lines


def _entry_words(options: argparse.Namespace, found: LinearMass, known: bool | None) -> list[str]:
    if known:
        return [
            "",
            f"{options.lot} is at the site already and keeps the ug_per_m it was declared with:",
            "declare the spool anew under another id.",
        ]
    return [
        "",
        "site.yml, below lots: (before the controller first starts with this lot)",
        f"  - id: {options.lot or 'ID'}",
        f"    material: {options.material or 'MATERIAL'}",
        "    kind: spool",
        f"    ug_per_m: {found.ug_per_m}",
        "    # mass_mg: what is on the spool now, without the spool",
    ]


def _need(options: argparse.Namespace, *names: str) -> None:
    missing = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is None]
    if missing:
        raise CliError(f"{' and '.join(missing)}: needed; --dry-run tells how to measure", USAGE)
