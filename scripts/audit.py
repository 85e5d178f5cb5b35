"""Looks every locked package up in the databases of known weaknesses (OSV, else PyPI).

Exit 0: all looked up, none known. 1: some known. 2: some could not be looked up; needs a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def locked(folder: Path) -> Path:
    """Every package of the lock, also those for development, as requirements."""
    path = folder / "requirements.txt"
    words = ["--frozen", "--all-groups", "--all-extras", "--no-hashes", "--no-emit-project"]
    subprocess.run(
        [ROOT / "scripts" / "uv", "export", "-q", *words, "-o", path], cwd=ROOT, check=True
    )
    return path


def look_up(requirements: Path, service: str) -> list[Any]:
    """What a service says of each package."""
    words = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = ["pip-audit", "-r", str(requirements), "-s", service, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr.strip()[-400:], file=sys.stderr)
        return []


def verdict(found: list[Any]) -> tuple[int, list[str]]:
    """Exit code and lines: an audit that could not look is never taken for a clean one."""
    lines = [
        f"{one['name']} {one['version']}: {', '.join(v['id'] for v in one['vulns'])}"
        for one in found
        if one.get("vulns")
    ]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if lines:
        return 1, lines
    if skipped or not found:
        return 2, [f"{len(skipped)} of {len(found)} packages could not be looked up"]
    return 0, [f"{len(found)} packages, none with a known weakness"]


def main() -> int:
    """Audit, by the first service that knows every package."""
    code, lines = 2, ["nothing could be looked up"]
    with tempfile.TemporaryDirectory() as folder:
        requirements = locked(Path(folder))
        for service in ("osv", "pypi"):
            code, lines = verdict(look_up(requirements, service))
            if code != 2:
                break
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
