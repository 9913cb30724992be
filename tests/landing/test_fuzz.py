"""Mutated bodies: the right rows or a named error. The long run is a benchmark of its own."""

import json
from collections.abc import Callable

import pytest

from pipelines.errors import MalformedResponse
from pipelines.landing import Answer, decode
from pipelines.landing.dialects import Dialect
from tests.benchmarks.landing_fuzz import case_of, starts
from tests.landing.judging import Agreement, Disagreement, judged, smallest
from tests.landing.reference import NotWhole, cells
from tests.landing.seeds import recorded, seeds

SEED, BODIES = 4, 250


def test_a_mutated_body_lands_right_or_is_refused() -> None:
    """As the reference says, in blocks and chunks of any size: never rows of what is no answer."""
    verdicts = {number: case_of(SEED, number).judge() for number in range(BODIES)}
    found = {
        number: (verdict, case_of(SEED, number).smallest(verdict))
        for number, verdict in verdicts.items()
        if isinstance(verdict, Disagreement)
    }
    assert found == {}
    landed = sum(
        isinstance(each, Agreement) and each.rows is not None for each in verdicts.values()
    )
    # Bodies that are all broken, or all whole, would show little.
    assert BODIES / 4 < landed < BODIES * 3 / 4


def test_what_is_mutated_is_whole() -> None:
    """Drawn, steady and recorded ones: each is an answer to both."""
    whole = starts(SEED)
    for each in whole:
        verdict = judged(each.body, each.dialect, decode)
        assert isinstance(verdict, Agreement), verdict
        assert verdict.rows is not None
    assert len({*whole}) > 100
    assert whole[len(whole) - len(recorded()) :] == recorded()


def test_a_body_is_repeated_by_its_number() -> None:
    """In any process."""
    assert seeds(SEED, 4) == seeds(SEED, 4)
    assert case_of(SEED, 7) == case_of(SEED, 7)
    assert len({case_of(SEED, number).body for number in range(100)}) > 90


def at(separator: bytes, between: bytes) -> Callable[[bytes], bytes]:
    """Takes one text between rows for another."""
    return lambda body: body.replace(separator, between)


@pytest.mark.parametrize(
    "careless",
    [
        pytest.param(at(b"}\n{", b"},{"), id="takes a line's end for a comma"),
        pytest.param(at(b"}{", b"},{"), id="needs no comma between rows"),
        pytest.param(at(b",]", b"]"), id="takes a comma before an end"),
        pytest.param(lambda body: body.rstrip(b"\0"), id="looks no further than a NUL"),
        pytest.param(lambda body: body[: body.rfind(b"}") + 1], id="looks no further than the end"),
        pytest.param(
            lambda body: body.decode("utf-8", "replace").encode(), id="replaces what is not UTF-8"
        ),
        pytest.param(
            lambda body: body.replace(b"NaN", b"null"), id="reads numbers that JSON has not"
        ),
        pytest.param(
            lambda body: json.dumps(json.loads(body)).encode(), id="keeps the last of equal keys"
        ),
        pytest.param(
            lambda body: body if body.endswith(b"}") else body + b"]}", id="closes what is cut off"
        ),
        pytest.param(
            lambda body: body.replace(b"\n", b""), id="takes a line's end in a text for space"
        ),
    ],
)
def test_a_careless_decoder_is_found_out(careless: Callable[[bytes], bytes]) -> None:
    """The run has teeth: decoders that are lax in one thing do not get through it."""

    def lax(body: bytes, dialect: Dialect) -> Answer:
        try:
            changed = careless(body)
        except (ValueError, RecursionError):
            changed = body
        return decode(changed, dialect)

    cases = (case_of(SEED, number) for number in range(8 * BODIES))
    verdicts = (judged(case.body, case.dialect, lax) for case in cases)
    assert any(isinstance(verdict, Disagreement) for verdict in verdicts)


def test_whatever_else_is_raised_is_a_disagreement() -> None:
    """A library's own error tells nobody what happened."""

    def fails(body: bytes, dialect: Dialect) -> Answer:
        raise KeyError(len(body))

    def refuses(body: bytes, dialect: Dialect) -> Answer:
        raise MalformedResponse("no")

    body = b'{"Schema":[],"Results":[]}'
    assert judged(body, "plain", fails) == Disagreement("escaped KeyError", "KeyError(26)")
    assert judged(body, "plain", refuses) == Disagreement("refused", "a whole answer: no")
    assert judged(b"{}", "plain", refuses) == Agreement(None)


def test_a_disagreement_is_shown_by_a_small_body() -> None:
    """Rows and columns that don't matter are left out."""
    rows = [{"a": number, "b": ["x" * number], "c": {"d": number == 17}} for number in range(40)]
    body = json.dumps(
        {"Schema": [{"Name": "a", "Type": "Int32"}], "Results": rows}, separators=(",", ":")
    ).encode()

    def has_true(tried: bytes) -> bool:
        try:
            return '"d":true' in str(cells(tried, "plain")) and b'"Name"' in tried
        except NotWhole:
            return False

    small = smallest(body, has_true)
    assert has_true(small)
    assert len(small) < 90


@pytest.mark.parametrize(
    "body",
    [
        b'{"Schema":[{"Name":0.1,"Type":"Guid"}],"Results":[]}',
        b'{"Schema":[{"Name":"a","Type":-0}],"Results":[{"a":"x"}]}',
        b'{"Schema":[{"Name":"a","Type":"Guid","name":"b"}],"Results":[{"a":"x"}]}',
        b'{"Schema":0,"Results":[]}',
        b'{"Schema":"","Results":[]}',
    ],
)
def test_a_column_has_one_name_and_one_type(body: bytes) -> None:
    """Texts, and each once, however its key is spelt; anything else is no schema."""
    with pytest.raises(MalformedResponse):
        decode(body, "plain")


def test_minus_zero_is_no_other_truth_in_a_block() -> None:
    """What a cell lands as does not hang on where the answer was cut."""
    row = b'{"k":"row","s":1}'
    rows = b",".join([*[row] * 300, b'{"k":"row","s":-0}', *[row] * 300])
    columns = b'[{"Name":"k","Type":"String"},{"Name":"s","Type":"SByte"}]'
    body = b'{"Schema":%b,"Results":[%b]}' % (columns, rows)
    assert judged(body, "plain", decode) == Agreement(601)
    in_blocks = judged(body, "plain", lambda given, kind: decode(given, kind, block_bytes=40))
    assert in_blocks == Agreement(601)
