"""Clusters, maps, words, outliers and shares: right on made blobs, sensible on the samples, clear when refused."""

import itertools
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.analysis import clusters as analysis
from helpers.analysis import matrix as analysis_matrix
from helpers.analysis import outliers as analysis_outliers
from helpers.analysis import reduced
from helpers.analysis import trends as analysis_trends
from helpers.analysis import words as analysis_words
from helpers.embed.client import connect_twelvelabs
from helpers.embed.embedding import embed_videos
from helpers.errors import AnalysisError
from helpers.search.evaluation import HIT_COLUMNS
from helpers.segments import COLUMNS, Query
from helpers.settings import load_settings
from helpers.videos.samples import sample_videos

FEW = settings(max_examples=15)
BUNNY = "Big Buck Bunny"


def make_segments(vectors, *, videos="v", seconds=6.0, option="visual", **columns):
    """One clip per vector, one after the other; `videos` is one letter per clip, or one for all."""
    names = list(videos) if len(videos) > 1 else [videos] * len(vectors)
    rows, clock = [], {}
    for i, (vector, name) in enumerate(zip(vectors, names, strict=True)):
        start = clock.get(name, 0.0)
        clock[name] = start + seconds
        row = dict.fromkeys(COLUMNS, "") | {"model": "toy", "embedding_scope": "clip", "cluster": -1}
        row |= {
            "segment_id": f"s{i:03}",
            "video_id": name,
            "title": f"Film {name}",
            "video_url": f"{name}.mp4",
        }
        row |= {"start_offset_sec": start, "end_offset_sec": start + seconds}
        rows.append(row | {f"embedding_{option}": None if vector is None else np.asarray(vector, np.float32)})
    table = pd.DataFrame(rows)
    return table.assign(**columns)


def blobs(*sizes, dim=8, spread=0.02, seed=0):
    """Unit rows around one axis per size, and the true cluster of each."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = np.eye(dim)[truth] + rng.normal(scale=spread, size=(len(truth), dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def at(*degrees):
    """Unit vectors in a plane at these angles: the cosine of two is that of the angle between them."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    segments = embed_videos(connect_twelvelabs(load_settings()), sample_videos())
    return segments[segments["embedding_scope"] == "clip"].reset_index(drop=True)


# ---------------------------------------------------------------- the matrix


def test_rows_of_a_matrix_are_the_vectors_at_length_one_in_the_order_of_the_table():
    segments = make_segments([[3.0, 4.0], [0.0, -2.0]]).iloc[::-1]
    matrix = analysis_matrix.cluster_matrix(segments)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, [[0, -1], [0.6, 0.8]], atol=1e-6)


def test_fused_puts_the_options_side_by_side_with_zeros_for_what_is_missing():
    segments = make_segments([[2.0, 0.0], [0.0, 1.0], None])
    segments["embedding_audio"] = [np.array([5.0, 0, 0]), None, np.array([0, 1.0, 0])]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        analysis_matrix.cluster_matrix(segments, option="fused"),
        [[half, 0, half, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]],
        atol=1e-6,
    )


def test_centring_takes_away_what_the_clips_of_a_video_have_in_common():
    segments = make_segments(at(10, 30, 100, 120, 200), videos="aabbc")
    matrix = analysis_matrix.cluster_matrix(segments, centre=True)
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), [1, 1, 1, 1, 0], atol=1e-6)  # c has one clip
    np.testing.assert_allclose(matrix[0], -matrix[1], atol=1e-5)
    np.testing.assert_allclose(matrix[2], -matrix[3], atol=1e-5)


def test_centring_minds_no_option_that_a_segment_lacks():
    segments = make_segments([*at(10, 30), None])
    segments["embedding_audio"] = [None, *(np.append(row, 0) for row in at(0, 90))]
    matrix = analysis_matrix.cluster_matrix(segments, option="fused", centre=True)
    assert not matrix[0, 2:].any() and not matrix[2, :2].any()


