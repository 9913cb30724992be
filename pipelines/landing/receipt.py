"""What a partition is made of: the proof that travels in its own file.

What belongs here: the values and their JSON. What does not: the file (``partition``, ``staging``).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final, Literal, Self

from pipelines.spans import Position, Span
from pipelines.windows import Window, format_instant, parse_instant

_VERSION: Final = 2


Proof = Literal["whole answer", "full page"]


@dataclass(frozen=True, slots=True)
class SliceRecord:
    """One slice, what it cost, and how it is known to be all that its span holds.

    ``proof`` is ``"whole answer"`` where fewer than ``limit`` rows came, or ``"full page"`` where
    the first ``limit`` rows came in time order and the span ends before the cell of the last.
    ``body_sha256`` and ``body_bytes`` are of the inflated body; ``pulled_ns`` is Unix time. The
    costs are of all calls since the slice before: counts, retries and what was pulled for nothing.
    An answer that spans partitions is a slice of each, and its costs are those of the first.
    """

    span: Span
    rows: int
    limit: int
    proof: Proof
    running_seconds: float
    request_id: str | None
    body_sha256: str
    body_bytes: int
    kept_aside: int
    pulled_ns: int
    calls: int
    counting_calls: int = 0
    wasted_calls: int = 0
    wasted_rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON's values."""
        return {**_plain(self), "span": [str(self.span.start), str(self.span.end)]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The record that ``to_dict`` gave. Raises ``KeyError`` or ``ValueError`` for another."""
        given = {each.name: values[each.name] for each in fields(cls)}
        start, end = (Position.parse(text) for text in values["span"])
        return cls(**{**given, "span": Span(start, end)})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a committed partition is, and which slices make it up.

    ``rows`` is the sum over its slices, which was compared with the rows in the file as it was
    written. ``counted_rows`` is what the service counted before they were pulled (``None``: nobody
    had to count); fewer are never committed. ``calls`` and ``running_seconds`` are of all calls,
    the ``counting_calls`` and ``wasted_calls`` among them. ``kept_aside_by_column`` is what
    ``kept_aside`` counts, by the service's names (``None``: an older huntlake did not say).
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
    counted_rows: int | None
    calls: int
    running_seconds: float
    counting_calls: int
    wasted_calls: int
    wasted_rows: int
    kept_aside: int
    committed_ns: int
    kept_aside_by_column: Mapping[str, int] | None = None
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
        # What has a default came later: partitions landed before it are not pulled again for it.
        given = {
            each.name: values[each.name]
            for each in fields(cls)
            if each.name in values or each.default is MISSING
        }
        given["window"] = _window_in(values["window"])
        given["slices"] = tuple(SliceRecord.from_dict(each) for each in values["slices"])
        return cls(**given)


def query_sha256(query: str) -> str:
    """The hash by which a receipt names its query."""
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: SliceRecord | Receipt) -> dict[str, Any]:
    return {
        key: each for key, each in asdict(value).items() if key not in ("window", "slices", "span")
    }


def _window_out(window: Window) -> list[str]:
    return [format_instant(window.start), format_instant(window.end)]


def _window_in(texts: list[str]) -> Window:
    return Window(*(parse_instant(text) for text in texts))
