"""Milvus through helpers.store: each rule of DESIGN.md, "Segments and the collection", has its test here."""

import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from milvus_lite.engine import collection as lite_collection
from pymilvus import DataType, MilvusClient

from helpers import files, progress
from helpers.errors import SearchError, StoreError
from helpers.search.similarity import recommend, search_segments
from helpers.segments import COLUMNS, Query
from helpers.settings import load_settings
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import filters as store_filters
from helpers.store import io as store
from helpers.store import lite_rows, opened
from helpers.store.opened import open_collection
from helpers.videos.samples import sample_videos
from tools.faults.children import child
from tools.faults.store_server import Server

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
DIM = 8


def make_segments(video="cat-0123456789", n=3, *, options=("visual", "description"), **columns):
    """`n` clips of six seconds and one whole-video row; unit vectors that depend on video and place only."""
    rows = []
    for i in range(n + 1):
        scope = "clip" if i < n else "asset"
        start, end = (6.0 * i, 6.0 * i + 6) if scope == "clip" else (0.0, 6.0 * n)
        row = dict.fromkeys(COLUMNS, "") | {"video_id": video, "title": video.title(), "category": "pets"}
        row |= {"video_url": f"data/videos/{video}.mp4", "embedding_scope": scope, "cluster": -1}
        row |= {"start_offset_sec": start, "end_offset_sec": end, "segmentation": "fixed-6", "model": "toy-8"}
        row |= columns
        plain = re.sub(r"\W", "-", video)  # an id is the only field that may hold no quotation mark
        row["segment_id"] = f"{plain}/{scope}/{start}-{end}/{row['segmentation']}"
        for o, option in enumerate(options):
            vector = np.random.default_rng([*video.encode(), i, o]).normal(size=DIM)
            row[f"embedding_{option}"] = (vector / np.linalg.norm(vector)).astype(np.float32)
        rows.append(row)
    return pd.DataFrame(rows)


def lacking(segments, option, rows=None):
    """The same segments, without the vectors of one option in some rows (all by default)."""
    field = f"embedding_{option}"
    rows = range(len(segments)) if rows is None else rows
    cells = [None if i in rows else cell for i, cell in enumerate(segments[field])]
    return segments.assign(**{field: pd.Series(cells, index=segments.index, dtype=object)})


def settings_in(folder, **changes):
    return replace(
        load_settings(), milvus_uri=str(folder / "store.db"), milvus_token="", prefix="", **changes
    )


class Spy:
    """A client that also notes the calls that go through it."""

    def __init__(self, milvus):
        self.milvus, self.calls = milvus, []
        self.version = milvus.version

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, kwargs))
            return getattr(self.milvus, name)(*args, **kwargs)

        return call


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    settings = settings_in(tmp_path_factory.mktemp("milvus"))
    client = store_client.connect_milvus(settings)
    yield client
    store_client.disconnect_milvus(client, settings)


def filled(milvus, name, *tables, **keywords):
    store_collection.create_collection(milvus, name, tables[0], **keywords)
    for table in tables:
        store.insert_segments(milvus, name, table)


def same(left, right):
    """Whether two tables of segments are equal, vectors and missing vectors included, in any order."""
    left, right = (t.sort_values("segment_id", ignore_index=True) for t in (left, right))
    vectors = [c for c in left if c.startswith("embedding_") and c != "embedding_scope"]
    pd.testing.assert_frame_equal(left.drop(columns=vectors), right.drop(columns=vectors), check_dtype=False)
    assert list(left) == list(right)
    for field in vectors:
        for a, b in zip(left[field], right[field], strict=True):
            assert (a is None and b is None) or np.array_equal(a, b)


# What goes in comes out


def test_read_segments_returns_what_was_inserted(milvus, name):
    segments = lacking(
        make_segments(title='Ünï "quoted" \\ film\n2', recorded_at="2024-05-01"), "description", [1]
    )
    filled(milvus, name, segments)
    same(store.read_segments(milvus, name), segments)
    assert list(store.read_segments(milvus, name, where={"video_id": "none"})) == list(segments)


def test_schema_is_typed_with_the_names_of_the_tutorial(milvus, name):
    filled(milvus, name, make_segments())
    about = milvus.describe_collection(name)
    types = {field["name"]: field["type"] for field in about["fields"]}
    assert list(types)[:13] == COLUMNS
    assert types["start_offset_sec"] == DataType.DOUBLE
    assert types["video_url"] == types["embedding_scope"] == DataType.VARCHAR
    assert types["has_visual"] == DataType.BOOL
    assert about["consistency_level_name"] == "Strong"
    assert about["enable_dynamic_field"] is False


def test_two_videos_never_overwrite_each_other(milvus, name):
    filled(milvus, name, make_segments("cat-1"), make_segments("dog-2"))
    assert store.count_segments(milvus, name) == 8
    assert store.count_segments(milvus, name, where={"video_id": "dog-2"}) == 4


def test_inserting_twice_changes_nothing(milvus, name):
    segments = make_segments()
    filled(milvus, name, segments, segments)
    same(store.read_segments(milvus, name), segments)


def test_inserting_again_keeps_the_cluster_that_an_analysis_found(milvus, name):
    segments = make_segments(n=5)
    filled(milvus, name, segments, segments.assign(cluster=range(6)))
    assert store.insert_segments(milvus, name, segments, batch_size=2) == 6
    assert list(store.read_segments(milvus, name, where={"embedding_scope": "clip"})["cluster"]) == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_another_segmentation_replaces_the_rows_of_that_video_only(milvus, name):
    filled(milvus, name, make_segments("cat-1"), make_segments("dog-2"))
    again = make_segments("cat-1", n=2, segmentation="dynamic-4")
    store.insert_segments(milvus, name, again)
    same(store.read_segments(milvus, name), pd.concat([again, make_segments("dog-2")]))


def test_another_segmentation_of_the_clips_keeps_the_whole_video_row(milvus, name):
    filled(milvus, name, make_segments(n=3))
    clips = make_segments(n=2, segmentation="dynamic-4").query("embedding_scope == 'clip'")
    store.insert_segments(milvus, name, clips)
    stored = store.read_segments(milvus, name)
    assert list(stored["embedding_scope"]) == ["asset", "clip", "clip"]
    assert list(stored["segmentation"]) == ["fixed-6", "dynamic-4", "dynamic-4"]


