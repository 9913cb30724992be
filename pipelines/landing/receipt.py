"""What a partition is made of: the proof that travels in its own file.

What belongs here: the values and their JSON. What does not: the file (``partition``, ``staging``).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from pipelines.windows import Window, format_instant, parse_instant

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """One slice: what one call brought, after ``calls`` attempts.

    ``body_sha256`` and ``body_bytes`` are of the inflated body; ``running_seconds`` is
    the service's own figure, or else the time on the wire; ``pulled_ns`` is Unix time.
    """

    window: Window
    rows: int
    running_seconds: float
    request_id: str | None
    body_sha256: str
    body_bytes: int
    kept_aside: int
    pulled_ns: int
    calls: int

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON's values."""
        return {**_plain(self), "window": _window_out(self.window)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The record that ``to_dict`` gave. Raises ``KeyError`` or ``ValueError`` for another."""
        given = {each.name: values[each.name] for each in fields(cls)}
        return cls(**{**given, "window": _window_in(values["window"])})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a committed partition is, and which slices make it up.

    ``rows`` is the sum over its slices, which was compared with the rows in the file as it was
    written. ``calls`` and ``running_seconds`` hold the wasted ones too.
    """

    hunt: str
    fingerprint: str
    query_sha256: str
    tenant: str
    surface: str
    partition: str
    window: Window
    verdict: str
    slices: tuple[SliceRecord, ...]
    rows: int
    calls: int
    running_seconds: float
    wasted_calls: int
    wasted_rows: int
    kept_aside: int
    committed_ns: int
    version: int = _VERSION

    def to_json(self) -> str:
        """The receipt as JSON, which any reader of the file can show."""
        values = {**_plain(self), "window": _window_out(self.window)}
        values["slices"] = [each.to_dict() for each in self.slices]
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The receipt that ``to_json`` gave. Raises ``KeyError`` or ``ValueError`` for another."""
        values = json.loads(text)
        given = {each.name: values[each.name] for each in fields(cls)}
        given["window"] = _window_in(values["window"])
        given["slices"] = tuple(SliceRecord.from_dict(each) for each in values["slices"])
        return cls(**given)


def query_sha256(query: str) -> str:
    """The hash by which a receipt names its query."""
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: SliceRecord | Receipt) -> dict[str, Any]:
    return {key: each for key, each in asdict(value).items() if key not in ("window", "slices")}


def _window_out(window: Window) -> list[str]:
    return [format_instant(window.start), format_instant(window.end)]


def _window_in(texts: list[str]) -> Window:
    return Window(*(parse_instant(text) for text in texts))
