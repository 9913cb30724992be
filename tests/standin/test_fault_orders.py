"""Standing orders for faults: which calls meet them; and what a changed schema leaves whole."""

import json

import pytest

from pipelines.standin.faults import Fault, Faults
from pipelines.standin.spoiling import spoiled

QUERY = "AlertInfo | project Timestamp"
# Digits that no float holds, and a text that looks like what a number becomes on its way.
ROW = b'{"Money":99999999999999999.99999999999999999,"Big":9223372036854775807,"Text":"\\u00001.5"}'


@pytest.fixture
def faults() -> Faults:
    return Faults()


def body(*, odata: bool, rows: bytes = ROW) -> bytes:
    name, kind = ("name", "type") if odata else ("Name", "Type")
    schema = [{name: "Big", kind: "Int64"}, {name: "Text", kind: "String"}]
    keys = ("schema", "results") if odata else ("Schema", "Results")
    return b'{"%s":%s,"%s":[%s]}' % (
        keys[0].encode(),
        json.dumps(schema).encode(),
        keys[1].encode(),
        rows,
    )


def test_queued_faults_meet_one_call_each(faults: Faults) -> None:
    """In their order, and none lets a call pass."""
    faults.next(Fault.CPU, None, Fault.RESET)
    assert [faults.take(QUERY) for _ in range(4)] == [Fault.CPU, None, Fault.RESET, None]


def test_a_fault_can_wait_for_a_query(faults: Faults) -> None:
    """It meets the calls that hold the text, as many as it is for, behind the queue."""
    faults.when("AlertInfo", Fault.UNAVAILABLE, count=2)
    faults.next(Fault.RESET)
    assert faults.take(QUERY) is Fault.RESET
    assert faults.take("DeviceEvents") is None
    assert [faults.take(QUERY) for _ in range(3)] == [Fault.UNAVAILABLE, Fault.UNAVAILABLE, None]


def test_faults_by_chance_are_the_same_for_a_seed() -> None:
    """So that a run that found something can be repeated."""
    runs = []
    for seed in (1, 1, 2):
        faults = Faults()
        faults.sometimes(Fault.SERVER_ERROR, 0.25, seed=seed)
        runs.append([faults.take(QUERY) for _ in range(400)])
    assert runs[0] == runs[1] != runs[2]
    assert 60 < runs[0].count(Fault.SERVER_ERROR) < 140


def test_faults_can_be_called_off(faults: Faults) -> None:
    """All of them: the queue and the standing ones."""
    faults.next(Fault.RESET)
    faults.when("", Fault.CPU)
    faults.clear()
    assert faults.take(QUERY) is None


@pytest.mark.parametrize("odata", [True, False])
def test_a_changed_schema_leaves_every_digit(*, odata: bool) -> None:
    """What lands of a call with an added column must still be what the tenant holds."""
    text = spoiled(body(odata=odata), Fault.ADDED_COLUMN)
    assert b'"Money": 99999999999999999.99999999999999999,' in text
    assert b'"Big": 9223372036854775807,' in text
    answer = json.loads(text)
    [row] = answer["results" if odata else "Results"]
    assert row["Text"] == "\0" + "1.5"
    assert row["AddedLately"] == "new"
    assert list(answer["schema" if odata else "Schema"][-1].values()) == ["AddedLately", "String"]
