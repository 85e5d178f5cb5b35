"""Options and output that every command shares."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

from fabcommons.client import DEFAULT_URL, OK


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add ``--url`` and ``--json``."""
    parser.add_argument(
        "--url",
        default=os.environ.get("FABCOMMONS_URL", DEFAULT_URL),
        help="address of the controller (default: $FABCOMMONS_URL or %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def show(options: argparse.Namespace, answer: Any, words: Callable[[Any], str]) -> int:
    """Print an answer as JSON or in words; return exit code 0."""
    print(json.dumps(answer, indent=2) if options.json else words(answer))
    return OK
