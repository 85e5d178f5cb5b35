"""A program of any size that exists nowhere: made chunk by chunk, served by ranges, with faults."""

import asyncio
import contextlib
import hashlib

LINE = b"G1 X%03d Y%03d E1 ;%010d\n"
LINE_BYTES = len(LINE % (0, 0, 0))


def piece(first, last):
    """Bytes first to last (included) of the endless program."""
    begin = first // LINE_BYTES
    end = last // LINE_BYTES + 1
    text = b"".join([LINE % (n % 200, n % 190, n) for n in range(begin, end)])
    return text[first - begin * LINE_BYTES :][: last - first + 1]


def program(size, url, kind="marlin"):
    """What an offer says of it; size is cut to whole lines."""
    size -= size % LINE_BYTES
    total = hashlib.sha256()
    for first in range(0, size, 1 << 20):
        total.update(piece(first, min(first + (1 << 20), size) - 1))
    return {"url": url, "sha": total.hexdigest(), "size": size, "kind": kind}


class Server:
    """Serves ranges; breaks every ``breaks``-th answer in its middle; lies after ``lies_after``."""

    def __init__(self):
        self.breaks = 0
        self.lies_after = None  # requests
        self.swap = (b"", b"")  # a line, and what is sent in its place
        self.down = False
        self.firsts = []  # first byte of each range asked for

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.down:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, last = head.split("bytes=")[1].split("\r\n")[0].split("-")
                await self._answer(writer, int(first), int(last))
                if self.breaks and len(self.firsts) % self.breaks == 0:
                    break
        writer.close()

    async def _answer(self, writer, first, last):
        self.firsts.append(first)
        data = piece(first, last)
        if self.lies_after is not None and len(self.firsts) > self.lies_after:
            data = data.replace(b"E1", b"E2")
        if self.swap[0]:
            data = data.replace(self.swap[0], self.swap[1].ljust(LINE_BYTES - 1) + b"\n")
        head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{last}/*\r\n"
        writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode())
        broken = self.breaks and len(self.firsts) % self.breaks == 0
        writer.write(data[: len(data) // 2] if broken else data)
        await writer.drain()

    async def open(self):
        """Start; return the URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/big.gcode"

    def close(self):
        self._server.close()
