"""Faults that spoil a good answer's body before it is sent.

What belongs here: changes to the bytes. What does not: the connection (``server``).
"""

import json
from typing import Any

from pipelines.standin.faults import Fault


def spoiled(body: bytes, fault: Fault | None) -> bytes:
    """The body with the fault in it; the same body for a fault that isn't one of the body."""
    match fault:
        case Fault.TRUNCATED_JSON:
            return body[: len(body) // 2]
        case Fault.INVALID_JSON:
            return body[:-1] + b",}"
        case Fault.ADDED_COLUMN:
            return _edited(body, _add_column)
        case Fault.CHANGED_TYPE:
            return _edited(body, _change_type)
        case Fault.NO_SCHEMA:
            return _edited(body, _drop_schema)
        case _:
            return body


def _edited(body: bytes, edit: Any) -> bytes:
    answer = json.loads(body)
    schema_key, name_key = ("Schema", "Name") if "Schema" in answer else ("schema", "name")
    edit(answer, schema_key, name_key)
    return json.dumps(answer).encode()


def _add_column(answer: dict[str, Any], schema_key: str, name_key: str) -> None:
    type_key = "Type" if name_key == "Name" else "type"
    answer[schema_key].append({name_key: "AddedLately", type_key: "String"})
    for row in answer.get("Results", answer.get("results", [])):
        row["AddedLately"] = "new"


def _change_type(answer: dict[str, Any], schema_key: str, name_key: str) -> None:
    type_key = "Type" if name_key == "Name" else "type"
    for column in answer[schema_key]:
        if column[type_key] == "String":
            column[type_key] = "Int64"
            return


def _drop_schema(answer: dict[str, Any], schema_key: str, name_key: str) -> None:
    del name_key
    answer[schema_key] = []
