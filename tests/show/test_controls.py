"""The weight slider and the curve with its player: traits are set as a browser sets them, results looked at."""

import base64
import io
import re

import av
import numpy as np
import pandas as pd
import pytest

from helpers.errors import SearchError
from helpers.search.moments import find_moments, score_curve
from helpers.settings import ROOT
from helpers.show import curve as show_curve
from helpers.show import curve_player as controls
from helpers.show import widgets as show_widgets
from helpers.show.figures import show_figure
from tests.show.test_display import BUNNY, CAT, COFFEE, hits, start_server, videos, words
from tests.show.test_display import in_the_notebooks_folder as in_the_notebooks_folder

VIEW = "application/vnd.jupyter.widget-view+json"


def film_hits(*, seconds=60.0, url=BUNNY):
    """One clip per 6 s of a film; the clip that begins at 30 is the best, its neighbour nearly as good."""
    starts = np.arange(0, seconds, 6.0)
    score = np.select([starts == 30, starts == 36], [0.9, 0.88], 0.1 + starts / 1000)
    table = hits(*((url, start, min(start + 6, seconds)) for start in starts))
    return table.assign(score=score, video_id="film", segment_id=[f"film-{start:g}" for start in starts])


MOMENTS = find_moments(film_hits(), limit=1)
CURVE = score_curve(film_hits(), smooth=3)
TRUTH = pd.DataFrame(
    {
        "video": "big-buck-bunny",
        "start_offset_sec": [31.0, 12.0],
        "end_offset_sec": [40.0, 15.0],
        "relevance": [2, 1],
    }
)


# ---------------------------------------------------------------- the slider


@pytest.mark.slow
def test_a_moved_handle_searches_with_its_weight_and_changes_the_moments():
    asked = []

    def search(weight):
        asked.append(weight)
        return hits((CAT, 0, 6) if weight > 0.5 else (COFFEE, 6, 12))

    box = show_widgets.weight_slider(search)
    assert asked == [0.5] and "coffee.mp4" not in box.results.value  # the clip itself: no server is there
    assert "coffee, 0:06-0:12" in words(box.results.value)
    assert box.weights.value == "words 0.50, clip 0.50"
    box.slider.value = 0.7000000000000001
    assert asked == [0.5, 0.7] and box.weights.value == "words 0.70, clip 0.30"
    assert "cat, 0:00-0:06" in words(box.results.value) and "coffee" not in words(box.results.value)
    assert len(videos(box.results.value)) == 1
    assert not box.slider.continuous_update


def test_a_slider_of_other_legs_value_and_steps():
    box = show_widgets.weight_slider(lambda w: hits(), legs=["visual", "sound"], value=0.2, steps=6)
    assert (box.slider.value, box.slider.step) == (0.2, 0.2)
    assert box.slider.description == "weight of visual"
    assert box.weights.value == "visual 0.20, sound 0.80"
    assert box.results.value == "Nothing was found."


@pytest.mark.slow
def test_what_goes_wrong_in_a_search_is_one_sentence():
    def search(weight):
        if weight == 0:
            raise SearchError("The query is of <another> model: embed it again.")
        return hits((CAT, 0, 6)) if weight < 1 else 1 / 0

    box = show_widgets.weight_slider(search)
    box.slider.value = 0
    assert words(box.results.value).strip() == "The query is of <another> model: embed it again."
    with pytest.raises(ZeroDivisionError):
        box.slider.value = 1
    assert "unexpected" in box.results.value


@pytest.mark.parametrize(
    "wrong", [{"legs": ["words"]}, {"legs": "ab"}, {"value": 1.5}, {"value": float("nan")}, {"steps": 1}]
)
def test_a_slider_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(SearchError, match=r"^The|^There"):
        show_widgets.weight_slider(lambda w: hits(), **wrong)


# ---------------------------------------------------------------- the figure


def test_the_figure_shades_the_moment_and_draws_the_truth():
    fig = show_curve.plot_curve(CURVE, moments=MOMENTS, truth=TRUTH, title="a butterfly")
    (axes,) = fig.axes
    assert axes.get_xlim() == (0, 60) and axes.get_title() == "a butterfly"
    assert axes.xaxis.get_major_formatter()(30) == "0:30"
    (line,) = axes.lines
    assert np.array_equal(line.get_xydata(), CURVE[["middle_sec", "smoothed"]])
    (moment,) = axes.patches
    assert (moment.get_x(), moment.get_width()) == (30, 12)
    assert [text.get_text() for text in axes.texts] == ["1"]
    bars = [path.get_extents() for bar in axes.collections[1:] for path in bar.get_paths()]
    assert [(bar.x0, bar.x1) for bar in bars] == [(31, 40), (12, 15)]
    labels = [text.get_text() for text in fig.legends[0].get_texts()]
    assert labels == ["score", "smoothed", "best moment", "ground truth", "partial answer"]


def test_the_figure_in_words():
    said = show_curve.curve_words(CURVE, moments=MOMENTS, truth=TRUTH, title="a butterfly")
    top = CURVE["smoothed"].max()
    assert said == (
        f"a butterfly: highest score {top:.3f} at 0:33; moments 0:30-0:42; "
        "ground truth 0:31-0:40; partial answer 0:12-0:15"
    )
    assert show_curve.curve_words(score_curve(film_hits())) == "Score over time: highest score 0.900 at 0:33"


