"""KQL functions that ``duckdb-kql`` lacks, or that are not exact to the tick in it.

What belongs here: the SQL of a call. What does not: mending what else it emits (``exactness``).

``duckdb-kql`` asks a table of forms before it looks elsewhere for a function. Ours stand in that
table for good, and stand back (by returning ``None``, as its own do) unless huntlake translates:
whoever else does in this process gets what ``duckdb-kql`` gives.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final

import duckdb_kql
from duckdb_kql import ir, timespans
from duckdb_kql.translate import _SPECIAL_FORMS, render_expr

from pipelines.translation import addresses, texts
from pipelines.translation.rows import ROW
from pipelines.windows import NANOSECONDS_PER_TICK, parse_instant

# Kusto counts bins of time from the first tick of .NET's DateTime, a Monday.
_ORIGIN: Final = parse_instant("0001-01-01")
# What is left where 64-bit nanoseconds can't hold a time is a sentinel (``store``), whose bins
# they can't hold either: it stays what it is.
MACROS: Final = (
    """bin_time(x, width_ns, origin_ns) AS CASE
       WHEN x >= TIMESTAMP_NS '1679-01-01' AND x < TIMESTAMP_NS '2261-12-31'
       THEN make_timestamp_ns(
           epoch_ns(x) - ((epoch_ns(x) - origin_ns) % width_ns + width_ns) % width_ns)
       ELSE x::TIMESTAMP_NS END""",
)

_translating: ContextVar[bool] = ContextVar("_translating", default=False)
_Form = Callable[[Any], str | None]


@contextmanager
def exact_functions() -> Iterator[None]:
    """Let ``duckdb-kql`` use these functions while the block runs, in this thread."""
    before = _translating.set(True)
    try:
        yield
    finally:
        _translating.reset(before)


def _bin(call: Any) -> str | None:
    """``bin()`` of a time, by integers. ``duckdb-kql`` goes through doubles of seconds."""
    if len(call.args) != 2:  # noqa: PLR2004
        return None
    value, width = call.args
    if not _is_timespan(width) or _is_timespan(value):
        return None
    width_ticks = _ticks(width)
    return _binned(value, width_ticks, str(_ORIGIN % width_ticks * NANOSECONDS_PER_TICK))


def _bin_at(call: Any) -> str | None:
    """``bin_at()`` of a time: bins that count from an instant of the query's own."""
    if len(call.args) != 3:  # noqa: PLR2004
        return None
    value, width, origin = call.args
    if not _is_timespan(width) or _is_timespan(value):
        return None
    return _binned(value, _ticks(width), f"epoch_ns({render_expr(origin)})")


def _binned(value: Any, width_ticks: int, origin_ns: str) -> str:
    return f"bin_time({render_expr(value)}, {width_ticks * NANOSECONDS_PER_TICK}, {origin_ns})"


def _is_timespan(node: Any) -> bool:
    return isinstance(node, ir.Literal) and node.kind == "timespan"


def _ticks(node: Any) -> int:
    text = str(node.value)
    try:
        ticks = int(timespans.ticks(text))
    except ValueError:
        ticks = 0
    if ticks <= 0:
        raise duckdb_kql.KqlUnsupportedError("bin", hint=f"{text} is no width of a bin")
    return ticks


def _hash(call: Any) -> str | None:
    """``hash()``: another one than Kusto's, which is as good wherever only its rules matter."""
    value, *modulus = [render_expr(each) for each in call.args]
    if len(modulus) > 1:
        return None
    if not modulus:
        return f"(hash({value}) >> 1)::BIGINT"
    # DuckDB has a hash for null too; Kusto's is null.
    return f"CASE WHEN {value} IS NOT NULL THEN (hash({value}) % {modulus[0]})::BIGINT END"


def _pack_all(call: Any) -> str | None:
    """The row as one dynamic value, in the database's own spelling of its values."""
    return f"to_json({ROW})" if not call.args else None


def _tostring(call: Any) -> str | None:
    """``tostring(pack_all())``: ``duckdb-kql`` asks of each row anew what type it has."""
    match call.args:
        case [ir.FunctionCall(name="pack_all", args=([] | ()))]:
            return f"to_json({ROW})::VARCHAR"
    return None


def _estimate_data_size(call: Any) -> str | None:
    """The bytes of a row's values, with their names: near enough for who plans by them."""
    if len(call.args) != 1 or not isinstance(call.args[0], ir.Wildcard):
        return None
    return f"strlen(to_json({ROW})::VARCHAR)"


_FORMS: Final[Mapping[str, _Form]] = MappingProxyType(
    {
        **addresses.FORMS,
        **texts.FORMS,
        "bin": _bin,
        "bin_at": _bin_at,
        "floor": _bin,
        "hash": _hash,
        "pack_all": _pack_all,
        "tostring": _tostring,
        "estimate_data_size": _estimate_data_size,
    }
)


def _while_translating(ours: _Form, theirs: _Form | None) -> _Form:
    def form(call: Any) -> str | None:
        emitted = ours(call) if _translating.get() else None
        if emitted is None and theirs is not None:
            return theirs(call)
        return emitted

    return form


for _name, _form in _FORMS.items():
    _SPECIAL_FORMS[_name] = _while_translating(_form, _SPECIAL_FORMS.get(_name))
