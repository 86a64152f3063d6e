"""One JupyterLab and one Chromium for all tests in a browser; each module opens a notebook of its own in a page.

Needs Chromium (the environment's CHROMIUM, or one on the path); without it the tests are skipped, with the reason.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tools.browser import (
    CHROMIUM,
    ERROR,
    PATIENCE,
    Lab,
    chromium,
    copy_of_checkout,
    learners_environment,
    run_all_cells,
    started_lab,
    wait_for_kernel,
)


@pytest.fixture(scope="package")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that nothing in the real one is written to."""
    return copy_of_checkout(tmp_path_factory.mktemp("checkout") / "tree")


@pytest.fixture(scope="package")
def lab(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on that copy, with an empty home."""
    home = tmp_path_factory.mktemp("empty")
    with started_lab(tree, home, learners_environment(tree, home)) as lab:
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
