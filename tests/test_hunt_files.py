"""The hunt catalogue: what a file says, what is wrong with it, and the hunts that ship."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.errors import HuntFileError, HuntNotFound
from pipelines.hunt_analysis import analyse_hunt
from pipelines.hunt_files import Catalogue, hunt_name, load_hunts
from pipelines.hunts import ExportSettings
from pipelines.kql import Verdict, analyse, restrict
from pipelines.spans import TICKS
from pipelines.windows import Window, parse_instant

STARTER_SET = Path(__file__).parents[1] / "assets" / "hunts"

COMMUNITY = """\
id: 3f1c7a1e-0000-4000-8000-000000000000
name: Suspicious parents
description: |
  'Parents that should not
  have these children.'
requiredDataConnectors:
  - connectorId: MicrosoftThreatProtection
    dataTypes:
      - DeviceProcessEvents
tactics:
  - Execution
  - Persistence
relevantTechniques:
  - T1059
tags:
  - Schema: ASIM
  - mine
query: |
  // no comment
  DeviceProcessEvents
  | where InitiatingProcessFileName == "x: y # z"
entityMappings:
  - entityType: Host
    fieldMappings:
      - identifier: FullName
        columnName: DeviceName
version: 1.0.0
metadata:
  source:
    kind: Community
"""

KQL = """\
// Found at https://example.org: with a colon
// name: Removed drives
// description: Drives that went away:
//   and where they had been.
// tactics: Exfiltration, Collection
// techniques: T1052
// tags: usb
// export:
//   partitions: hourly
//   start: 2026-11-01
//   owners: [team@example.org]

