"""The fast way for rows: a block of text of the usual form, parsed by pyarrow.

What belongs here: proving that a block is what it seems, and reading it. What does not: cutting an
answer into blocks (``splitting``), or rows of any other form (``exact``).

pyarrow's parser takes a sequence of objects. It is given a single one, with the rows as a list in
it, so that it looks at the commas between them too. It refuses what is no JSON, keys that come
twice or aren't asked for, and values of another kind than asked for; but not everything: bytes that
are not UTF-8, ``null`` for a row, bare ``NaN`` and ``Infinity``, a second object after the first.
Those are looked for here. Whatever is not plainly right is ``Unusual``, and nothing is guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from pipelines.landing.dialects import Dialect, are_sidecars, sidecar
from pipelines.landing.exact import Row, Rows, aside_array
from pipelines.landing.raw import RawColumns, TakenOut, Unusual
from pipelines.landing.schema import arrow_schema, arrow_type
from pipelines.landing.splitting import Block
from pipelines.landing.values import Odd, one_text, texts_to_array

Kind = Literal["text", "number", "truth", "raw"]

_USUAL_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "DateTime": "text",
        "String": "text",
        "Guid": "text",
        "TimeSpan": "text",
        "SByte": "number",
        "Boolean": "truth",
        "Int32": "number",
        "Int64": "number",
        "Double": "number",
    }
)
# The kinds that a type's values may come in, all of a body alike.
_OTHER_KINDS: Final[Mapping[str, Mapping[type, Kind]]] = MappingProxyType(
    {
        "SByte": {int: "number", bool: "truth"},
        "Boolean": {int: "number", bool: "truth"},
        "Int32": {int: "number", str: "text"},
        "Int64": {int: "number", str: "text"},
    }
)
_NUMBERS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {"SByte": pa.int8(), "Boolean": pa.int8()}
)
# Before a quote that ends a key stands a letter or a digit; before one that begins a string stands
# none.
_ALPHANUMERIC: Final = np.zeros(256, np.bool_)
_ALPHANUMERIC[list(b"0123456789" + ascii_letters.encode())] = True


_ROWS: Final = "rows"
_BEFORE: Final = b'{"rows":['
_AFTER: Final = b"]}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads blocks of one answer. ``kinds`` are those of its columns' values.

    ``columns`` is by the service's names, to the service's types.
    """

    columns: Mapping[str, str]
    dialect: Dialect
    kinds: Mapping[str, Kind]
    _names: tuple[str, ...] = field(repr=False)
    _raw: RawColumns | None = field(repr=False)
    _asked: pa.Schema = field(repr=False)
    _schema: pa.Schema = field(repr=False)

    @classmethod
    def usual(cls, columns: Mapping[str, str], dialect: Dialect) -> "Reader":
        """For values of the usual kinds. Raises ``Unusual`` for names that take the exact way."""
        kinds = {name: _USUAL_KINDS.get(kind, "raw") for name, kind in columns.items()}
        return cls._of(columns, dialect, kinds)

    def fitting(self, rows: list[Row]) -> "Reader":
        """A reader for values of the kinds that some rows have."""
        kinds = dict(self.kinds)
        for name, wire_type in self.columns.items():
            others = _OTHER_KINDS.get(wire_type, {})
            seen = {others[type(row[name])] for row in rows if type(row.get(name)) in others}
            if len(seen) == 1:
                kinds[name] = seen.pop()
        if kinds == self.kinds:
            return self
        return self._of(self.columns, self.dialect, kinds)

    @classmethod
    def _of(
        cls, columns: Mapping[str, str], dialect: Dialect, kinds: Mapping[str, Kind]
    ) -> "Reader":
        raw = {name: columns[name] for name, kind in kinds.items() if kind == "raw"}
        asked = [(name, _asked_type(columns[name], kind)) for name, kind in kinds.items()]
        if dialect == "odata":
            known = columns.keys()
            asked += [
                (sidecar(name), pa.string()) for name in columns if sidecar(name) not in known
            ]
        return cls(
            columns=columns,
            dialect=dialect,
            kinds=kinds,
            _names=tuple(columns),
            _raw=RawColumns(raw, dialect) if raw else None,
            _asked=pa.schema([(_ROWS, pa.list_(pa.struct(asked)))]),
            _schema=arrow_schema(columns),
        )

    def read(self, block: Block) -> Rows:
        """The rows of a block. Raises ``Unusual`` where that takes the exact way."""
        # As one list of objects, which is JSON's own way to have commas between them.
        text: bytes | memoryview = block.between(_BEFORE, _AFTER)
        if not _is_utf8(text):
            raise Unusual
        taken = self._raw.take_out(bytes(text)) if self._raw else None
        parsed = self._parsed(taken.text if taken else text)
        if taken is not None and taken.rows != len(parsed):
            raise Unusual
        aside: dict[int, dict[str, Any]] = {}
        arrays: list[pa.Array] = []
        for number, name in enumerate(self._names):
            array, odd = self._landed(number, parsed, taken)
            arrays.append(array)
            for row, value in odd.items():
                aside.setdefault(row, {})[name] = value
        arrays.append(aside_array(aside, len(parsed)))
        return Rows(pa.table(arrays, schema=self._schema), sum(map(len, aside.values())))

    def _parsed(self, text: bytes | memoryview) -> pa.StructArray:
        if self.dialect == "odata":
            text = _with_nulls(text)
        try:
            table = pj.read_json(
                pa.py_buffer(text),
                read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
                parse_options=pj.ParseOptions(
                    explicit_schema=self._asked, unexpected_field_behavior="error"
                ),
            )
        except pa.ArrowInvalid as error:
            raise Unusual from error
        if table.num_rows != 1:
            raise Unusual
        objects = table.column(0).chunk(0).values
        sidecars = range(len(self.columns), objects.type.num_fields)
        if objects.null_count or not all(are_sidecars(objects.field(each)) for each in sidecars):
            raise Unusual
        return objects

    def _landed(
        self, number: int, parsed: pa.StructArray, taken: TakenOut | None
    ) -> tuple[pa.Array, Odd]:
        name = self._names[number]
        wire_type, kind = self.columns[name], self.kinds[name]
        if kind == "raw" and self._raw is not None and taken is not None:
            return self._raw.to_array(name, taken)
        array = parsed.field(number)
        if kind == "text":
            return texts_to_array(array, wire_type)
        return _PROOFS.get((wire_type, kind), _as_it_is)(array), {}


