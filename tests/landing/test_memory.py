"""The allocator of a process that exports."""

import os
import subprocess
import sys
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


def test_so_does_its_writer() -> None:
    """It heeds the environment alone, as that is when Arrow is loaded; whoever set it keeps it."""
    shown = "import pipelines, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    environment = {k: v for k, v in os.environ.items() if k != "ARROW_DEFAULT_MEMORY_POOL"}
    for given, backend in (({}, "system"), ({"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, "mimalloc")):
        ran = subprocess.run(
            [sys.executable, "-c", shown],
            env=environment | given,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == backend
