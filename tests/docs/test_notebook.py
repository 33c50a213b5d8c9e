"""The notebook runs from top to bottom in Jupyter, on a small real run, and says what its page says."""

import os
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_notebook_is_its_page():
    """If this fails: jupytext --to ipynb docs/notebook.md"""
    page = jupytext.read(DOCS / "notebook.md")
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in page.cells
    ]


def test_the_notebook_runs_and_its_profile_is_the_reports(finished, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "demo").symlink_to(finished)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", str(tmp_path / "matplotlib")))
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("largest difference from the report" in output.get("text", "") for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert (tmp_path / "profile.pdf").stat().st_size > 1000
