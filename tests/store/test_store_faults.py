"""The store under faults and under bad inputs: nothing lost, nothing doubled, one sentence that says what to do.

What a user sees of each fault stands in docs/faults.md, which `make faults` writes: here every row is compared.
"""

import json
import os
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("resource", reason="Windows has no RLIMIT_FSIZE and no SIGKILL")

from milvus_lite.engine.collection import Collection as LiteCollection
from pymilvus import MilvusException

from helpers import logs
from helpers.errors import SearchError, StoreError, VideoSearchError
from helpers.search.similarity import search_segments
from helpers.store import calls
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store
from helpers.store.errors import milvus_errors
from tools.faults.store import FAULTS
from tools.faults.store_case import OLD, QUERY, opened, toy_segments, toy_settings
from tools.faults.store_kill import killed_at_random
from tools.faults.store_server import Server
from tools.faults.table import store_row, written_rows


def assert_one_sentence(text):
    assert text.endswith(".") and "\n" not in text
    assert not re.search(r"Traceback|StatusCode|Exception|Errno|_Rendezvous", text)


MANY_KILLS = "killed_at_random-25"


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [pytest.param(f, id=f.name, marks=pytest.mark.nightly if f.name == MANY_KILLS else []) for f in FAULTS],
)
def test_nothing_is_lost_or_doubled(fault, tmp_path):
    outcome = fault.run(tmp_path)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    if outcome.sentence:
        assert_one_sentence(outcome.sentence)
    row = store_row(fault, outcome, tmp_path)
    assert row == written_rows()[fault.fault], "run `make faults` and read what has changed"


@pytest.mark.slow
def test_a_few_random_kills_lose_and_double_nothing(tmp_path):
    outcome = killed_at_random(5, tmp_path)
    assert (outcome.lost, outcome.doubled) == (0, 0)


def test_each_fault_has_a_name_of_its_own():
    assert MANY_KILLS in {fault.name for fault in FAULTS}
    assert len({fault.name for fault in FAULTS}) == len({fault.fault for fault in FAULTS}) == len(FAULTS)


# Bad inputs


def _with(column, value, row=2):
    cells = list(OLD[column])
    cells[row] = value
    return OLD.assign(**{column: pd.Series(cells, dtype=object)})


def _insert(table, **options):
    return lambda milvus: store.insert_segments(milvus, "c", table, **options)


def _create(table=OLD, name="x", **options):
    return lambda milvus: store_collection.create_collection(milvus, name, table, **options)


def _clusters(clusters, **options):
    return lambda milvus: store.update_clusters(milvus, "c", clusters, **options)


FIRST = OLD["segment_id"][:1]
BAD_INPUTS = {
    "the name before the client": (
        lambda milvus: store.insert_segments("c", milvus, OLD),
        r"come first, not a str and a Client: give what connect_milvus returned",
    ),
    "settings for a client": (
        lambda milvus: store_collection.create_collection(toy_settings(milvus.folder), "c", OLD),
        r"not a Settings and a str",
    ),
    "a name that is none": (lambda milvus: store.count_segments(milvus, ""), r"There is no collection ''"),
    "a name with a space": (_create(name="my videos"), r"'my videos' cannot name a collection"),
    "a list of rows": (
        _insert(OLD.to_dict("records")),
        r"segments are a list: give the table of embed_videos",
    ),
    "no table": (_create(None), r"segments are a NoneType"),
    "an empty table": (_create(OLD[:0]), r"come from 0 models"),
    "options as text": (_create(options="visual"), r"options are 'visual': give a list"),
    "an option with a space": (_create(options=["visual", "a b"]), r"'a b' cannot name an option"),
    "an index in small letters": (_create(index_type="flat"), r"has no flat index: choose from FLAT"),
    "a list of index parameters": (
        _create(index_type="HNSW", index_params=["M"]),
        r"index_params are \['M'\]: give a dict",
    ),
    "a batch size as text": (_insert(OLD, batch_size="10"), r"batch_size is '10': it must be a whole number"),
    "half a row in a batch": (_insert(OLD, batch_size=0.5), r"batch_size is 0\.5"),
    "a dict of clusters": (_clusters({FIRST[0]: 1}), r"clusters are a dict: give a Series"),
    "a cluster of 64 bits and more": (
        _clusters(pd.Series([2**64 - 1], index=FIRST, dtype="uint64")),
        r"a cluster is no whole number",
    ),
    "half a cluster": (_insert(_with("cluster", 2.7)), r"cluster is 2\.7, which is no whole number"),
    "a cluster without end": (_insert(_with("cluster", float("inf"))), r"cluster is inf, which is no number"),
    "a vector as text": (_insert(_with("embedding_visual", "0.1, 0.2")), r"vector holds what is no number"),
    "a vector in a vector": (_insert(_with("embedding_visual", np.ones((1, 8)))), r"has the shape \(1, 8\)"),
    "a vector too large for float32": (
        _insert(_with("embedding_visual", np.full(8, 1e300))),
        r"or holds what is not a finite number",
    ),
    "half a character": (_insert(_with("title", "caf\udce9")), r"which UTF-8 cannot hold"),
    "the end before the start": (
        _insert(_with("end_offset_sec", 1.0)),
        r"the end, 1 s, lies before the start",
    ),
    "a time as text": (
        _insert(_with("start_offset_sec", "0:07")),
        r"start_offset_sec is '0:07', which is no number",
    ),
    "ids that are numbers": (_insert(OLD.assign(segment_id=range(30))), r"segment_id is 0, which is no text"),
    "videos to delete": (
        lambda milvus: store.delete_video(milvus, "c", OLD["video_id"]),
        r"The video is a Series: name one at a time",
    ),
    "no video to delete": (lambda milvus: store.delete_video(milvus, "c", None), r"The video is a NoneType"),
    "files that are elsewhere": (
        lambda milvus: store.relink(milvus, "empty", "/nowhere"),
        r"No video of 'empty' lies in /nowhere",
    ),
    "half a filter": (
        lambda milvus: store.read_segments(milvus, "c", where="category = "),
        r"cannot be read: unexpected character .*, so check the filter",
    ),
    "a folder that is no database": (
        lambda milvus: store_client.connect_milvus(
            replace(toy_settings(milvus.folder), milvus_uri="here/milvus")
        ),
        r"here/milvus is no Milvus: set MILVUS_URI",
    ),
    "a name that is too long for the disk": (
        lambda milvus: store_client.connect_milvus(
            replace(toy_settings(milvus.folder), milvus_uri=f"{'x' * 300}.db")
        ),
        r"cannot be opened \(File name too long\): set MILVUS_URI to another path, or repair this one",
    ),
}


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    with opened(folder) as client:
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD)
        store_collection.create_collection(client, "empty", OLD)
        yield client


