"""Every notebook runs to its end live, as marengo3.5; as marengo3.0 in test_live_notebooks_30.py.

Two files, so that the workers of `--dist loadfile` share them.
"""

from pathlib import Path

import nbformat
import pytest

from tools.live_run import run_live
from tools.notebook_env import notebook_paths


@pytest.mark.parametrize("path", notebook_paths([]), ids=lambda path: path.stem)
def test_live_as_marengo_3_5(path: Path) -> None:
    assert run_live(path, "marengo3.5") == []


def test_what_counts_as_a_failure(tmp_path: Path) -> None:
    cells = ["import os\n\nprint(os.environ['TWELVE_LABS_API_KEY'])", "assert 1 > 2, 'a check that fails'"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, tmp_path / "bad.ipynb")
    problems = " ".join(run_live(tmp_path / "bad.ipynb", "marengo3.5", keep_going=True))
    for words in ("a check that fails", "the key is in an output", "was not live"):
        assert words in problems
    assert "a check that fails" in " ".join(run_live(tmp_path / "bad.ipynb", "marengo3.5"))
