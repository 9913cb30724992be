"""Blocks of rows the fast way: read right, or not at all."""

import json
from typing import Any

import pyarrow as pa
import pytest

from pipelines.landing import KEPT_ASIDE
from pipelines.landing.blocks import Reader
from pipelines.landing.raw import Unusual
from pipelines.landing.splitting import Block

COLUMNS = {
    "T": "DateTime",
    "Name": "String",
    "Id": "Guid",
    "Span": "TimeSpan",
    "On": "SByte",
    "Off": "Boolean",
    "Small": "Int32",
    "Large": "Int64",
    "Real": "Double",
    "Exact": "SqlDecimal",
    "Bag": "Object",
}
USUAL = (
    '{"T":"2026-11-20T06:38:48.1187436Z","Name":"é \\"x\\"","Id":"0","Span":"PT1S","On":1,'
    '"Off":true,"Small":-5,"Large":639199803770463703,"Real":1.5,"Exact":"1.50",'
    '"Bag":{"b":1.50,"a":[{"T":1}]}}'
)


def read(*rows: str, dialect: Any = "plain", fitted: bool = False) -> pa.Table:
    reader = Reader.usual(COLUMNS, dialect)
    if fitted:
        reader = reader.fitting([json.loads(row) for row in rows])
    return reader.read(Block.of(",".join(rows).encode("utf-8", "surrogateescape"))).table


def with_value(column: str, value: str) -> str:
    """The usual row, with this JSON text for a column's value."""
    row = json.loads(USUAL)
    row[column] = "@"
    return json.dumps(row, separators=(",", ":")).replace('"@"', value, 1)


@pytest.mark.parametrize("dialect", ["plain", "odata"])
def test_rows_of_the_usual_form_take_the_fast_way(dialect: Any) -> None:
    """All types, text of any script and dynamic values among them."""
    table = read(USUAL, USUAL, dialect=dialect)
    assert table.num_rows == 2
    assert table.column("Large").to_pylist() == [639199803770463703] * 2
    assert table.column("Bag").to_pylist() == ['{"a":[{"T":1}],"b":1.50}'] * 2
    assert table.column("Off").to_pylist() == [True, True]
    assert table.column("T").cast(pa.int64())[0].as_py() == 1_795_156_728_118_743_600
    assert table.column(KEPT_ASIDE).null_count == 2


@pytest.mark.parametrize("column", COLUMNS)
def test_a_key_may_be_missing_or_null(column: str) -> None:
    """Both are null, and graph's empty object is too."""
    lacking = {key: value for key, value in json.loads(USUAL).items() if key != column}
    for row in (json.dumps(lacking, separators=(",", ":")), with_value(column, "null")):
        assert read(row).column(column).null_count == 1
    empty = read(with_value(column, "{}"), with_value("Name", '":{},"'), dialect="odata")
    assert empty.column(column).null_count == 1


def in_order(*keys: str) -> str:
    """The usual row with its keys in another order."""
    row = json.loads(USUAL)
    first = {key: row[key] for key in ("T", *keys)}
    return json.dumps(first | row, separators=(",", ":"))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_dynamic_values_stand_anywhere_but_in_one_order(separators: tuple[str, str]) -> None:
    """Not in the schema's. Where rows differ, the exact way reads them: what is taken out is
    looked for in the text."""
    both = [
        json.dumps(json.loads(in_order(*keys)), separators=separators)
        for keys in (("Bag", "Exact"), ("Exact", "Bag"))
    ]
    for row in both:
        table = read(row, row)
        assert table.column("Bag").to_pylist() == ['{"a":[{"T":1}],"b":1.5}'] * 2
        assert table.column("Name").to_pylist() == ['é "x"'] * 2
    for mixed in (both, both[::-1]):
        with pytest.raises(Unusual):
            read(*mixed)


@pytest.mark.parametrize("text", ["Bag", "x" * 100_000])
def test_the_order_is_that_of_the_first_rows_keys(text: str) -> None:
    """However long the row is; a text that is a column's name says nothing of it."""
    row = with_value("Name", json.dumps(text))
    assert read(row, row).column("Bag").to_pylist() == ['{"a":[{"T":1}],"b":1.5}'] * 2


def test_a_dynamic_value_may_hold_the_keys_of_its_row() -> None:
    """And of the other columns that are taken out, with the same values."""
    bag = '{"Exact":"1.50","Bag":{"Bag":1}}'
    rows = [
        with_value("Bag", bag),
        with_value("Bag", json.dumps('"Bag":1')),
        with_value("Bag", bag),
    ]
    bags = read(*rows).column("Bag").to_pylist()
    assert bags[0] == bags[2] == '{"Bag":{"Bag":1},"Exact":"1.50"}'
    for row in ('"Bag":1,', '"Exact":1,'):
        with pytest.raises(Unusual):
            read(USUAL, USUAL.replace('"T"', f'{row}"T"', 1))


