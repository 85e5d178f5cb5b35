"""The interface's description for the page's build: ``python -m dashboards.openapi [--check]``."""

import json
import sys
from pathlib import Path
from typing import cast

from dashboards import commons_api, enrol_api
from dashboards.api import build_app
from dashboards.desk import Desk
from dashboards.enrol_api import Doorkeeper
from dashboards.software_api import Software, router

FILE = Path(__file__).parent / "web" / "openapi.json"


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


def main() -> int:
    """Write the description, or with ``--check`` compare it; 1 when it is out of date."""
    text = describe()
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
        return 0
    if FILE.is_file() and FILE.read_text() == text:
        return 0
    print(f"{FILE} is out of date: run python -m dashboards.openapi", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
