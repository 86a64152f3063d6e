"""The slider and the curve in a real browser: a handle moved, a curve clicked, a key pressed, in JupyterLab."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import barriers, stands_at, state, wait_until
from tools.browser import PATIENCE, write_notebook

FILM = 596.0  # seconds
CELLS = [
    """import numpy as np
import pandas as pd
from helpers import curve_player, weight_slider
from helpers import find_moments, score_curve

BUNNY, CAT = "data/videos/big-buck-bunny.mp4", "data/videos/cat.mp4"
""",
    """def search(weight):
    url, title = (CAT, "the cat") if weight > 0.55 else (BUNNY, "the rabbit")
    return pd.DataFrame({"rank": [1], "score": [weight], "title": [title], "video_url": [url],
                         "start_offset_sec": [6.0], "end_offset_sec": [12.0]})

weight_slider(search)""",
    """starts = np.arange(0, 596, 4.0)
hits = pd.DataFrame({"segment_id": starts.astype(str), "video_id": "film", "title": "film", "video_url": BUNNY,
                     "start_offset_sec": starts, "end_offset_sec": starts + 4,
                     "score": np.where(starts == 200, 0.9, 0.1 + starts / 5000)})
curve_player(score_curve(hits), BUNNY, moments=find_moments(hits, limit=1))""",
]


@pytest.fixture(scope="module")
def notebook(tree: Path) -> Path:
    """A scratch notebook of the two controls."""
    return write_notebook(tree / "notebooks" / "controls.ipynb", CELLS)


@pytest.fixture
def curve(after_run: Page) -> Locator:
    return after_run.locator(".curve-player")


def test_a_moved_slider_changes_the_moments(after_run: Page) -> None:
    box = after_run.locator(".jupyter-widgets.widget-vbox", has=after_run.locator(".widget-slider"))
    expect(box).to_contain_text("the rabbit", timeout=PATIENCE)
    expect(box).to_contain_text("words 0.50, clip 0.50")
    track = box.locator(".noUi-base").bounding_box()
    assert track
    box.locator(".noUi-handle").drag_to(
        box.locator(".noUi-base"), target_position={"x": 0.8 * track["width"], "y": track["height"] / 2}
    )
    expect(box).to_contain_text("words 0.80, clip 0.20", timeout=PATIENCE)
    expect(box).to_contain_text("the cat", timeout=PATIENCE)
    expect(box).not_to_contain_text("the rabbit")
    video = box.locator("video").first
    assert "/files/data/videos/cat.mp4#t=6,12" in state(video)["src"]
    stands_at(video, 6)


def test_the_player_begins_at_the_found_moment(curve: Locator) -> None:
    curve.scroll_into_view_if_needed()
    stands_at(curve.locator("video"), 200)
    expect(curve.locator("output")).to_have_text("3:20, score 0.900")


@pytest.mark.parametrize("second", [444, 45, 590])
def test_a_click_on_the_curve_moves_the_player_there(curve: Locator, second: float) -> None:
    axes = curve.locator("input[type=range]")
    place = axes.bounding_box()
    picture = curve.locator("img").bounding_box()
    assert place and picture and place["width"] > 0.5 * picture["width"]
    axes.click(position={"x": place["width"] * second / FILM, "y": place["height"] / 2})
    # A pixel of the screen is more than a second of this film: the click counts at the second that it hit.
    asked = float(axes.input_value())
    assert abs(asked - second) <= FILM / place["width"] + 0.5
    stands_at(curve.locator("video"), asked)


def test_the_keyboard_and_the_button_of_a_moment_move_the_player(curve: Locator) -> None:
    axes, video = curve.locator("input[type=range]"), curve.locator("video")
    curve.get_by_role("button", name="1. 3:20-3:24").click()
    stands_at(video, 200)
    axes.press("ArrowRight")
    axes.press("ArrowRight")
    stands_at(video, 202)
    axes.press("Home")
    stands_at(video, 0)
    assert curve.page.locator(".jp-Notebook .jp-CodeCell").count() == len(CELLS), (
        "no key went to the notebook"
    )


def test_while_the_film_plays_the_line_moves_along(curve: Locator) -> None:
    axes, video = curve.locator("input[type=range]"), curve.locator("video")
    curve.get_by_role("button", name="1. 3:20-3:24").click()
    stands_at(video, 200)
    video.evaluate("v => { v.muted = true; return v.play(); }")
    wait_until(video, "v.currentTime > 201.6")
    video.evaluate("v => v.pause()")
    assert float(axes.input_value()) >= 201


def test_everybody_can_use_the_controls(after_run: Page) -> None:
    # ipywidgets gives the handle of its sliders no name: the label stands beside it.
    assert barriers(after_run, inside=".jp-OutputArea-output", without=".noUi-handle") == []