@pytest.mark.parametrize(
    ("change", "option", "words"),
    [
        (lambda s: s.head(0), "visual", "There are no segments to analyse"),
        (lambda s: s, "smell", "no option 'smell': choose from visual, fused"),
        (lambda s: s.drop(columns="embedding_visual"), "fused", "no option 'fused'"),
        (
            lambda s: s.assign(embedding_visual=[*s["embedding_visual"][:2], None]),
            "visual",
            "1 of 3 segments",
        ),
        (lambda s: s.assign(embedding_visual=[None] * 3), "visual", "3 of 3 segments have no visual vector"),
        (lambda s: s.assign(model=["toy", "toy", "other"]), "visual", "vectors of 2 models, other and toy"),
    ],
)
def test_a_matrix_that_cannot_be_made_is_refused_in_one_sentence(change, option, words):
    with pytest.raises(AnalysisError, match=words) as caught:
        analysis_matrix.cluster_matrix(change(make_segments(at(1, 2, 3))), option=option)
    assert str(caught.value).count(". ") == 0 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([1.0, np.nan], "s001 holds NaN"),
        ([np.inf, 1.0], "s001 holds NaN or an infinite"),
        ([0.0, 0.0], "s001 is all zeros"),
        ([1.0, 0.0, 0.0], "differ in length"),
    ],
)
@pytest.mark.parametrize("option", ["visual", "fused"])
def test_a_damaged_vector_is_named(bad, words, option):
    with pytest.raises(AnalysisError, match=words):
        analysis_matrix.cluster_matrix(make_segments([[1.0, 0.0], bad, [0.0, 1.0]]), option=option)


# ---------------------------------------------------------------- clusters


@pytest.mark.slow
@FEW
@given(st.permutations([3, 5, 8, 13]), st.integers(0, 2**31 - 1))
def test_kmeans_finds_blobs_and_numbers_them_by_size_whatever_the_seed(sizes, seed):
    matrix, truth = blobs(*sizes)
    place = {size: i for i, size in enumerate(sorted(sizes, reverse=True))}
    expected = [place[sizes[t]] for t in truth]
    assert analysis.kmeans_clusters(matrix, 4, seed=seed).tolist() == expected


@pytest.mark.slow
@FEW
@given(hnp.arrays(np.float32, (12, 3), elements=st.floats(-1, 1, width=32)), st.integers(2, 6))
def test_numbers_go_from_large_to_small_and_equal_sizes_by_their_first_row(rows, k):
    with warnings.catch_warnings(record=True, action="always") as said:
        labels = analysis.kmeans_clusters(rows, k)
    sizes = np.bincount(labels)
    assert len(sizes) == k or "different vectors" in str(said[0].message) or "equal" in str(said[0].message)
    k = len(sizes)
    first = [int(np.argmax(labels == n)) for n in range(k)]
    assert all(sizes[a] > sizes[a + 1] or first[a] < first[a + 1] for a in range(k - 1) if sizes[a + 1])
    assert (np.diff(sizes) <= 0).all()


def test_clusters_of_one_size_stand_in_the_order_of_their_rows():
    matrix, truth = blobs(4, 4, 4)
    for seed in range(5):
        assert analysis.kmeans_clusters(matrix, 3, seed=seed).tolist() == truth.tolist()


def test_hdbscan_keeps_noise_and_numbers_like_kmeans():
    near, _ = blobs(26, dim=64)
    near[:6, 1] += 0.5
    lonely = np.eye(64, dtype=np.float32)[40:43]
    labels = analysis.hdbscan_clusters(np.vstack([near, lonely]))
    assert labels.tolist() == [1] * 6 + [0] * 20 + [-1] * 3


@pytest.mark.slow
def test_choose_k_sees_how_many_blobs_there_are_and_inertia_falls():
    matrix, _ = blobs(10, 10, 10, 10)
    choices = analysis.choose_k(matrix, range(2, 9))
    assert list(choices) == ["k", "inertia", "silhouette"]
    assert choices.loc[choices["silhouette"].idxmax(), "k"] == 4
    assert (choices["inertia"].diff().dropna() < 0).all()
    pd.testing.assert_frame_equal(choices, analysis.choose_k(matrix, range(2, 9)))


def test_choose_k_goes_no_further_than_there_are_different_segments():
    choices = analysis.choose_k(np.vstack([at(0, 50, 100, 150), at(0)]))
    assert choices["k"].tolist() == [2, 3, 4]
    assert choices["silhouette"].notna().all()  # two equal rows are one cluster of two
    choices = analysis.choose_k(at(0, 50, 100, 150))
    assert choices["silhouette"].isna().tolist() == [False, False, True]
    with pytest.warns(UserWarning, match="4 different segments, fewer than the 5 clusters asked for"):
        assert analysis.choose_k(at(0, 50, 100, 150), [7, 5])["k"].tolist() == [1]


