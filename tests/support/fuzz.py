"""Seeded mutational fuzzing over a kept corpus: bytes in, a value or the one expected error out.

What an input does is summed up in a sign: the kind of error and its words without numbers and
names, or the shape of the value. An input with a new sign is kept and mutated further.
"""

from __future__ import annotations

import hashlib
import random
import re
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
MAX_BYTES = 8192
KEPT = 16  # inputs kept on disk a parser
LIMIT_S = 10.0  # of processor time for one input; more is a hang
_EVERY = 64
_DIGITS = re.compile(rb"-?\d+")
_TOKEN = re.compile(rb"[A-Za-z_-]{2,}|[^\sA-Za-z0-9]")
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|\d+|\b[a-z0-9-]*\d[a-z0-9-]*\b")
_NUMBERS = (
    b"0", b"-1", b"1", b"255", b"256", b"65536", b"2147483648", b"9007199254740992",
    b"1e999", b"-0.0", b"0.1", b"1" * 400, b"NaN", b"99999999999999999999", b"1_0",
)  # fmt: skip
_PIECES = (
    b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\n", b" ", b"\t",
    b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"\\ud800", b"null", b"true", b"..", b"/", b"%",
    b"#", b"&a", b"*a", b"!!python/object:x", b";", b":", b",", b"=", b"<!DOCTYPE",
    "\u0661".encode(), "\u00b2".encode(), "\u2028".encode(), b"(", b")", b"[" * 300, b"a." * 120,
)  # fmt: skip


class Parser(NamedTuple):
    """What is fuzzed: ``run`` returns a value or raises ``error``; ``share`` of all inputs."""

    run: Callable[[bytes], Any]
    error: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    share: int = 1


class Found(NamedTuple):
    """An input that ended as none may."""

    parser: str
    data: bytes
    error: BaseException


class TooLong(Exception):
    """One input took more than LIMIT_S."""


def sign(parser: Parser, data: bytes) -> str:
    """What an input does, in words without its particulars; raise what was not expected."""
    try:
        return _shape(parser.run(data), 3)
    except parser.error as error:
        words = str(error)
        assert words, "an error without a word"
        return type(error).__name__ + ": " + _VARIABLE.sub("?", words)[:120]


def _shape(value: Any, depth: int) -> str:
    if depth and isinstance(value, dict):
        inner = sorted({f"{_shape(v, depth - 1)}" for v in list(value.values())[:6]})
        return "{" + ",".join(inner) + "}"
    if depth and isinstance(value, list | tuple):
        return "(" + ",".join(_shape(v, depth - 1) for v in list(value)[:6]) + ")"
    if isinstance(value, str) and depth == 3:
        return "text " + _VARIABLE.sub("?", value)[:60]
    return str(value) if value is None or isinstance(value, bool) else type(value).__name__


@dataclass
class Mutator:
    """Makes inputs of inputs; the same seed and the same pool make the same ones."""

    seed: int
    pool: list[bytes]
    tokens: list[bytes] = field(default_factory=list[bytes])

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        found = {token for data in self.pool for token in _TOKEN.findall(data[:4096])}
        self.tokens = sorted(found)[:2000]
        self._ways = (
            self._flip, self._set, self._cut, self._double, self._insert, self._insert,
            self._number, self._splice, self._end, self._lines, self._token,
        )  # fmt: skip

    def next(self) -> bytes:
        """One more input."""
        chance = self._random
        data = bytearray(chance.choice(self.pool))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            chance.choice(self._ways)(data)
        return bytes(data[:MAX_BYTES])

    def _at(self, data: bytearray) -> int:
        return int(self._random.random() * (len(data) + 1))

    def _flip(self, data: bytearray) -> None:
        at = self._at(data)
        if at < len(data):
            data[at] ^= 1 << self._random.randrange(8)

    def _set(self, data: bytearray) -> None:
        at = self._at(data)
        data[at : at + 1] = bytes([self._random.randrange(256)])

    def _cut(self, data: bytearray) -> None:
        at = self._at(data)
        del data[at : at + self._random.choice((1, 2, 4, 16, 64, 1000))]

    def _double(self, data: bytearray) -> None:
        at = self._at(data)
        part = data[at : at + self._random.choice((1, 4, 16, 200))]
        data[at:at] = part * self._random.choice((1, 1, 2, 40))

    def _insert(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._random.choice(_PIECES)

    def _token(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._random.choice(self.tokens or [b"x"])

    def _number(self, data: bytearray) -> None:
        found = list(_DIGITS.finditer(data[:4096]))
        if found:
            one = self._random.choice(found)
            data[one.start() : one.end()] = self._random.choice(_NUMBERS)

    def _splice(self, data: bytearray) -> None:
        other = self._random.choice(self.pool)
        begin = int(self._random.random() * (len(other) + 1))
        at = self._at(data)
        data[at : at + self._random.choice((0, 8, 4000))] = other[begin : begin + 200]

    def _end(self, data: bytearray) -> None:
        del data[self._at(data) :]

    def _lines(self, data: bytearray) -> None:
        """Lose, double or move whole lines: what a damaged file looks like."""
        lines = data.splitlines(keepends=True)
        if not lines:
            return
        one = lines.pop(self._random.randrange(len(lines)))
        for _ in range(self._random.randrange(3)):
            lines.insert(self._random.randrange(len(lines) + 1), one)
        data[:] = b"".join(lines)


@dataclass
class Campaign:
    """So many inputs for one parser; ``found`` at most ``most`` failures of different signs."""

    name: str
    parser: Parser
    seed: int
    most: int = 5
    limit_s: float = LIMIT_S
    runs: int = 0
    signs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    found: list[Found] = field(default_factory=list[Found])
    _now: bytes = b""

    def run(self, inputs: int) -> None:
        """Try the corpus, then mutations of it; a hang is found by processor time."""
        before = signal.signal(signal.SIGVTALRM, self._too_long)
        try:
            self._run(inputs)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    def _run(self, inputs: int) -> None:
        pool = [*self.parser.seeds, *kept(self.name)]
        for data in pool:
            self._try(data)
        seed = int.from_bytes(hashlib.sha256(f"{self.name}{self.seed}".encode()).digest()[:8])
        mutator = Mutator(seed, pool)
        for number in range(max(0, inputs - len(pool))):
            if number % _EVERY == 0:
                signal.setitimer(signal.ITIMER_VIRTUAL, self.limit_s)
            data = mutator.next()
            if self._try(data) and len(pool) < 4000:
                pool.append(data)
            if len(self.found) >= self.most:
                break

    def _too_long(self, _number: int, _frame: object) -> None:
        raise TooLong(f"took more than {self.limit_s} s")

    def _try(self, data: bytes) -> bool:
        """Run one input; whether it did something new."""
        self._now = data
        self.runs += 1
        try:
            did = sign(self.parser, data)
        except Exception as error:  # noqa: BLE001  # this is what is looked for
            did = f"{type(error).__name__} at {_where(error)}"
            if did not in self.signs:
                self.found.append(Found(self.name, data, error))
        new = did not in self.signs
        if new or len(data) < len(self.signs[did]):
            self.signs[did] = data
        return new


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"


def kept(name: str) -> list[bytes]:
    """Inputs kept for a parser, by name of their files."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def keep(name: str, inputs: Iterable[bytes]) -> int:
    """Keep inputs that are not kept yet, up to KEPT a parser; how many were new."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    new = 0
    for data in inputs:
        path = folder / hashlib.sha256(data).hexdigest()[:12]
        if len(list(folder.iterdir())) < KEPT and not path.exists():
            path.write_bytes(data)
            new += 1
    return new
