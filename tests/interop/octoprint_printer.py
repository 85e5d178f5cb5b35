"""Runs OctoPrint's virtual printer behind a TCP port and counts the moves it really made.

Run by test_octoprint.py in an environment of its own (scripts/octoprint): OctoPrint is AGPL and
never imported by us. Prints "port N" and serves one host after the other; a host first sends a line
of JSON, {"settings": {...}, "triggers": {"LINE": "debug command"}}, and speaks Marlin from there.
When it is gone, one JSON line of counts is printed. Two corrections, so that
what it asks for is what it lacks: its running count of checksums goes wrong after a resend, and
``resend_ratio`` drops a line but asks for the one after it.
"""

from __future__ import annotations

import collections
import contextlib
import json
import socket
import tempfile
import threading
from typing import Any

from octoprint.plugins.virtual_printer import (  # type: ignore[import-not-found]  # other environment
    VirtualPrinterPlugin,
    virtual,
)


class NoHooks:
    """Stands for OctoPrint's plugin system, of which nothing is needed."""

    def get_hooks(self, _name: str) -> dict[str, Any]:
        return {}


class Settings:
    """The plugin's settings: its defaults with ours over them."""

    def __init__(self, ours: dict[str, Any], folder: str) -> None:
        self._folder = folder
        self._values = {**VirtualPrinterPlugin().get_settings_defaults(), **ours}

    def get(self, path: list[str], **_: Any) -> Any:
        value: Any = self._values
        for name in path:
            value = value[name]
        return value

    def global_get_basefolder(self, _name: str) -> str:
        return self._folder

    get_int = get_float = get_boolean = get


class Profile:
    """Stands for OctoPrint's printer profiles."""

    def get_current_or_default(self) -> dict[str, Any]:
        return {"volume": {"width": 200, "depth": 200, "height": 200, "origin": "lowerleft"}}


class Counting(virtual.VirtualPrinter):  # type: ignore[misc]  # its environment is not ours
    """Counts moves by their text, and lets debug commands happen at given moves."""

    def __init__(self, *args: Any, triggers: dict[int, str], **more: Any) -> None:
        self.ran: collections.Counter[str] = collections.Counter()
        self.triggers = triggers
        self.asked_again = 0
        super().__init__(*args, **more)

    @property
    def current_line(self) -> int:
        return self.lastN

    @current_line.setter
    def current_line(self, value: int) -> None:
        pass

    def _gcode_G1(self, data: str) -> None:
        self.ran[data] += 1
        trigger = self.triggers.pop(self.ran.total(), None)
        if trigger is not None:
            self._debugTrigger(trigger)

    def _triggerResend(
        self, expected: Any = None, actual: Any = None, checksum: Any = None
    ) -> None:
        self.asked_again += 1
        every = self._resend_every_n
        if checksum and expected is None and every and self._received_lines % every == 0:
            expected = self.lastN
        super()._triggerResend(expected=expected, actual=actual, checksum=checksum)


def send_all(printer: Any, host: socket.socket) -> None:
    """What the printer says, to the host, until either is gone."""
    try:
        while True:
            line = printer.readline()
            if line:
                host.sendall(line if line.endswith(b"\n") else line + b"\n")
            elif printer.outgoing is None:
                return
    except (OSError, virtual.SerialTimeoutException):
        shut(host)


def shut(host: socket.socket) -> None:
    with contextlib.suppress(OSError):
        host.shutdown(socket.SHUT_RDWR)


def write(printer: Any, line: bytes) -> None:
    """Write one line as its receive buffer gets room."""
    while line:
        line = line[printer.write(line) or len(line) :]


def serve(host: socket.socket, folder: str) -> dict[str, Any]:
    """One host, from its first line to its end; the counts."""
    first = b""
    while not first.endswith(b"\n"):
        first += host.recv(1)
    wanted = json.loads(first)
    triggers = {int(n): command for n, command in wanted["triggers"].items()}
    settings = Settings(wanted["settings"], folder)
    printer = Counting(settings, Profile(), folder, read_timeout=0.5, triggers=triggers)
    threading.Thread(target=send_all, args=(printer, host), daemon=True).start()
    rest = b""
    try:
        while data := host.recv(4096):
            rest += data
            while b"\n" in rest:  # it takes one line of each write
                line, _, rest = rest.partition(b"\n")
                write(printer, line + b"\n")
    except (OSError, virtual.SerialTimeoutException):
        shut(host)
    printer.close()
    return {
        "ran": printer.ran.total(),
        "different": len(printer.ran),
        "twice": sorted(text for text, n in printer.ran.items() if n > 1)[:20],
        "asked_again": printer.asked_again,
    }


def main() -> None:
    """One host after the other, until ended."""
    virtual.plugin_manager = NoHooks
    server = socket.create_server(("127.0.0.1", 0))
    print("port", server.getsockname()[1], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        while True:
            host, _ = server.accept()
            with host:
                host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                print(json.dumps(serve(host, folder)), flush=True)


if __name__ == "__main__":
    main()
