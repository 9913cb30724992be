"""Answers that look as if they had been cut."""

from pipelines.soundness import SuspiciousAnswer, WholeAnswer, suspicious_answers
from tests.soundness.lakes import days, landed

[DAY, NEXT] = days("2026-11-20", 2)
QUERY = "DeviceEvents | project Timestamp"


def test_a_caps_number_of_rows_is_suspicious() -> None:
    """One row less, as almost always, is not."""
    found = list(suspicious_answers([landed(DAY, 9_999), landed(NEXT, 30_000)], QUERY))
    assert found == [SuspiciousAnswer(30_000, ("2026-11-21",))]


def test_an_answer_is_put_together_from_its_partitions() -> None:
    """A cap is on answers, of which one may bring many days."""
    answer = ("request", "body", 1)
    first = landed(DAY, 4_000, whole_answers=(WholeAnswer(answer, 4_000),))
    second = landed(NEXT, 6_000, whole_answers=(WholeAnswer(answer, 6_000),))
    other = landed(NEXT, 6_000, whole_answers=(WholeAnswer(("request", "body", 2), 6_000),))
    assert list(suspicious_answers([first, second], QUERY)) == [
        SuspiciousAnswer(10_000, ("2026-11-20", "2026-11-21"))
    ]
    assert list(suspicious_answers([first, other], QUERY)) == []


def test_a_partition_of_many_answers_is_not_one() -> None:
    """Their sum means nothing."""
    parts = tuple(WholeAnswer((None, str(number), 1), 5_000) for number in range(2))
    assert list(suspicious_answers([landed(DAY, 10_000, whole_answers=parts)], QUERY)) == []


def test_a_hunt_may_ask_for_so_many() -> None:
    """Where the number stands in its query."""
    asked = "DeviceEvents | top 10000 by Timestamp"
    assert list(suspicious_answers([landed(DAY, 10_000)], asked)) == []
    assert list(suspicious_answers([landed(DAY, 30_000)], asked))
