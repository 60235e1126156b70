"""The notebook of the examples, executed by a real kernel."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[3] / "examples" / "python" / "study.ipynb"


@pytest.mark.deep
def test_the_notebook_runs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    shown = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs if o.output_type == "execute_result"]
    assert len(shown) == 7
    assert all("text/html" in shown[i].data for i in (0, 2, 4))
    assert all("image/svg+xml" in shown[i].data for i in (5, 6))
    assert not any(o.get("name") == "stderr" and "Error" in o.text for c in notebook.cells for o in c.get("outputs", ()))