def recut(start_and_end, **columns):
    """Clips of one video, of a dynamic segmentation, with the cuts given."""
    clips = make_segments(n=len(start_and_end), segmentation="dynamic-4", **columns)[:-1]
    starts, ends = zip(*start_and_end, strict=True)
    ids = [f"{v}/clip/{a}-{b}" for v, (a, b) in zip(clips["video_id"], start_and_end, strict=True)]
    starts, ends = np.array([starts, ends], dtype=float)
    return clips.assign(segment_id=ids, start_offset_sec=starts, end_offset_sec=ends)


def test_clips_that_are_cut_otherwise_replace_those_of_the_same_time(milvus, name):
    old, new = recut([(0, 4), (4, 9), (9, 14)]), recut([(0, 5), (5, 7), (7, 9), (9, 14)])
    asset, dog = make_segments(n=1, segmentation="dynamic-4")[1:], recut([(0, 4)], video_id="dog-2")
    filled(milvus, name, old, asset, dog, new)
    same(store.read_segments(milvus, name), pd.concat([new, asset, dog]))


def test_clips_in_batches_lose_nothing_and_replace_only_what_they_cover(milvus, name):
    old, new = recut([(0, 4), (4, 9), (9, 14)]), recut([(0, 4.02), (4.02, 9), (9, 14)])
    filled(milvus, name, old[:1], old[1:2], old[2:])
    same(store.read_segments(milvus, name), old)
    store.insert_segments(milvus, name, new[:1])  # it reaches into the next clip by a hair
    same(store.read_segments(milvus, name), pd.concat([new[:1], old[1:]]))
    store.insert_segments(milvus, name, new[1:])
    same(store.read_segments(milvus, name), new)


def test_clips_of_different_options_may_lie_at_the_same_time(milvus, name):
    seen = lacking(recut([(0, 4), (4, 9)]), "description")
    told = lacking(recut([(0, 5), (5, 9)]), "visual")
    filled(milvus, name, seen, told)
    same(store.read_segments(milvus, name), pd.concat([seen, told]))


def test_a_video_may_come_in_two_calls(milvus, name):
    segments = make_segments(n=4)
    filled(milvus, name, segments[:2], segments[2:])
    same(store.read_segments(milvus, name), segments)


@pytest.mark.slow
def test_more_rows_than_a_batch_and_than_one_page_of_reading(milvus, name):
    segments = make_segments(n=1200)
    store_collection.create_collection(milvus, name, segments)
    assert store.insert_segments(milvus, name, segments, batch_size=500) == 1201
    same(store.read_segments(milvus, name), segments)


def test_rows_are_flushed_so_that_searches_are_fast(tmp_path):
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    filled(client, "segments", make_segments())
    assert list(tmp_path.rglob("*.parquet")), "the rows are still in memory"
    store_client.disconnect_milvus(client, settings)


def test_a_server_is_asked_for_strong_consistency_and_upserts(milvus, name):
    # Milvus Lite does both whatever is asked: a server would miss fresh rows, and keep doubles of an insert.
    spy = Spy(milvus)
    filled(spy, name, make_segments())
    calls = dict(spy.calls)
    assert calls["create_collection"]["consistency_level"] == "Strong"
    assert "upsert" in calls and "insert" not in calls


def consistency_asked(milvus, name, ask):
    """The consistency levels of all reads of rows in this call."""
    spy = Spy(milvus)
    ask(spy, name)
    reads = {"query", "get", "search", "hybrid_search", "query_iterator"}
    return {options.get("consistency_level") for call, options in spy.calls if call in reads}


@pytest.mark.parametrize(
    "ask",
    [
        lambda milvus, name: search_segments(milvus, name, Query(GOOD["embedding_visual"][0], "toy-8", "a")),
        lambda milvus, name: recommend(milvus, name, [GOOD["segment_id"][0]]),
        lambda milvus, name: store.count_segments(milvus, name, where={"category": "pets"}),
        lambda milvus, name: store.read_segments(milvus, name),
    ],
    ids=["search", "recommend", "count", "read"],
)
def test_who_reads_sees_all_that_this_process_wrote(milvus, name, ask):
    filled(milvus, name, GOOD)
    assert consistency_asked(milvus, name, ask) == {"Session"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda milvus, name: store.insert_segments(milvus, name, GOOD),
        lambda milvus, name: store.update_clusters(milvus, name, GOOD.set_index("segment_id")["cluster"]),
        lambda milvus, name: store.delete_video(milvus, name, GOOD["video_id"][0]),
    ],
    ids=["insert", "update_clusters", "delete_video"],
)
def test_who_writes_by_what_is_stored_sees_what_others_wrote(milvus, name, ask):
    filled(milvus, name, GOOD)
    assert consistency_asked(milvus, name, ask) == {"Strong"}


# Reading


@pytest.mark.parametrize(
    "columns", [["segment_id"], ["title", "embedding_description", "cluster"], ["embedding_visual"], []]
)
def test_columns_that_are_asked_for_come_in_the_usual_order_of_rows(milvus, name, columns):
    dog = lacking(make_segments("dog-2"), "description", [0])
    filled(milvus, name, dog, make_segments("cat-1"))
    spy = Spy(milvus)
    some = store.read_segments(spy, name, columns=columns)
    everything = store.read_segments(milvus, name)
    assert list(some) == columns and len(some) == 8
    for column in columns:
        for a, b in zip(some[column], everything[column], strict=True):
            assert np.array_equal(a, b)
    asked = next(options["output_fields"] for call, options in spy.calls if call == "query_iterator")
    vectors = {field for field in asked if field in ("embedding_visual", "embedding_description")}
    assert vectors == {column for column in columns if column.startswith("embedding_")}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["colour"], "has no column 'colour': choose from segment_id, .*embedding_description"),
        (["embedding_audio"], "has no column 'embedding_audio'"),
        ("title", "columns are 'title': give a list"),
        (7, "columns are 7: give a list"),
    ],
)
def test_columns_that_there_are_not(milvus, name, columns, message):
    filled(milvus, name, GOOD)
    with pytest.raises(SearchError, match=message):
        store.read_segments(milvus, name, columns=columns)


