"""The cluster explorer: its plain functions, and the widget with traits set as a browser sets them."""

import asyncio
import base64
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers.analysis.clusters import hdbscan_clusters, kmeans_clusters, map_points
from helpers.analysis.labels import annotate_segment, read_labels, split_tags, tag_segments, write_labels
from helpers.analysis.matrix import cluster_matrix
from helpers.analysis.outliers import outlier_scores
from helpers.errors import AnalysisError, SearchError
from helpers.explorer import state
from helpers.explorer.clustering import default_k
from helpers.explorer.controls import NEW
from helpers.explorer.searching import example_scores, most_lit
from helpers.explorer.view import MODULES
from helpers.explorer.widget import cluster_explorer
from helpers.explorer.wording import on_screen
from helpers.settings import ROOT
from helpers.show.cluster_style import MARKERS, cluster_style
from helpers.videos.frames import thumbnail
from tests.show.test_display import BUNNY, CAT, difference, start_server
from tests.show.test_display import in_the_notebooks_folder as in_the_notebooks_folder

HOSTILE = "<img src=x onerror=alert(1)>"
VIEW = "application/vnd.jupyter.widget-view+json"


def segments(n=30, *, groups=3, dim=8, seed=0):
    """n clips of three films, the last of which has moved, around `groups` directions in turn."""
    noise = np.random.default_rng(seed).normal(scale=0.15, size=(n, dim))
    vectors = (np.eye(dim)[np.arange(n) % groups] + noise).astype(np.float32)
    films = [(BUNNY, "the rabbit"), (CAT, HOSTILE), ("data/videos/gone.mp4", "a film that has moved")]
    film = np.minimum(np.arange(n) * 3 // n, 2)
    starts = 6.0 * (np.arange(n) % (n // 3 or 1)) % 12
    return pd.DataFrame(
        {
            "segment_id": [f"s{i:02d}" for i in range(n)],
            "video_id": [f"film-{f}" for f in film],
            "title": [films[f][1] for f in film],
            "category": "any",
            "recorded_at": "",
            "video_url": [films[f][0] for f in film],
            "embedding_scope": "clip",
            "start_offset_sec": starts,
            "end_offset_sec": starts + 6,
            "description": [f"words {i}" for i in range(n)],
            "model": "test",
            "cluster": -1,
            "embedding_visual": list(vectors),
            "embedding_description": list(vectors[::-1]),
        }
    )


CLIPS = segments()
MATRIX = cluster_matrix(CLIPS)


def numbers(data, kind):
    return np.frombuffer(data, dtype=kind)


def ask(explorer, **message):
    """Send what the page sends for a key or a button."""
    explorer.view._handle_custom_msg(message, [])


@pytest.fixture
def explorer(tmp_path):
    """As in JupyterLab, whose server has the videos: a chosen clip is a link, and need not be cut."""
    start_server(tmp_path, root=ROOT)
    return cluster_explorer(
        CLIPS, labels=tmp_path / "labels.parquet", folder=tmp_path / "out", k=3, search=lambda words: CLIPS
    )


# ---------------------------------------------------------------- plain functions


def test_neighbours_are_the_rows_with_the_highest_cosine():
    cosines = MATRIX @ MATRIX[4]
    among = np.ones(30, dtype=bool)
    found = state.nearest_rows(MATRIX, 4, among=among, limit=5)
    expected = [i for i in np.argsort(-cosines, kind="stable") if i != 4][:5]
    assert [row for row, _ in found] == expected
    assert [score for _, score in found] == pytest.approx(cosines[expected])
    among[expected[0]] = False
    assert [row for row, _ in state.nearest_rows(MATRIX, 4, among=among, limit=4)] == expected[1:]
    assert len(state.nearest_rows(MATRIX, 4, among=among, limit=100)) == 28, "fewer than asked for"
    equal = np.ones((3, 2), dtype=np.float32) / np.sqrt(2, dtype=np.float32)
    tied = state.nearest_rows(equal, 1, among=np.ones(3, dtype=bool))
    assert [row for row, _ in tied] == [0, 2], "ties in row order"


def test_hits_find_their_rows_in_their_order():
    hits = pd.DataFrame({"segment_id": ["s05", "elsewhere", "s01", "s05"], "score": [0.9, 0.8, 0.7, 0.6]})
    assert state.place_hits(CLIPS, hits) == ([(5, 0.9), (1, 0.7)], 1)
    bare, lost = state.place_hits(CLIPS, hits[["segment_id"]].tail(1))
    assert [row for row, _ in bare] == [5] and np.isnan(bare[0][1]) and lost == 0
    assert state.place_hits(CLIPS, hits.head(0)) == ([], 0)
    with pytest.raises(AnalysisError, match="has no segment_id: return hits"):
        state.place_hits(CLIPS, pd.DataFrame({"title": ["a"]}))


def test_videos_are_listed_once_with_their_credit():
    videos, of = state.video_table(CLIPS)
    assert [video["title"] for video in videos] == ["the rabbit", HOSTILE, "a film that has moved"]
    assert "Blender" in videos[0]["credit"] and videos[2]["credit"] == ""
    assert of.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_the_legend_has_the_styles_of_the_figures_and_noise_last():
    groups = state.legend_groups(np.array([0, -1, 1, 0]), {1: "cats"})
    assert [(g["cluster"], g["name"]) for g in groups] == [(0, ""), (1, "cats"), (-1, "")]
    assert [(g["colour"], g["shape"]) for g in groups] == [cluster_style(n) for n in (0, 1, -1)]


def test_every_shape_of_the_figures_is_drawn_by_the_page():
    script = Path(state.__file__).with_name("shapes.js").read_text("utf-8")
    shapes = script.partition("SHAPES = {")[2].partition("};")[0]
    drawn = set(re.findall(r'^  "?(.)"?: ', shapes, re.MULTILINE)) | {"o"}
    assert drawn >= {*MARKERS, cluster_style(-1)[1]}


def test_a_player_of_a_clip(tmp_path):
    start_server(tmp_path, root=ROOT)
    shown = state.clip_player(state.record(CLIPS, 1))
    assert shown["source"] == f"/files/{BUNNY}#t=6,12" and shown["problem"] == ""
    assert shown["caption"] == "the rabbit, 0:06-0:12" and shown["words"] == "words 1"
    assert "Blender" in shown["credit"]


@pytest.mark.slow
def test_without_a_server_the_player_gets_the_clip_itself():
    assert state.clip_player(state.record(CLIPS, 1))["source"].startswith("data:video/mp4")


def test_a_film_that_has_moved_has_a_sentence_that_names_relink(tmp_path):
    start_server(tmp_path, root=ROOT)
    moved = state.clip_player(state.record(CLIPS, 29))
    assert moved["source"] == ""
    assert "gone.mp4" in moved["problem"] and "relink" in moved["problem"]
    assert moved["caption"].startswith("a film that has moved")
    assert state.still_of(state.record(CLIPS, 29)) == ""


def test_a_film_on_the_web_plays_from_there():
    web = state.record(CLIPS, 0) | {"video_url": "https://example.org/a.mp4"}
    shown = state.clip_player(web)
    assert (shown["source"], shown["problem"]) == ("https://example.org/a.mp4#t=0,6", "")


def test_tiles_have_rows_and_scores():
    strip = state.tile_strip([(0, 0.9), (29, float("nan"))], title="two", of=3)
    assert strip == {
        "title": "two",
        "items": [{"row": 0, "score": 0.9}, {"row": 29, "score": None}],
        "of": 3,
    }


def test_a_still_is_the_middle_frame():
    data = state.still_of(state.record(CLIPS, 0))
    still = Image.open(io.BytesIO(base64.b64decode(data.removeprefix("data:image/jpeg;base64,"))))
    assert still.size == (190, 107)
    assert difference(still, thumbnail(BUNNY, 3.0, width=190)) < 6


def test_long_words_are_cut():
    assert len(state.words_of({"description": "many words " * 100})) <= state.WORDS + 2
    assert state.words_of({"description": None}) == state.words_of({}) == ""


def test_an_export_never_replaces_a_file(tmp_path):
    assert state.free_path(tmp_path, "a.csv") == tmp_path / "a.csv"
    (tmp_path / "a.csv").touch(), (tmp_path / "a-2.csv").touch()
    assert state.free_path(tmp_path, "a.csv") == tmp_path / "a-3.csv"


# ---------------------------------------------------------------- the widget: clusters


def test_the_map_and_the_clusters_are_those_of_the_analysis(explorer):
    points = numbers(explorer.view.points, "<f4").reshape(30, 4)
    assert np.array_equal(points[:, :2], map_points(MATRIX).to_numpy().astype("<f4"))
    assert np.array_equal(points[:, 2:], CLIPS[["start_offset_sec", "end_offset_sec"]])
    expected = kmeans_clusters(MATRIX, 3)
    assert np.array_equal(numbers(explorer.view.labels, "<i4"), expected)
    assert explorer.clusters.tolist() == expected.tolist() and explorer.clusters.index[2] == "s02"
    assert explorer.controls.option.options == ("visual", "description", "fused")


@pytest.mark.slow
def test_controls_cluster_anew(explorer):
    explorer.controls.k.value = 5
    assert explorer.clusters.tolist() == kmeans_clusters(MATRIX, 5).tolist()
    explorer.controls.option.value = "fused"
    fused = cluster_matrix(CLIPS, option="fused")
    assert explorer.clusters.tolist() == kmeans_clusters(fused, 5).tolist()
    explorer.controls.option.value, explorer.controls.centre.value = "visual", True
    centred = cluster_matrix(CLIPS, centre=True)
    assert explorer.clusters.tolist() == kmeans_clusters(centred, 5).tolist()
    explorer.controls.centre.value, explorer.controls.method.value = False, "hdbscan"
    assert explorer.clusters.tolist() == hdbscan_clusters(MATRIX, min_cluster_size=5).tolist()
    assert "as noise" in explorer.view.status
    assert (explorer.controls.k.layout.display, explorer.controls.least.layout.display) == ("none", "")


def test_of_changes_in_a_row_only_the_last_is_computed(explorer):
    drawn, said = [], []
    explorer.view.observe(lambda change: drawn.append(change.new), "labels")
    explorer.view.observe(lambda change: said.append(change.new), "status")

    async def change():
        for k in (4, 6, 5):
            explorer.controls.k.value = k
        explorer.controls.centre.value = True
        explorer.controls.centre.value = False
        assert drawn == [], "another may follow"
        while explorer.view.status.endswith("…"):
            await asyncio.sleep(0.01)
        explorer.controls.k.value = 2
        return explorer.clusters

    assert asyncio.run(change()).tolist() == kmeans_clusters(MATRIX, 2).tolist(), (
        "the next cell does not wait"
    )
    assert [numbers(labels, "<i4").max() for labels in drawn] == [4, 1]
    assert said[0] == "Clustering …" and "Clustering, and drawing the map …" in said
    explorer.controls.map.value = "tsne"
    assert "Drawing the map …" in said


def test_what_cannot_be_clustered_is_said_and_leaves_the_map(explorer):
    before = explorer.clusters, explorer.view.labels, explorer.view.points
    explorer.controls.k.max = 100
    explorer.controls.k.value = 31
    assert explorer.view.status.startswith("There are 30 segments, fewer than the 31 clusters")
    assert explorer.clusters.equals(before[0])
    assert (explorer.view.labels, explorer.view.points) == before[1:]
    assert explorer.controls.k.value == 3, "the control says what is shown"
    assert explorer.view.status.startswith("There are 30 segments, fewer"), "and the sentence stays"
    explorer.controls.k.value = 4
    assert explorer.view.status == "30 segments in 4 clusters."


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (CLIPS.head(5), "5 segments in 2 clusters."),
        (CLIPS.head(1), "1 segments in 1 clusters. There is one segment, so there is nothing"),
        (
            CLIPS.assign(embedding_visual=[np.ones(4, np.float32)] * 30),
            "1 clusters. All 30 vectors are equal",
        ),
    ],
)
def test_few_or_equal_segments_are_explored_all_the_same(table, said):
    assert said in cluster_explorer(table).view.status


@pytest.mark.slow
def test_a_control_that_cannot_be_obeyed_goes_back():
    gap = CLIPS.assign(
        embedding_description=[None if i == 7 else v for i, v in enumerate(CLIPS["embedding_description"])]
    )
    explorer = cluster_explorer(gap, k=3)
    explorer.controls.option.value = "description"
    assert explorer.controls.option.value == "visual" and "description" in explorer.view.status
    explorer.view.set_state({"chosen": 1})
    assert explorer.view.tiles["title"] == "Nearest by visual, with cosine"
    few = cluster_explorer(CLIPS.head(4), k=2)
    few.controls.least.value = 5
    few.controls.method.value = "hdbscan"
    assert few.controls.method.value == "kmeans" and (
        few.controls.k.layout.display,
        few.controls.least.layout.display,
    ) == ("", "none")


def test_new_clusters_have_none_in_focus(explorer):
    explorer.view.set_state({"focus": 2})
    assert explorer.controls.rename.description == "Name cluster 2"
    explorer.controls.k.value = 4
    assert explorer.view.focus is None and explorer.controls.rename.disabled


def test_whole_videos_among_clips_are_left_out():
    whole = CLIPS.iloc[[0, 10]].assign(segment_id=["w0", "w1"], embedding_scope="asset")
    explorer = cluster_explorer(pd.concat([whole, CLIPS]), k=3)
    assert explorer.clusters.index.tolist() == CLIPS["segment_id"].tolist()
    assert explorer.view.status == "30 segments in 3 clusters. Left out: 2 whole videos."
    only = cluster_explorer(CLIPS.assign(embedding_scope="asset"), k=3)
    assert len(only.clusters) == 30 and only.view.status == "30 segments in 3 clusters."


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (CLIPS.head(0), {}, "no segments"),
        (
            CLIPS.assign(embedding_visual=[np.full(4, np.nan if i == 7 else i + 1) for i in range(30)]),
            {},
            "vector of s07 holds NaN",
        ),
        (CLIPS, {"option": "audio"}, "no option 'audio'"),
        (CLIPS, {"k": 1}, "number of clusters is 1"),
        (CLIPS, {"k": 2.5}, "number of clusters is 2.5"),
        (CLIPS.drop(columns="title"), {}, "lack the column 'title'"),
        (pd.concat([CLIPS, CLIPS.head(1)]), {}, "'s00' is in the table twice"),
    ],
)
def test_bad_input_is_one_sentence(table, options, said):
    with pytest.raises(AnalysisError) as caught:
        cluster_explorer(table, **options)
    message = str(caught.value)
    assert said in message and message.count(". ") == 0 and message.endswith(".")