@pytest.mark.slow
def test_a_figure_is_the_same_each_time_and_can_be_shown(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.show.output.display", lambda bundle, *, raw: shown.append(bundle))
    for _ in range(2):
        show_figure(show_curve.plot_curve(CURVE, moments=MOMENTS), alt="curve")
    assert shown[0] == shown[1]


def test_a_query_without_an_answer_has_no_bars():
    none = TRUTH.head(1).assign(start_offset_sec=np.nan, end_offset_sec=np.nan)
    fig = show_curve.plot_curve(score_curve(film_hits()), truth=none)
    assert list(fig.axes[0].collections) == [] and list(fig.axes[0].texts) == []


def test_a_level_curve_has_a_picture():
    level = score_curve(film_hits().assign(score=0.5))
    low, high = show_curve.plot_curve(level).axes[0].get_ylim()
    assert low < 0.5 < high


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"curve": CURVE.head(0)}, "The curve has no clips"),
        ({"moments": pd.concat([MOMENTS, MOMENTS.assign(video_id="other")])}, "The moments are of 2 videos"),
        ({"truth": pd.concat([TRUTH, TRUTH.assign(video="cat")])}, "The ground truth are of 2 videos"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(arguments, said):
    given = {"curve": CURVE} | arguments
    with pytest.raises(SearchError, match=said):
        show_curve.plot_curve(given.pop("curve"), **given)
    with pytest.raises(SearchError, match=said):
        show_curve.curve_words(**{"curve": CURVE} | arguments)


# ---------------------------------------------------------------- the player beside it


@pytest.mark.slow
def test_the_player_is_given_the_film_and_begins_at_the_first_moment(tmp_path):
    start_server(tmp_path, root=ROOT, base_url="/user/a/")
    player = controls.curve_player(CURVE, BUNNY, moments=MOMENTS, truth=TRUTH, title="a butterfly")
    assert (player.source, player.offset, player.position) == (f"/user/a/files/{BUNNY}", 0, 30)
    assert player.poster.startswith("data:image/jpeg") and player.problem == ""
    page = player.page
    assert page["words"] == show_curve.curve_words(CURVE, moments=MOMENTS, truth=TRUTH, title="a butterfly")
    assert page["moments"] == [["1. 0:30-0:42", 30.0]]
    assert page["clips"][5] == [30, 36, CURVE["smoothed"][5]]
    assert "Blender" in page["credit"]
    left, right, top, bottom = page["axes"]
    assert 0 < left < right < 1 and 0 < top < bottom < 1
    again = controls.curve_player(CURVE, BUNNY, moments=MOMENTS, truth=TRUTH, title="a butterfly")
    assert again.page == page


@pytest.mark.slow
def test_the_axes_of_the_picture_are_where_the_page_says(tmp_path):
    start_server(tmp_path, root=ROOT)
    page = controls.curve_player(CURVE, BUNNY, moments=MOMENTS).page
    svg = base64.b64decode(page["picture"].partition("base64,")[2]).decode()
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    axes = re.search(
        r'id="patch_2">\s*<path d="M ([\d.]+) ([\d.]+)\s*L ([\d.]+) [\d.]+\s*L [\d.]+ ([\d.]+)', svg
    )
    x0, y0, x1, y1 = map(float, axes.groups())
    assert page["axes"] == pytest.approx([x0 / width, x1 / width, y1 / height, y0 / height], abs=1e-4)


def test_a_click_stays_inside_the_film(tmp_path):
    start_server(tmp_path, root=ROOT)
    player = controls.curve_player(CURVE, BUNNY)
    assert player.position == 0
    for asked, second in [(47.0, 47.0), (-3.0, 0.0), (1e9, 60.0), (float("nan"), 0.0)]:
        player.set_state({"position": asked})
        assert player.position == second
    assert player.source == f"/files/{BUNNY}" and player.offset == 0


@pytest.mark.slow
def test_without_a_server_a_click_brings_the_seconds_from_there_on(monkeypatch):
    monkeypatch.setattr(controls, "CUT", 4.0)
    player = controls.curve_player(CURVE, BUNNY)
    assert player.offset == 0
    for asked, offset in [(40.0, 40.0), (60.0, 59.0)]:
        player.set_state({"position": asked})
        assert player.offset == offset
        kind, _, content = player.source.partition(";base64,")
        assert kind == "data:video/mp4"
        with av.open(io.BytesIO(base64.b64decode(content))) as clip:
            assert clip.duration / av.time_base == pytest.approx(4, abs=0.2)


@pytest.mark.slow
def test_a_film_on_the_web_and_a_film_that_is_gone():
    web = controls.curve_player(CURVE, "https://example.org/a.mp4", moments=MOMENTS)
    assert (web.source, web.offset, web.poster) == ("https://example.org/a.mp4", 0, "")
    gone = controls.curve_player(CURVE, "data/videos/gone.mp4")
    assert gone.source == "" and gone.problem.startswith("The file gone.mp4 is not where")


# ---------------------------------------------------------------- in a committed notebook


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [lambda: show_widgets.weight_slider(lambda w: 1 / 0), lambda: controls.curve_player(CURVE, BUNNY)],
)
def test_a_control_leaves_one_sentence_in_a_committed_notebook(make, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEO_SEARCH_PROGRESS", "plain")
    monkeypatch.setattr(controls, "CUT", 1.0)
    control = make()
    assert control._repr_mimebundle_() == {"text/plain": repr(control)}
    assert repr(control) == repr(make()) and 20 < len(repr(control)) <= 110
    start_server(tmp_path, root=ROOT)
    assert VIEW in control._repr_mimebundle_(), "somebody is looking"
