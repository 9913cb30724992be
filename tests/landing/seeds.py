"""Whole bodies to be mutated: drawn ones, steady ones of many rows, recorded ones.

What belongs here: bodies that are answers. What does not: changing them (``byte_mutations``,
``tree_mutations``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pipelines.landing.dialects import Dialect
from tests.benchmarks.landing_bodies import SHAPES, body_of
from tests.landing.bodies import WIRE_TYPES, bodies, values_of
from tests.landing.reference import Num
from tests.landing.trees import Members, write_tree
from tests.landing.usual_bodies import usual_bodies

RECORDED: Final = Path(__file__).parents[3] / "shared" / "responses"

# A name that the schema's own entries have, too: what parts rows then parts columns.
_FIRST_NAMES: Final = ("Timestamp", "Timestamp", "Name", "name", "Type", "é", 'a"b', "a\\b", "x:y")
_NAMES: Final = ("LogonId", "LogonID", "ReportId", "DeviceId", "Bag", "a@b", "date", "Results", "k")
_VALUES_OF_A_TYPE: Final = 16
_FEW_ROWS: Final = 12
# Many most often: a decoder that cuts takes short bodies whole.
_ROWS: Final = (1, 2, 8, 40, 150, 150, 150, 150)
_STEADY_EACH: Final = 3
_USUALLY: Final[Mapping[str, type]] = MappingProxyType(
    {"SByte": Num, "Boolean": bool, "Int32": Num, "Int64": Num, "Double": Num, "SqlDecimal": Num}
)
_DIFFERENT: Final = 3
_NULLS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Seed:
    """A whole answer and its dialect."""

    body: bytes
    dialect: Dialect


def seeds(number: int, count: int) -> list[Seed]:
    """So many drawn bodies, more steady ones, the same for a number, and all recorded ones."""
    chance = Random(number)  # noqa: S311 - bodies that can be repeated, not secrets
    drawn = [
        Seed(body, dialect)
        for dialect in ("plain", "odata")
        for make in (bodies, usual_bodies)
        for body in _drawn(make(dialect), number, count // 4)
    ]
    values = {kind: _drawn(values_of(kind), number, _VALUES_OF_A_TYPE) for kind in WIRE_TYPES}
    steady = [_steady(chance, values) for _ in range(_STEADY_EACH * count)]
    few = [shape.scaled(_FEW_ROWS / shape.rows) for shape in SHAPES.values()]
    large = [Seed(body_of(shape), shape.dialect) for shape in few]
    return [*drawn, *steady, *large, *recorded()]


def recorded() -> list[Seed]:
    """What the service was seen to send, where it is at hand."""
    return [
        Seed(path.read_bytes(), "odata" if path.name.startswith("graph") else "plain")
        for path in sorted(RECORDED.glob("*.json"))
    ]


def _drawn(strategy: st.SearchStrategy[Any], number: int, count: int) -> list[Any]:
    """So many of a strategy's values, the same for a number."""
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found


def _steady(chance: Random, values: dict[str, Sequence[Any]]) -> Seed:
    """A body as the service writes it: each row's keys in the schema's order, and many rows."""
    dialect: Dialect = chance.choice(["plain", "odata"])
    names = [chance.choice(_FIRST_NAMES), *chance.sample(_NAMES, chance.randrange(1, 6))]
    columns = {name: chance.choice(WIRE_TYPES) for name in names}
    usual = {name: _alike(chance, kind, values[kind]) for name, kind in columns.items()}
    null = Members() if dialect == "odata" else None
    rows = [
        Members(
            (name, null if chance.random() < _NULLS else _tree(chance.choice(usual[name])))
            for name in columns
        )
        for _ in range(chance.choice(_ROWS))
    ]
    name, kind = ("name", "type") if dialect == "odata" else ("Name", "Type")
    schema = [Members([(name, each), (kind, columns[each])]) for each in columns]
    if dialect == "odata":
        return Seed(
            write_tree(Members([("@odata.context", "x"), ("schema", schema), ("results", rows)])),
            dialect,
        )
    statistics = [Members([("table_row_count", Num(str(len(rows))))])]
    stats = Members([("ExecutionTime", Num("0.25")), ("dataset_statistics", statistics)])
    return Seed(
        write_tree(Members([("Stats", stats), ("Schema", schema), ("Results", rows)])), dialect
    )


def _alike(chance: Random, kind: str, values: Sequence[Any]) -> list[Any]:
    """A few values, of one kind of JSON as a column has them: only what is dynamic has several.

    A few, so that some columns have none that is odd.
    """
    if kind == "Object":
        return chance.sample(values, _DIFFERENT)
    found = [value for value in values if isinstance(value, str | Num | bool)]
    usual = [value for value in found if type(value) is _USUALLY.get(kind, str)]
    like = type(chance.choice(usual if usual and chance.random() < 0.8 else found))
    alike = [value for value in found if type(value) is like]
    return chance.sample(alike, min(_DIFFERENT, len(alike)))


def _tree(value: Any) -> Any:
    if isinstance(value, dict):
        return Members((key, _tree(each)) for key, each in value.items())
    return [_tree(each) for each in value] if isinstance(value, list) else value
