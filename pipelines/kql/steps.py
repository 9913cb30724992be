"""What each operator does to the rows of a relation.

What belongs here: from the relation before a step to the one after it. What does not: what the
step's expressions and brackets read (``interpret``).

An operator that is not listed makes the query whole: unknown is never taken for harmless.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from pipelines.kql.columns import Entry, by_list, entries, held_by, matcher, names_in
from pipelines.kql.lexer import Token
from pipelines.kql.structure import Operator, is_sign
from pipelines.kql.values import (
    Division,
    Lineage,
    Note,
    Relation,
    Scope,
    finest,
    whole,
)
from pipelines.spans import TICKS, Grid
from pipelines.windows import TICKS_PER_SECOND

_RowStep: TypeAlias = Callable[[Relation, Operator, Scope], Relation]

_PICKS: Final = "picks some of all rows"
_WHY_NOT: Final = {
    **dict.fromkeys(("limit", "sample", "sample-distinct", "take", "top", "top-hitters"), _PICKS),
    "count": "counts rows of different times",
    "evaluate": "calls a plugin, which may look at all rows",
    "make-series": "groups rows of different times",
    "partition": "divides the rows by a key, and may look at all rows of one",
    "scan": "reads the order of rows",
    "top-nested": "groups rows of different times",
}

# They may also make the value that a hunt compares with, from what doesn't depend on events. Not
# `take` or `sample`: two calls might pick other rows.
_OF_CONSTANTS: Final = frozenset({"count", "distinct", "summarize", "top"})

# They neither drop a row nor make one.
ONE_TO_ONE: Final = frozenset(
    {
        *("as", "extend", "order", "parse", "parse-kv", "project", "project-away"),
        *("project-keep", "project-rename", "project-reorder", "serialize", "sort"),
    }
)

# How a join keeps each row of its left side by itself, whatever its other rows are.
_LEFT_KINDS: Final = frozenset({"inner", "leftouter"})
_RIGHT_KINDS: Final = frozenset({"inner", "rightouter"})
_LEFT_FILTERS: Final = frozenset({"anti", "leftanti", "leftantisemi", "leftsemi"})
_RIGHT_FILTERS: Final = frozenset({"rightanti", "rightantisemi", "rightsemi"})


def objection(step: Operator) -> Relation:
    """What is left of the rows after a step that looks at more than one of them."""
    why = _WHY_NOT.get(step.name, "is not known to treat rows one by one")
    return whole(step.start, f"`{step.name}` at {{place}} {why}")


def stepped(relation: Relation, step: Operator, scope: Scope) -> Relation:
    """The relation after a step that reads nothing but the rows before it."""
    if relation.division is Division.WHOLE:
        return relation
    row_step = _ROW_STEPS.get(step.name)
    if row_step is not None:
        return row_step(relation, step, scope)
    if relation.division is Division.CONSTANT and step.name in _OF_CONSTANTS:
        return relation
    if step.name in {"distinct", "summarize"}:
        return _grouped(relation, step, scope)
    return objection(step)


def without_named(relation: Relation, step: Operator, scope: Scope) -> Relation:
    """The rows after a step that may set any column that it names."""
    del scope
    named = names_in(step.args)
    return relation.without(lambda name: name in named)


# Row by row


def _same(relation: Relation, step: Operator, scope: Scope) -> Relation:
    del step, scope
    return relation


def _extended(relation: Relation, step: Operator, scope: Scope) -> Relation:
    """All values are computed before any is set, so the old columns are what they read."""
    listed = entries(step.args)
    named: set[str] = set()
    for entry in listed:
        named |= set(entry.given) or names_in(entry.expression)
    kept = relation.without(lambda name: name in named).lineage
    return relation.with_lineage({**kept, **_named(listed, relation, scope)})


def _projected(relation: Relation, step: Operator, scope: Scope) -> Relation:
    return relation.with_lineage(_named(entries(step.args), relation, scope))


def _projected_away(relation: Relation, step: Operator, scope: Scope) -> Relation:
    del scope
    return relation.without(matcher(step.args))


def _projected_keep(relation: Relation, step: Operator, scope: Scope) -> Relation:
    del scope
    stays = matcher(step.args)
    return relation.without(lambda name: not stays(name))


def _renamed(relation: Relation, step: Operator, scope: Scope) -> Relation:
    renamed = _named(entries(step.args), relation, scope)
    named = names_in(step.args)
    kept = relation.without(lambda name: name in named).lineage
    return relation.with_lineage({**kept, **renamed})


_ROW_STEPS: Final[Mapping[str, _RowStep]] = {
    **dict.fromkeys(("filter", "where", "order", "sort", "project-reorder", "render"), _same),
    **dict.fromkeys(("extend", "serialize"), _extended),
    **dict.fromkeys(("parse", "parse-kv", "parse-where"), without_named),
    **dict.fromkeys(("mv-expand", "mvexpand"), without_named),
    "project": _projected,
    "project-away": _projected_away,
    "project-keep": _projected_keep,
    "project-rename": _renamed,
}


def _named(listed: Sequence[Entry], relation: Relation, scope: Scope) -> dict[str, Grid | None]:
    """What the entries' columns hold, by their names. Of two of one name, neither is known."""
    names = [entry.name for entry in listed]
    lineage: dict[str, Grid | None] = {}
    for entry, name in zip(listed, names, strict=True):
        held = held_by(entry.expression, relation.lineage, scope)
        if name is not None and held and names.count(name) == 1:
            lineage[name] = next(iter(held.values()))
    return lineage


# Groups


