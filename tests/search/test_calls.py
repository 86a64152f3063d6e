"""How many calls of Milvus an operation makes, and that nothing is remembered from one call to the next."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from pymilvus import MilvusClient

from helpers.errors import SearchError, StoreError
from helpers.search.hybrid import Leg, hybrid_search, hybrid_videos
from helpers.search.similarity import recommend, search_segments, search_videos, segment_query
from helpers.segments import Query
from helpers.settings import load_settings
from helpers.store.client import connect_milvus, disconnect_milvus
from helpers.store.collection import create_collection
from helpers.store.io import count_segments, delete_video, insert_segments, read_segments, update_clusters
from tests.store.test_store import DIM, Spy, make_segments, same

pytest.importorskip("resource", reason="Windows cannot run the children of the faults")

from tools.faults.children import in_child
from tools.faults.store_server import Server

CATS, DOGS = make_segments("cat-1"), make_segments("dog-2")
QUERY = Query(CATS["embedding_visual"][1], "toy-8", "a clip")
LEGS = [Leg(QUERY, "visual"), Leg(QUERY, "description")]
CLIP = CATS["segment_id"][0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The address of a Milvus Lite folder, and of a `milvus-lite server`."""
    return tmp_path_factory.mktemp("calls")


@pytest.fixture(scope="module")
def server(folder):
    server = Server(folder / "server")
    yield server
    server.kill()


@pytest.fixture(scope="module", params=["lite", pytest.param("server", marks=pytest.mark.slow)])
def milvus(request, folder):
    """A client of ours, of an embedded folder and of a server."""
    uri = str(folder / "calls.db")
    if request.param == "server":
        uri = f"http://127.0.0.1:{request.getfixturevalue('server').port}"
    settings = replace(load_settings(), milvus_uri=uri, milvus_token="", prefix="")
    client = connect_milvus(settings)
    client.uri = uri
    yield client
    disconnect_milvus(client, settings)


@pytest.fixture
def cats(milvus):
    """A collection that was used before, so that a client has seen it."""
    milvus.drop_collection("c")
    create_collection(milvus, "c", CATS)
    insert_segments(milvus, "c", CATS)
    search_segments(milvus, "c", QUERY)
    return "c"


# How many calls

OPERATIONS = {
    "search": (3, lambda m, c: search_segments(m, c, QUERY, limit=2)),
    "search that finds all there is": (3, lambda m, c: search_segments(m, c, QUERY, limit=50)),
    "search under a filter": (3, lambda m, c: search_segments(m, c, QUERY, where={"title": "nothing"})),
    "search of videos": (3, lambda m, c: search_videos(m, c, QUERY)),
    "hybrid search": (6, lambda m, c: hybrid_search(m, c, LEGS)),
    "hybrid search by weight": (6, lambda m, c: hybrid_search(m, c, LEGS, ranker="weighted", limit=50)),
    "hybrid search of three legs": (8, lambda m, c: hybrid_search(m, c, [*LEGS, Leg(QUERY, "visual")])),
    "hybrid search of videos": (6, lambda m, c: hybrid_videos(m, c, LEGS)),
    "recommendation": (4, lambda m, c: recommend(m, c, [CLIP])),
    "a clip as a query": (2, lambda m, c: segment_query(m, c, CLIP)),
    "insert of new rows": (4, lambda m, c: insert_segments(m, c, DOGS)),
    "insert of the same rows again": (4, lambda m, c: insert_segments(m, c, CATS)),
    "insert without an option": (
        5,
        lambda m, c: insert_segments(m, c, CATS.drop(columns="embedding_visual")),
    ),
    "insert of another segmentation": (
        5,
        lambda m, c: insert_segments(m, c, make_segments("cat-1", n=2, segmentation="fixed-9")),
    ),
    "insert of three batches": (7, lambda m, c: insert_segments(m, c, make_segments("fox", 5), batch_size=2)),
    "update of clusters": (
        4,
        lambda m, c: update_clusters(m, c, CATS.set_index("segment_id")["cluster"] + 1),
    ),
    "count": (2, lambda m, c: count_segments(m, c)),
    "count under a filter": (3, lambda m, c: count_segments(m, c, where={"embedding_scope": "clip"})),
    "read": (2, lambda m, c: read_segments(m, c)),
    "deletion of a video": (4, lambda m, c: delete_video(m, c, "cat-1")),
}


@pytest.mark.parametrize("what", OPERATIONS)
def test_an_operation_makes_few_calls(milvus, cats, what):
    most, operation = OPERATIONS[what]
    spy = Spy(milvus)
    operation(spy, cats)
    calls = [name for name, _ in spy.calls]
    assert len(calls) <= most, calls
    assert calls.count("describe_collection") == 1


# What somebody else does in between


