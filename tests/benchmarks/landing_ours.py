"""Our own landing, as the benchmarks and the fuzz run call it.

What belongs here: the calls of ``pipelines`` that are measured or fuzzed, and nothing else, so that
one place changes when they do. What does not: peers, bodies, measuring.
"""

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.api import SURFACES, HuntingClient, Surface
from pipelines.clock import SystemClock
from pipelines.hunts import SurfaceName
from pipelines.landing import (
    Answer,
    Decoder,
    StagedSlice,
    Staging,
    commit,
    decode,
    use_system_allocator,
)
from pipelines.landing.dialects import Dialect
from pipelines.spans import Span
from tests.landing.samples import HOUR, a_receipt, a_record, hours

_TIME_COLUMN: Final = "Timestamp"
_REQUEST_SECONDS: Final = 600.0


class _Tokens:
    """The token of a server that asks for none."""

    def token(self) -> str:
        return "token"

    def discard(self) -> None:
        """There is no other."""

    def close(self) -> None:
        """Nothing is open."""


def decode_ours(
    body: bytes, dialect: Dialect, block_bytes: int | None = None, chunk_bytes: int | None = None
) -> Answer:
    """The decoder under test, made to cut its blocks, and to get its input, in such sizes."""
    sizes = {} if block_bytes is None else {"block_bytes": block_bytes}
    step = chunk_bytes or max(1, len(body))
    with Decoder(dialect, **sizes) as decoder:
        for start in range(0, len(body), step):
            decoder.feed(body[start : start + step])
        return decoder.finish()


def land(body: bytes, dialect: Dialect, target: Path) -> None:
    """From the bytes of an answer to its committed partition."""
    use_system_allocator()
    _land(decode(body, dialect), target)


def land_fetched(url: str, tls: ssl.SSLContext, dialect: Dialect, target: Path) -> None:
    """From the socket to the committed partition, by the client that exports use."""
    use_system_allocator()
    with (
        HuntingClient(
            _surface(dialect),
            api_url=url,
            tokens=_Tokens(),
            tls=tls,
            clock=SystemClock(),
            request_seconds=_REQUEST_SECONDS,
        ) as client,
        Decoder(dialect) as decoder,
    ):
        client.stream(_TIME_COLUMN, decoder.feed)
        answer = decoder.finish()
    _land(answer, target)


def _land(answer: Answer, target: Path) -> None:
    record = a_record(hours(0, 1), answer.rows)
    slices = [Staging.hold(answer, record, time_column=_TIME_COLUMN)]
    commit(target, slices, receipt=a_receipt(slices))


def stage(
    chunks: Iterable[bytes], dialect: Dialect, folder: Path, rows: int | None = None
) -> StagedSlice:
    """The answer that comes in chunks, or its first rows, as a slice on disk."""
    use_system_allocator()
    with Decoder(dialect) as decoder:
        for chunk in chunks:
            decoder.feed(chunk)
        answer = decoder.finish()
    if rows is not None:
        answer = replace(answer, table=answer.table.slice(0, rows))
    record = a_record(hours(0, 1), answer.rows)
    return Staging(folder).write(answer, record, time_column=_TIME_COLUMN)


def commit_many(staged: StagedSlice, count: int, target: Path) -> None:
    """A partition of so many slices, each with the rows of the one that is staged."""
    slices = [_moved(staged, hour) for hour in range(count)]
    commit(target, slices, receipt=a_receipt(slices))


def _moved(staged: StagedSlice, number: int) -> StagedSlice:
    """The slice with a span of its own, a minute after the one before it."""
    start = hours(0, 1).start + number * HOUR // 60
    span = Span.of(replace(hours(0, 1), start=start, end=start + HOUR // 60))
    return replace(staged, record=replace(staged.record, span=span))


def _surface(dialect: Dialect) -> Surface:
    name: SurfaceName = "graph" if dialect == "odata" else "xdr"
    return SURFACES[name]


__all__: Sequence[str] = ("commit_many", "decode_ours", "land", "land_fetched", "stage")
