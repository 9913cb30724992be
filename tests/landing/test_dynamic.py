"""Canonical text of dynamic values the quick way: the reference's, or none."""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.landing.dynamic import DynamicTexts
from tests.landing import reference
from tests.landing.reference import Num

_DIGITS = st.text("0159", min_size=1, max_size=17)
NUMBERS = st.builds(
    lambda sign, whole, fraction, exponent: Num(
        f"{sign}{whole.lstrip('0') or '0'}{fraction and f'.{fraction}'}{exponent}"
    ),
    st.sampled_from(["", "-"]),
    _DIGITS,
    st.just("") | _DIGITS,
    st.sampled_from(["", "", "", "e2", "E1", "e-3", "e+05"]),
)
KEYS = st.sampled_from(["a", "b", "ab", "é", "Z", 'q"', "\\", "\n", "e5"])
TREES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text('a\\/"é\n\x1f{[:,1e', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        # Pairs, since a key may come twice.
        | st.lists(st.tuples(KEYS, inner), max_size=4).map(reference.Pairs)
    ),
    max_leaves=12,
)


def written(value: Any, how: random.Random) -> str:
    """One of the ways to write a value: with spaces, escapes that need not be, and both cases."""
    space = how.choice(["", "", "", " ", "\n"])
    match value:
        case Num(text):
            return f"{space}{text}"
        case reference.Pairs():
            members = (f"{written(key, how)}{space}:{written(each, how)}" for key, each in value)
            return f"{space}{{{','.join(members)}}}"
        case list():
            return f"[{','.join(written(each, how) for each in value)}{space}]"
        case str():
            text = json.dumps(value, ensure_ascii=how.random() < 0.3)
            return text.replace("/", how.choice(["/", r"\/"])).replace("001f", "001F")
    return json.dumps(value)


def texts(values: list[str], of: DynamicTexts | None = None) -> list[str | None]:
    raws = [msgspec.Raw(value.encode()) for value in values]
    made = (of or DynamicTexts()).of(raws)
    return [None if text is None else text.decode() for text in made.to_pylist()]


@given(st.lists(st.lists(TREES, max_size=5), max_size=3), st.randoms(use_true_random=False))
def test_what_is_made_is_canonical(blocks: list[list[Any]], how: random.Random) -> None:
    """Whatever the values are, how they are written, and which shapes were seen before."""
    of = DynamicTexts()
    for block in blocks:
        values = [written(value, how).strip() for value in block]
        for value, text in zip(values, texts(values, of), strict=True):
            assert text in (None, reference.canonical(reference.read(value)))


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_no_number_loses_a_digit(numbers: list[Num]) -> None:
    """Nor do two in one value make up for each other's length."""
    [text] = texts([f"[{','.join(number.text for number in numbers)}]"])
    assert text in (None, f"[{','.join(number.text for number in numbers)}]")


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "true",
        '"text"',
        "123456789012345678901234567890",
        "12345678.1234567",
        '{"b":1,"a":{"d":[],"c":[{"z":null,"y":-1.5}]}}',
        '{"C:\\\\users":"\\u0001\\n\\""}',
        '{"":{},"é":"é"}',
    ],
)
def test_a_usual_value_is_made_the_quick_way(value: str) -> None:
    """Also where its shape is another than that of those before it."""
    assert texts([value]) == [reference.canonical(reference.read(value))]
    mixed = ['{"b":1,"a":"x"}', value, '{"b":[1]}']
    assert None not in texts(mixed)


@pytest.mark.parametrize(
    "value",
    [
        '{"a":1,"a":2}',
        "1.50",
        "-0",
        "1e5",
        # A space less, and a digit more.
        "[1e2,  1]",
        "0.12345678901234565",
        '"\\u00e9"',
        '"\\/"',
        "[1, 2]",
        '"\\ud83d"',
    ],
)
def test_what_would_change_is_left_to_the_exact_way(value: str) -> None:
    """Alone, and beside values that don't."""
    assert texts([value, '{"b":1,"a":2}']) == [None, '{"a":2,"b":1}']


def test_shapes_are_learned_anew() -> None:
    """Blocks of other objects are made right, one after the other, and those of very many keys."""
    of = DynamicTexts()
    for number in range(12):
        block = [f'{{"z{number}":1,"a":{{"y{number}":[{{"x":2,"w":3}}]}}}}'] * 20
        made = f'{{"a":{{"y{number}":[{{"w":3,"x":2}}]}},"z{number}":1}}'
        assert texts(block, of) == [made] * 20
    many = {f"k{number:03}": number for number in reversed(range(200))}
    assert texts([json.dumps(many, separators=(",", ":"))], of) == [
        json.dumps(many, separators=(",", ":"), sort_keys=True)
    ]


@pytest.mark.parametrize(
    ("text", "is_proven"),
    [
        ('{"a":1e5}', False),
        ('{"a":-1.5E+5}', False),
        ("[1,123456.7890123456]", False),
        ("[1234567890123456.5]", False),
        ("1e22", False),
        ("[1,12345.6789]", True),
        ("[12345678901234567]", True),
        ('{"a":"1e5","b":"12e4-1e5"}', True),
    ],
)
def test_numbers_that_a_double_does_not_keep_have_no_proof(text: str, is_proven: bool) -> None:
    """Those with an exponent, and those with a fraction and more than fifteen digits.

    Others of the column keep theirs.
    """
    assert texts(["[1.5]", text, "{}"]) == ["[1.5]", text if is_proven else None, "{}"]