def test_vectors_are_read_in_batches_that_a_message_holds(milvus, name):
    wide = make_segments(n=2, options=["visual"])
    wide["embedding_visual"] = list(np.eye(3, 4_000, dtype=np.float32))
    filled(milvus, name, wide)
    spy = Spy(milvus)
    same(store.read_segments(spy, name), wide)
    store.read_segments(spy, name, columns=["title"])
    with_vectors, without = (options["batch_size"] for call, options in spy.calls if call == "query_iterator")
    assert with_vectors * 16_000 < 32_000_000 and without > 5_000


@cache
def rows(n):
    return make_segments(n=n, options=["visual"])


SOME = 1_100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("doing", "work"),
    [
        ("reading", lambda milvus, name, _: store.read_segments(milvus, name)),
        ("inserting into", lambda milvus, name, _: store.insert_segments(milvus, name, rows(SOME))),
        (
            "changing",
            lambda milvus, name, time: store.update_clusters(
                milvus, name, pd.Series(time, index=list(rows(SOME)["segment_id"])), batch_size=500
            ),
        ),
    ],
)
def test_long_work_shows_how_far_it_is_and_short_or_plain_work_nothing(
    milvus, name, doing, work, monkeypatch, bars_at_once, capsys
):
    filled(milvus, name, rows(SOME))
    monkeypatch.setattr(opened, "ANSWER_BYTES", 1)  # batches of 500
    milvus = Spy(milvus)  # as a server, whose rows are not in this process's memory
    work(milvus, name, 1)
    assert re.search(rf"{doing} {name}: +\d+%.*/1101", capsys.readouterr().err)
    monkeypatch.setattr(progress, "BAR_SECONDS", 1000)
    work(milvus, name, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(progress, "BAR_SECONDS", 0)
    monkeypatch.setenv("VIDEO_SEARCH_PROGRESS", "plain")
    work(milvus, name, 3)
    assert capsys.readouterr() == ("", "")


# Counting


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, 2_601),
        ("start_offset_sec >= 0", 2_601),  # all of them
        ("start_offset_sec < -1", 0),
        ("start_offset_sec < 5994 or embedding_scope == 'asset'", 1_000),
        ("embedding_scope == 'clip' and start_offset_sec < 6000", 1_000),  # of a step, the last
        ("embedding_scope == 'clip' and start_offset_sec < 7800", 1_300),
        ({"embedding_scope": "clip"}, 2_600),
        ("not (embedding_scope == 'clip')", 1),
    ],
)
def test_a_count_is_right_at_every_share_and_never_has_lite_build_all_rows(milvus, where, expected):
    if not milvus.has_collection("many"):
        filled(milvus, "many", rows(2_600))
    spy = Spy(milvus)
    assert store.count_segments(spy, "many", where=where) == expected
    queries = [options for call, options in spy.calls if call == "query"]
    assert not [q for q in queries if q["filter"] and q["output_fields"] != ["segment_id"]]
    asked_for = [q["limit"] for q in queries if q["filter"]]
    assert sum(asked_for) <= 2 * 9_000 and asked_for[:1] <= [1_000]


COUNTED = [
    *("start_offset_sec >= 0", "start_offset_sec < 12", "embedding_scope == 'asset'", "category == 'none'"),
    *("cluster in [1, 3]", "not (cluster > 1) and has_visual == true", "video_id like 'cat%'"),
]


@pytest.mark.slow
def test_what_is_counted_and_read_in_memory_is_what_milvus_lite_finds(milvus, name):
    filled(milvus, name, make_segments("cat-1", n=60, options=["visual"]))
    collection = open_collection(milvus, name)

    def ids(where):
        return sorted(
            row["segment_id"] for row in milvus.query(name, filter=where, output_fields=["segment_id"])
        )

    def check():
        assert [collection.count(where) for where in COUNTED] == [len(ids(where)) for where in COUNTED]
        found = collection.matching(COUNTED[0])
        assert found is None or sorted(found.ids()) == ids(COUNTED[0])
        for where in (None, {"cluster": 3}):
            same(
                store.read_segments(milvus, name, where=where),
                store.read_segments(Spy(milvus), name, where=where),  # by the iterator
            )
        return found is not None

    assert check()
    rows = make_segments("cat-1", n=60, options=["visual"]).assign(cluster=lambda t: range(len(t)))
    store.insert_segments(milvus, name, rows.head(30))  # written again, into another file
    assert check()
    store.insert_segments(milvus, name, make_segments("dog-2", n=7, options=["visual"]))
    milvus.delete(name, ids=list(rows["segment_id"][20:40]))
    assert not check()  # a deletion that is not flushed
    milvus.flush(name)
    assert check()
    store.insert_segments(milvus, name, rows[25:28])  # what was deleted is there again
    assert check()
    milvus.upsert(name, [row | {"has_visual": True} for row in rows[:3].assign(cluster=3).to_dict("records")])
    assert not check()  # rows that are not flushed
    milvus.release_collection(name)
    assert collection.count("cluster == 3") == len(ids("cluster == 3"))


def test_rows_that_are_being_flushed_are_not_missing_in_memory(milvus, name, monkeypatch):
    filled(milvus, name, make_segments("cat-1"))
    seen, make = [], lite_collection.WAL

    def begun(*args, **options):  # the rows are in the memory of before and in no file yet
        seen.append(open_collection(milvus, name).matching(""))
        return make(*args, **options)

    monkeypatch.setattr(lite_collection, "WAL", begun)
    store.insert_segments(milvus, name, make_segments("dog-2"))
    assert seen == [None]
    assert len(open_collection(milvus, name).matching("")) == 8


@pytest.mark.parametrize("gone", ["the server", "the filter"])
def test_another_milvus_lite_counts_by_itself(milvus, name, monkeypatch, gone):
    filled(milvus, name, GOOD)
    if gone == "the server":
        monkeypatch.setattr(lite_rows, "server_manager_instance", object())
    else:
        monkeypatch.setattr(lite_rows, "evaluate_segment_filter", lambda *_: 1 / 0)
    assert open_collection(milvus, name).matching("cluster == -1") is None
    assert store.count_segments(milvus, name, where={"cluster": -1}) == len(GOOD)


