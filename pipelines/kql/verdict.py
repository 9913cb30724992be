"""Whether a query means the same when it is evaluated slice by slice.

What belongs here: the verdict, its reason, and what follows for slicing. What does not: finding
what the query reads (``sources``), what its parts stand for (``interpret``), or writing the query
for one slice (``rewrite``).

A query is cut only where it is plain that this changes nothing. Anything else is evaluated whole,
once for each partition: dear, but never wrong.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from pipelines.errors import KqlError
from pipelines.kql.evaluate import TooEntangled
from pipelines.kql.functions import TIME_FUNCTIONS
from pipelines.kql.interpret import Interpreter, Prefix
from pipelines.kql.lexer import Token, code, place
from pipelines.kql.names import BUCKET, time_column_of
from pipelines.kql.sources import find_sources
from pipelines.kql.steps import ONE_TO_ONE
from pipelines.kql.structure import Let, Pipeline, Statement, parse
from pipelines.kql.values import CHANGING, Division, Relation, Value, events, whole
from pipelines.spans import TICKS, Grid


class Verdict(StrEnum):
    """What slicing a hunt by time would do to it."""

    ROW_WISE = "row-wise"
    """Nothing: each row of the answer comes from one row of one event table."""
    ALIGNED = "aligned"
    """Nothing, where it is cut between the bins of time that its rows stand for."""
    KEYED = "keyed"
    """It would change the answer; but a hash of the key that it groups by divides it safely."""
    WHOLE = "whole"
    """It would change the answer, or might: one call for each partition."""
    SNAPSHOT = "snapshot"
    """It can't be done: every table is a current-state one, without a time."""


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table of events that the query reads, and the column that says when each happened."""

    name: str
    time_column: str


@dataclass(frozen=True, slots=True)
class Counting:
    """How the rows of an answer can be counted by time: a prefix of the query, and a column there.

    What follows ``offset`` in the query keeps each row and makes none, so that the rows are the
    same in number, though the time may be gone later on.
    """

    offset: int
    column: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a query means for slicing. ``reason`` completes "it is whole, since ...".

    ``grid`` is where the answer may be cut in time (``None``: nowhere). ``time_column`` is the
    answer's column that holds each row's own cell: the event's time in a row-wise answer, the start
    of its bin in an aligned one; ``None`` where the answer has lost it. ``hash_columns`` are the
    answer's columns by whose hash it may be split within a cell: the key that it groups by, or,
    where that is empty, the whole row; ``None`` where it may not be. ``uses_now``: what it returns
    depends on its partition's end. ``end`` is the offset at which further operators may follow.
    """

    verdict: Verdict
    reason: str
    event_tables: tuple[EventTable, ...]
    snapshot_tables: tuple[str, ...]
    grid: Grid | None
    time_column: str | None
    hash_columns: tuple[str, ...] | None
    counting: Counting | None
    uses_now: bool
    end: int


@dataclass(frozen=True, slots=True)
class Override:
    """What the hunt's author knows better: the verdict, and why. ``key`` is that of ``KEYED``."""

    verdict: Literal[Verdict.ROW_WISE, Verdict.KEYED, Verdict.WHOLE]
    reason: str
    key: tuple[str, ...] = ()


def analyse(
    query: str,
    *,
    time_column: str | None = None,
    reference_tables: Collection[str] = (),
    override: Override | None = None,
) -> Analysis:
    """What the query means for slicing.

    ``time_column`` is what the hunt's file says of tables that the documentation doesn't list;
    ``reference_tables`` are those that it takes as reference data: read whole, whatever the window.
    Raises ``KqlError``, with line and column, for a query that can't be read or not be restricted.
    """
    _refuse_added_names(query)
    parsed = parse(query)
    sources = find_sources(query, parsed, time_column=time_column)
    names = dict.fromkeys(table.name for table in sources.tables)
    times = {
        name: None if name in reference_tables else time_column_of(name, time_column)
        for name in names
    }
    event_tables = tuple(EventTable(name, time) for name, time in times.items() if time is not None)
    snapshots = tuple(name for name, time in times.items() if time is None)

    relations = {name: events(time) for name, time in times.items()}
    if event_tables:
        relations |= dict.fromkeys(snapshots, CHANGING)
    interpreter = Interpreter(query, {each.start: relations[each.name] for each in sources.tables})
    relation = _answer(interpreter, parsed, [each.start for each in sources.tables])
    verdict, reason = _judged(query, relation, event_tables, snapshots)
    in_time = verdict in {Verdict.ROW_WISE, Verdict.ALIGNED}
    end = _end(query, parsed)
    analysis = Analysis(
        verdict,
        reason,
        event_tables,
        snapshots,
        grid=relation.grid if in_time else None,
        time_column=relation.time_column if in_time else None,
        hash_columns=_hash_columns(relation),
        counting=_counting(interpreter.prefixes, end) if in_time else None,
        uses_now=_uses_now(code(query)),
        end=end,
    )
    if override is None or verdict in {override.verdict, Verdict.SNAPSHOT}:
        return analysis
    return _overridden(analysis, override)


