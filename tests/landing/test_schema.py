"""The names under which columns land."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.lake import PARTITION_COLUMNS
from pipelines.landing import KEPT_ASIDE, RESERVED_NAMES
from pipelines.landing.schema import arrow_schema, landed_names, wire_columns

NAMES = st.one_of(
    st.sampled_from(
        ["LogonId", "LogonID", "logonid", "LogonId_2", "LOGONID_2", "Date", "date", "date_2", "ß"]
    ),
    st.sampled_from(["ss", "SS", "_KEPT_ASIDE", "Tenant", "hour", "", "X1"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
)


def test_reserved_names_are_the_lakes_own() -> None:
    """Whatever the lake gives a view as a column, no landed column may be called."""
    assert (KEPT_ASIDE, *PARTITION_COLUMNS) == RESERVED_NAMES


def test_names_that_differ_by_case_alone_are_told_apart() -> None:
    """The first in code-point order keeps its name, and a number that is taken is passed over."""
    assert landed_names(["LogonId", "LogonID", "logonid", "LogonId_2"]) == {
        "LogonID": "LogonID",
        "LogonId": "LogonId_3",
        "LogonId_2": "LogonId_2",
        "logonid": "logonid_4",
    }


def test_a_column_called_like_the_lakes_own_lands_under_another_name() -> None:
    """A hunt may well return a Date or a Tenant."""
    assert landed_names(["Date", "tenant", KEPT_ASIDE]) == {
        "Date": "Date_2",
        "tenant": "tenant_2",
        KEPT_ASIDE: f"{KEPT_ASIDE}_2",
    }


@given(st.sets(NAMES, max_size=8).flatmap(lambda names: st.permutations(sorted(names))))
def test_landed_names_are_fixed_and_unique_without_case(names: list[str]) -> None:
    """They depend on the set alone, none collides with another or the lake's, and again changes
    nothing.
    """
    landed = landed_names(names)
    assert landed == landed_names(sorted(names))
    assert landed.keys() == set(names)
    folded = [name.casefold() for name in (*landed.values(), *RESERVED_NAMES)]
    assert len(set(folded)) == len(folded)
    assert landed_names(landed.values()) == {name: name for name in landed.values()}


@given(st.dictionaries(NAMES, st.sampled_from(["String", "Int64", "Odd"]), max_size=6))
def test_a_schema_remembers_the_services_names_and_types(columns: dict[str, str]) -> None:
    """Columns keep their order; the last is for what the types can't hold."""
    schema = arrow_schema(columns)
    assert list(wire_columns(schema).items()) == list(columns.items())
    assert schema.names[-1] == KEPT_ASIDE
