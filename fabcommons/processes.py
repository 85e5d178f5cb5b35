"""Child processes of a floor: started together, logged each to its own file, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType


class ProcessError(Exception):
    """A child process could not do its part; the message names it and quotes its last words."""


class Children:
    """Named child processes with one log file each; a context manager that leaves none behind."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        logs.mkdir(parents=True, exist_ok=True)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a child; its output goes to ``{name}.log``."""
        with (self._logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        with self._lock:
            self._running[name] = child

    def pid(self, name: str) -> int:
        """Process id of a child."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """End a child as a power cut would: at once, without a word."""
        child = self._running[name]
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)  # an interpreter may run below its starter
        child.wait()

    def signal(self, name: str, number: int) -> None:
        """Send a child a signal; nothing when it has ended."""
        self._running[name].send_signal(number)

    def ended(self) -> dict[str, int]:
        """Exit codes of the children that have ended by themselves."""
        with self._lock:
            codes = {name: child.poll() for name, child in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def last_words(self, name: str, count: int = 5) -> str:
        """Last lines of a child's log."""
        path = self._logs / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(lines[-count:])

    def check(self) -> None:
        """Raise ProcessError when a child has ended by itself."""
        for name, code in self.ended().items():
            raise ProcessError(f"{name} ended with code {code}:\n{self.last_words(name)}")

    def wait_for_file(self, name: str, path: Path, timeout_s: float = 20.0) -> None:
        """Return once the child has made the file; raise ProcessError when it does not."""
        pause = threading.Event()
        for _ in range(int(timeout_s / 0.02)):
            if path.exists():
                return
            self.check()
            pause.wait(0.02)
        raise ProcessError(f"{name} did not make {path}:\n{self.last_words(name)}")

    def stop(self, name: str, timeout_s: float = 10.0) -> int:
        """Ask a child to end, insist after the time limit; return its exit code."""
        with self._lock:
            child = self._running.pop(name)
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return child.returncode

    def close(self) -> None:
        """End every child, newest first."""
        for child in self._running.values():
            if child.poll() is None:
                child.terminate()
        for name in reversed(list(self._running)):
            self.stop(name)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
