"""Reading the tenants file: ``defaults:`` and a list of ``tenants:``.

What belongs here: the file as a whole, and telling good entries from bad ones. What does not: the
keys of one entry (``keys``). One bad entry hides no other: its error is kept beside.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from pipelines.errors import TenantsFileError
from pipelines.located_yaml import NotYaml, line_of, read_mapping
from pipelines.tenants.entry import TenantEntry
from pipelines.tenants.given import Given, given_of, refuse_unknown
from pipelines.tenants.keys import DEFAULTS_KEYS, read_entry

_TOP: Final = ("defaults", "tenants")


@dataclass(frozen=True, slots=True)
class TenantsFile:
    """The tenants of a file by name, and what is wrong with the entries that are none."""

    entries: Mapping[str, TenantEntry]
    failed: Mapping[str, TenantsFileError] = field(default_factory=dict)
    """By the name that the tenant would have."""


def read_tenants(path: Path) -> TenantsFile:
    """The file's tenants. Raises ``TenantsFileError`` where it can't be read as a whole."""
    top, tenants = _top(path)
    shared: Mapping[str, Given] = {}
    if "defaults" in top:
        shared = _mapping(path, top["defaults"], "`defaults:`")
        refuse_unknown(path, shared, DEFAULTS_KEYS, "`defaults:`")
    entries: dict[str, TenantEntry] = {}
    failed: dict[str, TenantsFileError] = {}
    for number, (node, value) in enumerate(tenants, start=1):
        line = line_of(node)
        try:
            own = _mapping(path, Given(value, line, node), "a tenant")
            entry = read_entry(path, line, own, shared)
            _refuse_known(entry, entries)
        except TenantsFileError as error:
            failed[_name_of_failed(value, number, {*entries, *failed})] = error
        else:
            entries[entry.name] = entry
    return TenantsFile(MappingProxyType(entries), MappingProxyType(failed))


def plain_name(name: str) -> str:
    """What is left of a name where only letters, digits and underscores may stand.

    Dagster's assets and DuckDB's schemas are called so; what is one there must be one here.
    """
    return re.sub(r"\W", "_", name, flags=re.ASCII).lower()


def _top(path: Path) -> tuple[Mapping[str, Given], list[tuple[yaml.Node, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        node, data = read_mapping(text, line=1, hint="write `tenants:` and a list of them")
    except NotYaml as error:
        raise TenantsFileError(f"{path}:{error.line}: {error}") from error
    except UnicodeDecodeError as error:
        raise TenantsFileError(f"{path}: the file is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise TenantsFileError(f"{path}: the file can't be read: {error.strerror}") from error
    top = given_of(node, data)
    refuse_unknown(path, top, _TOP, "the file")
    tenants = top.get("tenants")
    if tenants is None or not isinstance(tenants.value, list) or not tenants.value:
        line = 1 if tenants is None else tenants.line
        raise TenantsFileError(
            f"{path}:{line}: `tenants:` must be a list with a tenant at least, as in `- name: ...`"
        )
    return top, list(zip(tenants.node.value, tenants.value, strict=True))


def _mapping(path: Path, given: Given, what: str) -> Mapping[str, Given]:
    if not isinstance(given.value, dict) or not isinstance(given.node, yaml.MappingNode):
        raise TenantsFileError(f"{path}:{given.line}: {what} must have keys, such as `surface:`")
    return given_of(given.node, given.value)


def _refuse_known(entry: TenantEntry, entries: Mapping[str, TenantEntry]) -> None:
    """Refuse a second entry of one name, or of one tenant."""
    for other in entries.values():
        if plain_name(other.name) == plain_name(entry.name):
            raise TenantsFileError(
                f"{entry.where}: there is a tenant {other.name} already ({other.where}), and both "
                f"would be one in Dagster; give this one another name"
            )
        if other.id.casefold() == entry.id.casefold():
            raise TenantsFileError(
                f"{entry.where}: {entry.name} is the tenant {other.name} ({other.where}) under "
                f"another name, as both have the id {entry.id}. They would share one quota with "
                f"limits of their own each; name the hunts of both in one entry"
            )


def _name_of_failed(value: object, number: int, taken: set[str]) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str) or not plain_name(name).strip("_"):
        return f"tenant_{number}"
    known = {plain_name(each) for each in taken}
    return f"{name}_{number}" if plain_name(name) in known else name
