"""What `huntlake quota` answers, by the ledger alone."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from filelock import FileLock

from pipelines.cli import cli
from pipelines.lake import LakeLayout
from pipelines.quota import Ledger, Turn, Urgency, parse_limits
from pipelines.quota_report import QuotaReport, last_day, quota_report, utc_day
from pipelines.quota_text import quota_json, quota_lines
from pipelines.windows import NANOSECONDS_PER_TICK, parse_instant

S = 1_000_000_000
NOW = parse_instant("2026-11-20T13:40") * NANOSECONDS_PER_TICK
REFUSED = "the service refuses calls (429, running time)"
Report = Callable[..., QuotaReport]


@pytest.fixture
def layout(tmp_path: Path) -> LakeLayout:
    return LakeLayout(tmp_path)


@pytest.fixture
def ledger(layout: LakeLayout) -> Ledger:
    return Ledger.at(layout.ledger)


@pytest.fixture
def report(layout: LakeLayout) -> Report:
    def read(limits: str = "seed", tenant: str = "demo") -> QuotaReport:
        return quota_report(layout, tenant, parse_limits(limits), last_day(NOW), now_ns=NOW)

    return read


def spend(ledger: Ledger, hunt: str, ago: float, seconds: float, outcome: str = "answered") -> None:
    start = NOW - round(ago * S)
    call = ledger.store.reserve("demo", Turn(hunt), started_ns=start, worst_seconds=600)
    ledger.store.settle(
        call, ended_ns=start + round(seconds * S), running_seconds=seconds, outcome=outcome
    )


def reserve(ledger: Ledger, hunt: str, ago: float) -> None:
    turn = Turn(hunt, "2026-11-19")
    ledger.store.reserve("demo", turn, started_ns=NOW - round(ago * S), worst_seconds=600)


def text(report: QuotaReport) -> list[str]:
    return [click.unstyle(line) for line in quota_lines(report)]


def test_an_empty_ledger_leaves_everything(report: Report) -> None:
    """Nothing used, nothing called, nobody waits."""
    assert text(report()) == [
        "Quota of tenant demo at 2026-11-20T13:40:00Z",
        "",
        "calls a minute         ░░░░░░░░░░░░░░░░░░░░  0 of 15 used, 15 left",
        "running time an hour   ░░░░░░░░░░░░░░░░░░░░  0 of 600 s used, 600 s left",
        "running time a day     ░░░░░░░░░░░░░░░░░░░░  0 of 14,400 s used, 14,400 s left",
        "",
        "Nothing was called in the last day.",
        "",
        "No call is in flight, and nobody waits.",
    ]


def test_everything_at_once_fits_eighty_columns(ledger: Ledger, report: Report) -> None:
    """Used, left, when it frees, by whom, refused until when, and the forecast."""
    spend(ledger, "network", 7_200, 90)
    spend(ledger, "network", 1_800, 60.5)
    spend(ledger, "a_hunt_whose_name_is_longer_than_the_column", 600, 30)
    spend(ledger, "network", 500, 0, "throttled")
    spend(ledger, "network", 30, 9, "failed")
    limits = parse_limits("seed,share=0.8,reserve=0.1")
    ledger.learn_refusal(
        "demo", limits, of_running_time=True, wait_seconds=1_200, now_ns=NOW, reason=REFUSED
    )
    expiring = Turn(
        "logons", "2026-10-22", Urgency.EXPIRING, NOW + 3_600 * S, calls_left=2, seconds_left=16
    )
    ledger.store.wait("demo", Turn("logons", "2026-11-01", Urgency.BACKFILL), now_ns=NOW - 60 * S)
    ledger.store.wait("demo", expiring, now_ns=NOW)
    lines = text(report("seed,share=0.8,reserve=0.1"))
    assert lines == GOLDEN.splitlines()
    assert max(map(len, lines)) <= 80


GOLDEN = """\
Quota of tenant demo at 2026-11-20T13:40:00Z

calls a minute         ██░░░░░░░░░░░░░░░░░░  1 of 15 used, 11 left
  some is free at 13:40:30Z (in 31 s)
  huntlake's share is 12
  schedules and backfills leave 2 to people: 9 left to them
running time an hour   ████████████████████  600 of 600 s used, 0 s left
  some is free at 14:11:00Z (in 32 min); all at 14:40:00Z (in 60 min)
  500 s of it by others, as the service's refusals told
  huntlake's share is 480 s
  schedules and backfills leave 60 s to people: 0 s left to them
running time a day     █░░░░░░░░░░░░░░░░░░░  690 of 14,400 s used, 11,330 s left
  some is free at 11-21 11:41Z (in 23 h); all at 11-21 13:40Z (in 24 h)
  500 s of it by others, as the service's refusals told
  huntlake's share is 11,520 s
  schedules and backfills leave 1,440 s to people: 9,891 s left to them
refused until 14:00:00Z (in 20 min):
  the service refuses calls (429, running time)

Who spent it in the last day
  hunt                       calls seconds of it in 1 h failed 429s  last call
  network                        4     160   84%   69.5      1    1  13:39:30Z
  a_hunt_whose_name_is_long…     1      30   16%     30      -    -  13:30:00Z

No call is in flight.

Who waits, in the order of their next calls
  1  logons 2026-10-22
     expiring: falls off the horizon within a day
     2 calls, 16 s; starts 14:00:00Z, done 14:40:08Z (in 61 min)
  2  logons 2026-11-01
     backfill: older days
     1 call, 5 s; starts 14:40:08Z, done 14:40:13Z (in 61 min)
