"""The slicing room a site is given, from its settings and what is installed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from controller.adapters.site_sharing import SlicingEntry
from controller.adapters.slicer import Slicer, SlicerError, find_slicer, read_settings
from controller.app import Site
from controller.definition.design import SLICER_SETTINGS
from controller.definition.program_store import ProgramStore
from controller.joints.slicing import Room, SlicingRoom
from controller.loops import Beat, Loop
from controller.slicing import Profile
from fabcommons.client import USAGE, CliError

EVERY_S = 1.0


class Slicing:
    """The room at work on a thread of its own; closing it ends the slicers."""

    def __init__(self, site: Site, programs: ProgramStore, settings: SlicingEntry, base: Path):
        folder = programs.folder.parent / "sliced"
        self._slicer = _slicer(folder, settings)
        room = Room(site.submit, site.read, programs, folder / "meshes")
        at_once = settings.processes or max(1, len(os.sched_getaffinity(0)) - 1)
        found = profiles(settings, base)
        made = SlicingRoom(room, self._slicer, found, (OSError, SlicerError), at_once)
        self._loop = Loop(Beat("slicing", EVERY_S, made.look))
        self._loop.start()

    def close(self) -> None:
        """Stop; meshes at hand are sliced again next time."""
        if self._slicer is not None:
            self._slicer.close()
        self._loop.close()


def _slicer(folder: Path, settings: SlicingEntry) -> Slicer | None:
    found = find_slicer(folder)
    if found is None:
        return None
    limits = {"time_limit_s": settings.time_limit_s, "memory_limit_mb": settings.memory_limit_mb}
    return replace(found, **limits)


def profiles(settings: SlicingEntry, base: Path) -> dict[Profile, Path]:
    """Machine profiles by what their files say; raise CliError."""
    named = {name: base / file for name, file in settings.profiles.items()}
    if not named:
        named = {path.stem: path for path in sorted(SLICER_SETTINGS.parent.glob("*.ini"))}
    found: dict[Profile, Path] = {}
    for name, path in named.items():
        try:
            said = read_settings(path)
        except SlicerError as error:
            raise CliError(f"slicing.profiles.{name}: {error}", USAGE) from error
        found[Profile(name, said.sha256, said.material, said.nozzle_um)] = path
    return found
