"""The search cache: the same answers as without it, and none that a write has made untrue."""

import threading
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pymilvus import MilvusClient

from helpers import SearchCache, search_segments, update_clusters
from helpers.errors import SearchError, StoreError, VideoSearchError
from helpers.segments import Query
from helpers.settings import load_settings
from helpers.store.client import connect_milvus, disconnect_milvus
from helpers.store.collection import create_collection
from helpers.store.io import delete_video, insert_segments
from tests.search.test_search import AXIS, DIM, make_segments, random_vectors
from tests.test_wrong_types import WRONG

FILMS = make_segments(random_vectors(60))
LATER = make_segments([AXIS.vector], video="later")


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    path = tmp_path_factory.mktemp("milvus") / "cache.db"
    settings = replace(load_settings(), milvus_uri=str(path), milvus_token="", prefix="")
    client = connect_milvus(settings)
    client.settings = settings
    yield client
    disconnect_milvus(client, settings)


@pytest.fixture(scope="module")
def films(milvus):
    """A collection that nobody writes to."""
    create_collection(milvus, "films", FILMS)
    insert_segments(milvus, "films", FILMS)


@pytest.fixture
def cache(milvus, films):
    return SearchCache(milvus)


@pytest.fixture
def fresh(milvus):
    """The same, made anew for each test that writes to it."""
    milvus.drop_collection("fresh")
    create_collection(milvus, "fresh", FILMS)
    insert_segments(milvus, "fresh", FILMS)
    return "fresh"


def asked(cache, *, query=AXIS, name="films", **options):
    """One search through the cache, which must say what a search without it says; whether memory answered."""
    before = cache.hits
    hits = cache.search(name, query, **options)
    pd.testing.assert_frame_equal(hits, search_segments(cache._milvus, name, query, **options))
    return cache.hits > before


def test_the_second_time_memory_answers_and_says_the_same(cache):
    assert [asked(cache) for _ in range(3)] == [False, True, True]
    assert (cache.hits, cache.misses) == (2, 1)


