"""Writes a manifest as OKH-LOSH 2.4 TOML, whatever version it was read from.

Mass becomes grams, size millimetres, the licence its SPDX expression; nothing is made up: a field
the manifest does not state is left out.
"""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal

from controller.definition.okh import Agent, Manifest, Part


def manifest_toml(manifest: Manifest) -> str:
    """The manifest as text; reading it again gives the same design."""
    lines = ['okhv = "2.4"']
    lines += _texts(
        name=manifest.name,
        repo=manifest.repo,
        version=manifest.version,
        license=manifest.licence.spdx,
    )
    lines += _agents("licensor", manifest.licensor)
    lines += _texts(organization=manifest.organization, function=manifest.function)
    lines += [f"documentation-language = {_said(manifest.language)}"] if manifest.language else []
    lines += [f"tsdc = {_list(manifest.tsdc)}"] if manifest.tsdc else []
    lines += _agents("contributors", manifest.contributors)
    for part in manifest.parts:
        lines += ["", "[[part]]", *_part(part)]
    return "\n".join(lines) + "\n"


def _part(part: Part) -> Iterator[str]:
    yield from _texts(name=part.name, tsdc=part.tsdc, material=part.material)
    for field, paths in (("source", part.source), ("export", part.export)):
        if paths:
            yield f"{field} = {_list(paths)}"
    if part.mass_mg:
        yield f"mass = {_thousandths(part.mass_mg)}"
    if part.size_um:
        named = zip(("width", "depth", "height"), part.size_um, strict=False)
        inner = ", ".join(f"{name} = {_thousandths(side)}" for name, side in named)
        yield f"outer-dimensions = {{ {inner} }}"


def _texts(**fields: str) -> Iterator[str]:
    return (f"{name} = {_said(value)}" for name, value in fields.items() if value)


def _agents(field: str, agents: Iterable[Agent]) -> list[str]:
    tables = [
        "{ " + ", ".join(_texts(name=agent.name, email=agent.email)) + " }" for agent in agents
    ]
    return [f"{field} = [{', '.join(tables)}]"] if tables else []


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(_said, values)) + "]"


def _said(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but for DEL and halves of characters."""
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def _thousandths(number: int) -> str:
    value = Decimal(number) / 1000
    text = f"{value.normalize():f}"
    return text if "." in text else text + ".0"
