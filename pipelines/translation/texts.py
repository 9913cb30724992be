"""KQL's functions of texts and dynamic values that ``duckdb-kql`` lacks, or has otherwise.

What belongs here: the SQL of a call. What does not: times (``functions``), or addresses.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from duckdb_kql import ir
from duckdb_kql.translate import render_expr
from duckdb_kql.translate.functions import AGGREGATE_FUNCTIONS, AggregateSpec

from pipelines.translation.rows import ROW

_JSON: Final = "huntlake_json"
_DYNAMIC: Final = frozenset(
    {_JSON, "parse_json", "todynamic", "parse_url", "parse_path", "pack", "bag_pack", "pack_array"}
)
_SOME: Final = "FILTER (WHERE {0} IS NOT NULL AND {1})"
# As those without a condition, which duckdb-kql has measured.
_AGGREGATES: Final = (
    AggregateSpec(
        "make_list_if",
        f"coalesce(list({{0}}) {_SOME}, [])",
        (2, 3),
        name_prefix="list",
    ),
    AggregateSpec(
        "make_set_if",
        "to_json(coalesce(list_distinct(flatten(list("
        "CASE WHEN json_type(TRY_CAST({0} AS JSON)) = 'ARRAY' "
        "THEN CAST(to_json({0}) AS JSON[]) ELSE [to_json({0})] END"
        f") {_SOME})), []))",
        (2, 3),
        name_prefix="set",
    ),
)


def _replace(call: Any) -> str | None:
    """``replace(regex, rewrite, text)``, which became ``replace_regex(text, regex, rewrite)``."""
    if len(call.args) != 3:  # noqa: PLR2004
        return None
    regex, rewrite, text = map(render_expr, call.args)
    return f"regexp_replace({text}, {regex}, {rewrite}, 'g')"


def _extract_json(call: Any) -> str | None:
    """``extract_json(path, text)``, as text."""
    if len(call.args) != 2:  # noqa: PLR2004
        return None
    path, text = map(render_expr, call.args)
    return f"coalesce(TRY_CAST({text} AS JSON) ->> {path}, '')"


def _indexof(call: Any) -> str | None:
    """``indexof(text, lookup, start)``; with a length or a count it is left to ``duckdb-kql``."""
    if len(call.args) != 3:  # noqa: PLR2004
        return None
    text, lookup, start = map(render_expr, call.args)
    found = f"position({lookup} IN substr({text}, {start} + 1))"
    return f"(CASE WHEN {found} > 0 THEN {found} + {start} - 1 ELSE -1 END)"


def _set_difference(call: Any) -> str | None:
    """``set_difference(a, b, ...)``, each element once."""
    if len(call.args) < 2:  # noqa: PLR2004
        return None
    first, *others = (f"CAST(to_json({render_expr(each)}) AS JSON[])" for each in call.args)
    kept = " AND ".join(f"NOT list_contains({each}, _e)" for each in others)
    return f"to_json(list_distinct(list_filter({first}, lambda _e: {kept})))"


def _json(call: Any) -> str | None:
    return f"to_json({render_expr(call.args[0])})"


def _all_values(call: Any) -> str | None:
    """The values of a row, each on a line: what ``* has "text"`` looks through."""
    return (
        None
        if call.args
        else f"array_to_string(json_extract_string(to_json({ROW}), '$.*'), chr(10))"
    )


def _conditional(call: Any) -> str | None:
    """``iff`` and ``case`` of which some values are dynamic, and others are not: all are then."""
    args = list(call.args)
    values = [*range(1, len(args) - 1, 2), len(args) - 1]
    if len({_is_dynamic(args[each]) for each in values}) == 1:
        return None
    for each in values:
        if not _is_dynamic(args[each]):
            args[each] = ir.FunctionCall(name=_JSON, args=(args[each],))
    return str(render_expr(replace(call, args=tuple(args))))


def _is_dynamic(node: Any) -> bool:
    if isinstance(node, ir.FunctionCall):
        return node.name.lower() in _DYNAMIC
    return isinstance(node, ir.PathAccess)


def _calling(function: str) -> Callable[[Any], str | None]:
    def form(call: Any) -> str | None:
        return f"{function}({render_expr(call.args[0])})" if len(call.args) == 1 else None

    return form


FORMS: Final[Mapping[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        "replace": _replace,
        "extract_json": _extract_json,
        "indexof": _indexof,
        "set_difference": _set_difference,
        "iff": _conditional,
        "iif": _conditional,
        "case": _conditional,
        "url_decode": _calling("url_decode"),
        "url_encode_component": _calling("url_encode"),
        "huntlake_all_values": _all_values,
        _JSON: _json,
    }
)

for _aggregate in _AGGREGATES:
    AGGREGATE_FUNCTIONS.setdefault(_aggregate.name, _aggregate)
