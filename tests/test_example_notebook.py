"""``examples/hunting.ipynb`` runs from its first cell to its last, on a real lake.

It is kept without outputs: they would change with every run, and nobody could review them.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from pipelines.environment import PROJECT
from pipelines.lake import LakeLayout
from tests.lake.hunters import land_tables

NOTEBOOK = PROJECT / "examples" / "hunting.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


# Jupyter's own, of its event loop and its sockets.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cell that shows something shows it, the picture too."""
    land_tables(
        LakeLayout(tmp_path),
        {"AlertInfo": 20, "DeviceLogonEvents": 400, "DeviceNetworkEvents": 400},
    )
    monkeypatch.setenv("HUNTLAKE_DATA", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    client = NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    texts = [each.get("text/plain", "") for each in shown]
    assert "3 hunts" in texts[0]
    assert any("image/png" in each for each in shown)
    assert not any(" 0 rows" in text for text in texts)
    assert "00Z" in texts[-1]


def test_the_notebook_is_kept_without_outputs(notebook: nbformat.NotebookNode) -> None:
    """`jupyter nbconvert --clear-output --inplace` takes them out."""
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