def test_a_damaged_file_of_labels_is_refused_and_left(tmp_path):
    path = tmp_path / "labels.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(AnalysisError, match="cannot be read"):
        cluster_explorer(CLIPS, labels=path)
    assert path.read_bytes() == b"no parquet"


# ---------------------------------------------------------------- the widget: points, hits, selection


def test_a_clicked_point_plays_and_shows_its_neighbours(explorer, tmp_path):
    explorer.view.set_state({"chosen": 1})
    assert explorer.view.player["source"] == f"/files/{BUNNY}#t=6,12"
    found = state.nearest_rows(MATRIX, 1, among=np.ones(30, dtype=bool))
    assert [item["row"] for item in explorer.view.tiles["items"]] == [row for row, _ in found]
    assert explorer.view.tiles["of"] == 1
    explorer.view.set_state({"chosen": 29})
    assert "relink" in explorer.view.player["problem"]
    explorer.view.set_state({"chosen": 99})
    assert "relink" in explorer.view.player["problem"], "no such row: nothing happens"


@pytest.mark.slow
def test_the_film_filter_hides_rows_and_leaves_the_clusters(explorer):
    before = explorer.view.labels
    explorer.view.set_state({"picked": [1, 12, 29], "chosen": 1})
    explorer.controls.video.value = "film-1"
    assert numbers(explorer.view.shown, np.uint8).tolist() == [0] * 10 + [1] * 10 + [0] * 10
    assert explorer.view.labels == before and explorer.selection["segment_id"].tolist() == ["s12"]
    assert {item["row"] for item in explorer.view.tiles["items"]} <= set(range(10, 20))
    explorer.controls.video.value = ""
    assert numbers(explorer.view.shown, np.uint8).all()


