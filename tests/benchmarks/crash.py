"""What is lost, doubled or pulled again when exports are killed at random instants.

    python -m tests.benchmarks.crash [--kills N] [--json] [--seed S]

What belongs here: the figures of many kills. What does not: exports and their killing
(``killing``).
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import click

from tests.benchmarks.killing import Export, Kill, Tenant, exports_under_kills, seconds_of_an_export


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all kills together did, and what the worst of them cost."""

    kills: int
    rows_lost: int
    rows_doubled: int
    slices_pulled_again_max: int

    @classmethod
    def of(cls, exports: Sequence[Export]) -> Self:
        """The outcome of some exports."""
        kills = [kill for export in exports for kill in export.kills]
        return cls(
            kills=len(kills),
            rows_lost=sum(export.lost for export in exports),
            rows_doubled=sum(export.doubled for export in exports),
            slices_pulled_again_max=max((kill.pulled_again for kill in kills), default=0),
        )

    @property
    def holds(self) -> bool:
        """Whether it is as promised."""
        return not (self.rows_lost or self.rows_doubled) and self.slices_pulled_again_max <= 1


def as_table(exports: Sequence[Export]) -> str:
    """The outcome for people: where the kills fell, and what they cost."""
    outcome = Outcome.of(exports)
    kills = [kill for export in exports for kill in export.kills]
    lines = [f"{'killed amid':<36} {'kills':>6} {'slices pulled again':>20}"]
    for amid, number in Counter(kill.amid for kill in kills).most_common():
        lines.append(f"{amid:<36} {number:>6,} {_again(kills, amid):>20,}")
    counts = sum(export.counted for export in exports)
    lines += ["", f"{'rows safe by then':<36} {'kills':>6}", *_shares(kills), ""]
    lines.append(
        f"{outcome.kills:,} kills over {len(exports):,} exports: {outcome.rows_lost:,} rows lost, "
        f"{outcome.rows_doubled:,} doubled; at most {outcome.slices_pulled_again_max:,} slices "
        f"pulled again for one kill; {counts / len(exports):.1f} counts an export"
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
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--seed", default=0, show_default=True, type=int)
def main(*, kills: int, as_object: bool, seed: int) -> None:
    """Kill exports with SIGKILL at random instants, start them again, and compare their rows."""
    with tempfile.TemporaryDirectory() as name, Tenant(Path(name)) as tenant:
        # Half the time of an export: most are killed several times on their way.
        within = seconds_of_an_export(tenant, Path(name)) / 2
        exports = list(
            exports_under_kills(tenant, Path(name), kills=kills, seed=seed, within_seconds=within)
        )
    outcome = Outcome.of(exports)
    click.echo(json.dumps(asdict(outcome)) if as_object else as_table(exports))
    sys.exit(0 if outcome.holds else 1)


if __name__ == "__main__":
    main()
