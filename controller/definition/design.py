"""A design: its manifest, and how one part of it is made here."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from controller.definition import okh, production
from controller.definition.document import Document, read_file
from controller.definition.licences import Licence
from controller.definition.materials import MATERIALS, MaterialKind
from controller.definition.okh import Manifest
from controller.definition.problems import DesignError, Problem, fail
from controller.definition.profile import Profile
from controller.definition.programs import ProgramFacts

SHIPPED = Path(__file__).resolve().parents[2] / "designs"
SLICER_SETTINGS = SHIPPED / "profiles" / "petg-0.3mm.ini"


def shipped_designs() -> list[Path]:
    """Folders of the designs that come with this program."""
    return sorted(path.parent for path in SHIPPED.glob(f"*/{production.FILE_NAME}"))


@dataclass(frozen=True, slots=True)
class Design:
    """A design that can be routed. manifest is None for bare programs; ``note`` then says so.

    programs: what is known of its program files, each checked when the design was read.
    """

    id: str
    version: str
    title: str
    licence: Licence
    licensor: str
    folder: str
    manifest: Manifest | None
    manifest_sha: str
    profile: Profile
    note: str = ""
    programs: tuple[ProgramFacts, ...] = ()


def manifest_json(design: Design) -> str:
    """Manifest as JSON text for the store; ``null`` when there is none."""
    return msgspec.json.encode(design.manifest).decode()


def design_id(text: str) -> str:
    """Id made of a name: a-z, 0-9 and "-", at most 32 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32].rstrip("-") or "part"


def load_design(folder: Path | str, materials: Mapping[str, MaterialKind] = MATERIALS) -> Design:
    """Design of a folder with a manifest and ``production.yml``; raise DesignError."""
    folder = Path(folder)
    found, problems = _manifest(folder)
    made: tuple[Profile, tuple[ProgramFacts, ...]] | None = None
    try:
        made = _profile(folder, materials)
    except DesignError as error:
        problems += [_in_file(problem, error.source) for problem in error.problems]
    if problems or found is None or made is None:
        raise DesignError(str(folder), problems)
    (manifest, sha), (profile, programs) = found, made
    return Design(
        id=profile.part,
        version=manifest.version,
        title=manifest.name,
        licence=manifest.licence,
        licensor=", ".join(agent.name for agent in manifest.licensor),
        folder=str(folder.resolve()),
        manifest=manifest,
        manifest_sha=sha,
        profile=profile,
        programs=programs,
    )


def find_manifest(folder: Path) -> Path | None:
    """Manifest of a folder, by the names the standard's versions use."""
    for name in okh.FILE_NAMES:
        if (folder / name).is_file():
            return folder / name
    return next(iter(sorted(folder.glob("okh-*.yml")) + sorted(folder.glob("okh-*.toml"))), None)


def _manifest(folder: Path) -> tuple[tuple[Manifest, str] | None, list[Problem]]:
    path = find_manifest(folder)
    if path is None:
        return None, [Problem("okh.toml", 0, "there is no manifest", "add okh.toml (OKH 2.4)")]
    try:
        manifest = okh.read_manifest(read_file(path))
    except DesignError as error:
        return None, [_in_file(problem, path.name) for problem in error.problems]
    return (manifest, hashlib.sha256(path.read_bytes()).hexdigest()), []


def _profile(
    folder: Path, materials: Mapping[str, MaterialKind]
) -> tuple[Profile, tuple[ProgramFacts, ...]]:
    path = folder / production.FILE_NAME
    if not path.is_file():
        fix = "add production.yml, see docs/production-profile.md"
        raise fail(production.FILE_NAME, "", "there is no production profile", fix)
    document: Document = read_file(path)
    return production.read_profile(document, folder, materials)


def _in_file(problem: Problem, name: str) -> Problem:
    field = f"{name}: {problem.field}" if problem.field else name
    return Problem(field, problem.line, problem.message, problem.fix)
