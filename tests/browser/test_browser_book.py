"""The book, opened as files in Chromium: nothing comes from elsewhere, players seek, the search finds."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from helpers.settings import ROOT
from tests.browser.pages import COLOURS, barriers, shows_its_captions, stands_at
from tools.book.lessons import Lesson, lessons

LOADED = re.compile(r"<(?:script|link|img|video|source|track|iframe)\b[^>]*?\b(?:src|href)=\"([^\"]*)\"")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make book` does."""
    folder = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "tools.book", "--folder", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


SAID: list[str] = []


@pytest.fixture(scope="module")
def window(book: Path, browser: Browser) -> Iterator[Page]:
    """A page for all tests: what it says on its console, and what it asks of another folder, goes into SAID."""

    def asked(request: Request) -> None:
        if not request.url.startswith((book.as_uri(), "data:", "blob:")):
            SAID.append(request.url)

    page = browser.new_page()
    page.on("console", lambda message: SAID.append(message.text))
    page.on("pageerror", lambda error: SAID.append(str(error)))
    page.on("request", asked)
    yield page
    page.close()


@pytest.fixture
def page(window: Page) -> Iterator[Page]:
    """A wide, light screen; in the end, nothing was said on its console, and nothing was asked of another folder."""
    window.set_viewport_size({"width": 1300, "height": 1000})
    window.emulate_media(media="screen", color_scheme="light")
    SAID.clear()
    yield window
    assert SAID == []


@pytest.fixture(scope="module")
def suite() -> list[Lesson]:
    return lessons()


@pytest.fixture
def show(page: Page, book: Path) -> Callable[[str], None]:
    """show(name): a page of the book; one that the test before has left in the browser is not loaded again."""

    def shown(name: str) -> None:
        address = (book / f"{name}.html").as_uri()
        if page.url != address:
            page.goto(address)

    return shown


def pages(book: Path) -> dict[str, str]:
    return {path.relative_to(book).as_posix(): path.read_text("utf-8") for path in book.rglob("*.html")}


def test_nothing_is_loaded_from_elsewhere_and_every_file_is_there(book: Path) -> None:
    for name, text in pages(book).items():
        for target in LOADED.findall(text):
            file = re.split("[?#]", target)[0]
            assert target.startswith("data:") or (book / name).parent.joinpath(file).exists(), (
                f"{name}: {target}"
            )


def test_every_video_is_there_once(book: Path) -> None:
    shown = set(re.findall(r'<video\b[^>]*\bsrc="[^"#]*/([^"/#]+)', "".join(pages(book).values())))
    assert shown
    assert sorted(path.name for path in book.rglob("*.mp4")) == sorted(shown)


def test_the_first_page_shows_every_lesson_with_its_minutes(
    page: Page, show: Callable[[str], None], suite: list[Lesson]
) -> None:
    show("index")
    for each in suite:
        card = page.locator("ul.gallery a", has_text=f"{each.number} {each.title}")
        expect(card).to_contain_text(f"{each.minutes} min")
        assert card.locator("img").evaluate("image => image.naturalWidth") > 0
        entry = page.locator(".sidebar-tree .toctree-l1 > a", has_text=f"{each.number} {each.title}")
        expect(entry).to_contain_text(f"{each.minutes} min")


def test_it_is_dark_where_the_reader_wants_it_dark(page: Page, show: Callable[[str], None]) -> None:
    page.emulate_media(color_scheme="dark")
    show("index")
    brightness = "e => getComputedStyle(e).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(page.locator("body").evaluate(brightness)) < 60


def test_a_card_opens_a_lesson_with_its_exercises_beside_it(
    page: Page, show: Callable[[str], None], suite: list[Lesson]
) -> None:
    lesson = next(each for each in suite if each.exercises)
    show("index")
    page.locator("ul.gallery a", has_text=f"{lesson.number} {lesson.title}").click()
    expect(page.locator("h1")).to_contain_text(lesson.title)
    page.locator(".sidebar-tree .current > ul a", has_text="Exercises").click()
    expect(page.locator("h1")).to_contain_text(f"Exercises for {lesson.number}")


