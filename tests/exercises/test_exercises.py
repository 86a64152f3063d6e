"""The exercises are made from their solutions, and run to their end untouched."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import matplotlib.pyplot as plt
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from exercises.checking import NOT_YET
from helpers import connect_twelvelabs, embed_videos, load_settings, sample_videos
from tools.exercises import EXERCISES, SOLUTIONS, exercise_of, names_asked, outdated, stub
from tools.gate import rules
from tools.gate.cells import tags
from tools.notebook_env import notebook_paths

NAMES = sorted(path.name for path in SOLUTIONS.glob("[0-9]*.ipynb"))


def test_every_exercise_is_what_its_solution_makes() -> None:
    assert [path.name for path in outdated()] == []
    assert sorted(path.name for path in EXERCISES.glob("*.ipynb")) == NAMES
    assert set(NAMES) <= {path.name for path in notebook_paths([])}


def test_a_stub_keeps_imports_names_and_the_first_line_of_a_function() -> None:
    function = "def find(words):\n    '''Find.'''\n    return words"
    solution = f"from os import path\n\n{function}\n\nhits = find('x')\nother = 1"
    asked = names_asked('check("01.x", find, hits, len(other))')
    assert asked == ["find", "hits"]
    empty = 'def find(words):\n    """Find."""\n    ...'
    assert stub(solution, asked) == f"from os import path\n\n# Write your code here.\nhits = ...\n\n\n{empty}"
    with pytest.raises(ValueError, match="makes no 'missing'"):
        stub(solution, ["missing"])


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_in_order(name: str) -> None:
    notebook = nbformat.read(SOLUTIONS / name, as_version=4)
    nbformat.validate(notebook)
    for rule in (
        rules.run_once_from_top_to_bottom,
        rules.no_surprising_errors,
        rules.no_private_things,
        rules.no_state_of_widgets,
        rules.pictures_speak,
        rules.everything_is_compared,
        rules.plain_words,
        rules.one_title,
    ):
        assert rule(notebook) == []
    assert rules.links_lead_somewhere(SOLUTIONS / name, notebook) == []
    checks = [cell for cell in notebook.cells if "check" in tags(cell)]
    assert 3 <= len(checks) <= 5
    for cell in checks:
        assert "".join(output.text for output in cell.outputs).startswith("Right, because ")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of somebody who has run the lessons: the samples are embedded once, not for each exercise."""
    home = tmp_path_factory.mktemp("lessons-were-run")
    embed_videos(connect_twelvelabs(replace(load_settings(), home=home)), sample_videos())
    return home / "cache"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_untouched_it_runs_to_its_end(name: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In this process: a kernel would only add its start."""
    shutil.copytree(cache, load_settings().home / "cache")
    notebook = exercise_of(nbformat.read(SOLUTIONS / name, as_version=4))
    shell, checks = InteractiveShell(), 0
    with patch.dict(os.environ):  # the exercises of 09 set switches
        for cell in notebook.cells:
            if cell.cell_type == "code":
                capsys.readouterr()
                shell.run_cell(cell.source).raise_error()
                if cell.source.startswith("check("):
                    checks += 1
                    assert capsys.readouterr().out == f"{NOT_YET}\n"
    plt.close("all")
    assert checks >= 3