@pytest.mark.parametrize("problem", BAD_INPUTS)
def test_bad_inputs_are_refused_in_a_sentence_and_change_nothing(milvus, problem):
    action, message = BAD_INPUTS[problem]
    with pytest.raises(VideoSearchError, match=message) as caught:
        action(milvus)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert store.count_segments(milvus, "c") == len(OLD)
    assert sorted(milvus.list_collections()) == ["c", "empty"]


def test_a_cell_that_connects_again_shares_what_is_open(tmp_path):
    with opened(tmp_path) as client:
        store_collection.create_collection(client, "c", OLD)
        again = store_client.connect_milvus(toy_settings(tmp_path))
        store.insert_segments(again, "c", OLD)
        assert store.count_segments(client, "c") == len(OLD)


def test_after_the_folder_was_deleted_the_same_process_may_start_anew(tmp_path):
    settings = toy_settings(tmp_path)
    client = store_client.connect_milvus(settings)
    store_collection.create_collection(client, "c", OLD)
    for root, _, files in os.walk(settings.milvus_uri):
        for file in files:
            os.remove(os.path.join(root, file))
    client = store_client.connect_milvus(settings)
    store_collection.create_collection(client, "c", OLD)
    assert store.insert_segments(client, "c", OLD) == store.count_segments(client, "c") == len(OLD)
    store_client.disconnect_milvus(client, settings)


# The log


@pytest.fixture
def log(tmp_path):
    path = logs.start_logging(replace(toy_settings(tmp_path), home=tmp_path / "home"), screen="ERROR")
    yield path
    logs.stop_logging()


def test_calls_of_milvus_are_timed_without_vectors_and_texts(tmp_path, log):
    secret = toy_segments("secret-title", 12, title="A Title Nobody May Read")
    with opened(tmp_path) as client:
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD, batch_size=20)
        store.insert_segments(client, "c", secret)
        search_segments(client, "c", QUERY, limit=4, where={"title": "A Title Nobody May Read"})
        store.read_segments(client, "c")
        with pytest.raises(VideoSearchError, match="unknown field 'Nobody'"):
            store.count_segments(client, "c", where="Nobody == 'A Title'")
    table = logs.read_log(log)
    calls = table[table["logger"] == "video_search.milvus"]
    rows = calls.groupby("event")["rows"].agg(list)
    assert rows["milvus.write"] == [30, 12] and rows["milvus.insert"] == [20, 10, 12]
    assert rows["milvus.search"] == [5] and rows["milvus.read"] == [42]
    events = {"connect", "create_collection", "create_index", "load_collection", "flush", "query"}
    assert {f"milvus.{event}" for event in events} <= set(calls["event"])
    assert (calls["seconds"] > 0).all() and (calls["level"] == "DEBUG").all()
    assert calls["outcome"].value_counts()["ok"] == len(calls) - 1
    text = log.read_text("utf-8")
    assert "Nobody" not in text and "Title" not in text
    assert not [number for number in QUERY.vector if f"{number:.4f}"[:6] in text]
    assert max(map(len, text.splitlines())) < 600
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


