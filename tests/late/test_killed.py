"""Recounts in real processes that are killed by SIGKILL, again and again, until one ends."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks.killing import Tenant
from tests.benchmarks.killing_recounts import Recounting
from tests.late import dying


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Small days, and nothing that lets a recount wait."""
    folder = tmp_path_factory.mktemp("tenant")
    with Tenant(folder, busiest_day_rows=600, calls=()) as tenant:
        yield tenant


@pytest.fixture
def recounting(tenant: Tenant, tmp_path: Path) -> Recounting:
    return Recounting(tenant, tmp_path / "recount", share=0.03)


def check(recounting: Recounting) -> None:
    """The lake is the tenant's, told of once, and a kill cost one answer at most."""
    assert (recounting.lost, recounting.doubled) == (0, 0)
    assert recounting.spent.late_rows > 0
    assert max(kill.pulled_again for kill in recounting.kills) <= 1
    made = recounting.spent.calls
    recounting.live()
    assert recounting.spent.calls == made


def test_killed_amid_its_calls(recounting: Recounting, tenant: Tenant) -> None:
    """In the first call of the first life, the second of the next, and so on: counts and pulls."""
    last, ended = 0, False
    while not ended:
        last += 1
        with tenant.before_calls(die_at(last, recounting)):
            ended = recounting.live()
    assert len(recounting.kills) > 3
    check(recounting)


def test_killed_around_each_file(recounting: Recounting) -> None:
    """Plans, slices, commits, the journal: before one is in its place, and just after."""
    last = 1
    while not recounting.live(None, dying.at_step, last):
        last += 1
    assert len(recounting.kills) > 8
    check(recounting)


def die_at(last: int, recounting: Recounting) -> Callable[[str], None]:
    """Lets the process die while the tenant works on so many a call."""
    seen = 0

    def act(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == last:
            process = recounting.process.result()
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)

    return act
