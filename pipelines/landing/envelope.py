"""What stands around an answer's rows: its schema and its statistics.

What belongs here: the outermost object of an answer. What does not: rows (``exact``, ``blocks``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from pipelines.errors import MalformedResponse
from pipelines.landing.canonical import Number, has_lone_surrogate, read_json


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer's outermost object: its members by their names in lower case."""

    members: Mapping[str, Any]

    @classmethod
    def read(cls, text: str) -> Self:
        """The envelope in a whole text. Raises ``MalformedResponse``."""
        try:
            value = read_json(text)
        except ValueError as error:
            # The error's own text names a place and no content.
            raise MalformedResponse(f"the answer is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise MalformedResponse("the answer is not a JSON object")
        if "error" in value:
            raise MalformedResponse("the answer holds an error instead of results")
        members = {key.lower(): member for key, member in value.items()}
        if len(members) != len(value):
            raise MalformedResponse("the answer has a member twice")
        if any(key.endswith("nextlink") for key in members):
            raise MalformedResponse(
                "the answer says that it goes on elsewhere, which none is known to"
            )
        return cls(MappingProxyType(members))

    @property
    def results(self) -> list[Any]:
        """The list of rows. Raises ``MalformedResponse`` where there is none."""
        rows = self.members.get("results")
        if not isinstance(rows, list):
            raise MalformedResponse("the answer has no list of results")
        return rows

    def columns(self, *, has_rows: bool) -> dict[str, str]:
        """Names and types. An answer without rows may come without a schema; no other may."""
        listed = self.members.get("schema")
        # Graph's null is an empty object.
        if listed in (None, {}, []) and not has_rows:
            return {}
        if not isinstance(listed, list) or not listed:
            raise MalformedResponse("the answer has results but no schema")
        columns: dict[str, str] = {}
        for entry in listed:
            name, wire_type = _column(entry)
            if name in columns:
                raise MalformedResponse(f"the schema lists the column {name!r} twice")
            columns[name] = wire_type
        return columns

    @property
    def stated_rows(self) -> int | None:
        """The rows of the result by its statistics, which Graph leaves out."""
        stats = self.members.get("stats")
        listed = stats.get("dataset_statistics") if isinstance(stats, dict) else None
        if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
            return None
        rows = listed[0].get("table_row_count")
        return rows if type(rows) is int else None

    @property
    def execution_seconds(self) -> float | None:
        """What the service says that the query ran for, where it says so."""
        stats = self.members.get("stats")
        seconds = stats.get("ExecutionTime") if isinstance(stats, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, Number | int):
            return None
        # The quota is counted with it: a figure that is none must not block it for ever.
        number = float(seconds)
        return number if math.isfinite(number) and number >= 0 else None


def _column(entry: Any) -> tuple[str, str]:
    pairs = entry.items() if type(entry) is dict else ()
    # A number is a text too, of its digits.
    names, types = (
        [value for key, value in pairs if key.lower() == wanted and type(value) is str]
        for wanted in ("name", "type")
    )
    given = [key.lower() for key, _ in pairs]
    if not names or not types or given.count("name") > 1 or given.count("type") > 1:
        raise MalformedResponse("the schema has an entry without one name and one type")
    name, wire_type = names[0], types[0]
    if has_lone_surrogate(name + wire_type):
        raise MalformedResponse("the schema has a name or a type that is not Unicode")
    return name, wire_type