def test_which_versions_have_an_index_is_said_in_a_sentence(milvus, name):
    spy = Spy(milvus)
    spy.version = "v2.3.5"
    with pytest.raises(
        StoreError, match=r"^Milvus v2\.3\.5 has no HNSW_SQ index, which 2\.6 and Milvus Lite have: "
    ):
        store_collection.create_collection(spy, name, GOOD, index_type="HNSW_SQ")
    assert not milvus.has_collection(name)


def test_a_server_is_asked_to_count(milvus, name):
    filled(milvus, name, GOOD)
    spy = Spy(milvus)
    spy.version = "v2.6.0"
    assert store.count_segments(spy, name, where={"embedding_scope": "clip"}) == 3
    assert [q["output_fields"] for call, q in spy.calls if call == "query"] == [["count(*)"]]


@pytest.mark.slow
def test_the_same_rows_again_are_looked_up_many_videos_at_once(milvus, name):
    tables = [make_segments(f"cat-{i}", n=4, options=["visual"]) for i in range(60)]
    many = pd.concat(tables, ignore_index=True)
    filled(milvus, name, many.assign(cluster=3))
    spy = Spy(milvus)
    assert store.insert_segments(spy, name, many, batch_size=50) == 300
    lookups = [options for call, options in spy.calls if call == "query" and options["filter"]]
    assert len(lookups) == 1 and not [f for f in lookups[0]["output_fields"] if f == "embedding_visual"]
    same(store.read_segments(milvus, name), many.assign(cluster=3))


def test_videos_are_looked_up_once_where_a_lookup_ends_in_one(milvus, name, monkeypatch):
    monkeypatch.setattr(store, "LOOKUP", 3)
    many = pd.concat([make_segments(f"cat-{i}", n=i) for i in (1, 4, 2)], ignore_index=True)
    filled(milvus, name, many.assign(cluster=3))
    spy = Spy(milvus)
    store.insert_segments(spy, name, many)
    filters = [options["filter"] for call, options in spy.calls if call == "query" and options["filter"]]
    assert sorted(re.findall(r"cat-\d", "".join(filters))) == ["cat-1", "cat-2", "cat-4"]
    same(store.read_segments(milvus, name), many.assign(cluster=3))


# Options


def test_columns_come_from_the_declared_options_not_from_the_first_batch(milvus, name):
    first = lacking(make_segments("cat-1"), "description")
    filled(milvus, name, first, make_segments("dog-2"))
    assert open_collection(milvus, name).dims == {"visual": DIM, "description": DIM}
    same(store.read_segments(milvus, name), pd.concat([first, make_segments("dog-2")]))


def test_options_can_be_declared_before_any_segment_has_them(milvus, name):
    first = make_segments("cat-1", options=["visual"])
    filled(
        milvus, name, first, make_segments("dog-2", options=["visual", "audio"]), options=["visual", "audio"]
    )
    audio = store.read_segments(milvus, name)["embedding_audio"]
    assert audio.notna().tolist() == [False] * 4 + [True] * 4


def test_a_batch_in_which_all_values_of_an_option_are_missing_goes_in(milvus, name):
    filled(milvus, name, make_segments("cat-1"), lacking(make_segments("dog-2"), "description"))
    stored = store.read_segments(milvus, name, where={"video_id": "dog-2"})
    assert stored["embedding_description"].isna().all()
    assert stored["embedding_visual"].notna().all()


def test_an_option_without_a_column_keeps_what_is_stored(milvus, name):
    first = lacking(make_segments(n=5), "description", [0]).assign(cluster=[4, -1, 2, 3, 0, 1])
    filled(milvus, name, first[:4])
    again = make_segments(n=5, title="new").drop(columns="embedding_description")
    again["cluster"] = [-1, 7, -1, 8, -1, -1]
    assert store.insert_segments(milvus, name, again, batch_size=2) == 6
    expected = lacking(first, "description", [0, 4, 5]).assign(title="new", cluster=[4, 7, 2, 8, -1, -1])
    same(store.read_segments(milvus, name), expected)
    assert store.count_segments(milvus, name, where={"has_description": True}) == 3


def test_an_option_with_a_column_of_nothing_is_taken_away(milvus, name):
    segments = make_segments()
    filled(milvus, name, segments, lacking(segments, "description", [1]))
    same(store.read_segments(milvus, name), lacking(segments, "description", [1]))


def test_missing_vectors_are_unit_placeholders_and_never_null(milvus, name):
    filled(milvus, name, lacking(make_segments(), "description", [0]))
    fields = {f["name"]: f for f in milvus.describe_collection(name)["fields"]}
    assert not fields["embedding_description"].get("nullable")
    output = ["has_description", "embedding_description"]
    rows = milvus.query(
        name, filter="start_offset_sec == 0 and embedding_scope == 'clip'", output_fields=output
    )
    assert rows[0]["has_description"] is False
    assert np.linalg.norm(rows[0]["embedding_description"]) == pytest.approx(1)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_an_option_without_a_place_in_the_collection_is_left_out_with_a_line(milvus, name, caplog):
    filled(milvus, name, make_segments("cat-1", options=["visual"]))
    dog = make_segments("dog-2", options=["visual", "audio"])
    assert store.insert_segments(milvus, name, dog) == 4
    same(store.read_segments(milvus, name, where={"video_id": "dog-2"}), dog.drop(columns="embedding_audio"))
    assert warnings_of(caplog) == [
        f"The collection {name!r} has no place for audio: all else of the segments is stored."
    ]


def test_segments_that_no_search_will_find_are_counted(milvus, name, caplog):
    filled(milvus, name, make_segments("cat-1", options=["visual"]))
    dog = lacking(make_segments("dog-2", options=["visual", "audio"]), "visual", [1, 2])
    assert store.insert_segments(milvus, name, dog) == 4
    assert store.count_segments(milvus, name, where={"has_visual": False}) == 2
    assert "but no search finds 2 of 4, which have no other vector." in warnings_of(caplog)[0]