@pytest.mark.slow
def test_of_many_rows_the_silhouette_is_that_of_a_sample_and_the_same_each_time():
    matrix, blob = blobs(1500, 1500)
    first = analysis.choose_k(matrix, [2, 3])
    assert first["silhouette"].is_monotonic_decreasing and first["inertia"].is_monotonic_decreasing
    spread = sum(((matrix[blob == i] - matrix[blob == i].mean(axis=0)) ** 2).sum() for i in range(2))
    assert first["inertia"][0] == pytest.approx(spread, rel=1e-3)  # both blobs, each with its own centre
    pd.testing.assert_frame_equal(first, analysis.choose_k(matrix, [2, 3]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("doing", "work"),
    [
        ("k-means: +50%.* 1/2", lambda m: analysis.choose_k(m, [2, 3])),
        (
            "comparing segments: +67%.* 5.00k/7.50k",
            lambda m: analysis_outliers.near_duplicates(make_segments(m), m),
        ),
    ],
)
def test_long_work_shows_how_far_it_is(doing, work, monkeypatch, bars_at_once, capsys):
    matrix, _ = blobs(50, 50)
    monkeypatch.setattr(analysis_outliers, "MOST_COSINES", 5_000)  # of fifty rows
    work(matrix)
    assert re.search(doing, capsys.readouterr().err)


METHODS = {
    "kmeans": lambda m: analysis.kmeans_clusters(m, 2),
    "choose_k": lambda m: analysis.choose_k(m),
    "stability": lambda m: analysis.stability(m, 2),
    "hdbscan": lambda m: analysis.hdbscan_clusters(m, min_cluster_size=2),
    "pca": lambda m: analysis.map_points(m),
    "tsne": lambda m: analysis.map_points(m, method="tsne"),
    "outliers": lambda m: analysis_outliers.outlier_scores(m, np.zeros(len(m), dtype=int)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("n", "words"), [(9, "All 9 vectors are equal"), (1, "There is one segment")])
def test_what_cannot_be_told_apart_is_said_in_one_sentence_and_goes_on(n, words):
    matrix = np.ones((n, 4), np.float32) / 2
    for name, method in METHODS.items():
        with pytest.warns(UserWarning, match=words) as said:
            found = method(matrix)
        assert str(said[0].message).count(". ") == 0
        if name in ("kmeans", "hdbscan", "pca", "tsne"):
            assert len(found) == n and not np.any(found)
    assert analysis_outliers.outlier_scores(at(0, 0, 90), [0] * 3)["lof"].tolist() == [1.0] * 3


def test_fewer_clusters_than_asked_for_are_said():
    m = at(0, 40, 80, 120, 160)
    with pytest.warns(UserWarning, match="5 segments, fewer than the 7 clusters"):
        assert sorted(analysis.kmeans_clusters(m, 7)) == [0, 1, 2, 3, 4]
    with pytest.warns(UserWarning, match="5 different vectors, fewer than the 7"):
        assert sorted(analysis.kmeans_clusters(np.vstack([m, m]), 7)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    with pytest.warns(UserWarning, match="fewer than min_cluster_size=6"):
        assert analysis.hdbscan_clusters(m, min_cluster_size=6).tolist() == [-1] * 5


def test_the_least_size_of_a_cluster_follows_from_the_number_of_rows():
    pairs, _ = blobs(*[2] * 20, dim=64)
    assert analysis.hdbscan_clusters(pairs, min_cluster_size=5).tolist().count(-1) == 40
    assert len(set(analysis.hdbscan_clusters(pairs))) == 20
    sizes = {1: 2, 10: 2, 15: 2, 40: 2, 100: 5, 153: 5, 1000: 5, 10_000: 50}
    assert {n: analysis.least_cluster_size(n) for n in sizes} == sizes


@pytest.mark.skipif(analysis.has_umap(), reason="umap-learn is installed")
def test_a_map_by_umap_says_what_to_install():
    with pytest.raises(AnalysisError, match="run `pip install umap-learn`, or choose tsne"):
        analysis.map_points(blobs(5, 5)[0], method="umap")


@pytest.mark.nightly
@pytest.mark.filterwarnings("default")  # what numba has to say is not ours
def test_a_map_by_umap_where_it_is_installed():
    pytest.importorskip("umap")
    matrix, truth = blobs(30, 30)
    points = analysis.map_points(matrix, method="umap")
    assert points.equals(analysis.map_points(matrix, method="umap")), "the same each time"
    middles = points.groupby(truth).mean()
    spread = points.groupby(truth).std().to_numpy().max()
    assert np.hypot(*(middles.loc[0] - middles.loc[1])) > 3 * spread
    assert len(analysis.map_points(matrix[:3], method="umap")) == 3


@pytest.mark.slow
@pytest.mark.parametrize("most", [1000, pytest.param(reduced.MOST_ROWS, marks=pytest.mark.nightly)])
def test_of_very_many_rows_a_sample_is_clustered_and_the_rest_goes_along(monkeypatch, most):
    """The limit itself takes seconds and 1.5 GB."""
    for module in (reduced, analysis_outliers):
        monkeypatch.setattr(module, "MOST_ROWS", most)
    monkeypatch.setattr(analysis, "MANY", most // 5)
    matrix, truth = blobs(most * 7 // 10, most * 4 // 10, most // 10, dim=8)
    found = analysis.hdbscan_clusters(matrix)
    assert len(found) == len(matrix)
    for blob in range(3):  # what is in a cluster is of one blob
        assert len(set(found[truth == blob]) - {-1}) >= 1
    assert all(len(set(truth[found == cluster])) == 1 for cluster in set(found) - {-1})
    assert analysis.agreement({"a": analysis.kmeans_clusters(matrix, 3), "b": truth})["ari"].tolist() == [1.0]
    far = np.vstack([matrix, -matrix.mean(axis=0, keepdims=True)]).astype(np.float32)
    scores = analysis_outliers.outlier_scores(far, np.append(truth, 0))
    assert len(scores) == len(matrix) + 1 and scores["lof"].argmax() == len(matrix)
    assert analysis.choose_k(matrix, [2, 3])["silhouette"].is_monotonic_increasing
    pd.testing.assert_frame_equal(
        analysis.stability(matrix, 3, seeds=[0, 1])[["ari"]], pd.DataFrame({"ari": [1.0]})
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.ones((0, 4), np.float32), "There is no segment"),
        (np.ones(4, np.float32), "a row per segment"),
        (np.array([[1, 0], [np.nan, 1], [0, 1]], np.float32), "Row 1 of the matrix holds NaN"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_in_one_sentence(method, matrix, words):
    with pytest.raises(AnalysisError, match=words) as caught:
        METHODS[method](matrix)
    assert str(caught.value).count(". ") == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: analysis.kmeans_clusters(m, 1), "is 1: give a whole number from 2"),
        (lambda m: analysis.kmeans_clusters(m, 2.5), "is 2.5: give a whole number"),
        (lambda m: analysis.choose_k(m, []), "No number of clusters"),
        (lambda m: analysis.hdbscan_clusters(m, components=0), "components is 0"),
        (lambda m: analysis.stability(m, 2, seeds=[3, 3]), "there are 1: give two"),
        (lambda m: analysis.map_points(m, method="mds"), "no map by 'mds'"),
        (lambda m: analysis_outliers.outlier_scores(m, [0] * 4), "4 labels for 5 segments"),
        (lambda m: analysis_outliers.outlier_scores(m, [0] * 5, neighbours=0), "neighbours is 0"),
    ],
)
def test_what_is_asked_wrongly_is_said(call, words):
    with pytest.raises(AnalysisError, match=words):
        call(at(0, 40, 80, 120, 160))


@pytest.mark.parametrize("n", [2, 3, 4, 6])
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_few_segments_have_maps_clusters_and_scores(n, method):
    matrix = at(*range(0, 25 * n, 25))
    points = analysis.map_points(matrix, method=method)
    assert points.shape == (n, 2) and np.isfinite(points).all(axis=None)
    assert len(analysis.kmeans_clusters(matrix, 2)) == n
    assert len(analysis.hdbscan_clusters(matrix, min_cluster_size=2)) == n
    assert np.isfinite(analysis_outliers.outlier_scores(matrix, [0] * n)).all(axis=None)


# ---------------------------------------------------------------- agreement


def test_stability_has_each_pair_of_seeds_once():
    matrix, _ = blobs(9, 7, 5)
    table = analysis.stability(matrix, 3, seeds=range(4))
    assert list(zip(table["seed_a"], table["seed_b"], strict=True)) == list(
        itertools.combinations(range(4), 2)
    )
    assert (table["ari"] == 1).all()


LABELS = st.lists(st.integers(-1, 3), min_size=2, max_size=20)


@pytest.mark.slow
@FEW
@given(st.data(), LABELS)
def test_agreement_is_symmetric_and_minds_no_names(data, left):
    right = data.draw(st.lists(st.integers(-1, 3), min_size=len(left), max_size=len(left)))
    renamed = [f"film {5 - n}" for n in right]
    one = analysis.agreement({"left": left, "right": right, "renamed": renamed})
    two = analysis.agreement({"right": right, "left": left})
    assert list(one) == ["a", "b", "ari", "nmi"]
    pairs = one.set_index(["a", "b"])
    np.testing.assert_allclose(
        two.loc[0, ["ari", "nmi"]].astype(float), pairs.loc["left", "right"], atol=1e-9
    )
    np.testing.assert_allclose(pairs.loc[("left", "renamed")], pairs.loc[("left", "right")], atol=1e-9)
    np.testing.assert_allclose(pairs.loc[("right", "renamed")], 1.0, atol=1e-9)


def test_labellings_of_different_segments_are_refused():
    with pytest.raises(AnalysisError, match="kmeans 3, scenes 2"):
        analysis.agreement({"kmeans": [0, 1, 1], "scenes": ["a", "b"]})
    with pytest.raises(AnalysisError, match="give two or more"):
        analysis.agreement({"kmeans": [0, 1, 1]})


# ---------------------------------------------------------------- maps


def test_the_pca_map_is_the_same_each_time_with_its_sign_and_keeps_distances_of_a_plane():
    matrix, _ = blobs(6, 6, 6)
    one, two = analysis.map_points(matrix, seed=0), analysis.map_points(matrix, seed=9)
    pd.testing.assert_frame_equal(one, two)
    flat = at(0, 20, 90, 200)
    points = analysis.map_points(flat).to_numpy()
    for a, b in itertools.combinations(range(4), 2):
        assert np.linalg.norm(points[a] - points[b]) == pytest.approx(
            np.linalg.norm(flat[a] - flat[b]), abs=1e-5
        )


@pytest.mark.slow
def test_tsne_keeps_neighbours_together_and_repeats():
    matrix, truth = blobs(10, 10, 10)
    points = analysis.map_points(matrix, method="tsne", seed=3)
    pd.testing.assert_frame_equal(points, analysis.map_points(matrix, method="tsne", seed=3))
    gaps = np.linalg.norm(points.to_numpy()[:, None] - points.to_numpy(), axis=2) + np.eye(30) * 1e9
    assert (truth[gaps.argmin(axis=1)] == truth).all()


# ---------------------------------------------------------------- words and hand-made labels


def test_words_that_mark_a_cluster_come_first_and_one_of_each_stem():
    texts = [
        "the rabbits eat",
        "a rabbit, a rabbit in the meadow",
        "meadow",
        "rocket in the meadow",
        "rocket",
        "",
    ]
    segments = make_segments(at(*range(6)), description=texts)
    labels = analysis_words.suggest_labels(segments, [0, 0, 0, 1, 1, -1])
    assert labels.index.tolist() == [0, 1] and labels.index.name == "cluster"
    assert labels[1] == "rocket, meadow"
    assert labels[0].startswith("rabbit, ") and "rabbits" not in labels[0]
    assert analysis_words.suggest_labels(segments, [0, 0, 0, 1, 1, 2], words=1).tolist() == [
        "rabbit",
        "rocket",
        "",
    ]


def test_ctfidf_is_the_published_formula():
    segments = make_segments(at(0, 1), description=["red red blue", "blue green green green"])
    # tf / words · log(1 + A / f), A = 7 / 2: red 2/3·log(2.75), blue 1/3·log(2.75) in 0; green leads in 1
    assert analysis_words.suggest_labels(segments, [0, 1]).tolist() == ["red, blue", "green, blue"]
    # a word that is everywhere loses against a rarer one that is as frequent in the cluster
    segments = make_segments(at(0, 1), description=["sky moon", "sky sky sky sun"])
    assert analysis_words.suggest_labels(segments, [0, 1], words=1)[0] == "moon"


def test_ctfidf_counts_words_by_their_sums_and_weighs_by_the_mean_of_the_clusters():
    # shares 1/6, 2/6, 3/6 times log(1 + 3.5 / f) with f = 1, 2, 4: 0.251, 0.337, 0.314
    segments = make_segments(at(0, 1), description=["apple moon moon star star star", "star"])
    assert analysis_words.suggest_labels(segments, [0, 1])[0] == "moon, star, apple"


def test_no_descriptions_no_words():
    with pytest.raises(AnalysisError, match="use nearest_concepts instead"):
        analysis_words.suggest_labels(make_segments(at(0, 1)), [0, 1])


def test_nearest_concepts_are_those_that_set_a_cluster_apart():
    matrix = np.vstack([at(40, 45), at(55, 60)])
    queries = [
        Query(row, "toy", word) for row, word in zip(at(0, 50, 90), ("low", "all", "high"), strict=True)
    ]
    assert analysis_words.nearest_concepts(matrix, [0, 0, 1, 1], queries, words=1).tolist() == ["low", "high"]
    assert analysis_words.nearest_concepts(matrix, [0, 0, 0, 0], queries).tolist() == [""]
    assert analysis_words.nearest_concepts(matrix, [-1] * 4, queries).empty
    with pytest.raises(AnalysisError, match="3 numbers, the segments' 2"):
        analysis_words.nearest_concepts(matrix, [0] * 4, [Query(np.ones(3, np.float32), "toy", "x")])
    with pytest.raises(AnalysisError, match="no words"):
        analysis_words.nearest_concepts(matrix, [0] * 4, [])
    with pytest.raises(AnalysisError, match="several models"):
        other = Query(queries[0].vector, "other", "x")
        analysis_words.nearest_concepts(matrix, [0] * 4, [*queries, other])


@pytest.mark.slow
def test_scenes_are_known_by_content_or_else_by_file_name_and_by_the_longest_overlap(clips):
    cat = clips[clips["title"] == "Chelsea the cat"].iloc[:1]
    for url in ("data/videos/cat.mp4", "/elsewhere/renamed.mp4"):
        assert analysis_words.scene_labels(cat.assign(video_url=url))["who"].tolist() == ["cat"]
    own = cat.assign(video_id="own-0123456789", video_url="mine/cat.mp4")
    assert analysis_words.scene_labels(own).to_numpy().tolist() == [["", ""]]
    assert analysis_words.scene_labels(own.assign(video_id="x"))["who"].tolist() == ["cat"]
    late = cat.assign(start_offset_sec=900.0, end_offset_sec=906.0)
    assert analysis_words.scene_labels(late).to_numpy().tolist() == [["", ""]]
    bunny = clips[clips["title"] == BUNNY].iloc[[0]]
    spans = pd.concat([bunny.assign(start_offset_sec=a, end_offset_sec=a + 6) for a in (0.0, 2.9, 3.1, 21.1)])
    spans.index = list("wxyz")
    found = analysis_words.scene_labels(spans)
    assert found["where"].to_dict() == {"w": "sky", "x": "sky", "y": "meadow", "z": "burrow"}


# ---------------------------------------------------------------- typical, odd, nearly the same


def test_typical_segments_begin_with_the_medoid_and_leave_out_noise():
    matrix = at(0, 8, 10, 13, 90, 95, 180)
    segments = make_segments(matrix)
    table = analysis_outliers.typical_segments(segments, matrix, [0, 0, 0, 0, 1, 1, -1], each=3)
    assert list(table) == HIT_COLUMNS
    assert table["segment_id"].tolist() == ["s001", "s002", "s003", "s004", "s005"]
    assert table["rank"].tolist() == [1, 2, 3, 1, 2] and table["cluster"].tolist() == [0, 0, 0, 1, 1]
    assert table["score"].tolist() == pytest.approx(
        [1, *np.cos(np.radians([2, 5])), 1, np.cos(np.radians(5))]
    )
    assert analysis_outliers.typical_segments(segments, matrix, [-1] * 7).empty


def test_outlier_scores_tell_the_lonely_row_by_both_measures():
    matrix, truth = blobs(30, 30)
    lonely = (matrix[0] + matrix[-1]) / np.linalg.norm(matrix[0] + matrix[-1])
    rows, labels = np.vstack([matrix, lonely]), np.append(truth, 0)
    scores = analysis_outliers.outlier_scores(rows, labels)
    assert scores["lof"].idxmax() == scores["medoid_distance"].idxmax() == 60
    assert scores["lof"].iloc[:60].max() < 2 < scores.loc[60, "lof"]
    assert scores["medoid_distance"].min() == pytest.approx(0, abs=1e-6)
    noise = analysis_outliers.outlier_scores(rows, np.append(truth, -1))
    assert noise.loc[60, "medoid_distance"] == pytest.approx(scores.loc[60, "medoid_distance"], abs=0.05)
    assert np.isfinite(analysis_outliers.outlier_scores(rows, [-1] * 61)).all(axis=None)


def test_noise_is_as_far_as_the_nearest_medoid():
    scores = analysis_outliers.outlier_scores(at(0, 0, 1, 90, 90, 91, 60), [0, 0, 0, 1, 1, 1, -1])
    assert scores.loc[6, "medoid_distance"] == pytest.approx(1 - np.cos(np.radians(30)), abs=1e-6)


def test_many_copies_of_a_frame_make_nothing_else_odd():
    matrix, truth = blobs(30, spread=0.1)
    copies = np.repeat(matrix[:1], 50, axis=0)
    scores = analysis_outliers.outlier_scores(np.vstack([matrix, copies]), np.append(truth, [0] * 50))
    np.testing.assert_allclose(scores["lof"][:30], analysis_outliers.outlier_scores(matrix, truth)["lof"])
    assert (scores["lof"][30:] == scores.loc[0, "lof"]).all()


def test_odd_segments_are_hits_oddest_first():
    segments = make_segments(at(0, 1, 2, 3))
    scores = pd.DataFrame({"medoid_distance": [0.1, 0.5, 0.1, 0.0], "lof": [1, 1, 3, 2.0]})
    odd = analysis_outliers.odd_segments(segments, scores, limit=2)
    assert list(odd) == HIT_COLUMNS
    assert odd[["rank", "score", "segment_id"]].to_numpy().tolist() == [[1, 3.0, "s002"], [2, 2.0, "s003"]]
    by_distance = analysis_outliers.odd_segments(segments, scores, by="medoid_distance")
    assert by_distance["segment_id"].tolist() == ["s001", "s000", "s002", "s003"]
    with pytest.raises(AnalysisError, match="no score 'luck': choose from medoid_distance, lof"):
        analysis_outliers.odd_segments(segments, scores, by="luck")
    with pytest.raises(AnalysisError, match="4 labels for 3 segments"):
        analysis_outliers.odd_segments(segments.head(3), scores)


@pytest.mark.slow
@FEW
@given(
    st.lists(st.tuples(st.integers(0, 359), st.sampled_from("ab")), max_size=12),
    st.sampled_from([0.0, 5.0, 6.0, 7.0]),
)
def test_near_duplicates_are_all_pairs_that_qualify(rows, gap):
    matrix = at(*(angle for angle, _ in rows))
    names = "".join(name for _, name in rows)
    segments = make_segments(matrix, videos=names or "v") if rows else make_segments(at(0)).head(0)
    found = analysis_outliers.near_duplicates(segments, matrix, threshold=0.9, gap=gap)
    expected = set()
    for a, b in itertools.combinations(range(len(rows)), 2):
        one, two = segments.iloc[a], segments.iloc[b]
        apart = two["start_offset_sec"] - one["end_offset_sec"]
        if round(float(matrix[a] @ matrix[b]), 6) >= 0.9 and (names[a] != names[b] or apart > gap):
            expected.add((one["segment_id"], two["segment_id"]))
    assert set(zip(found["segment_id_a"], found["segment_id_b"], strict=True)) == expected
    assert len(found) == len(expected)
    assert found["score"].round(6).is_monotonic_decreasing or found.empty
    columns = ["score", "segment_id_a", "segment_id_b", "title_a", "start_a", "title_b", "start_b"]
    assert list(found) == columns


@pytest.mark.slow
def test_near_duplicates_refuse_what_makes_no_sense():
    matrix = at(*[0] * 700)
    segments = make_segments(matrix)
    for keywords, words in (
        ({"threshold": 1.5}, "cosine from -1 to 1"),
        ({"gap": -1}, "0 or more"),
    ):
        with pytest.raises(AnalysisError, match=words):
            analysis_outliers.near_duplicates(segments, matrix, **keywords)
    with pytest.warns(UserWarning, match="More than 200,000 pairs .* raise the threshold"):
        assert len(analysis_outliers.near_duplicates(segments, matrix)) == 200_000
    with pytest.raises(AnalysisError, match="700 rows for 5 segments"):
        analysis_outliers.near_duplicates(segments.head(5), matrix)


# ---------------------------------------------------------------- shares


@FEW
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.sampled_from("ab")), min_size=1, max_size=15),
    st.sampled_from(["video_id", "recorded_at", "time"]),
    st.floats(0.1, 50),
)
def test_shares_sum_to_one_and_cover_all_time(rows, by, window):
    names = "".join(name for _, name in rows)
    segments = make_segments(at(*range(len(rows))), videos=names, recorded_at="2026-05-01")
    labels = [label for label, _ in rows]
    shares = analysis_trends.cluster_shares(segments, labels, by=by, window=window)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares.columns.tolist() == sorted(set(labels) - {-1}) + [-1] * (-1 in labels)
    assert shares.index.name == by
    if by == "time":
        end = segments["end_offset_sec"].max()
        assert len(shares) == int(np.ceil(end / window - 1e-9))  # clips leave no hole


