"""Which hunts are a tenant's: what its entry chooses, and what a hunt's own file says.

What belongs here: choosing. What does not: reading either (``file``, ``hunt_files``).
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from pipelines.errors import HuntFileError, TenantsFileError
from pipelines.hunt_files import Catalogue
from pipelines.hunts import Hunt
from pipelines.tenants.entry import TenantEntry

_GROUP: Final = "group:"
_TAG: Final = "tag:"


@dataclass(frozen=True, slots=True)
class Misdirected:
    """A hunt whose file names a tenant that there is not."""

    tenant: str
    hunt: str
    error: HuntFileError


def hunts_of_entry(entry: TenantEntry, catalogue: Catalogue) -> Catalogue:
    """The tenant's hunts, and what is wrong with others that it would have."""
    chosen = _chosen(entry, catalogue)
    hunts = {
        name: _settled(hunt)
        for name, hunt in chosen.items()
        if _is_for(hunt, {entry.name, entry.id})
    }
    failed = {**_failed(entry, catalogue), **_without_hunts(entry, catalogue)}
    return Catalogue(MappingProxyType(hunts), MappingProxyType(failed))


def hunts_of_only(tenant: str, catalogue: Catalogue) -> Catalogue:
    """The hunts of a deployment's only tenant: all but those whose files name others."""
    hunts = {
        name: hunt
        for name, hunt in catalogue.hunts.items()
        if not hunt.export.tenants or tenant in hunt.export.tenants
    }
    return Catalogue(MappingProxyType(hunts), catalogue.failed)


def misdirected(
    names: Collection[str], ids: Collection[str], catalogue: Catalogue, *, has_file: bool
) -> Iterator[Misdirected]:
    """Hunts whose files name a tenant that is none of these.

    Without a file of tenants ``tenant:`` is no name but the id of one that the same application may
    ask, so only ``tenants:`` is looked at.
    """
    known = {*names, *ids}
    for hunt in catalogue.hunts.values():
        for tenant in _named(hunt) if has_file else hunt.export.tenants:
            if tenant not in known:
                listed = ", ".join(sorted(names))
                where = f"{hunt.path}: " if hunt.path else ""
                error = HuntFileError(
                    f"{where}hunt {hunt.name} names the tenant {tenant}, and there is none; there "
                    f"are {listed}"
                )
                yield Misdirected(tenant, hunt.name, error)


def _chosen(entry: TenantEntry, catalogue: Catalogue) -> Mapping[str, Hunt]:
    if not entry.hunts:
        return catalogue.hunts
    return {
        name: hunt
        for name, hunt in catalogue.hunts.items()
        if any(_matches(hunt, selector) for selector in entry.hunts)
    }


def _matches(hunt: Hunt, selector: str) -> bool:
    if selector.startswith(_GROUP):
        return hunt.export.group == selector.removeprefix(_GROUP)
    if selector.startswith(_TAG):
        return selector.removeprefix(_TAG) in hunt.tags
    return hunt.name == selector


def _failed(
    entry: TenantEntry, catalogue: Catalogue
) -> Mapping[str, HuntFileError | TenantsFileError]:
    """Of files that can't be read, those that may be the tenant's: group and tags are not known."""
    by_name_only = entry.hunts and not any(_is_of_many(each) for each in entry.hunts)
    return {
        name: error
        for name, error in catalogue.failed.items()
        if not by_name_only or name in entry.hunts
    }


def _without_hunts(entry: TenantEntry, catalogue: Catalogue) -> Mapping[str, TenantsFileError]:
    """What is chosen, and there is none of it."""
    missing = {}
    for selector in entry.hunts:
        if selector not in catalogue.failed and not any(
            _matches(hunt, selector) for hunt in catalogue.hunts.values()
        ):
            near = difflib.get_close_matches(selector, catalogue.hunts, n=1)
            hint = f"did you mean {near[0]}?" if near else "correct it, or take it out"
            missing[selector.partition(":")[2] or selector] = TenantsFileError(
                f"{entry.hunts_where}: tenant {entry.name} chooses `{selector}`, and there is no "
                f"such hunt; {hint}"
            )
    return missing


def _is_of_many(selector: str) -> bool:
    return selector.startswith((_GROUP, _TAG))


def _named(hunt: Hunt) -> tuple[str, ...]:
    export = hunt.export
    return export.tenants if export.tenant is None else (*export.tenants, export.tenant)


def _is_for(hunt: Hunt, tenant: Collection[str]) -> bool:
    named = _named(hunt)
    return not named or any(each in tenant for each in named)


def _settled(hunt: Hunt) -> Hunt:
    """The hunt once it is known whose it is: it asks the tenant that it is exported for."""
    return (
        hunt
        if hunt.export.tenant is None
        else replace(hunt, export=replace(hunt.export, tenant=None))
    )
