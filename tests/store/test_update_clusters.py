"""`update_clusters` on a real Milvus Lite: writes the clusters, and nothing else, or nothing at all."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import StoreError
from helpers.search.similarity import search_segments
from helpers.segments import COLUMNS, Query, vector_field
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store
from helpers.store.opened import open_collection
from tests.store.test_store import Spy, lacking, make_segments, same, settings_in
from tests.store.test_store import milvus as milvus


@pytest.fixture
def segments():
    """Clips of two videos; one clip has no description vector."""
    table = pd.concat([make_segments("cat-1", title='"Ünï" film'), make_segments("dog-2")], ignore_index=True)
    return lacking(table, "description", [1])


def filled(milvus, name, segments):
    store_collection.create_collection(milvus, name, segments)
    store.insert_segments(milvus, name, segments)


def numbers_for(segments, *numbers):
    return pd.Series(numbers, index=list(segments["segment_id"])[: len(numbers)], dtype="int64")


def raw(milvus, name):
    """Every stored field of every row but the cluster, placeholder vectors and flags included."""
    fields = [f["name"] for f in milvus.describe_collection(name)["fields"] if f["name"] != "cluster"]
    rows = {row["segment_id"]: row for row in open_collection(milvus, name).iterate("", fields)}
    return {key: {f: np.asarray(row[f]).tolist() for f in fields} for key, row in rows.items()}


def stored_clusters(milvus, name):
    table = store.read_segments(milvus, name)
    return dict(zip(table["segment_id"], table["cluster"], strict=True))


def test_only_the_cluster_changes(milvus, name, segments):
    filled(milvus, name, segments)
    before = raw(milvus, name)
    assert store.update_clusters(milvus, name, numbers_for(segments, 4, 3, -1)) == 3
    assert raw(milvus, name) == before
    wanted = [4, 3, -1] + [-1] * (len(segments) - 3)
    same(store.read_segments(milvus, name), segments.assign(cluster=wanted))
    assert store.count_segments(milvus, name) == len(segments)
    store.update_clusters(milvus, name, numbers_for(segments, -1, 3, 5))  # noise again, the same, another
    assert list(numbers_for(segments, -1, 3, 5).items()) == [
        (key, stored_clusters(milvus, name)[key]) for key in segments["segment_id"][:3]
    ]


def test_clusters_survive_a_reopen_and_the_update_finds_a_collection_that_is_not_loaded(tmp_path, segments):
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    filled(client, "c", segments)
    store_client.disconnect_milvus(client, settings)
    client = store_client.connect_milvus(settings)
    store.update_clusters(client, "c", numbers_for(segments, 7, 8))
    store_client.disconnect_milvus(client, settings)
    client = store_client.connect_milvus(settings)
    same(store.read_segments(client, "c"), segments.assign(cluster=[7, 8] + [-1] * (len(segments) - 2)))
    store_client.disconnect_milvus(client, settings)


@pytest.mark.parametrize("unknown", ["nobody", "", 'x" or segment_id != "', "back\\slash", "it's"])
def test_an_unknown_id_is_refused_with_nothing_written(milvus, name, segments, unknown):
    filled(milvus, name, segments)
    spy = Spy(milvus)
    clusters = pd.concat([numbers_for(segments, 1, 2, 3), pd.Series([4], index=[unknown])])
    with pytest.raises(
        StoreError, match="^Nothing was written, as 1 of 4 segments are not in .*: insert them first.$"
    ):
        store.update_clusters(spy, name, clusters, batch_size=1)
    assert "upsert" not in [call for call, _ in spy.calls]
    same(store.read_segments(milvus, name), segments)


@pytest.mark.parametrize(
    ("clusters", "match"),
    [
        (pd.Series([1.5], index=["a"]), "no whole number"),
        (pd.Series([np.nan], index=["a"]), "no whole number"),
        (pd.Series(["1"], index=["a"]), "no whole number"),
        (pd.Series([True], index=["a"]), "no whole number"),
        (pd.Series([1, 2], index=["a", "a"]), "twice"),
        (pd.Series([1, 2]), "segment_id"),
    ],
)
def test_clusters_that_are_none_are_refused(milvus, name, segments, clusters, match):
    filled(milvus, name, segments)
    with pytest.raises(StoreError, match=match):
        store.update_clusters(milvus, name, clusters)


def test_no_clusters_no_collection_no_batch(milvus, name, segments):
    with pytest.raises(StoreError, match="There is no collection"):
        store.update_clusters(milvus, name, numbers_for(segments, 1))
    filled(milvus, name, segments)
    assert store.update_clusters(milvus, name, pd.Series(dtype="int64")) == 0
    with pytest.raises(StoreError, match="batch_size"):
        store.update_clusters(milvus, name, numbers_for(segments, 1), batch_size=0)


def test_inserting_again_keeps_the_clusters(milvus, name, segments):
    filled(milvus, name, segments)
    numbers = numbers_for(segments, *range(len(segments)))
    store.update_clusters(milvus, name, numbers)
    store.insert_segments(milvus, name, segments.assign(category="birds"))
    assert stored_clusters(milvus, name) == numbers.to_dict()


def test_search_within_a_cluster_finds_only_its_segments(milvus, name, segments):
    filled(milvus, name, segments)
    clips = segments[segments["embedding_scope"] == "clip"]
    store.update_clusters(milvus, name, pd.Series([3, 0, 3, 0, 3, 0], index=clips["segment_id"]))
    query = Query(segments[vector_field("visual")][1], "toy-8", "test")  # its own clip is in cluster 0
    hits = search_segments(milvus, name, query, limit=10, where={"cluster": 3})
    assert set(hits["segment_id"]) == set(clips["segment_id"].iloc[[0, 2, 4]])
    assert (hits["cluster"] == 3).all()
    assert search_segments(milvus, name, query, limit=10, where={"cluster": 9}).empty
    assert len(search_segments(milvus, name, query, limit=10)) == 6


@pytest.mark.slow
def test_thousands_of_rows_go_in_batches_and_are_flushed(milvus, name):
    rng, n = np.random.default_rng(0), 3_000
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    row = make_segments(n=1, options=()).iloc[0].to_dict()
    table = pd.DataFrame([{column: row[column] for column in COLUMNS}] * n)
    table["segment_id"], table["video_id"] = [f"s{i}" for i in range(n)], [f"v{i}" for i in range(n)]
    table["embedding_visual"] = list(vectors)
    store_collection.create_collection(milvus, name, table)
    store.insert_segments(milvus, name, table, batch_size=n)
    clusters = pd.Series(rng.integers(0, 20, size=n), index=table["segment_id"]).sample(
        frac=1, random_state=0
    )
    spy = Spy(milvus)
    assert store.update_clusters(spy, name, clusters) == n
    calls = [call for call, _ in spy.calls]
    assert calls.count("upsert") == 3 and calls[-1] == "flush"  # unflushed rows are slow to search
    spy.calls.clear()
    assert store.update_clusters(spy, name, clusters) == n  # all as it should be: nothing to write
    assert "upsert" not in [call for call, _ in spy.calls]
    clusters = clusters.where(clusters > 9, (clusters + 1) % 7)
    store.update_clusters(milvus, name, clusters)
    numbers = clusters.loc[table["segment_id"]].to_numpy()
    same(store.read_segments(milvus, name), table.assign(cluster=numbers))
    # What was updated has left an old version in the files: a search finds none of them.
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    inside = np.flatnonzero(numbers == 3)
    best = inside[np.argsort(-(unit[inside] @ unit[5]))[:10]]
    hits = search_segments(milvus, name, Query(unit[5], "toy-8", "test"), limit=10, where={"cluster": 3})
    assert list(hits["segment_id"]) == [f"s{i}" for i in best]


class Old(Spy):
    """A server before 2.6.2, as far as the helpers can tell: it has no partial upsert."""

    def __init__(self, milvus):
        super().__init__(milvus)
        self.version = "v2.3.5-lite"

    def upsert(self, name, rows, **options):
        assert not options.get("partial_update"), "this server would refuse it"
        self.milvus.upsert(name, rows)


def test_a_server_without_partial_upsert_gets_whole_rows(milvus, name, segments):
    filled(milvus, name, segments)
    before = raw(milvus, name)
    assert store.update_clusters(Old(milvus), name, numbers_for(segments, 4, 3, -1), batch_size=2) == 3
    assert raw(milvus, name) == before
    assert list(stored_clusters(milvus, name).values()).count(-1) == len(segments) - 2
