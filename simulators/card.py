"""Memory card of a simulated printer (Marlin 2.0 ``sd/cardreader.cpp``)."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from protocols.gcode import command
from simulators.core import Work

if TYPE_CHECKING:
    from simulators.printer import Printer


class Card:
    """Files by name; one may be written or printed. fitted: whether there is a card."""

    def __init__(self, fitted: bool) -> None:
        self.fitted = fitted
        self.files: dict[str, bytes] = {}
        self.writing = ""
        self.selected = ""
        self.at = 0
        self.printing = False

    def write(self, p: Printer, text: str) -> None:
        """A line while a file is open for writing: kept, not run; M29 closes."""
        if command(text) == "M29":
            self.writing = ""
            p.say("Done saving file.")
        else:
            self.files[self.writing] += text.encode() + b"\n"

    def next_line(self) -> str | None:
        """Next line of the file being printed; None when there is none to run."""
        data = self.files.get(self.selected, b"")
        if not self.printing or self.at >= len(data):
            return None
        end = data.find(b"\n", self.at) + 1 or len(data)
        line, self.at = data[self.at : end].decode("ascii", "replace").strip(), end
        return line

    def ends(self) -> bool:
        """Say whether the file being printed is at its end; it is over then."""
        if self.printing and self.at >= len(self.files.get(self.selected, b"")):
            self.printing = False
            return True
        return False


def _name(text: str) -> str:
    return text.split(" ", 1)[1].strip().upper() if " " in text else ""


def _start_card(p: Printer, text: str) -> None:
    p.say("echo:SD card ok" if p.card.fitted else "echo:No SD card")


def _list(p: Printer, text: str) -> None:
    p.say("Begin file list")
    for name, data in sorted(p.card.files.items()):
        p.say(f"{name} {len(data)}")
    p.say("End file list")


def _select(p: Printer, text: str) -> None:
    name = _name(text)
    data = p.card.files.get(name)
    if data is None:
        p.say(f"open failed, File: {name}.")
        return
    p.card.selected, p.card.at = name, 0
    p.say(f"File opened: {name} Size: {len(data)}")
    p.say("File selected")


def _print(p: Printer, text: str) -> None:
    p.card.printing = bool(p.card.selected)


def _pause(p: Printer, text: str) -> None:
    p.card.printing = False


def _progress(p: Printer, text: str) -> None:
    card = p.card
    if card.selected and (card.printing or card.at):
        p.say(f"SD printing byte {card.at}/{len(card.files[card.selected])}")
    else:
        p.say("Not SD printing")


def _create(p: Printer, text: str) -> None:
    name = _name(text)
    if not p.card.fitted or not name:
        p.say(f"open failed, File: {name}.")
        return
    p.card.files[name] = b""
    p.card.writing = name
    p.say(f"Writing to file: {name}")


def _delete(p: Printer, text: str) -> None:
    gone = p.card.files.pop(_name(text), None)
    p.say("File deleted:" if gone is not None else "Deletion failed, File: " + _name(text))


def _abort(p: Printer, text: str) -> Work:
    p.card.printing, p.card.selected, p.card.at = False, "", 0
    yield ("sync", inf)


HANDLERS: dict[str, Callable[[Printer, str], Work | None]] = {
    "M20": _list,
    "M21": _start_card,
    "M23": _select,
    "M24": _print,
    "M25": _pause,
    "M27": _progress,
    "M28": _create,
    "M30": _delete,
    "M524": _abort,
}
