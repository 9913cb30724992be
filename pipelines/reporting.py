"""Writing the report of a deployment's lake: what ``huntlake report`` and its asset share.

What belongs here: from settings, hunt files and tenants to the page's file. What does not: what the
page says (``report``).
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pipelines.clock import Clock, SystemClock, now_ticks
from pipelines.errors import HuntlakeError
from pipelines.hunt_files import load_hunts
from pipelines.lake import LakeLayout
from pipelines.landing import write_atomically
from pipelines.quota import Limits
from pipelines.report import Expected, Facts, expected_of, gather
from pipelines.settings import load_paths
from pipelines.tenants import ConfiguredTenant, load_tenants
from pipelines.windows import datetime_from_instant

_DAY_SECONDS = 86_400


def write_report(
    layout: LakeLayout,
    path: Path,
    *,
    days: int,
    tenant: str | None = None,
    clock: Clock | None = None,
) -> Facts:
    """Write the page, in one step, and return what it says.

    Raises ``HuntlakeError`` where there is no lake, and ``LakeUnwritable``.
    """
    # It takes a second to import what draws.
    from pipelines.report import render

    notes: list[str] = []
    expected, limits, age = _asked(notes)
    facts = gather(
        layout,
        now=datetime_from_instant(now_ticks(clock or SystemClock())),
        days=days,
        expected=expected,
        limits=limits,
        data_age_days=age,
        tenant=tenant,
        notes=notes,
    )
    text = render(facts)
    write_atomically(path, partial(_write, text))
    return facts


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _asked(notes: list[str]) -> tuple[list[Expected] | None, Mapping[str, float | None], int]:
    """What the hunt files ask for, each tenant's running time a day, and how far the data reaches.

    Of a lake without the files, as a copied one may be, what landed is all that is expected.
    """
    try:
        catalogue = load_hunts(load_paths().hunts)
        tenants = list(load_tenants().tenants.values())
    except HuntlakeError as error:
        notes.append(
            f"The hunt files or tenants can't be read, so that only what landed is taken for "
            f"expected: {error}"
        )
        return None, {}, 30
    notes.extend(f"A hunt was left out: {error}" for error in catalogue.errors)
    expected = [
        each
        for tenant in tenants
        for each in expected_of(tenant.name, tenant.hunts(catalogue).hunts.values())
    ]
    limits = dict(_limits(tenants, notes))
    ages = [each.data_age_days for each in limits.values()]
    seconds = {name: _seconds_a_day(each) for name, each in limits.items()}
    return expected, seconds, min(ages, default=30)


def _limits(tenants: list[ConfiguredTenant], notes: list[str]) -> Iterator[tuple[str, Limits]]:
    for tenant in tenants:
        try:
            yield tenant.name, tenant.limits()
        except HuntlakeError as error:
            notes.append(f"The limits of tenant {tenant.name} can't be read: {error}")


def _seconds_a_day(limits: Limits) -> float | None:
    """What huntlake may use of it."""
    for each in limits.running:
        if each.per_seconds == _DAY_SECONDS:
            return each.part(limits.share)
    return None
