"""Hybrid search through helpers.search.hybrid: fused by the formulas, complete, in a fixed order; bad input refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymilvus import AnnSearchRequest, RRFRanker, WeightedRanker

from helpers.errors import SearchError
from helpers.search import fusion, hybrid
from helpers.search import similarity as search
from helpers.search.hybrid import Leg
from helpers.segments import COLUMNS, HIT_COLUMNS, Query
from helpers.settings import load_settings
from helpers.store import client as store
from helpers.store import collection as store_collection
from helpers.store import io as store_io

DIM = 8
CLIPS = 5  # clips of each film
few = settings(max_examples=25)
seeds = st.integers(0, 10_000)


def make_segments(visual, words=None, **columns):
    """One row per vector; a vector of None is one that the segment lacks."""
    words = visual if words is None else words
    rows = []
    for i, (v, w) in enumerate(zip(visual, words, strict=True)):
        row = dict.fromkeys(COLUMNS, "") | {"model": "toy", "segmentation": "fixed-6", "cluster": -1}
        row |= {"video_id": f"v{i // CLIPS:03}", "title": f"Film {i // CLIPS}", "embedding_scope": "clip"}
        row |= {"start_offset_sec": i % CLIPS * 6.0, "end_offset_sec": i % CLIPS * 6.0 + 6}
        row |= {"segment_id": f"v{i // CLIPS:03}/{i % CLIPS}", **columns}
        row |= {"embedding_visual": v, "embedding_words": w}
        rows.append(row)
    return pd.DataFrame(rows).astype({"embedding_visual": object, "embedding_words": object})


def random_vectors(n, seed):
    return list(np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32))


def query(seed, model="toy"):
    return Query(random_vectors(1, seed)[0], model, f"query {seed}")


V, W = Leg(query(1), "visual"), Leg(query(2), "words")


def cosine(a, b):
    return float(np.float64(a) @ np.float64(b) / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    path = tmp_path_factory.mktemp("milvus") / "hybrid.db"
    own = replace(load_settings(), milvus_uri=str(path), prefix="")
    client = store.connect_milvus(own)
    yield client
    store.disconnect_milvus(client, own)


def fill(milvus, name, segments, **keywords):
    milvus.drop_collection(name)
    store_collection.create_collection(milvus, name, segments, **keywords)
    store_io.insert_segments(milvus, name, segments)
    return name


@pytest.fixture(scope="module")
def films(milvus):
    """Sixty clips; each fourth one lacks words."""
    words = [None if i % 4 == 3 else v for i, v in enumerate(random_vectors(60, 2))]
    segments = make_segments(random_vectors(60, 1), words)
    return fill(milvus, "films", segments), segments


def scores_alone(segments, leg):
    """The cosines of one leg, by segment id, best first."""
    cells = segments.set_index("segment_id")[f"embedding_{leg.option}"].dropna()
    return cells.map(lambda vector: cosine(vector, leg.query.vector)).sort_values(ascending=False)


def by_rrf(segments, legs, k):
    total = pd.Series(0.0, index=segments["segment_id"])
    for leg in legs:
        for rank, key in enumerate(scores_alone(segments, leg).index, 1):
            total[key] += 1 / (k + rank)
    return total[total > 0]


def by_weight(segments, legs):
    total = pd.Series(0.0, index=segments["segment_id"])
    for leg in legs:
        for key, score in scores_alone(segments, leg).items():
            total[key] += leg.weight * (1 + score) / 2
    return total[total > 0]


def best(total, limit, digits):
    return sorted(total.index, key=lambda key: (-round(total[key], digits), key))[:limit]


# Fused as the formulas say


@pytest.mark.slow
@few
@given(seed=seeds, options=st.lists(st.sampled_from(["visual", "words"]), min_size=1, max_size=4))
@pytest.mark.parametrize("k", [1, 60])
def test_rrf_is_its_formula(milvus, films, k, seed, options):
    name, segments = films
    legs = [Leg(query(seed + i), option) for i, option in enumerate(options)]
    total = by_rrf(segments, legs, k)
    hits = hybrid.hybrid_search(milvus, name, legs, k=k, limit=20)
    assert list(hits["segment_id"]) == best(total, 20, 8)
    np.testing.assert_allclose(hits["score"], total[hits["segment_id"]], atol=1e-7)


@pytest.mark.slow
@few
@given(seed=seeds, weights=st.lists(st.sampled_from([0.05, 0.2, 0.5, 1.0]), min_size=1, max_size=3))
def test_weighted_is_its_formula(milvus, films, seed, weights):
    name, segments = films
    legs = [Leg(query(seed + i), ("visual", "words")[i % 2], w) for i, w in enumerate(weights)]
    total = by_weight(segments, legs)
    hits = hybrid.hybrid_search(milvus, name, legs, ranker="weighted", limit=60)
    assert len(hits) == len(total)
    np.testing.assert_allclose(hits["score"], total[hits["segment_id"]], atol=2e-6)
    assert (np.diff(hits["score"]) <= 1e-6).all()


@pytest.mark.slow
@few
@given(seed=seeds, ranker=st.sampled_from(["rrf", "weighted"]), limit=st.integers(1, 60))
def test_fuse_gives_what_milvus_gives(milvus, films, seed, ranker, limit):
    name, _ = films
    legs = [Leg(query(seed), "visual", 0.4), Leg(query(seed + 1), "words", 0.4)]
    requests = [
        AnnSearchRequest(
            data=[leg.query.vector],
            anns_field=f"embedding_{leg.option}",
            param={"metric_type": "COSINE"},
            limit=60,
            expr=f"has_{leg.option} == true",
        )
        for leg in legs
    ]
    how = RRFRanker(60) if ranker == "rrf" else WeightedRanker(0.4, 0.4, norm_score=True)
    raw = milvus.hybrid_search(name, requests, how, limit=limit, output_fields=["segment_id"])[0]
    hits = hybrid.hybrid_search(milvus, name, legs, ranker=ranker, limit=60).set_index("segment_id")
    there = [hit["entity"]["segment_id"] for hit in raw]
    np.testing.assert_allclose([hit["distance"] for hit in raw], hits["score"][there], atol=2e-7)
    cut = hits["score"].nlargest(limit).min()
    assert len(raw) == limit and (hits["score"][there] >= cut - 2e-7).all()


@pytest.mark.slow
@few
@given(seed=seeds, ranker=st.sampled_from(["rrf", "weighted"]), limit=st.integers(1, 60))
def test_fuse_gives_what_a_hybrid_search_gives(milvus, films, seed, ranker, limit):
    name, _ = films
    legs = {"visual": Leg(query(seed), "visual", 0.4), "words": Leg(query(seed + 1), "words", 0.4)}
    lists = {
        label: search.search_segments(milvus, name, leg.query, option=leg.option, limit=60)
        for label, leg in legs.items()
    }
    weights = dict.fromkeys(legs, 0.4)
    fused = fusion.fuse(lists, ranker=ranker, weights=weights, limit=limit)
    hits = hybrid.hybrid_search(milvus, name, legs.values(), ranker=ranker, limit=limit)
    pd.testing.assert_frame_equal(fused, hits, atol=1e-6)


@pytest.mark.slow
@few
@given(seed=seeds, ranker=st.sampled_from(["rrf", "weighted"]), at=st.integers(0, 2))
def test_a_leg_of_weight_0_changes_nothing(milvus, films, seed, ranker, at):
    name, _ = films
    legs = [Leg(query(seed), "visual", 0.5), Leg(query(seed + 1), "words", 0.5)]
    more = [*legs[:at], Leg(query(seed + 2), "visual", 0), *legs[at:]]
    pd.testing.assert_frame_equal(
        hybrid.hybrid_search(milvus, name, more, ranker=ranker),
        hybrid.hybrid_search(milvus, name, legs, ranker=ranker),
    )


def test_a_leg_of_weight_0_never_reaches_milvus(milvus, films, monkeypatch):
    name, _ = films
    asked = []
    real = milvus.search
    monkeypatch.setattr(milvus, "search", lambda *args, **kw: asked.append(kw) or real(*args, **kw))
    legs = [Leg(query(1), "visual", 0.5), Leg(query(2), "words", 0), Leg(query(3), "no such option", 0)]
    hybrid.hybrid_search(milvus, name, legs, ranker="weighted")
    assert [kw["anns_field"] for kw in asked] == ["embedding_visual"]


def test_hits_show_rank_and_score_of_each_leg(milvus, films):
    name, segments = films
    legs = [Leg(query(1), "visual"), Leg(query(2), "words"), Leg(query(3), "visual")]
    hits = hybrid.hybrid_search(milvus, name, legs, limit=60)
    assert list(hits)[: len(HIT_COLUMNS)] == HIT_COLUMNS
    for label, leg in zip(["visual", "words", "visual_2"], legs, strict=True):
        alone = scores_alone(segments, leg)
        ranks = pd.Series(range(1, len(alone) + 1), index=alone.index)
        there = hits[f"rank_{label}"].notna()
        assert there.sum() == len(alone)
        assert list(hits.loc[there, f"rank_{label}"]) == list(ranks[hits.loc[there, "segment_id"]])
        assert hits.loc[~there, f"score_{label}"].isna().all()
        expected = alone[hits.loc[there, "segment_id"]]
        np.testing.assert_allclose(hits.loc[there, f"score_{label}"], expected, atol=1e-6)


# Order, depth, filters


def test_equal_scores_are_ordered_by_id_and_not_cut_by_chance(milvus):
    # In each pair of clips one is first for one leg and the other for the other: their fused scores are equal.
    angles = np.linspace(0.1, 1.2, 30)
    visual = [np.array([np.cos(a), np.sin(a), *[0] * (DIM - 2)], np.float32) for a in angles]
    segments = make_segments(visual, visual[::-1])
    shuffled = segments.sample(frac=1, random_state=3)
    axis = Query(np.eye(1, DIM, dtype=np.float32)[0], "toy", "axis")
    legs = [Leg(axis, "visual"), Leg(axis, "words")]
    every = hybrid.hybrid_search(milvus, fill(milvus, "pairs", segments), legs, limit=30)
    again = hybrid.hybrid_search(milvus, fill(milvus, "shuffled", shuffled), legs, limit=30)
    pd.testing.assert_frame_equal(every, again)
    assert (every["score"].round(8).diff().iloc[1::2] == 0).all()
    for limit in (1, 2, 3, 8):
        hits = hybrid.hybrid_search(milvus, "pairs", legs, limit=limit)
        assert list(hits["segment_id"]) == list(every["segment_id"][:limit])


def test_many_equal_scores_are_ordered_by_id_whatever_milvus_does(milvus, monkeypatch):
    segments = make_segments([np.ones(DIM, np.float32)] * 40).sample(frac=1, random_state=1)
    name = fill(milvus, "equals", segments)
    real = milvus.search

    def other_order(*args, limit, **keywords):  # Lite orders equal scores by id itself, a server need not
        return [real(*args, limit=40, **keywords)[0][::-1][:limit]]

    monkeypatch.setattr(milvus, "search", other_order)
    for limit in (1, 3, 30):
        hits = hybrid.hybrid_search(milvus, name, [V, W], ranker="weighted", limit=limit)
        assert list(hits["segment_id"]) == sorted(segments["segment_id"])[:limit]


def test_a_clip_below_the_depth_of_a_leg_is_absent_from_its_ranking(milvus, films):
    name, segments = films
    legs = [Leg(query(5), "visual"), Leg(query(6), "words")]
    hits = hybrid.hybrid_search(milvus, name, legs, limit=5, depth=5)
    ranks = {option: scores_alone(segments, Leg(q, option)).index for q, option in [(query(5), "visual")]}
    assert hits["rank_visual"].max() <= 5 and hits["rank_words"].max() <= 5
    for key, rank in zip(hits["segment_id"], hits["rank_visual"], strict=True):
        assert pd.isna(rank) == (key not in ranks["visual"][:5])


def test_a_clip_below_the_depth_of_a_leg_still_counts_by_its_cosine(milvus, films):
    name, segments = films
    legs = [Leg(query(5), "visual", 0.9), Leg(query(6), "words", 0.1)]
    hits = hybrid.hybrid_search(milvus, name, legs, ranker="weighted", limit=5, depth=5).set_index(
        "segment_id"
    )
    assert hits["rank_words"].isna().any()
    words = scores_alone(segments, legs[1])
    has_words = hits.index.isin(words.index)
    assert list(hits["score_words"].notna()) == list(has_words)
    np.testing.assert_allclose(hits["score_words"][has_words], words[hits.index[has_words]], atol=1e-6)
    np.testing.assert_allclose(hits["score"], by_weight(segments, legs)[hits.index], atol=1e-6)


@pytest.fixture(scope="module")
def crowd(milvus):
    """Nine hundred clips, more than a leg hands over."""
    segments = make_segments(random_vectors(900, 3), random_vectors(900, 4))
    return fill(milvus, "crowd", segments), segments


def asked_limits(milvus, monkeypatch):
    limits, real = [], milvus.search
    monkeypatch.setattr(milvus, "search", lambda *a, **kw: limits.append(kw["limit"]) or real(*a, **kw))
    return limits


@pytest.mark.slow
@pytest.mark.parametrize("ranker", ["rrf", "weighted"])
def test_without_a_depth_nothing_is_missed(milvus, crowd, ranker):
    name, segments = crowd
    for seed in range(3):
        legs = [Leg(query(seed), "visual"), Leg(query(seed + 50), "words")]
        hits = hybrid.hybrid_search(milvus, name, legs, ranker=ranker, depth=None)
        total = by_rrf(segments, legs, 60) if ranker == "rrf" else by_weight(segments, legs)
        assert list(hits["segment_id"]) == best(total, 5, 8 if ranker == "rrf" else 6)
        assert hits["title"].str.startswith("Film").all()


@pytest.mark.slow
def test_no_leg_looks_deeper_than_what_is_proven(milvus, crowd, monkeypatch):
    limits = asked_limits(milvus, monkeypatch)
    legs = [Leg(query(1), "visual"), Leg(query(1), "visual")]
    hybrid.hybrid_search(milvus, crowd[0], legs, depth=None)
    assert limits == [hybrid.DEPTH] * 2
    hybrid.hybrid_search(milvus, crowd[0], [V, W], limit=3)
    assert limits[2:] == [hybrid.DEPTH] * 2
    hybrid.hybrid_search(milvus, crowd[0], [V, W], limit=300)
    assert limits[4:] == [600] * 2


@pytest.mark.slow
def test_videos_are_sought_deeper_until_there_are_enough(milvus, monkeypatch):
    near = make_segments([np.eye(1, DIM)[0] + 0.1 * v for v in random_vectors(300, 5)]).assign(
        video_id="near"
    )
    far = make_segments(random_vectors(100, 6), segmentation="fixed-6")
    far["segment_id"] = "far/" + far["segment_id"]
    name = fill(milvus, "deep", pd.concat([near, far]))
    axis = Query(np.eye(1, DIM, dtype=np.float32)[0], "toy", "axis")
    limits = asked_limits(milvus, monkeypatch)
    hits = hybrid.hybrid_videos(milvus, name, [Leg(axis, "visual"), Leg(axis, "words")], limit=3)
    assert hits["video_id"][0] == "near" and hits["video_id"].nunique() == 3
    assert limits == [200, 200, 800, 800]


def test_filters_and_scopes_hold_in_every_leg(milvus, films):
    name, segments = films
    legs = [V, W]
    inside = segments[segments["start_offset_sec"] <= 6]
    hits = hybrid.hybrid_search(milvus, name, legs, limit=40, where={"start_offset_sec": (0, 6)})
    assert list(hits["segment_id"]) == best(by_rrf(inside, legs, 60), 40, 8)
    assert hybrid.hybrid_search(milvus, name, legs, scope="asset").empty


def test_an_approximate_index_does_not_make_it_short(milvus):
    axis = np.eye(1, DIM, dtype=np.float32)[0]
    near = [axis + 0.1 * v for v in random_vectors(300, 1)]
    far = [-axis + 0.1 * v for v in random_vectors(CLIPS, 2)]
    segments = make_segments(near + far)
    name = fill(milvus, "rough", segments, index_type="HNSW", index_params={"M": 4, "efConstruction": 10})
    milvus.release_collection(name)
    milvus.load_collection(name)
    legs = [Leg(Query(axis, "toy", "axis"), "visual"), Leg(query(1), "words")]
    hits = hybrid.hybrid_search(milvus, name, legs, where={"video_id": "v060"})
    inside = segments[segments["video_id"] == "v060"]
    assert list(hits["segment_id"]) == best(by_rrf(inside, legs, 60), 5, 8)


def test_videos_come_once_each_by_their_best_clip(milvus, films):
    name, segments = films
    legs = [V, W]
    films_found = hybrid.hybrid_videos(milvus, name, legs, limit=12)
    order = [key.split("/")[0] for key in best(by_rrf(segments, legs, 60), 60, 8)]
    assert list(films_found["video_id"]) == list(dict.fromkeys(order))
    assert list(films_found["rank"]) == list(range(1, 13))
    assert len(hybrid.hybrid_videos(milvus, name, legs, limit=2)) == 2


def test_a_film_that_owns_all_near_clips_does_not_hide_the_others(milvus):
    axis = np.eye(1, DIM, dtype=np.float32)[0]
    segments = make_segments(
        [axis + 0.1 * v for v in random_vectors(40, 1)] + [-axis + v for v in random_vectors(5, 2)]
    )
    segments.loc[:39, "video_id"] = "near"
    name = fill(milvus, "owner", segments)
    legs = [Leg(Query(axis, "toy", "axis"), "visual"), Leg(Query(axis, "toy", "axis"), "words")]
    assert list(hybrid.hybrid_videos(milvus, name, legs, limit=2)["video_id"]) == ["near", "v008"]


# What a segment or a video lacks


def test_a_segment_without_an_option_gets_nothing_from_that_leg(milvus, films):
    name, _ = films
    hits = hybrid.hybrid_search(milvus, name, [Leg(query(1), "words")], limit=60)
    assert len(hits) == 45


def test_a_leg_that_finds_nothing_is_reported_in_one_line(milvus, films, caplog):
    silent = fill(milvus, "silent", make_segments(random_vectors(10, 1), [None] * 10))
    legs = [Leg(query(1), "visual", 0.3), Leg(query(2), "words", 0.7)]
    for ranker, weight in (("weighted", 0.3), ("rrf", 1.0)):
        used = legs if ranker == "weighted" else [replace(leg, weight=1.0) for leg in legs]
        caplog.clear()
        hits = hybrid.hybrid_search(milvus, silent, used, ranker=ranker)
        assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
            "The leg words finds no segment here, so what the other legs find decides."
        ]
        alone = hybrid.hybrid_search(milvus, silent, [Leg(query(1), "visual", weight)], ranker=ranker)
        assert hits["rank_words"].isna().all() and hits["score_words"].isna().all()
        pd.testing.assert_frame_equal(hits.drop(columns=["rank_words", "score_words"]), alone)


def test_a_filter_that_nothing_matches_gives_an_empty_table(milvus, films):
    name, _ = films
    legs = [V, W]
    hits = hybrid.hybrid_search(milvus, name, legs, where={"title": "no such film"})
    some = hybrid.hybrid_search(milvus, name, legs)
    assert hits.empty and list(hits) == list(some)
    assert hybrid.hybrid_videos(milvus, name, legs, where={"title": "no such film"}).empty


# Averages of queries


@pytest.mark.slow
@few
@given(seed=seeds, weight=st.floats(0.05, 0.95))
def test_an_average_of_queries_ranks_as_weighted_legs_do(milvus, films, seed, weight):
    name, segments = films
    both = [query(seed), query(seed + 1)]
    one = hybrid.average_queries(both, weights=[weight, 1 - weight])
    assert one.source == f"query {seed} + query {seed + 1}" and one.model == "toy"
    assert np.linalg.norm(one.vector) == pytest.approx(1)
    legs = [Leg(both[0], "visual", weight), Leg(both[1], "visual", 1 - weight)]
    total = by_weight(segments, legs)
    single = search.search_segments(milvus, name, one, limit=60)
    assert (np.diff(total[single["segment_id"]]) <= 1e-6).all()


def test_the_length_of_a_query_does_not_weigh_in_the_average():
    a, b = query(1), query(2)
    longer = replace(a, vector=a.vector * 100)
    np.testing.assert_allclose(
        hybrid.average_queries([longer, b]).vector, hybrid.average_queries([a, b]).vector, atol=1e-6
    )


@pytest.mark.parametrize(
    ("queries", "weights", "message"),
    [
        ([], None, "give one weight each"),
        ([query(1)], [1, 2], "give one weight each"),
        ([query(1), query(2)], [0, 0], "not all 0"),
        ([query(1), query(2)], [-1, 2], "0 or more"),
        ([query(1), query(2)], [float("nan"), 1], "0 or more"),
        ([query(1), query(2, "other")], None, "2 models"),
        ([query(1), Query(np.ones(3, np.float32), "toy", "short")], None, "differ in length"),
        ([query(1), replace(query(1), vector=-query(1).vector)], None, "cancel each other out"),
        (["rabbit"], None, "no Query"),
    ],
)
def test_queries_that_have_no_average_are_refused(queries, weights, message):
    with pytest.raises(SearchError, match=message):
        hybrid.average_queries(queries, weights=weights)


# Bad input


@pytest.mark.parametrize(
    ("legs", "keywords", "message"),
    [
        ([], {}, "no legs"),
        ([(query(1), "visual")], {}, "no Leg"),
        (
            [replace(V, weight=0.0), replace(W, weight=0)],
            {"ranker": "weighted"},
            "Every leg has the weight 0",
        ),
        ([replace(V, weight=-0.1), W], {"ranker": "weighted"}, "weight of leg 1 is -0.1"),
        ([V, replace(W, weight=1.5)], {"ranker": "weighted"}, "weight of leg 2 is 1.5"),
        ([V, replace(W, weight=float("nan"))], {"ranker": "weighted"}, "weight of leg 2 is nan"),
        ([V, replace(W, weight="much")], {"ranker": "weighted"}, "weight of leg 2 is 'much'"),
        ([V, replace(W, weight=True)], {"ranker": "weighted"}, "weight of leg 2 is True"),
        ([V, replace(W, weight=0.5)], {}, "rrf takes no weights, but the legs have 1, 0.5"),
        ([V, replace(W, option="audio")], {}, "no option 'audio'"),
        ([V, replace(W, query=query(1, "other"))], {}, "2 models, other and toy"),
        ([replace(V, query=query(1, "other"))], {}, "comes from 'other'"),
        ([replace(V, query=Query(np.ones(3, np.float32), "toy", "short"))], {}, "shape"),
        ([replace(V, query=replace(query(1), vector=np.full(DIM, np.nan)))], {}, "not a finite number"),
        ([replace(V, query="rabbit")], {}, "no Query"),
        ([V, W], {"ranker": "best"}, "choose rrf or weighted"),
        ([V, W], {"k": 0}, "k of rrf is 0"),
        ([V, W], {"k": 1.5}, "k of rrf is 1.5"),
        ([V, W], {"limit": 0}, "limit is 0"),
        ([V, W], {"depth": 4}, "depth is 4"),
        ([V, W], {"depth": 20_000}, "depth is 20000"),
        ([V, W], {"scope": "video"}, "scope is 'video'"),
        ([V, W], {"where": {"colour": "red"}}, "no field 'colour'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(milvus, films, legs, keywords, message):
    with pytest.raises(SearchError, match=message) as caught:
        hybrid.hybrid_search(milvus, films[0], legs, **keywords)
    assert str(caught.value).count(". ") == 0 and str(caught.value).endswith(".")


def test_an_empty_collection_is_refused(milvus):
    store_collection.create_collection(milvus, "nothing", make_segments(random_vectors(3, 1)))
    with pytest.raises(SearchError, match="'nothing' is empty"):
        hybrid.hybrid_search(milvus, "nothing", [V, W])


def test_a_wrong_limit_of_videos_is_refused(milvus, films):
    with pytest.raises(SearchError, match="limit is 'ten'"):
        hybrid.hybrid_videos(milvus, films[0], [V, W], limit="ten")


def test_fuse_refuses_what_it_cannot_fuse(milvus, films):
    hits = search.search_segments(milvus, films[0], query(1), limit=5)
    for lists, keywords, message in [
        ({}, {}, "no legs"),
        ({"a": hits, "b": hits.assign(score=7.0)}, {"ranker": "weighted"}, "'b' are no cosines"),
        ({"a": hits}, {"weights": {"c": 1.0}}, "weight for 'c'"),
        ({"a": pd.concat([hits, hits])}, {}, "a segment twice"),
    ]:
        with pytest.raises(SearchError, match=message):
            fusion.fuse(lists, **keywords)


def test_fuse_takes_a_leg_without_vectors(milvus, films):
    hits = search.search_segments(milvus, films[0], query(1), limit=5)
    lexical = hits.iloc[[4, 0]].assign(score=[9.0, 3.0], rank=[1, 2]).reset_index(drop=True)
    fused = fusion.fuse({"visual": hits, "BM25": lexical, "nothing": hits.head(0)})
    assert list(fused["segment_id"][:2]) == [hits["segment_id"][0], hits["segment_id"][4]]
    assert list(fused["rank_BM25"][:2]) == [2, 1]
    assert fused["score"][0] == pytest.approx(1 / 61 + 1 / 62)
    assert fusion.fuse({"a": hits.head(0)}).empty