def test_graph_s_null_within_a_text_is_text() -> None:
    """It looks the same byte for byte; only a key stands before a null."""
    texts = ['"\\":{},\\""', '":{}"', '"a\\":{}"', '", \\"b\\":{}"']
    rows = [with_value("Name", text) for text in texts]
    names = read(*rows, with_value("Small", "{}"), dialect="odata").column("Name").to_pylist()
    assert names[:4] == [json.loads(text) for text in texts]


def test_sidecars_are_no_columns() -> None:
    """Graph has them for some columns, and elsewhere a key of that name is unknown."""
    row = '{"On@odata.type":"#SByte",' + USUAL[1:]
    assert read(row, dialect="odata").num_columns == len(COLUMNS) + 1
    with pytest.raises(Unusual):
        read(row)


def test_times_beyond_64_bits_are_kept_aside() -> None:
    """They are common enough not to send their block the slow way."""
    table = read(USUAL, with_value("T", '"0001-01-01T00:00:00Z"'))
    assert table.column("T").null_count == 1
    assert table.column(KEPT_ASIDE).to_pylist() == [None, '{"T":"0001-01-01T00:00:00Z"}']


def test_kinds_of_values_that_all_rows_share_are_followed() -> None:
    """OData writes long numbers as text, and a truth may be a number or a word."""
    row = with_value("Large", '"639199803770463703"')
    for column, value in (("On", "true"), ("Off", "0")):
        row = row.replace(
            f'"{column}":{json.dumps(json.loads(USUAL)[column])}', f'"{column}":{value}'
        )
    with pytest.raises(Unusual):
        read(row)
    table = read(row, row, fitted=True)
    assert table.column("Large").to_pylist() == [639199803770463703] * 2
    assert table.column("On").to_pylist() == [True, True]
    assert table.column("Off").to_pylist() == [False, False]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Small", "5.5"),
        ("Small", "1e3"),
        ("Small", "2147483648"),
        ("Small", '"5"'),
        ("Large", "9223372036854775808"),
        ("Real", "NaN"),
        ("Real", "-Infinity"),
        ("Real", "1e400"),
        ("Real", "179769313486231580793e289"),
        ("Real", '"NaN"'),
        ("On", "2"),
        ("On", "true"),
        ("Off", "1"),
        ("Name", "1"),
        ("Name", '"\\ud800"'),
        ("Name", '"\udcff"'),
        ("Name", '"\x01"'),
        ("Name", '"\\x"'),
        ("Name", '"a","Name":"b"'),
        ("Name", '"a","Other":1'),
        ("Name", '"a" "Id":"b"'),
        ("Name", '"a",'),
        ("Name", "[" * 100_000),
        ("Bag", "[" * 100_000),
        ("Bag", "NaN"),
        ("Bag", '"\\ud800"'),
        ("Bag", '{"a":1}{"b":2}'),
        ("Exact", "01"),
    ],
)
def test_what_is_not_plainly_right_is_left_to_the_exact_way(column: str, value: str) -> None:
    """Whether it is an odd value or no JSON at all is not for this reader to say."""
    with pytest.raises(Unusual):
        read(USUAL, with_value(column, value))


@pytest.mark.parametrize(
    "block",
    [
        USUAL + USUAL,
        f"{USUAL} {USUAL}",
        f"{USUAL}null,{USUAL}",
        f"{USUAL}null",
        f"{USUAL},null",
        f"{USUAL},1",
        f"{USUAL},[{USUAL}]",
        f"{USUAL}]",
        f"{USUAL}}}",
        f"{USUAL},",
        f'{USUAL}],"rows":[{USUAL}',
        f'{USUAL}]}}{{"rows":[{USUAL}',
        f"{USUAL}]}}null",
        USUAL[:-1],
        USUAL[: len(USUAL) // 2],
    ],
)
def test_a_block_is_rows_with_commas_between_them(block: str) -> None:
    """pyarrow's parser would take some of these."""
    with pytest.raises(Unusual):
        read(block)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_names_that_can_t_be_looked_for_take_the_exact_way(name: str) -> None:
    """Such names are nobody's."""
    with pytest.raises(Unusual):
        Reader.usual({name: "Object"}, "plain")


def test_a_first_row_with_a_key_twice_is_for_the_exact_way() -> None:
    """Its keys are in no order."""
    with pytest.raises(Unusual):
        read(USUAL.replace('"On":1', '"On":1,"On":[1]'), USUAL)
