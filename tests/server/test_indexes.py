"""Approximate indexes and partitions on a real server."""

import pytest

from helpers.search.similarity import search_segments
from helpers.store import io as store
from helpers.store import opened
from helpers.store.opened import open_collection
from tests.server.test_server import BOTH, CAT, DOG, nearest, query
from tests.store.test_store import filled, make_segments

pytestmark = pytest.mark.server


@pytest.mark.parametrize("kind", ["HNSW", "IVF_FLAT"])
def test_an_approximate_index(milvus, name, kind):
    many = make_segments("cat-1", n=1500, options=["visual"])  # below 1,024 rows a server builds no index
    filled(milvus, name, many, index_type=kind)
    about = milvus.describe_index(name, "embedding_visual")
    assert (about["indexed_rows"], about["pending_index_rows"]) == (len(many), 0)
    hits = search_segments(milvus, name, query(3), limit=10)
    assert len(set(nearest(many, 3, 10)) & set(hits["segment_id"])) >= 9
    few = {"start_offset_sec": (0, 60)}
    expected = nearest(many[many["start_offset_sec"] <= 60], 3, 10)
    assert list(search_segments(milvus, name, query(3), limit=10, where=few)["segment_id"]) == expected


def test_who_waits_too_long_for_an_index_is_told(milvus, name, monkeypatch, caplog):
    monkeypatch.setattr(opened, "WORK_SECONDS", 0.0)
    monkeypatch.setattr(opened, "pending_rows", lambda about: 7)  # a quick server is done before it is asked
    filled(milvus, name, make_segments("cat-1", n=1500, options=["visual"]), index_type="HNSW")
    assert f"Milvus is still indexing 7 rows of {name}" in caplog.text
    caplog.clear()
    assert open_collection(milvus, name).index("visual")[0] == "HNSW"
    assert "so this search may miss some" in caplog.text


def test_partitions_of_pymilvus(milvus, name):
    filled(milvus, name, CAT)
    milvus.create_partition(name, "dogs")
    rows = [row | {"has_visual": True} for row in DOG.to_dict("records")]
    milvus.insert(name, rows, partition_name="dogs")
    assert store.count_segments(milvus, name) == len(BOTH)
    assert list(search_segments(milvus, name, query(30), limit=10)["segment_id"]) == nearest(BOTH, 30, 10)
    fields = {"output_fields": ["video_id"], "consistency_level": "Session"}
    found = milvus.search(name, [query(3).vector], limit=5, partition_names=["dogs"], **fields)[0]
    assert {hit["entity"]["video_id"] for hit in found} == {"dog-2"}
    assert store.delete_video(milvus, name, "dog-2") == len(DOG)
    assert store.count_segments(milvus, name) == len(CAT)