def _drop(uri):
    client = MilvusClient(uri)
    client.drop_collection("c")


def _make_anew(uri, table):
    client = MilvusClient(uri)
    client.drop_collection("c")
    create_collection(client, "c", table)
    insert_segments(client, "c", table)


def _release(uri):
    MilvusClient(uri).release_collection("c")


def elsewhere(milvus, action, *args):
    """Done through a plain client: for a server, by another process."""
    run = functools.partial(in_child, action) if "://" in milvus.uri else action
    assert run(milvus.uri, *args) is None


def test_a_collection_that_was_dropped_is_noticed(milvus, cats):
    elsewhere(milvus, _drop)
    for _, operation in OPERATIONS.values():
        with pytest.raises(StoreError, match=r"^There is no collection 'c': make it with create_collection"):
            operation(milvus, cats)


def test_a_collection_that_was_made_anew_with_another_model_is_noticed(milvus, cats):
    elsewhere(milvus, _make_anew, CATS.assign(model="other"))
    for search in (search_segments, search_videos, lambda m, c, q: hybrid_search(m, c, LEGS)):
        with pytest.raises(SearchError, match=r"'toy-8', but the collection 'c' holds vectors of 'other'"):
            search(milvus, cats, QUERY)
    with pytest.raises(StoreError, match="two models never share a collection"):
        insert_segments(milvus, cats, DOGS)
    assert segment_query(milvus, cats, CLIP).model == "other"


def test_a_collection_that_was_made_anew_with_another_dimension_is_noticed(milvus, cats):
    short = CATS.drop(columns=["embedding_description"])
    short["embedding_visual"] = [vector[:4] for vector in short["embedding_visual"]]
    elsewhere(milvus, _make_anew, short)
    with pytest.raises(SearchError, match=rf"shape \({DIM},\), but 'c' takes \(4,\) for 'visual'"):
        search_segments(milvus, cats, QUERY)
    with pytest.raises(StoreError, match=r"shape \(8,\), and \(4,\) fits"):
        insert_segments(milvus, cats, DOGS.drop(columns="embedding_description"))
    more = short.assign(segment_id="x/" + short["segment_id"], video_id="x")
    assert insert_segments(milvus, cats, more) == len(more)
    found = search_segments(milvus, cats, Query(short["embedding_visual"][0], "toy-8", "q"), limit=20)
    assert len(found) == 6 and (found["score"].round(5)[:2] == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("options", [["visual"], ["visual", "audio"], ["visual", "description", "audio"]])
def test_a_collection_that_was_made_anew_with_other_options_is_noticed(milvus, cats, options):
    table = make_segments("cat-1", options=options)
    elsewhere(milvus, _make_anew, table)
    if "description" not in options:
        with pytest.raises(SearchError, match="'c' has no option 'description': choose from visual"):
            search_segments(milvus, cats, QUERY, option="description")
    more = make_segments("owl-3", options=options)
    assert insert_segments(milvus, cats, more) == 4
    assert update_clusters(milvus, cats, more.set_index("segment_id")["cluster"] + 2) == 4
    stored = read_segments(milvus, cats, where={"video_id": "owl-3"})
    same(stored, more.assign(cluster=1))
    assert len(search_segments(milvus, cats, QUERY, option=options[-1], limit=20)) == 6


def test_a_collection_that_was_made_anew_alike_holds_the_new_rows(milvus, cats):
    elsewhere(milvus, _make_anew, DOGS)
    assert set(search_segments(milvus, cats, QUERY)["video_id"]) == {"dog-2"}
    assert set(hybrid_search(milvus, cats, LEGS)["video_id"]) == {"dog-2"}
    insert_segments(milvus, cats, CATS)
    assert count_segments(milvus, cats) == 8


@pytest.mark.slow
@pytest.mark.parametrize("what", OPERATIONS)
def test_a_collection_that_was_released_is_loaded_again(milvus, cats, what):
    elsewhere(milvus, _release)
    OPERATIONS[what][1](milvus, cats)
    assert len(search_segments(milvus, cats, QUERY, limit=20)) >= (what != "deletion of a video")


@pytest.mark.slow
def test_a_server_that_was_started_again_is_searched_by_the_same_client(folder):
    server = Server(folder / "again")
    try:
        settings = replace(load_settings(), milvus_uri=f"http://127.0.0.1:{server.port}", prefix="")
        client = connect_milvus(settings)
        create_collection(client, "c", CATS)
        insert_segments(client, "c", CATS)
        server.kill()
        server.start()
        assert search_segments(client, "c", QUERY)["score"][0] == pytest.approx(1, abs=1e-6)
        assert np.isfinite(hybrid_search(client, "c", LEGS)["score"]).all()
        disconnect_milvus(client, settings)
    finally:
        server.kill()