@pytest.mark.parametrize("options", [["audio"], ["visual", "audio"]])
def test_segments_with_no_vector_that_fits_are_refused(milvus, name, options):
    filled(milvus, name, make_segments("cat-1", options=["visual"]))
    dog = make_segments("dog-2", options=options)
    with pytest.raises(StoreError, match="no place for audio, and the segments have no other vector: make"):
        store.insert_segments(milvus, name, lacking(dog, "visual") if "visual" in options else dog)
    assert store.count_segments(milvus, name) == 4


# Index


def test_the_index_is_flat_and_cosine_by_default(milvus, name):
    filled(milvus, name, make_segments())
    for option in ("visual", "description"):
        index = milvus.describe_index(name, f"embedding_{option}")
        assert (index["index_type"], index["metric_type"]) == ("FLAT", "COSINE")


def test_index_parameters_really_arrive(milvus, name):
    filled(milvus, name, make_segments(), index_type="HNSW", index_params={"M": 5, "efConstruction": 33})
    assert milvus.describe_index(name, "embedding_visual")["params"] == {"M": 5, "efConstruction": 33}


def test_an_index_type_that_milvus_lacks_is_refused_at_once_and_leaves_nothing(milvus, name):
    with pytest.raises(StoreError, match="no SCANN index: choose from FLAT"):
        store_collection.create_collection(milvus, name, make_segments(), index_type="SCANN")
    assert not milvus.has_collection(name)


# A collection that exists


def test_creating_again_loads_what_is_there(milvus, name):
    segments = make_segments()
    filled(milvus, name, segments)
    milvus.release_collection(name)
    again = store_collection.create_collection(milvus, name, segments)
    assert again == store_collection.Collection(name, "toy-8", {"visual": DIM, "description": DIM})
    assert milvus.get_load_state(name)["state"].name == "Loaded"
    assert store.count_segments(milvus, name) == 4


@pytest.mark.parametrize("call", ["create_index", "load_collection"])
def test_a_collection_whose_making_is_interrupted_is_not_left_behind(milvus, name, call):
    class Interrupted(Spy):
        def __getattr__(self, name):
            if name == call:
                raise KeyboardInterrupt
            return super().__getattr__(name)

    with pytest.raises(KeyboardInterrupt):
        store_collection.create_collection(Interrupted(milvus), name, GOOD)
    assert not milvus.has_collection(name)


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [[], ["embedding_visual"]])
def test_a_collection_that_was_left_half_made_is_finished(milvus, name, indexed):
    spy = Spy(milvus)
    store_collection.create_collection(spy, name, GOOD)
    made = next(kwargs for call, kwargs in spy.calls if call == "create_collection")
    milvus.drop_collection(name)
    milvus.create_collection(name, **made)  # as after a kill -9
    for field in indexed:
        index = milvus.prepare_index_params()
        index.add_index(field, index_type="HNSW", metric_type="COSINE", params={"params": {"M": 5}})
        milvus.create_index(name, index)
    again = store_collection.create_collection(milvus, name, GOOD, index_type="HNSW", index_params={"M": 5})
    assert again == store_collection.Collection(name, "toy-8", {"visual": DIM, "description": DIM})
    for field in ("embedding_visual", "embedding_description"):
        found = milvus.describe_index(name, field)
        assert (found["field_name"], found["metric_type"]) == (field, "COSINE")
        params = {"M": 5} if field in indexed else {"M": 5, "efConstruction": 200}
        assert (found["index_type"], found["params"]) == ("HNSW", params)
    assert milvus.get_load_state(name)["state"].name == "Loaded"
    store.insert_segments(milvus, name, GOOD)
    query = Query(GOOD["embedding_description"][1], "toy-8", "a clip")
    hits = search_segments(milvus, name, query, option="description")
    assert hits["segment_id"][0] == GOOD["segment_id"][1]


def test_the_collection_keeps_its_model_in_properties_and_description(milvus, name):
    spy = Spy(milvus)
    store_collection.create_collection(spy, name, make_segments())
    assert milvus.describe_collection(name)["properties"]["model"] == "toy-8"
    schema = next(kwargs["schema"] for call, kwargs in spy.calls if call == "create_collection")
    assert "toy-8" in schema.description

    class Other(Spy):  # a server that keeps the description and no properties
        def describe_collection(self, name):
            about = self.milvus.describe_collection(name)
            return {**about, "properties": {}, "description": schema.description}

    assert open_collection(Other(milvus), name).model == "toy-8"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make_segments(model="marengo3.5"), "holds vectors of 'toy-8', not of 'marengo3.5'"),
        (make_segments(options=["audio"]), "no option 'audio'"),
        (
            make_segments().assign(embedding_visual=[np.ones(4, np.float32)] * 4),
            "8 numbers for 'visual', not 4",
        ),
    ],
)
def test_another_model_option_or_dimension_is_refused_on_create(milvus, name, other, message):
    filled(milvus, name, make_segments())
    with pytest.raises(StoreError, match=message):
        store_collection.create_collection(milvus, name, other)
    assert store.count_segments(milvus, name) == 4


def test_a_collection_that_lacks_an_option_takes_the_others_unless_it_was_asked_for(milvus, name, caplog):
    filled(milvus, name, make_segments(options=["visual"]))
    more = make_segments("dog-2", options=["visual", "description"])
    with pytest.raises(
        StoreError, match="no option 'description', nor can it get one: make one under another"
    ):
        store_collection.create_collection(milvus, name, more, options=["visual", "description"])
    assert list(store_collection.create_collection(milvus, name, more).dims) == ["visual"]
    assert store.insert_segments(milvus, name, more) == len(more)
    assert "has no place for description: all else of the segments is stored" in caplog.text
    assert store.count_segments(milvus, name) == 2 * len(more)


def test_another_index_type_is_refused_on_create(milvus, name):
    filled(milvus, name, make_segments())
    store_collection.create_collection(
        milvus, name, make_segments(), index_type="AUTOINDEX"
    )  # whichever it is
    with pytest.raises(StoreError, match="has a FLAT index, not HNSW"):
        store_collection.create_collection(milvus, name, make_segments(), index_type="HNSW")