@pytest.mark.slow
def test_a_cluster_that_the_filter_hides_has_no_name_to_give():
    vectors = (
        np.eye(3, 8)[[0] * 10 + [1] * 10 + [2] * 10]
        + CLIPS["embedding_visual"].map(lambda v: v * 0.05).tolist()
    )
    explorer = cluster_explorer(CLIPS.assign(embedding_visual=list(vectors)), k=3)  # a cluster per film
    explorer.view.set_state({"focus": 0, "chosen": 1})
    explorer.controls.video.value = "film-1"
    assert explorer.view.focus is None and explorer.controls.rename.disabled
    explorer.view.set_state({"focus": 2})
    assert explorer.controls.rename.disabled
    name(explorer, 2, "unseen")
    assert explorer.view.status.startswith("No cluster is chosen") and (explorer.labels["name"] == "").all()
    explorer.view.set_state({"focus": 1})
    assert not explorer.controls.rename.disabled
    explorer.controls.video.value = ""
    explorer.view.set_state({"focus": None})
    assert explorer.controls.rename.description == "Name cluster 0", "the clicked point is back"
    explorer.controls.video.value = "film-1"
    assert explorer.controls.rename.disabled, "the clicked point is hidden"


@pytest.mark.slow
def test_all_hits_light_up_and_have_tiles_that_stay_beside_the_neighbours(explorer):
    explorer.controls.words.value = "anything"
    explorer.controls.find.click()
    assert explorer.view.hits == list(range(6)), "a fifth of 30 segments: what lights up stands out"
    assert explorer.view.status == "Hits for 'anything': the 6 nearest of 30 segments light up."
    assert [item["row"] for item in explorer.view.found["items"]] == list(range(30))
    assert explorer.view.chosen == 0, "the best hit is chosen"
    explorer.view.set_state({"chosen": 4})
    assert len(explorer.view.tiles["items"]) == 8 and len(explorer.view.found["items"]) == 30


