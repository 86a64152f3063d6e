"""The main path in a real browser: JupyterLab as `make lab` starts it, a notebook run to its end, a moment played.

Needs Chromium (the environment's CHROMIUM, or one on the path); without it the test is skipped, with the reason.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from helpers.settings import ROOT
from tools.gate.rules import code_cells, no_surprising_errors, run_once_from_top_to_bottom
from tools.notebook_env import offline_environment

NOTEBOOK = "04_similarity_search.ipynb"
WORDS = "a furry animal yawning on a windowsill"  # in no fixture: a test below sees to it
PATIENCE = 120_000  # milliseconds, for a machine that does other things too

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
# JupyterLab usually keeps only the visible cells in the page; here all of them are to be looked at.
WHOLE_PAGE = {"windowingMode": "none"}
ERROR = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'  # what Lab makes of errors
MEASURED: dict[str, str] = {}  # shown at the end of the run, not asserted


def write_scratch(checkout: Path, sources: list[str]) -> Path:
    """Put a notebook of these cells in the place of the one that is opened, and return the checkout."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.write(notebook, checkout / "notebooks" / NOTEBOOK)
    return checkout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, its notebook without outputs, so that everything on the page comes from this run."""
    tree = tmp_path_factory.mktemp("checkout") / "tree"
    leave = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "node_modules", "tests")
    shutil.copytree(ROOT, tree, ignore=leave)
    path = tree / "notebooks" / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)
    return tree


@pytest.fixture(scope="module")
def lab(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab of its own, with an empty home; gives its address with the token."""
    home = tmp_path_factory.mktemp("empty")
    env = offline_environment(home) | {"HOME": str(home), "PYTHONPATH": str(tree)}
    env.pop("VIDEO_SEARCH_PROGRESS")  # as a learner sees it
    settings = home / "settings"
    env["JUPYTERLAB_SETTINGS_DIR"] = str(settings)
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps(WHOLE_PAGE), "utf-8")
    options = ["--no-browser", "--port=0", f"--IdentityProvider.token={secrets.token_hex(16)}"]
    options += ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    log = (home / "lab.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.lab", *options], env=env, cwd=tree, stdout=log, stderr=log
    )
    try:
        yield address(Path(env["JUPYTER_RUNTIME_DIR"]), process, home / "lab.log")
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        log.close()


def address(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Where the server listens, from the file that it writes once it does."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with suppress(json.JSONDecodeError):
                server = json.loads(path.read_text("utf-8"))
                return f"{server['url']}lab/tree/notebooks/{NOTEBOOK}?token={server['token']}"
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text('utf-8')[-3000:]}")


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    """The notebook in a browser, its kernel ready, nothing run yet."""
    if not CHROMIUM and os.environ.get("CI"):
        pytest.fail("no Chromium in CI, where this test must not be left out: see .ci/run")
    if not CHROMIUM:
        pytest.skip("no Chromium here: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(lab)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        yield page
        browser.close()


@pytest.fixture(scope="module")
def after_run(page: Page) -> Page:
    """The page after Run All Cells."""
    started = time.monotonic()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(f".jp-OutputArea-output video, {ERROR}").first.wait_for(state="attached")
    assert page.locator(ERROR).all_inner_texts() == []
    MEASURED["from a started kernel to the first moment on screen"] = f"{time.monotonic() - started:.1f} s"
    # A cell that waits or runs has a star; after an error the cells behind it stay without a number.
    expect(page.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")).to_have_count(0, timeout=PATIENCE)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    MEASURED["all cells"] = f"{time.monotonic() - started:.1f} s"
    return page


def state(video: Locator) -> dict[str, Any]:
    return video.evaluate(
        "v => ({src: v.src, at: v.currentTime, ready: v.readyState, error: v.error?.message})"
    )


def wait_until(video: Locator, condition: str) -> None:
    """Wait for a condition on the video `v`, written in JavaScript."""
    until = time.monotonic() + PATIENCE / 1000
    while not video.evaluate(f"v => {condition}"):
        assert time.monotonic() < until, f"{condition} did not come true: {state(video)}"
        time.sleep(0.1)


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


def test_the_notebook_runs_to_its_end(
    after_run: Page, tree: Path, record_property: Callable[[str, object], None]
) -> None:
    for name, value in MEASURED.items():
        record_property(f"{NOTEBOOK}, {name}", value)
    path = tree / "notebooks" / NOTEBOOK
    before = path.stat().st_mtime_ns
    after_run.keyboard.press("Control+s")
    until = time.monotonic() + PATIENCE / 1000
    while path.stat().st_mtime_ns == before:
        assert time.monotonic() < until, "the notebook was not saved"
        time.sleep(0.1)
    notebook = nbformat.read(path, as_version=4)
    assert run_once_from_top_to_bottom(notebook) == []
    assert no_surprising_errors(notebook) == []


def test_a_found_moment_plays_from_its_second(after_run: Page) -> None:
    moments = after_run.locator('.jp-OutputArea-output video[src*="#t="]')
    later = [
        n for n in range(moments.count()) if not re.search(r"#t=0(\.0+)?\b", state(moments.nth(n))["src"])
    ]
    assert later, "no moment starts after the first second, so nothing would be shown by a player at 0"
    starts_and_plays(moments.nth(later[0]))


def test_the_words_are_in_no_fixture() -> None:
    import pandas as pd

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
