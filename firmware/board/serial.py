"""The UART of a board as a line that asyncio can wait for."""

import asyncio

import machine

from firmware.board.pins import PINS

_BUFFER_BYTES = 2048  # more than the longest burst of temperatures while flash is written


class Line:
    """A byte line; a UART never ends."""

    def __init__(self, uart):
        self._uart = uart
        self._reader = asyncio.StreamReader(uart)
        self._buffer = bytearray(512)

    async def read(self):
        """Read what is there, waiting for at least one byte."""
        size = await self._reader.readinto(self._buffer)
        return bytes(memoryview(self._buffer)[: size or 0])

    def write(self, data):
        """Write all of it; the driver's window fits the buffer."""
        self._uart.write(data)

    def close(self):
        """Give the UART back."""
        self._uart.deinit()


def opener(pins):
    """Function that opens {port, baud} on the UART of a pin map."""
    number, tx, rx = PINS[pins]

    def open_serial(settings):
        uart = machine.UART(
            number, settings["baud"], tx=tx, rx=rx, rxbuf=_BUFFER_BYTES, txbuf=_BUFFER_BYTES
        )
        return Line(uart)

    return open_serial
