"""Who goes first: nothing is lost to the horizon, nobody starves, and the small are soon done."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipelines.clock import NANOSECONDS_PER_SECOND as S
from pipelines.quota.order import Served, Turn, Urgency, Waiter, first_of, urgency_of
from pipelines.windows import NANOSECONDS_PER_TICK, TICKS_PER_SECOND, Window, parse_instant

NOON = parse_instant("2026-11-20T12:00:00Z")
NOW = NOON * NANOSECONDS_PER_TICK
DAY = 86_400 * TICKS_PER_SECOND
MIDNIGHT = parse_instant("2026-11-20")


def waiter(number: int, urgency: Urgency, hunt: str = "", *, since: int = NOW, **turn) -> Waiter:
    return Waiter(number, Turn(hunt or f"hunt {number}", urgency=urgency, **turn), since)


def first(*waiting: Waiter, served: dict[str, Served] | None = None, now: int = NOW) -> int:
    return first_of(waiting, served or {}, now_ns=now).id


def test_the_urgency_follows_from_the_window_and_the_horizon() -> None:
    """The oldest day is lost tomorrow, yesterday is a nightly load, and the rest can wait."""

    def of(days_ago: int) -> Urgency:
        window = Window(MIDNIGHT - days_ago * DAY, MIDNIGHT - (days_ago - 1) * DAY)
        return urgency_of(window, now_ns=NOW, data_age_days=30)[0]

    assert of(1) == of(2) == Urgency.NIGHTLY
    assert of(3) == of(28) == Urgency.BACKFILL
    assert of(29) == Urgency.EXPIRING
    window = Window(MIDNIGHT - DAY, MIDNIGHT)
    _, due_ns = urgency_of(window, now_ns=NOW, data_age_days=30)
    assert due_ns == (MIDNIGHT + 29 * DAY) * NANOSECONDS_PER_TICK


def test_the_more_urgent_goes_first_whoever_came_first() -> None:
    """Expiring, a person, the night's load, a backfill."""
    waiting = [
        waiter(number, urgency, since=NOW - number)
        for number, urgency in enumerate(reversed(Urgency))
    ]
    order = []
    while waiting:
        order.append(first_of(waiting, {}, now_ns=NOW))
        waiting.remove(order[-1])
    assert [each.turn.urgency for each in order] == list(Urgency)


def test_of_what_expires_the_next_to_go_goes_first() -> None:
    """However much it had already."""
    soon = waiter(1, Urgency.EXPIRING, "large", due_ns=NOW + S)
    later = waiter(2, Urgency.EXPIRING, "small", due_ns=NOW + 2 * S)
    assert first(later, soon, served={"large": Served(500.0, NOW)}) == 1


def test_among_equals_the_one_that_had_least_goes_first() -> None:
    """So that a small hunt is done before a large one is half done."""
    large, small = waiter(1, Urgency.BACKFILL, "large"), waiter(2, Urgency.BACKFILL, "small")
    had = {"large": Served(300.0, NOW), "small": Served(2.0, NOW)}
    assert first(large, small, served=had) == 2
    assert first(large, small) == 1


def test_an_hour_without_a_call_is_enough() -> None:
    """Whatever else is urgent; and after its call it waits its turn again."""
    expiring = waiter(1, Urgency.EXPIRING, due_ns=NOW + S)
    patient = waiter(2, Urgency.BACKFILL, "slow", since=NOW - 3_600 * S)
    assert first(expiring, patient) == 2
    assert first(expiring, patient, served={"slow": Served(1.0, NOW - 1_800 * S)}) == 1


@given(st.lists(st.tuples(st.sampled_from(Urgency), st.integers(1, 60)), min_size=2, max_size=6))
def test_none_starves(hunts: list[tuple[Urgency, int]]) -> None:
    """With a call every few seconds, each waiter has one within the hour and a call of each."""
    now, had, waited = NOW, {}, Counter()
    since = dict.fromkeys(range(len(hunts)), NOW)
    for _ in range(400):
        waiting = [
            waiter(number, urgency, since=since[number], due_ns=NOW + number)
            for number, (urgency, _) in enumerate(hunts)
        ]
        chosen = first_of(waiting, had, now_ns=now)
        seconds = hunts[chosen.id][1]
        before = had.get(chosen.turn.hunt, Served(0.0, now))
        had[chosen.turn.hunt] = Served(before.seconds + seconds, now)
        waited[chosen.id] = max(waited[chosen.id], now - since[chosen.id])
        now += seconds * S
        since[chosen.id] = now
    longest = max([*waited.values(), *(now - since[each] for each in since)])
    assert longest <= (3_600 + 60 * (len(hunts) + 1)) * S