def _grouped(relation: Relation, step: Operator, scope: Scope) -> Relation:
    """``summarize ... by`` and ``distinct``.

    Rows of one group come from one cell where a key is a bin of the event's time, and from one
    value of each other key: the first time of any expression, later on of those that were keys.
    """
    aggregates, by = by_list(step.args) if step.name == "summarize" else ((), step.args)
    if any(is_sign(node, "*") for node in by):
        return _distinct_rows(relation, step)
    listed = entries(by)
    if not listed:
        return whole(step.start, f"`{step.name}` at {{place}} groups rows of different times")
    held = [held_by(entry.expression, relation.lineage, scope) for entry in listed]
    lineage = _named(listed, relation, scope)
    if relation.division is Division.ROWS:
        for entry, known in zip(listed, held, strict=True):
            if not known and entry.name is not None and entry.name not in lineage:
                lineage[entry.name] = None
    times = {column: grid for known in held for column, grid in known.items() if grid is not None}
    others = len(listed) - sum(any(known.values()) for known in held)
    steady = relation.steady and not aggregates and others > 0
    grouped = replace(relation, lineage=lineage, steady=steady)
    if times:
        return _aligned(grouped, step, times)
    return _keyed(grouped, step)


def _distinct_rows(relation: Relation, step: Operator) -> Relation:
    if relation.times:
        return _aligned(relation, step, relation.times)
    return _keyed(relation, step)


def _aligned(relation: Relation, step: Operator, times: Mapping[str, Grid]) -> Relation:
    grid = finest(times)
    column = next(name for name, held in times.items() if held == grid)
    nested: Lineage = {
        name: held for name, held in relation.lineage.items() if held is None or grid.nests_in(held)
    }
    text = f"`{step.name}` at {{place}} groups by {_cells(grid)}`{column}`"
    return replace(
        relation,
        division=Division.ALIGNED,
        note=Note(step.start, text),
        lineage=nested,
        grid=grid,
    )


def _keyed(relation: Relation, step: Operator) -> Relation:
    if not relation.keys and not relation.steady:
        text = f"`{step.name}` at {{place}} groups rows of different times by what is no plain key"
        return whole(step.start, text)
    return replace(
        relation,
        division=Division.KEYED,
        note=Note(step.start, f"`{step.name}` at {{place}} groups by "),
        grid=None,
    )


def _cells(grid: Grid) -> str:
    """What precedes the column in ``groups by bins of 1:00:00 of `Timestamp```."""
    if grid == TICKS:
        return "the very "
    if grid.calendar is not None:
        return f"{grid.calendar}s of "
    if grid == Grid.weeks():
        return "weeks of "
    seconds, ticks = divmod(grid.width, TICKS_PER_SECOND)
    if ticks:
        return f"bins of {grid.width} ticks of "
    hours, rest = divmod(seconds, 3600)
    return f"bins of {hours}:{rest // 60:02}:{rest % 60:02} of "


# Several relations


def united(parts: Sequence[Relation], start: int) -> Relation:
    """``union``: what is known of a column is what is known of it in every part."""
    first = next((part for part in parts if part.division is Division.WHOLE), parts[0])
    divisions = {part.division for part in parts}
    if Division.WHOLE in divisions or len(parts) == 1:
        return first
    steady = all(part.steady for part in parts)
    if divisions == {Division.CONSTANT}:
        return replace(first, steady=steady)
    if Division.CONSTANT in divisions:
        text = "adds rows that come from no event, which every slice would return"
        return whole(start, f"`union` at {{place}} {text}")
    if len({part.grid for part in parts}) > 1 or (
        Division.KEYED in divisions and len(divisions) > 1
    ):
        return whole(start, "`union` at {place} adds rows that are grouped by other times")
    common = {
        name: held
        for name, held in first.lineage.items()
        if all(name in part.lineage and part.lineage[name] == held for part in parts)
    }
    grouped = next((part for part in parts if part.division is not Division.ROWS), first)
    return replace(grouped, lineage=common, steady=steady)


def joined(left: Relation, right: Relation, step: Operator, kind: str) -> Relation:
    """``join`` and ``lookup``: safe where one side doesn't depend on events."""
    divisions = left.division, right.division
    if Division.WHOLE in divisions:
        return left if left.division is Division.WHOLE else right
    steady = left.steady and right.steady
    if divisions == (Division.CONSTANT, Division.CONSTANT):
        return replace(left, steady=steady)
    if right.division is Division.CONSTANT and kind in _LEFT_FILTERS | _LEFT_KINDS:
        return left if kind in _LEFT_FILTERS else replace(left, steady=steady)
    if left.division is Division.CONSTANT and kind in _RIGHT_FILTERS | _RIGHT_KINDS:
        # A column of the right side is renamed where the left side has one of its name.
        return right if kind in _RIGHT_FILTERS else replace(right, lineage={}, steady=steady)
    if Division.CONSTANT not in divisions:
        why = "joins rows of different times"
    elif kind == "innerunique":
        why = "keeps one row of its left side for each key; name another kind, such as kind=inner"
    else:
        why = f"adds rows that come from no event, as its kind is {kind}"
    return whole(step.start, f"`{step.name}` at {{place}} {why}")


def join_kind(step: Operator) -> str:
    """The kind of a join that its options name, or the default."""
    default = "leftouter" if step.name == "lookup" else "innerunique"
    for name, equals, value in zip(step.args, step.args[1:], step.args[2:], strict=False):
        if isinstance(name, Token) and name.is_name("kind") and is_sign(equals, "="):
            return value.text if isinstance(value, Token) else default
    return default
