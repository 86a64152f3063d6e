"""A folder of own films through explore.ipynb, 10 and 06 in JupyterLab, after the samples, and then every widget.

In `make test` through explore.ipynb only: the others show the same widgets. Each notebook has run to its end, which
closes its client: whatever is used after that opens it again. One after the other is opened in the same page, as
JupyterLab costs more to load than a notebook to open; explore.ipynb is the last, because its tests change the folder.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.analysis.labels import read_labels
from tests.browser.pages import wait_until
from tests.make_media import garden
from tests.notebooks.test_own_folders import EMPTY_BOX, store_samples
from tools.browser import ERROR, PATIENCE, Lab, close_notebooks, open_notebook, run_all_cells, run_to_its_end


@pytest.fixture(scope="module")
def folder(tree: Path) -> Path:
    """Twelve films of 4 s."""
    folder = tree / "mine" / "garden"
    folder.mkdir(parents=True)
    garden(folder)
    return folder


def changed_copy(source: Path, stem: str, *changes: tuple[str, str]) -> Path:
    """A copy of a notebook beside it, without outputs, with these words of its cells replaced."""
    notebook = nbformat.read(source, as_version=4)
    for old, new in changes:
        assert any(old in cell.source for cell in notebook.cells), old
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new) if cell.cell_type == "code" else cell.source
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path = source.with_name(f"{stem}.ipynb")
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def home(tree: Path) -> Path:
    """Databases and labels of these notebooks alone; those of explore.ipynb have the samples."""
    home = tree / "mine" / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_SEARCH_HOME", str(home))
        store_samples("explore")
    return home


@pytest.fixture(scope="module")
def notebooks(tree: Path, folder: Path, home: Path) -> dict[str, Path]:
    """explore, 10 and 06 on the folder; all with the same home."""
    here = f"import os\nos.environ['VIDEO_SEARCH_HOME'] = {str(home)!r}\n"
    own = f"{here}os.environ['VIDEO_SEARCH_FOLDER'] = {str(folder)!r}\n"
    explore, lessons = tree / "explore" / "explore.ipynb", tree / "notebooks"
    connect, connect_both, connect_named = (
        "from helpers import connect_milvus",
        "from helpers import connect_milvus, connect_twelvelabs",
        "from helpers import collection_name, connect_milvus",
    )
    questions = 'mine = [("tiles", "IMG_0003", 0, 4), ("more tiles", "IMG_0004", 0, 4)]\n'
    films = [("sample_videos())", f"own_videos({str(folder)!r}))"), ("sample_videos\n", "own_videos\n")]
    return {
        "own": changed_copy(explore, "own", (connect, own + connect)),
        "10": changed_copy(
            lessons / "10_own_videos.ipynb",
            "ten",
            (connect_both, own + connect_both),
            ("mine = []\n", questions),
        ),
        "06": changed_copy(
            lessons / "06_clustering_analysis.ipynb", "six", (connect_named, here + connect_named), *films
        ),
    }


@pytest.fixture(scope="class")
def ran(
    request: pytest.FixtureRequest, page: Page, lab: Lab, tree: Path, notebooks: dict[str, Path]
) -> Iterator[Page]:
    """The page with the class's notebook after Run All."""
    open_notebook(page, notebooks[request.cls.name].relative_to(tree).as_posix())
    run_to_its_end(page)
    yield page
    close_notebooks(page)
    lab.stop_kernels()


def explorer_of(page: Page) -> Locator:
    return page.locator(".jupyter-widgets.widget-vbox", has=page.locator(".explorer")).last


class Notebook:
    """What is true of each of the three."""

    name: str
    cell: str  # words of a cell that is run again

    def test_own_films_and_samples_stay_apart(self, ran: Page) -> None:
        expect(explorer_of(ran).locator(".count")).to_have_text("12 segments")

    def test_the_explorer_searches_and_plays(self, ran: Page) -> None:
        box = explorer_of(ran)
        line = box.get_by_placeholder("words to look for")
        line.fill("coloured tiles")
        line.press("Enter")
        expect(box.locator(".strip h4")).to_contain_text("Hits for 'coloured tiles'", timeout=PATIENCE)
        box.locator(".strip .tile").first.click()
        wait_until(box.locator("video"), "v.readyState >= 2 && v.currentTime > 0.1")  # a click plays
        expect(box.locator("figcaption")).to_contain_text("IMG_")

    def test_a_cell_run_again_opens_what_the_last_one_closed(self, ran: Page) -> None:
        cell = ran.locator(".jp-CodeCell", has_text=self.cell).first
        before = cell.locator(".jp-InputPrompt").inner_text()
        cell.locator(".cm-content").click()
        ran.keyboard.press("Control+Enter")
        prompt = cell.locator(".jp-InputPrompt")
        expect(prompt).not_to_have_text(before, timeout=PATIENCE)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)
        assert cell.locator(ERROR).all_inner_texts() == []


