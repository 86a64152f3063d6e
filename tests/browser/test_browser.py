"""The main path in a real browser: JupyterLab as `make lab` starts it, a notebook run to its end, a moment played."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.settings import ROOT
from tests.browser.pages import barriers, saved_notebook, shows_its_captions, state, wait_until
from tools.browser import PATIENCE
from tools.gate.cells import code_cells
from tools.gate.rules import no_surprising_errors, run_once_from_top_to_bottom

WORDS = "a furry animal yawning on a windowsill"  # in no fixture: a test below sees to it


@pytest.fixture(scope="module")
def notebook(tree: Path) -> Path:
    """Notebook 04 without outputs, so that all on the page comes from this run, in a kernel that is not forked."""
    path = tree / "notebooks" / "04_similarity_search.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    notebook.metadata.kernelspec["name"] = "cold"
    nbformat.write(notebook, path)
    return path


def starts_and_plays(video: Locator) -> None:
    """The player stands at the second of its address, and moves on from there."""
    video.scroll_into_view_if_needed()
    found = re.search(r"#t=([\d.]+)", state(video)["src"])
    assert found, f"no start in {state(video)['src']}"
    start = float(found.group(1))
    wait_until(video, f"v.readyState >= 1 && Math.abs(v.currentTime - {start}) <= 0.5")
    video.evaluate("v => { v.muted = true; return v.play(); }")
    wait_until(video, f"v.readyState >= 2 && v.currentTime > {start} + 0.6")
    assert state(video)["error"] is None
    video.evaluate("v => v.pause()")


def test_the_notebook_runs_to_its_end(after_run: Page, notebook: Path) -> None:
    before = notebook.stat().st_mtime_ns
    after_run.keyboard.press("Control+s")
    saved = saved_notebook(notebook, before)
    assert run_once_from_top_to_bottom(saved) == []
    assert no_surprising_errors(saved) == []


def test_a_found_moment_plays_from_its_second(after_run: Page) -> None:
    moments = after_run.locator('.jp-OutputArea-output video[src*="#t="]')
    later = [
        n for n in range(moments.count()) if not re.search(r"#t=0(\.0+)?\b", state(moments.nth(n))["src"])
    ]
    assert later, "no moment starts after the first second, so nothing would be shown by a player at 0"
    starts_and_plays(moments.nth(later[0]))


def test_the_words_are_in_no_fixture() -> None:
    assert WORDS not in set(pd.read_parquet(ROOT / "data" / "fixtures" / "queries.parquet")["source"])


def test_the_search_box_answers_words_of_ones_own(after_run: Page) -> None:
    box = after_run.locator(".jupyter-widgets.widget-vbox", has=after_run.locator("input[type=text]")).first
    line = box.locator("input[type=text]")
    line.scroll_into_view_if_needed()
    assert box.locator("video").count() == 0
    line.fill(WORDS)
    line.press("Enter")
    box.locator('video[src*="#t="]').first.wait_for()
    starts_and_plays(box.locator('video[src*="#t="]').first)
    answer = box.locator(".widget-html-content")
    first = answer.inner_text()
    line.fill(f"{WORDS} at night")
    box.get_by_role("button").first.click()
    expect(answer).not_to_have_text(first, timeout=PATIENCE)
    answer.locator("video").first.wait_for()


def test_everybody_can_use_the_outputs(after_run: Page) -> None:
    assert barriers(after_run, inside=".jp-OutputArea-output") == []


@pytest.mark.parametrize("player", [".jp-RenderedHTML video", ".widget-html-content video"])
def test_a_player_shows_in_words_what_is_seen(after_run: Page, player: str) -> None:
    shows_its_captions(after_run.locator(player).first)