@pytest.mark.slow
def test_a_collection_that_does_not_say_its_model_is_refused(milvus, name):
    milvus.create_collection(name, dimension=DIM)
    with pytest.raises(StoreError, match="does not say which model"):
        store.insert_segments(milvus, name, make_segments())


def test_what_no_collection_can_be_made_of(milvus, name):
    with pytest.raises(StoreError, match="no collection 'nowhere'"):
        store.insert_segments(milvus, "nowhere", make_segments())
    with pytest.raises(StoreError, match="cannot name a collection"):
        store_collection.create_collection(milvus, "my videos", make_segments())
    with pytest.raises(StoreError, match="hold no vector"):
        store_collection.create_collection(milvus, name, lacking(make_segments(options=["visual"]), "visual"))
    with pytest.raises(StoreError, match="come from 2 models"):
        store_collection.create_collection(
            milvus, name, pd.concat([make_segments(), make_segments(model="x")])
        )


# Bad rows: one sentence, and nothing is written


def _with(segments, column, value, row=2):
    cells = list(segments[column])
    cells[row] = value
    return segments.assign(**{column: pd.Series(cells, dtype=object)})


GOOD = make_segments()
BAD = {
    "other model": (make_segments(model="marengo3.5"), "two models never share a collection"),
    "two models": (_with(GOOD, "model", "other"), "come from 2 models"),
    "no such column": (GOOD.drop(columns="category"), "lack the column 'category'"),
    "dimension": (_with(GOOD, "embedding_visual", np.ones(3, np.float32)), r"shape \(3,\), and \(8,\) fits"),
    "nan": (_with(GOOD, "embedding_visual", np.full(8, np.nan)), "not a finite number"),
    "infinite": (_with(GOOD, "embedding_visual", np.full(8, np.inf)), "not a finite number"),
    "zero": (_with(GOOD, "embedding_visual", np.zeros(8)), "all zeros"),
    "duplicate": (_with(GOOD, "segment_id", GOOD["segment_id"][0]), "is in the table twice"),
    "two segmentations": (_with(GOOD, "segmentation", "fixed-3"), "comes in two segmentations"),
    "too long": (_with(GOOD, "title", "ü" * 513), "title has 1026 bytes, and 1024 fit"),
    "no text": (_with(GOOD, "title", None), "title is None"),
    "control character": (_with(GOOD, "title", "a\x00b"), "control characters"),
    "no time": (_with(GOOD, "start_offset_sec", float("nan")), "start_offset_sec is nan"),
    "scope": (_with(GOOD, "embedding_scope", "scene"), "embedding_scope is 'scene'"),
    "empty id": (_with(GOOD, "segment_id", ""), "is empty"),
    "quoted id": (_with(GOOD, "segment_id", 'a"b'), "holds a quotation mark"),
}


@pytest.mark.parametrize("problem", BAD)
def test_bad_rows_are_refused_and_nothing_is_written(milvus, name, problem):
    segments, message = BAD[problem]
    store_collection.create_collection(milvus, name, GOOD)
    with pytest.raises(StoreError, match=message):
        store.insert_segments(milvus, name, segments, batch_size=1)
    assert store.count_segments(milvus, name) == 0


def test_an_empty_table_and_a_bad_batch_size(milvus, name):
    filled(milvus, name, GOOD)
    assert store.insert_segments(milvus, name, GOOD[:0]) == 0
    with pytest.raises(StoreError, match="batch_size is 0"):
        store.insert_segments(milvus, name, GOOD, batch_size=0)


# Delete, drop, relink


def test_delete_touches_only_that_video(milvus, name):
    filled(milvus, name, make_segments("cat-1"), make_segments("cat-11"), make_segments('odd" or "1" == "1'))
    assert store.delete_video(milvus, name, "cat-1") == 4
    assert store.delete_video(milvus, name, "cat-1") == 0
    assert store.count_segments(milvus, name) == 8
    assert store.delete_video(milvus, name, 'odd" or "1" == "1') == 4
    assert set(store.read_segments(milvus, name)["video_id"]) == {"cat-11"}


def test_drop_and_names_stay_within_ones_own_prefix(milvus, tmp_path):
    ada, bob = (replace(settings_in(tmp_path), prefix=prefix) for prefix in ("ada_", "bob_"))
    names = [store_client.collection_name(s, "segments") for s in (ada, bob)]
    assert names == ["ada_segments", "bob_segments"]
    assert store_client.collection_name(ada, "ada_segments") == "ada_segments"
    for collection in names:
        store_collection.create_collection(milvus, collection, GOOD)
    store_client.drop_collection(
        milvus, "bob_segments", settings=ada
    )  # that is ada_bob_segments, which there is not
    store_client.drop_collection(milvus, "segments", settings=ada)
    assert [milvus.has_collection(collection) for collection in names] == [False, True]
    store_client.drop_collection(milvus, "segments", settings=bob)


def test_relink_finds_moved_and_renamed_files_by_content(milvus, name, tmp_path):
    (tmp_path / "new place").mkdir()
    (tmp_path / "new place" / "renamed.mp4").write_bytes(b"a video")
    (tmp_path / "cat-0123456789.mp4").write_bytes(b"another film with the name of the first")
    digest = files.file_sha256(tmp_path / "new place" / "renamed.mp4")[:10]
    segments = lacking(make_segments(f"cat-{digest}"), "description", [0]).assign(cluster=3)
    filled(milvus, name, segments, make_segments("cat-0123456789"))
    assert store.relink(milvus, name, tmp_path) == 4
    assert store.relink(milvus, name, tmp_path) == 0
    moved = segments.assign(video_url=str(tmp_path / "new place" / "renamed.mp4"))
    same(store.read_segments(milvus, name), pd.concat([moved, make_segments("cat-0123456789")]))
    with pytest.raises(StoreError, match="name the folder that holds the files now"):
        store.relink(milvus, name, tmp_path / "nowhere")


