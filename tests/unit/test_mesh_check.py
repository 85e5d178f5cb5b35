"""Meshes that would fill a disk or leave their folder are refused before a slicer opens them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from controller.adapters import mesh_check
from controller.adapters.mesh_check import unsafe
from controller.adapters.slicer import Slicer, SlicerError


def mesh(folder: Path, files: dict[str, bytes], name: str = "part.3mf") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)
    return path


def test_an_ordinary_3mf_is_taken(tmp_path: Path) -> None:
    vertices = "".join(f'<vertex x="{n * 7919 % 977}" y="{n}" z="0"/>' for n in range(5000))
    assert unsafe(mesh(tmp_path, {"3D/3dmodel.model": vertices.encode()})) == ""


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    assert "would unpack" in unsafe(mesh(tmp_path, {"3D/3dmodel.model": bytes(20_000_000)}))


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/x", "a/../../b", "..\\x", "C:/x"])
def test_a_file_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert "leave its folder" in unsafe(mesh(tmp_path, {name: b"x"}))


def test_too_many_files_too_large_and_no_zip_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = mesh(tmp_path, {f"f{n}": b"" for n in range(2_001)})
    assert "holds 2001 files" in unsafe(many)
    torn = tmp_path / "torn.3mf"
    torn.write_bytes(b"PK\x03\x04 and no more")
    assert "no 3MF" in unsafe(torn)
    monkeypatch.setattr(mesh_check, "MAX_MESH_BYTES", 10)
    large = tmp_path / "large.stl"
    large.write_bytes(b"solid " * 10)
    assert "at most" in unsafe(large)


def test_the_slicer_is_not_started_for_it(tmp_path: Path) -> None:
    settings = tmp_path / "settings.ini"
    settings.write_text("")
    slicer = Slicer("/nonexistent/slicer", tmp_path / "cache")
    with pytest.raises(SlicerError, match="would unpack"):
        slicer.slice(mesh(tmp_path, {"model": bytes(20_000_000)}), settings)
