"""Writes dist/sbom.json: what a running site consists of, as CycloneDX 1.6, from the locks.

Python packages with their hashes (uv.lock, without those for development) and the page's packages
(package-lock.json).
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WEB_LOCK = ROOT / "dashboards" / "web" / "package-lock.json"


def of_python(folder: Path) -> Any:
    """Document of the Python packages a site runs on."""
    requirements, made = folder / "requirements.txt", folder / "python.json"
    words = ["--frozen", "--no-default-groups", "--all-extras", "--no-emit-project"]
    subprocess.run(
        [ROOT / "scripts" / "uv", "export", "-q", *words, "-o", requirements], cwd=ROOT, check=True
    )
    kind = ["--of", "JSON", "--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml")]
    command = [Path(sys.executable).parent / "cyclonedx-py", "requirements", requirements]
    subprocess.run([*command, *kind, "-o", made], check=True)
    return json.loads(made.read_text())


def of_page(lock: Any) -> list[Any]:
    """Components of the page: what its script holds, not what it is built with."""
    found: list[Any] = []
    for place, package in sorted(lock["packages"].items()):
        if not place or package.get("dev"):
            continue
        name, version = place.rpartition("node_modules/")[2], package["version"]
        algorithm, _, digest = package["integrity"].partition("-")
        hashed = base64.b64decode(digest).hex()
        found.append(
            {
                "type": "library",
                "bom-ref": f"npm:{name}@{version}",
                "name": name,
                "version": version,
                "purl": f"pkg:npm/{name.replace('@', '%40')}@{version}",
                "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": hashed}],
            }
        )
    return found


def main() -> int:
    """Write it; say how much it names."""
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    document = of_python(folder)
    document["components"] += of_page(json.loads(WEB_LOCK.read_text()))
    (folder / "sbom.json").write_text(json.dumps(document, indent=1) + "\n")
    for left in ("requirements.txt", "python.json"):
        (folder / left).unlink()
    print(f"{folder / 'sbom.json'}: {len(document['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
