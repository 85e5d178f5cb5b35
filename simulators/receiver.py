"""How Marlin receives lines: serial buffer, numbers, checksums, resend, queue of commands.

Source: Marlin 2.0 ``gcode/queue.cpp`` get_serial_commands, flush_and_request_resend.
"""

import re
from collections.abc import Callable

from protocols import marlin
from protocols.errors import WireError
from protocols.gcode import strip

INJECTED = -1  # number of a command the printer gives itself; it gets no ok
_SET_N = re.compile(r" N(\d{1,9})")


class Receiver:
    """Bytes to commands. say: prints a line; damaged: says whether to spoil the next line.

    RepRapFirmware drops a line with a bad checksum and looks at no number; Klipper at neither.
    """

    def __init__(
        self, say: Callable[[str], None], damaged: Callable[[], bool], firmware: str = "marlin"
    ) -> None:
        self._say = say
        self._damaged = damaged
        self._firmware = firmware
        self._rx = bytearray()
        self.queue: list[tuple[int | None, str]] = []
        self.last_n = 0
        self.flushed = False

    def clear(self) -> None:
        """Forget everything received and not yet run."""
        self._rx.clear()
        self.queue.clear()

    def inject(self, command: str) -> None:
        """Run a command of the printer's own next."""
        self.queue.insert(0, (INJECTED, command))

    def push(self, data: bytes) -> None:
        """Take bytes; what the serial buffer cannot hold is lost, as on the board."""
        rx = self._rx
        rx += data[: max(0, marlin.RX_BUFFER_SIZE - len(rx))]

    def fetch(self) -> None:
        """Move whole lines from the serial buffer into the command queue while it has room."""
        rx = self._rx
        while rx and len(self.queue) < marlin.BUFSIZE:
            end = rx.find(b"\n")
            if end < 0:
                if len(rx) >= marlin.RX_BUFFER_SIZE:
                    rx.clear()
                return
            raw = bytes(rx[:end])
            del rx[: end + 1]
            if b";" in raw:
                raw = raw.split(b";", 1)[0]
            raw = raw[: marlin.MAX_CMD_SIZE - 1].strip()
            if raw:
                self._accept(raw)

    def _read(self, raw: bytes) -> tuple[int | None, str]:
        if self._firmware == "klipper":
            return None, strip(raw)
        n, command = marlin.parse_frame(raw)
        return n if self._firmware == "marlin" else None, command

    def _accept(self, raw: bytes) -> None:
        try:
            n, command = self._read(raw)
        except WireError as error:
            if self._firmware == "marlin":
                self._resend(error.code)
            return
        if n is not None:
            if n != self.last_n + 1 and "M110" not in command:
                self._resend("line_number")
                return
            if self._damaged():
                self._resend("checksum")
                return
            self.last_n = n
        if command.startswith("M110"):
            found = _SET_N.search(command)
            self.last_n = int(found[1]) if found else self.last_n
        self.queue.append((n, command))

    def _resend(self, code: str) -> None:
        says = next(text for name, text, _ in marlin.ERRORS if name == code)
        self._say(f"Error:{says}, Last Line: {self.last_n}")
        self._rx.clear()
        self.flushed = True
        self._say(marlin.write_reply(("resend", self.last_n + 1)))
        self._say("ok")
