"""One JupyterLab in one page of Chromium for all tests in a browser; each module opens a notebook of its own there.

Needs Chromium (the environment's CHROMIUM, or one on the path); without it the tests are skipped, with the reason.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ipykernel.kernelspec import get_kernel_dict
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import REQUESTS
from tools.browser import (
    CHROMIUM,
    ERROR,
    PATIENCE,
    Lab,
    chromium,
    close_notebooks,
    copy_of_checkout,
    learners_environment,
    open_notebook,
    run_all_cells,
    started_lab,
)

# Kernels are forked where that can be done, all but the one of test_browser.py, which begins as a learner's does; and
# the page can be told to open another notebook.
CONFIG = """
import os

if hasattr(os, "fork"):
    from tools.warm_kernels import use_warm_kernels

    use_warm_kernels()
c.LabApp.expose_app_in_browser = True
"""


@pytest.fixture(scope="package")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that nothing in the real one is written to."""
    return copy_of_checkout(tmp_path_factory.mktemp("checkout") / "tree")


@pytest.fixture(scope="package")
def lab(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on that copy, with an empty home."""
    home = tmp_path_factory.mktemp("empty")
    environment = learners_environment(tree, home)
    config = Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.py"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG, "utf-8")
    spec = Path(environment["JUPYTER_DATA_DIR"]) / "kernels" / "cold" / "kernel.json"
    spec.parent.mkdir(parents=True)
    started = {"metadata": {"kernel_provisioner": {"provisioner_name": "local-provisioner"}}}
    spec.write_text(json.dumps(get_kernel_dict() | started), "utf-8")
    with started_lab(tree, home, environment) as lab:
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


@pytest.fixture(scope="package")
def page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """JupyterLab in a page, loaded once: that costs more than most of what is tested."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: REQUESTS.append(request.url))
    page.goto(lab.page_of("notebooks"))
    page.locator("#jp-main-dock-panel").wait_for()
    yield page
    page.close()


@pytest.fixture(scope="module")
def path(tree: Path, notebook: Path) -> str:
    """The module's notebook, from the root."""
    return notebook.relative_to(tree).as_posix()


@pytest.fixture(scope="module")
def opened(page: Page, lab: Lab, path: str) -> Iterator[Page]:
    """The module's notebook in the browser, its kernel ready, nothing run yet."""
    open_notebook(page, path)
    yield page
    close_notebooks(page)
    lab.stop_kernels()


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
