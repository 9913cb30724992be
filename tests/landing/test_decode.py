"""From the bytes of an answer to a table: every cell right, or kept aside, or the whole refused."""

import json
import traceback
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import MalformedResponse
from pipelines.landing import KEPT_ASIDE, Answer, decode
from tests.landing.bodies import WIRE_TYPES, bodies
from tests.landing.judging import columns_of
from tests.landing.reference import cells
from tests.landing.seeds import RECORDED


def answer_of(column: str, values: list[Any], wire_type: str, **more: Any) -> Answer:
    """The decoded answer of one plain column."""
    rows = [{column: value} for value in values]
    body = {"Schema": [{"Name": column, "Type": wire_type}], "Results": rows, **more}
    return decode(json.dumps(body).encode(), "plain")


@pytest.mark.parametrize("dialect", ["plain", "odata"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_every_cell_is_what_the_slow_decoder_says(data: st.DataObject, dialect: Any) -> None:
    """Any body of the contract: each cell exact, or null and verbatim in the last column."""
    body = data.draw(bodies(dialect))
    answer = decode(body, dialect)
    expected = cells(body, dialect)
    assert columns_of(answer.table) == expected
    assert answer.kept_aside == sum(
        len(json.loads(text)) for text in expected[KEPT_ASIDE] if text is not None
    )


@pytest.mark.parametrize("wire_type", WIRE_TYPES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_type_is_decoded_exactly(data: st.DataObject, wire_type: str) -> None:
    """One type at a time, so that each meets all of its edges."""
    body = data.draw(bodies("odata", (wire_type,)))
    assert columns_of(decode(body, "odata").table) == cells(body, "odata")


GRAPH = b"""{
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#huntingQueryResults",
  "results": [
    {"Timestamp": "2026-11-20T06:38:35.7664356Z", "IsOn@odata.type": "#SByte", "IsOn": 1,
     "ReportId": 639199803770463703, "Ended": {}, "Empty": "",
     "Permissions@odata.type": "#Collection(String)",
     "Permissions": ["{\\"name\\":\\"Mail.Read\\"}", "{\\"n\\":1.50}"],
     "Bag": {"@odata.type": "#microsoft.graph.security.dynamicColumnValue",
             "raw": {"@odata.type": "#microsoft.graph.security.dynamicColumnValue",
                     "mail@home": "x", "on": true}},
     "Span": "-P1DT2H3M4.1234567S"},
    {"Timestamp": {}, "IsOn": {}, "ReportId": {}, "Ended": "0001-01-01T00:00:00Z", "Empty": {},
     "Permissions": [], "Bag": {}, "Span": {}}
  ],
  "schema": [
    {"name": "Timestamp", "type": "DateTime"}, {"name": "IsOn", "type": "SByte"},
    {"name": "ReportId", "type": "Int64"}, {"name": "Ended", "type": "DateTime"},
    {"name": "Empty", "type": "String"}, {"name": "Permissions", "type": "Object"},
    {"name": "Bag", "type": "Object"}, {"name": "Span", "type": "TimeSpan"}
  ]
}"""


def test_what_graph_adds_does_not_land() -> None:
    """Sidecars and markers go, ``{}`` is null, texts of objects are objects, ``[]`` stays."""
    answer = decode(GRAPH, "odata")
    assert columns_of(answer.table) == {
        "column Timestamp": [1795156715766435600, None],
        "column IsOn": [True, None],
        "column ReportId": [639199803770463703, None],
        "column Ended": [None, None],
        "column Empty": ["", None],
        "column Permissions": ['[{"name":"Mail.Read"},{"n":1.50}]', "[]"],
        "column Bag": ['{"raw":{"mail@home":"x","on":true}}', None],
        "column Span": [-93784123456700, None],
        KEPT_ASIDE: [None, '{"Ended":"0001-01-01T00:00:00Z"}'],
    }
    assert answer.kept_aside == 1
    assert answer.execution_seconds is None


def test_only_annotations_go() -> None:
    """Of a row, of its columns, and the markers within a dynamic: no key of the tenant's own."""
    bag = {"n@odata.type": "#Int64", "n": 1, "m@odata.type": "mine", "@odata.type": "#Other"}
    row = {"@odata.id": "x", "o@odata.type": "#Object", "o": bag, "p@odata.type": "#Object"}
    body = {"schema": [{"name": "o", "type": "Object"}], "results": [row]}
    table = decode(json.dumps(body).encode(), "odata").table
    assert table["o"].to_pylist() == ['{"@odata.type":"#Other","m@odata.type":"mine","n":1}']
    assert table[KEPT_ASIDE].to_pylist() == ['{"p@odata.type":"#Object"}']


@pytest.mark.parametrize("block_bytes", [1, 1_000_000])
@pytest.mark.parametrize(
    ("key", "value", "is_noise"),
    [
        ("a@odata.type", "#Int64", True),
        ("a@odata.type", None, True),
        ("a@odata.type", {}, True),
        ("@odata.id", "1", True),
        ("a@odata.type", "mine", False),
        ("a@odata.type", {"mine": 1}, False),
        ("@odata.id", {"mine": 1}, False),
        ("@odata.id", 1.5, False),
        ("b@odata.type", "#Int64", False),
    ],
)
def test_an_annotation_is_one_by_its_value_too(
    key: str, value: Any, block_bytes: int, *, is_noise: bool
) -> None:
    """What could be somebody's data is kept aside, and only graph annotates."""
    rows = [{"a": 1}, {key: value, "a": 2}, {"a": 3}]
    body = json.dumps({"schema": [{"name": "a", "type": "Int64"}], "results": rows}).encode()
    kept = decode(body, "odata", block_bytes=block_bytes).table.column(KEPT_ASIDE).to_pylist()
    assert kept[::2] == [None, None]
    assert kept[1] == (None if is_noise else json.dumps({key: value}, separators=(",", ":")))
    assert decode(body, "plain", block_bytes=block_bytes).kept_aside == 1


def test_each_type_has_its_own_column_type() -> None:
    """The schema decides the type of a column; what an unknown type holds is text."""
    schema = [{"Name": kind, "Type": kind} for kind in WIRE_TYPES]
    table = decode(json.dumps({"Schema": schema, "Results": []}).encode(), "plain").table
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "DateTime": pa.timestamp("ns", "UTC"),
        "String": pa.string(),
        "SByte": pa.bool_(),
        "Boolean": pa.bool_(),
        "Int32": pa.int32(),
        "Int64": pa.int64(),
        "Double": pa.float64(),
        "SqlDecimal": pa.decimal128(38, 17),
        "Guid": pa.string(),
        "TimeSpan": pa.duration("ns"),
        "Object": pa.string(),
        "Int16": pa.string(),
        KEPT_ASIDE: pa.string(),
    }


@pytest.mark.parametrize(
    ("wire_type", "value", "cell"),
    [
        ("SqlDecimal", "123456789012345678901.12345678901234567", True),
        ("SqlDecimal", "1234567890123456789012", False),
        ("SqlDecimal", "1e-18", False),
        ("SqlDecimal", "1" * 60, False),
        ("SqlDecimal", "1e99999999999999999999", False),
        ("SqlDecimal", "0e-100", True),
        ("TimeSpan", f"P{'9' * 5000}D", False),
        ("TimeSpan", "P1DT", False),
        ("TimeSpan", "PT", False),
        ("TimeSpan", "P", False),
        ("Int64", "9" * 5000, False),
        ("Double", "9" * 5000, False),
        ("DateTime", 5, False),
        # The ends of 64 bits: "not a time" to pandas, -infinity and infinity to DuckDB.
        ("DateTime", "1677-09-21T00:12:43.145224192Z", False),
        ("DateTime", "1677-09-21T00:12:43.145224193Z", False),
        ("DateTime", "2262-04-11T23:47:16.854775807Z", False),
        ("TimeSpan", "-PT9223372036.8547759S", False),
        ("Guid", ["x"], False),
        ("String", {"x": 1}, False),
        # To Python true is a 1.
        ("String", True, False),
        ("Guid", True, False),
        ("Int32", True, False),
        ("Int64", True, False),
        ("Double", True, False),
        ("SqlDecimal", True, False),
        ("String", "\ud800", False),
    ],
)
def test_a_value_fits_its_type_or_is_kept_aside(wire_type: str, value: Any, *, cell: bool) -> None:
    """However long, large or out of place it is: null in the column, and verbatim beside it."""
    answer = answer_of("c", [value], wire_type)
    (landed,), (aside,) = answer.table["c"].to_pylist(), answer.table[KEPT_ASIDE].to_pylist()
    assert (landed is not None, aside is None) == (cell, cell)
    if cell:
        assert landed == Decimal(value)
    else:
        assert json.loads(aside) == {"c": value}
    assert answer.kept_aside == (0 if cell else 1)


def test_a_lone_surrogate_stays_the_escape_that_it_was() -> None:
    """UTF-8 can't hold it; whatever stands around it is as it came."""
    answer = answer_of("o", [{"\ud83dé": "\udc00"}, "\ud83d\ude00"], "Object")
    assert answer.table["o"].to_pylist() == ['{"\\ud83dé":"\\udc00"}', '"😀"']
    assert answer_of("s", ["\udfff"], "String").table[KEPT_ASIDE].to_pylist() == ['{"s":"\\udfff"}']


def test_an_integer_of_any_length_is_kept_digit_for_digit() -> None:
    """No number goes through a float, nor is one cut, wherever it ends up."""
    digits = "1" + "0" * 5000 + "7"
    body = f'{{"Schema":[{{"Name":"o","Type":"Object"}}],"Results":[{{"o":{{"n":{digits}}}}}]}}'
    assert decode(body.encode(), "plain").table["o"].to_pylist() == [f'{{"n":{digits}}}']


def test_a_dynamic_that_is_text_stays_json_text() -> None:
    """A dynamic text and a dynamic object must not look the same."""
    answer = answer_of("o", ["x", '{"a":1}', {"a": 1}, None, {}, [], ""], "Object")
    assert answer.table["o"].to_pylist() == [
        '"x"',
        r'"{\"a\":1}"',
        '{"a":1}',
        None,
        "{}",
        "[]",
        '""',
    ]


def test_a_key_that_stands_twice_in_a_dynamic_is_kept_twice() -> None:
    """What a dynamic says is the tenant's; graph's markers go from it all the same."""
    body = (
        b'{"schema":[{"name":"o","type":"Object"}],"results":['
        b'{"o":{"b":1,"a":2,"b":3,"@odata.type":"#microsoft.graph.security.dynamicColumnValue"}}]}'
    )
    assert decode(body, "odata").table["o"].to_pylist() == ['{"a":2,"b":1,"b":3}']


def test_a_key_that_the_schema_does_not_list_is_kept_aside() -> None:
    """Nothing is lost in silence, and a key that a row lacks is null."""
    body = b'{"Schema":[{"Name":"a","Type":"Int32"}],"Results":[{"b":[1.50]},{"a":1}]}'
    table = decode(body, "plain").table
    assert table["a"].to_pylist() == [None, 1]
    assert table[KEPT_ASIDE].to_pylist() == ['{"b":[1.50]}', None]


@pytest.mark.parametrize(
    ("stats", "seconds"),
    [
        ({"ExecutionTime": 0.0156652}, 0.0156652),
        ({"ExecutionTime": 2}, 2.0),
        ({}, None),
        ("text", None),
        ({"ExecutionTime": "x"}, None),
        ({"ExecutionTime": True}, None),
        ({"ExecutionTime": -1}, None),
        ({"ExecutionTime": -0.5}, None),
    ],
)
def test_the_service_says_how_long_it_ran(stats: Any, seconds: float | None) -> None:
    """Only a number of seconds counts; the quota is counted with it."""
    assert answer_of("a", [1], "Int32", Stats=stats).execution_seconds == seconds


def test_an_infinite_running_time_is_none() -> None:
    """A number too large for a double would block the quota for ever."""
    body = b'{"Stats":{"ExecutionTime":1e999},"Schema":[],"Results":[]}'
    assert decode(body, "plain").execution_seconds is None


@pytest.mark.parametrize(
    "body", [b'{"results":[]}', b'{"schema":[],"results":[]}', b'{"results":[],"schema":null}']
)
def test_an_empty_answer_may_lack_a_schema(body: bytes) -> None:
    """No rows, no columns: only the last column is there."""
    answer = decode(body, "odata")
    assert (answer.rows, answer.table.column_names) == (0, [KEPT_ASIDE])


SECRET = "S3CR3T-RECORD"
SCHEMA = '"Schema":[{"Name":"a","Type":"String"}]'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{}",
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}\udcff"}}]}}'.encode("utf-8", "surrogateescape"),
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}"}}'.encode(),
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}"}}]}} {SECRET}'.encode(),
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}",}}]}}'.encode(),
        f'{{{SCHEMA},"Results":[{{"a":NaN,"b":"{SECRET}"}}]}}'.encode(),
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}","a":"{SECRET}"}}]}}'.encode(),
        f'{{{SCHEMA},"Results":["{SECRET}"]}}'.encode(),
        f'{{{SCHEMA},"Results":{{"a":"{SECRET}"}}}}'.encode(),
        f'{{{SCHEMA},"a":"{SECRET}"}}'.encode(),
        f'{{"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":[],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":{{"a":1}},"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":[{{"Name":"a"}}],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":["a"],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":[{{"Name":"\\ud800","Type":"String"}}],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{"Schema":[{{"Name":"a","Type":"\\ud800"}}],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{{SCHEMA},{SCHEMA},"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{{SCHEMA},"schema":[],"Results":[{{"a":"{SECRET}"}}]}}'.encode(),
        f'{{{SCHEMA},"Results":[{{"a":"{SECRET}"}}],"results":[]}}'.encode(),
        b'{"Schema":[{"Name":"a","Type":"String"},{"Name":"a","Type":"Int32"}],"Results":[]}',
        f'{{{SCHEMA},"Results":[],"error":{{"code":"x","message":"{SECRET}"}}}}'.encode(),
        f'[{{"a":"{SECRET}"}}]'.encode(),
        f'"{SECRET}"'.encode(),
        b"[" * 100_000,
        b'{"Schema":[{"Name":"a","Type":"Object"}],"Results":[{"a":'
        + b"[" * 900
        + b"]" * 900
        + b"}]}",
    ],
)
def test_what_is_no_whole_answer_is_refused(body: bytes) -> None:
    """It is one error, whose text and causes hold nothing of a record."""
    with pytest.raises(MalformedResponse) as raised:
        decode(body, "plain")
    assert SECRET not in str(raised.value)
    assert SECRET not in "".join(traceback.format_exception_only(raised.value))
    cause = raised.value.__cause__
    assert cause is None or SECRET not in str(cause)