OTHERS = {
    "a vector": {"query": Query(-AXIS.vector, "toy", AXIS.source)},
    "a limit": {"limit": 6},
    "a scope": {"scope": None},
    "a filter": {"where": {"category": "c1"}},
    "another value": {"where": {"category": "c2"}},
    "a filter as text": {"where": 'category == "c0"'},
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_decides_the_answer_makes_another_search(cache, other):
    assert not asked(cache)
    assert not asked(cache, **OTHERS[other])
    assert asked(cache, **OTHERS[other])
    assert asked(cache)


def test_another_option_or_collection_is_another_search(milvus, cache):
    two = make_segments([{"visual": v, "sound": -v} for v in random_vectors(9)])
    milvus.drop_collection("two")
    create_collection(milvus, "two", two)
    insert_segments(milvus, "two", two)
    assert not asked(cache)
    assert not asked(cache, name="two")
    assert not asked(cache, name="two", option="sound", where={"has_sound": True})
    assert asked(cache, name="two", option="sound", where={"has_sound": True})


def test_the_words_of_a_query_do_not_decide_its_vector_does(cache):
    assert not asked(cache)
    assert asked(cache, query=replace(AXIS, source="in other words"))


WRITES = {
    "insert": lambda milvus: insert_segments(milvus, "fresh", LATER),
    "delete": lambda milvus: delete_video(milvus, "fresh", "v000"),
    "clusters": lambda milvus: update_clusters(milvus, "fresh", pd.Series(5, index=FILMS["segment_id"])),
    "drop": lambda milvus: (milvus.drop_collection("fresh"), create_collection(milvus, "fresh", FILMS)),
    "truncate": lambda milvus: milvus.truncate_collection("fresh"),
    "raw": lambda milvus: milvus.delete("fresh", filter='segment_id != ""'),
}


@pytest.mark.parametrize("write", WRITES)
def test_after_a_write_of_this_process_milvus_is_asked_again(milvus, cache, fresh, write):
    asked(cache, name=fresh)
    WRITES[write](milvus)
    assert not asked(cache, name=fresh)


def test_a_write_through_another_client_of_this_process_is_seen(milvus, cache, fresh):
    asked(cache, name=fresh)
    insert_segments(connect_milvus(milvus.settings), fresh, LATER)
    assert not asked(cache, name=fresh)


def test_what_is_renamed_is_another_collection(milvus, cache):
    for name in ("old", "gone"):
        milvus.drop_collection(name)
    create_collection(milvus, "old", LATER)
    insert_segments(milvus, "old", LATER)
    assert not asked(cache, name="old")
    milvus.rename_collection("old", "gone")
    create_collection(milvus, "old", FILMS)
    assert cache.search("old", AXIS).empty


def test_an_alias_that_points_elsewhere_is_seen(milvus, cache):
    milvus.drop_collection("other")
    create_collection(milvus, "other", LATER)
    insert_segments(milvus, "other", LATER)
    milvus.create_alias("films", "current")
    first = cache.search("current", AXIS)
    milvus.alter_alias("other", "current")
    assert list(cache.search("current", AXIS)["video_id"]) == ["later000"] != list(first["video_id"])
    milvus.drop_alias("current")


def test_a_collection_that_was_dropped_is_not_answered_for(milvus, cache, fresh):
    asked(cache, name=fresh)
    milvus.drop_collection(fresh)
    with pytest.raises(StoreError, match="There is no collection 'fresh'"):
        cache.search(fresh, AXIS)


def test_what_nobody_counts_is_seen_when_the_time_to_live_has_passed(milvus, fresh):
    """The lie that the docstring owns up to: a client of pymilvus's own writes, as another process would."""
    patient, hasty = SearchCache(milvus), SearchCache(milvus, seconds=0.05)
    for cache in (patient, hasty):
        cache.search(fresh, AXIS, limit=60)
    MilvusClient(milvus.settings.milvus_uri).delete(fresh, filter='video_id == "v000"')
    time.sleep(0.06)
    assert [len(cache.search(fresh, AXIS, limit=60)) for cache in (patient, hasty)] == [60, 50]


def test_an_answer_that_a_write_overtook_is_not_kept(milvus, cache, fresh, monkeypatch):
    search = MilvusClient.search

    def overtaken(self, *args, **options):
        found = search(self, *args, **options)
        thread = threading.Thread(target=insert_segments, args=(milvus, "fresh", LATER))
        thread.start()
        thread.join()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(type(milvus), "search", overtaken)
        cache.search(fresh, AXIS)
    assert not asked(cache, name=fresh)


def test_the_last_asked_stay_when_it_is_full(milvus, cache):
    small = SearchCache(milvus, size=2)
    one, two, three = ({"limit": n} for n in (1, 2, 3))
    assert [asked(small, **options) for options in (one, two, one, three)] == [False, False, True, False]
    assert [asked(small, **options) for options in (one, two)] == [True, False]


def test_who_changes_an_answer_changes_no_other(cache):
    hits = cache.search("films", AXIS)
    hits.loc[0, "title"] = "mine"
    hits["score"] = 0.0
    assert asked(cache)


def test_clear_forgets(cache):
    asked(cache)
    cache.clear()
    assert not asked(cache)


def test_threads_share_a_cache(cache):
    queries = [Query(vector, "toy", "") for vector in random_vectors(4, seed=3)]
    wanted = [search_segments(cache._milvus, "films", query) for query in queries]
    wrong = []

    def work(number):
        for i in range(12):
            hits = cache.search("films", queries[(number + i) % 4])
            if not hits.equals(wanted[(number + i) % 4]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and cache.hits + cache.misses == 48 and cache.hits >= 48 - 16


def test_what_a_search_refuses_is_refused_each_time(cache):
    for _ in range(2):
        with pytest.raises(SearchError, match="no option 'smell'"):
            cache.search("films", AXIS, option="smell")
        with pytest.raises(SearchError, match="comes from 'other'"):
            cache.search("films", replace(AXIS, model="other"))
        with pytest.raises(SearchError, match="limit is 0"):
            cache.search("films", AXIS, limit=0)


@pytest.mark.parametrize("size", [0, -1, 2.5, "many", None, True])
def test_a_size_that_is_none(milvus, size):
    with pytest.raises(SearchError, match="The size is"):
        SearchCache(milvus, size=size)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "long", None])
def test_seconds_that_are_none(milvus, seconds):
    with pytest.raises(SearchError, match="The seconds are"):
        SearchCache(milvus, seconds=seconds)


def test_a_client_whose_writes_nobody_counts_is_refused(milvus):
    with pytest.raises(SearchError, match="cannot see what a MilvusClient writes"):
        SearchCache(MilvusClient(milvus.settings.milvus_uri))


@pytest.mark.parametrize("argument", ["milvus", "name", "query", "option", "scope", "limit", "where"])
def test_wrong_types_meet_an_error_of_the_family(cache, argument):
    good = {"name": "films", "query": AXIS, "option": "visual", "scope": "clip", "limit": 3, "where": None}
    for wrong in WRONG:
        with suppress(VideoSearchError):
            if argument == "milvus":
                SearchCache(wrong)
            else:
                cache.search(**good | {argument: wrong})


def test_the_vector_may_be_of_any_kind_of_number(cache):
    for kind in (np.float64, np.float32):
        assert not asked(cache, query=replace(AXIS, vector=AXIS.vector.astype(kind)))
    assert len(AXIS.vector) == DIM
