"""What the site file says of a machine with a program of its own: checked, then as settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from controller.adapters.hosts.contract import Settings
from controller.adapters.hosts.registry import KINDS

FIELDS = ("url", "key_env", "user", "password_env", "folder")


class Entry(Protocol):
    """Fields of a machine in the site file."""

    @property
    def url(self) -> str | None: ...  # noqa: D102  # fields are told by ``MachineEntry``
    @property
    def key_env(self) -> str: ...  # noqa: D102
    @property
    def user(self) -> str: ...  # noqa: D102
    @property
    def password_env(self) -> str: ...  # noqa: D102
    @property
    def folder(self) -> str: ...  # noqa: D102


def problems(link: str, entry: Entry) -> list[str]:
    """What is wrong with the fields of a machine, each with the field and the fix."""
    kind = KINDS.get(link)
    if kind is None:
        given = [name for name in FIELDS[1:] if getattr(entry, name)]
        return [f"{name}: is not used with link {link}" for name in given]
    wrong = [
        f"{name}: is needed with link {link}, {_example(name, kind.example)}"
        for name in kind.needs
        if not getattr(entry, name)
    ]
    used = (*kind.needs, *kind.takes)
    wrong += [
        f"{name}: is not used with link {link}"
        for name in FIELDS
        if getattr(entry, name) and name not in used
    ]
    return wrong + _mismatched(entry, kind.example)


def _mismatched(entry: Entry, example: str) -> list[str]:
    wrong: list[str] = []
    if entry.url and not entry.url.startswith(("http://", "https://")):
        wrong.append(f"url: must begin with http:// or https://, e.g. {example}")
    if entry.user and not entry.password_env:
        wrong.append("password_env: name the environment variable that holds the password")
    if entry.user and entry.key_env:
        wrong.append("user: is not used beside key_env: take one of them out")
    return wrong


def _example(name: str, example: str) -> str:
    if name == "key_env":
        return "the environment variable that holds its API key"
    return f"e.g. {example}"


def settings(entry: Entry, base: Path, secret: Callable[[str, str], str]) -> Settings:
    """Settings of an entry that was checked; ``secret`` gives an environment variable by field."""
    return Settings(
        url=entry.url or "",
        key=secret("key_env", entry.key_env),
        user=entry.user,
        password=secret("password_env", entry.password_env),
        folder=base / entry.folder if entry.folder else None,
    )
