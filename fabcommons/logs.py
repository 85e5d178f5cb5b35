"""What a running controller says on stderr: a line for people, or JSON lines for a collector."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

import msgspec

from controller.adapters.log_json import Hider, JsonLines, NoticeLines, install
from controller.adapters.site_file import SiteFile
from controller.app import Site

_log = logging.getLogger(__name__)
ALWAYS = ("PGPASSWORD",)


class PlainLog:
    """For people: what the logging module does by itself."""

    def say(self, text: str) -> None:
        """Tell one line."""
        print(text, file=sys.stderr, flush=True)

    @contextmanager
    def follow(self, site: Site) -> Generator[None]:
        """Nothing of the floor is told: people have its page."""
        yield

    def close(self) -> None:
        """Nothing to end."""


class JsonLog:
    """One JSON line per event: the floor's notices and the process's own log."""

    def __init__(self, settings: SiteFile, stream: TextIO) -> None:
        self._lines = JsonLines(stream, Hider(secrets_of(settings)))
        self._end = install(self._lines)

    def say(self, text: str) -> None:
        """Tell one line."""
        _log.info("%s", text)

    @contextmanager
    def follow(self, site: Site) -> Generator[None]:
        """Tell what happens on the floor, until the block ends."""
        notices = NoticeLines(site.changes, site.read, self._lines.write)
        try:
            yield
        finally:
            notices.close()

    def close(self) -> None:
        """Give the logging module back as it was."""
        self._end()


def secrets_of(settings: SiteFile) -> list[str]:
    """Values of every environment variable the settings name for a secret."""
    names = (*_names(msgspec.to_builtins(settings)), *ALWAYS)
    return [os.environ[name] for name in names if os.environ.get(name)]


def _names(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in cast(dict[str, Any], document).items():
            if isinstance(value, str) and name.endswith("_env"):
                yield value
            yield from _names(value)
    elif isinstance(document, list):
        for value in cast(list[Any], document):
            yield from _names(value)
