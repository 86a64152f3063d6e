"""What a notebook shows of an error of the project: the sentence, and the way to the rest."""

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.settings import ROOT

CELLS = [
    "from helpers import load_settings\nfrom helpers.errors import SearchError\nsettings = load_settings()",
    "raise SearchError(\"There is <b>no</b> field 'x' to filter by: choose another.\")",
    "1 / 0",
    "load_settings()\nfrom helpers import build_filter\nbuild_filter({'x': 1})",
    "from helpers import kmeans_clusters\nlabels = kmeans_clusters([[0.0, 1.0], [1.0, 0.0]], 8)",
]


@pytest.fixture(scope="module")
def outputs():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(ROOT)}}).execute()
    return [cell["outputs"] for cell in notebook["cells"]]


@pytest.mark.slow
def test_an_error_of_the_project_is_a_sentence(outputs):
    error, where = outputs[1]
    sentence = "There is <b>no</b> field 'x' to filter by: choose another."
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "SearchError", sentence)
    assert error["traceback"] == [f"SearchError: {sentence}"]
    shown = where["data"]["text/html"]
    assert shown.startswith("<details><summary>Where it happened</summary><pre>Traceback")
    assert "raise SearchError(&quot;There is &lt;b&gt;no" in shown and "<b>" not in shown


@pytest.mark.slow
def test_any_other_error_is_shown_as_ever(outputs):
    (error,) = outputs[2]
    assert error["ename"] == "ZeroDivisionError" and len(error["traceback"]) > 1


@pytest.mark.slow
def test_settings_that_are_read_twice_show_an_error_once(outputs):
    error, _ = outputs[3]
    assert error["traceback"] == [f"SearchError: {error['evalue']}"]


@pytest.mark.slow
def test_a_warning_of_the_project_is_a_sentence(outputs):
    said = "There are 2 segments, fewer than the 8 clusters asked for: each of 2 is one.\n"
    assert [(output["name"], output["text"]) for output in outputs[4]] == [("stderr", said)]
