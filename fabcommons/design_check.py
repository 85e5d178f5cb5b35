"""``fabcommons design check`` and ``convert``: what a design lacks, in words or as counts."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from controller.definition import DesignError, load_design
from controller.definition.document import read_file
from controller.definition.okh import FILE_NAMES, read_manifest
from controller.definition.problems import Problem
from controller.definition.writing import manifest_toml
from fabcommons.client import FAILED, OK, USAGE, CliError

KINDS = ("*.toml", "*.yml", "*.yaml")


class Checked(NamedTuple):
    """One manifest or design folder: what is wrong (nothing: accepted), or how it crashed."""

    path: Path
    problems: tuple[Problem, ...] = ()
    crashed: str = ""


def add_verbs(verbs: Any) -> None:
    """Add the verbs to the command line."""
    checker = verbs.add_parser("check", help="say what is missing in a manifest or design")
    checker.add_argument("path", type=Path, help="manifest, design folder, or folder of manifests")
    checker.add_argument("--json", action="store_true", help="counts for programs")
    checker.set_defaults(run=run_check)
    writer = verbs.add_parser("convert", help="write a manifest as OKH-LOSH 2.4 TOML")
    writer.add_argument("path", type=Path, help="manifest of any version")
    writer.add_argument("--out", type=Path, help="file to write (default: print it)")
    writer.set_defaults(run=run_convert)


def run_check(options: argparse.Namespace) -> int:
    """Check; exit code 1 when anything was refused."""
    if not options.path.exists():
        raise CliError(f"{options.path}: there is no such file or folder", USAGE)
    checked = [check(path) for path in targets(options.path)]
    if not checked:
        raise CliError(f"{options.path}: there is no manifest in it", USAGE)
    if options.json:
        print(json.dumps(counts(checked), indent=2))
    else:
        print("\n".join(line for one in checked for line in _words(one)))
    return FAILED if any(one.problems or one.crashed for one in checked) else OK


def run_convert(options: argparse.Namespace) -> int:
    """Write a manifest in the newest form."""
    try:
        text = manifest_toml(read_manifest(read_file(options.path)))
    except DesignError as error:
        raise CliError("\n".join(map(str, error.problems)), USAGE) from error
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, "utf-8")
    return OK


def targets(path: Path) -> Iterator[Path]:
    """Manifests of a folder and below; a folder with a production profile is one design."""
    if path.is_file() or (path / "production.yml").is_file():
        yield path
        return
    for name in FILE_NAMES:
        if (path / name).is_file():
            yield path / name
            return
    found = sorted(file for kind in KINDS for file in path.rglob(kind) if file.is_file())
    designs = {file.parent for file in found if file.name == "production.yml"}
    yield from sorted(designs)
    yield from (file for file in found if not designs & {*file.parents})


def check(path: Path) -> Checked:
    """Check one manifest or design."""
    try:
        if path.is_dir():
            load_design(path)
        else:
            read_manifest(read_file(path))
    except DesignError as error:
        return Checked(path, error.problems)
    except Exception as error:  # noqa: BLE001  # a crash is a finding: it is counted and told
        return Checked(path, (), f"{type(error).__name__}: {error}")
    return Checked(path)


def counts(checked: list[Checked]) -> dict[str, Any]:
    """How many were accepted, refused by their first reason, crashed."""
    refused = [one for one in checked if one.problems]
    reasons = Counter(_reason(one.problems[0]) for one in refused)
    return {
        "manifests": len(checked),
        "accepted": sum(not (one.problems or one.crashed) for one in checked),
        "refused": len(refused),
        "refused_by_reason": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "crashed": sum(bool(one.crashed) for one in checked),
    }


def _reason(problem: Problem) -> str:
    field = problem.field.rpartition(": ")[2]
    return f"{field}: {problem.message}" if field else problem.message


def _words(one: Checked) -> Iterator[str]:
    if one.crashed:
        yield f"{one.path}: CRASHED {one.crashed}"
    elif not one.problems:
        yield f"{one.path}: accepted"
    for problem in one.problems:
        yield f"{one.path}: {problem}"
