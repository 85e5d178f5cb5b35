"""Every sentence of the controller has a code and both languages, and is found again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.handover import HANDOVER
from controller.sayings import SAYINGS, in_language, moment, moment_at, places, render, said
from dashboards.openapi import SAYINGS_FILE, sayings
from protocols import grbl_codes
from protocols.orders import OPC_STATES
from protocols.telemetry import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
SAYERS = {
    "why_busy", "_why_short", "reject", "_compare", "why_down", "to_load", "in_words", "_derived",
    "_why_held", "sentence",
}  # fmt: skip
# Sentences whose end or middle is a sentence of another place, or a person's own words.
OPEN_ENDED = {
    "{}: {}", "{}", "{} {}", "{}: {}, {}", "{}; {}", "{} of {} {}", "{}: {} on {}", "{} is {}",
    "{} was {}", "{} {} {}", "{}, {}: {}", "{}: {}{}",
}  # fmt: skip

BALLOT_AT = 1_760_172_780_000  # 2025-10-11 08:53 UTC
NEW_ONES = 0  # sentences of rooms just built, English until the catalogue has them
SHORTEST = 4  # letters of a word that would be seen to be English
# what is told by way of a name, which the sources do not show as a sentence
TOLD_OTHERWISE = (
    *(words for words, _ in HANDOVER.values()),
    "q-1 clears this bed: the robot may be in the bed",
    "on the ballot of round r1, which closes 2025-10-11 08:53 UTC",
    "no new orders: the controller is being drained (ada)",
    "orders are offered again (ada)",
    "9120 mg were drawn, its program takes 4210 mg",
    "only 0 mg were drawn, its program takes 4210 mg",
    "lot s1 gave 9 mg more than it held: is it the lot that was loaded?",
    "Hill 7 admitted 3 stewards",
    "s1 was weighed: 1000 mg, +5 mg against the ledger",
)


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "controller").rglob("*.py")):
        if not {"definition", "rounds_verify", "simulation"} & set(path.parts):
            yield path, ast.parse(path.read_text())
    yield ROOT / "dashboards/views.py", ast.parse((ROOT / "dashboards/views.py").read_text())


def shape(node: ast.expr | None) -> str | None:
    """A text as written, each value a {}; None when it is not written in this place."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


