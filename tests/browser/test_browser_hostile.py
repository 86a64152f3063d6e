"""Titles and descriptions from outside in a real browser: whatever they say, it is shown as text and never run."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.pages import REQUESTS, saved_notebook
from tools.browser import ERROR, PATIENCE, close_notebooks, open_notebook, run_all_cells, write_notebook

# Each would set `hacked` in the page, open a dialog or load from elsewhere, if any part of it were believed.
HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    '"><script>window.hacked=2</script>',
    "'><svg/onload=window.hacked=3>",
    "</script><script>alert(4)</script>",
    "javascript:window.hacked=5",
    "--></style></title></textarea><img src=x onerror=window.hacked=6>",
    '" autofocus onfocus="window.hacked=7" onloadstart="window.hacked=7" x="',
    "[press](javascript:window.hacked=8) ![me](http://example.org/8.png)",
    r"$\href{javascript:window.hacked=9}{press}$ and \(\unicode{x}\)",
    r"$\require{html}\style{background:url(http://example.org/10.png)}{me}$",
    '<iframe srcdoc="<script>parent.hacked=11</script>"></iframe>',
    "<a href=javascript:window.hacked=12>press</a>",
    "<base href=http://example.org/><link rel=stylesheet href=http://example.org/13.css>",
    "&lt;img src=x onerror=window.hacked=14&gt;",
    '<form action="javascript:window.hacked=15"><button>press</button></form>',
    "a film for $5, or $6 with sound",
]
ADDRESSES = [
    "data/videos/cat.mp4",
    'http://127.0.0.1:9/a.mp4"onerror="window.hacked=21',
    "http://127.0.0.1:9/a.mp4'><img src=x onerror=window.hacked=22>",
    "javascript:window.hacked=23",
    "data/videos/<img src=x onerror=window.hacked=24>.mp4",
    'data/videos/cat.mp4#t=1"><script>window.hacked=25</script>',
]
HITS = f"""import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from helpers import (curve_player, find_moments, plot_curve, plot_timeline, score_curve, search_box,
                     show_contact_sheet, show_figure, show_moments, show_table, use_style, weight_slider)
from helpers.errors import SearchError

pd.set_option("display.max_colwidth", None, "display.width", 10_000, "display.max_rows", 100)
words, addresses = {HOSTILE!r}, {ADDRESSES!r}
n = len(words)
hits = pd.DataFrame({{"rank": range(1, n + 1), "score": np.linspace(0.9, 0.1, n), "segment_id": words,
                     "video_id": words, "title": words, "start_offset_sec": 2.0 * np.arange(n) % 12,
                     "end_offset_sec": 2.0 * np.arange(n) % 12 + 2, "video_url": addresses[0],
                     "category": words, "recorded_at": words, "description": words,
                     "embedding_scope": "clip", "cluster": -1}})
elsewhere = hits.head(len(addresses)).assign(video_url=addresses, title="")
timed = hits.assign(video_id="film", start_offset_sec=np.arange(n) / 2, end_offset_sec=np.arange(n) / 2 + 0.5)
every = " ".join(words)"""
# What each cell shows, and whether all the words are to be read in it.
CELLS = {
    "moments": "show_moments(hits, limit=20)",
    "addresses": "show_moments(elsewhere, limit=20)",
    "sheet": "show_contact_sheet(hits, limit=20, title=every)",
    "table": "show_table(hits)",
    "frame": 'hits[["segment_id", "title", "category", "description"]]',
    "series": 'hits["title"]',
    "figure": "fig = Figure()\nfig.add_subplot().plot([1, 2])\nshow_figure(fig, alt=every, caption=every)",
    "timeline": "show_figure(plot_timeline({word: hits for word in words}, title=words[8]), alt=every, caption=every)",
    "curve": "show_figure(plot_curve(score_curve(timed), title=words[8]), alt=every, caption=every)",
    "box": """def search(text, option=None):
    if text == "nothing":
        raise SearchError(every)
    found = hits.assign(title=[text, *words[1:]])
    return found if text == words[0] else found.head(1)  # all of them in the box once, then what was typed

