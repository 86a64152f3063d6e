"""The slides of one lesson, opened as a file in Chromium: an arrow turns them, and nothing comes from elsewhere."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from helpers.settings import ROOT
from tools.slides.__main__ import REVEAL, build


def test_an_arrow_turns_the_slide_and_nothing_is_asked_of_the_network(
    browser: Browser, tmp_path: Path
) -> None:
    if not REVEAL.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no reveal.js: `npm ci` fetches it")
    build(tmp_path / "_slides", [ROOT / "notebooks" / "02_embedding.ipynb"])
    (tmp_path / "data").symlink_to(ROOT / "data")
    said: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((tmp_path.as_uri(), "data:")):
            said.append(request.url)

    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", asked)
    page.goto((tmp_path / "_slides" / "index.html").as_uri())
    page.get_by_role("link", name="02 embedding").click()
    shown = page.locator("section.present")
    expect(shown.locator("h1")).to_contain_text("02 · Embedding")
    page.keyboard.press("ArrowRight")
    expect(shown.locator("h2")).to_contain_text("A result first", timeout=5000)
    page.keyboard.press("ArrowLeft")
    expect(shown.locator("h2")).to_have_count(0, timeout=5000)
    pictures = page.locator("section img").evaluate_all("images => images.map(i => i.alt)")
    assert len(pictures) > 3 and all(pictures)
    assert said == []
    page.close()
