"""Sentences the controller tells people, each with a code, in every language of the pages.

What is stored is English. ``said`` finds the sentence behind a text, so that a page renders it by
its catalogue; a parameter may be a sentence itself. A text may be several, joined by "; ".
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from controller.sayings_list import REASONS
from controller.sayings_notices import NOTICES

_PLACE = re.compile(r"\{(\w+)\}")
SAYINGS = {**REASONS, **NOTICES}
MOST_DEEP = 4  # of sentences within sentences


class Said(NamedTuple):
    """A sentence by its code; ``params`` are texts."""

    code: str
    params: Mapping[str, str]


def said(text: str) -> Said | None:
    """The sentence a text is, None when the catalogue has it not; the closest fit wins."""
    for code, form in _forms():
        found = form.fullmatch(text)
        if found is not None:
            return Said(code, found.groupdict())
    return None


def in_language(text: str, language: int, depth: int = 0) -> str:
    """A text in a language (0 English, 1 German); what is not known stays as it is."""
    if depth > MOST_DEEP:
        return text
    found = said(text)
    if found is None:
        parts = text.split("; ")
        if len(parts) == 1:
            return text
        return "; ".join(in_language(part, language, depth + 1) for part in parts)
    params = {name: in_language(value, language, depth + 1) for name, value in found.params.items()}
    return render(found.code, params, language)


def render(code: str, params: Mapping[str, str], language: int = 0) -> str:
    """The sentence of a code with its parameters put in."""
    return _PLACE.sub(lambda place: params[place[1]], SAYINGS[code][language])


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
    """A number stays a number; other parameters are any text."""
    parts = _PLACE.split(template)
    out = [re.escape(parts[0])]
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        out.append(f"(?P<{name}>{r'[-+]?[0-9.]+' if name.startswith('n_') else '.+?'})")
        out.append(re.escape(rest))
    return re.compile("".join(out), re.DOTALL)
