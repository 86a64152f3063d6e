"""Who sees what on a server: own writes, those of another process, what a kill -9 leaves, one's own collections."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from helpers.errors import StoreError
from helpers.search.similarity import search_segments
from helpers.segments import Query
from helpers.store import client as store_client
from helpers.store import io as store
from helpers.store.collection import create_collection
from helpers.store.opened import open_collection
from tests.server.conftest import settings_at
from tests.store.test_store import filled, make_segments, same
from tools.faults.store_server import deadlines

pytestmark = pytest.mark.server

SEEN = "seen"  # the collection of the tests in which two processes write
ANOTHER = """
import json, sys
from pymilvus import MilvusClient

milvus = MilvusClient(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    milvus.upsert(sys.argv[2], json.loads(line))
    print("written", flush=True)
"""


def video_of(video, n=2, **columns):
    return make_segments(video, n=n, options=["visual"], **columns)


def rows_of(segments):
    return [row | {"has_visual": True} for row in segments.to_dict("records")]


@pytest.fixture(scope="module")
def elsewhere(server):
    """Writes segments to the collection SEEN from another process, without a flush."""
    settings = settings_at(server)
    milvus = store_client.connect_milvus(settings)
    create_collection(milvus, SEEN, video_of("cat-0"))
    store_client.disconnect_milvus(milvus, settings)
    command = [sys.executable, "-c", ANOTHER, server.uri, SEEN]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"

        def write(segments):
            rows = [row | {"embedding_visual": row["embedding_visual"].tolist()} for row in rows_of(segments)]
            process.stdin.write(json.dumps(rows) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "written\n"

        yield write
        process.stdin.close()


def test_ones_own_write_is_seen_20_times_of_20(milvus, elsewhere):
    for number in range(20):
        video = video_of(f"cat-{number}")
        milvus.upsert(SEEN, rows_of(video))
        query = Query(video["embedding_visual"][0], "toy-8", "a clip")
        assert search_segments(milvus, SEEN, query, limit=1)["video_id"][0] == f"cat-{number}"
        assert store.count_segments(milvus, SEEN, where={"video_id": f"cat-{number}"}) == 3


def test_what_another_process_wrote_is_seen_where_strong_is_asked_for(milvus, elsewhere):
    for number in range(20):
        video = video_of(f"dog-{number}")
        elsewhere(video)
        found = open_collection(milvus, SEEN, strong=True).get(list(video["segment_id"]), ["segment_id"])
        assert len(found) == len(video)


def test_a_write_takes_into_account_what_another_process_has_just_written(milvus, elsewhere):
    elsewhere(video_of("bird-1"))
    new = video_of("bird-1", n=4, segmentation="dynamic-4")
    store.insert_segments(milvus, SEEN, new)  # replaces the other segmentation
    same(store.read_segments(milvus, SEEN, where={"video_id": "bird-1"}), new)
    elsewhere(video_of("bird-2"))
    clusters = pd.Series([1, 2, 3], index=video_of("bird-2")["segment_id"])
    assert store.update_clusters(milvus, SEEN, clusters) == 3
    elsewhere(video_of("bird-3"))
    assert store.delete_video(milvus, SEEN, "bird-3") == 3


def test_a_kill_between_two_batches_loses_nothing(server, milvus, name, monkeypatch):
    segments = video_of("cat-1", n=99)
    create_collection(milvus, name, segments)
    upsert, calls = store_client.Client.upsert, iter(range(99))

    def killing(self, *args, **options):
        if next(calls) == 2:
            server.kill()
        return upsert(self, *args, **options)

    monkeypatch.setattr(store_client.Client, "upsert", killing)
    with deadlines(2), pytest.raises(StoreError, match="Not all rows were written.*insert them again"):
        store.insert_segments(milvus, name, segments, batch_size=20)
    server.start()
    assert len(open_collection(milvus, name, strong=True).query("cluster == -1", ["segment_id"])) >= 40
    assert store.insert_segments(milvus, name, segments) == 100
    same(store.read_segments(milvus, name), segments)
    assert len(search_segments(milvus, name, Query(segments["embedding_visual"][3], "toy-8", "a clip"))) == 5


def test_two_learners_do_not_see_or_drop_each_other(server):
    anna, ben = (settings_at(server, prefix=prefix) for prefix in ("anna_", "ben_"))
    hers, his = (store_client.connect_milvus(settings) for settings in (anna, ben))
    cat, dog = video_of("cat-1"), video_of("dog-2")
    filled(hers, store_client.collection_name(anna, "videos"), cat)
    filled(his, store_client.collection_name(ben, "videos"), dog)
    store_client.drop_collection(
        hers, "ben_videos", settings=anna
    )  # names anna_ben_videos, which is not there
    hits = search_segments(his, "ben_videos", Query(cat["embedding_visual"][0], "toy-8", "a clip"))
    assert set(hits["video_id"]) == {"dog-2"}
    store_client.drop_collection(hers, "videos", settings=anna)
    assert not his.has_collection("anna_videos")
    assert store.count_segments(his, "ben_videos") == len(dog)
    store_client.disconnect_milvus(hers, anna)
    store_client.disconnect_milvus(his, ben)
