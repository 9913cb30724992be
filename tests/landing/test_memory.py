"""The allocator of a process that exports."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from pipelines.landing import use_system_allocator


@pytest.fixture(autouse=True)
def other_allocator() -> Iterator[None]:
    """Begin with another one, and end with the one that was there."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.mimalloc_memory_pool())
    yield
    pa.set_memory_pool(before)


def test_arrow_allocates_as_the_process_does() -> None:
    """And what was allocated before stays as it is."""
    early = pa.array(range(1_000))
    use_system_allocator()
    assert pa.default_memory_pool().backend_name == "system"
    held = pa.system_memory_pool().bytes_allocated()
    late = pa.array(range(1_000))
    assert pa.system_memory_pool().bytes_allocated() > held
    assert early.equals(late)
