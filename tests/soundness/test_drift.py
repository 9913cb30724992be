"""Partitions with other columns than the one before them."""

from pipelines.landing import Column
from pipelines.soundness import drifts
from tests.soundness.lakes import days, landed

FIRST, SECOND, THIRD = days("2026-11-20", 3)
NAME = Column("Name", "Name", "String")
PORT = Column("Port", "Port", "Int32")


def test_each_partition_is_compared_with_the_one_before() -> None:
    """A column that is gone for good is news once; one without columns is passed over."""
    lake = [
        landed(FIRST, 1, columns=(NAME, PORT)),
        landed(SECOND, 0, columns=()),
        landed(THIRD, 1, columns=(NAME,)),
    ]
    [found] = drifts(lake)
    assert (found.landed.name, found.changes.against) == ("2026-11-22", "2026-11-20")
    assert found.changes.missing == (PORT,)


def test_another_order_is_no_change() -> None:
    """Columns are known by their names."""
    lake = [landed(FIRST, 1, columns=(NAME, PORT)), landed(SECOND, 1, columns=(PORT, NAME))]
    assert list(drifts(lake)) == []
