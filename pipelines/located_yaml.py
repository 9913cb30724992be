"""Reading YAML that a person wrote: one mapping, with the line of each thing that is wrong.

What belongs here: what every file of ours that is YAML has in common. What does not: what its keys
mean (``hunt_formats``, ``tenants``).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml


class NotYaml(Exception):
    """The text is no mapping in YAML; ``line`` says where. Its reader says of which file."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def read_mapping(text: str, *, line: int, hint: str) -> tuple[yaml.MappingNode, dict[str, Any]]:
    """The text's one mapping, as nodes, which know their lines, and as values.

    Raises ``NotYaml``: with ``line`` where nothing better is known, and with ``hint`` where there
    is no mapping.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            what = "empty" if node is None else "no mapping of keys to values"
            raise NotYaml(line, f"the file is {what}; {hint}")
        _refuse_duplicates(node)
        return node, loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = mark.line + 1 if mark else line
        tab = "; indent with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise NotYaml(where, f"this is not valid YAML: {said}{tab}") from error
    except yaml.reader.ReaderError as error:
        where = text.count("\n", 0, error.position) + 1
        why = f"the character U+{error.character:04X} may not stand in YAML; remove it"
        raise NotYaml(where, why) from error
    except (ValueError, RecursionError) as error:  # !!int x, or a thousand brackets
        raise NotYaml(line, f"a value can't be read as YAML: {error}") from error


def line_of(node: yaml.Node) -> int:
    """The line on which something begins, from 1."""
    return int(node.start_mark.line) + 1


def lines_of(node: yaml.Node) -> Mapping[str, int]:
    """The line of each key of a mapping; of anything else, none."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): line_of(key) for key, _ in node.value}


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, except that a date which does not exist has its line too."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> date:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"{node.value} is not a date: {error}", node.start_mark
            ) from error


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def _refuse_duplicates(node: yaml.Node) -> None:
    """YAML keeps the last of two equal keys without a word."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[object, int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            first = seen.setdefault(key.value, line_of(key))
            if first != line_of(key):
                why = f"`{key.value}:` stands on line {first} already; remove one of them"
                raise NotYaml(line_of(key), why)
        _refuse_duplicates(value)
