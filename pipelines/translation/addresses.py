"""KQL's functions of IPv4 addresses.

What belongs here: the SQL of a call, and the macros that it needs. What does not: other functions.

An address may have a prefix (``10.1.2.3/24``), by which it stands for its network. What is no
address gives null, as in Kusto.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from duckdb_kql import ir
from duckdb_kql.translate import render_expr

_BITS: Final = 32
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

MACROS: Final = (
    # An octet has no more than 255.
    r"""ipv4_number(x) AS CASE WHEN regexp_full_match(x,
        '(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|(?:/(?:[12]?\d|3[0-2]))?$)){4}') THEN
        list_reduce(list_transform(string_split(split_part(x, '/', 1), '.'), lambda o: o::BIGINT),
        lambda a, o: a * 256 + o) END""",
    """ipv4_prefix(x) AS coalesce(TRY_CAST(nullif(split_part(x, '/', 2), '') AS INTEGER), 32)""",
    """ipv4_same(x, y, bits) AS
       (ipv4_number(x) >> (32 - least(bits, ipv4_prefix(x), ipv4_prefix(y))))
       = (ipv4_number(y) >> (32 - least(bits, ipv4_prefix(x), ipv4_prefix(y))))""",
)


def _is_private(call: Any) -> str | None:
    """``ipv4_is_private(address)``."""
    if len(call.args) != 1:
        return None
    return _in_any(render_expr(call.args[0]), [f"'{each}'" for each in _PRIVATE])


def _is_in_range(call: Any) -> str | None:
    """``ipv4_is_in_range(address, network)``."""
    if len(call.args) != 2:  # noqa: PLR2004
        return None
    address, network = map(render_expr, call.args)
    return _in_any(address, [network])


def _is_in_any_range(call: Any) -> str | None:
    """``ipv4_is_in_any_range(address, network, ...)``; not with networks in a dynamic value."""
    address, *networks = call.args
    if not networks or not all(isinstance(each, ir.Literal) for each in networks):
        return None
    if any(each.kind != "string" for each in networks):
        return None
    return _in_any(render_expr(address), [render_expr(each) for each in networks])


def _is_match(call: Any) -> str | None:
    """``ipv4_is_match(one, other[, bits])``: whether they are of one network."""
    if len(call.args) not in (2, 3):
        return None
    one, other, *bits = map(render_expr, call.args)
    return f"ipv4_same({one}, {other}, {bits[0] if bits else _BITS})"


def _in_any(address: str, networks: Sequence[str]) -> str:
    return f"({' OR '.join(f'ipv4_same({address}, {each}, {_BITS})' for each in networks)})"


FORMS: Final[Mapping[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        "ipv4_is_private": _is_private,
        "ipv4_is_in_range": _is_in_range,
        "ipv4_is_in_any_range": _is_in_any_range,
        "ipv4_is_match": _is_match,
    }
)
