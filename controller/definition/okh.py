"""Open Know-How manifests, read leniently: OKH 1.0 (YAML), LOSH v1.0, 2.0 and 2.4 (TOML).

What the versions write differently (mass with or without unit, ``organisation``, camelCase keys,
agents as text, list or table) becomes one shape; an odd field is left out with a note. Refused is
only what names no design, no licensor or no open licence. Sources: OKH 1.0 specification; templates
of iop-alliance/OpenKnowHow.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from controller.definition.document import Document
from controller.definition.licences import Licence, read_licence
from controller.definition.problems import DesignError, Problem

FILE_NAMES = ("okh.toml", "okh.yml", "okh.yaml", "okh-manifest.yml", "okh-manifest.yaml")
MAX_TEXT = 4000
_GRAMS = {"g": 1000, "gram": 1000, "kg": 1_000_000, "mg": 1, "": 1000}
_MM = {"mm": 1000, "cm": 10_000, "m": 1_000_000, "in": 25_400, "": 1000}
_CUBE = re.compile(r"cube\s*\(\s*(?:size\s*=\s*)?\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Agent:
    """Someone to credit."""

    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a design; mass and size 0 or empty when not stated."""

    name: str
    tsdc: str = ""
    material: str = ""
    source: tuple[str, ...] = ()
    export: tuple[str, ...] = ()
    mass_mg: int = 0
    size_um: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest in one shape whatever its version; ``notes`` say what was odd but let through."""

    format: str
    name: str
    version: str
    licence: Licence
    licensor: tuple[Agent, ...]
    contributors: tuple[Agent, ...]
    function: str
    repo: str
    organization: str
    language: str
    tsdc: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[Problem, ...]


def read_manifest(document: Document) -> Manifest:
    """Manifest of a document; raise DesignError when it may not or cannot be made."""
    yaml = not document.source.endswith(".toml")
    reader = _Reader(document, {_kebab(k): v for k, v in document.values.items()})
    manifest = reader.okh_1() if yaml and "okhv" not in document.values else reader.losh()
    if not manifest.licence.open:
        fix = "state an open licence by its SPDX identifier"
        reader.wrong("license", manifest.licence.refused, fix)
    if reader.problems:
        raise DesignError(document.source, reader.problems)
    return manifest


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


class _Reader:
    """Takes fields by kebab-case name; what is missing or odd is gathered."""

    def __init__(self, document: Document, values: dict[str, Any]) -> None:
        self._document = document
        self._values = values
        self.problems: list[Problem] = []
        self._notes: list[Problem] = []

    def wrong(self, field: str, message: str, fix: str) -> None:
        self.problems.append(self._document.problem(field, message, fix))

    def _odd(self, field: str, message: str) -> None:
        self._notes.append(self._document.problem(field, message, "left out"))

    def _need(self, *names: str) -> None:
        for name in names:
            if not _text(self._values.get(name)) and not self._values.get(name):
                self.wrong(name, "is missing", f"the standard requires {name}")

    def losh(self) -> Manifest:
        """LOSH TOML of any version."""
        self._need("name", "licensor", "function")
        stated = next(
            (k for k in ("license", "spdx-license", "alternative-license") if self._values.get(k)),
            "",
        )
        form = _text(self._values.get("okhv"))
        if not form:
            self._odd("okhv", "is missing; read as the newest")
        if not _text(self._values.get("version")):
            self._odd("version", "is missing")
        return self._manifest(form or "2.4", "name", _licence(self._values.get(stated)))

    def okh_1(self) -> Manifest:
        """OKH 1.0 YAML: licences by kind of work, title instead of name."""
        self._need("title", "description")
        if not self._values.get("project-link") and not self._values.get("documentation-home"):
            self.wrong("project-link", "is missing", "give project-link or documentation-home")
        self._values.setdefault("function", self._values.get("description"))
        self._values.setdefault("repo", self._values.get("project-link"))
        version = _text(self._values.get("okh-manifest-version")) or "1.0"
        return self._manifest(f"OKH-{version}", "title", _licence(self._values.get("license")))

    def _manifest(self, form: str, name: str, licence: Licence) -> Manifest:
        values = self._values
        organization = values.get("organization", values.get("organisation"))
        return Manifest(
            format=form,
            name=_text(values.get(name))[:200],
            version=_text(values.get("version")) or "0",
            licence=licence,
            licensor=_agents(values.get("licensor")),
            contributors=_agents(values.get("contributors")),
            function=_text(values.get("function")),
            repo=_text(values.get("repo")),
            organization=", ".join(agent.name for agent in _agents(organization)),
            language=", ".join(_texts(values.get("documentation-language"))),
            tsdc=_texts(values.get("tsdc")),
            parts=self._parts(values.get("part")),
            notes=tuple(self._notes),
        )

    def _parts(self, value: Any) -> tuple[Part, ...]:
        parts: list[Part] = []
        for index, item in enumerate(_list(value)):
            path = f"part[{index}]"
            if not isinstance(item, dict):
                self._odd(path, "is not a table")
                continue
            fields = {_kebab(k): v for k, v in cast("dict[str, Any]", item).items()}
            parts.append(self._part(path, fields))
        return tuple(parts)

    def _part(self, path: str, fields: dict[str, Any]) -> Part:
        if not fields.get("source") and not fields.get("export"):
            self._odd(path, "has neither source nor export")
        return Part(
            name=_text(fields.get("name"))[:200] or path,
            tsdc=_text(fields.get("tsdc")),
            material=_text(fields.get("material")),
            source=self._paths(path + ".source", fields.get("source")),
            export=self._paths(path + ".export", fields.get("export")),
            mass_mg=self._mass(path + ".mass", fields.get("mass")),
            size_um=self._size(path + ".outer-dimensions", fields.get("outer-dimensions")),
        )

    def _paths(self, field: str, value: Any) -> tuple[str, ...]:
        good: list[str] = []
        for path in _texts(value):
            if ".." in path.split("/"):
                self._odd(field, f"{path} leads out of the repository")
            else:
                good.append(path)
        return tuple(good)

    def _mass(self, field: str, value: Any) -> int:
        """Mass in mg: a number of grams (2.4) or {value, unit} (before)."""
        unit = ""
        if isinstance(value, dict):
            table = cast("dict[str, Any]", value)
            value, unit = table.get("value"), _text(table.get("unit")).lower()
        if value is None:
            return 0
        if not _number(value) or unit not in _GRAMS:
            self._odd(field, "is not a mass")
            return 0
        return round(value * _GRAMS[unit])

    def _size(self, field: str, value: Any) -> tuple[int, ...]:
        """Size in um: {width, depth, height} in mm (2.4) or {openSCAD, unit} (before)."""
        if not isinstance(value, dict):
            return ()
        table = cast("dict[str, Any]", value)
        sides = [table.get(name) for name in ("width", "depth", "height")]
        if all(_number(side) for side in sides):
            return tuple(round(cast("float", side) * 1000) for side in sides)
        found = _CUBE.search(_text(table.get("openSCAD", table.get("openscad"))))
        unit = _MM.get(_text(table.get("unit")).lower(), 1000)
        try:
            return tuple(round(float(n) * unit) for n in found[1].split(",")) if found else ()
        except (ValueError, OverflowError):
            self._odd(field, "is not a size")
            return ()


def _licence(stated: Any) -> Licence:
    """Licence as text, list or by kind of work; of several all must be open, the first counts."""
    if isinstance(stated, dict):
        kinds = ("hardware", "documentation", "software")
        stated = [cast("dict[str, Any]", stated).get(kind) for kind in kinds]
    read = [read_licence(text) for text in _texts(stated)]
    return next((one for one in read if not one.open), read[0] if read else read_licence(""))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return cast("list[Any]", value)
    return [] if value is None else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()[:MAX_TEXT]
    return str(value)[:MAX_TEXT] if isinstance(value, int | float) and _number(value) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in (_text(item) for item in _list(value)) if text)


def _agents(value: Any) -> tuple[Agent, ...]:
    """Agents written as text, table or list of either; ``Name <email>`` is split."""
    agents: list[Agent] = []
    for item in _list(value):
        if isinstance(item, dict):
            table = cast("dict[str, Any]", item)
            agents.append(Agent(_text(table.get("name")), _text(table.get("email"))))
        else:
            name, _, rest = _text(item).partition("<")
            agents.append(Agent(name.strip(), rest.rstrip("> ") if "@" in rest else ""))
    return tuple(agent for agent in agents if agent.name)