@pytest.mark.nightly
class Test10(Notebook):
    name = "10"
    cell = "insert_segments(milvus, name, segments)"

    def test_the_search_box_searches_after_the_last_cell_and_plays(self, ran: Page) -> None:
        box = ran.locator(".jupyter-widgets.widget-vbox", has=ran.get_by_placeholder("words")).first
        line = box.locator("input[type=text]").first
        line.fill("coloured tiles")
        line.press("Enter")
        video = box.locator("video").first
        video.wait_for(state="attached")
        assert box.locator("video").count() == 10
        assert "/files/mine/garden/IMG_" in str(video.get_attribute("src"))
        video.evaluate("v => { v.muted = true; return v.play(); }")
        wait_until(video, "v.currentTime > 0.2")

    def test_it_measured_its_own_questions(self, ran: Page) -> None:
        expect(ran.locator(".jp-OutputArea-output", has_text="2 questions in questions.csv")).to_have_count(1)


@pytest.mark.nightly
class Test06(Notebook):
    name = "06"
    cell = "query_iterator("


class TestExplore(Notebook):
    name = "own"
    cell = "clips = read_segments("

    def test_names_tags_undo_grid_and_export(self, ran: Page, home: Path) -> None:
        box = explorer_of(ran)
        box.locator(".entry").first.click()
        chosen = int(re.findall(r"Selection: (\d+)", box.locator(".list h4").inner_text())[0])
        name = box.get_by_placeholder("a name for cluster 0")
        name.fill("tiles of the garden")
        name.press("Enter")
        expect(box.locator(".entry").first).to_contain_text("tiles of the garden", timeout=PATIENCE)
        tag = box.get_by_placeholder("a tag for the selection")
        tag.fill("to keep")
        box.get_by_role("button", name="Tag", exact=True).click()
        expect(box.locator(".tag")).to_contain_text(f"to keep ({chosen})", timeout=PATIENCE)
        kept = next(path for path in (home / "explore").iterdir() if path.name.startswith("own_"))
        labels = read_labels(kept / "labels.parquet")
        assert (
            (labels["name"] == "tiles of the garden").sum() == (labels["tags"] == "to keep").sum() == chosen
        )
        box.get_by_role("button", name="Undo").click()
        expect(box.locator(".tag")).to_have_count(0, timeout=PATIENCE)
        box.get_by_role("button", name="Redo").click()
        expect(box.locator(".tag")).to_contain_text("to keep", timeout=PATIENCE)
        box.locator("canvas").focus()
        ran.keyboard.press("g")
        expect(box.locator(".gallery .tile").first).to_be_visible()
        box.locator(".gallery .tile").first.focus()
        ran.keyboard.press("m")
        expect(box.locator("canvas")).to_be_visible()
        box.locator(".entry").first.click()
        if not box.locator("tbody tr").count():
            box.locator(".entry").first.click()
        box.get_by_role("button", name="Export").click()
        expect(box.locator(".status")).to_contain_text("selection.csv", timeout=PATIENCE)
        written = pd.read_csv(kept / "selection.csv", encoding="utf-8-sig")
        assert len(written) == chosen and set(written["tags"]) == {"to keep"}

    def test_a_film_added_later_is_the_only_one_embedded_and_names_stay(
        self, ran: Page, folder: Path
    ) -> None:
        (folder / "new.mp4").write_bytes((folder / "IMG_0000.mp4").read_bytes() + EMPTY_BOX)
        report = ran.locator(".jp-CodeCell", has_text="embed_batch(client, videos)").last
        run_all_cells(ran)
        expect(report.locator(".jp-OutputArea")).to_contain_text("1 new, 12 from the cache", timeout=PATIENCE)
        expect(explorer_of(ran).locator(".count")).to_have_text("13 segments")
        expect(explorer_of(ran).locator(".legend")).to_contain_text("tiles of the garden")