def _refuse_added_names(query: str) -> None:
    """A column of the hunt's would be taken for the one that is added to it for a while."""
    named = next((token for token in code(query) if BUCKET in token.text), None)
    if named is not None:
        raise KqlError(
            f"{place(query, named.start)}: {BUCKET} is the name of a column that huntlake adds "
            f"while it pulls; give yours another"
        )


def _overridden(analysis: Analysis, override: Override) -> Analysis:
    """The author's verdict. What only the analysis could have found out is not made up."""
    return replace(
        analysis,
        verdict=override.verdict,
        reason=f"its file says so: {override.reason}",
        grid=TICKS if override.verdict is Verdict.ROW_WISE else None,
        time_column=None,
        hash_columns=override.key or None,
        counting=None,
    )


def _answer(
    interpreter: Interpreter, parsed: Sequence[Statement], tables: Iterable[int]
) -> Relation:
    """What the query returns; whole, where it isn't plain that all its parts were seen."""
    pipelines = [statement for statement in parsed if isinstance(statement, Pipeline)]
    last = parsed[-1]
    if isinstance(last, Let):
        return whole(last.start, "the query ends with the `let` at {place}")
    if len(pipelines) > 1:
        return whole(pipelines[1].start, "a second query starts at {place}")
    try:
        value = interpreter.query(parsed)
    except TooEntangled:
        return whole(last.start, "the query at {place} is too entangled to be followed")
    unseen = next(filter(interpreter.misses, tables), None)
    if unseen is not None:
        return whole(unseen, "it is not plain why the table at {place} is read")
    return _checked(value, last.start)


def _checked(value: Value, start: int) -> Relation:
    """The relation, if it can be an answer that is divided."""
    if not isinstance(value, Relation):
        return whole(start, "the query at {place} is not known to return a table")
    if value.division is Division.CONSTANT:
        return whole(start, "the answer of the query at {place} comes from no event")
    if value.division is Division.KEYED and _hash_columns(value) is None and value.note:
        return whole(value.note.start, f"{value.note.text}keys that the answer doesn't have")
    return value


def _judged(
    query: str, relation: Relation, event_tables: Sequence[EventTable], snapshots: Sequence[str]
) -> tuple[Verdict, str]:
    if not event_tables and not snapshots:
        return Verdict.WHOLE, "it reads no table"
    if not event_tables:
        return Verdict.SNAPSHOT, f"{_listed(snapshots)} {_have(snapshots)} no time"
    note = relation.note.located(query) if relation.note else ""
    match relation.division:
        case Division.ROWS:
            names = _listed([table.name for table in event_tables])
            return Verdict.ROW_WISE, f"every operator treats each row of {names} by itself"
        case Division.ALIGNED:
            return Verdict.ALIGNED, note
        case Division.KEYED:
            keys = _listed(relation.keys) if relation.keys else "whole rows"
            return Verdict.KEYED, f"{note}{keys}, whose hash divides {_it(relation.keys)}"
        case _:
            return Verdict.WHOLE, note


def _hash_columns(relation: Relation) -> tuple[str, ...] | None:
    """By what the answer's rows may be divided: their keys, or all of a row that never changes."""
    if relation.division in {Division.CONSTANT, Division.WHOLE}:
        return None
    if relation.division is not Division.ROWS and relation.keys:
        return relation.keys
    return () if relation.steady else None


def _counting(prefixes: Sequence[Prefix], end: int) -> Counting | None:
    """The first place from which on every step keeps each row and makes none."""
    found: Counting | None = None
    for prefix in reversed(prefixes):
        if prefix.end > end:
            continue
        if (time := prefix.relation.time_column) is not None:
            found = Counting(prefix.end, time)
        if prefix.step is None or prefix.step.name not in ONE_TO_ONE:
            break
    return found


def _end(query: str, parsed: Sequence[Statement]) -> int:
    """Where further operators may follow: not behind a ``render``, which must be the last."""
    last = parsed[-1]
    if isinstance(last, Pipeline) and last.operators:
        if last.operators[-1].name != "render":
            return last.operators[-1].end
        if len(last.operators) > 1:
            return last.operators[-2].end
    if isinstance(last, Pipeline) and last.source:
        return last.source[-1].end
    tokens = [token for token in code(query) if not token.is_sign(";")]
    return tokens[-1].end


def _uses_now(tokens: Sequence[Token]) -> bool:
    return any(
        name.is_name(*TIME_FUNCTIONS) and opening.is_sign("(") for name, opening in pairwise(tokens)
    )


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _it(keys: Sequence[str]) -> str:
    return "it" if keys else "them"
