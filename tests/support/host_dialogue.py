"""Dialogues of adapters with machines' programs, as files: played without any wire.

    # which program and version, recorded or after which documentation
    ? look NAME            a call of the adapter
    > GET /api/job         what it must ask by HTTP (a JSON body follows the path)
    < 200 {...}            the answer
    >> method {...}        what it must ask by JSON-RPC
    << {...}               the result, or <! {...} for an error
    = idle NAME:waiting    the reading: state and jobs, then what more is told
    ! Refusal words        what the call raises: its class, and words in its text

``python tests/support/host_dialogue.py octoprint URL KEY NAME FILE`` records one from a server.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from controller.adapters.hosts.contract import Job, Lost, Reading, Refusal
from controller.adapters.hosts.moonraker import Moonraker
from controller.adapters.hosts.mtconnect import MTConnect
from controller.adapters.hosts.octoprint import OctoPrint
from controller.adapters.hosts.prusalink import PrusaLink
from controller.adapters.hosts.wires import (
    Answer,
    Ask,
    Credentials,
    HttpWire,
    SocketWire,
    judge,
    socket_url,
)

BARRED = {"moonraker": (401,)}


class Script:
    """Lines of a dialogue, taken one by one."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text().splitlines()
        self.lines = [(n + 1, line) for n, line in enumerate(lines) if line and line[0] != "#"]
        self.path = path

    def take(self, *marks: str) -> tuple[str, str]:
        """Mark and text of the next line, which must have one of the marks."""
        assert self.lines, f"{self.path.name}: the dialogue ended before {marks}"
        number, line = self.lines.pop(0)
        mark, _, text = line.partition(" ")
        assert mark in marks, f"{self.path.name}:{number}: {line[:80]!r} where {marks} was due"
        return mark, text


class PlayedHttp:
    """HTTP answers from a dialogue."""

    def __init__(self, script: Script, barred: tuple[int, ...]) -> None:
        self._script = script
        self._barred = barred

    def ask(self, ask: Ask) -> Answer:
        wanted = self._script.take(">")[1]
        assert asked(ask) == wanted, (asked(ask), wanted)
        status, _, body = self._script.take("<")[1].partition(" ")
        return judge(ask, Answer(int(status), body.encode()), self._barred)

    def close(self) -> None:
        pass


