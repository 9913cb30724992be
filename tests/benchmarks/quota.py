"""Thirty days of nightly loads and backfills under one tenant's quota, in simulated time.

    python -m tests.benchmarks.quota [--json] [--days N] [--seed S]

What belongs here: exports that call through the real gate and ledger, the service's own book of its
quotas (the stand-in's), and counting. What does not: pulling rows, which ``calls`` measures; a call
here is a running time. Twice: with the tenant to ourselves, and beside a second client that takes a
third of the running time unannounced.
"""

import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from pipelines.clock import NANOSECONDS_PER_SECOND
from pipelines.errors import Throttled
from pipelines.quota import Gate, Ledger, Turn, parse_limits, urgency_of
from pipelines.standin import StandinLimits
from pipelines.standin.limits import QuotaBook, Refusal
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, Window, parse_instant
from tests.slicing.simulation import QuickStore
from tests.virtual_clock import VirtualClock

START: Final = parse_instant("2026-11-01T00:00:00Z")
LIMITS: Final = parse_limits("seed")

_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
_DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600
_NIGHT_SECONDS: Final = 2 * _HOUR_SECONDS
# A night: so many hunts, of so many calls each.
_NIGHTLY_HUNTS: Final = 8
_NIGHTLY_CALLS: Final = 4
# Each backfill has the days of a month, and so many calls for each of them.
_BACKFILLS: Final = {"large": 60, "small": 6}
_BACKFILLED_DAYS: Final = 29
_MEAN_SECONDS: Final = 20.0
_SECONDS_PER_CALL: Final = 0.5
_LEAST_SECONDS: Final = 3.0
# A third of what is allowed in an hour.
_OUTSIDE_SECONDS: Final = 200.0


