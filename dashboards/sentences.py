"""Sentences of the controller as JSON: beside the English, the code and its parameters."""

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.sayings import said


class SaidView(TypedDict):
    """A sentence by its code; the catalogue has it in every language.

    Parameters are texts; those named ``at_`` are moments, integer ms UTC.
    """

    code: str
    params: dict[str, str | int]


def said_view(text: str | None) -> SaidView | None:
    """The sentence a text is; None when the catalogue has it not."""
    found = said(text) if text else None
    return {"code": found.code, "params": dict(found.params)} if found else None