def test_relink_writes_the_rows_that_changed_and_reads_no_vector(milvus, name, tmp_path):
    (tmp_path / "cat.mp4").write_bytes(b"a video")
    digest = files.file_sha256(tmp_path / "cat.mp4")[:10]
    filled(milvus, name, make_segments(f"cat-{digest}"), make_segments("dog-0123456789"))
    spy = Spy(milvus)
    assert store.relink(spy, name, tmp_path) == 4
    read = [options["output_fields"] for call, options in spy.calls if call == "query_iterator"]
    assert len(read) == 1 and not [field for field in read[0] if field.startswith("embedding_v")]
    bad = os.fsdecode(b"caf\xe9.mp4")  # half a character
    (tmp_path / "cat.mp4").rename(tmp_path / bad)
    with pytest.raises(StoreError, match="video_url is .*, which UTF-8 cannot hold"):
        store.relink(milvus, name, tmp_path)


# Filters


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, 8),
        ({}, 8),
        ({"category": "pets"}, 4),
        ({"category": ["pets", "space"]}, 8),
        ({"video_id": "cat-1", "embedding_scope": "clip"}, 3),
        ({"start_offset_sec": (6, 12), "embedding_scope": "clip"}, 4),
        ({"start_offset_sec": (12, None)}, 2),
        ({"recorded_at": ("2024", None)}, 4),
        ({"recorded_at": (None, "2025")}, 4),
        ({"cluster": -1}, 4),
        ({"cluster": [-1, 7]}, 8),
        ({"cluster": np.int64(7)}, 4),
        ({"has_description": False}, 4),
        ("category == 'space' and start_offset_sec < 6", 2),
    ],
)
def test_filters_select_what_they_say(milvus, where, expected):
    if not milvus.has_collection("filters"):
        dogs = make_segments("dog-2", category="space", recorded_at="2024-05-01", cluster=7)
        filled(milvus, "filters", make_segments("cat-1"), lacking(dogs, "description"))
    assert store.count_segments(milvus, "filters", where=where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"colour": "red"}, "no field 'colour' to filter by: choose from segment_id, video_id"),
        ({"has_audio": True}, "no field 'has_audio'"),
        ({"category": 7}, "cannot use 7"),
        ({"category": []}, r"cannot use \[\]"),
        ({"category": None}, "cannot use None"),
        ({"category": "a\x01"}, "cannot use"),
        ({"cluster": "7"}, "cannot use '7'"),
        ({"start_offset_sec": float("nan")}, "cannot use nan"),
        ({"has_visual": (True, True)}, "cannot use"),
        ("colour == 'red'", "unknown field 'colour'"),
        ("category == ", "cannot be counted"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(milvus, name, where, message):
    filled(milvus, name, GOOD)
    with pytest.raises(SearchError, match=message):
        store.count_segments(milvus, name, where=where)


CONTROL = [chr(code) for code in range(32) if chr(code) not in "\t\n\r"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROL))


@pytest.mark.slow
@hypothesis_settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(drawn=st.lists(TEXTS, min_size=5, max_size=25, unique=True))
def test_filters_are_escaped_whatever_the_text(milvus, drawn):
    nasty = [
        'a" or segment_id != "',
        "\\",
        '\\"',
        "it's",
        "50%",
        "_",
        "{x}",
        "a\nb\t",
        "日本",
        "🎬",
        "' or 1 == 1 or '",
    ]
    titles = list(dict.fromkeys([*nasty, *drawn]))
    segments = make_segments(n=len(titles) - 1).assign(title=titles)
    milvus.drop_collection("nasty")
    filled(milvus, "nasty", segments)
    for title, segment in zip(titles, segments["segment_id"], strict=True):
        rows = milvus.query(
            "nasty", filter=store_filters.build_filter({"title": title}), output_fields=["title"]
        )
        assert [(row["segment_id"], row["title"]) for row in rows] == [(segment, title)]
    assert store.count_segments(milvus, "nasty", where={"title": titles}) == len(titles)


# Connections


def test_reopen_all_rows_are_there_and_load_by_themselves(tmp_path, monkeypatch):
    settings = settings_in(tmp_path / "made" / "on the way")
    client = store_client.connect_milvus(settings)
    filled(client, "segments", GOOD)
    store_client.disconnect_milvus(client, settings)
    monkeypatch.chdir(tmp_path)  # the path is absolute: the working directory does not matter
    client = store_client.connect_milvus(settings)
    assert client.get_load_state("segments")["state"].name == "NotLoad"
    query = Query(GOOD["embedding_visual"][1], "toy-8", "a clip")
    assert search_segments(client, "segments", query)["segment_id"][0] == GOOD["segment_id"][1]
    same(store.read_segments(client, "segments"), GOOD)
    store_client.disconnect_milvus(client, settings)