// The kinds of action
DeviceEvents
| where ActionType == "UsbDriveUnmounted" // export: no
"""


def load(folder: Path, **files: str | bytes) -> Catalogue:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(data)
    return load_hunts(folder)


def only_error(folder: Path, name: str, content: str | bytes) -> str:
    catalogue = load(folder, **{name: content})
    assert not catalogue.hunts
    (error,) = catalogue.errors
    return str(error).removeprefix(str(folder / name.replace("__", ".")))


def test_the_communitys_format_drops_in_unmodified(tmp_path: Path) -> None:
    """Keys that we have no use for are fine."""
    hunt = load(tmp_path, **{"Suspicious Parents__yaml": COMMUNITY}).hunt("suspicious_parents")
    assert hunt.title == "Suspicious parents"
    assert hunt.description == "'Parents that should not\nhave these children.'"
    assert hunt.tactics == ("Execution", "Persistence")
    assert hunt.techniques == ("T1059",)
    assert hunt.tags == ("mine",)
    assert hunt.query == (
        '// no comment\nDeviceProcessEvents\n| where InitiatingProcessFileName == "x: y # z"'
    )
    assert hunt.export == ExportSettings()
    assert hunt.path == tmp_path / "Suspicious Parents.yaml"


def test_plain_kql_may_have_a_header(tmp_path: Path) -> None:
    """It is not part of the query, so that a better description pulls nothing again."""
    hunt = load(tmp_path, drives__kql=KQL).hunt("drives")
    assert hunt.title == "Removed drives"
    assert hunt.description == "Drives that went away: and where they had been."
    assert hunt.tactics == ("Exfiltration", "Collection")
    assert hunt.techniques == ("T1052",)
    assert hunt.tags == ("usb",)
    assert hunt.export == ExportSettings(
        partitions="hourly", start=date(2026, 11, 1), owners=("team@example.org",)
    )
    assert hunt.query.startswith("// The kinds of action\nDeviceEvents\n| where")
    reworded = KQL.replace("Drives that went away", "Gone")
    assert load(tmp_path, drives__kql=reworded).hunt("drives").fingerprint == hunt.fingerprint


def test_plain_kql_needs_no_header(tmp_path: Path) -> None:
    """A query as it was pasted is a hunt, its comments its own."""
    query = "// see https://example.org\n\nDeviceEvents // all"
    hunt = load(tmp_path, plain__kql="\ufeff" + query.replace("\n", "\r\n") + "\r\n").hunt("plain")
    assert hunt.query == query
    assert hunt.title == ""


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("encoded_powershell", "encoded_powershell"),
        ("Encoded PowerShell (new)", "encoded_power_shell_new"),
        ("DeviceProcessEvents", "device_process_events"),
        ("XMLHTTPRequests", "xmlhttp_requests"),
        ("T1059.001-caf\u00e9", "t1059_001_cafe"),
    ],
)
def test_a_hunt_is_called_what_its_file_is_called(stem: str, name: str) -> None:
    """In snake case and plain letters: it names folders, assets and views."""
    assert hunt_name(Path(f"{stem}.yaml")) == name


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", 1, "empty"),
        ("- a\n- b\n", 1, "no mapping"),
        ("name: a\n", 1, "no `query:`"),
        ("name: a\nquery:\n  - b\n", 3, "must be text"),
        ("name: a\nquery: ''\n", 2, "query is empty"),
        ("name: a\nname: b\nquery: DeviceEvents\n", 2, "stands on line 1"),
        ("query: DeviceEvents\nexport:\n  start: 2026-01-01\n  start: 2026-01-02\n", 4, "line 3"),
        ("name: a\n\tquery: b\n", 2, "spaces, not tabs"),
        ("name: a: b\n", 1, "not valid YAML"),
        ("name: !!int a\n", 1, "can't be read"),
        ("name: &a [*a]\n", 1, "can't be read"),
        ("? [a]\n: b\n", 1, "not valid YAML"),
        ("name: " + "[" * 5000, 1, "can't be read"),
        ("name: a\n---\nname: b\n", 2, "another document"),
        (b"name: a\nquery: \xff\n", 2, "not UTF-8"),
        ("name: a\nquery: \x07\n", 2, r"U\+0007"),
        ("query: DeviceEvents\nexport: daily\n", 2, "must hold settings"),
        ("query: DeviceEvents\nexport:\n  partition: daily\n", 3, "did you mean `partitions:`"),
        ("query: DeviceEvents\nexport:\n  zzz: 1\n", 3, "known are partitions, start"),
        ("query: DeviceEvents\nexport:\n  start: 2026-02-30\n", 3, "not a date"),
        ("query: DeviceEvents\nexport:\n\n  partitions: weekly\n", 4, "'hourly', 'daily'"),
        ("query: DeviceEvents\nexport:\n  surface: odata\n", 3, "'xdr', 'graph' or 'mde'"),
        ("query: DeviceEvents\nexport:\n  owners: me\n", 3, "valid list"),
        ("query: DeviceEvents\nexport:\n  partitions: snapshot\n", 3, "without a time"),
        ("query: DeviceEvents\nexport:\n  reference_tables: [Mine]\n", 3, "doesn't read"),
        ("query: DeviceEvents\nexport:\n  verdict: aligned\n", 3, "'row-wise', 'keyed' or"),
        ("query: DeviceEvents\nexport:\n  verdict: whole\n", 3, "needs a reason"),
        ("query: DeviceEvents\nexport:\n  verdict_reason: x\n", 3, "is for a `verdict:`"),
        ("query: DeviceEvents\nexport:\n  key: [a]\n", 3, "is for `verdict: keyed`"),
        (
            "query: DeviceEvents\nexport:\n  verdict: keyed\n  verdict_reason: x\n",
            3,
            "needs the key",
        ),
        (
            "query: ExposureGraphNodes\nexport:\n  verdict: whole\n  verdict_reason: x\n",
            3,
            "is for hunts on events",
        ),
        ("query: ExposureGraphNodes\nexport:\n  partitions: daily\n", 3, "use `partitions: snap"),
        ("query: ExposureGraphNodes\nexport:\n  settling: 5d\n", 3, "is for hunts on events"),
        ("query: DeviceEvents\nexport:\n  settling: 10m\n", 3, "10m is not from 1h to 30d"),
        ("query: DeviceEvents\nexport:\n  settling: 3\n", 3, "no length of time"),
        ("name: a\nquery: |\n  DeviceEvents\n  | where (a\n", 4, "column 9 of the query: .*closed"),
        ("query: DeviceEvents | where 'a\n", 1, "column 22 of the query"),
        ("query: Sysmon_CL\n", 1, "time_column"),
    ],
)
def test_a_bad_yaml_file_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, line: int, what: str
) -> None:
    """File, line, what is wrong, what to do."""
    error = only_error(tmp_path, "bad__yaml", content)
    assert re.match(f":{line}: .*{what}", error), error


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        ("", 1, "empty"),
        ("// name: a\n\n", 3, "empty"),
        ("// name: a\n// export:\n//   partitons: daily\nDeviceEvents", 3, "did you mean"),
        ("// exports:\n//   partitions: daily\nDeviceEvents", 1, "did you mean `export:`"),
        ("// name: a\n// export:\n//   start: x: y\nDeviceEvents", 3, "not valid YAML"),
        ("// name: a\n// x\n// name: b\nDeviceEvents", 3, "second `name:`"),
        ("// name: a\n\n// x\nDeviceEvents\n| where (a\n", 5, "column 9 of the query"),
    ],
)
def test_a_bad_kql_file_is_refused_with_its_line(
    tmp_path: Path, content: str, line: int, what: str
) -> None:
    """Lines count from the file's first, header or not."""
    error = only_error(tmp_path, "bad__kql", content)
    assert re.match(f":{line}: .*{what}", error), error