@pytest.mark.slow
def test_what_is_similar_to_the_clicked_point_is_shown_as_hits(explorer):
    ask(explorer, similar=True)
    assert explorer.view.status.startswith("Nothing is chosen to find the like of")
    explorer.view.set_state({"chosen": 4})
    ask(explorer, similar=True)
    expected = state.nearest_rows(MATRIX, 4, among=np.ones(30, dtype=bool), limit=60)
    assert [item["row"] for item in explorer.view.found["items"]] == [row for row, _ in expected]
    assert explorer.view.hits == [row for row, _ in expected[:6]] and len(expected) == 29
    assert explorer.view.chosen == 4
    assert explorer.view.found["title"] == "Similar to the rabbit, 0:00-0:06, by score"


def test_tiles_can_be_sorted_by_what_is_odd_once_that_is_asked_for(explorer):
    assert explorer.view.measures == {}
    ask(explorer, measure=True)
    scores = outlier_scores(MATRIX, explorer.clusters.to_numpy())
    for name, column in (("medoid", "medoid_distance"), ("oddness", "lof")):
        assert np.allclose(numbers(explorer.view.measures[name], "<f4"), scores[column])
    explorer.controls.k.value = 4
    assert explorer.view.measures == {}, "they were those of other clusters"


def test_examples_of_what_is_wanted_and_not_find_more(explorer):
    ask(explorer, like=[])
    assert explorer.view.status.startswith("An example is a segment")
    ask(explorer, unlike=[1])
    assert explorer.view.status.startswith("That is what you do not want") and explorer.view.hits == []
    ask(explorer, like=[0, 3, 99])
    scores = example_scores(MATRIX, [0, 3], [1])
    others = [i for i in range(30) if i not in (0, 1, 3)]
    expected = sorted(others, key=lambda i: -scores[i])
    assert [item["row"] for item in explorer.view.found["items"]] == expected
    assert (
        explorer.view.status == "Like 2 of your examples, not like 1: the 6 nearest of 27 segments light up."
    )
    ask(explorer, unlike=[3])
    assert explorer.view.examples == {"like": [0], "unlike": [1, 3]}, "an example is one thing or the other"
    ask(explorer, clear=True)
    assert (explorer.view.examples, explorer.view.hits, explorer.view.found) == ({}, [], {})
    assert explorer.view.status == "30 segments in 3 clusters."


@pytest.mark.slow
def test_what_is_similar_to_the_clicked_point_can_be_made_less_like_another(explorer):
    explorer.view.set_state({"chosen": 4})
    ask(explorer, similar=True)
    ask(explorer, unlike=[7])
    assert explorer.view.examples == {"like": [4], "unlike": [7]}
    assert explorer.view.found["title"] == "Like 1 of your examples, not like 1, by score"


def test_rocchio_takes_the_mean_of_what_is_not_wanted_from_that_of_what_is():
    a, b, c = np.eye(3, dtype=np.float32)
    scores = example_scores(np.stack([a, b, c]), [0, 1], [2])
    query = 0.75 * (a + b) / 2 - 0.25 * c
    assert scores == pytest.approx(query / np.linalg.norm(query))
    assert example_scores(np.stack([a, b]), [0]) == pytest.approx([1, 0])


@pytest.mark.parametrize(("n", "lit"), [(1, 3), (15, 3), (20, 4), (153, 30), (10_000, 2000)])
def test_no_more_than_a_fifth_of_the_segments_lights_up(n, lit):
    assert most_lit(n) == lit


@pytest.mark.parametrize(("n", "k"), [(1, 2), (4, 2), (15, 3), (40, 4), (153, 8), (10_000, 8)])
def test_the_number_of_clusters_to_begin_with_follows_from_that_of_the_segments(n, k):
    assert default_k(n) == k
    if n == 15:
        assert cluster_explorer(CLIPS.head(n)).controls.k.value == k


def test_opened_again_it_begins_with_the_clusters_that_were_named(explorer, tmp_path):
    labels = tmp_path / "labels.parquet"

    def begun(clips=CLIPS, k=None):
        return cluster_explorer(clips, labels=labels, k=k).controls.k.value

    explorer.controls.tag.value = "only a tag"
    explorer.view.set_state({"picked": [1, 2]})
    explorer.controls.add_tag.click()
    assert begun() == default_k(len(CLIPS)) == 4  # no cluster was named on the three that are shown
    explorer.view.set_state({"focus": 1})
    explorer.controls.name.value = "the second"
    explorer.controls.rename.click()
    assert begun() == 3
    explorer.controls.target.value = NEW
    explorer.controls.move.click()  # one by hand stands beside those that are found
    assert begun() == 3 and begun(k=5) == 5
    assert begun(CLIPS.head(2)) == 2


@pytest.mark.slow
def test_the_best_hit_that_is_seen_is_chosen(explorer):
    explorer.controls.video.value = "film-1"
    explorer.controls.words.value = "anything"
    explorer.controls.find.click()
    assert explorer.view.chosen == 10 and explorer.view.tiles["of"] == 10


def test_what_is_said_speaks_of_what_is_on_screen():
    gap = CLIPS.assign(embedding_description=[None, *CLIPS["embedding_description"][1:]])
    explorer = cluster_explorer(gap, k=3)
    explorer.controls.option.value = "description"
    said = "1 of 30 segments have no description vector: choose “fused” under vectors."
    assert explorer.view.status == said
    few = cluster_explorer(CLIPS.head(4), k=2)
    few.controls.least.value = 5
    few.controls.method.value = "hdbscan"
    assert "fewer than the 5 of “at least”" in few.view.status
    assert on_screen("There is nothing to undo.") == "There is nothing to undo."


def test_the_selection_is_a_table_for_the_next_cell(explorer):
    assert explorer.selection.empty and set(explorer.selection) == set(CLIPS)
    explorer.view.set_state({"picked": [3, 29]})
    assert explorer.selection["segment_id"].tolist() == ["s03", "s29"]
    assert explorer.selection["cluster"].tolist() == explorer.clusters[["s03", "s29"]].tolist()
    assert (CLIPS["cluster"] == -1).all(), "the table given stays as it was"


