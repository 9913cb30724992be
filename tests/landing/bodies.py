"""Bodies of answers, for Hypothesis: every type and oddity of the service's contract."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.landing.reference import Num

WIRE_TYPES = (
    "DateTime",
    "String",
    "SByte",
    "Boolean",
    "Int32",
    "Int64",
    "Double",
    "SqlDecimal",
    "Guid",
    "TimeSpan",
    "Object",
    "Int16",
)


def written(value: Any, text: Callable[[str], str] = json.dumps) -> str:
    """JSON with numbers as they are written."""
    match value:
        case Num(number):
            return number
        case str():
            return text(value)
        case dict():
            members = (f"{text(key)}: {written(each, text)}" for key, each in value.items())
            return "{" + ", ".join(members) + "}"
        case list():
            return "[" + ", ".join(written(each, text) for each in value) + "]"
    return json.dumps(value)


# Real keys and values hold these, and among all characters they would hardly ever come up.
_AWKWARD = st.sampled_from(["\ud800", "\udbff", "\udc00", "\udfff", "\0", '"', "\\", "\n", "é"])
texts = st.text(_AWKWARD | st.characters(exclude_categories=()), max_size=6)
names = st.one_of(
    st.sampled_from(
        ["Timestamp", "LogonId", "LogonID", "a@b", "_kept_aside", "date", "Tenant", "ß", "SS", "x"]
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=4),
)
MARKER = ("@odata.type", "#microsoft.graph.security.dynamicColumnValue")

integers = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), -(2**63) - 1]),
    st.just(639199803770463703),
).map(lambda number: Num(str(number)))
numbers = st.one_of(
    integers,
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: Num(repr(number))),
    st.decimals(-(10**22), 10**22, places=17).map(lambda number: Num(f"{number:f}")),
    st.sampled_from(
        ["-0", "-0.0", "1.50", "1E5", "1e-7", "1e400", "-1E+400", "1e-400", "0.1", "9" * 40]
    ).map(Num),
)
as_text = numbers.map(lambda number: number.text)

_FRACTIONS = st.one_of(
    st.just(""), st.integers(0, 10**7 - 1).map(lambda f: f".{f:07d}".rstrip("0").rstrip("."))
)
times = st.one_of(
    st.builds(
        lambda moment, fraction: f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + fraction + "Z",
        st.integers(-11_676_096_000, 13_569_465_600).map(
            lambda seconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        ),
        _FRACTIONS,
    ),
    st.sampled_from(
        [
            "0001-01-01T00:00:00Z",
            "1601-01-01T00:00:00Z",
            "9999-12-31T23:59:59.9999999Z",
            "1969-12-31T23:59:59.9999999Z",
            "2026-11-20T06:38:48Z",
            "2026-11-20T06:38:48.1187436+00:00",
            "1677-09-21T00:12:43.145224192Z",
            "1677-09-21T00:12:43.145224193Z",
            "1677-09-21T00:12:43.145224194Z",
            "2262-04-11T23:47:16.854775806Z",
            "2262-04-11T23:47:16.854775807Z",
            "2262-04-11T23:47:16.854775808Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-11-20T06:38:48",
            "2026-11-20T06:38:48+01:00",
            "2026-11-20T06:38:48.Z",
            "2026-11-20T06:38:48.12345678Z",
            "2026-11-20T06:38:48.1234567891Z",
            "2026-11-20T06:38:48Z\n",
            "٢٠٢٦-11-20T06:38:48Z",
            "",
        ]
    ),
)

_SIGNS = st.sampled_from(["", "-"])
_UNITS = st.integers(0, 59)


def _iso(sign: str, days: int | None, parts: tuple[int | None, ...], fraction: str) -> str:
    hours, minutes, seconds = parts
    time = "".join(
        f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M")) if amount is not None
    )
    time += f"{seconds}{fraction}S" if seconds is not None else ""
    return f"{sign}P{'' if days is None else f'{days}D'}{f'T{time}' if time else ''}"


timespans = st.one_of(
    st.builds(
        _iso,
        _SIGNS,
        st.none() | st.integers(0, 10_675_199),
        st.tuples(*(st.none() | _UNITS for _ in range(3))),
        _FRACTIONS,
    ),
    st.builds(
        lambda sign, days, h, m, s, fraction: f"{sign}{days}{h:02d}:{m:02d}:{s:02d}{fraction}",
        _SIGNS,
        st.just("") | st.integers(0, 10_675_199).map(lambda days: f"{days}."),
        st.integers(0, 23),
        _UNITS,
        _UNITS,
        _FRACTIONS,
    ),
    st.sampled_from(["P1DT", "PT", "P", "1:2:3", "", "P1Y", "PT0.12345678S", "-PT0.0000001S"]),
)

leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
_KEYS = st.one_of(
    texts, st.sampled_from(["@odata.type", "mail@home", "n@odata.type", "rawData", "a"])
)
_MARKS = st.sampled_from([MARKER[1], "#SByte", "#Collection(String)", "#custom", "microsoft"])
json_values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_KEYS, inner | _MARKS, max_size=3),
        # How graph writes an array of objects.
        st.lists(
            st.dictionaries(_KEYS, leaves | _MARKS, max_size=2).map(written),
            max_size=3,
        ),
        inner.map(lambda value: {MARKER[0]: MARKER[1], "rawData": value}),
    ),
    max_leaves=8,
)

_OF_TYPE = {
    "DateTime": times,
    "String": texts,
    "SByte": st.sampled_from([Num("0"), Num("1"), True, False, "true", "0", Num("2"), "yes"]),
    "Boolean": st.booleans(),
    "Int32": integers | as_text,
    "Int64": integers | as_text,
    "Double": numbers | as_text | st.sampled_from(["NaN", "Infinity", "-Infinity", "nan", "1_0"]),
    "SqlDecimal": numbers | as_text,
    "Guid": st.uuids().map(str),
    "TimeSpan": timespans,
    "Object": json_values,
    "Int16": leaves,
}
# Digits that Python reads and the service does not write.
_FOREIGN = st.sampled_from(["٣", "1 ", " 1", "+1", "1_000", "0x1", "1.", ".5", "١٢:٣٤:٥٦"])


def values_of(wire_type: str) -> st.SearchStrategy[Any]:
    """Values of a column: mostly of its type, sometimes null, sometimes of any other kind."""
    usual = _OF_TYPE[wire_type]
    return st.one_of(usual, usual, usual, st.none(), st.just({}), json_values, _FOREIGN)


def _raw_where_possible(text: str) -> str:
    raw = json.dumps(text, ensure_ascii=False)
    try:
        raw.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return raw


@st.composite
def bodies(draw: st.DrawFn, dialect: str, wire_types: tuple[str, ...] = WIRE_TYPES) -> bytes:
    """A whole, well-formed body with any of the oddities that the contract names."""
    columns = draw(
        st.dictionaries(names, st.sampled_from(wire_types), min_size=1, max_size=5), label="columns"
    )
    rows = [_row(draw, columns, dialect) for _ in range(draw(st.integers(0, 4)))]
    upper = draw(st.booleans())
    schema = [
        {"Name": name, "Type": kind} if upper else {"name": name, "type": kind}
        for name, kind in columns.items()
    ]
    envelope = [
        ("Schema" if upper else "schema", schema),
        ("Results" if upper else "results", rows),
        ("Stats", {"ExecutionTime": Num("0.25")}),
        ("@odata.context", "https://graph.microsoft.com/"),
    ]
    text = draw(st.sampled_from([json.dumps, _raw_where_possible]))
    return written(dict(draw(st.permutations(envelope))), text).encode()


def _row(draw: st.DrawFn, columns: dict[str, str], dialect: str) -> dict[str, Any]:
    row = {name: draw(values_of(kind)) for name, kind in columns.items()}
    for missing in draw(st.sets(st.sampled_from(sorted(columns)), max_size=1)):
        del row[missing]
    if draw(st.booleans()):
        row |= draw(st.dictionaries(texts, json_values, max_size=1))
    if draw(st.booleans()):
        row[f"{draw(st.sampled_from(sorted(columns)))}@odata.type"] = "#SByte"
    if draw(st.booleans()):
        row["@odata.id"] = "1"
    return dict(draw(st.permutations(list(row.items()))))