def test_the_search_finds_recall(page: Page, show: Callable[[str], None]) -> None:
    show("index")
    page.get_by_placeholder("Search").fill("recall")
    page.keyboard.press("Enter")
    found = page.locator("#search-results li a")
    expect(found.filter(has_text="recall at k")).to_have_attribute(
        "href", re.compile("glossary.html#recall-at-k")
    )
    expect(found.filter(has_text="04 · Similarity search").first).to_be_visible()


def test_nothing_is_wider_than_its_place_on_a_narrow_screen(page: Page, book: Path) -> None:
    page.set_viewport_size({"width": 900, "height": 1000})
    wider = """margin => {
      const place = document.querySelector("article").getBoundingClientRect().right + margin;
      const scrolls = part => part.tagName !== "ARTICLE" &&
        (getComputedStyle(part).overflowX !== "visible" || scrolls(part.parentElement));
      return [...document.querySelectorAll("article *")]
        .filter(part => part.getBoundingClientRect().right > place && !scrolls(part.parentElement))
        .map(part => part.outerHTML.slice(0, 80)).slice(0, 3);
    }"""
    for lesson in sorted(book.glob("notebooks/[0-9]*.html")):
        page.goto(lesson.as_uri())
        assert page.evaluate(wider, 10) == [], lesson.name  # headings of the theme are 8 pixels wider


def test_a_player_shows_in_words_what_is_seen(page: Page, show: Callable[[str], None]) -> None:
    show("notebooks/04_similarity_search")
    shows_its_captions(page.locator("video").first)


def test_a_player_stands_at_its_second_and_seeks(page: Page, show: Callable[[str], None]) -> None:
    show("notebooks/04_similarity_search")
    video = page.locator('video[src*="#t="]').first
    video.scroll_into_view_if_needed()
    start = float(re.findall(r"#t=([\d.]+)", str(video.get_attribute("src")))[0])
    assert start > 0
    stands_at(video, start)
    video.evaluate("(v, second) => { v.currentTime = second; }", start + 20)
    stands_at(video, start + 20)


def test_on_paper_there_are_stills_for_players_and_no_navigation(
    page: Page, show: Callable[[str], None]
) -> None:
    show("notebooks/04_similarity_search")
    player, still = page.locator("figure video").first, page.locator("figure img.on-paper").first
    expect(player).to_be_visible()
    expect(still).to_be_hidden()
    page.emulate_media(media="print")
    for gone in (".sidebar-drawer", ".skip-to-content"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(player).to_be_hidden()
    expect(still).to_be_visible()
    assert still.evaluate("i => i.naturalWidth") > 100
    expect(page.locator("article h1")).to_be_visible()


def test_the_alt_text_of_every_picture_reaches_the_reader(page: Page, show: Callable[[str], None]) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "04_similarity_search.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output.data["text/html"] for output in outputs if "image/png" in output.get("data", {})]
    texts = [html.unescape(alt) for page in pages for alt in re.findall(r'<img[^>]*? alt="(.*?)"', page)]
    show("notebooks/04_similarity_search")
    pictures = page.locator(".cell_output img:not(.on-paper)")
    assert pictures.evaluate_all("images => images.map(i => i.alt)") == texts
    assert len(texts) > len(pages) > 0 and all(texts)


# Players, sheets, figures and tables; the gallery; long lines and errors; exercises with hints; the search.
PAGES = [
    "notebooks/04_similarity_search",
    "index",
    "notebooks/01_setup",
    "notebooks/exercises/04_similarity_search",
]


@pytest.mark.parametrize("name", [*PAGES, "search"])
def test_everybody_can_use_it_in_light_and_dark(page: Page, show: Callable[[str], None], name: str) -> None:
    show(name)
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    assert barriers(page, rules=COLOURS) == []


def test_a_term_leads_to_its_place_in_the_glossary(page: Page, show: Callable[[str], None]) -> None:
    show("notebooks/04_similarity_search")
    page.locator("article a", has_text="ground truth").first.click()
    expect(page.locator("#ground-truth h2")).to_be_in_viewport()