def test_one_bad_file_hides_no_other_and_is_not_silent(tmp_path: Path) -> None:
    """The others load, and asking for the bad one says what is wrong with it."""
    catalogue = load(tmp_path, good__kql="DeviceEvents", bad__yaml="name: a\n", readme__md="# hi")
    assert list(catalogue.hunts) == ["good"]
    assert len(catalogue.errors) == 1
    with pytest.raises(HuntNotFound, match=r"bad could not be loaded: .*no `query:`"):
        catalogue.hunt("bad")


def test_two_files_of_one_name_are_an_error_for_both(tmp_path: Path) -> None:
    """Neither is taken for the other."""
    catalogue = load(
        tmp_path,
        **{"a b__kql": "DeviceEvents", "A-B__yaml": "query: AlertInfo", "c__kql": "AlertInfo"},
    )
    assert list(catalogue.hunts) == ["c"]
    (error,) = catalogue.errors
    assert "a b.kql" in str(error)
    assert "A-B.yaml" in str(error)


def test_a_name_needs_a_letter_or_digit(tmp_path: Path) -> None:
    """It becomes a folder, an asset and a view."""
    assert "rename the file" in only_error(tmp_path, "---__kql", "DeviceEvents")


def test_the_name_of_the_lake_s_own_tables_is_taken(tmp_path: Path) -> None:
    """A view of that name would stand before them."""
    assert "rename the file" in only_error(tmp_path, "Huntlake__kql", "DeviceEvents")


