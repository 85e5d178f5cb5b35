"""fabcommons design check: reasons in words, counts, no crash; manifests written anew as 2.4."""

import argparse
import json
import tomllib
from dataclasses import replace

import pytest

from controller.definition.document import read_file, read_toml
from controller.definition.okh import read_manifest
from controller.definition.problems import DesignError
from controller.definition.writing import manifest_toml
from fabcommons import design
from fabcommons.client import FAILED, OK, CliError
from fabcommons.design_check import check, counts, targets

GOOD = 'okhv = "2.4"\nname = "Hook"\nlicensor = "Ana"\nfunction = "holds"\nlicense = "CC-BY-4.0"\n'
OLD = """\
title: Knob
description: turns
license: {hardware: CERN-OHL-S-2.0}
licensor: {name: Ana, email: a@example.org}
contributors: [Bo, Cy <c@example.org>]
project-link: https://example.org/knob
"""


def run(*words):
    parser = argparse.ArgumentParser()
    design.add(parser.add_subparsers())
    options = parser.parse_args(["design", *words])
    return options.run(options)


def test_a_folder_of_manifests_is_counted_and_told_in_words(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD.replace("CC-BY-4.0", "CC-BY-NC-4.0"))
    (tmp_path / "c.yml").write_text(OLD)
    (tmp_path / "d.toml").write_text("= nonsense")
    assert run("check", str(tmp_path), "--json") == FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["manifests"], told["accepted"], told["refused"], told["crashed"]) == (4, 2, 2, 0)
    assert run("check", str(tmp_path / "a.toml")) == OK
    assert "a.toml: accepted" in capsys.readouterr().out
    assert run("check", str(tmp_path)) == FAILED
    assert "b.toml: line 5: license:" in capsys.readouterr().out
    with pytest.raises(CliError, match="no such file"):
        run("check", str(tmp_path / "none"))


def test_an_old_manifest_is_written_in_the_newest_form(tmp_path, capsys):
    (tmp_path / "okh.yml").write_text(OLD)
    assert run("convert", str(tmp_path / "okh.yml"), "--out", str(tmp_path / "new.toml")) == OK
    values = tomllib.loads((tmp_path / "new.toml").read_text())
    assert (values["okhv"], values["name"], values["license"]) == ("2.4", "Knob", "CERN-OHL-S-2.0")
    assert [agent["name"] for agent in values["contributors"]] == ["Bo", "Cy"]


def same(manifest):
    licence = replace(manifest.licence, stated="")
    return replace(manifest, format="", notes=(), licence=licence)


def test_real_manifests_never_crash_and_survive_being_written_again(shared_data):
    """Manifests nobody here wrote; their counts are stated in docs/production-profile.md."""
    checked = [check(path) for path in targets(shared_data / "okh")]
    told = counts(checked)
    assert told["crashed"] == 0
    assert told["manifests"] == told["accepted"] + told["refused"] == 201
    again = 0
    for one in checked:
        try:
            manifest = read_manifest(read_file(one.path))
        except DesignError:
            continue
        path = one.path.with_suffix(".toml")
        written = manifest_toml(manifest).encode()
        assert same(read_manifest(read_toml(written, path.name))) == same(manifest)
        again += 1
    assert again == told["accepted"]