def test_a_segment_counts_in_each_window_by_its_seconds_there():
    segments = make_segments(at(0, 1, 2), seconds=20.0)
    shares = analysis_trends.cluster_shares(segments, [0, 1, -1], by="time", window=30)
    assert shares.index.tolist() == [0, 30]
    np.testing.assert_allclose(shares, [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])
    assert analysis_trends.cluster_shares(
        segments.iloc[[0, 2]], [0, 1], by="time", window=15
    ).index.tolist() == [*(0, 15, 30, 45)]
    gap = analysis_trends.cluster_shares(segments.iloc[[0, 2]], [0, 1], by="time", window=10)
    assert gap.index.tolist() == [0, 10, 40, 50]


def test_shares_per_video_keep_the_order_of_the_table_and_those_per_date_are_sorted():
    dates = ["2026-05-02", "2026-05-01", ""]
    segments = make_segments(at(0, 1, 2), videos="bca", recorded_at=dates)
    assert analysis_trends.cluster_shares(segments, [0, 1, 1]).index.tolist() == ["b", "c", "a"]
    by_date = analysis_trends.cluster_shares(segments, [0, 1, 1], by="recorded_at")
    assert by_date.index.tolist() == ["2026-05-01", "2026-05-02"]
    assert by_date.to_numpy().tolist() == [[0, 1], [1, 0]]


