"""Cutting an answer between rows: every byte stays, wherever the bytes were parted on the way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.landing.splitting import Splitter

SCHEMA = [{"Name": "T", "Type": "String"}, {"Name": "N", "Type": "Int64"}]
TEXTS = st.sampled_from(["", "x" * 30, '},{"T":', 'é "', "[]"])


def body_of(texts: list[str], indent: int | None = None) -> bytes:
    rows = [{"T": text, "N": number} for number, text in enumerate(texts)]
    separators = (",", ":") if indent is None else None
    whole = {"Schema": SCHEMA, "Results": rows, "Stats": {}}
    return json.dumps(whole, separators=separators, indent=indent).encode()


def chunks(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=30),
    block_bytes=st.integers(1, 400),
    chunk_bytes=st.integers(1, 400),
    indent=st.sampled_from([None, 1]),
)
def test_head_blocks_and_rest_are_the_answer(
    texts: list[str], block_bytes: int, chunk_bytes: int, indent: int | None
) -> None:
    """With the gap between each two, byte for byte; and each block is rows."""
    body = body_of(texts, indent)
    splitter = Splitter(block_bytes)
    blocks = [block.rows for each in chunks(body, chunk_bytes) for block in splitter.feed(each)]
    rest = splitter.rest()
    assert splitter.head is not None
    gap = splitter.separator.gap if splitter.separator else b""
    assert splitter.head + gap.join([*blocks, rest]) == body
    for block in blocks:
        assert json.loads(b"[" + block + b"]")


def test_blocks_are_no_larger_than_asked_for_where_rows_are_small() -> None:
    """What is in memory at a time follows from it."""
    splitter = Splitter(10_000)
    blocks = list(splitter.feed(body_of(["x" * 100] * 2_000)))
    assert len(blocks) > 20
    assert all(5_000 < len(block.rows) <= 10_000 for block in blocks)


@pytest.mark.parametrize(
    "head",
    [
        b'{"Stats":{"Results":[{"T":1}]},"Results":[',
        b'{"Stats":"\\"Results\\":[{","Results":[',
        b'{"a":[{"results":[{"x":1}]}], "RESULTS" : [ ',
    ],
)
def test_the_rows_are_those_of_the_outermost_object(head: bytes) -> None:
    """A list of that name may stand deeper, or within a text."""
    splitter = Splitter(100)
    list(splitter.feed(head + b'{"T":1},{"T":2}]}'))
    assert splitter.rest() == b'{"T":1},{"T":2}]}'
    assert splitter.head == head


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"Results":[]}', b'{"Results":[1]}', b"\xff"]
)
def test_what_has_no_rows_is_not_cut(body: bytes) -> None:
    """It is for the exact way, whole."""
    splitter = Splitter(1)
    assert not list(splitter.feed(body))
    assert splitter.rest() == body
    assert splitter.head is None