def test_the_deadline_is_ones_own_where_one_is_given(tmp_path, monkeypatch):
    asked = []
    with opened(tmp_path) as client:
        store_collection.create_collection(client, "c", OLD)
        handler, search = type(client._handler), type(client._handler).search
        monkeypatch.setattr(
            handler, "search", lambda *args, **kw: asked.append(kw["timeout"]) or search(*args, **kw)
        )
        ask = {"data": [QUERY.vector], "anns_field": "embedding_visual"}
        client.search("c", **ask)
        client.search("c", **ask, timeout=4.0)
        client.search("c", QUERY.vector[None], "", 3, None, None, 3.0, anns_field="embedding_visual")
    assert asked == [calls.WORK_SECONDS, 4.0, 3.0]  # a folder is at work, and never out of reach


def hurried(call):
    """The same call, with a deadline that a slow Milvus does not meet."""
    return lambda *args, **options: call(*args, **options | {"timeout": 0.05})


@pytest.mark.parametrize(
    "action",
    [
        lambda milvus: store.count_segments(milvus, "c", where={"category": "pets"}),
        lambda milvus: store.read_segments(milvus, "c"),
        lambda milvus: search_segments(milvus, "c", QUERY),
    ],
)
def test_a_deadline_that_was_hit_says_so_and_not_that_milvus_is_down(tmp_path, monkeypatch, action):
    with opened(tmp_path) as client:
        store_collection.create_collection(client, "c", OLD)
        monkeypatch.setattr("helpers.store.opened.find_rows", lambda *_: None)  # so that Milvus Lite is asked
        for call in ("query", "query_iterator", "search"):
            setattr(client, call, hurried(getattr(client, call)))
        for call in ("query", "search"):
            monkeypatch.setattr(LiteCollection, call, lambda *args, **options: time.sleep(0.5) or [])
        with pytest.raises(
            SearchError, match=": no answer came in time, so ask for less at once, as with a narrower filter"
        ) as caught:
            action(client)
    assert_one_sentence(str(caught.value))
    assert "check that Milvus runs" not in str(caught.value)


def test_a_load_that_fails_for_another_reason_says_so(tmp_path):
    with opened(tmp_path) as client, pytest.raises(StoreError, match="cannot be loaded: .*nowhere"):
        with milvus_errors("It cannot be loaded"):
            store_client.load(client, "nowhere")


@contextmanager
def served(tmp_path):
    """A client of a Milvus Lite server, and the server."""
    server = Server(tmp_path / "store.db")
    settings = replace(toy_settings(tmp_path), milvus_uri=f"http://127.0.0.1:{server.port}")
    try:
        client = store_client.connect_milvus(settings)
        yield client, server
        store_client.disconnect_milvus(client, settings)
    finally:
        server.kill()


@contextmanager
def opened_on_a_server(tmp_path):
    with served(tmp_path) as (client, _):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("opening", [opened, opened_on_a_server])
def test_a_load_waits_for_an_index_that_is_still_being_written(tmp_path, opening):
    with opening(tmp_path) as client:
        store_collection.create_collection(client, "c", OLD, index_type="HNSW")
        store.insert_segments(client, "c", OLD)
        client.release_collection("c")
        client.load_collection("c")
        client.release_collection("c")
        (index,) = tmp_path.glob("store.db/collections/c/partitions/*/indexes/*.idx")
        whole = index.read_bytes()
        index.write_bytes(whole[:-100])
        writer = threading.Timer(0.2, lambda: index.write_bytes(whole))
        writer.start()
        client.load_collection("c")
        assert len(search_segments(client, "c", QUERY, limit=5)) == 5
        writer.join()


@pytest.mark.slow
@pytest.mark.parametrize("index_type", ["FLAT", "HNSW"])
def test_a_server_that_was_killed_while_it_wrote_an_index_file_makes_it_anew(tmp_path, index_type):
    params = {"M": 8} if index_type == "HNSW" else None
    with served(tmp_path) as (client, server):
        store_collection.create_collection(client, "c", OLD, index_type=index_type, index_params=params)
        store.insert_segments(client, "c", OLD)
        client.release_collection("c")
        client.load_collection("c")
        before = client.describe_index("c", "embedding_visual")
        server.kill()
        (index,) = tmp_path.glob("store.db/collections/c/partitions/*/indexes/*embedding_visual*.idx")
        index.write_bytes(index.read_bytes()[:128])
        server.start()
        assert len(search_segments(client, "c", QUERY, limit=5)) == 5
        assert client.describe_index("c", "embedding_visual") == before


@pytest.mark.slow
def test_an_index_is_made_anew_though_somebody_else_has_loaded_the_collection(tmp_path, monkeypatch):
    load = calls.Client.load_collection
    unread = iter([MilvusException(message="visual.idx is not fully written")])

    def fails_once(*args, **options):
        for error in unread:
            raise error
        return load(*args, **options)

    with served(tmp_path) as (client, _):
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD)
        client.load_collection("c")
        monkeypatch.setattr(calls.Client, "load_collection", fails_once)
        store_client.load(client, "c")
        assert len(search_segments(client, "c", QUERY, limit=5)) == 5
