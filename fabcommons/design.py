"""``fabcommons design``: check designs, convert manifests, draw a route."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fabcommons.client import OK, USAGE, CliError
from fabcommons.design_check import add_verbs
from fabcommons.options import command

_EXAMPLES = """\
examples:
  fabcommons design check my-design              what is missing, field by field
  fabcommons design check manifests --json       how many are accepted, refused and why
  fabcommons design convert okh.yml --out okh.toml
  fabcommons design picture designs/toggle-clamp --out route.svg
  fabcommons design picture toggle-clamp > route.svg        a design that comes with it"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    design = command(
        commands, "design", "check designs, convert manifests, draw a route", _EXAMPLES
    )
    verbs = design.add_subparsers(metavar="VERB", required=True)
    add_verbs(verbs)
    add_picture(verbs)


def add_picture(verbs: Any) -> None:
    """Add the verb that draws a route."""
    drawer = verbs.add_parser("picture", help="the route of a design as SVG")
    drawer.add_argument("design", help="folder of the design, or name of a shipped one")
    drawer.add_argument("--out", type=Path, help="file to write (default: print it)")
    drawer.set_defaults(run=run_picture)


def run_picture(options: argparse.Namespace) -> int:
    """Draw the route of a design folder."""
    from controller.definition import DesignError, load_design, profile_json, shipped_designs
    from controller.route_picture import nodes_of, picture

    shipped = {path.name: path for path in shipped_designs()}
    folder = Path(options.design)
    if not folder.is_dir():
        folder = shipped.get(options.design, folder)
    try:
        design = load_design(folder)
    except DesignError as error:
        problems = "\n".join(map(str, error.problems))
        raise CliError(f"{folder}:\n{problems}", USAGE) from error
    text = picture(*nodes_of(json.loads(profile_json(design.profile))), design.title)
    if options.out is None:
        sys.stdout.write(text)
        return OK
    try:
        options.out.write_text(text)
    except OSError as error:
        raise CliError(f"--out {options.out}: {error.strerror}", USAGE) from error
    print(f"{options.out}: {len(design.profile.steps)} steps")
    return OK