def test_shares_per_date_take_the_date_of_a_timestamp():
    moments = [
        "2026-05-02T09:30:00Z",
        "2026-05-01 23:59",
        "2026-05-02",
        "2026-05-02T23:30:00-07:00",
        "spring",
    ]
    segments = make_segments(at(*range(6)), videos="abcdef", recorded_at=[*moments, None])
    shares = analysis_trends.cluster_shares(segments, [0, 0, 1, 1, 0, 1], by="recorded_at")
    assert shares.index.tolist() == ["2026-05-01", "2026-05-02", "spring"]
    np.testing.assert_allclose(shares, [[1, 0], [1 / 3, 2 / 3], [1, 0]])


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"by": "mood"}, "by 'mood' are not known"),
        ({"by": "time", "window": 0}, "seconds above 0"),
        ({"by": "recorded_at"}, "No segment has a recorded_at"),
        ({"labels": [0]}, "1 labels for 2 segments"),
        ({"segments": make_segments(at(0)).head(0), "labels": []}, "no segments to take shares of"),
    ],
)
def test_shares_that_make_no_sense_are_refused(keywords, words):
    arguments = {"segments": make_segments(at(0, 1)), "labels": [0, 1]} | keywords
    with pytest.raises(AnalysisError, match=words):
        analysis_trends.cluster_shares(arguments.pop("segments"), arguments.pop("labels"), **arguments)


