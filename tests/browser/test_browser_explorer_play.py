"""The cluster explorer on a narrow, dark screen that is touched: search, playlist, two players, ranges."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from helpers.analysis.clusters import map_points
from helpers.analysis.matrix import cluster_matrix
from helpers.explorer.searching import example_scores
from tests.browser.pages import players_stand, stands_at, wait_until
from tests.browser.test_browser_explorer import click, listed, places
from tools.browser import PATIENCE, run_all_cells, write_notebook

CELLS = [
    """import numpy as np
import pandas as pd

clips = pd.DataFrame({"segment_id": [f"s{i:02d}" for i in range(15)]})
clips["video_url"] = ["data/videos/big-buck-bunny.mp4"] * 12 + ["data/videos/cat.mp4"] * 2 + ["data/videos/gone.mp4"]
clips["video_id"] = clips["video_url"]
clips["title"] = ["the rabbit"] * 12 + ["the cat"] * 2 + ["a film that has moved"]
clips["start_offset_sec"] = [120.0 + 6 * i for i in range(12)] + [0.0, 6.0, 0.0]
clips["end_offset_sec"] = clips["start_offset_sec"] + 6
clips["loudness"] = np.arange(15.0) - 20
clips["recorded_at"] = [f"2024-05-{i + 1:02d}" for i in range(15)]
noise = np.random.default_rng(4).normal(scale=0.3, size=(15, 8))
clips["embedding_visual"] = list((np.eye(8)[np.arange(15) % 3] + noise).astype("float32"))""",
    """from helpers import cluster_explorer

def search(words):
    return clips.assign(score=np.linspace(0.2, 0.9, 15)).sort_values("score", ascending=False).iloc[1:]

