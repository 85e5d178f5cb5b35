"""Manifests of every version become one shape; the licence gate says why it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.definition import DesignError
from controller.definition.document import read_file, read_toml, read_yaml
from controller.definition.licences import read_licence
from controller.definition.okh import Manifest, read_manifest

LOSH_1 = """\
okhv = "OKH-LOSHv1.0"
name = "Loom"
repo = "https://example.org/loom"
version = "0.10.0"
license = "LicenseRef-CC BY-SA-4.0"
licensor = ["A Weaver <weaver@example.org>", {name = "B"}]
organisation = "Weavers"
documentationLanguage = "en-GB"
function = "Weaves."

[[part]]
name = "Ring"
tsdc = "3DP"
export = ["/ring.stl", "../secret.stl"]
material = "ABS"
[part.mass]
value = 30
unit = "g"
[part.outer-dimensions]
openSCAD = "cube(size = [400,350,150])"
unit = "mm"
"""
LOSH_24 = """\
okhv = "2.4"
name = "Clip"
version = "1"
license = "CERN-OHL-W-2.0"
licensor = "Makers"
function = "Clips."
[[part]]
name = "Clip"
source = "clip.py"
mass = 1.5
outer-dimensions = {width = 10, depth = 20.5, height = 3}
"""
OKH_1 = """\
title: Doorknob
description: Opens doors.
project-link: https://example.org/knob
license:
  hardware: CERN OHL v1.2
  documentation: CC BY 4.0
licensor:
  name: A Maker
  email: maker@example.org
contributors: [B, {name: C}]
"""


def toml(text: str) -> Manifest:
    return read_manifest(read_toml(text.encode(), "okh.toml"))


def yaml(text: str) -> Manifest:
    return read_manifest(read_yaml(text.encode(), "okh.yml"))


def test_losh_1_is_read_with_units_agents_and_either_spelling():
    manifest = toml(LOSH_1)
    assert [(a.name, a.email) for a in manifest.licensor] == [
        ("A Weaver", "weaver@example.org"),
        ("B", ""),
    ]
    assert (manifest.licence.spdx, manifest.organization) == ("CC-BY-SA-4.0", "Weavers")
    assert manifest.language == "en-GB"
    part = manifest.parts[0]
    assert (part.mass_mg, part.size_um) == (30_000, (400_000, 350_000, 150_000))
    assert part.export == ("/ring.stl",)
    assert [(n.field, n.line) for n in manifest.notes] == [("part[0].export", 14)]


def test_losh_24_masses_are_grams_and_sizes_mm():
    part = toml(LOSH_24).parts[0]
    assert (part.mass_mg, part.size_um) == (1500, (10_000, 20_500, 3000))


def test_okh_1_yaml_needs_all_its_licences_open():
    manifest = yaml(OKH_1)
    assert (manifest.format, manifest.name, manifest.licence.spdx) == (
        "OKH-1.0",
        "Doorknob",
        "CERN-OHL-1.2",
    )
    assert [a.name for a in manifest.contributors] == ["B", "C"]
    with pytest.raises(DesignError, match="forbids commercial use"):
        yaml(OKH_1.replace("CC BY 4.0", "CC BY-NC 4.0"))


def test_a_list_of_licences_is_open_when_each_is():
    both = LOSH_24.replace('"CERN-OHL-W-2.0"', '["CERN-OHL-W-2.0", "CC-BY-4.0"]')
    assert toml(both).licence.spdx == "CERN-OHL-W-2.0"
    with pytest.raises(DesignError, match="forbids changed versions"):
        toml(both.replace("CC-BY-4.0", "CC-BY-ND-4.0"))


@pytest.mark.parametrize("field", ["name", "license", "licensor", "function"])
def test_a_manifest_without_what_is_required_is_refused(field: str):
    rows = [row for row in LOSH_24.splitlines() if not row.startswith(field + " =")]
    with pytest.raises(DesignError) as caught:
        toml("\n".join(rows))
    assert [p.field for p in caught.value.problems] == [field]


def test_several_problems_come_together_with_the_line_of_each():
    with pytest.raises(DesignError) as caught:
        toml(
            LOSH_24.replace('"CERN-OHL-W-2.0"', '"CC-BY-ND-4.0"').replace('licensor = "Makers"', "")
        )
    assert [(p.field, p.line) for p in caught.value.problems] == [("licensor", 0), ("license", 4)]


@pytest.mark.parametrize(
    ("stated", "spdx"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("LicenseRef-CC BY-SA-4.0", "CC-BY-SA-4.0"),
        ("LicenseRef-CC-BY-SA-3.0", "CC-BY-SA-3.0"),
        ("CC BY SA 4", "CC-BY-SA-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
        ("LicenseRef-CERN OHL v1.2", "CERN-OHL-1.2"),
        ("CERN-OHL-S v2", "CERN-OHL-S-2.0"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPL-3.0+", "GPL-3.0-or-later"),
        ("CC0", "CC0-1.0"),
        ("MIT OR LicenseRef-Proprietary", "MIT"),
        ("CERN-OHL-W-2.0 AND CC-BY-4.0", "CERN-OHL-W-2.0 AND CC-BY-4.0"),
        ("GPL-3.0-only WITH Classpath-exception-2.0", "GPL-3.0-only"),
    ],
)
def test_an_open_licence_is_known_however_it_is_written(stated: str, spdx: str):
    licence = read_licence(stated)
    assert (licence.spdx, licence.open, licence.stated) == (spdx, True, stated)


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ("", "all rights are reserved"),
        ("CC-BY-NC-SA-4.0", "forbids commercial use"),
        ("CC BY ND 4.0", "forbids changed versions"),
        ("All rights reserved", "reserves all rights"),
        ("LicenseRef-CERN", "not a licence known to be open"),
        ("MIT AND CC-BY-NC-4.0", "forbids commercial use"),
        ("(MIT OR X) AND CC-BY-NC-4.0", "too deep"),
        ("MITX", "not a licence known"),
    ],
)
def test_what_is_not_known_to_be_open_is_refused_with_a_reason(stated: str, reason: str):
    licence = read_licence(stated)
    assert not licence.open
    assert reason in licence.refused


def test_every_published_manifest_is_accepted_or_refused_with_a_reason(shared_data: Path):
    paths = sorted((shared_data / "okh").rglob("*.toml"))
    refused: list[str] = []
    for path in paths:
        try:
            assert read_manifest(read_file(path)).licence.open
        except DesignError as error:
            refused.append(str(error))
    assert len(paths) > 100
    assert all("license" in reason for reason in refused), refused
    assert len(refused) < len(paths) / 20