class PlayedSocket:
    """JSON-RPC answers from a dialogue; ids are its own."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._number = 0

    def send(self, message: str) -> None:
        document = json.loads(message)
        self._number = document["id"]
        params = document.get("params")
        said = document["method"] + (f" {json.dumps(params)}" if params else "")
        wanted = self._script.take(">>")[1]
        assert said == wanted, (said, wanted)

    def receive(self, seconds: float) -> str | None:
        mark, text = self._script.take("<<", "<!")
        kind = "result" if mark == "<<" else "error"
        return json.dumps({"jsonrpc": "2.0", "id": self._number, kind: json.loads(text)})

    def close(self) -> None:
        pass


def asked(ask: Ask) -> str:
    """An HTTP request as a line."""
    body = f" {json.dumps(ask.json)}" if ask.json is not None else ""
    return f"{ask.method} {ask.path}{body}" + (f" <{ask.file[0]}>" if ask.file else "")


def adapter(kind: str, http: Any, open_socket: Any, key: str = "KEY") -> Any:
    """An adapter over wires that are handed in."""
    if kind == "moonraker":
        return Moonraker(http, open_socket, key, 5.0)
    if kind == "octoprint":
        return OctoPrint(http, open_socket)
    return PrusaLink(http) if kind == "prusalink" else MTConnect(http, None)


def play(path: Path) -> int:
    """Play a dialogue; how many calls it has."""
    script = Script(path)
    kind = path.name.partition("-")[0]
    barred = BARRED.get(kind, (401, 403))
    found = adapter(kind, PlayedHttp(script, barred), lambda: PlayedSocket(script))
    calls = 0
    while script.lines:
        words = script.take("?")[1].split()
        calls += 1
        try:
            result = call(found, words, path)
        except (Lost, Refusal) as error:
            kind_of, _, text = script.take("!")[1].partition(" ")
            assert type(error).__name__ == kind_of and text in str(error), repr(error)
            continue
        if result is not None:
            assert said(result) == script.take("=")[1], said(result)
    return calls


def call(found: Any, words: list[str], program: Path) -> Reading | None:
    """One call of an adapter in words."""
    verb, rest = words[0], words[1:]
    if verb == "look":
        return found.look(rest[0] if rest else "")
    if verb == "put":
        return found.put(rest[0], program)
    if verb in ("pause", "resume", "cancel"):
        return found.act(verb, rest[0], Job("running", key=rest[1] if len(rest) > 1 else ""))
    return getattr(found, verb)(*rest)


def said(seen: Reading) -> str:
    """A reading as a line."""
    jobs = [_job(name, job) for name, job in sorted(seen.jobs.items())]
    more = [
        f"{n}={getattr(seen, n)!r}" for n in ("run", "mark", "fault", "need") if getattr(seen, n)
    ]
    blind = ["blind"] if seen.blind else []
    values = [f"{name}={value}" for name, value in sorted(seen.values.items())]
    return " ".join([seen.state, *blind, *jobs, *more, *values])


def _job(name: str, job: Job) -> str:
    ended = ("+" if job.ok else "-") if job.state == "ended" else ""
    used = "" if job.used_um is None else f"/{','.join(map(str, job.used_um))}um"
    return f"{name}:{job.state}{ended}/{job.done_ppm}ppm{used}"


class RecordingHttp:
    """Asks a real server and writes down what was said."""

    def __init__(self, wire: Any, lines: list[str]) -> None:
        self._wire = wire
        self._lines = lines

    def ask(self, ask: Ask) -> Answer:
        self._lines.append(f"> {asked(ask)}")
        try:
            answer: Answer = self._wire.ask(ask)
        except Refusal as refusal:
            status = str(refusal).partition("HTTP ")[2][:3]
            self._lines.append(f"< {status} ")
            raise
        body = answer.body.decode()
        if body[:1] in ("{", "["):
            body = json.dumps(json.loads(body))
        self._lines.append(f"< {answer.status} {body}")
        return answer

    def close(self) -> None:
        self._wire.close()


class RecordingSocket:
    """Calls a real server by JSON-RPC and writes down what was said; notifications are left out."""

    def __init__(self, wire: Any, lines: list[str]) -> None:
        self._wire = wire
        self._lines = lines

    def send(self, message: str) -> None:
        document = json.loads(message)
        params = document.get("params")
        if params is not None and "api_key" in params:
            params["api_key"] = "KEY"
        self._lines.append(
            f">> {document['method']}" + (f" {json.dumps(params)}" if params else "")
        )
        self._wire.send(message)

    def receive(self, seconds: float) -> str | None:
        message: str | None = self._wire.receive(seconds)
        document = json.loads(message) if message else {}
        if "id" in document:
            mark, kind = ("<<", "result") if "result" in document else ("<!", "error")
            self._lines.append(f"{mark} {json.dumps(document[kind])}")
        return message

    def close(self) -> None:
        self._wire.close()


def record(kind: str, wire: Any, url: str, key: str, calls: list[str]) -> list[str]:
    """Lines of a dialogue held with a real server; the last of ``calls`` is the program's file."""
    lines: list[str] = []
    program = Path(calls.pop())

    def open_socket() -> RecordingSocket:
        return RecordingSocket(SocketWire(socket_url(url, "/websocket"), {}, 10.0), lines)

    found = adapter(kind, RecordingHttp(wire, lines), open_socket, key)
    for words in calls:
        lines.append(f"? {words}")
        try:
            result = call(found, words.split(), program)
            if result is not None:
                lines.append(f"= {said(result)}")
        except (Lost, Refusal) as error:
            lines.append(f"! {type(error).__name__} {str(error)[:40]}")
    return lines


def main() -> None:
    """Record: start, pause, resume, cancel."""
    kind, url, key, name, file = sys.argv[1:]
    calls = [f"look {name}", f"put {name}", f"look {name}", f"start {name}", f"look {name}"]
    calls += [f"pause {name}", f"look {name}", f"resume {name}", f"cancel {name}", f"look {name}"]
    calls += [f"cancel {name}", f"forget {name}", f"look {name}"]
    wire = HttpWire(url, Credentials({"X-Api-Key": key}, barred=(401,)), 10.0)
    print("\n".join(record(kind, wire, url, key, [*calls, file])))


if __name__ == "__main__":
    main()