search_box(search, placeholder=every, options=words)""",
    "slider": "weight_slider(lambda weight: hits, legs=words[:2])",
    "slider alike": "weight_slider(lambda weight: search('nothing'), legs=(words[8], words[9]))",
    "player": "curve_player(score_curve(timed), addresses[0], moments=find_moments(timed, limit=3), title=every)",
    "player gone": "curve_player(score_curve(timed), addresses[4], title=words[9])",
    "player elsewhere": "curve_player(score_curve(timed), addresses[1], title=words[8])",
}
# pandas leaves a formula in a table to JupyterLab: it is set, and cannot run anything.
FORMULAS = {"table", "frame"}
READ = ["moments", "sheet", "table", "frame", "series", "figure", "timeline", "curve"]
# What a page of ours may never hold, whoever made it: scripts, handlers, and addresses that run or lead away.
BELIEVED = """output => {
  const wrong = [];
  for (const e of output.querySelectorAll("*")) {
    if (["SCRIPT", "IFRAME", "OBJECT", "EMBED", "BASE", "LINK", "FORM"].includes(e.tagName)) wrong.push(e.outerHTML);
    for (const a of e.attributes)
      if (a.name.startsWith("on") || ["href", "src", "action", "xlink:href", "poster", "data"].includes(a.name)
          && /^\\s*(javascript|data:text(?!\\/vtt;)|vbscript)/i.test(a.value)
          || a.name === "style" && /example\\.org/.test(a.value)) wrong.push(`${e.tagName} ${a.name}=${a.value}`);
  }
  return wrong;
}"""
DIALOGS: list[str] = []
POPUPS: list[str] = []


@pytest.fixture(scope="module")
def notebook(tree: Path) -> Path:
    """A scratch notebook of hostile words."""
    return write_notebook(tree / "notebooks" / "hostile.ipynb", [HITS, *CELLS.values()])


@pytest.fixture(scope="module")
def listening(page: Page) -> Page:
    """JupyterLab with an eye on its requests, dialogs and windows."""

    def note(dialog: Dialog) -> None:
        DIALOGS.append(dialog.message)
        dialog.accept()

    page.on("dialog", note)
    page.context.on("request", lambda request: REQUESTS.append(request.url))
    page.on("websocket", lambda socket: REQUESTS.append(socket.url))
    page.on("popup", lambda popup: POPUPS.append(popup.url))
    return page


@pytest.fixture(scope="module")
def watched(listening: Page, opened: Page) -> Page:
    """The notebook run."""
    run_all_cells(opened)
    opened.locator(f".curve-player, {ERROR}").first.wait_for()
    assert opened.locator(ERROR).all_inner_texts() == []
    expect(opened.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")).to_have_count(0, timeout=PATIENCE)
    opened.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    return opened


def reopen(page: Page, path: str) -> None:
    close_notebooks(page)
    open_notebook(page, path)


def output(page: Page, name: str) -> Locator:
    """What the cell of that name shows; JupyterLab may draw a cell only once it is on the screen."""
    cell = page.locator(".jp-CodeCell").nth(1 + list(CELLS).index(name))
    cell.scroll_into_view_if_needed()
    return cell.locator(".jp-Cell-outputArea")


def plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def nothing_ran(page: Page) -> None:
    """No flag, dialog, window or request tells of a script; no element of the outputs could run one."""
    page.wait_for_timeout(500)  # an <img> fails, a formula is set, after the page is there
    assert [frame.evaluate("window.hacked") for frame in page.frames] == [None] * len(page.frames)
    assert DIALOGS == [] and POPUPS == []
    away = {url for url in REQUESTS if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
    assert {url for url in away if urlsplit(url).hostname not in ("127.0.0.1", "localhost")} == set()
    for name in CELLS:
        assert output(page, name).evaluate(BELIEVED) == [], name


def is_read(page: Page, name: str) -> None:
    """All the words stand there, each letter of them; none has become a formula, but in tables."""
    shown = plain(output(page, name).inner_text())
    words = [word for word in HOSTILE if not (name in FORMULAS and "$" in word)]
    assert [word for word in words if plain(word) not in shown] == [], name


def search_for(page: Page, words: str) -> Locator:
    box = output(page, "box")
    box.locator("input[type=text]").fill(words)
    box.locator("input[type=text]").press("Enter")
    return box.locator(".widget-html-content")


def test_the_notebook_shows_it_and_nothing_runs(watched: Page) -> None:
    whole = output(watched, "slider").locator("figure:not(figure figure)")
    expect(whole).to_have_count(5, timeout=PATIENCE)
    expect(output(watched, "player").locator("img")).to_have_count(1)
    nothing_ran(watched)


@pytest.mark.parametrize("name", READ)
def test_the_words_are_text(watched: Page, name: str) -> None:
    is_read(watched, name)


def test_addresses_stay_addresses(watched: Page) -> None:
    shown = output(watched, "addresses")
    assert shown.locator("figure").count() == len(ADDRESSES)
    sources = [video.get_attribute("src") or "" for video in shown.locator("video").all()]
    # One film of the samples and two elsewhere; the rest are names of files that are not there.
    places = [(urlsplit(source).hostname, urlsplit(source).path) for source in sources]
    assert [host for host, _ in places] == ["localhost", "127.0.0.1", "127.0.0.1"]
    assert places[0][1].endswith("/data/videos/cat.mp4")
    gone = shown.locator("figure:not(:has(video)) figcaption").all_inner_texts()
    assert len(gone) == len(ADDRESSES) - len(sources) and all(
        "\n" in words for words in gone
    )  # with a reason


@pytest.mark.parametrize("word", [*HOSTILE[:3], *HOSTILE[8:11]])
def test_typed_words_are_text(watched: Page, word: str) -> None:
    answer = search_for(watched, word)
    expect(answer.locator("figcaption").first).to_contain_text(word, timeout=PATIENCE)
    assert output(watched, "box").evaluate(BELIEVED) == []
    assert watched.evaluate("window.hacked") is None


def test_an_error_with_hostile_words_is_text(watched: Page) -> None:
    answer = search_for(watched, "nothing")
    expect(answer.get_by_role("alert")).to_have_text(" ".join(HOSTILE), timeout=PATIENCE)
    nothing_ran(watched)


def test_alt_texts_are_whole(watched: Page) -> None:
    assert output(watched, "figure").locator("img").get_attribute("alt") == " ".join(HOSTILE)
    words = output(watched, "player").locator("img").get_attribute("alt") or ""
    assert words.startswith(" ".join(HOSTILE))


def save(page: Page, path: Path) -> None:
    before = path.stat().st_mtime_ns
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator('.lm-Menu-item[data-command="docmanager:save"]').click()  # keys may go to a widget
    saved_notebook(path, before)


def test_reopened_it_shows_the_same_and_nothing_runs(watched: Page, notebook: Path, path: str) -> None:
    save(watched, notebook)
    reopen(watched, path)
    output(watched, "table").locator("table").wait_for()
    nothing_ran(watched)
    for name in READ:
        is_read(watched, name)


def test_reopened_without_trust_nothing_runs_either(watched: Page, notebook: Path, path: str) -> None:
    """As it comes from somebody else: a notebook whose content was never signed here."""
    changed = nbformat.read(notebook, as_version=4)
    changed.cells.append(nbformat.v4.new_code_cell("# from elsewhere"))
    nbformat.write(changed, notebook)
    reopen(watched, path)
    expect(watched.locator(".jp-CodeCell")).to_have_count(len(CELLS) + 2)
    output(watched, "table").locator("table").wait_for()
    assert output(watched, "table").locator(".jp-mod-trusted").count() == 0
    nothing_ran(watched)
    for name in READ:
        is_read(watched, name)
