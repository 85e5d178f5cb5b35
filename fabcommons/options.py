"""Options and output that every command shares."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fabcommons.client import DEFAULT_URL, OK, USAGE, CliError


def command(among: Any, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    """Add a command; ``among`` is what ``add_subparsers`` gave, the examples end its help."""
    return among.add_parser(
        name,
        help=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add ``--url`` and ``--json``."""
    parser.add_argument(
        "--url",
        default=os.environ.get("FABCOMMONS_URL", DEFAULT_URL),
        help="address of the controller (default: $FABCOMMONS_URL or %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def add_token(parser: argparse.ArgumentParser) -> None:
    """Add ``--token-file``; a token never stands on the command line, where others could see it."""
    parser.add_argument(
        "--token-file",
        type=Path,
        help="file that holds the member's token (default: $FABCOMMONS_TOKEN)",
    )


def token_of(options: argparse.Namespace) -> str:
    """The member's token; raise CliError when none is given."""
    if options.token_file is not None:
        try:
            return options.token_file.read_text().strip()
        except OSError as error:
            raise CliError(f"{options.token_file}: {error.strerror}", USAGE) from error
    token = os.environ.get("FABCOMMONS_TOKEN", "").strip()
    if not token:
        raise CliError(
            "name your token's file with --token-file, or export FABCOMMONS_TOKEN", USAGE
        )
    return token


def show(options: argparse.Namespace, answer: Any, words: Callable[[Any], str]) -> int:
    """Print an answer as JSON or in words; return exit code 0."""
    print(json.dumps(answer, indent=2) if options.json else words(answer))
    return OK


def secret(field: str, name: str) -> str:
    """What an environment variable holds; raise CliError when it is named and not there."""
    if not name:
        return ""
    found = os.environ.get(name)
    if not found:
        raise CliError(f"{field}: the environment has no {name}: export {name}=...")
    return found
