"""The doctor speaks as a machine it is not; the clock, and words nobody answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.access import Access, acl
from controller.adapters.authority import Authority
from controller.adapters.broker import Guarded, free_port, open_guarded
from controller.adapters.site_file import SiteFile
from controller.adapters.store import Tx
from controller.values import Command
from fabcommons import doctor_tries
from fabcommons.finding import BAD, GOOD, HINT
from support.broker import start_mosquitto
from support.small_floor import Floor

SITE = "workshop"
NOW_MS = 1_760_000_000_000
WIDE = f"pattern write fab/1/{SITE}/#\n"


@pytest.mark.parametrize(("more", "state"), [("", GOOD), (WIDE, BAD)])
def test_a_machine_that_may_speak_for_another_is_found(
    more: str, state: str, tmp_path: Path
) -> None:
    start_mosquitto(tmp_path / "here").close()  # skips where there is none
    authority = Authority(tmp_path / "access", SITE, NOW_MS)
    access = Access(tmp_path / "access", SITE)
    access.acl.write_text(acl(SITE) + more)
    guarded = Guarded("127.0.0.1", free_port(), authority, access)
    broker = open_guarded(tmp_path / "broker", guarded)
    settings = SiteFile(SITE, broker="mosquitto", broker_listen=f"127.0.0.1:{guarded.port}")
    try:
        (found,) = doctor_tries.topics(settings, tmp_path)
    finally:
        broker.close()
    assert (found.state, found.what) == (state, "acl")
    (gone,) = doctor_tries.topics(settings, tmp_path)
    assert (gone.state, "nobody can tell" in gone.text) == (HINT, True)


def test_before_the_first_start_there_is_nothing_to_try(tmp_path: Path) -> None:
    settings = SiteFile(SITE, broker="mosquitto", broker_listen="127.0.0.1:1")
    assert list(doctor_tries.topics(settings, tmp_path)) == []


def fails() -> int | None:
    raise OSError("no such call")


CLOCKS: list[tuple[Callable[[], int | None], str, str]] = [
    (lambda: 12, GOOD, "12 ms"),
    (lambda: 5000, HINT, "5000 ms off"),
    (lambda: None, HINT, "nobody sets"),
    (fails, HINT, "no such call"),
]


@pytest.mark.parametrize(("asked", "state", "words"), CLOCKS)
def test_the_clock_says_how_far_off_it_may_be(asked: Any, state: str, words: str) -> None:
    found = doctor_tries.clock(asked)
    assert (found.state, words in found.text) == (state, True)
    assert doctor_tries.clock().what == "time"  # whatever this computer says


def test_the_oldest_word_without_an_answer_is_told(tmp_path: Path) -> None:
    floor = Floor(tmp_path)
    assert floor.do(doctor_tries.outbox).state == GOOD
    asked = Command("c-1", "mill-1", "pause", {}, "Ana", floor.clock.now_ms())

    def add(tx: Tx) -> None:
        tx.commands.add(asked)

    floor.do(add)
    assert floor.do(doctor_tries.outbox).state == GOOD
    floor.clock.advance_ms(180_000)
    found = floor.do(doctor_tries.outbox)
    assert (found.state, "180 s: mill-1, pause" in found.text) == (HINT, True)

    def answer(tx: Tx) -> None:
        tx.commands.change("c-1", answered_at=tx.now_ms, ok=True)

    floor.do(answer)
    assert floor.do(doctor_tries.outbox).state == GOOD
    floor.store.close()
