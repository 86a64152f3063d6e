"""The slides, opened in Chromium: an arrow turns them, all of a slide is seen, and nothing comes from elsewhere."""

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from helpers.settings import ROOT
from tools.slides.__main__ import REVEAL, build
from tools.workshop.sections import lesson_paths

BEAMER = {"width": 1280, "height": 720}
LOOK = """() => {
  const found = [];
  for (let number = 0; number < Reveal.getTotalSlides(); number += 1) {
    Reveal.slide(number);
    const slide = Reveal.getCurrentSlide();
    const name = `slide ${number + 1}, ${slide.innerText.slice(0, 30)}`;
    if (slide.scrollHeight > Reveal.getConfig().height + 1) found.push(`${name}: cut off below`);
    for (const part of [slide, ...slide.querySelectorAll("pre, pre code, table")])
      if (part.scrollWidth > slide.clientWidth + 1 || part.scrollWidth > part.clientWidth + 1)
        found.push(`${name}: cut off at the side`);
    if (slide.innerText.trim().split(/\\s+/).length < 6 && !slide.querySelector("img, video"))
      found.push(`${name}: next to nothing on it`);
    for (const image of slide.querySelectorAll("img"))
      if (!image.naturalWidth) found.push(`${name}: a broken picture`);
  }
  return found;
}"""


@pytest.fixture(autouse=True, scope="module")
def reveal() -> None:
    if not REVEAL.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no reveal.js: `npm ci` fetches it")


@pytest.fixture(scope="module")
def slides(reveal: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slides of all lessons, beside the videos."""
    root = tmp_path_factory.mktemp("slides")
    (root / "data").symlink_to(ROOT / "data")
    return build(root / "_slides", lesson_paths()).parent


def wrong(page: Page, path: Path) -> list[str]:
    """What a beamer would not show of the slides in this file."""
    page.goto(path.as_uri())
    page.wait_for_function("() => Reveal.isReady()")
    page.evaluate("() => Reveal.configure({ transition: 'none' })")
    found: list[str] = page.evaluate(LOOK)
    return found


def test_all_of_every_slide_is_seen(browser: Browser, slides: Path) -> None:
    page = browser.new_page(viewport=BEAMER)
    files = sorted(slides.glob("[0-9]*.html"))
    assert {path.name: found for path in files if (found := wrong(page, path))} == {}
    assert len(files) == len(lesson_paths())
    page.close()


def test_a_slide_that_is_cut_off_or_empty_is_noticed(browser: Browser, tmp_path: Path) -> None:
    long = nbformat.v4.new_markdown_cell(f"# 99 · Long\n\n{'many words ' * 600}")
    broken = "![alt](data:image/png;base64,AAAA)\n\n    " + "code " * 200
    cells = [long, *map(nbformat.v4.new_markdown_cell, ["## Nothing", f"## Wide\n\n{broken}"])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "99_long.ipynb")
    build(tmp_path / "_slides", [tmp_path / "99_long.ipynb"])
    page = browser.new_page(viewport=BEAMER)
    found = [line.rpartition(": ")[2] for line in wrong(page, tmp_path / "_slides" / "99_long.html")]
    assert found == ["cut off below", "next to nothing on it", "cut off at the side", "a broken picture"]
    page.close()


def test_an_arrow_turns_the_slide_and_nothing_is_asked_of_the_network(browser: Browser, slides: Path) -> None:
    said: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((slides.parent.as_uri(), "data:")):
            said.append(request.url)

    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", asked)
    page.goto((slides / "index.html").as_uri())
    page.get_by_role("link", name="02 embedding").click()
    shown = page.locator("section.present")
    expect(shown.locator("h1")).to_contain_text("02 · Embedding")
    page.keyboard.press("ArrowRight")
    expect(shown.locator("h2")).to_contain_text("A result first", timeout=5000)
    page.keyboard.press("ArrowLeft")
    expect(shown.locator("h2")).to_have_count(0, timeout=5000)
    pictures = page.locator("section img").evaluate_all("images => images.map(i => i.alt)")
    assert len(pictures) > 3 and all(pictures)
    shown_credits = page.locator("section small").evaluate_all("lines => lines.map(i => i.textContent)")
    assert "Blender Foundation" in "".join(shown_credits), (
        "a slide shows frames, so the slides have the credits"
    )
    assert said == []
    page.close()