def test_folders_are_searched_and_hidden_ones_are_not(tmp_path: Path) -> None:
    """The community's repository has a folder for each subject."""
    for folder in ("Execution", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder.strip('.')}_hunt.kql").write_text("DeviceEvents")
    assert list(load_hunts(tmp_path).hunts) == ["execution_hunt"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """An empty catalogue would look like a quiet day."""
    with pytest.raises(HuntFileError, match="HUNTLAKE_HUNTS"):
        load_hunts(tmp_path / "nowhere")


def test_an_unknown_hunt_lists_near_names(tmp_path: Path) -> None:
    """Or all, where none is near."""
    catalogue = load(tmp_path, device_events__kql="DeviceEvents", alerts__kql="AlertInfo")
    with pytest.raises(HuntNotFound, match="did you mean device_events"):
        catalogue.hunt("device_event")
    with pytest.raises(HuntNotFound, match="has alerts, device_events"):
        catalogue.hunt("zzz")


def test_tables_without_a_time_are_exported_as_snapshots(tmp_path: Path) -> None:
    """Without being told."""
    hunt = load(tmp_path, software__kql="DeviceTvmSoftwareInventory").hunt("software")
    assert hunt.export.partitions == "snapshot"


def test_the_time_column_of_an_undocumented_table_comes_from_the_file(tmp_path: Path) -> None:
    """As the error that names the table says."""
    query = "// export:\n//   time_column: TimeGenerated\nSysmon_CL"
    assert load(tmp_path, sysmon__kql=query).hunt("sysmon").export.time_column == "TimeGenerated"


def test_settling_is_a_duration(tmp_path: Path) -> None:
    """Three days, where the file says nothing."""
    head = "// export:\n//   settling: {}\nDeviceEvents"
    hunts = load(
        tmp_path, a__kql=head.format("5d"), b__kql=head.format("36h"), c__kql="DeviceEvents"
    ).hunts
    found = [hunts[name].export.settling for name in "abc"]
    assert found == [timedelta(days=5), timedelta(hours=36), timedelta(days=3)]


def test_an_author_knows_better_for_a_stated_reason(tmp_path: Path) -> None:
    """The verdict is theirs; how to count, or where the time is, nobody told."""
    head = "// export:\n//   verdict: {}\n//   verdict_reason: reports follow within a minute\n"
    query = "DeviceEvents | join AlertInfo on DeviceId | project DeviceId"
    hunts = load(
        tmp_path,
        sliced__kql=head.format("row-wise") + query,
        split__kql=head.format("keyed\n//   key: [DeviceId]") + query,
        asked_once__kql=head.format("whole") + "DeviceEvents",
    ).hunts
    sliced, split, asked_once = (
        analyse_hunt(hunts[name]) for name in ("sliced", "split", "asked_once")
    )
    assert (sliced.verdict, sliced.grid, sliced.hash_columns) == (Verdict.ROW_WISE, TICKS, None)
    assert (split.verdict, split.grid, split.hash_columns) == (Verdict.KEYED, None, ("DeviceId",))
    assert (asked_once.verdict, asked_once.grid) == (Verdict.WHOLE, None)
    assert "reports follow within a minute" in sliced.reason
    assert sliced.counting is split.counting is asked_once.counting is None
    assert asked_once.time_column is None


def test_a_reference_table_is_read_whole(tmp_path: Path) -> None:
    """It is none of the tables to restrict, so a join with it leaves each row by itself."""
    query = "DeviceEvents | join kind=leftouter IdentityInfo on AccountUpn"
    setting = "// export:\n//   reference_tables: [IdentityInfo]\n"
    hunts = load(tmp_path, plain__kql=query, opted_out__kql=setting + query).hunts
    plain, opted_out = hunts["plain"], hunts["opted_out"]
    assert analyse_hunt(plain).verdict is Verdict.WHOLE
    analysis = analyse_hunt(opted_out)
    assert analysis.verdict is Verdict.ROW_WISE
    assert [table.name for table in analysis.event_tables] == ["DeviceEvents"]
    assert plain.fingerprint != opted_out.fingerprint


def test_the_starter_set_loads_and_is_described() -> None:
    """Raw exports, filtered hunts, snapshots, some that group: every verdict has one."""
    catalogue = load_hunts(STARTER_SET)
    assert catalogue.errors == ()
    assert {"device_process_events", "device_network_events", "encoded_powershell"} <= set(
        catalogue.hunts
    )
    verdicts = {analyse_hunt(hunt).verdict for hunt in catalogue.hunts.values()}
    assert verdicts == set(Verdict)
    assert {hunt.export.partitions for hunt in catalogue.hunts.values()} == {
        *("hourly", "daily", "snapshot")
    }
    for hunt in catalogue.hunts.values():
        assert hunt.title, hunt.name
        assert len(hunt.description) > 50, hunt.name
        if hunt.path and hunt.path.suffix == ".yaml":
            assert hunt.tactics, hunt.name
            assert hunt.techniques, hunt.name


@pytest.mark.parametrize("path", sorted(STARTER_SET.glob("*.*")), ids=lambda path: path.stem)
def test_the_stand_in_can_evaluate_each_starter_hunt(path: Path) -> None:
    """Restricted to a window, as it is sent."""
    to_sql = pytest.importorskip("duckdb_kql").to_sql
    hunt = load_hunts(STARTER_SET).hunt(path.stem)
    window = Window(parse_instant("2026-11-20"), parse_instant("2026-11-21"))
    assert to_sql(restrict(hunt.query, analyse(hunt.query), window=window, now=window.end))
