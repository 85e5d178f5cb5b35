"""Sentences the controller tells people, each with a code, in every language of the pages.

What is stored is English. ``said`` finds the sentence behind a text, so that a page renders it by
its catalogue; a parameter may be a sentence itself. A text may be several, joined by "; ".

Parameters ``n_`` are numbers, ``at_`` moments: in the text UTC to the minute, for who reads it as
it is; in ``said`` integers, ms UTC, which a page shows in its own zone.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from controller.sayings_answers import ANSWERS
from controller.sayings_codes import CODES
from controller.sayings_commons import COMMONS
from controller.sayings_list import REASONS
from controller.sayings_machines import MACHINES
from controller.sayings_notices import NOTICES

_PLACE = re.compile(r"\{(\w+)\}")
SAYINGS = {**REASONS, **NOTICES, **MACHINES, **CODES, **ANSWERS, **COMMONS}
MOST_DEEP = 4  # of sentences within sentences
MOMENT = "%Y-%m-%d %H:%M UTC"
_NAMED = re.compile(r"([\w.\[\]/-]+): (.+)", re.DOTALL)  # what of: a field, an id
_KINDS = {"n": r"[-+]?[0-9.]+", "at": r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"}


class Said(NamedTuple):
    """A sentence by its code; ``params`` are texts, moments (``at_``) ms UTC."""

    code: str
    params: Mapping[str, str | int]


def moment(at_ms: int) -> str:
    """A moment in a sentence: UTC, to the minute."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(MOMENT)


def moment_at(text: str) -> int:
    """ms UTC of what ``moment`` wrote; ValueError for any other text."""
    return round(datetime.strptime(text, MOMENT).replace(tzinfo=UTC).timestamp() * 1000)


def said(text: str) -> Said | None:
    """The sentence a text is, None when the catalogue has it not; the closest fit wins."""
    for code, form in _forms():
        found = form.fullmatch(text)
        if found is not None:
            return Said(code, {n: _value(n, text) for n, text in found.groupdict().items()})
    return None


def in_language(text: str, language: int, depth: int = 0) -> str:
    """A text in a language (0 English, 1 German); what is not known stays as it is."""
    if depth > MOST_DEEP:
        return text
    found = said(text)
    if found is None:
        parts = text.split("; ")
        if len(parts) == 1:
            named = _NAMED.fullmatch(text)
            return f"{named[1]}: {in_language(named[2], language, depth + 1)}" if named else text
        return "; ".join(in_language(part, language, depth + 1) for part in parts)
    params = {
        name: value if isinstance(value, int) else in_language(value, language, depth + 1)
        for name, value in found.params.items()
    }
    return render(found.code, params, language)


def render(code: str, params: Mapping[str, str | int], language: int = 0) -> str:
    """The sentence of a code with its parameters put in."""
    return _PLACE.sub(lambda place: _text(params[place[1]]), SAYINGS[code][language])


def _value(name: str, text: str) -> str | int:
    return moment_at(text) if name.startswith("at_") else text


def _text(value: str | int) -> str:
    return moment(value) if isinstance(value, int) else value


def places(template: str) -> set[str]:
    """Names of the parameters of a template."""
    return set(_PLACE.findall(template))


@cache
def _forms() -> list[tuple[str, re.Pattern[str]]]:
    """Templates as patterns, those with the most words of their own first."""

    def own(item: tuple[str, tuple[str, str]]) -> int:
        return -len(_PLACE.sub("", item[1][0]))

    return [(code, _form(texts[0])) for code, texts in sorted(SAYINGS.items(), key=own)]


def _form(template: str) -> re.Pattern[str]:
    """A number stays a number, a moment a moment; other parameters are any text."""
    parts = _PLACE.split(template)
    out = [re.escape(parts[0])]
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        kind = _KINDS.get(name.partition("_")[0] if "_" in name else "", ".+?")
        out.append(f"(?P<{name}>{kind})")
        out.append(re.escape(rest))
    return re.compile("".join(out), re.DOTALL)
