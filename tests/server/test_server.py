"""The helpers on a real Milvus server (2.3.5, one vector a row): the same calls, the same answers as on Milvus Lite."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import SearchError, StoreError
from helpers.search.hybrid import Leg, hybrid_search
from helpers.search.similarity import recommend, search_segments, search_videos
from helpers.segments import Query
from helpers.store import client as store_client
from helpers.store import io as store
from helpers.store.collection import create_collection
from tests.server.conftest import settings_at
from tests.store.test_store import filled, make_segments, same

pytestmark = pytest.mark.server

CAT, DOG = make_segments("cat-1", n=20, options=["visual"]), make_segments("dog-2", n=20, options=["visual"])
BOTH = pd.concat([CAT, DOG], ignore_index=True)


def query(row):
    return Query(BOTH["embedding_visual"][row], "toy-8", "a clip")


def nearest(segments, row, limit):
    """The ids of the nearest clips, by NumPy."""
    clips = segments[segments["embedding_scope"] == "clip"]
    cosines = np.stack(clips["embedding_visual"]) @ BOTH["embedding_visual"][row]
    return clips["segment_id"].to_numpy()[np.argsort(-cosines)][:limit].tolist()


@pytest.fixture(scope="module")
def stored(server):
    """The name of a collection that holds BOTH; no test changes it."""
    settings = settings_at(server)
    milvus = store_client.connect_milvus(settings)
    filled(milvus, "stored", BOTH)
    store_client.disconnect_milvus(milvus, settings)
    return "stored"


def test_what_goes_in_comes_out(milvus, stored):
    same(store.read_segments(milvus, stored), BOTH)
    assert store.count_segments(milvus, stored) == len(BOTH)
    assert store.count_segments(milvus, stored, where={"video_id": "dog-2", "embedding_scope": "clip"}) == 20


def test_writes(milvus, name):
    filled(milvus, name, BOTH, BOTH)
    again = make_segments("cat-1", n=5, options=["visual"], segmentation="dynamic-4")
    store.insert_segments(milvus, name, again)
    now = pd.concat([again, DOG], ignore_index=True)
    same(store.read_segments(milvus, name), now)
    clusters = pd.Series([7, 8], index=now["segment_id"][:2])
    assert store.update_clusters(milvus, name, clusters) == 2
    same(store.read_segments(milvus, name), now.assign(cluster=[7, 8] + [-1] * (len(now) - 2)))
    assert store.delete_video(milvus, name, "dog-2") == len(DOG)
    assert store.count_segments(milvus, name) == len(again)


def test_search(milvus, stored):
    hits = search_segments(milvus, stored, query(3), limit=10)
    assert list(hits["segment_id"]) == nearest(BOTH, 3, 10)
    assert hits["score"][0] == pytest.approx(1)
    assert list(search_videos(milvus, stored, query(3))["video_id"]) == ["cat-1", "dog-2"]
    assert BOTH["segment_id"][3] not in set(recommend(milvus, stored, [BOTH["segment_id"][3]])["segment_id"])


def test_hybrid_search_is_fused_by_the_helper(milvus, stored):
    hits = hybrid_search(milvus, stored, [Leg(query(3), "visual"), Leg(query(30), "visual")], limit=10)
    ranks = [nearest(BOTH, row, len(BOTH)) for row in (3, 30)]
    points = {key: sum(1 / (61 + list_.index(key)) for list_ in ranks) for key in ranks[0]}
    assert list(hits["segment_id"]) == sorted(points, key=lambda key: (-round(points[key], 8), key))[:10]


def test_filters(milvus, stored):
    where = {"video_id": "dog-2", "start_offset_sec": (0, 60)}
    hits = search_segments(milvus, stored, query(3), limit=50, where=where)
    assert list(hits["segment_id"]) == nearest(DOG[DOG["start_offset_sec"] <= 60], 3, 50)
    nasty = {"title": 'a" or start_offset_sec >= 0 or title == "'}
    assert search_segments(milvus, stored, query(3), where=nasty).empty
    with pytest.raises(SearchError, match="failed"):
        search_segments(milvus, stored, query(3), where="title ==")


def test_more_options_than_the_server_holds(milvus, name, caplog):
    two = make_segments("cat-1", options=["visual", "audio"])
    with pytest.raises(StoreError, match=r"2\.3\.5.* holds one vector a row.*options=\['visual'\]"):
        create_collection(milvus, name, two)
    create_collection(milvus, name, two, options=["visual"])
    assert store.insert_segments(milvus, name, two) == len(two)
    assert "has no place for audio" in caplog.text
    same(store.read_segments(milvus, name), two.drop(columns="embedding_audio"))


def test_a_collection_that_is_not_there(milvus):
    with pytest.raises(StoreError, match="There is no collection 'none'"):
        store.count_segments(milvus, "none")


def test_a_collection_that_was_released_is_loaded(milvus, stored):
    milvus.release_collection(stored)
    assert len(search_segments(milvus, stored, query(3))) == 5