# ---------------------------------------------------------------- the samples


@pytest.mark.slow
def test_the_samples_from_end_to_end(clips):
    matrix = analysis_matrix.cluster_matrix(clips)
    labels = analysis.kmeans_clusters(matrix, 8)
    assert np.bincount(labels).tolist() == sorted(np.bincount(labels), reverse=True)
    noisy = analysis.hdbscan_clusters(matrix)
    assert -1 in noisy and noisy.max() >= 1
    scenes = analysis_words.scene_labels(clips)
    assert (scenes != "").all(axis=None)
    table = analysis.agreement({"k-means": labels, "where": scenes["where"], "video": clips["video_id"]})
    assert table["ari"].between(0.05, 0.95).all()
    typical = analysis_outliers.typical_segments(clips, matrix, labels, each=1)
    assert typical["cluster"].tolist() == list(range(8))
    assert "rabbit" in analysis_words.suggest_labels(clips, labels)[0]
    odd = analysis_outliers.odd_segments(clips, analysis_outliers.outlier_scores(matrix, labels))
    assert len(odd) == 10 and odd["score"].is_monotonic_decreasing
    fused = analysis_matrix.cluster_matrix(clips, option="fused")
    assert fused.shape == (len(clips), 2 * matrix.shape[1])
    pairs = analysis_outliers.near_duplicates(clips, fused, threshold=0.95, gap=6)
    assert (pairs["score"] >= 0.95).all()
    shares = analysis_trends.cluster_shares(clips, labels)
    assert shares.index.tolist() == list(dict.fromkeys(clips["video_id"]))
