"""Puts a simulated machine behind a pseudo-terminal or a TCP port, so that a host cannot tell.

One thread waits in ``select`` for bytes or for the machine's next deadline; it never polls. Virtual
time runs ``time_scale`` times faster than the real clock.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import socket
import time
import tty
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Protocol

_UNSENT_MAX = 4096  # bytes a host may leave unread before they are lost, as on a real port
_TRUTH_S = 1.0


class Machine(Protocol):
    """A simulated machine core; times are ms of its virtual clock."""

    def feed(self, data: bytes, now_ms: float) -> None:
        """Bytes from the host."""
        ...

    def step(self, now_ms: float) -> bytes:
        """Let time pass; bytes to the host."""
        ...

    def next_ms(self) -> float:
        """When ``step`` next has something to say."""
        ...

    def reset(self, now_ms: float) -> None:
        """Switch it off and on."""
        ...

    def press(self, now_ms: float) -> None:
        """Button of the machine: go on."""
        ...

    def truth(self) -> dict[str, object]:
        """What it physically did."""
        ...


class Pty:
    """A raw pseudo-terminal; link is a symbolic link to it, removed on close."""

    def __init__(self, link: Path | None) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._link = link
        if link is not None:
            link.parent.mkdir(parents=True, exist_ok=True)
            beside = link.with_name(link.name + ".new")
            beside.unlink(missing_ok=True)
            beside.symlink_to(self.name)
            beside.replace(link)

    def readable(self) -> list[int]:
        """File descriptors to wait for."""
        return [self._master]

    def writable(self) -> list[int]:
        """File descriptors that take bytes; none while no host is there."""
        return [self._master]

    def read(self, fd: int) -> bytes:
        """Bytes that arrived at fd."""
        try:
            return os.read(fd, 4096)
        except OSError:
            return b""

    def write(self, data: bytes) -> int:
        """Send; how many bytes were taken."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Give the terminal back."""
        link = self._link
        if link is not None and link.is_symlink() and os.readlink(link) == self.name:
            link.unlink()
        os.close(self._master)
        os.close(self._slave)


class Tcp:
    """A raw TCP port on the loopback interface; the newest host takes over."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.setblocking(False)
        self._host: socket.socket | None = None
        self.name = "tcp:{}:{}".format(*self._server.getsockname()[:2])

    def readable(self) -> list[int]:
        """File descriptors to wait for."""
        return [self._server.fileno(), *self.writable()]

    def writable(self) -> list[int]:
        """File descriptors that take bytes; none while no host is there."""
        return [] if self._host is None else [self._host.fileno()]

    def read(self, fd: int) -> bytes:
        """Bytes that arrived at fd; takes in a new host."""
        if fd == self._server.fileno():
            self._drop()
            self._host, _ = self._server.accept()
            self._host.setblocking(False)
            self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        try:
            data = self._host.recv(4096) if self._host is not None else b""
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop()
        return data

    def write(self, data: bytes) -> int:
        """Send; how many bytes were taken. Without a host they are lost."""
        if self._host is None:
            return len(data)
        try:
            return self._host.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._drop()
            return len(data)

    def _drop(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None

    def close(self) -> None:
        """Close the port."""
        self._drop()
        self._server.close()


class Truth:
    """File with what the machine physically did; written whole or not at all."""

    def __init__(self, path: Path | None, machine: Machine) -> None:
        self._path = path
        self._machine = machine
        self._written = ""

    def write(self) -> None:
        """Write the file if anything changed."""
        if self._path is None:
            return
        text = json.dumps(self._machine.truth(), sort_keys=True)
        if text == self._written:
            return
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(self._path)
        self._written = text


class Host:
    """Runs one machine behind one port until told to stop."""

    def __init__(self, machine: Machine, port: Pty | Tcp, time_scale: float, truth: Truth) -> None:
        self._machine = machine
        self._port = port
        self._scale = time_scale * 1000
        self._truth = truth
        self._unsent = b""
        self._began = time.monotonic()
        self._signals: list[int] = []
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self.lost = 0

    def _now_ms(self) -> float:
        return (time.monotonic() - self._began) * self._scale

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT end; SIGUSR1 is the reset button, SIGUSR2 the go-on button."""
        signal.set_wakeup_fd(self._wake_in.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda n, _: self._signals.append(n))

    def stop(self) -> None:
        """End ``run``; may be called from another thread."""
        self._signals.append(signal.SIGTERM)
        self._wake_in.send(b"\0")

    def run(self) -> None:
        """Run until a signal or ``stop``; writes the truth each second and at the end."""
        truth_at = 0.0
        try:
            while self._obey():
                now = self._now_ms()
                self._send(self._machine.step(now))
                if time.monotonic() >= truth_at:
                    self._truth.write()
                    truth_at = time.monotonic() + _TRUTH_S
                self._wait(min(self._machine.next_ms(), now + _TRUTH_S * self._scale))
        finally:
            self._truth.write()
            self._port.close()
            with contextlib.suppress(ValueError):
                signal.set_wakeup_fd(-1)
            self._wake_in.close()
            self._wake_out.close()

    def _obey(self) -> bool:
        actions: dict[int, Callable[[float], None]] = {
            signal.SIGUSR1: self._machine.reset,
            signal.SIGUSR2: self._machine.press,
        }
        while self._signals:
            number = self._signals.pop(0)
            if number not in actions:
                return False
            actions[number](self._now_ms())
        return True

    def _send(self, data: bytes) -> None:
        self._unsent += data
        if self._unsent:
            self._unsent = self._unsent[self._port.write(self._unsent) :]
        if len(self._unsent) > _UNSENT_MAX:
            self.lost += len(self._unsent) - _UNSENT_MAX
            self._unsent = self._unsent[:_UNSENT_MAX]

    def _wait(self, until_ms: float) -> None:
        """Wait for bytes or for virtual time; hand the bytes to the machine."""
        timeout = max(0.0, (until_ms - self._now_ms()) / self._scale) if until_ms < inf else None
        wake = self._wake_out.fileno()
        writers = self._port.writable() if self._unsent else []
        ready, _, _ = select.select([wake, *self._port.readable()], writers, [], timeout)
        for fd in ready:
            if fd == wake:
                self._wake_out.recv(4096)
                continue
            data = self._port.read(fd)
            if data:
                self._machine.feed(data, self._now_ms())