@pytest.mark.slow
def test_words_light_up_their_hits(tmp_path):
    asked = []

    def search(words):
        asked.append(words)
        if words == "wrong":
            raise SearchError("The query is of <another> model: embed it again.")
        return pd.DataFrame({"segment_id": ["s07", "far", "s02"], "score": [0.5, 0.4, 0.3]})

    explorer = cluster_explorer(CLIPS, search=search, k=3)
    explorer.controls.words.value = " cats "
    explorer.controls.find.click()
    assert asked == ["cats"] and explorer.view.hits == [7, 2]
    assert explorer.view.status == "Hits for 'cats': 2 of 30 segments light up, 1 not on this map."
    assert [item["row"] for item in explorer.view.found["items"]] == [7, 2]
    explorer.controls.words._handle_custom_msg({"event": "submit"}, [])
    assert asked == ["cats"] * 2, "the Enter key asks once"
    explorer.controls.words.value = "wrong"
    explorer.controls.find.click()
    assert explorer.view.status == "The query is of <another> model: embed it again."
    explorer.controls.words.value = ""
    explorer.controls.find.click()
    assert explorer.view.hits == [] and asked[-1] == "wrong"
    assert explorer.view.status == "There are no words to look for: type some first."
    explorer.view.set_state({"picked": [1]})
    assert explorer.view.status == "30 segments in 3 clusters.", "the next click is of something else"


def test_an_error_that_nobody_foresaw_is_not_swallowed(caplog):
    explorer = cluster_explorer(CLIPS, search=lambda words: 1 / 0, k=3)
    explorer.controls.words.value = "cat"
    explorer.controls.find.click()
    assert "division by zero" in caplog.text
    assert "unexpected" in explorer.view.status


def test_a_resting_mouse_gets_a_still(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer.view, "send", lambda content, **_: sent.append(content))
    for message in ({"still": 0}, {"still": 29}, {"still": 30}, {"still": -1}, {"still": "x"}, {}):
        explorer.view._handle_custom_msg(message, [])
    assert [content["still"] for content in sent] == [0, 29]
    assert sent[0]["image"].startswith("data:image/jpeg") and sent[0]["words"] == "words 0"
    assert sent[1]["image"] == "", "a film that has moved: the point is there, without a picture"


# ---------------------------------------------------------------- the widget: words


@pytest.mark.slow
def test_a_name_is_written_and_follows_its_cluster(explorer, tmp_path):
    path = tmp_path / "labels.parquet"
    assert explorer.controls.rename.disabled and not path.exists(), "looking alone writes nothing"
    explorer.view.set_state({"chosen": 4})
    cluster = explorer.clusters["s04"]
    assert explorer.controls.rename.description == f"Name cluster {cluster}"
    explorer.controls.name.value = HOSTILE
    explorer.controls.rename.click()
    members = set(explorer.clusters[explorer.clusters == cluster].index)
    stored = read_labels(path)
    assert set(stored["segment_id"][stored["name"] == HOSTILE]) == members
    assert str(path) in explorer.view.status
    assert {g["cluster"]: g["name"] for g in explorer.view.groups}[cluster] == HOSTILE

    again = cluster_explorer(CLIPS.sample(frac=1, random_state=1), labels=path, k=3)
    named = [g["cluster"] for g in again.view.groups if g["name"] == HOSTILE]
    assert set(again.clusters[again.clusters.isin(named)].index) == members


@pytest.mark.slow
def test_trying_another_k_and_coming_back_loses_no_name(explorer, tmp_path):
    for cluster in range(3):
        explorer.view.set_state({"focus": cluster})
        explorer.controls.name.value = f"group {cluster}"
        explorer.controls.rename.click()
    written = (tmp_path / "labels.parquet").read_bytes()
    explorer.controls.k.value = 2
    assert len([g for g in explorer.view.groups if g["name"]]) == 2
    lost = next(f"group {n}" for n in range(3) if f"group {n}" not in str(explorer.view.groups))
    assert f"No cluster is left for {lost}: its segments are tagged “was {lost}”" in explorer.view.status
    explorer.controls.k.value = 3
    assert [g["name"] for g in explorer.view.groups] == ["group 0", "group 1", "group 2"]
    assert (tmp_path / "labels.parquet").read_bytes() == written
    assert (explorer.labels["tags"] == "").all()


def name(explorer, cluster, words):
    explorer.view.set_state({"focus": cluster})
    explorer.controls.name.value = words
    explorer.controls.rename.click()


def names_by_segment(labels):
    return labels[labels["name"] != ""].set_index("segment_id")["name"].to_dict()


@pytest.mark.slow
def test_words_that_came_to_the_file_meanwhile_stay_there(tmp_path):
    path = tmp_path / "labels.parquet"
    one, two = (cluster_explorer(CLIPS, labels=path, k=3) for _ in range(2))
    name(one, 0, "of one")
    words = annotate_segment(read_labels(path), "s05", "look again")
    write_labels(path, tag_segments(words, ["s06", "elsewhere"], "of a cell"))
    name(two, 1, "of two")
    assert [g["name"] for g in two.view.groups] == ["of one", "of two", ""]
    one.view.set_state({"picked": [7]})
    one.controls.tag.value = "seen"
    one.controls.add_tag.click()
    assert [g["name"] for g in one.view.groups] == ["of one", "of two", ""]
    stored = read_labels(path).set_index("segment_id")
    names = one.clusters.map({0: "of one", 1: "of two", 2: ""})
    assert stored["name"].to_dict() == {**names, "elsewhere": ""}
    assert stored["note"]["s05"] == "look again"
    tags = {"s06": "of a cell", "elsewhere": "of a cell", "s07": "seen"}
    assert stored["tags"][stored["tags"] != ""].to_dict() == tags


@pytest.mark.slow
def test_a_file_of_labels_that_was_damaged_meanwhile_is_left(explorer, tmp_path):
    path = tmp_path / "labels.parquet"
    path.write_bytes(b"no parquet")
    name(explorer, 0, "cats")
    assert "cannot be read" in explorer.view.status and path.read_bytes() == b"no parquet"
    path.unlink()
    name(explorer, 0, "cats")
    path.unlink()
    name(explorer, 1, "dogs")
    assert set(read_labels(path)["name"]) == {"cats", "dogs", ""}, "a file that is gone is written again"


