"""The benchmark of landing: bodies as the service writes them, fair peers, and honest marks."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.landing import decode, read_receipt
from tests.benchmarks import landing_ours
from tests.benchmarks.landing import Failed, Figures, as_object, as_table, interleaved, main
from tests.benchmarks.landing_bodies import SHAPES, Shape, body_of, ndjson_of
from tests.benchmarks.landing_check import what_is_wrong
from tests.benchmarks.landing_peers import PEERS
from tests.landing.reference import cells

ROWS = 60
SMALL = {name: shape.scaled(ROWS / shape.rows) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("shape", SMALL.values(), ids=SMALL)
def test_bodies_are_whole_answers_and_the_same_each_time(shape: Shape) -> None:
    """Compact, schema first, keys in its order; the floor's lines have the same rows."""
    body = body_of(shape)
    assert body == body_of(shape)
    answer = decode(body, shape.dialect)
    assert answer.rows == ROWS
    assert b", " not in body.split(b"esults")[0]
    # A few cells of an odd body are kept aside, and of no other.
    assert bool(answer.kept_aside) == shape.odd
    rows = next(value for key, value in json.loads(body).items() if key.lower() == "results")
    keys = [[key for key in row if not key.endswith("@odata.type")] for row in rows]
    assert keys == [[*shape.columns]] * ROWS
    assert len(ndjson_of(shape).splitlines()) == ROWS


def test_shapes_are_what_their_names_say() -> None:
    """Sorted as pages are or not; wide or narrow; dynamic values of some hundred bytes."""
    times = cells(body_of(SMALL["wide"]), "plain")["column Timestamp"]
    shuffled = cells(body_of(SMALL["wide_unsorted"]), "plain")["column Timestamp"]
    assert times == sorted(times)
    assert shuffled != times
    assert sorted(shuffled) == times
    assert (len(SHAPES["wide"].columns), len(SHAPES["narrow"].columns)) == (50, 8)
    raw = cells(body_of(SMALL["dynamic"]), "plain")["column RawEventData"]
    assert 300 < min(map(len, raw)) < max(map(len, raw)) < 2_500
    assert b'@odata.type":"#SByte"' in body_of(SMALL["graph"])
    assert b":{}," in body_of(SMALL["graph"])


@pytest.mark.parametrize("peer", ["ours", "json_from_pylist", "duckdb_ns", "pyarrow_lines"])
def test_a_right_file_is_told_from_a_wrong_one(peer: str, tmp_path: Path) -> None:
    """By its cells: one that is changed, or a row that lacks, is found."""
    shape, target = SMALL["narrow"], tmp_path / "landed.parquet"
    body = body_of(shape)
    PEERS[peer].land(body, shape, target)
    assert what_is_wrong(body, shape, target) is None
    table = pq.read_table(target, partitioning=None)
    pq.write_table(table.slice(1), target)
    assert what_is_wrong(body, shape, target) == "has 59 rows"
    pq.write_table(table.drop_columns(["RemotePort"]), target)
    assert what_is_wrong(body, shape, target) == "lacks RemotePort"
    cut = table["Timestamp"].cast(pa.timestamp("us", "UTC"), safe=False)
    pq.write_table(table.set_column(0, "Timestamp", cut), target)
    assert "Timestamp: " in (what_is_wrong(body, shape, target) or "")


def test_equal_dynamic_values_have_to_be_equal_texts(tmp_path: Path) -> None:
    """A peer that leaves keys in the order in which they came is no correct one."""
    shape, target = SMALL["dynamic"], tmp_path / "landed.parquet"
    body = body_of(shape)
    PEERS["json_from_pylist"].land(body, shape, target)
    assert what_is_wrong(body, shape, target) is None
    PEERS["duckdb_ns"].land(body, shape, target)
    wrong = "ActivityObjects: right values, but not as canonical texts"
    assert what_is_wrong(body, shape, target) == wrong


def test_digits_of_a_microsecond_are_not_enough(tmp_path: Path) -> None:
    """DuckDB's usual type for times is such."""
    shape, target = SMALL["wide"], tmp_path / "landed.parquet"
    PEERS["duckdb"].land(body_of(shape), shape, target)
    assert "Timestamp: " in (what_is_wrong(body_of(shape), shape, target) or "")


def test_ways_take_turns_and_one_that_fails_is_left_out() -> None:
    """So that a slow minute is everybody's."""
    seen = []

    def once(way: str) -> dict[str, int] | Failed:
        seen.append(way)
        return Failed("no") if way == "b" else {"seconds": len(seen)}

    found = interleaved(["a", "b", "c"], once, 2)
    assert seen == ["a", "b", "c", "a", "c"]
    assert found == {
        "a": [{"seconds": 1}, {"seconds": 4}],
        "b": Failed("no"),
        "c": [{"seconds": 3}, {"seconds": 5}],
    }


FIGURES = {
    "ours": Figures(100.0, 0.5, 200.0),
    "slow": Figures(100.0, 2.0, 800.0),
    "wrong": Figures(100.0, 0.4, 100.0, "Timestamp: 1 for 2"),
    "none": Figures(100.0, None, None, "fails: no"),
}


def test_ratios_are_of_speed_and_wrong_ways_are_marked() -> None:
    """Above one: ours is quicker; who doesn't get there has no ratio."""
    said = as_object(FIGURES)
    assert (said["mb_s"], said["peak_mb"]) == (200.0, 200.0)
    assert said["ratio_to"] == {"slow": 4.0, "wrong": 0.8}
    assert said["peers"]["none"]["wrong"] == "fails: no"
    lines = as_table("wide", FIGURES).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["wrong", "ours", "slow", "none"]
    assert lines[2].endswith("incorrect: Timestamp: 1 for 2")


def test_it_prints_one_object_for_programs() -> None:
    """The shapes, and the way from the socket; each way in a process of its own."""
    options = ["--json", "--scale", "0.002", "--repeat", "1", "--shape", "narrow"]
    options += ["--part", "shapes", "--part", "socket"]
    result = CliRunner().invoke(main, [*options, "--peer", "json_from_pylist"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert set(said) == {"shapes", "socket"}
    assert set(said["shapes"]) == {"narrow"}
    for each in (said["shapes"]["narrow"], said["socket"]):
        assert each["mb_s"] > 0
        assert each["peak_mb"] > 0
        assert min(each["ratio_to"].values()) > 0
    assert set(said["shapes"]["narrow"]["ratio_to"]) == {"json_from_pylist"}
    assert set(said["socket"]["ratio_to"]) == {"httpx_json_from_pylist"}


def test_a_partition_of_many_slices_has_all_their_rows(tmp_path: Path) -> None:
    """Or its memory would be that of another one."""
    shape, target = SMALL["narrow"], tmp_path / "landed.parquet"
    staged = landing_ours.stage([body_of(shape)], shape.dialect, tmp_path / "staged", 20)
    landing_ours.commit_many(staged, 7, target)
    receipt = read_receipt(target)
    assert receipt is not None
    assert (receipt.rows, len(receipt.slices)) == (140, 7)
    assert pq.read_metadata(target).num_rows == 140