def test_a_relative_path_is_taken_from_the_checkout_not_from_the_working_directory(tmp_path, monkeypatch):
    settings = replace(load_settings(), root=tmp_path, milvus_uri="inside/x.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    client = store_client.connect_milvus(settings)
    store_client.disconnect_milvus(client, settings)
    assert (tmp_path / "inside" / "x.db").is_dir()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_after_disconnect_the_folder_can_be_deleted_and_made_anew(tmp_path):
    settings = settings_in(tmp_path)
    for _ in range(2):
        client = store_client.connect_milvus(settings)
        filled(client, "segments", GOOD)
        store_client.disconnect_milvus(client, settings)
        shutil.rmtree(settings.milvus_uri)
        time.sleep(0.05)
        assert not os.path.exists(settings.milvus_uri)


def hold_open(uri, pipe):
    pipe.send(MilvusClient(uri).list_collections())
    pipe.recv()


@contextmanager
def other_notebook(uri):
    """Another process with the folder open, and the collections that it sees."""
    here, there = Pipe()
    process = child(hold_open, str(uri), there)
    process.start()
    yield here.recv()
    here.send("close it")
    process.join(20)
    assert process.exitcode == 0


@pytest.mark.slow
@needs_fork
def test_a_folder_held_by_another_notebook_gives_one_clear_sentence(tmp_path, capfd):
    settings = settings_in(tmp_path)
    with other_notebook(settings.milvus_uri) as seen:
        assert seen == []
        with pytest.raises(
            StoreError, match="in use by another notebook: close or restart that notebook's kernel"
        ):
            store_client.connect_milvus(settings)
        beside = replace(settings, milvus_uri=str(tmp_path / "05.db"))  # two notebooks side by side work
        client = store_client.connect_milvus(beside)
        filled(client, "segments", GOOD)
        assert store.count_segments(client, "segments") == 4
        store_client.disconnect_milvus(client, beside)
    client = store_client.connect_milvus(settings)
    store_client.disconnect_milvus(client, settings)
    with other_notebook(beside.milvus_uri) as seen:  # closed here, so it opens there
        assert seen == ["segments"]
    assert capfd.readouterr() == ("", "")


def test_folders_that_are_none(tmp_path):
    settings = settings_in(tmp_path)
    (tmp_path / "store.db").write_bytes(b"SQLite format 3\0, an old single-file database")
    with pytest.raises(StoreError, match="file of an old Milvus Lite"):
        store_client.connect_milvus(settings)
    with pytest.raises(StoreError, match=r"path ending in \.db"):
        store_client.connect_milvus(replace(settings, milvus_uri=str(tmp_path / "milvus")))
    with pytest.raises(StoreError, match="cannot be written.*VIDEO_SEARCH_HOME"):
        store_client.connect_milvus(replace(settings, milvus_uri=str(tmp_path / "store.db" / "x.db")))


@pytest.fixture
def no_rights():
    """A folder that may be read, not written; root, whom no folder stops, is another user meanwhile."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "theirs"
        (folder / "old.db").mkdir(parents=True)
        (folder / "closed").mkdir()
        modes = {Path(top): 0o555, folder / "old.db": 0o555, folder / "closed": 0, folder: 0o555}
        for path, mode in modes.items():
            path.chmod(mode)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        yield folder
        if root:
            os.seteuid(0)
        for path in (Path(top), folder, folder / "old.db", folder / "closed"):
            path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("path", ["new.db", "below/new.db", "old.db", "closed/new.db"])
def test_a_folder_without_write_permission(no_rights, path):
    settings = replace(load_settings(), milvus_uri=str(no_rights / path))
    with pytest.raises(StoreError, match="cannot be written.*Permission denied.*VIDEO_SEARCH_HOME"):
        store_client.connect_milvus(settings)


def test_a_damaged_folder_says_so(tmp_path, capfd):
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    filled(client, "segments", GOOD)
    store_client.disconnect_milvus(client, settings)
    for manifest in tmp_path.rglob("*.json*"):
        manifest.write_text("{")
    with pytest.raises(StoreError) as caught:
        client = store_client.connect_milvus(settings)
        store.count_segments(client, "segments")
    assert "cannot be opened" in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_server_that_does_not_answer():
    settings = replace(load_settings(), milvus_uri="http://ada:secret@127.0.0.1:9", milvus_token="secret")
    with pytest.raises(StoreError, match=r"start Milvus at 127\.0\.0\.1:9") as caught:
        store_client.connect_milvus(settings)
    assert "secret" not in str(caught.value)


@pytest.mark.slow
@needs_fork
def test_the_same_code_works_on_a_server(tmp_path):
    server = Server(tmp_path / "shared")
    uri = f"http://127.0.0.1:{server.port}"
    settings = replace(load_settings(), milvus_uri=uri, milvus_token="", prefix="ada_")
    try:
        client = store_client.connect_milvus(settings)
        name = store_client.collection_name(settings, "segments")
        filled(client, name, make_segments("cat-1"), make_segments("dog-2"))
        assert store.delete_video(client, name, "cat-1") == 4
        same(store.read_segments(client, name), make_segments("dog-2"))
        store_client.drop_collection(client, "segments", settings=settings)
        assert client.list_collections() == []
        store_client.disconnect_milvus(client, settings)
    finally:
        server.kill()


# A collection of a corpus


def table_of(*addresses):
    return pd.DataFrame({"video_id": [f"own-{i}" for i in range(len(addresses))], "video_url": addresses})


def test_a_corpus_has_a_collection_of_its_own(tmp_path):
    settings = settings_in(tmp_path)

    def name_of(*addresses, prefix=""):
        return store_client.collection_name(replace(settings, prefix=prefix), table_of(*addresses))

    assert store_client.collection_name(settings, sample_videos()) == name_of() == "videos"
    zoo = name_of("/films/zoo 2025/a.mp4")
    assert re.fullmatch("own_zoo_2025_[0-9a-f]{6}", zoo)
    assert name_of("/films/zoo 2025/a.mp4", "/films/zoo 2025/b.mp4") == zoo  # one more film
    assert name_of("/films/zoo 2025/a.mp4", prefix="ada_") == f"ada_{zoo}"
    others = [
        name_of("/other/zoo 2025/a.mp4"),
        name_of("/films/zoo 2025/a.mp4", "data/videos/cat.mp4"),
        name_of("/films/動物園/a.mp4"),
        name_of("https://example.org/a.mp4"),
        name_of("https://example.org/a.mp4", "https://example.com/b.mp4"),
        name_of("/a.mp4"),
        name_of("/films/data/videos/a.mp4"),
    ]
    assert len({*others, zoo, "videos"}) == len(others) + 2
    assert all(store_client.NAME.fullmatch(name) for name in others)
    with pytest.raises(StoreError, match="give a text, such as 'videos', or a table of videos"):
        store_client.collection_name(settings, None)
    with pytest.raises(StoreError, match="lack the column 'video_url'"):
        store_client.collection_name(settings, pd.DataFrame({"title": ["a"]}))


def test_own_videos_never_land_among_the_samples(tmp_path, milvus):
    """Both orders; the tables of segments name their corpus as those of videos do."""
    settings = settings_in(tmp_path)
    own = make_segments("own-1", video_url="/films/zoo/a.mp4")
    for tables in ([GOOD, own], [own, GOOD]):
        names = [store_client.collection_name(settings, table) for table in tables]
        for name, table in zip(names, tables, strict=True):
            filled(milvus, name, table)
        for name, table in zip(names, tables, strict=True):
            assert set(store.read_segments(milvus, name)["segment_id"]) == set(table["segment_id"])
        for name in names:
            milvus.drop_collection(name)
