"""The interface's description for the page's build: ``python -m dashboards.openapi [--check]``."""

import json
import sys
from pathlib import Path
from typing import cast

from controller.sayings import SAYINGS
from dashboards import commons_api, enrol_api
from dashboards.api import build_app
from dashboards.desk import Desk
from dashboards.enrol_api import Doorkeeper
from dashboards.software_api import Software, router

FILE = Path(__file__).parent / "web" / "openapi.json"
SAYINGS_FILE = Path(__file__).parent / "web" / "src" / "sayings.json"


def describe() -> str:
    """OpenAPI document as text; no floor is needed, for nothing is asked of it."""
    app = build_app(
        cast(Desk, None),
        rooms=[
            router(cast(Software, None)),
            enrol_api.router(cast(Doorkeeper, None)),
            commons_api.router(cast(commons_api.Commons, None)),
        ],
    )
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


def sayings() -> str:
    """The catalogue of sentences for the page: code to English and German."""
    return json.dumps(SAYINGS, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write both files, or with ``--check`` compare them; 1 when one is out of date."""
    old: list[Path] = []
    for file, text in ((FILE, describe()), (SAYINGS_FILE, sayings())):
        if "--check" not in sys.argv[1:]:
            file.write_text(text)
        elif not file.is_file() or file.read_text() != text:
            old.append(file)
    for file in old:
        print(f"{file} is out of date: run python -m dashboards.openapi", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