explorer = cluster_explorer(clips, search=search)
explorer""",
]
given: dict[str, Any] = {}
exec(CELLS[0], given)
CLIPS: pd.DataFrame = given["clips"]
MATRIX = cluster_matrix(CLIPS)
POINTS = map_points(MATRIX).to_numpy()
ERRORS: list[str] = []


@pytest.fixture(scope="module")
def notebook(tree: Path) -> Path:
    """A scratch notebook of the explorer with fifteen clips."""
    return write_notebook(tree / "notebooks" / "explorer-15.ipynb", CELLS)


@pytest.fixture(scope="module")
def tablet(page: Page) -> Iterator[CDPSession]:
    """JupyterLab on a tablet in the dark theme: 900 pixels wide, and touched, through this session."""
    wide = page.viewport_size
    assert wide
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.set_viewport_size({"width": 900, "height": 1000})
    choose_theme(page, "JupyterLab Dark")
    yield session
    choose_theme(page, "JupyterLab Light")
    page.set_viewport_size(wide)
    session.detach()


def choose_theme(page: Page, name: str) -> None:
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
    page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")


@pytest.fixture(scope="module")
def whole(tablet: CDPSession, opened: Page) -> Iterator[Page]:
    """The notebook run."""
    opened.on("pageerror", note := lambda error: ERRORS.append(str(error)))
    with players_stand(opened):
        run_all_cells(opened)
        opened.locator(".explorer canvas").first.wait_for()
        expect(opened.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")).to_have_count(
            0, timeout=PATIENCE
        )
        yield opened
    opened.remove_listener("pageerror", note)


@pytest.fixture
def explorer(whole: Page) -> Locator:
    """The widget with the map in sight: no selection, no hits, one player, all segments."""
    whole.evaluate("document.activeElement?.blur()")  # what a test before this one has left half written
    box = whole.locator(".jupyter-widgets.widget-vbox", has=whole.locator(".explorer"))
    for name in ("Stop", "Close", "Clear hits", "Clear", "Show all"):
        button = box.get_by_role("button", name=name, exact=True)
        if button.count() and button.is_visible():
            button.click()
            expect(button).to_be_hidden()
    expect(box.locator(".count")).to_have_text("15 segments")
    box.get_by_role("button", name="Map", exact=True).click()
    box.get_by_role("button", name="Move map").click()
    box.get_by_role("button", name="Whole map").click()
    centre(box)
    return box


def centre(explorer: Locator) -> None:
    explorer.locator(".plot").evaluate("c => c.scrollIntoView({ block: 'center' })")


def look_for(explorer: Locator, words: str) -> None:
    line = explorer.get_by_placeholder("words to look for")
    line.fill(words)
    line.press("Enter")
    expect(explorer.locator(".status")).to_contain_text(f"Hits for '{words}'", timeout=PATIENCE)


def touch(tablet: CDPSession, *paths: list[tuple[float, float]]) -> None:
    """Put a finger down for each path, move them along together, and lift them."""
    for i, fingers in enumerate(zip(*paths, strict=True)):
        kind = "touchMove" if i else "touchStart"
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        tablet.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    tablet.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def tap(tablet: CDPSession, x: float, y: float) -> None:
    touch(tablet, [(x, y)])


def tap_on(tablet: CDPSession, place: Locator) -> None:
    """Tap the middle of an element that is seen, and that nothing covers."""
    place.click(trial=True)
    box = place.bounding_box()
    assert box
    tap(tablet, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def rows_of(tiles: Locator) -> list[int]:
    return [int(str(tile.get_attribute("data-row"))) for tile in tiles.all()]


def test_the_clusters_to_begin_with_follow_from_the_data(explorer: Locator) -> None:
    expect(explorer.locator(".entry")).to_have_count(3)


def test_a_search_lights_up_what_stands_out_and_its_best_hit_waits_to_be_played(explorer: Locator) -> None:
    look_for(explorer, "anything")
    expect(explorer.locator(".status")).to_have_text(
        "Hits for 'anything': the 3 nearest of 15 segments light up."
    )
    video = explorer.locator("video")
    wait_until(video, "v.src.endsWith('cat.mp4#t=6,12')")
    stands_at(video, 6)
    assert video.evaluate("v => v.paused && !v.dataset.plays"), "nothing sounds that nobody clicked"
    assert rows_of(explorer.locator(".strip .tile.hit")) == [13, 12, 11]
    explorer.get_by_role("button", name="Grid", exact=True).click()
    gallery = explorer.locator(".gallery")
    expect(gallery.locator("select")).to_have_value("score")
    expect(gallery.locator(".tile .rank")).to_have_text(["1", "2", "3"])
    assert rows_of(gallery.locator(".tile"))[:4] == [13, 12, 11, 10]
    explorer.get_by_role("button", name="Clear hits").click()
    expect(gallery.locator("select")).to_have_value("title")
    expect(gallery.locator(".rank")).to_have_count(0)


@pytest.mark.parametrize("row", [4, 14], ids=["a film", "one that has moved"])
def test_until_a_film_comes_its_place_says_so(explorer: Locator, row: int) -> None:
    explorer.get_by_role("button", name="Grid", exact=True).click()
    figure = explorer.locator("figure")
    pressed = "tile => (tile.click(), document.querySelector('.explorer figure').ariaBusy)"
    assert explorer.locator(f".gallery .tile[data-row='{row}']").evaluate(pressed) == "true"
    expect(figure).to_have_attribute("aria-busy", "false")


def test_of_quick_clicks_the_last_one_plays(explorer: Locator) -> None:
    explorer.get_by_role("button", name="Grid", exact=True).click()
    explorer.locator(".gallery").evaluate(
        """(gallery, rows) => {
          for (const row of rows) gallery.querySelector(`.tile[data-row="${row}"]`).click();
        }""",
        [2, 3, 5],
    )
    wait_until(explorer.locator("video"), "v.dataset.played?.endsWith('#t=150,156')")
    expect(explorer.locator("figcaption")).to_contain_text("2:30-2:36")


def test_the_selection_plays_one_after_the_other(explorer: Locator) -> None:
    page, video = explorer.page, explorer.locator("video")
    explorer.get_by_role("button", name="Grid", exact=True).click()
    tiles = explorer.locator(".gallery .tile")
    for row in (2, 5, 7):
        explorer.locator(f".gallery .tile[data-row='{row}']").click(modifiers=["Control"])
    assert tiles.count() and listed(explorer) == ["s02", "s05", "s07"]
    line = explorer.locator(".playing")
    expect(line).to_be_hidden()
    explorer.get_by_role("button", name="Play all").click()
    expect(line).to_contain_text("1 of 3 of the selection")
    stands_at(video, CLIPS["start_offset_sec"][2])
    page.evaluate("window.letPlay = true")
    video.evaluate("v => { v.muted = true; v.currentTime += 5.3; return v.play(); }")
    expect(line).to_contain_text("2 of 3", timeout=PATIENCE)  # the first has come to its end
    page.evaluate("window.letPlay = false")
    wait_until(video, f"v.src.includes('#t={CLIPS['start_offset_sec'][5]:g},')")
    explorer.locator(".gallery .tile").first.focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_contain_text("3 of 3")
    line.get_by_role("button", name="Previous").click()
    expect(line).to_contain_text("2 of 3")
    explorer.locator(".gallery .tile").first.focus()
    page.keyboard.press("p")
    expect(line).to_be_hidden()
    page.keyboard.press("p")
    expect(line).to_contain_text("1 of 3")
    explorer.locator(".gallery .tile[data-row='4']").click()
    expect(line).to_be_hidden()  # what is not in the list ends it


def test_two_moments_play_side_by_side(explorer: Locator) -> None:
    click(explorer, 3, POINTS)
    expect(explorer.locator("figcaption")).to_contain_text("2:18-2:24", timeout=PATIENCE)
    explorer.get_by_role("button", name="Compare").click()  # on a narrow screen it stands below the map
    centre(explorer)
    click(explorer, 8, POINTS)
    videos = explorer.locator("video")
    expect(videos).to_have_count(2)
    expect(explorer.locator("figcaption").first).to_contain_text("2:48-2:54", timeout=PATIENCE)
    expect(explorer.locator("figcaption").last).to_contain_text("2:18-2:24")
    stands_at(videos.first, CLIPS["start_offset_sec"][8])
    stands_at(videos.last, CLIPS["start_offset_sec"][3])
    one, two = videos.first.bounding_box(), videos.last.bounding_box()
    assert one and two and abs(one["y"] - two["y"]) < 2 and one["x"] + one["width"] <= two["x"]
    explorer.get_by_role("button", name="Play both").click()
    for video in videos.all():
        wait_until(video, "Number(v.dataset.plays) >= 1")
    explorer.get_by_role("button", name="Close").click()
    expect(videos).to_have_count(1)
    explorer.locator("canvas").first.focus()
    explorer.page.keyboard.press("c")
    expect(videos).to_have_count(2)
    explorer.page.keyboard.press("c")
    expect(videos).to_have_count(1)


def test_more_like_these_and_not_those(explorer: Locator) -> None:
    explorer.get_by_role("button", name="Grid", exact=True).click()
    for row in (0, 3):
        explorer.locator(f".gallery .tile[data-row='{row}']").click(modifiers=["Control"])
    explorer.get_by_role("button", name="More like these").click()
    expect(explorer.locator(".strip h4")).to_contain_text("Like 2 of your examples", timeout=PATIENCE)
    explorer.get_by_role("button", name="Clear", exact=True).click()
    explorer.locator(".gallery .tile[data-row='6']").click(modifiers=["Control"])
    explorer.get_by_role("button", name="Not these").click()
    expect(explorer.locator(".strip h4")).to_contain_text("not like 1", timeout=PATIENCE)
    scores = example_scores(MATRIX, [0, 3], [6])
    best = sorted(set(range(15)) - {0, 3, 6}, key=lambda row: -scores[row])
    assert rows_of(explorer.locator(".strip .tile"))[:3] == best[:3]
    explorer.locator(f".strip .tile[data-row='{best[0]}']").click()
    expect(explorer.locator(f".strip .tile.chosen[data-row='{best[0]}']")).to_be_visible(timeout=PATIENCE)
    explorer.get_by_role("button", name="Not this", exact=True).click()
    expect(explorer.locator(".strip h4")).to_contain_text("not like 2", timeout=PATIENCE)


def test_ranges_limit_map_and_grid_by_mouse_and_finger(tablet: CDPSession, explorer: Locator) -> None:
    page, count = explorer.page, explorer.locator(".count")
    summary = explorer.locator(".ranges summary")
    expect(summary).to_have_text("Ranges: time in film, loudness, recorded_at")
    if explorer.locator(".ranges").get_attribute("open") is None:
        summary.click()
    loudness = explorer.locator(".range", has_text="loudness")
    loudness.scroll_into_view_if_needed()

    def across(start: float, end: float) -> list[tuple[float, float]]:
        box = loudness.locator("canvas").bounding_box()
        assert box
        return [(box["x"] + x * box["width"], box["y"] + 20) for x in (start, (start + end) / 2, end)]

    path = across(0.46, 0.999)  # from -20 to -6: the upper half
    page.mouse.move(*path[0])
    page.mouse.down()
    page.mouse.move(*path[1])
    page.mouse.move(*path[2])
    page.mouse.up()
    expect(count).to_have_text("8 of 15 segments", timeout=PATIENCE)
    explorer.get_by_role("button", name="Grid", exact=True).click()
    assert sorted(rows_of(explorer.locator(".gallery .tile"))) == list(range(7, 15))
    loudness.get_by_role("button", name="All").click()
    expect(count).to_have_text("15 segments", timeout=PATIENCE)

    loudness.scroll_into_view_if_needed()
    touch(tablet, across(0.005, 0.46))  # the first pixel is under JupyterLab's own line beside an output
    expect(count).to_have_text("7 of 15 segments", timeout=PATIENCE)
    explorer.get_by_role("button", name="Show all").click()
    expect(count).to_have_text("15 segments", timeout=PATIENCE)
    summary.click()


def test_ranges_are_typed_again_and_again(explorer: Locator) -> None:
    count, summary = explorer.locator(".count"), explorer.locator(".ranges summary")
    summary.click()
    start, end = explorer.get_by_label("loudness from"), explorer.get_by_label("recorded_at to")
    for key in ("Enter", "Tab", "Enter"):  # the same words again are no change to the browser
        start.fill("-8")
        start.press(key)
        expect(count).to_have_text("3 of 15 segments", timeout=PATIENCE)
        explorer.get_by_role("button", name="Show all").click()
        expect(count).to_have_text("15 segments", timeout=PATIENCE)
        expect(start).to_have_value("-20")
    start.fill("-8")
    start.press("Enter")
    end.fill("2024-05-14")
    end.press("Enter")
    expect(count).to_have_text("2 of 15 segments", timeout=PATIENCE)
    expect(summary).to_contain_text("(2 set)")
    start.fill("loud")
    start.press("Enter")
    expect(start).to_have_value("-8")
    explorer.get_by_role("button", name="Show all").click()
    explorer.get_by_label("time in film from").focus()
    end.focus()  # what nobody has changed limits nothing
    summary.click()
    expect(count).to_have_text("15 segments", timeout=PATIENCE)
    expect(summary).not_to_contain_text("set)")


def test_a_finger_plays_draws_and_adds_without_a_keyboard(tablet: CDPSession, explorer: Locator) -> None:
    video = explorer.locator("video")
    at, box = places(explorer, POINTS)
    for row in (5, 7):
        tap(tablet, *at[row])
        stands_at(video, CLIPS["start_offset_sec"][row])
    wait_until(video, "Number(v.dataset.plays) >= 1")
    tap_on(tablet, explorer.get_by_role("button", name="Box", exact=True))
    centre(explorer)
    at, box = places(explorer, POINTS)
    x, y = (at - [box["x"], box["y"]]).T
    inside = (x < 0.5 * box["width"]) & (y < 0.99 * box["height"])
    corners = ((0.01, 0.01), (0.3, 0.5), (0.5, 0.99))
    touch(tablet, [(box["x"] + s * box["width"], box["y"] + t * box["height"]) for s, t in corners])
    expect(explorer.locator(".list h4")).to_contain_text(f"Selection: {inside.sum()} segments")
    assert listed(explorer) == CLIPS["segment_id"][inside].tolist()
    tap_on(tablet, explorer.get_by_role("button", name="Move map"))
    add = explorer.get_by_role("button", name="Add", exact=True)
    tap_on(tablet, add)
    expect(add).to_have_attribute("aria-pressed", "true")
    other = int(np.flatnonzero(~inside)[0])
    centre(explorer)
    at, _ = places(explorer, POINTS)
    tap(tablet, *at[other])
    expect(explorer.locator(".list h4")).to_contain_text(f"Selection: {inside.sum() + 1} segments")
    tap_on(tablet, explorer.get_by_role("button", name="Grid", exact=True))
    tap_on(tablet, explorer.locator(f".gallery .tile[data-row='{other}']"))
    expect(explorer.locator(".list h4")).to_contain_text(f"Selection: {inside.sum()} segments")
    tap_on(tablet, add)
    expect(add).to_have_attribute("aria-pressed", "false")


def test_one_finger_moves_the_map_and_two_zoom_it(tablet: CDPSession, explorer: Locator) -> None:
    video = explorer.locator("video")
    at, box = places(explorer, POINTS)
    tap(tablet, *at[5])
    stands_at(video, CLIPS["start_offset_sec"][5])
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    x, y = middle
    touch(tablet, [(x, y), (x + 25, y + 10), (x + 50, y + 20)])
    tap(tablet, *(at[7] + [50, 20]))
    stands_at(video, CLIPS["start_offset_sec"][7])
    tap_on(tablet, explorer.get_by_role("button", name="Whole map"))
    row = int(np.hypot(*(at[:12] - middle).T).argmin())
    one = [(x - 40.0, y), (x - 60.0, y), (x - 80.0, y)]
    touch(tablet, one, [(2 * x - there, y) for there, _ in one])
    tap(tablet, *(middle + 2 * (at[row] - middle)))
    stands_at(video, CLIPS["start_offset_sec"][row])


STICKS_OUT = """box => {
  const right = box.getBoundingClientRect().right + 1;
  const inScroll = e => e.closest('.tiles, .scroll, .legend');
  return [...box.querySelectorAll('*')]
    .filter(e => e.checkVisibility() && !inScroll(e) && e.getBoundingClientRect().right > right)
    .map(e => e.className || e.tagName);
}"""
CUT = """box => {
  const pen = document.createElement('canvas').getContext('2d');
  return [...box.querySelectorAll('input[placeholder]')].filter(e => e.placeholder && e.checkVisibility()).filter(e => {
    const style = getComputedStyle(e);
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(e.placeholder).width > room;
  }).map(e => `${e.placeholder} ${e.clientWidth}`);
}"""


@pytest.mark.parametrize("width", [900, 1400])
def test_nothing_sticks_out_and_no_word_of_the_toolbar_is_cut(explorer: Locator, width: int) -> None:
    page = explorer.page
    page.set_viewport_size({"width": width, "height": 1000})
    try:
        page.wait_for_timeout(300)
        click(explorer, 3, POINTS)
        expect(explorer.get_by_placeholder("a note on this point")).to_be_visible(timeout=PATIENCE)
        explorer.get_by_role("button", name="Compare").click()
        for view in ("Grid", "Map"):
            explorer.get_by_role("button", name=view, exact=True).click()
            page.wait_for_timeout(200)
            assert explorer.evaluate(STICKS_OUT) == []
        assert explorer.evaluate(CUT) == []
        explorer.get_by_role("button", name="Close").click()
    finally:
        page.set_viewport_size({"width": 900, "height": 1000})


def test_the_table_is_limited_and_scrolls(explorer: Locator) -> None:
    explorer.get_by_role("button", name="Add", exact=True).click()
    for entry in explorer.locator(".entry").all():
        entry.click()
    explorer.get_by_role("button", name="Add", exact=True).click()
    expect(explorer.locator("tbody tr")).to_have_count(15)
    scroll = explorer.locator(".scroll")
    assert scroll.evaluate("s => s.clientHeight <= 250 && s.scrollHeight > s.clientHeight")
    line = explorer.locator("tbody tr").first.evaluate("e => e.getBoundingClientRect().height")
    assert line < 30, "no word of a table is cut into pieces"


def brightness(place: Locator, what: str) -> float:
    colour = str(place.evaluate(f"e => getComputedStyle(e).{what}"))
    return float(np.mean([float(number) for number in re.findall(r"[\d.]+", colour)[:3]]))


def test_the_dark_theme_has_bright_words_on_a_dark_map(explorer: Locator) -> None:
    canvas = explorer.locator(".plot canvas")
    assert canvas.evaluate("c => c.getContext('2d').getImageData(3, 3, 1, 1).data[0]") < 60
    explorer.locator(".entry").first.click()
    look_for(explorer, "dark")
    for part in (".status", ".entry", ".list h4", "tbody td", ".strip .tile", ".count", ".more button"):
        assert brightness(explorer.locator(part).first, "color") > 130, part
    assert brightness(explorer.locator("th").first, "backgroundColor") < 110
    rank = explorer.locator(".strip .rank").first
    assert brightness(rank, "backgroundColor") - brightness(rank, "color") > 80


def test_nothing_went_wrong_on_the_page(whole: Page) -> None:
    assert ERRORS == []
