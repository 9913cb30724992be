"""Faults that spoil a good answer's body before it is sent.

What belongs here: changes to the bytes. What does not: the connection (``server``).
"""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any, Final

from pipelines.standin.faults import Fault

_Answer = dict[str, Any]
# As low as gzip goes: a demo on two cores should not spend its time here.
_GZIP_LEVEL: Final = 1
# Set around a number's digits while it is a text in Python; no text of an answer is of this form.
_MARK: Final = "\0"
_MARKED: Final = re.compile(r'"\\u0000([-+.0-9eE]+)\\u0000"')


def packed(body: bytes, fault: Fault | None, accepted: str) -> tuple[bytes, str | None]:
    """What is sent of a body with the fault in it, and its encoding: gzip where it is accepted."""
    sent = spoiled(body, fault)
    if fault is not Fault.TRUNCATED_GZIP and "gzip" not in accepted:
        return sent, None
    sent = gzip.compress(sent, _GZIP_LEVEL)
    return (sent[: len(sent) // 2] if fault is Fault.TRUNCATED_GZIP else sent), "gzip"


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


def _edited(body: bytes, edit: Callable[[_Answer], None]) -> bytes:
    """The body after a change that leaves all else as it was.

    Numbers keep their very digits: a float would cut a decimal's thirty-four to seventeen.
    """
    answer = json.loads(body, parse_float=lambda digits: f"{_MARK}{digits}{_MARK}")
    edit(answer)
    return _MARKED.sub(r"\1", json.dumps(answer)).encode()


def _add_column(answer: _Answer) -> None:
    if "schema" in answer:
        answer["schema"].append({"name": "AddedLately", "type": "String"})
    else:
        answer["Schema"].append({"Name": "AddedLately", "Type": "String"})
    for row in answer["results"] if "results" in answer else answer["Results"]:
        row["AddedLately"] = "new"


def _change_type(answer: _Answer) -> None:
    schema, key = (answer["schema"], "type") if "schema" in answer else (answer["Schema"], "Type")
    column = next((each for each in schema if each[key] == "String"), None)
    if column is not None:
        column[key] = "Int64"


def _drop_schema(answer: _Answer) -> None:
    answer["schema" if "schema" in answer else "Schema"] = []
