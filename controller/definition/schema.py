"""The production profile as JSON Schema (draft 2020-12), for editors: from the tables of fields."""

from typing import Any

from controller.definition.fields import Fields
from controller.definition.profile_fields import PROFILE

Json = dict[str, Any]
_PATTERNS = {"id": "^[a-z0-9][a-z0-9-]{0,31}$", "sha256": "^[0-9a-f]{64}$", "path": "^[^/\\\\]"}


def profile_schema() -> Json:
    """Schema of ``production.yml``; what lies between fields is checked by the reader alone."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Production profile",
    }
    return {**head, **_record(PROFILE)}


def _record(fields: Fields) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {
            field.name: {"description": field.meaning, **_type(field.type)} for field in fields
        },
    }


def _type(kind: tuple[Any, ...]) -> Json:
    tag = kind[0]
    if tag == "record":
        return _record(kind[1])
    if tag == "list":
        bounds = {"minItems": kind[2], "maxItems": kind[3]}
        return {"type": "array", "items": _type(kind[1]), **bounds}
    if tag == "int":
        return {"type": "integer", "minimum": kind[1], "maximum": kind[2]}
    if tag == "word":
        return {"enum": list(kind[1])}
    if tag == "bool":
        return {"type": "boolean"}
    if tag == "text":
        return {"type": "string", "minLength": 1, "maxLength": kind[1]}
    return {"type": "string", "pattern": _PATTERNS[tag]}
