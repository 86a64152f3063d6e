"""Figures of clusters: every cluster told apart, nothing lost, times where they belong."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from helpers.analysis.trends import cluster_shares
from helpers.errors import AnalysisError
from helpers.show import cluster_style as charts
from helpers.show import clusters as show_clusters
from helpers.show import shares as show_shares
from helpers.show import similarity as show_similarity


def draw(fig):
    """The figure as pixels, as `show_figure` makes it: an error in drawing shows here."""
    buffer = io.BytesIO()
    FigureCanvasAgg(fig)
    fig.savefig(buffer, format="rgba", dpi=50)
    pixels = np.frombuffer(buffer.getvalue(), np.uint8).reshape(-1, 4)
    assert (pixels[:, 3] == 255).all()  # opaque, for dark pages
    assert (pixels[:, :3] > 240).all(axis=1).mean() > 0.2  # and light
    plt.close(fig)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def points(n):
    return pd.DataFrame(np.random.default_rng(0).normal(size=(n, 2)), columns=["x", "y"])


def segments(*spans, video="v", title="Film"):
    rows = [(f"s{i}", video, title, a, b, "") for i, (a, b) in enumerate(spans)]
    columns = ["segment_id", "video_id", "title", "start_offset_sec", "end_offset_sec", "recorded_at"]
    return pd.DataFrame(rows, columns=columns)


def test_clusters_differ_in_colour_and_marker_and_noise_is_grey():
    styles = [charts.cluster_style(n) for n in range(72)]
    assert len(set(styles)) == 72
    colours, markers = zip(*styles[:8], strict=True)
    assert len(set(colours)) == len(set(markers)) == 8  # the first ones differ in both
    colour, marker = charts.cluster_style(-1)
    assert len(set(to_rgb(colour))) == 1 and (colour, marker) not in styles and marker not in charts.MARKERS


def test_a_cluster_is_called_by_number_and_name():
    assert charts.cluster_name(-1, {-1: "x"}) == "noise"
    assert charts.cluster_name(3) == charts.cluster_name(3, {3: "", 4: "x"}) == "3"
    assert charts.cluster_name(3, {3: "rabbits"}) == "3 rabbits"
    assert len(charts.cluster_name(3, {3: "word " * 40})) < 45


@pytest.mark.slow
@pytest.mark.parametrize("silhouette", [[0.2, 0.5, 0.3], [np.nan] * 3, [0.2, 0.1, np.nan]])
def test_plot_k_marks_the_best_silhouette(silhouette):
    choices = pd.DataFrame({"k": [2, 3, 4], "inertia": [3.0, 2.0, 1.0], "silhouette": silhouette})
    fig = show_clusters.plot_k(choices)
    told = [text.get_text() for text in fig.axes[0].texts]
    best = choices["silhouette"].dropna()
    assert told == ([f"k = {choices['k'][best.idxmax()]}"] if len(best) else [])
    draw(fig)


@pytest.mark.slow
def test_a_map_counts_each_cluster_and_keeps_noise_at_the_end_of_the_legend():
    fig = show_clusters.plot_map(points(6), [1, 0, -1, 0, 0, -1], names={0: "cost $5 or $6"}, title="$x_1")
    axes = fig.axes[0]
    assert legend(axes) == ["0 cost $5 or $6 (3)", "1 (1)", "noise (2)"]
    drawn = [len(dots.get_offsets()) for dots in axes.collections if len(dots.get_offsets())]
    assert drawn == [2, 3, 1]  # noise first, below the others
    draw(fig)


def test_a_map_takes_words_as_labels():
    fig = show_clusters.plot_map(points(4), pd.Series(["tree", "", "sky", "tree"], index=[9, 8, 7, 6]))
    assert legend(fig.axes[0]) == ["tree (2)", "sky (1)", "unknown (1)"]
    draw(fig)


@pytest.mark.slow
def test_a_map_of_many_clusters_and_a_map_in_given_axes_and_maps_side_by_side():
    labels = np.arange(60) % 30
    draw(show_clusters.plot_map(points(60), labels))
    own = plt.figure()
    axes = own.add_subplot()
    assert show_clusters.plot_map(points(60), labels, ax=axes, title="mine") is own
    assert axes.get_title() == "mine"
    draw(own)
    both = show_clusters.plot_maps({"one": (points(60), labels), "two": (points(3), ["a", "b", "a"])})
    assert [axes.get_title() for axes in both.axes] == ["one", "two"]
    draw(both)


def test_maps_that_cannot_be_drawn_are_refused():
    with pytest.raises(AnalysisError, match="2 labels for 3 segments"):
        show_clusters.plot_map(points(3), [0, 1])
    with pytest.raises(AnalysisError, match="no map to draw"):
        show_clusters.plot_maps({})


@pytest.mark.slow
def test_shares_over_time_leave_a_gap_empty():
    table = segments((0, 30), (30, 60), (300, 330))
    shares = cluster_shares(table, [0, 1, -1], by="time", window=30)
    fig = show_shares.plot_shares(shares, names={0: "rabbits"}, title="Shares")
    axes = fig.axes[0]
    assert legend(axes) == ["noise", "1", "0 rabbits"]
    assert axes.get_xlim() == (0, 330)
    tops = [max(area.get_datalim(axes.transData).y1 for area in axes.collections)]
    assert tops == [1.0]
    assert sorted(text.get_text() for text in axes.texts) == ["0", "1", "noise"]
    assert axes.xaxis.get_major_formatter()(90, None) == "1:30"
    draw(fig)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["video_id", "recorded_at"])
def test_shares_per_video_or_date_are_bars_with_names(by):
    table = pd.concat([segments((0, 5), (5, 9), video="a"), segments((0, 5), video="b")])
    shares = cluster_shares(
        table.assign(recorded_at=["2026-05-01", "2026-05-02", "2026-05-03"]), [0, 9, 17], by=by
    )
    fig = show_shares.plot_shares(shares, rows={"a": "Film A"})
    names = [tick.get_text() for tick in fig.axes[0].get_yticklabels()]
    assert names == (["Film A", "b"] if by == "video_id" else ["2026-05-01", "2026-05-02", "2026-05-03"])
    assert legend(fig.axes[0]) == ["0", "9", "17"]
    hatches = {bars.patches[0].get_hatch() for bars in fig.axes[0].containers}
    assert len(hatches) == 3  # 9 and 17 have one colour: the hatch tells them apart
    draw(fig)


def test_no_shares_are_refused():
    with pytest.raises(AnalysisError, match="no shares to draw"):
        show_shares.plot_shares(pd.DataFrame())


@pytest.mark.slow
def test_similarity_has_each_pair_at_its_time_and_white_where_there_is_no_segment():
    film = segments((12, 18), (0, 6), (6, 12), (30, 36))  # in no order, and with a gap
    matrix = np.eye(4, dtype=np.float32)
    matrix[3] = matrix[1]  # 0:30 looks like 0:00
    fig = show_similarity.plot_similarity(
        film, matrix, shots=pd.Series([0.0, 6.0, 6.0, 30.0, 99.0]), title="Film"
    )
    axes, mesh = fig.axes[0], fig.axes[0].collections[0]
    cells = np.ma.filled(mesh.get_array(), np.nan)
    expected = np.eye(5)
    expected[0, 4] = expected[4, 0] = 1
    expected[3, :] = expected[:, 3] = np.nan
    np.testing.assert_array_equal(cells, expected)
    assert len(axes.patches) == 3  # 0-6, 6-30, 30-36
    assert axes.get_ylim() == (36, 0)
    draw(fig)
    draw(show_similarity.plot_similarity(film.head(1), matrix[:1]))


def test_similarity_of_several_films_or_of_another_matrix_is_refused():
    film = segments((0, 6), (6, 12))
    with pytest.raises(AnalysisError, match="of 2 videos: choose one"):
        show_similarity.plot_similarity(film.assign(video_id=["a", "b"]), np.eye(2))
    with pytest.raises(AnalysisError, match="of 0 videos"):
        show_similarity.plot_similarity(film.head(0), np.eye(2))
    with pytest.raises(AnalysisError, match="3 rows for 2 segments"):
        show_similarity.plot_similarity(film, np.eye(3))
