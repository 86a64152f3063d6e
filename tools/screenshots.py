"""The pictures of the README, as JupyterLab shows notebook 04 and the explorer now: `python -m tools.screenshots`."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from helpers.settings import ROOT
from tools.browser import (
    PATIENCE,
    Lab,
    chromium,
    copy_of_checkout,
    learners_environment,
    run_to_its_end,
    started_lab,
    wait_for_kernel,
)

SETTLE = 3000  # milliseconds, for stills and videos that come after the answer


def opened(browser: Browser, lab: Lab, notebook: str) -> Page:
    """The notebook after Run All Cells, in a window of its own."""
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    page.set_default_timeout(PATIENCE)
    page.goto(lab.page_of(notebook))
    wait_for_kernel(page)
    run_to_its_end(page)
    page.keyboard.press("Control+b")  # no list of files beside the notebook
    return page


def search_in_04(page: Page) -> Locator:
    """The search box after words of a learner's own."""
    box = page.locator(".jupyter-widgets.widget-vbox", has=page.locator("input[type=text]")).first
    line = box.locator("input[type=text]")
    box.get_by_role("combobox").select_option("description")
    line.fill("taking aim with bow and arrow")
    line.press("Enter")
    box.locator("video").first.wait_for()
    return box


def explorer_of_samples(page: Page) -> Locator:
    """The explorer with the hits of a search, and the first of them in the player."""
    box = page.locator(".jupyter-widgets.widget-vbox", has=page.locator(".explorer")).first
    line = box.get_by_placeholder("words to look for")
    line.fill("a rocket ready for launch")
    line.press("Enter")
    box.locator(".strip .tile").first.click()
    expect(box.locator(".strip .blank:empty")).to_have_count(0, timeout=PATIENCE)  # every still is there
    return box


PICTURES = {
    "search.png": ("notebooks/04_similarity_search.ipynb", search_in_04),
    "explorer.png": ("explore/explore.ipynb", explorer_of_samples),
}


def main() -> None:
    """Write every picture into docs/."""
    with tempfile.TemporaryDirectory(prefix="screenshots-", ignore_cleanup_errors=True) as folder:
        tree, home = copy_of_checkout(Path(folder) / "tree"), Path(folder) / "home"
        home.mkdir()
        with started_lab(tree, home, learners_environment(tree, home)) as lab, chromium() as browser:
            for name, (notebook, show) in PICTURES.items():
                page = opened(browser, lab, notebook)
                place = show(page)
                page.wait_for_timeout(SETTLE)
                place.screenshot(path=ROOT / "docs" / name)
                page.close()
                lab.stop_kernels()
                print(f"docs/{name}")


if __name__ == "__main__":
    main()
