"""An MQTT broker for a floor that has none: mosquitto where it is installed, else amqtt.

Neither is trusted with anything: both lose messages they have acknowledged, and amqtt does so when
a publisher merely disconnects. The order protocol counts only what the controller has committed.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from controller.adapters.access import Access
from controller.adapters.authority import Authority

_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_START_TIMEOUT_S = 20.0


KINDS = ("auto", "mosquitto", "amqtt")


class BrokerError(Exception):
    """The broker could not be started; the message says why and what to do."""


class Broker(Protocol):
    """A running broker: where it listens, and how to end it."""

    @property
    def kind(self) -> str:
        """mosquitto, amqtt or external."""
        ...

    @property
    def host(self) -> str:
        """Host it listens on."""
        ...

    @property
    def port(self) -> int:
        """TCP port it listens on."""
        ...

    def kill(self) -> None:
        """End it as a power cut would, if it is ours."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


def find_mosquitto() -> str | None:
    """Path of the mosquitto program, or None."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_SYSTEM_PATH)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _wait_until(ready: Callable[[], bool], alive: Callable[[], bool]) -> bool:
    """Return whether ready came true while alive was, within the time limit."""
    pause = threading.Event()
    for _ in range(int(_START_TIMEOUT_S / 0.02)):
        if ready():
            return True
        if not alive():
            return False
        pause.wait(0.02)
    return False


@dataclass(frozen=True)
class Guarded:
    """A TLS listener for machines beside the one on loopback, and who may speak on both."""

    host: str
    port: int
    authority: Authority
    access: Access


@dataclass(frozen=True)
class External:
    """A broker that somebody else runs."""

    host: str
    port: int
    kind: str = "external"

    def kill(self) -> None:
        """Not ours to end."""

    def close(self) -> None:
        """Nothing of ours to stop."""


class Mosquitto:
    """mosquitto as a child process, configuration and persistence in ``folder``."""

    kind = "mosquitto"

    def __init__(
        self, program: str, folder: Path, host: str, port: int, guarded: Guarded | None = None
    ) -> None:
        self.host, self.port = host, port
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "mosquitto.conf"
        config.write_text(_mosquitto_config(folder, host, port, guarded))
        self.log = log = folder / "mosquitto.log"
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            [program, "-c", str(config)], stdout=self._log, stderr=self._log
        )
        if not _wait_until(lambda: b" running" in log.read_bytes(), self._is_alive):
            self.close()
            words = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise BrokerError(f"mosquitto did not start on {host}:{port}: {' '.join(words)}")

    def _is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def reload(self) -> None:
        """Read passwords, topics and certificates again; who lost its password is put out."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End the process at once; what it had not written down is lost."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def close(self) -> None:
        """Stop the process and wait for it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()


def _mosquitto_config(folder: Path, host: str, port: int, guarded: Guarded | None) -> str:
    """Settings for a floor on one machine; limits chosen so that nothing is dropped silently."""
    return "\n".join(
        [
            f"listener {port} {host}",
            *(_guarded_config(guarded) if guarded else ["allow_anonymous true"]),
            "set_tcp_nodelay true",
            "max_queued_messages 100000",
            "max_inflight_messages 200",
            "max_packet_size 65536",
            "persistence true",
            f"persistence_location {folder.resolve()}/",
            "autosave_interval 60",
            "user root" if _is_root() else "",
            "",
        ]
    )


def _guarded_config(guarded: Guarded) -> list[str]:
    """Passwords and topics on every listener, TLS on the one that machines reach."""
    authority, access = guarded.authority, guarded.access
    return [
        "allow_anonymous false",
        f"password_file {access.passwords.resolve()}",
        f"acl_file {access.acl.resolve()}",
        f"listener {guarded.port} {guarded.host}",
        f"cafile {authority.ca.resolve()}",
        f"certfile {authority.cert.resolve()}",
        f"keyfile {authority.key.resolve()}",
        "tls_version tlsv1.2",
    ]


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


class Amqtt:
    """amqtt on a thread of this process, for floors without any broker installed."""

    kind = "amqtt"

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._alive = threading.Event()
        self._alive.set()
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="amqtt", daemon=True)
        self._thread.start()
        if not _wait_until(self._started.is_set, self._alive.is_set):
            raise BrokerError(f"amqtt did not start on {host}:{port}: {self._failure}")

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001  (top of the thread: handed to the starter)
            self._failure = error
        finally:
            self._alive.clear()
            self._loop.close()

    async def _serve(self) -> None:
        amqtt: Any = importlib.import_module("amqtt.broker")
        broker = amqtt.Broker(_amqtt_config(self.host, self.port))
        await broker.start()
        self._started.set()
        await self._stop.wait()
        await broker.shutdown()

    def kill(self) -> None:
        """Stop the broker; it keeps nothing."""
        self.close()

    def close(self) -> None:
        """Stop the broker and wait for its thread."""
        if self._alive.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)


def _amqtt_config(host: str, port: int) -> dict[str, Any]:
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


def open_guarded(folder: Path, guarded: Guarded) -> Mosquitto:
    """Start mosquitto with TLS and passwords; whoever gets or loses one is known at once.

    Raises BrokerError.
    """
    program = find_mosquitto()
    if program is None:
        text = "broker_listen needs mosquitto (Debian: apt-get install mosquitto)"
        raise BrokerError(text)
    started = Mosquitto(program, folder, "127.0.0.1", free_port(), guarded)
    guarded.access.reload = started.reload
    return started


def is_broker(kind: str) -> bool:
    """Whether text names a broker as ``open_broker`` takes it."""
    host, _, port = kind.rpartition(":")
    return kind in KINDS or bool(host and port.isdigit())


def open_broker(kind: str, folder: Path, host: str = "127.0.0.1", port: int = 0) -> Broker:
    """Start or name a broker: ``auto``, ``mosquitto``, ``amqtt`` or ``HOST:PORT``.

    ``auto`` takes mosquitto when it is installed and amqtt otherwise. Raises BrokerError.
    """
    if not is_broker(kind):
        raise BrokerError(f"broker '{kind}' must be auto, mosquitto, amqtt or HOST:PORT")
    if kind not in KINDS:
        name, _, number = kind.rpartition(":")
        return External(name, int(number))
    program = find_mosquitto()
    if kind == "mosquitto" and program is None:
        raise BrokerError("mosquitto is not installed (Debian: apt-get install mosquitto)")
    if program is not None and kind != "amqtt":
        return Mosquitto(program, folder, host, port or free_port(host))
    return Amqtt(host, port or free_port(host))