"""


def test_where_no_running_time_is_stated_it_says_so(ledger: Ledger, report: Report) -> None:
    """The newer surfaces state a share of CPU, which nobody can count beforehand."""
    spend(ledger, "network", 60, 9)
    lines = text(report("graph"))
    assert "running time           9 s used in the last hour" in lines
    assert any("no quota of it is stated" in line for line in lines)


def test_each_hunt_s_spending_adds_up(ledger: Ledger, report: Report) -> None:
    """Over the day and the last hour; what is older than a day is not counted."""
    for ago, hunt, seconds in ((90_000, "a", 50), (40_000, "a", 30), (60, "a", 10), (50, "b", 60)):
        spend(ledger, hunt, ago, seconds)
    found = report()
    assert [(each.hunt, each.calls, each.running_seconds, each.part) for each in found.spent] == [
        ("b", 1, 60, 0.6),
        ("a", 2, 40, 0.4),
    ]
    assert [(each.hunt, each.running_seconds) for each in found.spent_last_hour] == [
        ("b", 60),
        ("a", 10),
    ]


def test_a_call_is_in_flight_while_its_process_holds_the_place(
    ledger: Ledger, report: Report, layout: LakeLayout
) -> None:
    """One that nobody settled is of a dead process as soon as nobody holds it: it failed."""
    reserve(ledger, "a", 100)
    layout.locks.mkdir(parents=True)
    with FileLock(layout.locks / "tenant-demo.lock"):
        found = report()
        assert found.in_flight is not None
        assert found.spent[0].failed == 0
        assert "In flight for 100 s: a 2026-11-19" in text(found)
    found = report()
    assert found.in_flight is None
    assert found.spent[0].failed == 1


def test_left_is_the_smaller_of_the_share_and_what_others_leave(
    ledger: Ledger, report: Report
) -> None:
    """And what people have left is more than what a backfill has."""
    spend(ledger, "a", 60, 100)
    hour = report("seed,share=0.5,reserve=0.1").quotas[1]
    assert (hour.left, hour.left_to_background) == (200, pytest.approx(140))
    ledger.learn_refusal(
        "demo", parse_limits("seed"), of_running_time=True, wait_seconds=60, now_ns=NOW, reason="x"
    )
    hour = report("seed,share=0.5,reserve=0.1").quotas[1]
    assert hour.by_others == pytest.approx(500)
    assert hour.left == hour.left_to_background == pytest.approx(0, abs=1e-6)


def test_a_tenant_without_calls_is_told_of_the_others(ledger: Ledger, report: Report) -> None:
    """A wrong tenant is the likeliest reason for an empty report."""
    spend(ledger, "a", 60, 1)
    assert "The ledger knows calls to demo; see --tenant." in text(report(tenant="other"))


def test_json_says_what_the_text_says(ledger: Ledger, report: Report) -> None:
    """One object, with times in UTC."""
    spend(ledger, "a", 60, 12.5)
    ledger.store.wait("demo", Turn("b", "2026-11-19", Urgency.NIGHTLY, seconds_left=4), now_ns=NOW)
    values = json.loads(quota_json(report()))
    assert values["tenant"] == "demo"
    assert values["now"] == "2026-11-20T13:40:00Z"
    assert [each["per_seconds"] for each in values["quotas"]] == [60, 3_600, 86_400]
    assert values["quotas"][1]["used"] == 12.5
    assert values["quotas"][1]["left"] == 587.5
    assert values["quotas"][1]["next_free"] == "2026-11-20T14:39:12Z"
    assert values["hunts"][0] == values["hunts_last_hour"][0]
    assert values["hunts"][0]["last_call"] == "2026-11-20T13:39:00Z"
    [queued] = values["queue"]
    assert (queued["hunt"], queued["urgency"]) == ("b", "nightly")
    assert queued["done"] == "2026-11-20T13:40:04Z"


def test_a_day_of_the_calendar() -> None:
    """Begins and ends at midnight, UTC."""
    day = utc_day(date(2026, 11, 20))
    assert day.since_ns == parse_instant("2026-11-20") * NANOSECONDS_PER_TICK
    assert day.until_ns == parse_instant("2026-11-21") * NANOSECONDS_PER_TICK


@pytest.fixture
def huntlake(tmp_path: Path) -> Callable[..., object]:
    """The command without any sign-in, over a lake of its own."""
    without = dict.fromkeys(
        ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "HUNTLAKE_LIMITS"), ""
    )
    environment = {**without, "HUNTLAKE_DATA": str(tmp_path)}
    return lambda *arguments: CliRunner(env=environment).invoke(cli, ["quota", *arguments])


def test_the_command_needs_no_sign_in(huntlake: Callable[..., object], ledger: Ledger) -> None:
    """It reads the ledger, and nothing else."""
    spend(ledger, "a", 0, 1)
    done = huntlake("--day", "2026-11-20")
    assert done.exit_code == 0
    assert "Who spent it on 2026-11-20" in done.output
    assert "running time an hour" in done.output


@pytest.mark.parametrize("ending", ["svg", "png", "PNG"])
def test_the_command_draws(ending: str, huntlake: Callable[..., object], tmp_path: Path) -> None:
    """Beside what it prints, which stays one JSON object."""
    path = tmp_path / f"quota.{ending}"
    done = huntlake("--output", "json", "--plot", str(path))
    assert done.exit_code == 0
    assert json.loads(done.stdout)["hunts"] == []
    assert path.read_bytes()[:4] == (b"\x89PNG" if ending != "svg" else b"<?xm")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plot", "quota.gif"), "must end in .svg or .png"),
        (("--day", "yesterday"), "does not match the format"),
    ],
)
def test_a_wrong_use_is_code_2(
    arguments: tuple[str, ...], said: str, huntlake: Callable[..., object]
) -> None:
    """And nothing is written."""
    done = huntlake(*arguments)
    assert done.exit_code == 2
    assert said in done.output
