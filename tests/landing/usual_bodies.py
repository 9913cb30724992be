"""Bodies as the service mostly writes them: compact, each row's keys in one order; and with a snag.

What ``bodies`` makes is odd everywhere, which takes the exact way from the start. These take the
fast way, and fall off it here and there.
"""

import json
from typing import Any

from hypothesis import strategies as st

from tests.landing.bodies import values_of, written
from tests.landing.reference import Num

_TEXTS = st.sampled_from(["", "x", 'a "b"', "C:\\x\\y", "é😀", '},{"T":', '":{},"', "\x00", "null"])
_TIMES = st.sampled_from(
    ["2026-11-20T06:38:48Z", "2026-11-20T06:38:48.1187436Z", "0001-01-01T00:00:00Z", "1999-12-31"]
)
_DYNAMICS = st.one_of(
    st.sampled_from(
        [
            {"b": 1, "a": [Num("1.50"), {"T": {}, "c": None}]},
            [{"T": 1}, {"T": 2}],
            {"@odata.type": "#microsoft.graph.x", "b": True, "a": "x"},
            ['{"b":1,"a":2}'],
            [],
            "text",
            Num("12345678901234567890123"),
            Num("1E5"),
        ]
    ),
    _TEXTS,
)
_USUAL = {
    "DateTime": _TIMES,
    "String": _TEXTS,
    "Guid": st.uuids().map(str),
    "TimeSpan": st.sampled_from(["PT1.5S", "-1.02:03:04.1234567", "P"]),
    "SByte": st.sampled_from([Num("0"), Num("1")]),
    "Boolean": st.booleans(),
    "Int32": st.integers(-(2**31), 2**31 - 1).map(lambda number: Num(str(number))),
    "Int64": st.integers(-(2**63), 2**63 - 1).map(lambda number: Num(str(number))),
    "Double": st.floats(allow_nan=False, allow_infinity=False).map(lambda x: Num(repr(x))),
    "SqlDecimal": st.sampled_from([Num("1.5"), Num("-0"), "1e3", "+1.5", Num("1E-18")]),
    "Object": _DYNAMICS,
    "Int16": st.sampled_from([Num("5"), "5"]),
}
_NAMES = ("T", "Name", "a", "b b", "LogonId", "LogonID", "é", "x@odata.type")


def _compact(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{_text(k)}:{_compact(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_compact, value)) + "]"
        case str():
            return _text(value)
    return written(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=any(0xD800 <= ord(letter) <= 0xDFFF for letter in text))


@st.composite
def usual_bodies(draw: st.DrawFn, dialect: str) -> bytes:
    """A whole body of the usual form, perhaps with one odd cell."""
    kinds = draw(
        st.dictionaries(
            st.sampled_from(_NAMES), st.sampled_from(sorted(_USUAL)), min_size=1, max_size=5
        )
    )
    null = {} if dialect == "odata" else None
    as_text = {
        name for name, kind in kinds.items() if kind in ("Int32", "Int64") and draw(st.booleans())
    }
    swapped = draw(st.booleans())
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 8))):
        row: dict[str, Any] = {}
        for name, kind in kinds.items():
            value = draw(st.one_of(_USUAL[kind], _USUAL[kind], _USUAL[kind], st.just(null)))
            if name in as_text and isinstance(value, Num):
                value = value.text
            if swapped and kind in ("SByte", "Boolean") and value is not null:
                value = bool(value == Num("1")) if kind == "SByte" else Num("1")
            if dialect == "odata" and kind == "SByte" and f"{name}@odata.type" not in kinds:
                row[f"{name}@odata.type"] = "#SByte"
            row[name] = value
        rows.append(row)
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(kinds)))
        rows[draw(st.integers(0, len(rows) - 1))][name] = draw(values_of(kinds[name]))
    columns = [{"Name": name, "Type": kind} for name, kind in kinds.items()]
    members = [("Stats", {"ExecutionTime": Num("0.25")}), ("Schema", columns), ("Results", rows)]
    if draw(st.booleans()):
        members.reverse()
    return _compact(dict(members)).encode()
