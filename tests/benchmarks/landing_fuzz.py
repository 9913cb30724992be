"""Mutated bodies by the thousand: the right rows, or a named error, and nothing else.

    python -m tests.benchmarks.landing_fuzz [--bodies N] [--seed S] [--jobs J]

What belongs here: the run. What does not: bodies, their changes and the judgement
(``tests.landing``). A body is repeated by the run's seed and its number.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final

import click

from pipelines.landing.dialects import Dialect
from tests.benchmarks.landing_ours import decode_ours
from tests.landing.byte_mutations import mutate_bytes
from tests.landing.judging import Agreement, Decode, Disagreement, judged, smallest
from tests.landing.seeds import Seed, seeds
from tests.landing.tree_mutations import mutate_tree

_SEEDS: Final = 80
_CHUNK: Final = 50
# Blocks and chunks so small that edges fall everywhere, and what a decoder takes by itself.
_BLOCK_BYTES: Final = (None, 1, 100, 100, 1_000, 1_000, 5_000)
_CHUNK_BYTES: Final = (None, 1, 7, 64, 1_000, 65_536)
# Byte by byte a long body takes long, and shows no more than a short one.
_LONG: Final = 4_000


@dataclass(frozen=True, slots=True)
class Case:
    """One mutated body, and the sizes in which it is decoded."""

    number: int
    body: bytes
    dialect: Dialect
    block_bytes: int | None
    chunk_bytes: int | None

    def decode(self) -> Decode:
        """The decoder under test, with these sizes."""
        return lambda body, dialect: decode_ours(body, dialect, self.block_bytes, self.chunk_bytes)

    def judge(self) -> Agreement | Disagreement:
        """What the decoder and the reference make of it."""
        return judged(self.body, self.dialect, self.decode())

    def smallest(self, found: Disagreement) -> bytes:
        """A small body about which they disagree in the same way."""

        def is_still_wrong(body: bytes) -> bool:
            again = judged(body, self.dialect, self.decode())
            return isinstance(again, Disagreement) and again.kind == found.kind

        return smallest(self.body, is_still_wrong)


@dataclass(frozen=True, slots=True)
class Batch:
    """What some cases came to: how many were answers, and the disagreements with a small body."""

    answers: int
    disagreements: list[tuple[Case, Disagreement, bytes]]


@lru_cache(maxsize=1)
def starts(seed: int) -> list[Seed]:
    """The whole bodies that a run begins with."""
    return seeds(seed, _SEEDS)


def case_of(seed: int, number: int) -> Case:
    """The case of a number: a whole body, in one of fifteen as it is, else changed up to thrice."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 - bodies that can be repeated, not secrets
    start = chance.choice(starts(seed))
    body = start.body
    for _ in range(chance.choice([1, 1, 1, 2, 3]) if chance.random() < 14 / 15 else 0):
        # The tree first most often: of broken bytes there is none.
        mutate = mutate_tree if chance.random() < 0.5 else mutate_bytes
        body = mutate(chance, body)
    block, chunk = chance.choice(_BLOCK_BYTES), chance.choice(_CHUNK_BYTES)
    if len(body) > _LONG and chunk is not None:
        chunk = max(chunk, 64)
    return Case(number, body, start.dialect, block, chunk)


def judge_batch(seed: int, numbers: tuple[int, ...]) -> Batch:
    """Judge the cases of these numbers."""
    answers, found = 0, []
    for number in numbers:
        case = case_of(seed, number)
        verdict = case.judge()
        if isinstance(verdict, Disagreement):
            found.append((case, verdict, case.smallest(verdict)))
        elif verdict.rows is not None:
            answers += 1
    return Batch(answers, found)


@click.command()
@click.option("--bodies", default=5_000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1))
def main(*, bodies: int, seed: int, jobs: int) -> None:
    """Decode mutated bodies beside the reference; the exit status is 1 where they disagree."""
    answers, kinds = 0, Counter[str]()
    for batch in _batches(bodies, seed, jobs):
        answers += batch.answers
        for case, disagreement, body in batch.disagreements:
            kinds[disagreement.kind] += 1
            click.echo(
                f"body {case.number} ({case.dialect}, blocks of {case.block_bytes}, chunks of "
                f"{case.chunk_bytes}): {disagreement.kind}: {disagreement.text}\n    {body!r}"
            )
    click.echo(
        f"{bodies:,} bodies of seed {seed}: {answers:,} landed right, "
        f"{bodies - answers - kinds.total():,} were refused by both, {kinds.total():,} disagreed"
        + "".join(f"\n  {count:>5} x {kind}" for kind, count in kinds.most_common())
    )
    sys.exit(1 if kinds else 0)


def _batches(bodies: int, seed: int, jobs: int) -> Iterator[Batch]:
    """All cases, in processes of their own, in the order of their numbers."""
    numbers = [
        tuple(range(start, min(start + _CHUNK, bodies))) for start in range(0, bodies, _CHUNK)
    ]
    with ProcessPoolExecutor(jobs) as pool:
        for done, batch in enumerate(pool.map(judge_batch, [seed] * len(numbers), numbers)):
            click.echo(f"  {(done + 1) * _CHUNK:,} of {bodies:,}", err=True)
            yield batch


if __name__ == "__main__":
    main()