def _asked_type(wire_type: str, kind: Kind) -> pa.DataType:
    match kind:
        case "text":
            return pa.string()
        case "truth":
            return pa.bool_()
        case "number":
            return _NUMBERS.get(wire_type, arrow_type(wire_type))
        case "raw":
            # A stand-in.
            return pa.int8()


def _is_utf8(text: bytes | memoryview) -> bool:
    """By Arrow, which makes no text of it and lets other threads run."""
    try:
        one_text(pa.string(), text).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _with_nulls(text: bytes | memoryview) -> bytes:
    """The text with ``null`` where graph writes ``{}`` after a key.

    Found by bytes, which takes a tenth of a pattern's time.
    """
    data = np.frombuffer(text, np.uint8)
    braces = np.flatnonzero(data[:-1] == ord("{"))
    braces = braces[braces >= len('a":')]
    is_null = (
        (data[braces + 1] == ord("}"))
        & (data[braces - 1] == ord(":"))
        & (data[braces - 2] == ord('"'))
        & _ALPHANUMERIC[data[braces - 3]]
    )
    nulls = braces[is_null].tolist()
    starts = [0, *(place + len("{}") for place in nulls)]
    ends = [*nulls, len(text)]
    return b"null".join([text[start:end] for start, end in zip(starts, ends, strict=True)])


def _as_it_is(array: pa.Array) -> pa.Array:
    return array


def _finite(array: pa.Array) -> pa.Array:
    """The same, where no bare NaN was taken for a number, nor one beyond the range for infinity."""
    if not pc.all(pc.is_finite(array), min_count=0).as_py():
        raise Unusual
    return array


def _zero_or_one(array: pa.Array) -> pa.Array:
    ends = pc.min_max(array)
    if array.null_count < len(array) and not (
        ends["min"].as_py() >= 0 and ends["max"].as_py() <= 1
    ):
        raise Unusual
    return array.cast(pa.bool_())


_PROOFS: Final[Mapping[tuple[str, Kind], Callable[[pa.Array], pa.Array]]] = MappingProxyType(
    {
        ("Double", "number"): _finite,
        ("SByte", "number"): _zero_or_one,
        ("Boolean", "number"): _zero_or_one,
    }
)
