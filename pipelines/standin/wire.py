"""The body of an answer, as the service writes it.

What belongs here: each type's text, and each dialect's noise. What does not: what the rows are
(``evaluate``). DuckDB writes the rows, a column's text by an expression; only Graph's dynamic
values take Python, since their noise is at every depth.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

import duckdb

from pipelines.standin.store import held_name
from pipelines.translation import OUTLYING, time_literal
from pipelines.windows import format_instant

Dialect = Literal["odata", "plain"]

_NOISE: Final = "#microsoft.graph.security.dynamicColumnValue"
_CONTEXT: Final = (
    "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
)
# Graph marks some types beside the value, and not on every column.
_SIDECARS: Final[Mapping[str, str]] = MappingProxyType({"SByte": "#SByte", "Int64": "#Int64"})

# {0} is the column. 100 ns are the last digit that the service has; it cuts trailing zeros.
_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DateTime": (
            "'\"' || rtrim(rtrim(CASE {0} "
            + " ".join(
                f"WHEN {time_literal(held)} THEN '{format_instant(own).removesuffix('Z')}.'"
                for own, held in OUTLYING.items()
            )
            + " ELSE strftime({0}, '%Y-%m-%dT%H:%M:%S.%n') END, '0'), '.') || 'Z\"'"
        ),
        "SByte": "CASE {0} WHEN true THEN '1' WHEN false THEN '0' END",
        "Int32": "{0}::VARCHAR",
        "Int64": "{0}::VARCHAR",
        "Double": (
            "CASE WHEN isnan({0}) THEN '\"NaN\"' WHEN isinf({0}) AND {0} > 0 THEN '\"Infinity\"' "
            "WHEN isinf({0}) THEN '\"-Infinity\"' ELSE {0}::VARCHAR END"
        ),
        "SqlDecimal": (
            "CASE WHEN contains({0}::VARCHAR, '.') "
            "THEN rtrim(rtrim({0}::VARCHAR, '0'), '.') ELSE {0}::VARCHAR END"
        ),
        "Guid": "'\"' || {0}::VARCHAR || '\"'",
        "String": "to_json({0})::VARCHAR",
        "Object": "{0}::VARCHAR",
    }
)
_SPAN: Final = (
    "'\"' || CASE WHEN {0}.ticks < 0 THEN '-' ELSE '' END || {1} || "
    "CASE WHEN abs({0}.ticks) % 10000000 = 0 THEN '' "
    "ELSE '.' || lpad((abs({0}.ticks) % 10000000)::VARCHAR, 7, '0') END || '{2}\"'"
)
_SPAN_PARTS: Final[Mapping[Dialect, str]] = MappingProxyType(
    {
        "odata": """'P' || (abs({0}.ticks) // 864000000000)::VARCHAR || 'DT' ||
            (abs({0}.ticks) // 36000000000 % 24)::VARCHAR || 'H' ||
            (abs({0}.ticks) // 600000000 % 60)::VARCHAR || 'M' ||
            (abs({0}.ticks) // 10000000 % 60)::VARCHAR""",
        "plain": """CASE WHEN abs({0}.ticks) >= 864000000000
            THEN (abs({0}.ticks) // 864000000000)::VARCHAR || '.' ELSE '' END ||
            lpad((abs({0}.ticks) // 36000000000 % 24)::VARCHAR, 2, '0') || ':' ||
            lpad((abs({0}.ticks) // 600000000 % 60)::VARCHAR, 2, '0') || ':' ||
            lpad((abs({0}.ticks) // 10000000 % 60)::VARCHAR, 2, '0')""",
    }
)
_SPAN_ENDS: Final[Mapping[Dialect, str]] = MappingProxyType({"odata": "S", "plain": ""})


def body(
    connection: duckdb.DuckDBPyConnection,
    schema: Sequence[tuple[str, str]],
    dialect: Dialect,
    execution_seconds: float,
) -> bytes:
    """The body for the rows in the connection's table ``answer``."""
    rows = _rows(connection, schema, dialect)
    if dialect == "odata":
        listed = json.dumps([{"name": name, "type": kind} for name, kind in schema])
        head = f'{{"@odata.context":"{_CONTEXT}","schema":{listed},"results":['
        return head.encode() + rows + b"]}"
    listed = json.dumps([{"Name": name, "Type": kind} for name, kind in schema])
    [(count,)] = connection.execute("SELECT count(*) FROM answer").fetchall()
    statistics = json.dumps(_statistics(execution_seconds, count, len(rows)))
    head = f'{{"Stats":{statistics},"Schema":{listed},"Results":['
    return head.encode() + rows + b"]}"


def _rows(
    connection: duckdb.DuckDBPyConnection, schema: Sequence[tuple[str, str]], dialect: Dialect
) -> bytes:
    """The rows' objects, between commas: pieces of text from DuckDB, side by side."""
    pieces: list[str] = []
    noisy: dict[int, str] = {}
    waiting = ["'{'"]
    for number, (name, kind) in enumerate(schema):
        comma = "," if number else ""
        waiting.append(_literal(comma + _before(name, kind, dialect)))
        if kind == "Object" and dialect == "odata":
            pieces += [" || ".join(waiting), _value(name, kind, dialect)]
            noisy[len(pieces) - 1] = name
            waiting = []
        else:
            waiting.append(_value(name, kind, dialect))
    pieces.append(" || ".join([*waiting, "'}'"]))
    listed = ", ".join(f"{piece} AS piece_{number}" for number, piece in enumerate(pieces))
    # Not as Arrow, which takes longer for the few rows of most answers, and is no quicker for many.
    texts = connection.execute(f"SELECT {listed} FROM answer").fetchall()
    if not noisy or not texts:
        return ",".join(map("".join, texts)).encode()
    columns: list[Sequence[str]] = list(zip(*texts, strict=True))
    for number, name in noisy.items():
        columns[number] = [_with_noise(name, text) for text in columns[number]]
    return ",".join(map("".join, zip(*columns, strict=True))).encode()


def _before(name: str, kind: str, dialect: Dialect) -> str:
    """What stands before a value: its key, and what Graph says of it beforehand."""
    key = f"{json.dumps(name)}:"
    if dialect == "odata" and kind == "Object":
        return ""  # It depends on the value, and comes with it.
    if dialect == "odata" and kind in _SIDECARS:
        return f'{json.dumps(f"{name}@odata.type")}:"{_SIDECARS[kind]}",{key}'
    return key


def _value(name: str, kind: str, dialect: Dialect) -> str:
    column = '"' + held_name(name).replace('"', '""') + '"'
    null = "'{}'" if dialect == "odata" else "'null'"
    return f"coalesce({_text(column, kind, dialect)}, {null})"


def _text(column: str, kind: str, dialect: Dialect) -> str:
    if kind == "TimeSpan":
        parts = _SPAN_PARTS[dialect].format(column)
        return _SPAN.format(column, parts, _SPAN_ENDS[dialect])
    return _TEXTS[kind].format(column)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _with_noise(name: str, text: str) -> str:
    """The key and the value of a dynamic column in one row."""
    value = _marked(json.loads(text))
    said = f"{json.dumps(name)}:{_compact(value)}"
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return f'{json.dumps(f"{name}@odata.type")}:"#Collection(String)",{said}'
    return said


def _marked(value: Any) -> Any:
    """A dynamic value as Graph writes it: objects marked, an array of objects as texts."""
    if isinstance(value, dict):
        marker = {"@odata.type": _NOISE} if value else {}
        return {**marker, **{key: _marked(each) for key, each in value.items()}}
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return [_compact(each) for each in value]
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return value


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _statistics(execution_seconds: float, rows: int, size: int) -> Mapping[str, Any]:
    return {
        "ExecutionTime": execution_seconds,
        "resource_usage": {"cache": {}, "cpu": {"total cpu": "00:00:00"}, "memory": {}},
        "dataset_statistics": [{"table_row_count": rows, "table_size": size}],
    }
