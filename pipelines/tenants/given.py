"""What stands in the tenants file, each with its line.

What belongs here: keys and their values as they stand, and refusing what should not. What does not:
what any key means (``file``, ``keys``, ``sign_in``).
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from pipelines.errors import TenantsFileError
from pipelines.located_yaml import line_of, lines_of


@dataclass(frozen=True, slots=True)
class Given:
    """What a key has, and where it stands."""

    value: object
    line: int
    node: yaml.Node


def given_of(node: yaml.MappingNode, data: Mapping[Any, Any]) -> Mapping[str, Given]:
    """The keys of a mapping."""
    lines = lines_of(node)
    nodes = {key.value: value for key, value in node.value}
    return {
        str(key): Given(value, lines.get(str(key), line_of(node)), nodes.get(str(key), node))
        for key, value in data.items()
    }


def refuse_unknown(path: Path, given: Mapping[str, Given], known: Iterable[str], what: str) -> None:
    """Raise ``TenantsFileError`` at the first key that is none of the known."""
    keys = tuple(known)
    for key, each in given.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0.6)
            hint = f"did you mean `{near[0]}:`?" if near else f"known are {', '.join(keys)}"
            refuse(path, each.line, f"`{key}:` is no key of {what}; {hint}")


def refuse(path: Path, line: int, why: str) -> NoReturn:
    """Raise ``TenantsFileError`` of a line."""
    raise TenantsFileError(f"{path}:{line}: {why}")