@pytest.mark.slow
def test_a_tag_does_not_keep_the_clusters_that_are_only_tried(tmp_path):
    path = tmp_path / "labels.parquet"
    explorer = cluster_explorer(CLIPS, labels=path, k=8)
    for cluster in range(8):
        name(explorer, cluster, f"N{cluster}")
    before = read_labels(path)
    explorer.controls.k.value = 5
    explorer.view.set_state({"picked": [4]})
    explorer.controls.tag.value = "to check"
    explorer.controls.add_tag.click()
    pd.testing.assert_frame_equal(read_labels(path), tag_segments(before, ["s04"], "to check"))
    assert len([g for g in explorer.view.groups if g["name"]]) == 5
    explorer.controls.k.value = 8
    assert [g["name"] for g in explorer.view.groups] == [f"N{n}" for n in range(8)]
    assert explorer.labels["tags"].loc[lambda tags: tags != ""].tolist() == ["to check"]


@pytest.mark.slow
def test_a_name_keeps_the_clusters_and_says_which_names_found_none(tmp_path):
    path = tmp_path / "labels.parquet"
    explorer = cluster_explorer(CLIPS, labels=path, k=8)
    for cluster in range(8):
        name(explorer, cluster, f"N{cluster}")
    before = names_by_segment(explorer.labels)
    explorer.controls.k.value = 5
    lost = {f"N{n}" for n in range(8)} - {g["name"] for g in explorer.view.groups}
    assert len(lost) == 3
    name(explorer, 4, "new")
    stored = read_labels(path)
    assert set(stored["name"]).isdisjoint(lost) and "new" in set(stored["name"])
    was = {tag for tags in stored["tags"] for tag in split_tags(tags)}
    assert was == {f"was {words}" for words in lost}
    assert all(f"“was {words}”" in explorer.view.status for words in lost)
    explorer.controls.k.value = 8
    after = names_by_segment(explorer.labels)
    back = {words for words in lost if words in after.values()}
    assert back, "a name comes back with its cluster"
    for words in back:
        assert {k for k, v in after.items() if v == words} == {k for k, v in before.items() if v == words}


def test_a_name_that_cannot_be_is_said(explorer):
    explorer.controls.rename.click()
    assert explorer.view.status.startswith("No cluster is chosen")
    for cluster in (0, 1):
        explorer.view.set_state({"focus": cluster})
        explorer.controls.name.value = "twins"
        explorer.controls.rename.click()
    assert explorer.view.status == "The name 'twins' is that of cluster 0: use another name."


def test_noise_takes_no_name(explorer):
    explorer.controls.method.value = "hdbscan"
    explorer.view.set_state({"focus": -1})
    assert explorer.controls.rename.disabled


def tag(explorer, rows, words, *, button="add_tag"):
    explorer.view.set_state({"picked": rows})
    explorer.controls.tag.value = words
    getattr(explorer.controls, button).click()


def tags_in(path):
    stored = read_labels(path).set_index("segment_id")["tags"]
    return stored[stored != ""].to_dict()


def test_a_tag_goes_to_the_selection_and_leaves_it_the_same_way(explorer, tmp_path):
    path = tmp_path / "labels.parquet"
    tag(explorer, [], "to check")
    assert explorer.view.status.startswith("A tag needs words and a selection")
    tag(explorer, [1, 2], "to check")
    assert tags_in(path) == {"s01": "to check", "s02": "to check"}
    assert explorer.controls.tag.value == "", "the line is empty after use"
    assert explorer.view.words == {row: {"tags": ["to check"], "note": ""} for row in "12"}
    assert explorer.controls.tag.options == ("to check",)
    tag(explorer, [2, 3], "to check", button="drop_tag")
    assert tags_in(path) == {"s01": "to check"} and explorer.view.status.startswith("1 segment has")
    explorer.view.set_state({"picked": [1]})
    ask(explorer, untag="to check")
    assert tags_in(path) == {} and explorer.view.words == {}
    tag(explorer, [1], "never given", button="drop_tag")
    assert explorer.view.status.startswith("No segment of the selection has the tag")


@pytest.mark.slow
def test_without_a_selection_a_tag_goes_to_the_clicked_point(explorer, tmp_path):
    explorer.view.set_state({"chosen": 4})
    tag(explorer, [], "this one")
    assert tags_in(tmp_path / "labels.parquet") == {"s04": "this one"}


@pytest.mark.slow
def test_a_note_belongs_to_the_clicked_point(explorer, tmp_path):
    assert explorer.controls.keep_note.disabled
    explorer.view.set_state({"chosen": 4})
    explorer.controls.note.value = " look again "
    explorer.controls.keep_note.click()
    stored = read_labels(tmp_path / "labels.parquet").set_index("segment_id")["note"]
    assert stored["s04"] == "look again" and (stored != "").sum() == 1
    assert explorer.view.words == {"4": {"tags": [], "note": "look again"}}
    explorer.view.set_state({"chosen": 5})
    assert explorer.controls.note.value == ""
    explorer.view.set_state({"chosen": 4})
    assert explorer.controls.note.value == "look again"


@pytest.mark.slow
def test_names_tags_and_notes_are_undone_and_done_again(explorer, tmp_path):
    path = tmp_path / "labels.parquet"
    ask(explorer, undo=True)
    assert explorer.view.status.startswith("There is nothing to undo")
    name(explorer, 0, "cats")
    tag(explorer, [1, 2], "to check")
    write_labels(path, tag_segments(read_labels(path), ["s01", "s09"], "of a cell"))
    explorer.controls.undo.click()
    assert explorer.view.status == "Undone: the tag 'to check'."
    assert tags_in(path) == {"s01": "to check; of a cell", "s09": "of a cell"}, "what changed meanwhile stays"
    ask(explorer, undo=True)
    assert explorer.view.status == "Undone: the name 'cats'."
    assert {g["name"] for g in explorer.view.groups} == {""} and set(read_labels(path)["name"]) == {""}
    ask(explorer, redo=True)
    assert explorer.view.groups[0]["name"] == "cats"
    explorer.controls.redo.click()
    assert tags_in(path)["s02"] == "to check"
    explorer.controls.redo.click()
    assert explorer.view.status.startswith("There is nothing to do again")


def move(explorer, rows, to):
    explorer.view.set_state({"picked": rows})
    explorer.controls.target.value = to
    explorer.controls.move.click()


def members(explorer, cluster):
    return np.flatnonzero(explorer.clusters == cluster).tolist()


