"""The kept NodeSets: found again, replaced, and harmless when damaged."""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulators.cell.cache import CachedServer, read_kept
from simulators.cell.files import cache_file, default_folder

URIS = ["http://opcfoundation.org/UA/", "urn:own"]


def loaded(file: Path) -> list[str]:
    async def load() -> list[str]:
        server = CachedServer(file)
        await server.load_standard_address_space()
        return server.uris

    return asyncio.run(load())


def keep(file: Path) -> bool:
    async def write() -> bool:
        return CachedServer(file).keep(URIS)

    return asyncio.run(write())


def test_kept_is_found_again_and_older_names_go(tmp_path: Path) -> None:
    stale = tmp_path / "opcua-nodesets-0000.pickle"
    stale.write_bytes(b"of another asyncua")
    file = cache_file(tmp_path)
    assert keep(file)
    assert sorted(tmp_path.iterdir()) == [file]
    assert loaded(file) == URIS


def test_damaged_file_is_as_none(tmp_path: Path) -> None:
    file = cache_file(tmp_path)
    assert keep(file)
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"junk", b"\x80\x05cos\nnothing\n."):
        file.write_bytes(damaged)
        assert read_kept(file) is None


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert not keep(cache_file(tmp_path / "file"))


def test_a_checkout_keeps_it_inside() -> None:
    root = Path(__file__).parents[2]
    assert default_folder() == root / ".cache" / "cell"
