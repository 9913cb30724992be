"""The keys of one tenant's entry, and of ``defaults:``, which hold where an entry says nothing.

What belongs here: a check for each key, with the line on which it stands. What does not: the file
around them (``file``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, TypeVar, get_args

from pipelines import setting_texts as texts
from pipelines.clouds import CLOUDS, Cloud, Region, contradictions
from pipelines.identity import PARTS
from pipelines.lake import RESERVED_SCHEMAS
from pipelines.quota import parse_limits
from pipelines.setting_names import Names
from pipelines.tenants.entry import TenantEntry
from pipelines.tenants.given import Given, refuse, refuse_unknown
from pipelines.tenants.sign_in import read_sign_in, refuse_secrets

_OWN_KEYS: Final = ("name", "id")
DEFAULTS_KEYS: Final = (
    "cloud",
    "region",
    "surface",
    "api_url",
    "authority_host",
    "limits",
    "hunts",
    "sign_in",
)
_KEYS: Final = (*_OWN_KEYS, *DEFAULTS_KEYS)
_HOST_KEYS: Final = ("surface", "api_url", "authority_host")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_CLOUDS: Final[Mapping[str, Cloud]] = {cloud: cloud for cloud in CLOUDS}
_REGIONS: Final[Mapping[str, Region]] = {region: region for region in get_args(Region)}
_T = TypeVar("_T")


def read_entry(
    path: Path, line: int, own: Mapping[str, Given], shared: Mapping[str, Given]
) -> TenantEntry:
    """The tenant of one entry. Raises ``TenantsFileError``."""
    refuse_secrets(path, own)
    refuse_unknown(path, own, _KEYS, "a tenant")
    keys = _Keys(path, line, {**shared, **own})
    name = keys.required("name", _name)
    cloud = keys.optional("cloud", _cloud) or "commercial"
    if cloud != "commercial" and "region" in own:
        keys.refuse(
            "region", f"`region:` is of the commercial cloud, and not of {cloud}; remove it"
        )
    sign_in = read_sign_in(path, line, own.get("sign_in"), shared.get("sign_in"))
    entry = TenantEntry(
        name=name,
        id=keys.required("id", texts.tenant_id),
        sign_in=sign_in,
        limits=keys.optional("limits", parse_limits) or parse_limits("seed"),
        where=f"{path}:{line}",
        surface=keys.optional("surface", texts.surface) or "graph",
        cloud=cloud,
        region=keys.optional("region", _region) if cloud == "commercial" else None,
        api_url=keys.optional("api_url", texts.https_url),
        authority_host=keys.optional("authority_host", texts.host),
        hunts=keys.hunts(),
        hunts_where=keys.where("hunts"),
        names=Names(
            **{key: f"`{key}:` ({keys.where(key)})" for key in _HOST_KEYS},
            tenant_id=f"`id:` ({keys.where('id')})",
            **{part: sign_in.name_of(part) for part in PARTS},
        ),
    )
    authority = entry.authority_host or CLOUDS[entry.cloud].authority
    if entry.api_url is not None:
        for problem in contradictions(entry.surface, entry.api_url, authority, entry.names):
            keys.refuse("api_url", problem)
    return entry


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of an entry, its own before those of ``defaults:``."""

    path: Path
    line: int
    given: Mapping[str, Given]

    def where(self, key: str) -> str:
        return f"{self.path}:{self._line(key)}"

    def required(self, key: str, parse: Callable[[str], _T]) -> _T:
        found = self.optional(key, parse)
        if found is None:
            self.refuse(key, f"a tenant needs `{key}:`")
        return found

    def optional(self, key: str, parse: Callable[[str], _T]) -> _T | None:
        value = self.given[key].value if key in self.given else None
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(key, f"`{key}:` must be text; put it in quotes")
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(key, f"`{key}:` is wrong: {error}")

    def hunts(self) -> tuple[str, ...]:
        value = self.given["hunts"].value if "hunts" in self.given else "all"
        if value == "all":
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(e, str) for e in value):
            self.refuse(
                "hunts", "`hunts:` must be all, or a list of names, `group:NAME` and `tag:NAME`"
            )
        return tuple(value)

    def refuse(self, key: str, why: str) -> NoReturn:
        refuse(self.path, self._line(key), why)

    def _line(self, key: str) -> int:
        return self.given[key].line if key in self.given else self.line


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} must be letters and digits, with `.`, `_` or `-` between them, since "
            f"folders and assets are called so"
        )
    if text.casefold() in RESERVED_SCHEMAS:
        raise ValueError(f"{text!r} names a schema of the catalogue; call the tenant otherwise")
    return text


def _cloud(text: str) -> Cloud:
    if text not in _CLOUDS:
        raise ValueError(f"{text!r} is no cloud; there are {', '.join(_CLOUDS)}")
    return _CLOUDS[text]


def _region(text: str) -> Region:
    if text not in _REGIONS:
        raise ValueError(f"{text!r} is no region; there are {', '.join(_REGIONS)}")
    return _REGIONS[text]
