"""Reading one file of the hunt catalogue.

What belongs here: the two forms, the community's YAML hunting-query format and plain KQL with an
optional comment header, and our settings in either. What does not: the folder (``hunt_files``).

Of the community's format only what we use is read, so its files drop in unmodified; our own
settings, under ``export:``, are checked strictly, since a setting that is misspelt and ignored is
found months later.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from pydantic import TypeAdapter, ValidationError

from pipelines.errors import HuntFileError, KqlError
from pipelines.hunt_analysis import analyse_query, idle_settings
from pipelines.hunts import ExportSettings, Hunt
from pipelines.kql import Analysis, Verdict
from pipelines.located_yaml import NotYaml, line_of, lines_of, read_mapping

_SETTINGS: Final = tuple(field.name for field in fields(ExportSettings))
_CHECKED_SETTINGS: Final = TypeAdapter(ExportSettings)
_HEADER_ENTRY: Final = re.compile(r"//\s?(?P<key>[A-Za-z]+)\s*:(?P<value>.*)")
_HEADER_CONTINUATION: Final = re.compile(r"//(?:\s{2,}|\t)\S")
_HEADER_KEYS: Final = ("name", "description", "tactics", "techniques", "tags", "export")
_PLACE: Final = re.compile(r"(\d+):(\d+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a file says, before its settings are checked and its query analysed."""

    query: str
    query_line: int
    texts: Mapping[str, Any]
    export: object
    export_lines: Mapping[str, int]
    """The line of each setting; of ``export`` itself under ``""``."""


def read_hunt(path: Path, name: str) -> Hunt:
    """The hunt that the file holds. Raises ``HuntFileError``: file, line, what is wrong."""
    draft = READERS[path.suffix.lower()](path, _text(path))
    if not draft.query.strip():
        _refuse(path, draft.query_line, "the query is empty; write one, or remove the file")
    settings = _settings(path, draft)
    analysis = _analysis(path, draft, settings)
    return Hunt(
        name=name,
        query=draft.query.rstrip(),
        title=str(draft.texts.get("name") or "").strip(),
        description=str(draft.texts.get("description") or "").strip(),
        tags=_strings(draft.texts.get("tags")),
        tactics=_strings(draft.texts.get("tactics")),
        techniques=_strings(draft.texts.get("techniques")),
        export=_with_partitions(path, draft, settings, analysis),
        path=path,
    )


# The two forms


def _read_yaml(path: Path, text: str) -> _Draft:
    node, data = _yaml_mapping(path, text, line=1)
    nodes = {key.value: (key, value) for key, value in node.value}
    if "query" not in nodes or "query" not in data:
        _refuse(path, 1, "the file has no `query:`; add one, or move it out of the catalogue")
    query = nodes["query"][1]
    if not isinstance(data["query"], str):
        _refuse(path, line_of(query), "`query:` must be text; start it with `query: |`")
    is_block = query.style in {"|", ">"}
    export_key, export = nodes.get("export", (None, None))
    lines = {"": line_of(export_key)} if export_key is not None else {}
    if export is not None:
        lines |= lines_of(export)
    texts = {**data, "techniques": data.get("relevantTechniques")}
    return _Draft(data["query"], line_of(query) + is_block, texts, data.get("export"), lines)


def _read_kql(path: Path, text: str) -> _Draft:
    lines = text.split("\n")
    entries, query_line = _header(path, lines)
    while entries and query_line < len(lines) and not lines[query_line - 1].strip():
        query_line += 1
    texts: dict[str, Any] = {}
    export: object = None
    export_lines: Mapping[str, int] = {}
    for key, (line, content) in entries.items():
        if key == "export":
            chunk = "\n" * (line - 1) + "export:" + "\n".join(content)
            node, data = _yaml_mapping(path, chunk, line=line)
            (export_key, settings), *_ = node.value
            export, export_lines = data["export"], {"": line_of(export_key), **lines_of(settings)}
        else:
            texts[key] = " ".join(part.strip() for part in content)
    for key in ("tactics", "techniques", "tags"):
        texts[key] = [part.strip() for part in texts.get(key, "").split(",")]
    query = "\n".join(lines[query_line - 1 :])
    return _Draft(query, query_line, texts, export, export_lines)


READERS: Final[Mapping[str, Callable[[Path, str], _Draft]]] = {
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".kql": _read_kql,
}


