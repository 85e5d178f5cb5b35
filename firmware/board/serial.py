"""The UART of a board as a line that asyncio can wait for."""

import asyncio

import machine

from firmware.board.pins import PINS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

_READ_BYTES = 128  # a small piece at a time: a used heap has no large holes
_WRITE_BYTES = 1024  # more than a window of lines


class Line:
    """A byte line; a UART never ends."""

    def __init__(self, uart: "Any") -> None:
        self._uart = uart
        self._reader: "Any" = asyncio.StreamReader(uart)
        self._buffer = bytearray(_READ_BYTES)

    async def read(self) -> bytes:
        """Read what is there, waiting for at least one byte."""
        size = await self._reader.readinto(self._buffer)
        return bytes(memoryview(self._buffer)[: size or 0])

    def write(self, data: "bytes | bytearray") -> None:
        """Write all of it; the driver's window fits the buffer."""
        self._uart.write(data)

    def close(self) -> None:
        """Give the UART back."""
        self._uart.deinit()


def opener(pins: str) -> "Callable[[Record], Line]":
    """Function that opens {port, baud} on the UART of a pin map."""
    number, tx, rx, buffer_bytes = PINS[pins]

    def open_serial(settings: "Record") -> Line:
        uart = machine.UART(
            number,
            baudrate=settings["baud"],
            tx=machine.Pin(tx),
            rx=machine.Pin(rx),
            rxbuf=buffer_bytes,
            txbuf=_WRITE_BYTES,
        )
        return Line(uart)

    return open_serial