@pytest.mark.slow
def test_a_selection_moves_to_another_cluster_and_stays_with_it(explorer, tmp_path):
    path = tmp_path / "labels.parquet"
    for cluster, words in ((0, "cats"), (1, "dogs")):
        name(explorer, cluster, words)
    cats, dogs = members(explorer, 0), members(explorer, 1)
    move(explorer, cats[:7], 1)
    assert explorer.view.status == f"7 segments moved to cluster 1, kept in {path}."
    assert members(explorer, 0) == cats[7:] and members(explorer, 1) == sorted(dogs + cats[:7])
    assert numbers(explorer.view.labels, "<i4").tolist() == explorer.clusters.tolist()
    assert [g["name"] for g in explorer.view.groups] == ["cats", "dogs", ""], "a name stays where it was"
    stored = read_labels(path).set_index("segment_id")
    assert (stored["name"] == "dogs").sum() == len(dogs) + 7 and stored["cluster"][f"s{cats[0]:02d}"] == 1
    assert explorer.view.words[str(cats[0])] == {"tags": [], "note": "", "moved": True}
    explorer.controls.k.value = 6
    assert len({explorer.clusters.iloc[row] for row in cats[:7]}) == 1, "they stay together"
    explorer.controls.k.value = 3
    assert members(explorer, 1) == sorted(dogs + cats[:7])
    again = cluster_explorer(CLIPS, labels=path, k=3)
    assert again.clusters.equals(explorer.clusters), "and in the next session"


def test_a_move_goes_to_a_new_cluster_unless_another_is_chosen(explorer):
    explorer.view.set_state({"picked": members(explorer, 0)[:6]})
    explorer.controls.move.click()
    assert explorer.view.status.startswith("6 segments moved into a new cluster")
    assert len(members(explorer, 3)) == 6


def test_after_a_move_a_name_is_for_where_the_segments_are_now(explorer):
    cats, dogs = members(explorer, 0), members(explorer, 1)
    explorer.view.set_state({"chosen": dogs[0]})
    explorer.controls.name.value = "dogs"
    explorer.controls.rename.click()
    explorer.view.set_state({"picked": cats[:6]})
    explorer.controls.move.click()
    assert explorer.controls.name.placeholder == "a name for cluster 3"
    for words in ("kittens", "young cats"):
        explorer.controls.name.value = words
        explorer.controls.rename.click()
    assert [g["name"] for g in explorer.view.groups] == ["", "dogs", "", "young cats"]
    assert explorer.view.status.startswith("Cluster 3 is called 'young cats' instead of 'kittens'")
    for _ in range(3):
        explorer.controls.undo.click()
    assert explorer.view.focus is None and explorer.controls.name.value == "dogs"


@pytest.mark.slow
def test_a_move_to_a_new_cluster_is_undone_and_done_again(explorer):
    name(explorer, 0, "cats")
    cats = members(explorer, 0)
    move(explorer, cats[:6], -2)
    assert explorer.view.status.startswith("6 segments moved into a new cluster")
    assert members(explorer, 3) == cats[:6] and explorer.view.groups[0]["name"] == "cats"
    assert ("cluster 3", 3) in explorer.controls.target.options
    name(explorer, 3, "kittens")
    explorer.controls.k.value = 5
    kittens = [g["cluster"] for g in explorer.view.groups if g["name"] == "kittens"]
    assert kittens == [5] and members(explorer, 5) == cats[:6]
    assert explorer.view.status == "30 segments in 6 clusters (1 of them made by moves)."
    explorer.controls.k.value = 3
    ask(explorer, undo=True), ask(explorer, undo=True)
    assert explorer.view.status == "Undone: the move into a new cluster."
    assert members(explorer, 0) == cats and members(explorer, 3) == []
    ask(explorer, redo=True)
    assert members(explorer, 3) == cats[:6]
    move(explorer, cats[:2], -3)
    assert members(explorer, 3) == cats[2:6] and members(explorer, 0) == sorted([*cats[:2], *cats[6:]])


@pytest.mark.slow
def test_a_cluster_that_is_moved_away_leaves_its_name_as_a_tag(explorer):
    name(explorer, 0, "cats"), name(explorer, 1, "dogs")
    cats = members(explorer, 0)
    move(explorer, cats, 1)
    assert "No cluster is left for cats: its segments are tagged “was cats”" in explorer.view.status
    assert [(g["cluster"], g["name"]) for g in explorer.view.groups] == [(1, "dogs"), (2, "")]
    assert explorer.view.words[str(cats[0])]["tags"] == ["was cats"]


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 15, 40, 153])
def test_hdbscan_as_it_is_offered_finds_clusters_among_few_segments_too(n):
    explorer = cluster_explorer(segments(n), k=3)
    explorer.controls.method.value = "hdbscan"
    assert explorer.clusters.max() >= 1 and (explorer.clusters == -1).mean() < 0.5


@pytest.mark.slow
def test_a_carried_name_says_how_far_it_fits(explorer):
    name(explorer, 0, "cats"), name(explorer, 1, "dogs")
    cats = members(explorer, 0)
    assert all("fit" not in group for group in explorer.view.groups)
    explorer.controls.k.value = 6
    group = next(g for g in explorer.view.groups if g["name"] == "cats")
    here = members(explorer, group["cluster"])
    both = len(set(cats) & set(here))
    assert both == len(here) < len(cats)
    assert group["fit"] == f"has {both} of the {len(cats)} you named"
    assert group["kept"] == f"{both} of {len(cats)}"
    explorer.controls.k.value = 2
    fits = [g.get("fit", "") for g in explorer.view.groups]
    joined = "has the 10 you named, and 10 you did not"
    assert sorted(fits) == ["", joined], "a cluster that was not named has joined one that was"
    explorer.controls.k.value = 3
    assert all("fit" not in group for group in explorer.view.groups)


@pytest.mark.slow
def test_a_cluster_without_a_name_has_suggested_words():
    told = CLIPS.assign(description=[["a cat", "a dog", None][i % 3] for i in range(30)])
    explorer = cluster_explorer(told, k=3)
    words = {g["cluster"]: g.get("suggested") for g in explorer.view.groups}
    assert {words[explorer.clusters.iloc[row]] for row in (0, 1, 2)} == {"cat", "dog", None}
    name(explorer, explorer.clusters.iloc[0], "felines")
    assert "cat" not in {g.get("suggested") for g in explorer.view.groups}, "a given name stands alone"
    assert (explorer.labels["name"] != "").sum() == 10, "a suggestion is no name"
    few = cluster_explorer(told.assign(description=["a cat", *[""] * 29]), k=3)
    assert all("suggested" not in group for group in few.view.groups), "one does not speak for ten"
    silent = cluster_explorer(CLIPS.drop(columns="description"), k=3)
    assert all("suggested" not in group for group in silent.view.groups)


