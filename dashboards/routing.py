"""Routes as rows of a table: every answer is JSON that holds only what was set."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

Row = tuple[str, str, Callable[..., Any], Any]


def add_rows(routes: APIRouter, *rows: Row) -> None:
    """Add rows of (method, path, handler, model of the answer) in their order."""
    for method, path, handler, model in rows:
        routes.add_api_route(
            path,
            handler,
            methods=[method],
            response_model=model,
            response_model_exclude_unset=True,
        )
