"""The shape of a query: statements, pipelines, operators, brackets."""

import pytest

from pipelines.errors import KqlError
from pipelines.kql.structure import Function, Let, Pipeline, parse


def operators(text: str) -> list[str]:
    (pipeline,) = parse(text)
    assert isinstance(pipeline, Pipeline)
    return [operator.name for operator in pipeline.operators]


def test_pipes_and_semicolons_in_text_and_brackets_divide_nothing() -> None:
    """Only a pipe of the pipeline's own starts an operator."""
    assert operators("T | where a == '|;' // | take 1\n| join (U | where b) on c; ") == [
        "where",
        "join",
    ]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("project-away a", "project-away"),
        ("mv-expand a", "mv-expand"),
        ("top-nested 3 of a by b", "top-nested"),
        ("mvexpand a", "mvexpand"),
        ("extend a = b-c", "extend"),
        ("take -1", "take"),
    ],
)
def test_a_hyphen_binds_an_operators_name_only_without_spaces(step: str, name: str) -> None:
    """``project-away`` is one name; ``take -1`` is not."""
    assert operators(f"T | {step}") == [name]


def test_lets_have_names_values_and_parameters() -> None:
    """A let is a value, or a function whose table parameters are told apart."""
    first, second, third, query = parse(
        "let a = 5; let ['b c'] = T | where x; "
        "let f = (n: long, rows: (x: string)) { let y = 1; rows | take n }; f(5, T)"
    )
    assert isinstance(first, Let)
    assert first.name == "a"
    assert isinstance(second, Let)
    assert second.name == "b c"
    assert isinstance(second.value, Pipeline)
    assert isinstance(third, Let)
    assert isinstance(third.value, Function)
    assert [(p.name, p.tabular) for p in third.value.parameters] == [("n", False), ("rows", True)]
    assert len(third.value.body) == 2
    assert isinstance(query, Pipeline)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "1:1", "empty"),
        (" \n// nothing but a comment\n", "1:1", "empty"),
        (";;", "1:1", "empty"),
        ("T | where (a", "1:11", "never closed"),
        ("T | where a)", "1:12", "closes nothing"),
        ("T | where (a]", "1:13", r"does not close the `\(` at 1:11"),
        ("T |", "1:3", "no operator after it"),
        ("T | | count", "1:3", "no operator after it"),
        ("| count", "1:1", "nothing stands before"),
        ("let a 5;", "1:1", "let statement reads"),
        ("set x = 1; T", "1:1", "remove it"),
        ("declare query_parameters(x:int); T", "1:1", "remove it"),
        ("#connect x\nT", "1:1", "directive"),
        ("T | where " + "(" * 100 + ")" * 100, "1:71", "brackets"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_place(text: str, where: str, what: str) -> None:
    """Line, column, what is wrong, and never another exception."""
    with pytest.raises(KqlError, match=f"^{where}: .*{what}"):
        parse(text)
