"""A filtered search finds the nearest, whatever the index: against exact NumPy, over random filters."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.search import nearest as nearest_rows
from helpers.search.hybrid import Leg, hybrid_search
from helpers.search.similarity import recommend, search_segments, search_videos
from helpers.segments import COLUMNS, Query
from helpers.settings import load_settings
from helpers.store import opened
from helpers.store.client import connect_milvus, disconnect_milvus
from helpers.store.collection import LITE_INDEXES, create_collection
from helpers.store.io import insert_segments

pytest.importorskip("resource", reason="Windows cannot run the server of the faults")

from tools.faults.store_server import Server

DIM, TOPICS = 32, 40


def make_segments(n):
    """Clips of fifty to a video, in topics that lie far apart; a category is five topics."""
    random = np.random.default_rng(1)
    topics = random.normal(size=(TOPICS, DIM))
    topic = (np.arange(n) // 50 * 7 + random.integers(0, 3, n)) % TOPICS
    vectors = (topics[topic] + 0.5 * random.normal(size=(n, DIM))).astype(np.float32)
    table = pd.DataFrame({column: [""] * n for column in COLUMNS}).assign(model="toy", segmentation="fixed-6")
    table["video_id"] = [f"v{i // 50:04}" for i in range(n)]
    table["segment_id"] = [f"v{i // 50:04}/{i % 50:02}" for i in range(n)]
    table["category"] = [f"c{t // 5}" for t in topic]
    table["recorded_at"] = [f"20{10 + i // 50 % 15}-01-01" for i in range(n)]
    table["embedding_scope"], table["video_url"] = "clip", "v.mp4"
    table["start_offset_sec"] = np.arange(n) % 50 * 6.0
    table["end_offset_sec"] = table["start_offset_sec"] + 6
    table["cluster"] = random.integers(0, 200, n)
    return table.assign(embedding_visual=list(vectors))


def random_filter(table, random):
    """A filter as a dict, and which rows match it: from a few rows to nearly all of them."""
    low, share = random.integers(0, 200), random.choice([0, 2, 20, 150])
    first = random.integers(0, 50) * 6.0
    videos = list(random.choice(table["video_id"].unique(), size=random.integers(1, 6), replace=False))
    categories = [f"c{i}" for i in random.choice(8, size=random.integers(1, 8), replace=False)]
    tests = {
        "video_id": (videos, table["video_id"].isin(videos)),
        "category": (categories, table["category"].isin(categories)),
        "cluster": ((int(low), int(low + share)), table["cluster"].between(low, low + share)),
        "start_offset_sec": ((first, first + 60), table["start_offset_sec"].between(first, first + 60)),
    }
    used = random.choice(list(tests), size=random.choice([1, 1, 1, 2]), replace=False)
    mask = np.logical_and.reduce([tests[field][1].to_numpy() for field in used])
    return {field: tests[field][0] for field in used}, mask


def random_query(vectors, random):
    a, b = vectors[random.integers(len(vectors), size=2)]
    return Query((a + random.choice([0, 1]) * b).astype(np.float32), "toy", "q")


def recalls(milvus, name, table, count, seed):
    """Of so many filtered searches, the share of the ten nearest rows that each one found."""
    random = np.random.default_rng(seed)
    vectors = np.stack(list(table["embedding_visual"])).astype(np.float64)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = []
    while len(found) < count:
        where, mask = random_filter(table, random)
        query = random_query(vectors, random)
        scores = pd.Series(units @ query.vector / np.linalg.norm(query.vector), index=table["segment_id"])
        nearest = np.sort(scores[mask])[::-1][:10]
        hits = search_segments(milvus, name, query, limit=10, where=where)
        assert len(hits) == len(nearest), where
        own = scores[hits["segment_id"]].to_numpy()
        np.testing.assert_allclose(hits["score"].astype(float), own, atol=1e-6)
        if len(nearest):
            found.append(np.mean(own >= nearest[-1] - 1e-6))
    return np.array(found)


def filled(milvus, kind, table):
    name = f"c_{kind}"
    create_collection(milvus, name, table, index_type=kind)
    insert_segments(milvus, name, table)
    milvus.release_collection(name)
    milvus.load_collection(name)
    return name


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    settings = replace(load_settings(), milvus_uri=str(tmp_path_factory.mktemp("m") / "f.db"), prefix="")
    client = connect_milvus(settings)
    yield client
    disconnect_milvus(client, settings)


@pytest.fixture(scope="module")
def table():
    return make_segments(2000)


QUICK = ("AUTOINDEX", "FLAT")
KINDS = [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in LITE_INDEXES]


@pytest.fixture(scope="module", params=KINDS)
def name(request, milvus, table):
    return filled(milvus, request.param, table)


@pytest.mark.parametrize("in_memory", [10_000, 40, -1])
def test_a_filtered_search_finds_the_nearest(milvus, name, table, monkeypatch, in_memory):
    monkeypatch.setattr(nearest_rows, "IN_MEMORY", in_memory)
    recall = recalls(milvus, name, table, 10, seed=2)
    assert recall.mean() >= 0.99 and recall.min() >= 0.8


def test_so_do_the_other_searches(milvus, name, table):
    random = np.random.default_rng(3)
    vectors = np.stack(list(table["embedding_visual"])).astype(np.float64)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    where, mask = {"category": ["c1", "c2"]}, table["category"].isin(["c1", "c2"]).to_numpy()
    query = Query(vectors[~mask][5].astype(np.float32), "toy", "far from all that match")
    scores = pd.Series(units @ query.vector, index=table["segment_id"])[mask].sort_values(ascending=False)
    videos = search_videos(milvus, name, query, limit=5, where=where)
    assert list(videos["video_id"]) == list(dict.fromkeys(key.split("/")[0] for key in scores.index))[:5]
    liked = str(random.choice(table["segment_id"][~mask]))
    mean = pd.Series(units @ units[table["segment_id"] == liked][0], index=table["segment_id"])[mask]
    likes = recommend(milvus, name, [liked], limit=5, where=where)
    assert list(likes["segment_id"]) == list(mean.nlargest(5).index)
    both = hybrid_search(milvus, name, [Leg(query, "visual"), Leg(query, "visual")], limit=5, where=where)
    assert list(both["segment_id"]) == list(scores.index[:5])


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_log_says_what_was_chosen(milvus, name, table, caplog, monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.setattr(opened, "find_rows", lambda *_: None)
    caplog.set_level(logging.DEBUG, logger="video_search.search")
    query = Query(table["embedding_visual"][0], "toy", "q")
    search_segments(milvus, name, query, where={"video_id": "v0007"})
    said = [r.getMessage() for r in caplog.records if r.name == "video_search.search"]
    if name.endswith(("HNSW", "HNSW_SQ", "AUTOINDEX")):
        if in_memory:
            assert said == [f"Few rows match, so all 50 were scored without the {name[2:]} index."]
        else:
            assert said == [f"The {name[2:]} index met few rows that match, so all 50 were scored."]
    elif "IVF" in name:
        assert said == [f"Every cell of the {name[2:]} index was searched."]
    else:
        assert not said


def test_a_graph_is_not_searched_far_where_nearly_all_rows_match(milvus, name, table, monkeypatch):
    asked, real = [], milvus.search
    monkeypatch.setattr(
        milvus, "search", lambda *a, **kw: asked.append(kw["search_params"]) or real(*a, **kw)
    )
    search_segments(milvus, name, Query(table["embedding_visual"][0], "toy", "q"))
    ef = [params.get("params", {}).get("ef", 0) for params in asked]
    assert len(ef) == 1 and ef[0] <= 512


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "rows", "each"),  # a folder's memory can be looked into, a server's cannot
    [
        pytest.param("server", 1000, 10, id="sixty, on a server"),
        pytest.param("server", 5000, 84, id="five hundred, on a server", marks=pytest.mark.nightly),
        pytest.param("folder", 5000, 84, id="five hundred, in a folder", marks=pytest.mark.nightly),
    ],
)
def test_random_filters(tmp_path, where, rows, each):
    server = Server(tmp_path / "server") if where == "server" else None
    uri = f"http://127.0.0.1:{server.port}" if server else str(tmp_path / "thousand.db")
    settings = replace(load_settings(), milvus_uri=uri, milvus_token="", prefix="")
    try:
        client, table = connect_milvus(settings), make_segments(rows)
        for seed, kind in enumerate(LITE_INDEXES):
            recall = recalls(client, filled(client, kind, table), table, each, seed=10 + seed)
            assert recall.mean() >= 0.99 and recall.min() >= 0.8, kind
        disconnect_milvus(client, settings)
    finally:
        if server:
            server.kill()