def told(tree: ast.AST) -> Iterator[str | None]:
    """Texts of notices, reasons of needs and operations, and what the sayers return."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from called(node, node.func.attr)
        if isinstance(node, ast.FunctionDef) and node.name in SAYERS:
            returned = (inner for inner in ast.walk(node) if isinstance(inner, ast.Return))
            yield from (shape(inner.value) for inner in returned)


def called(node: ast.Call, name: str) -> Iterator[str | None]:
    if name == "notice" and len(node.args) == 3:
        yield shape(node.args[2])
    if name == "change":
        wanted = (word for word in node.keywords if word.arg in ("reason", "outcome_why"))
        yield from (shape(word.value) for word in wanted)


def sentences() -> list[str]:
    found = {text for _, tree in sources() for text in told(tree) if text}
    return sorted(found - OPEN_ENDED)


def english_left(text: str) -> list[str]:
    """Words of a sentence that stand in its German too: nobody translated them."""
    german = set(re.findall(r"[a-z]+", in_language(text, 1))) - {"http", "https"}
    return [w for w in re.findall(rf"[a-z]{{{SHORTEST},}}", text) if w in german]


def has(text: str) -> bool:
    return not all(
        english_left(text.replace("{}", filled)) for filled in ("7", "q", moment(BALLOT_AT))
    )


@pytest.mark.parametrize("text", TOLD_OTHERWISE)
def test_what_is_told_by_a_name_is_german_too(text: str) -> None:
    assert english_left(text) == []


def test_what_the_controller_says_is_in_the_catalogue() -> None:
    found = sentences()
    assert len(found) > 60
    missing = [text for text in found if not has(text)]
    assert len(missing) <= NEW_ONES, missing


@pytest.mark.parametrize("code", sorted(SAYINGS))
def test_both_languages_have_the_same_places(code: str) -> None:
    english, german = SAYINGS[code]
    assert places(english) == places(german)
    assert german.strip()


@pytest.mark.parametrize("code", sorted(SAYINGS))
def test_a_sentence_is_found_again(code: str) -> None:
    params: dict[str, str | int] = {}
    for n, name in enumerate(sorted(places(SAYINGS[code][0]))):
        number, at = name.startswith("n_"), name.startswith("at_")
        params[name] = BALLOT_AT if at else str(n + 3) if number else f"q{n}"
    found = said(render(code, params))
    assert found is not None
    assert render(found.code, found.params) == render(code, params)
    assert found.code == code


def test_sentences_within_sentences_and_several_are_translated() -> None:
    text = "Printer 1 is fault: filament ran out on T0; tried again in 20 s"
    assert in_language(text, 1) == (
        "Printer 1 hat eine Störung: Filament zu Ende an T0; neuer Versuch in 20 s"
    )
    assert in_language(text, 0) == text
    assert in_language("own words of a person", 1) == "own words of a person"


def test_a_moment_in_a_sentence_is_utc_to_read_and_ms_to_show() -> None:
    text = f"on the ballot of round r1, which closes {moment(BALLOT_AT + 59_999)}"
    assert text.endswith(" 2025-10-11 08:53 UTC") and moment_at(moment(BALLOT_AT)) == BALLOT_AT
    assert said(text) == ("on-ballot", {"round": "r1", "at_when": BALLOT_AT})
    assert in_language(text, 1) == "in Runde r1 zur Wahl, die 2025-10-11 08:53 UTC schließt"
    within = said(f"it is refused: {text}")
    assert within is None or BALLOT_AT not in within.params.values()
    odd = said("on the ballot of round r1, which closes soon")
    assert odd is None, "a moment is nothing but a moment"


def test_the_page_has_the_same_catalogue() -> None:
    assert SAYINGS_FILE.read_text() == sayings()


REGISTERED = sorted({words for *_, words in REGISTRY.values()})
STATES = sorted({words for *_, words in OPC_STATES.values()})
TABLES = [grbl_codes.error_words, grbl_codes.alarm_words]


def test_readings_states_and_codes_of_machines_are_german_too() -> None:
    codes = {
        find(n, kind)
        for find in TABLES
        for n in range(600)
        for kind in ("grbl", "grblhal", "fluidnc")
    }
    missing = [words for words in (*REGISTERED, *STATES, *sorted(codes)) if said(words) is None]
    assert missing == []
    assert len(codes) > 80


REACHED = (  # rooms whose refusals a person meets at the page
    "commands", "console", "needs", "resources", "software", "upkeep", "execution/people",
    "execution/inspection", "joints/handovers", "joints/picks", "joints/stations",
    "ledger/discrepancies", "commons/members", "commons/rounds", "commons/urgent",
    "commons/leases", "commons/joined", "commons/boxes", "people/accounts",
)  # fmt: skip


def refusals(path: Path) -> Iterator[str]:
    """What a room refuses with, each value a {}; a name stands for the text given to it before."""
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        named = {
            target.id: shape(node.value)
            for node in ast.walk(function) if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused":
                words = node.args[2] if len(node.args) > 2 else None
                text = named.get(words.id) if isinstance(words, ast.Name) else shape(words)
                if text and text not in OPEN_ENDED:
                    yield text


@pytest.mark.parametrize("room", REACHED)
def test_what_a_person_is_refused_with_is_german_too(room: str) -> None:
    found = set(refusals(ROOT / "controller" / f"{room}.py"))
    assert [text for text in sorted(found) if not has(text)] == []


def test_what_stands_before_a_sentence_is_kept() -> None:
    assert in_language("up.ev: is required", 1) == "up.ev: wird gebraucht"
    assert in_language("her own: words", 1) == "her own: words"
