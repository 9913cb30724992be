"""The oracle itself: tests that trust it need it to see what there is to see."""

from collections.abc import Iterator

import pytest

from tests.kql.oracle import Oracle, documented, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle(documented(), opened=["SigninLogs"]) as oracle:
        yield oracle


def test_columns_have_names_and_types(oracle: Oracle) -> None:
    """As the service would send them."""
    bound = oracle.bind("DeviceEvents | summarize n = count() by day = bin(Timestamp, 1d)")
    assert bound.columns == (("day", "datetime"), ("n", "long"))
    assert not bound.errors


@pytest.mark.parametrize(
    "query",
    ["DeviceEvents | where Nobody == 1", "DeviceEvents |", "Nothing", "DeviceEvents | take 'a'"],
)
def test_a_wrong_query_has_errors(query: str, oracle: Oracle) -> None:
    """Of grammar, of names, of types."""
    assert oracle.bind(query).errors


def test_tables_are_found_wherever_they_are_read(oracle: Oracle) -> None:
    """Under their own names, in functions, by wildcards; not under a let's name."""
    query = """// \N{GRINNING FACE}
        let DeviceEvents = DeviceEvents | where true;
        let devices = () { DeviceInfo | project DeviceId };
        union DeviceEvents, devices, EmailU*"""
    assert oracle.bind(query).reads == (
        ("DeviceEvents", query.index("= DeviceEvents") + 2),
        ("DeviceInfo", query.index("DeviceInfo")),
        ("EmailUrlInfo", query.index("EmailU*")),
    )


def test_an_open_table_has_any_column(oracle: Oracle) -> None:
    """So that a table whose columns nobody listed can be bound at all."""
    assert not oracle.bind("SigninLogs | where Anything == 1").errors


def test_an_enrichment_takes_a_column(oracle: Oracle) -> None:
    """The one place where the service allows a name that the binder doesn't know."""
    assert not oracle.bind("DeviceEvents | invoke FileProfile(SHA1, 500)").errors
    assert oracle.bind("DeviceEvents | invoke FileProfile(SHA1, 500) | where Nobody").errors
