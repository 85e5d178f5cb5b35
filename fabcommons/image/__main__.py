"""``python -m fabcommons.image OUT``: writes the bytecode of one kind of machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from fabcommons.image import DIALECTS, PLATFORMS, build


def main() -> None:
    """Build and write; the sizes go to standard output."""
    parser = argparse.ArgumentParser(prog="python -m fabcommons.image", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dialect", choices=DIALECTS, default="marlin")
    parser.add_argument("--platform", choices=PLATFORMS, default="board")
    parser.add_argument("--rom", action="store_true", help="one ROMFS file instead of a folder")
    asked = parser.parse_args()
    image = build(asked.dialect, asked.platform)
    if asked.rom:
        asked.out.write_bytes(image.rom())
    else:
        image.write(asked.out)
    for name, data in sorted(image.files.items()):
        print(f"{len(data):6d} {name}")
    print(f"{image.size_bytes:6d} bytes in {len(image.files)} files")


if __name__ == "__main__":
    main()
