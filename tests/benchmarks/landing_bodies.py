"""Bodies of answers as the service writes them: large, and the same each time.

What belongs here: the shapes, and writing their rows as JSON in either dialect. What does not: what
the cells say (``landing_values``), and odd bodies that nobody sends (``landing_mutations``).

A body is compact JSON, its schema first, and each row's keys stand in the schema's order.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import click

from tests.benchmarks.landing_values import (
    CLOUD_APP_EVENTS,
    NETWORK_EVENTS,
    PROCESS_EVENTS,
    Texts,
    cloud_app_events,
    network_events,
    process_events,
    process_events_with_dynamic,
    with_oddities,
)

Dialect = Literal["odata", "plain"]

_SEED: Final = 5
_CONTEXT: Final = (
    "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
)
# Graph marks these types beside the value, and not on every column.
_SIDECARS: Final[Mapping[str, str]] = MappingProxyType({"SByte": "#SByte", "Int64": "#Int64"})
_DYNAMIC: Final = "Object"
_MARKER: Final = {"@odata.type": "#microsoft.graph.security.dynamicColumnValue"}


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of body. ``columns`` are the service's names and types; ``shuffled``: in no order.

    ``odd``: a few cells are of those that a column can't hold, or that come in another form.
    """

    name: str
    rows: int
    columns: Mapping[str, str]
    values: Callable[[random.Random, int], Mapping[str, Texts]]
    dialect: Dialect = "plain"
    shuffled: bool = False
    odd: bool = False

    def scaled(self, scale: float) -> "Shape":
        """The same with more or fewer rows."""
        return replace(self, rows=max(1, round(self.rows * scale)))

    def texts(self) -> Mapping[str, Texts]:
        """Each column's values as JSON; ``None`` is null."""
        chance = random.Random(_SEED)  # noqa: S311 - events that can be repeated, not secrets
        values = self.values(chance, self.rows)
        if self.odd:
            values = with_oddities(values)
        if not self.shuffled:
            return values
        order = chance.sample(range(self.rows), self.rows)
        return {name: [texts[row] for row in order] for name, texts in values.items()}


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        shape.name: shape
        for shape in (
            # 122 MB: nearly what one answer may have.
            Shape("wide", 47_000, PROCESS_EVENTS, process_events),
            # A third of it shows as much.
            Shape("wide_unsorted", 16_000, PROCESS_EVENTS, process_events, shuffled=True),
            Shape("wide_odd", 16_000, PROCESS_EVENTS, process_events, odd=True),
            Shape("narrow", 100_000, NETWORK_EVENTS, network_events),
            Shape("dynamic", 40_000, CLOUD_APP_EVENTS, cloud_app_events),
            Shape(
                "graph",
                42_000,
                {**PROCESS_EVENTS, "AdditionalFields": _DYNAMIC},
                process_events_with_dynamic,
                dialect="odata",
            ),
        )
    }
)


def body_of(shape: Shape) -> bytes:
    """The whole body."""
    head, tail = _around(shape)
    columns = [_members(name, kind, shape) for name, kind in shape.columns.items()]
    values = shape.texts()
    members = [write(values[name]) for write, name in zip(columns, shape.columns, strict=True)]
    rows = ",".join(f"{{{','.join(row)}}}" for row in zip(*members, strict=True))
    return f"{head}{rows}{tail}".encode()


def ndjson_of(shape: Shape) -> bytes:
    """The rows alone, one a line, without any noise, and each dynamic as its text: the floor."""
    values = shape.texts()
    members = [
        [f"{json.dumps(name)}:{_as_line(kind, text)}" for text in values[name]]
        for name, kind in shape.columns.items()
    ]
    return "".join(f"{{{','.join(row)}}}\n" for row in zip(*members, strict=True)).encode()


def _as_line(kind: str, text: str | None) -> str:
    if text is None:
        return "null"
    return json.dumps(text, ensure_ascii=False) if kind == _DYNAMIC else text


def _around(shape: Shape) -> tuple[str, str]:
    """What stands before and after the rows."""
    if shape.dialect == "odata":
        schema = [{"name": name, "type": kind} for name, kind in shape.columns.items()]
        return f'{{"@odata.context":"{_CONTEXT}","schema":{_compact(schema)},"results":[', "]}"
    schema = [{"Name": name, "Type": kind} for name, kind in shape.columns.items()]
    statistics = {
        "ExecutionTime": 4.7031245,
        "resource_usage": {"cache": {}, "cpu": {"total cpu": "00:00:09.1406250"}, "memory": {}},
        "dataset_statistics": [{"table_row_count": shape.rows, "table_size": shape.rows * 1_100}],
    }
    return f'{{"Stats":{_compact(statistics)},"Schema":{_compact(schema)},"Results":[', "]}"


def _members(name: str, kind: str, shape: Shape) -> Callable[[Texts], Sequence[str]]:
    """How a column's values are written, each with its key."""
    key = f"{json.dumps(name)}:"
    if shape.dialect == "plain":
        return lambda texts: [f"{key}{text or 'null'}" for text in texts]
    if kind in _SIDECARS:
        key = f'{json.dumps(f"{name}@odata.type")}:"{_SIDECARS[kind]}",{key}'
    if kind == _DYNAMIC:
        return lambda texts: [f"{key}{_marked(text)}" for text in texts]
    return lambda texts: [f"{key}{text or '{}'}" for text in texts]


def _marked(text: str | None) -> str:
    """A dynamic value as Graph writes it, with a marker in each object that isn't empty."""
    if text is None:
        return "{}"
    return _compact(json.loads(text, object_hook=lambda found: found and {**_MARKER, **found}))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("name", type=click.Choice([*SHAPES]))
@click.option("--scale", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True))
def main(*, folder: Path, name: str, scale: float) -> None:
    """Write a shape's body and its lines into a folder."""
    shape = SHAPES[name].scaled(scale)
    (folder / f"{name}.json").write_bytes(body_of(shape))
    (folder / f"{name}.ndjson").write_bytes(ndjson_of(shape))


if __name__ == "__main__":
    main()
