"""One JupyterLab and one Chromium for all tests in a browser; each module opens a notebook of its own in a page.

Needs Chromium (the environment's CHROMIUM, or one on the path); without it the tests are skipped, with the reason.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from helpers.settings import ROOT
from tests.browser.pages import ERROR
from tools.browser import CHROMIUM, PATIENCE, Lab, chromium, run_all_cells, started_lab, wait_for_kernel
from tools.notebook_env import offline_environment

# JupyterLab usually keeps only the visible cells in the page; here all of them are to be looked at.
WHOLE_PAGE = {"windowingMode": "none"}


@pytest.fixture(scope="package")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that nothing in the real one is written to."""
    tree = tmp_path_factory.mktemp("checkout") / "tree"
    leave = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "node_modules", "tests")
    shutil.copytree(ROOT, tree, ignore=leave)
    return tree


@pytest.fixture(scope="package")
def lab(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on that copy, with an empty home."""
    home = tmp_path_factory.mktemp("empty")
    env = offline_environment(home) | {"HOME": str(home), "PYTHONPATH": str(tree)}
    env.pop("VIDEO_SEARCH_PROGRESS")  # as a learner sees it
    env["JUPYTERLAB_SETTINGS_DIR"] = str(home / "settings")
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps(WHOLE_PAGE), "utf-8")
    with started_lab(tree, home, env) as lab:
        yield lab


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM and os.environ.get("CI"):
        pytest.fail("no Chromium in CI, where this test must not be left out: see .ci/run")
    if not CHROMIUM:
        pytest.skip("no Chromium here: install it, or name it in CHROMIUM")
    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """A page of its own for the module, nothing opened yet; its kernel ends with it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()
    lab.stop_kernels()


@pytest.fixture(scope="module")
def address(lab: Lab, tree: Path, notebook: Path) -> str:
    """Where JupyterLab shows the module's notebook."""
    return lab.page_of(notebook.relative_to(tree).as_posix())


@pytest.fixture(scope="module")
def opened(page: Page, address: str) -> Page:
    """The module's notebook in the browser, its kernel ready, nothing run yet."""
    page.goto(address)
    wait_for_kernel(page)
    return page


@pytest.fixture(scope="module")
def after_run(opened: Page) -> Page:
    """The page after Run All Cells."""
    run_all_cells(opened)
    opened.locator(f".jp-OutputArea-output video, {ERROR}").first.wait_for(state="attached")
    assert opened.locator(ERROR).all_inner_texts() == []
    # A cell that waits or runs has a star; after an error the cells behind it stay without a number.
    expect(opened.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")).to_have_count(0, timeout=PATIENCE)
    opened.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    return opened
