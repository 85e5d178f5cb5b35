"""Texts of a design's folder: okh.toml, production.yml, README.md."""

from typing import Any

import trimesh
from catalogue import LICENCE, LICENSOR, REPO, STOCK, VERSION, Item, Milled, Printed

from controller.definition.materials import MATERIALS
from controller.definition.programs import ProgramFacts

Made = dict[str, tuple[trimesh.Trimesh, ProgramFacts, str]]
_HEAD = "# Written by designs/author/make.py; change it there.\n"


def _mass_mg(part: Printed | Milled, mesh: trimesh.Trimesh, facts: ProgramFacts) -> int:
    """Mass of the finished part: what the slicer extrudes, or what milling leaves."""
    if isinstance(part, Printed):
        return sum(facts.mass_mg)
    return round(mesh.volume / 1000 * MATERIALS[part.material].density_mg_cm3)


def manifest(item: Item, made: Made) -> str:
    """OKH 2.4 manifest."""
    rows = [
        _HEAD + 'okhv = "2.4"',
        f'name = "{item.title}"',
        f'repo = "{REPO}"',
        f'version = "{VERSION}"',
        f'license = "{LICENCE}"',
        f'licensor = "{LICENSOR}"',
        'readme = "README.md"',
        'documentation-language = "en"',
        'documentation-readiness-level = "ODRL-3"',
        'technology-readiness-level = "OTRL-4"',
        f'function = "{item.function}"',
    ]
    joined = bool(item.assembly or item.route)
    codes = sorted({"3DP" if isinstance(p, Printed) else "CNC" for p in item.parts})
    rows.append("tsdc = [" + ", ".join(f'"{c}"' for c in codes + ["ASM"] * joined) + "]")
    for part in item.all_parts():
        rows += _part(part, *made[part.name][:2])
    return "\n".join(rows) + "\n"


def _part(part: Printed | Milled, mesh: trimesh.Trimesh, facts: ProgramFacts) -> list[str]:
    sides = zip(("width", "depth", "height"), mesh.extents, strict=True)
    size = ", ".join(f"{name} = {side:.1f}" for name, side in sides)
    rows = ["", "[[part]]", f'name = "{part.title}"']
    rows += [f'export = ["meshes/{part.name}.stl", "programs/{part.name}.gcode"]']
    rows += [f'material = "{part.material}"', f"mass = {_mass_mg(part, mesh, facts) / 1000:.2f}"]
    rows += [f"outer-dimensions = {{ {size} }}"]
    if isinstance(part, Printed):
        rows += [
            'tsdc = "3DP"',
            'printing-process = "FDM"',
            "resolution-mm = 0.3",
            "supports = false",
        ]
    else:
        rows += ['tsdc = "CNC"', "smallest-inner-radius-mm = 1.5"]
    return rows


def production(item: Item, made: Made, profile_sha: str) -> str:
    """Production profile."""
    rows = [_HEAD + "profile: 1", f"part: {item.name}", f"title: {item.title}", "work_master:"]
    steps: list[str] = []
    for part in item.parts:
        steps.append(_step_id(part, item))
        rows += _machine_step(steps[-1], part, made[part.name], profile_sha)
        instead = part.instead if isinstance(part, Printed) else None
        if instead is not None:
            other = _run(instead, made[instead.name], profile_sha, "        ")
            other = [row for row in other if not row.startswith("        title:")]
            rows += ["    alternatives:", "      - " + other[0].strip(), *other[1:]]
    if item.assembly:
        rows += [
            "  - step: assemble",
            "    process: assemble",
            f"    title: Assemble the {item.title.lower()}",
            f"    after: [{', '.join(steps)}]",
            f"    requires: {{payload_g: {item.assembly.payload_g}}}",
            f"    program: {{kind: cell, work_master: {item.assembly.work_master}, "
            f"duration_s: {item.assembly.duration_s}}}",
            f"    instructions: {item.assembly.instructions}",
        ]
        steps = ["assemble"]
    if item.route:
        return "\n".join(rows) + "\n" + item.route
    rows += [
        "  - step: inspect",
        "    process: inspect",
        f"    title: Inspect the {item.title.lower()}",
        f"    after: [{', '.join(steps)}]",
        "    duration_s: 60",
        f"    instructions: {_quoted(item.check)}",
    ]
    return "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    return '"' + text + '"' if ": " in text else text


def _step_id(part: Printed | Milled, item: Item) -> str:
    verb = "print" if isinstance(part, Printed) else "mill"
    return verb if len(item.parts) == 1 else f"{verb}-{part.name.removeprefix('clamp-')}"


def _machine_step(step: str, part: Printed | Milled, made: Any, profile_sha: str) -> list[str]:
    rows = [f"  - step: {step}", *_run(part, made, profile_sha, "    ")]
    if part.count > 1:
        rows.append(f"    count: {part.count}")
    if isinstance(part, Printed) and part.yields > 1:
        rows.append(f"    yields: {part.yields}")
        rows += ["    share: true"] if part.share else []
    return rows


def _run(part: Printed | Milled, made: Any, profile_sha: str, indent: str) -> list[str]:
    """What a machine does to make a part: process, requirements, material, program."""
    mesh, facts, maker = made
    rows: list[str] = []
    if isinstance(part, Printed):
        high = facts.box_um[1]
        reach = [high[axis] for axis in range(3)]
        rows += ["    process: fdm", f"    title: Print the {part.title.lower()}"]
        rows += [f"    requires: {{nozzle_um: {facts.nozzle_um}, volume_um: {reach}}}"]
        rows += [f"    materials: [{{material: {part.material}, mass_mg: {sum(facts.mass_mg)}}}]"]
    else:
        reach = [round(side * 1000) for side in STOCK]
        mass = _mass_mg(part, mesh, facts)
        rows += ["    process: mill", f"    title: Mill the {part.title.lower()}"]
        rows += [f"    requires: {{tool_um: 3000, spindle_rpm: 12000, volume_um: {reach}}}"]
        rows += [f"    materials: [{{material: {part.material}, pieces: 1, part_mg: {mass}}}]"]
    rows += [
        "    program:",
        f"      file: programs/{part.name}.gcode",
        f"      sha256: {facts.sha256}",
        f"      kind: {facts.kind}",
        f"      duration_s: {facts.duration_s}",
        f"      lines: {facts.lines}",
        f"      slicer: {maker}",
    ]
    if isinstance(part, Printed):
        rows += ["      slicer_profile: designs/profiles/petg-0.3mm.ini"]
        rows += [f"      slicer_profile_sha256: {profile_sha}"]
    return [indent + row[4:] for row in rows]


def readme(item: Item, made: Made) -> str:
    """README of the folder."""
    rows = [f"# {item.title}", "", item.function, ""]
    rows += ["| part | size, mm | mass, g | time, min |", "|---|---|---|---|"]
    for part in item.all_parts():
        mesh, facts, _ = made[part.name]
        size = " x ".join(f"{side:.1f}" for side in mesh.extents)
        mass = _mass_mg(part, mesh, facts) / 1000
        minutes = facts.duration_s / 60
        rows.append(f"| {part.title} ({part.material}) | {size} | {mass:.2f} | {minutes:.0f} |")
    if item.assembly:
        rows += ["", item.assembly.instructions]
    rows += ["", f"Check: {item.check}", ""]
    rows += [f"Licence {LICENCE}, {LICENSOR}. Masses and times are estimates; shapes come from"]
    rows += ["`designs/author/shapes.py`, programs from `designs/author/make.py`."]
    return "\n".join(rows) + "\n"
