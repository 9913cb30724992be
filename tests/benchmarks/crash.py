"""What is lost, doubled or pulled again when exports or recounts are killed at random instants.

    python -m tests.benchmarks.crash [--recount] [--kills N] [--json] [--seed S]

What belongs here: the figures of many kills. What does not: exports and recounts, and their killing
(``killing``, ``killing_recounts``).
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

import click

from tests.benchmarks.killing import Kill, Tenant, exports_under_kills, seconds_of_an_export
from tests.benchmarks.killing_recounts import recounts_under_kills, seconds_of_a_recount


class Killed(Protocol):
    """An export or a recount that was killed, and has come to its end all the same."""

    kind: ClassVar[str]
    lost: int
    doubled: int
    kills: list[Kill]

    @property
    def counted(self) -> int:
        """How many counts were asked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all kills together did, and what the worst of them cost."""

    kills: int
    rows_lost: int
    rows_doubled: int
    slices_pulled_again_max: int

    @classmethod
    def of(cls, runs: Sequence[Killed]) -> Self:
        """The outcome of some exports, or some recounts."""
        kills = [kill for run in runs for kill in run.kills]
        return cls(
            kills=len(kills),
            rows_lost=sum(run.lost for run in runs),
            rows_doubled=sum(run.doubled for run in runs),
            slices_pulled_again_max=max((kill.pulled_again for kill in kills), default=0),
        )

    @property
    def holds(self) -> bool:
        """Whether it is as promised."""
        return not (self.rows_lost or self.rows_doubled) and self.slices_pulled_again_max <= 1


def as_table(runs: Sequence[Killed]) -> str:
    """The outcome for people: where the kills fell, and what they cost."""
    outcome = Outcome.of(runs)
    kills = [kill for run in runs for kill in run.kills]
    lines = [f"{'killed amid':<36} {'kills':>6} {'slices pulled again':>20}"]
    for amid, number in Counter(kill.amid for kill in kills).most_common():
        lines.append(f"{amid:<36} {number:>6,} {_again(kills, amid):>20,}")
    kind, counts = runs[0].kind, sum(run.counted for run in runs)
    lines += ["", f"{'rows safe by then':<36} {'kills':>6}", *_shares(kills), ""]
    lines.append(
        f"{outcome.kills:,} kills over {len(runs):,} {kind}s: {outcome.rows_lost:,} rows lost, "
        f"{outcome.rows_doubled:,} doubled; at most {outcome.slices_pulled_again_max:,} slices "
        f"pulled again for one kill; {counts / len(runs):.1f} counts a run"
    )
    return "\n".join(lines)


def _again(kills: Iterable[Kill], amid: str) -> int:
    return sum(kill.pulled_again for kill in kills if kill.amid == amid)


def _shares(kills: Sequence[Kill]) -> list[str]:
    fifths = Counter(min(int(kill.safe_share * 5), 4) for kill in kills)
    return [
        f"{f'{fifth * 20} to {fifth * 20 + 20} %':<36} {fifths[fifth]:>6,}" for fifth in range(5)
    ]


@click.command()
@click.option("--recount", is_flag=True, help="Kill recounts of days of which events came late.")
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--seed", default=0, show_default=True, type=int)
def main(*, recount: bool, kills: int, as_object: bool, seed: int) -> None:
    """Kill exports with SIGKILL at random instants, start them again, and compare their rows."""
    took, killed = (
        (seconds_of_a_recount, recounts_under_kills)
        if recount
        else (seconds_of_an_export, exports_under_kills)
    )
    runs: list[Killed] = []
    with tempfile.TemporaryDirectory() as name, Tenant(Path(name)) as tenant:
        # Half the time of a run: most are killed several times on their way.
        within = took(tenant, Path(name)) / 2
        runs += killed(tenant, Path(name), kills=kills, seed=seed, within_seconds=within)
    outcome = Outcome.of(runs)
    click.echo(json.dumps(asdict(outcome)) if as_object else as_table(runs))
    sys.exit(0 if outcome.holds else 1)


if __name__ == "__main__":
    main()
