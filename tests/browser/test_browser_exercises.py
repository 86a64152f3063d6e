"""Exercises in JupyterLab: a learner types an answer, and the check below it says something useful, wrong or right."""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from exercises.checking import NOT_YET
from tools.browser import PATIENCE, Lab, close_notebooks, open_notebook

MEAN_RANK = "def mrr(ranks):\n    found = [r for r in ranks if r]\n    return sum(found) / len(found)"
MRR = "def mrr(ranks):\n    return sum(1 / r for r in ranks if r) / len(ranks)"
DOUBLED = "limits = [0.5 * 2**n for n in range(8)]"
CAPPED = "limits = [min(20, 0.5 * 2**n) for n in range(8)]"


def run(cell: Locator, text: str = "") -> None:
    """Run a cell, with this text typed in place of what it holds."""
    cell.locator(".cm-content").click()
    if text:
        cell.page.keyboard.press("ControlOrMeta+a")
        cell.page.keyboard.insert_text(text)
    cell.page.keyboard.press("Control+Enter")


@pytest.mark.parametrize(
    ("name", "exercise", "wrong", "said", "right"),
    [
        ("04_similarity_search", "04.mrr", MEAN_RANK, "Not right yet: that is the mean rank", MRR),
        ("09_reliability", "09.limits", DOUBLED, "Not right yet: a limit is above 20", CAPPED),
    ],
    ids=["04", "09"],
)
def test_a_check_answers_what_was_typed(
    lab: Lab, tree: Path, page: Page, name: str, exercise: str, wrong: str, said: str, right: str
) -> None:
    path = f"notebooks/exercises/{name}.ipynb"
    cells = nbformat.read(tree / path, as_version=4).cells
    first = next(number for number, cell in enumerate(cells) if cell.cell_type == "code")
    last = next(number for number, cell in enumerate(cells) if cell.source.startswith(f'check("{exercise}"'))
    open_notebook(page, path)
    shown = page.locator(".jp-Notebook .jp-Cell")
    answer, check = shown.nth(last - 1), shown.nth(last)
    run(shown.nth(first))
    for text, verdict in [("", NOT_YET), (wrong, said), (right, "Right, because ")]:
        run(answer, text)
        run(check)
        expect(check.locator(".jp-OutputArea-output")).to_contain_text(verdict, timeout=PATIENCE)
    close_notebooks(page)
    lab.stop_kernels()
