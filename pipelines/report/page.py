"""The page: facts and pictures as one HTML file that needs nothing else.

What belongs here: what the template is given, and how figures read. What does not: the template
itself (``page.html``), and its style (``page.css``).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipelines.report import pictures
from pipelines.report.facts import DayOfHunt, Facts, HuntDays, State
from pipelines.report.units import in_bytes, in_days, in_digits, in_time

# What stands for each state, beside its colour.
_SIGNS: Final = {
    State.SETTLED: "●",
    State.PROVISIONAL: "◐",
    State.PARTLY: "◔",
    State.MISSING: "○",
    State.GONE: "✕",
    State.NONE: "",
}
_MEANINGS: Final = {
    State.SETTLED: "all of it landed, and no late rows are expected",
    State.PROVISIONAL: "all of it landed, and late rows may come",
    State.PARTLY: "some of its hours did not land",
    State.MISSING: "did not land, and can still be had",
    State.GONE: "did not land, and the service has it no more",
}
# Of more cells than this only those that lack something say more when pointed at.
_MOST_TOLD: Final = 20_000
_MOST_COMMANDS: Final = 8
_MOST_QUOTAS: Final = 4


@dataclass(frozen=True, slots=True)
class _Tenant:
    """A tenant's part of the calendar."""

    name: str
    hunts: tuple[HuntDays, ...]

    @property
    def lacks(self) -> bool:
        return any(day.state.lacks for hunt in self.hunts for day in hunt.days)

    @property
    def told(self) -> str:
        hunts = f"{len(self.hunts)} hunt{'s' * (len(self.hunts) != 1)}"
        counts = {
            "to be had": sum(len(hunt.can_be_had) for hunt in self.hunts),
            "gone": sum(hunt.count(State.GONE) for hunt in self.hunts),
        }
        lacking = [f"{in_days(count)} {what}" for what, count in counts.items() if count]
        return f"{hunts}, {' and '.join(lacking) or 'nothing missing'}"


def render(facts: Facts) -> str:
    """The page's HTML: the same for the same facts."""
    environment = Environment(
        loader=PackageLoader("pipelines.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": in_digits,
        "bytes": in_bytes,
        "duration": in_time,
        "days": in_days,
    }
    last = facts.now.date()
    return environment.get_template("page.html").render(
        facts=facts,
        State=State,
        signs=_SIGNS,
        meanings=_MEANINGS,
        style=Markup(files(__package__).joinpath("page.css").read_text("utf-8")),  # noqa: S704 - ours
        tenants=_tenants(facts),
        months=list(_months(facts.shown_from, last)),
        all_days=_all_days(facts),
        unshown=(facts.shown_from - facts.first_day).days,
        tells_all=sum(len(each.days) for each in facts.hunts) <= _MOST_TOLD,
        lacking=_lacking,
        commands=list(_commands(facts)),
        charts=list(_charts(facts, last)),
        late_picture=_inline(pictures.of_late_rows(facts.late_by_day))
        if facts.late_by_day
        else None,
    )


def _tenants(facts: Facts) -> list[_Tenant]:
    by_tenant: dict[str, list[HuntDays]] = defaultdict(list)
    for each in facts.hunts:
        by_tenant[each.tenant].append(each)
    return [_Tenant(name, tuple(hunts)) for name, hunts in sorted(by_tenant.items())]


def _months(first: date, last: date) -> Iterator[tuple[str, int]]:
    """The months over the calendar, each with how many of its days are there."""
    begins = first
    while begins <= last:
        following = (begins.replace(day=1) + timedelta(days=32)).replace(day=1)
        length = (min(following, last + timedelta(days=1)) - begins).days
        yield (f"{begins:%b %Y}" if length > 6 else f"{begins:%b}" if length > 2 else ""), length  # noqa: PLR2004
        begins = following


def _all_days(facts: Facts) -> list[date]:
    days = (facts.now.date() - facts.shown_from).days + 1
    return [facts.shown_from + timedelta(days=number) for number in range(days)]


def _lacking(hunt: HuntDays) -> str:
    """A row of the calendar in words."""
    there = hunt.count(State.SETTLED, State.PROVISIONAL)
    due = there + hunt.count(State.PARTLY, State.MISSING, State.GONE)
    lacking = (
        f"{state}: {_stretches(listed)}"
        for state in (State.PARTLY, State.MISSING, State.GONE)
        if (listed := [each.day for each in hunt.days if each.state is state])
    )
    return "; ".join([f"{there} of {in_days(due)}", *lacking])


def _stretches(days: Sequence[date], most: int = 4) -> str:
    """``11-20 to 11-22, 11-25``."""
    found = list(_runs(days))
    told = [
        f"{first:%m-%d}" if first == last else f"{first:%m-%d} to {last:%m-%d}"
        for first, last in found[-most:]
    ]
    more = len(found) - most
    return ", ".join([*([f"{more} more"] if more > 0 else []), *told])


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    first = last = None
    for day in days:
        if first is None or last is None:
            first = last = day
        elif day - last == timedelta(days=1):
            last = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last


@dataclass(frozen=True, slots=True)
class _Command:
    """What brings back what is missing, and the day by which it has to be run."""

    text: str
    days: int
    first: date


def _commands(facts: Facts) -> Iterator[_Command]:
    """For the hunts whose missing days are gone first."""
    of_many = len(facts.tenants) > 1
    lacking = [each for each in facts.hunts if each.can_be_had]
    lacking.sort(key=lambda each: (each.can_be_had[0], each.tenant, each.hunt))
    for each in lacking[:_MOST_COMMANDS]:
        tenant = f" --tenant {each.tenant}" if of_many else ""
        window = ""
        if each.had_until is not None:
            until = f"{each.had_until:%Y-%m-%dT%H:%M}".removesuffix("T00:00")
            window = f" --from {each.can_be_had[0]} --to {until}"
        yield _Command(
            f"huntlake export --hunt {each.hunt}{tenant}{window}",
            len(each.can_be_had),
            each.can_be_had[0],
        )


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    picture: Markup
    head: tuple[str, ...]
    figures: tuple[tuple[str, ...], ...]


def _charts(facts: Facts, last: date) -> Iterator[_Chart]:
    first = facts.shown_from
    if facts.rows:
        picture = pictures.of_days(facts.rows, first, last, "rows")
        yield _chart("Rows by day", picture, facts.rows, lambda n: in_digits(round(n)))
        picture = pictures.of_days(facts.stored, first, last, "bytes")
        yield _chart("Bytes stored by day", picture, facts.stored, in_bytes)
    for each in facts.spent[:_MOST_QUOTAS]:
        title = "Running time by day"
        if len(facts.spent) > 1:
            title += f", tenant {each.tenant}"
        yield _chart(title, pictures.of_running_time(each, first, last), each.days, in_time)


def _chart(
    title: str,
    picture: pictures.Picture,
    days: Sequence[DayOfHunt],
    told: Callable[[float], str],
) -> _Chart:
    by_day: dict[date, list[DayOfHunt]] = defaultdict(list)
    for each in days:
        by_day[each.day].append(each)
    figures = tuple(
        (
            day.isoformat(),
            told(sum(each.amount for each in parts)),
            max(parts, key=lambda each: each.amount).hunt,
        )
        for day, parts in sorted(by_day.items(), reverse=True)
    )
    return _Chart(title, _inline(picture), ("Day", "In all", "Most of it"), figures)


def _inline(picture: pictures.Picture) -> Markup:
    return Markup("").join(Markup(svg) for svg in picture.values())  # noqa: S704 - drawn by us
