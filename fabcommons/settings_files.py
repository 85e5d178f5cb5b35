"""Settings files of machines this computer serves: one JSON each, readable by the owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fabcommons.client import USAGE, CliError
from firmware import config
from protocols.errors import WireError

HOME = Path.home() / ".fabcommons" / "machines"


def write(path: Path, settings: dict[str, Any]) -> None:
    """Write settings that the firmware takes; raise CliError naming the field that is wrong."""
    text = json.dumps(settings, indent=1)
    try:
        config.read(text.encode())
    except WireError as error:
        raise CliError(f"{path}: {error}", USAGE) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.touch(0o600)
    new.write_text(text + "\n")
    os.replace(new, path)


def read(path: Path) -> dict[str, Any]:
    """Settings of a file; raise CliError naming the file, the field and what to do."""
    try:
        config.load(str(path))
        return json.loads(path.read_text())
    except (WireError, OSError, ValueError) as error:
        text = f"{path}: {error}; make it with fabcommons machine enrol --code"
        raise CliError(text, USAGE) from error


def found(place: Path) -> list[Path]:
    """The settings file, or those in a folder; raise CliError when there is none."""
    if place.is_file():
        return [place]
    files = sorted(place.glob("*.json")) if place.is_dir() else []
    if not files:
        text = f"{place}: holds no machine; make one with fabcommons machine enrol --code"
        raise CliError(text, USAGE)
    return files
