"""An answer in blocks: the same cells wherever it is cut, and the fast way wherever it can be."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import MalformedResponse
from pipelines.landing import KEPT_ASIDE, Decoder, decode
from pipelines.landing.exact import to_rows
from tests.landing.judging import columns_of
from tests.landing.reference import cells
from tests.landing.usual_bodies import usual_bodies


@pytest.mark.parametrize("dialect", ["plain", "odata"])
@given(data=st.data(), block_bytes=st.sampled_from([1, 40, 150, 1_000, 1_000_000]))
@settings(max_examples=100, deadline=None)
def test_in_blocks_every_cell_is_the_same(
    data: st.DataObject, dialect: Any, block_bytes: int
) -> None:
    """However a body of the usual form is cut, and where it is not quite of that form."""
    body = data.draw(usual_bodies(dialect))
    answer = decode(body, dialect, block_bytes=block_bytes)
    assert columns_of(answer.table) == cells(body, dialect)


def large_body(rows: int, *, schema_first: bool = True, bag: str = "1", spoilt: str = "") -> bytes:
    """A body of many rows as the service writes it; ``spoilt`` stands before the middle one."""
    texts = [
        f'{{"T":"2026-11-20T06:38:{number % 60:02d}Z","N":{number},"Bag":{bag}}}'
        for number in range(rows)
    ]
    texts[rows // 2] = spoilt + texts[rows // 2]
    schema = '"Schema":[{"Name":"T","Type":"DateTime"},{"Name":"N","Type":"Int64"},'
    schema += '{"Name":"Bag","Type":"Object"}]'
    results = f'"Results":[{",".join(texts)}]'
    members = [schema, results] if schema_first else [results, schema]
    return f"{{{','.join(members)}}}".encode()


@pytest.mark.parametrize("schema_first", [True, False])
def test_an_answer_of_the_usual_form_never_takes_the_exact_way(
    monkeypatch: pytest.MonkeyPatch, *, schema_first: bool
) -> None:
    """It costs ten times the time, and its values are Python objects."""
    body = large_body(2_000, schema_first=schema_first)

    def refuse(*_: Any) -> None:
        pytest.fail("rows were read the exact way")

    monkeypatch.setattr("pipelines.landing.assembly.to_rows", refuse)
    # The function of that name hides its module.
    monkeypatch.setattr(import_module("pipelines.landing.decode"), "to_rows", refuse)
    answer = decode(body, "plain", block_bytes=10_000)
    assert answer.table.column("N").to_pylist() == list(range(2_000))
    assert answer.table.column("N").num_chunks > 5


@pytest.mark.parametrize("bag", ['[{"T":1},{"T":2}]', '{"a":[{"T":{}},{"T":"},{\\"T\\":"}]}'])
@pytest.mark.parametrize("schema_first", [True, False])
def test_a_cut_within_a_dynamic_value_is_no_harm(bag: str, *, schema_first: bool) -> None:
    """What stands between rows may stand within one too, wherever a block ends."""
    body = large_body(40, schema_first=schema_first, bag=bag)
    for block_bytes in range(1, 300, 7):
        table = decode(body, "plain", block_bytes=block_bytes).table
        assert table.column("N").to_pylist() == list(range(40))
        assert set(table.column("Bag").to_pylist()) == {bag}


def test_one_odd_row_sends_its_block_alone_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others stay fast."""
    read_exactly: list[int] = []

    def counted(rows: Any, *more: Any) -> Any:
        read_exactly.append(len(rows))
        return to_rows(rows, *more)

    monkeypatch.setattr("pipelines.landing.assembly.to_rows", counted)
    body = large_body(2_000, spoilt='{"N":5.5},')
    table = decode(body, "plain", block_bytes=10_000).table
    assert table.num_rows == 2_001
    assert table.column(KEPT_ASIDE).drop_null().to_pylist() == ['{"N":5.5}']
    assert len(read_exactly) == 1
    assert read_exactly[0] < 500


@pytest.mark.parametrize("block_bytes", [1, 1_000, 1_000_000])
@pytest.mark.parametrize("schema_first", [True, False])
@pytest.mark.parametrize(
    "spoilt",
    ["null,", "1,", "{},{},,", "{}", "nul", '{"N":', "]", "}", '{"N":1,"N":2},', "[],", "\x00"],
)
def test_what_is_wrong_in_the_middle_is_found_in_any_block(
    spoilt: str, block_bytes: int, *, schema_first: bool
) -> None:
    """A block by itself must not make sense of what is none as a whole."""
    body = large_body(200, schema_first=schema_first, spoilt=spoilt)
    with pytest.raises(MalformedResponse):
        decode(body, "plain", block_bytes=block_bytes)


@given(data=st.data(), chunk_bytes=st.integers(1, 200), block_bytes=st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_it_does_not_matter_how_the_bytes_come_in(
    data: st.DataObject, chunk_bytes: int, block_bytes: int
) -> None:
    """A network parts them anywhere."""
    body = data.draw(usual_bodies("odata"))
    with Decoder("odata", block_bytes=block_bytes) as decoder:
        for start in range(0, len(body), chunk_bytes):
            decoder.feed(body[start : start + chunk_bytes])
        answer = decoder.finish()
    assert columns_of(answer.table) == cells(body, "odata")