@pytest.mark.slow
def test_what_another_notebook_wrote_is_there_after_the_next_click(tmp_path):
    path = tmp_path / "labels.parquet"
    one, two = (cluster_explorer(CLIPS, labels=path, k=3) for _ in range(2))
    name(one, 0, "cats"), tag(one, [3], "seen")
    move(one, members(one, 0)[:2], 1)
    two.view.set_state({"chosen": 5})
    assert two.clusters.equals(one.clusters) and two.view.groups == one.view.groups
    assert two.view.words == one.view.words and "seen" in two.controls.tag.options
    tag(two, [4], "too")
    one.controls.k.value = 4
    assert one.view.words["4"]["tags"] == ["too"]


# ---------------------------------------------------------------- the widget: colours and filters


def test_a_column_gives_the_colours_and_its_entries_hide(explorer):
    assert explorer.controls.colour.options[:3] == ("cluster", "tag", "time in film")
    explorer.controls.colour.value = "title"
    assert [entry["name"] for entry in explorer.view.legend] == sorted(set(CLIPS["title"]))
    codes = numbers(explorer.view.codes, "<i4")
    names = [explorer.view.legend[code]["name"] for code in codes]
    assert names == CLIPS["title"].tolist()
    explorer.view.set_state({"hidden": {"title": ["the rabbit"]}})
    assert numbers(explorer.view.shown, np.uint8).tolist() == [0] * 10 + [1] * 20
    explorer.controls.colour.value = "cluster"
    assert not numbers(explorer.view.shown, np.uint8)[:10].any(), "a filter stays when the colours change"
    explorer.view.set_state({"hidden": {"title": ["the rabbit"], "cluster": ["0"]}})
    clusters = explorer.clusters.to_numpy()
    assert numbers(explorer.view.shown, np.uint8).tolist() == [
        int(i >= 10 and clusters[i] != 0) for i in range(30)
    ]
    explorer.controls.k.value = 4
    assert explorer.view.hidden == {"title": ["the rabbit"]}, "the clusters that were hidden are gone"
    explorer.view.set_state({"hidden": {}})
    assert numbers(explorer.view.shown, np.uint8).all()


def test_a_range_of_numbers_hides_the_rest(explorer):
    assert list(explorer.view.numbers) == ["time in film"]
    explorer.view.set_state({"ranges": {"time in film": [0, 5], "gone": [1, 2]}})
    assert numbers(explorer.view.shown, np.uint8).tolist() == (CLIPS["start_offset_sec"] <= 5).tolist()
    explorer.view.set_state({"ranges": {}})
    assert numbers(explorer.view.shown, np.uint8).all()


def test_no_two_files_of_the_page_give_one_name_to_two_things():
    """They are joined into one script, in which each name of a file's top level must be the only one."""
    names = [
        name
        for module in MODULES
        for name in re.findall(
            r"^(?:export )?(?:const|let|function) (\w+)",
            Path(state.__file__).with_name(f"{module}.js").read_text("utf-8"),
            re.MULTILINE,
        )
    ]
    assert len(names) > 60 and sorted(set(names)) == sorted(names)


@pytest.mark.slow
def test_tags_give_colours_as_soon_as_they_are_given(explorer):
    explorer.controls.colour.value = "tag"
    assert [entry["name"] for entry in explorer.view.legend] == ["none"]
    tag(explorer, [1, 2], "seen")
    assert [entry["name"] for entry in explorer.view.legend] == ["seen", "none"]
    assert np.flatnonzero(numbers(explorer.view.codes, "<i4") == 0).tolist() == [1, 2]


@pytest.mark.slow
def test_another_map_leaves_the_clusters(explorer):
    before = explorer.clusters
    explorer.controls.map.value = "tsne"
    points = numbers(explorer.view.points, "<f4").reshape(30, 4)
    assert np.array_equal(points[:, :2], map_points(MATRIX, method="tsne").to_numpy().astype("<f4"))
    assert explorer.clusters.equals(before)


def test_without_a_path_words_last_as_long_as_the_widget():
    explorer = cluster_explorer(CLIPS, k=3)
    explorer.view.set_state({"focus": 0})
    explorer.controls.name.value = "cats"
    explorer.controls.rename.click()
    assert explorer.view.status.endswith("(not in a file: it lasts as long as this explorer).")
    assert (explorer.labels["name"] == "cats").sum() == (explorer.clusters == 0).sum()


def test_export_says_where_and_refuses_nothing_selected(explorer, tmp_path):
    explorer.view.set_state({"chosen": 4})
    explorer.controls.export.click()
    said = explorer.view.status
    assert said.startswith("Nothing is selected: draw") and not (tmp_path / "out").exists()
    before = explorer.clusters
    explorer.controls.move.click()
    assert explorer.view.status == said and explorer.clusters.equals(before), (
        "a clicked point is not selected"
    )
    explorer.view.set_state({"picked": [5, 3]})
    for name in ("selection.csv", "selection-2.csv"):
        explorer.controls.export.click()
        assert explorer.view.status == f"2 segments are in {tmp_path / 'out' / name}."
    table = pd.read_csv(tmp_path / "out" / "selection.csv")
    assert table["segment_id"].tolist() == ["s05", "s03"]


# ---------------------------------------------------------------- in a committed notebook


def test_the_explorer_leaves_one_sentence_in_a_committed_notebook(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEO_SEARCH_PROGRESS", "plain")
    explorer = cluster_explorer(CLIPS, k=3)
    assert explorer._repr_mimebundle_() == {"text/plain": repr(explorer)}
    assert repr(explorer) == repr(cluster_explorer(CLIPS, k=4)) and 20 < len(repr(explorer)) <= 110
    assert len(explorer.clusters) == 30, "the next cell has its clusters"
    start_server(tmp_path, root=ROOT)
    assert VIEW in explorer._repr_mimebundle_(), "somebody is looking"