def _header(path: Path, lines: Sequence[str]) -> tuple[dict[str, tuple[int, list[str]]], int]:
    """What the comments at the top say, by key, and the line on which the query then starts.

    An entry is its line and its text: what follows the colon, and each indented line below it.
    """
    entries: dict[str, tuple[int, list[str]]] = {}
    query_line = 1
    open_entry: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        comment = line.strip()
        if comment and not comment.startswith("//"):
            break
        start = _HEADER_ENTRY.fullmatch(comment)
        key = start["key"].lower() if start else ""
        if start and key in _HEADER_KEYS:
            if key in entries:
                _refuse(path, number, f"the header has a second `{key}:`; remove one of them")
            open_entry = [start["value"]]
            entries[key] = (number, open_entry)
        elif open_entry is not None and _HEADER_CONTINUATION.match(comment):
            open_entry.append(comment.removeprefix("//"))
        else:
            _refuse_misspelt_export(path, number, key)
            open_entry = None
        if open_entry is not None:
            query_line = number + 1
    return entries, query_line


def _refuse_misspelt_export(path: Path, line: int, key: str) -> None:
    """``// exports:`` would be a comment, and its settings ignored without a word."""
    if difflib.get_close_matches(key, ["export"], cutoff=0.8):
        _refuse(path, line, f"`{key}:` in the header is not known; did you mean `export:`?")


# YAML


def _yaml_mapping(path: Path, text: str, *, line: int) -> tuple[yaml.MappingNode, dict[str, Any]]:
    try:
        return read_mapping(text, line=line, hint="write `name:` and `query:` at least")
    except NotYaml as error:
        raise HuntFileError(f"{path}:{error.line}: {error}") from error


# Settings and query


def _settings(path: Path, draft: _Draft) -> ExportSettings:
    if draft.export is None:
        return ExportSettings()
    line = draft.export_lines[""]
    if not isinstance(draft.export, dict):
        _refuse(path, line, "`export:` must hold settings, such as `partitions: daily`")
    for key in draft.export:
        if key not in _SETTINGS:
            near = difflib.get_close_matches(str(key), _SETTINGS, n=1, cutoff=0.4)
            hint = f"did you mean `{near[0]}:`?" if near else f"known are {', '.join(_SETTINGS)}"
            where = draft.export_lines.get(str(key), line)
            _refuse(path, where, f"`{key}:` is not a setting of `export:`; {hint}")
    try:
        return _CHECKED_SETTINGS.validate_python(draft.export)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        where = draft.export_lines.get(key, line)
        said = first["msg"].removeprefix("Value error, ")
        said = said.replace("Input", "it").replace("tuple", "list")
        why = f"`export: {key}:` is wrong: {said}"
        raise HuntFileError(f"{path}:{where}: {why}") from error


def _analysis(path: Path, draft: _Draft, settings: ExportSettings) -> Analysis:
    try:
        analysis = analyse_query(draft.query, settings)
    except KqlError as error:
        line, why = 1, str(error)
        if located := _PLACE.fullmatch(why):
            line, why = int(located[1]), f"column {located[2]} of the query: {located[3]}"
        raise HuntFileError(f"{path}:{draft.query_line + line - 1}: {why}") from error
    _refuse_idle_settings(path, draft, settings, analysis)
    return analysis


def _refuse_idle_settings(
    path: Path, draft: _Draft, settings: ExportSettings, analysis: Analysis
) -> None:
    """Refuse what its author thinks is heeded."""
    for key, why in idle_settings(settings, analysis):
        _refuse(path, draft.export_lines[key], f"`{key}:` {why}")


def _with_partitions(
    path: Path, draft: _Draft, settings: ExportSettings, analysis: Analysis
) -> ExportSettings:
    """The settings with the partitions that fit the query, where the file names none."""
    has_time = analysis.verdict is not Verdict.SNAPSHOT
    if not has_time and settings.settle >= timedelta(days=1):
        why = "`settle:` must be less than a day here, as a snapshot is taken on its own day"
        _refuse(path, draft.export_lines["settle"], why)
    given = draft.export_lines.get("partitions")
    if given is None:
        return settings if has_time else replace(settings, partitions="snapshot")
    if has_time and settings.partitions == "snapshot":
        why = "`partitions: snapshot` is for hunts on tables without a time; use daily or hourly"
        _refuse(path, given, why)
    if not has_time and settings.partitions != "snapshot":
        why = f"use `partitions: snapshot`, as {analysis.reason} to divide by"
        _refuse(path, given, why)
    return settings


def _text(path: Path) -> str:
    """The file's text, its line ends as Python's; a byte order mark is not part of it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise HuntFileError(
            f"{path}:{line}: the file is not UTF-8 from here on; save it as UTF-8"
        ) from error
    except OSError as error:
        raise HuntFileError(f"{path}:1: the file can't be read: {error.strerror}") from error


def _strings(value: object) -> tuple[str, ...]:
    """A list of texts; the community's files hold one text, or none, as well."""
    if isinstance(value, list):
        return tuple(str(item) for item in value if isinstance(item, str) and item)
    return (value,) if isinstance(value, str) and value else ()


def _refuse(path: Path, line: int, why: str) -> NoReturn:
    raise HuntFileError(f"{path}:{line}: {why}")