@dataclass(slots=True)
class World:
    """A tenant, the engine's gate to it, and what was seen. Times are Unix nanoseconds."""

    clock: VirtualClock
    gate: Gate
    book: QuotaBook
    calls: list[tuple[int, float]] = field(default_factory=list)
    refusals: list[tuple[int, float]] = field(default_factory=list)
    waits: Counter[str] = field(default_factory=Counter)
    backlog: list[tuple[int, int]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    outside_seconds: float = 0.0

    def call(self, turn: Turn, seconds: float) -> None:
        """One call, waited for and sent as the engine does; again where the service refuses."""
        while seconds > 0:
            try:
                with self.gate.call(turn, lambda wait: self.waits.update([wait.reason])) as call:
                    part = seconds if call.room_seconds is None else call.room_seconds
                    part = min(part, seconds)
                    self._sent(part)
            except Throttled:
                continue
            # A smaller call leaves the rest, and what each call takes for itself.
            seconds = seconds - part + _SECONDS_PER_CALL if part < seconds else 0.0
            turn = replace(turn, expected_seconds=seconds)

    def _sent(self, seconds: float) -> None:
        now_ns = self.clock.now_ns()
        refusal = self.book.refusal(now_ns)
        if refusal is not None:
            self.refusals.append((now_ns, refusal.window_seconds))
            raise _throttled(refusal)
        self.book.take(now_ns)
        self.clock.sleep(seconds)
        self.book.spend(self.clock.now_ns(), seconds)
        self.calls.append((self.clock.now_ns(), seconds))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What thirty days were like. ``utilisation`` is of the binding quota, while work waited."""

    days: int
    calls: int
    throttled: int
    most_throttled_in_a_window: int
    binding_quota: str
    utilisation: float
    running_seconds: float
    hours_to_the_last_call: dict[str, float]


def _throttled(refusal: Refusal) -> Throttled:
    return Throttled(
        "the quota is used up",
        retry_after_seconds=refusal.wait_seconds,
        quota="running time" if refusal.of_running_time else "calls",
        status=429,
    )


def simulate(
    days: int, *, seed: int, outside: bool, backfilled_days: int = _BACKFILLED_DAYS
) -> Outcome:
    """Nightly loads on each day, and two backfills of a month from the first on."""
    with tempfile.TemporaryDirectory() as folder:
        world = _world(Path(folder))
        chance = random.Random(seed)  # noqa: S311 - days that can be repeated, not secrets
        exports = [
            *_backfills(world, chance, backfilled_days),
            *_nights(world, chance, days),
        ]
        if outside:
            end_ns = world.clock.ns + days * _DAY_SECONDS * NANOSECONDS_PER_SECOND
            exports.append(partial(_other_client, world, chance.random(), end_ns))
        world.clock.run(*exports)
    return _outcome(world, days)


def _world(folder: Path) -> World:
    clock = VirtualClock(START * NANOSECONDS_PER_TICK)
    store = QuickStore(folder / "ledger.sqlite")
    gate = Gate(tenant="simulated", limits=LIMITS, ledger=Ledger(store), locks=folder, clock=clock)
    return World(clock, gate, QuotaBook(StandinLimits()))


def _backfills(world: World, chance: random.Random, days: int) -> Iterator[Callable[[], None]]:
    for hunt, calls in _BACKFILLS.items():
        yield partial(_backfill, world, hunt, days, calls, chance.random())


def _backfill(world: World, hunt: str, days: int, calls: int, seed: float) -> None:
    """The days before, oldest first."""
    began_ns = world.clock.now_ns()
    for day in range(days, 0, -1):
        window = Window(START - day * _DAY_TICKS, START - (day - 1) * _DAY_TICKS)
        _export(world, hunt, window, calls, seed=f"{seed} {day}")
    world.backlog.append((began_ns, world.clock.now_ns()))
    world.done[hunt] = world.clock.now_ns()


def _nights(world: World, chance: random.Random, days: int) -> Iterator[Callable[[], None]]:
    for number in range(_NIGHTLY_HUNTS):
        yield partial(_nightly, world, f"nightly {number}", days, chance.random())


def _nightly(world: World, hunt: str, days: int, seed: float) -> None:
    """The day before, each night at some minute after two."""
    chance = random.Random(seed)  # noqa: S311 - as above
    start_ns = START * NANOSECONDS_PER_TICK
    slowest_ns = 0
    for day in range(days):
        due = day * _DAY_SECONDS + _NIGHT_SECONDS + chance.random() * _HOUR_SECONDS
        due_ns = start_ns + round(due * NANOSECONDS_PER_SECOND)
        world.clock.sleep(max(0, due_ns - world.clock.now_ns()) / NANOSECONDS_PER_SECOND)
        window = Window(START + (day - 1) * _DAY_TICKS, START + day * _DAY_TICKS)
        _export(world, hunt, window, _NIGHTLY_CALLS, seed=f"{seed} {day}")
        slowest_ns = max(slowest_ns, world.clock.now_ns() - due_ns)
    world.done[hunt] = start_ns + slowest_ns


def _export(world: World, hunt: str, window: Window, calls: int, *, seed: str) -> None:
    chance = random.Random(seed)  # noqa: S311 - as above
    for number in range(calls):
        seconds = min(chance.expovariate(1 / _MEAN_SECONDS) + 1, 5 * _MEAN_SECONDS)
        urgency, due_ns = urgency_of(
            window, now_ns=world.clock.now_ns(), data_age_days=LIMITS.data_age_days
        )
        turn = Turn(
            hunt,
            urgency=urgency,
            due_ns=due_ns,
            # A plan knows what a call will take to a tenth or so.
            expected_seconds=seconds * chance.uniform(0.9, 1.1),
            least_seconds=_LEAST_SECONDS,
            calls_left=calls - number,
        )
        world.call(turn, seconds)


def _other_client(world: World, seed: float, end_ns: int) -> None:
    """Takes a third of each hour, in calls at random moments, and asks nobody."""
    chance = random.Random(seed)  # noqa: S311 - as above
    while world.clock.now_ns() < end_ns:
        seconds = chance.uniform(2, 20)
        # So far apart that they come to a third of the quota.
        world.clock.sleep(chance.expovariate(_OUTSIDE_SECONDS / _HOUR_SECONDS / seconds))
        if world.book.refusal(world.clock.now_ns()) is None:
            world.book.take(world.clock.now_ns())
            world.clock.sleep(seconds)
            world.book.spend(world.clock.now_ns(), seconds)
            world.outside_seconds += seconds


def _outcome(world: World, days: int) -> Outcome:
    start_ns, end_ns = world.backlog[0][0], max(end for _, end in world.backlog)
    shares = {}
    for quota in LIMITS.running:
        # In so many whole windows no schedule can use more than so many times the quota.
        window_ns = quota.per_seconds * NANOSECONDS_PER_SECOND
        windows = (end_ns - start_ns) // window_ns
        until_ns = start_ns + windows * window_ns
        used = sum(seconds for at, seconds in world.calls if start_ns < at <= until_ns)
        shares[str(quota)] = used / (quota.amount * windows) if windows else 0.0
    binding = max(shares, key=lambda name: shares[name])
    return Outcome(
        days=days,
        calls=len(world.calls),
        throttled=len(world.refusals),
        most_throttled_in_a_window=_most_in_a_window(world.refusals),
        binding_quota=binding,
        utilisation=shares[binding],
        running_seconds=round(sum(seconds for _, seconds in world.calls), 1),
        hours_to_the_last_call={
            hunt: round((at - start_ns) / NANOSECONDS_PER_SECOND / _HOUR_SECONDS, 2)
            for hunt, at in sorted(world.done.items())
        },
    )


def _most_in_a_window(refusals: list[tuple[int, float]]) -> int:
    """The most 429s of one quota within one of its windows."""
    most = 0
    for at, window in refusals:
        since = at - round(window * NANOSECONDS_PER_SECOND)
        most = max(most, sum(since < each <= at for each, other in refusals if other == window))
    return most


@click.command()
@click.option("--json", "as_object", is_flag=True, help="One JSON object, for programs.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=3, show_default=True)
def main(*, as_object: bool, days: int, seed: int) -> None:
    """Simulate a month under the seed profile."""
    alone = simulate(days, seed=seed, outside=False)
    beside = simulate(days, seed=seed, outside=True)
    click.echo(json.dumps(_as_json(alone, beside)) if as_object else _as_text(alone, beside))
    sys.exit(1 if alone.throttled or beside.most_throttled_in_a_window > 1 else 0)


def _as_json(alone: Outcome, beside: Outcome) -> dict[str, Any]:
    return {
        "days": alone.days,
        "calls": alone.calls,
        "self_429": alone.throttled,
        "binding_quota": alone.binding_quota,
        "utilisation": round(alone.utilisation, 5),
        "outside_429": beside.throttled,
        "outside_429_most_in_a_window": beside.most_throttled_in_a_window,
        "beside_another_client": asdict(beside),
    }


def _as_text(alone: Outcome, beside: Outcome) -> str:
    lines = []
    for name, each in (("alone", alone), ("beside another client", beside)):
        lines += [
            f"{name}: {each.days} days, {each.calls:,} calls, {each.running_seconds:,.0f} s",
            f"  429: {each.throttled}, at most {each.most_throttled_in_a_window} in a window",
            f"  binding: {each.binding_quota}, used to {each.utilisation:.2%} while work waited",
        ]
        lines += [
            f"  {hunt:<12} last call after {hours:>8,.2f} h"
            for hunt, hours in each.hours_to_the_last_call.items()
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
