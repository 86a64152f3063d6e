"""Searches through helpers.search.similarity: right, complete, in a fixed order; refused where they make no sense."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.errors import SearchError, StoreError
from helpers.search import similarity as search
from helpers.segments import COLUMNS, Query
from helpers.settings import load_settings
from helpers.store import client as store
from helpers.store import collection as store_collection
from helpers.store import io as store_io

DIM = 16
HITS = [
    *("rank", "score", "segment_id", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url"),
    *("category", "recorded_at", "description", "embedding_scope", "cluster"),
]


def make_segments(vectors, *, video="v", clips=10, scope="clip", **columns):
    """One row per vector (one for each option, or an array for visual); `clips` rows make one video."""
    rows = []
    for i, vector in enumerate(vectors):
        options = vector if isinstance(vector, dict) else {"visual": vector}
        row = dict.fromkeys(COLUMNS, "") | {"model": "toy", "segmentation": "fixed-6", "cluster": -1}
        row |= {"video_id": f"{video}{i // clips:03}", "title": f"Film {i // clips}", "category": f"c{i % 3}"}
        row |= {"start_offset_sec": i % clips * 6.0, "end_offset_sec": i % clips * 6.0 + 6}
        row |= {
            "embedding_scope": scope,
            "description": f"row {i}",
            "video_url": "data/videos/v.mp4",
            **columns,
        }
        row["segment_id"] = f"{row['video_id']}/{scope}/{i % clips:04}"
        row |= {
            f"embedding_{option}": None if v is None else np.asarray(v, np.float32)
            for option, v in options.items()
        }
        rows.append(row)
    return pd.DataFrame(rows)


def random_vectors(n, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def at_cosine(*cosines):
    """Unit vectors whose cosine to `AXIS` is the one asked for."""
    return [
        np.eye(1, DIM)[0] * c + np.eye(1, DIM, 1 + i % 3)[0] * np.sqrt(1 - c * c)
        for i, c in enumerate(cosines)
    ]


AXIS = Query(np.eye(1, DIM, dtype=np.float32)[0], "toy", "the first axis")


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    path = tmp_path_factory.mktemp("milvus") / "search.db"
    settings = replace(load_settings(), milvus_uri=str(path), prefix="")
    client = store.connect_milvus(settings)
    yield client
    store.disconnect_milvus(client, settings)


def fill(milvus, name, *tables, **keywords):
    milvus.drop_collection(name)
    store_collection.create_collection(milvus, name, tables[0], **keywords)
    for table in tables:
        store_io.insert_segments(milvus, name, table)
    return name


def nearest(segments, query, limit):
    """The truth, by numpy: ids of the nearest segments."""
    vectors = np.stack(list(segments["embedding_visual"]))
    scores = vectors @ query.vector / np.linalg.norm(vectors, axis=1)
    return list(segments["segment_id"].to_numpy()[np.argsort(-scores, kind="stable")[:limit]])


@pytest.fixture(scope="module")
def films(milvus):
    """A hundred films of ten clips, and the name of their collection."""
    segments = make_segments(random_vectors(1000))
    return fill(milvus, "films", segments), segments


# Right and complete


def test_hits_are_the_nearest_with_unrounded_cosines_and_the_agreed_columns(milvus, films):
    name, segments = films
    query = Query(random_vectors(1, seed=9)[0], "toy", "q")
    hits = search.search_segments(milvus, name, query, limit=7)
    assert list(hits) == HITS
    assert list(hits["segment_id"]) == nearest(segments, query, 7)
    assert list(hits["rank"]) == [1, 2, 3, 4, 5, 6, 7]
    vectors = segments.set_index("segment_id")["embedding_visual"]
    np.testing.assert_allclose(
        hits["score"], [vectors[i] @ query.vector for i in hits["segment_id"]], atol=1e-6
    )
    assert (hits["score"] != hits["score"].round(5)).all()


def test_cosine_ignores_the_length_of_vectors(milvus):
    near, far = at_cosine(0.9, 0.5)
    name = fill(milvus, "lengths", make_segments([far * 100, near * 0.01]))
    hits = search.search_segments(milvus, name, Query(AXIS.vector * 7, "toy", "long"))
    assert list(hits["description"]) == ["row 1", "row 0"]
    np.testing.assert_allclose(hits["score"], [0.9, 0.5], atol=1e-6)


def test_flat_under_a_filter_has_full_recall(milvus, films):
    name, segments = films
    for seed, where, mask in [
        (1, {"video_id": "v042"}, segments["video_id"] == "v042"),
        (2, {"category": ["c1"], "start_offset_sec": (0, 12)}, segments["description"].notna()),
    ]:
        if "category" in where:
            mask = (segments["category"] == "c1") & (segments["start_offset_sec"] <= 12)
        query = Query(random_vectors(1, seed)[0], "toy", "q")
        hits = search.search_segments(milvus, name, query, limit=8, where=where)
        assert list(hits["segment_id"]) == nearest(segments[mask], query, 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "params"), [("HNSW", {"M": 4, "efConstruction": 20}), ("IVF_FLAT", {"nlist": 20})]
)
def test_an_approximate_index_under_a_filter_is_not_silently_short(milvus, kind, params):
    # One film lies far from the query: the index looks near it and finds none of its clips.
    far = make_segments(-AXIS.vector + 0.1 * random_vectors(10), video="far")
    near = make_segments(AXIS.vector + 0.1 * random_vectors(1500))
    name = fill(milvus, "approximate", pd.concat([near, far]), index_type=kind, index_params=params)
    milvus.release_collection(name)
    milvus.load_collection(name)
    raw = milvus.search(
        name, data=[AXIS.vector], filter='video_id == "far000"', limit=8, anns_field="embedding_visual"
    )[0]
    assert len(raw) < 8, "Milvus now finds them: the workaround may go"
    hits = search.search_segments(milvus, name, AXIS, limit=8, where={"video_id": "far000"})
    assert list(hits["segment_id"]) == nearest(far, AXIS, 8)
    assert list(hits) == HITS
    assert len(search.search_segments(milvus, name, AXIS, limit=20, where={"video_id": "far000"})) == 10
    store.drop_collection(milvus, name, settings=load_settings())


@pytest.mark.slow
def test_clips_unless_asked_for_whole_videos(milvus):
    clips, films = make_segments(at_cosine(0.5, 0.4)), make_segments(at_cosine(0.9), scope="asset")
    name = fill(milvus, "scopes", clips, films)
    found = {
        s: list(search.search_segments(milvus, name, AXIS, scope=s)["score"]) for s in ("clip", "asset", None)
    }
    for scope, scores in {"clip": [0.5, 0.4], "asset": [0.9], None: [0.9, 0.5, 0.4]}.items():
        assert found[scope] == pytest.approx(scores, abs=1e-6)
    assert set(search.search_videos(milvus, name, AXIS)["embedding_scope"]) == {"clip"}


def test_placeholder_rows_are_never_returned(milvus):
    # The placeholder is the first axis, so it would score 1.0; every real row scores below zero.
    rows = [
        {"visual": v, "audio": v if i < 2 else None} for i, v in enumerate(at_cosine(-0.9, -0.2, -0.5, -0.6))
    ]
    name = fill(milvus, "placeholders", make_segments(rows, clips=2))
    hits = search.search_segments(milvus, name, AXIS, option="audio", limit=4)
    assert list(hits["description"]) == ["row 1", "row 0"]
    assert len(search.search_videos(milvus, name, AXIS, option="audio")) == 1
    assert len(search.recommend(milvus, name, ["v000/clip/0000"], option="audio")) == 1
    with pytest.raises(SearchError, match="has no audio vector"):
        search.segment_query(milvus, name, "v001/clip/0000", option="audio")


@pytest.mark.slow
def test_equal_scores_are_ordered_by_id_wherever_the_list_is_cut(milvus):
    same = at_cosine(0.5)[0]
    table = make_segments([*at_cosine(0.8), *[same] * 40, *at_cosine(0.1)], clips=50)
    shuffled = table.sample(frac=1, random_state=3)
    name = fill(milvus, "ties", shuffled[:20], shuffled[20:])
    ids = list(table["segment_id"])
    for limit in (1, 2, 3, 7, 41, 42, 60):
        hits = search.search_segments(milvus, name, AXIS, limit=limit)
        assert list(hits["segment_id"]) == ids[:limit]


def test_an_empty_collection_and_an_empty_answer_keep_their_columns(milvus):
    table = make_segments(random_vectors(3))
    milvus.drop_collection("empty")
    store_collection.create_collection(milvus, "empty", table)
    assert list(search.search_segments(milvus, "empty", AXIS)) == HITS
    assert len(search.search_segments(milvus, "empty", AXIS)) == 0
    assert list(search.search_videos(milvus, "empty", AXIS)) == HITS
    store_io.insert_segments(milvus, "empty", table)
    assert len(search.search_segments(milvus, "empty", AXIS, where={"category": "none"})) == 0


def test_rows_that_are_not_flushed_yet_are_found(milvus):
    table = make_segments(at_cosine(0.3, 0.2))
    name = fill(milvus, "late", table[:1])
    row = milvus.query(name, filter="", limit=1, output_fields=["*"])[0]
    late = {**row, "segment_id": "late", "embedding_visual": AXIS.vector}
    milvus.upsert(name, [late])
    assert list(search.search_segments(milvus, name, AXIS)["segment_id"]) == ["late", "v000/clip/0000"]


def test_milvus_is_asked_for_named_fields_without_vectors(milvus, films):
    asked = []

    class Spy:
        def __getattr__(self, method):
            return getattr(milvus, method)

        def search(self, *args, **kwargs):
            asked.append(kwargs)
            return milvus.search(*args, **kwargs)

    search.search_segments(Spy(), films[0], AXIS)
    assert set(asked[0]["output_fields"]) == set(HITS) - {"rank", "score"}
    assert asked[0]["anns_field"] == "embedding_visual"


# Videos, recommendation, a clip as query


def test_videos_come_once_each_by_their_best_clip(milvus, films):
    name, segments = films
    query = Query(random_vectors(1, seed=5)[0], "toy", "q")
    hits = search.search_videos(milvus, name, query, limit=12)
    ranked = segments.set_index("segment_id").loc[nearest(segments, query, 1000), "video_id"]
    assert list(hits["segment_id"]) == list(ranked.drop_duplicates().index[:12])
    assert list(hits["rank"]) == list(range(1, 13))


@pytest.mark.slow
def test_videos_are_not_short_where_one_video_owns_the_nearest_clips(milvus):
    crowd = make_segments(AXIS.vector + 0.01 * random_vectors(900), clips=900, video="crowd")
    others = make_segments(random_vectors(60, seed=2), clips=10)
    name = fill(milvus, "crowd", crowd, others)
    hits = search.search_videos(milvus, name, AXIS, limit=5)
    assert hits["video_id"].is_unique
    assert len(hits) == 5
    assert hits["video_id"][0] == "crowd000"
    assert len(search.search_videos(milvus, name, AXIS, limit=50)) == 7
    assert len(search.search_videos(milvus, name, AXIS, where={"video_id": ["v001", "v002"]})) == 2


def test_a_stored_clip_as_the_query_finds_itself_first(milvus, films):
    name, _segments = films
    query = search.segment_query(milvus, name, "v007/clip/0003")
    assert (query.model, query.source) == ("toy", "v007/clip/0003")
    hits = search.search_segments(milvus, name, query, limit=2)
    assert hits["segment_id"][0] == "v007/clip/0003"
    assert hits["score"][0] == pytest.approx(1, abs=1e-6)


def test_recommend_searches_near_the_mean_of_the_liked_without_them(milvus, films):
    name, segments = films
    vectors = segments.set_index("segment_id")["embedding_visual"]
    liked, disliked = ["v001/clip/0001", "v002/clip/0002", "v003/clip/0003"], ["v004/clip/0004"]
    hits = search.recommend(milvus, name, liked, limit=6)
    mean = Query(np.mean([vectors[i] for i in liked], axis=0), "toy", "")
    rest = segments[~segments["segment_id"].isin(liked)]
    assert list(hits["segment_id"]) == nearest(rest, mean, 6)
    away = Query(mean.vector - vectors[disliked[0]], "toy", "")
    hits = search.recommend(milvus, name, liked, disliked=disliked, limit=6, where={"category": "c1"})
    rest = rest[(rest["category"] == "c1") & ~rest["segment_id"].isin(disliked)]
    assert list(hits["segment_id"]) == nearest(rest, away, 6)


def test_what_cannot_be_recommended(milvus, films):
    name, one = films[0], "v001/clip/0001"
    for arguments, message in [
        ({"liked": []}, "a list of at least one"),
        ({"liked": one}, "a list of at least one"),
        ({"liked": ["nothing"]}, "no segment 'nothing'"),
        ({"liked": [one], "disliked": [one]}, "cancel each other out"),
        ({"liked": [one], "option": "audio"}, "no option 'audio': choose from visual"),
    ]:
        with pytest.raises(SearchError, match=message):
            search.recommend(milvus, name, **arguments)


# Refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"query": replace(AXIS, model="marengo3.5")},
            "'marengo3.5', but the collection 'films' holds .*'toy'",
        ),
        ({"query": replace(AXIS, vector=np.ones(3))}, r"shape \(3,\), but 'films' takes \(16,\)"),
        ({"query": replace(AXIS, vector=np.zeros(DIM))}, "all zeros"),
        ({"query": replace(AXIS, vector=np.full(DIM, np.nan))}, "not a finite number"),
        ({"query": "a rabbit"}, "make one with embed_text"),
        ({"option": "audio"}, "no option 'audio': choose from visual"),
        ({"limit": 0}, "limit is 0"),
        ({"limit": 2.5}, "limit is 2.5"),
        ({"limit": 16_384}, "from 1 to 16383"),
        ({"scope": "video"}, "choose clip, asset, or None"),
        ({"where": {"embedding_scope": "asset"}}, "choose it with scope"),
        ({"where": {"colour": "red"}}, "no field 'colour'"),
        ({"where": "colour == 'red'"}, "unknown field 'colour'"),
        ({"where": "category =="}, "check its filter"),
    ],
)
def test_a_search_that_cannot_be_answered_is_refused(milvus, films, arguments, message):
    with pytest.raises(SearchError, match=message):
        search.search_segments(milvus, films[0], **{"query": AXIS, **arguments})


def test_every_search_compares_the_model(milvus, films):
    other = replace(AXIS, model="marengo3.5")
    for function in (search.search_segments, search.search_videos):
        with pytest.raises(SearchError, match="embed the query with that model"):
            function(milvus, films[0], other)


def test_a_collection_of_a_model_that_is_no_more_is_embedded_again(milvus):
    old = make_segments(np.eye(2, DIM), model="offline-384")
    store_collection.create_collection(milvus, "before", old)
    store_io.insert_segments(milvus, "before", old)
    new = Query(np.eye(1, DIM, dtype=np.float32)[0], "offline-512", "words")
    with pytest.raises(SearchError, match="'offline-384': that model is no more, so embed the videos again"):
        search.search_segments(milvus, "before", new)
    with pytest.raises(
        StoreError, match="a model that is no more: embed its videos again with 'offline-512'"
    ):
        store_collection.create_collection(milvus, "before", old.assign(model="offline-512"))
    with pytest.raises(StoreError, match="two models never share a collection"):
        store_io.insert_segments(milvus, "before", old.assign(model="offline-512"))
    assert store_collection.create_collection(milvus, "before", old).model == "offline-384"  # still read


def test_a_collection_that_is_not_there(milvus):
    with pytest.raises(StoreError, match="no collection 'nowhere'"):
        search.search_segments(milvus, "nowhere", AXIS)


def test_an_expression_of_ones_own_cannot_loosen_scope_or_option(milvus):
    rows = [{"visual": v, "audio": None} for v in at_cosine(0.5, 0.4)]
    name = fill(milvus, "loose", make_segments(rows))
    where = "category == 'c0' or category == 'c1'"
    assert len(search.search_segments(milvus, name, AXIS, where=where)) == 2
    assert len(search.search_segments(milvus, name, AXIS, option="audio", where=where)) == 0