def test_nested_texts_too_deep_to_read_are_refused() -> None:
    """Graph's texts within arrays are read too, and no deeper than the rest."""
    text = '{"a":' * 100_000
    body = {"schema": [{"name": "o", "type": "Object"}], "results": [{"o": [text]}]}
    with pytest.raises(MalformedResponse):
        decode(json.dumps(body).encode(), "odata")


def test_the_repr_shows_no_record() -> None:
    """Answers end up in tracebacks, and tracebacks in logs."""
    assert SECRET not in repr(answer_of("a", [SECRET], "String"))


@pytest.mark.parametrize(
    ("name", "dialect", "rows"),
    [
        ("xdr_alertinfo_recorded", "plain", 42),
        ("xdr_documented_sample", "plain", None),
        ("mde_recorded", "plain", None),
        ("graph_alertinfo_recorded", "odata", None),
        ("graph_documented_sample", "odata", None),
        ("graph_documented_capitalised_keys", "odata", None),
        ("graph_quirks_synthetic", "odata", 3),
    ],
)
def test_recorded_answers_land(name: str, dialect: Any, rows: int | None) -> None:
    """What the service was seen to send lands as the slow decoder says, with nothing kept aside
    but sentinels.
    """
    path = RECORDED / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded responses are not here")
    body = path.read_bytes()
    answer = decode(body, dialect)
    assert columns_of(answer.table) == cells(body, dialect)
    assert answer.rows == (rows or answer.rows) > 0
    kept = [json.loads(text) for text in answer.table[KEPT_ASIDE].to_pylist() if text]
    assert kept == ([{"EndOfSupportDate": "0001-01-01T00:00:00Z"}] if "quirks" in name else [])


def test_a_time_is_exact_to_the_tick() -> None:
    """A datetime of Python would lose the last digit."""
    answer = answer_of("t", ["2026-11-20T06:38:35.7664356Z"], "DateTime")
    nanoseconds = answer.table["t"].cast(pa.int64()).to_pylist()[0]
    assert nanoseconds % 1_000_000_000 == 766_435_600
    assert datetime.fromtimestamp(nanoseconds // 10**9, UTC) == datetime(
        2026, 11, 20, 6, 38, 35, tzinfo=UTC
    )
