"""Every public function, given values of wrong types: an answer or an error of the project's family, of one line.

Each function stands in CALLS with arguments that are good; one of them at a time is replaced by something else.
What waits, ends the process or starts servers is left out, by name and with its reason.
"""

import datetime as dt
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import helpers
from helpers import Leg, OfflineTransport, PracticeServer, Query, SearchCache, VideoSearchError
from helpers.settings import load_settings
from tests.make_media import film
from tests.store.test_store import DIM, make_segments

SEGMENTS = make_segments(n=6)
CLIPS = SEGMENTS[SEGMENTS["embedding_scope"] == "clip"].reset_index(drop=True)
HITS = CLIPS.assign(rank=range(1, 7), score=np.linspace(0.9, 0.4, 6))
MATRIX = helpers.cluster_matrix(CLIPS)
LABELS = np.array([0, 0, 0, 1, 1, 1])
WORDS = Query(np.eye(1, DIM, dtype=np.float32)[0], "toy-8", "words")
LEGS = [Leg(WORDS, "visual"), Leg(WORDS, "description")]
TRUTH = pd.DataFrame(
    {
        "query_id": ["q1"],
        "query": ["a cat"],
        "video": ["cat-0123456789"],
        "start_offset_sec": [0.0],
        "end_offset_sec": [6.0],
        "relevance": [2],
    }
)
TOLD = SEGMENTS.assign(description="a cat sits")
CLUSTERS = pd.Series(0, index=CLIPS["segment_id"])
NO_LABELS = pd.DataFrame({"segment_id": [], "cluster": [], "name": [], "tags": [], "note": []})
ONE_LABEL = NO_LABELS.reindex([0]).assign(segment_id="a", cluster=0, name="", tags="", note="")
SCORED = HITS.sort_values("start_offset_sec")
CURVE = helpers.score_curve(SCORED)
CHOICES = helpers.choose_k(MATRIX, [2, 3], seed=0)
POINTS = helpers.map_points(MATRIX, method="pca", seed=0)
SHARES = helpers.cluster_shares(CLIPS, LABELS)
FIGURE = Figure(figsize=(1, 1))
ODD = helpers.outlier_scores(MATRIX, LABELS, neighbours=3)

WRONG: list[Any] = [
    *(None, True, 0, 3, -1, 10**400, 2.5, float("nan"), float("inf"), "", "text", "two\nlines", b"bytes"),
    *([], [None], [3, "a"], [[1], [1, 2]], (), (1, 2), {}, {3: 4}, {"a": None}, {"score": ["x"]}, {1, 2}),
    *(object(), len, WORDS, LEGS[0], dt.date(2024, 5, 1), pd.NaT, np.float64("nan"), np.array(3)),
    *(
        np.zeros((2, 3)),
        np.array(["a", None], dtype=object),
        pd.Series([1, 2]),
        pd.Series(["a"], index=["b"]),
    ),
    *(pd.DataFrame(), pd.DataFrame({"a": [1]}), pd.DataFrame({"segment_id": [3], "score": ["high"]})),
    *(HITS.drop(columns="score"), HITS.assign(score="high"), HITS.assign(video_id=3), HITS[["score"]]),
    *(HITS.assign(start_offset_sec=None), HITS.assign(video_url=None), pd.concat([HITS, HITS], axis=1)),
    *(
        SEGMENTS.assign(embedding_visual=7),
        SEGMENTS.assign(segment_id=[[1]] * 7),
        SEGMENTS.drop(columns="model"),
    ),
    *(SEGMENTS.assign(description=None), TRUTH.assign(query=4), TRUTH.drop(columns="video"), [HITS, HITS]),
    *(
        {"q1": HITS},
        {"q1": HITS.drop(columns="video_url")},
        Query("abc", "toy-8", "q"),
        Query(None, None, None),
    ),
    *(
        Query(["a"] * DIM, "toy-8", "q"),
        [Leg(None, None)],
        [Leg(WORDS, ["visual"])],
        [Leg(WORDS, "visual", "1")],
    ),
]


class Calls(dict[str, dict[str, Any]]):
    def __repr__(self) -> str:  # Hypothesis writes what a failing test was given
        return "calls"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """name → the function and good arguments for it, by name."""
    folder = tmp_path_factory.mktemp("wrong")
    own = replace(
        load_settings(), milvus_uri=str(folder / "wrong.db"), milvus_token="", prefix="", home=folder / "home"
    )
    film(folder / "a.mp4", seconds=3)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(os, "fsync", lambda file: None)  # hundreds of files that nobody keeps
    monkeypatch.chdir(folder)  # where "text" as the name of a file does no harm
    milvus = helpers.connect_milvus(own)
    helpers.create_collection(milvus, "cats", SEGMENTS)
    helpers.insert_segments(milvus, "cats", SEGMENTS)
    helpers.export_collection(milvus, "cats", folder / "cats.parquet")
    client = helpers.connect_twelvelabs(own)
    with PracticeServer() as server:
        yield Calls(_calls(folder, own, milvus, client, server))
    helpers.stop_logging()
    helpers.disconnect_milvus(milvus, own)
    monkeypatch.undo()


def _calls(folder: Path, own: Any, milvus: Any, client: Any, server: Any) -> dict[str, dict[str, Any]]:
    store = {"milvus": milvus, "name": "cats"}
    videos = pd.DataFrame() if own is None else helpers.own_videos(folder / "a.mp4")
    evaluation = helpers.evaluate({"q1": HITS}, TRUTH, segments=TOLD)
    return {
        # the store
        "build_filter": {"where": {"category": "pets"}, "options": ["visual"]},
        "collection_name": {"settings": own, "name": "cats"},
        "count_segments": {**store, "where": {"category": "pets"}},
        "create_collection": {
            **store,
            "segments": SEGMENTS,
            "options": ["visual"],
            "index_type": "FLAT",
            "index_params": {"M": 8},
        },
        "delete_video": {**store, "video_id": "nobody"},
        "drop_collection": {"milvus": milvus, "name": "none", "settings": own},
        "insert_segments": {**store, "segments": SEGMENTS, "batch_size": 100},
        "export_collection": {**store, "path": folder / "cats.parquet"},
        "import_collection": {**store, "path": folder / "cats.parquet", "index_type": None},
        "read_segments": {**store, "where": None, "columns": None},
        "relink": {**store, "folder": str(folder)},
        "update_clusters": {**store, "clusters": CLUSTERS, "batch_size": 100},
        # the search
        "search_segments": {
            **store,
            "query": WORDS,
            "option": "visual",
            "scope": "clip",
            "limit": 3,
            "where": None,
        },
        "search_videos": {**store, "query": WORDS, "option": "visual", "limit": 3, "where": None},
        "segment_query": {**store, "segment_id": CLIPS["segment_id"][0], "option": "visual"},
        "recommend": {
            **store,
            "liked": [CLIPS["segment_id"][0]],
            "disliked": [CLIPS["segment_id"][1]],
            "option": "visual",
            "scope": "clip",
            "limit": 3,
            "where": None,
        },
        "hybrid_search": {
            **store,
            "legs": LEGS,
            "ranker": "rrf",
            "k": 60,
            "scope": "clip",
            "limit": 3,
            "where": None,
            "depth": 9,
        },
        "hybrid_videos": {**store, "legs": LEGS, "ranker": "rrf", "k": 60, "limit": 3, "where": None},
        "fuse": {
            "rankings": {"a": HITS, "b": HITS[::-1]},
            "ranker": "weighted",
            "weights": {"a": 0.5},
            "k": 60,
            "limit": 3,
        },
        "average_queries": {"queries": [WORDS, WORDS], "weights": [1, 2]},
        "evaluate": {"rankings": {"q1": HITS}, "truth": TRUTH, "segments": TOLD},
        "expected_at_random": {"truth": TRUTH, "segments": TOLD},
        "bm25_ranking": {"segments": TOLD, "truth": TRUTH, "limit": 3, "k1": 1.2, "b": 0.75},
        "mark_right": {"hits": HITS, "truth": TRUTH},
        "summarise": {"evaluations": {"visual": evaluation}},
        "load_ground_truth": {"path": None},
        "own_questions": {"path": folder / "q.csv", "segments": TOLD, "add": [("cat", "cat", 0, 6)]},
        "temporal_iou": {"a_start": 0, "a_end": 2, "b_start": 1, "b_end": 3},
        "find_moments": {"hits": HITS, "gap": 1.0, "keep": 0.9, "smooth": 1.0, "limit": 2},
        "find_sequence": {"steps": [HITS, HITS], "within": 30.0, "limit": 2},
        "score_curve": {"hits": HITS, "video_id": HITS["video_id"][0], "smooth": 1.0},
        "around": {"clips": HITS, "moment": HITS.iloc[0], "before": 3.0, "after": 3.0},
        "moment_recall": {"moments": HITS, "spans": TRUTH, "k": 1, "iou": 0.5},
        # segments, queries, videos
        "available_options": {"segments": SEGMENTS},
        "vector_field": {"option": "visual"},
        "embed_text": {"client": client, "text": "a cat", "model": None},
        "embed_clip": {"client": client, "path": folder / "a.mp4", "start": 0.0, "end": 1.0, "model": None},
        "practice_videos": {"settings": own, "one_more": False},
        "probe_videos": {"videos": [folder / "a.mp4"], "root": None, "model": None},
        "estimate_cost": {
            "videos": [folder / "a.mp4"],
            "segmentation": "fixed-2",
            "options": ["visual"],
            "model": None,
            "price_per_minute": 1.0,
            "cached": [],
            "dimension": 512,
        },
        "cached_videos": {
            "client": client,
            "videos": videos,
            "model": None,
            "options": None,
            "scopes": ["clip"],
            "segmentation": "fixed-2",
        },
        "connect_milvus": {"settings": own},
        "read_log": {"path": folder},
        "redact": {"text": "a key"},
        # the analysis
        "agreement": {"labels": {"a": LABELS, "b": LABELS}},
        "choose_k": {"matrix": MATRIX, "ks": [2, 3], "seed": 0},
        "cluster_matrix": {"segments": CLIPS, "option": "visual", "centre": False},
        "cluster_shares": {"segments": CLIPS, "labels": LABELS, "by": "video_id", "window": 30.0},
        "hdbscan_clusters": {"matrix": MATRIX, "min_cluster_size": 2, "components": 5, "seed": 0},
        "kmeans_clusters": {"matrix": MATRIX, "k": 2, "seed": 0},
        "map_points": {"matrix": MATRIX, "method": "pca", "seed": 0},
        "near_duplicates": {"segments": CLIPS, "matrix": MATRIX, "threshold": 0.9, "gap": 0.0},
        "nearest_concepts": {"matrix": MATRIX, "labels": LABELS, "queries": [WORDS], "words": 1},
        "odd_segments": {"segments": CLIPS, "scores": ODD, "by": "lof", "limit": 3},
        "outlier_scores": {"matrix": MATRIX, "labels": LABELS, "neighbours": 3},
        "scene_labels": {"segments": CLIPS},
        "stability": {"matrix": MATRIX, "k": 2, "seeds": [0, 1]},
        "suggest_labels": {"segments": CLIPS.assign(description="a cat"), "labels": LABELS, "words": 2},
        "typical_segments": {"segments": CLIPS, "matrix": MATRIX, "labels": LABELS, "each": 2},
        "annotate_segment": {"labels": NO_LABELS, "segment_id": "a", "note": "b"},
        "assign_clusters": {"labels": NO_LABELS, "clusters": CLUSTERS},
        "name_cluster": {"labels": ONE_LABEL, "cluster": 0, "name": "cats"},
        "tag_segments": {"labels": NO_LABELS, "segment_ids": ["a"]},
        "untag_segments": {"labels": NO_LABELS, "segment_ids": ["a"]},
        "move_segments": {"labels": NO_LABELS, "segment_ids": ["a"], "to": "b"},
        "unmove_segments": {"labels": NO_LABELS, "segment_ids": ["a"]},
        "moved_clusters": {"labels": NO_LABELS, "clusters": CLUSTERS},
        "cluster_style": {"number": 1},
        "export_csv": {"segments": CLIPS, "labels": NO_LABELS, "path": folder / "labels.csv"},
        "export_chapters": {"segments": CLIPS, "labels": NO_LABELS, "folder": "chapters"},
        "export_clips": {"segments": CLIPS[:1], "folder": "clips", "labels": NO_LABELS},
        "change_labels": {"path": "labels.parquet", "change": lambda labels: labels},
        "read_labels": {"path": "labels.parquet"},
        "write_labels": {"path": "labels.parquet", "labels": NO_LABELS},
        # what is shown
        "format_time": {"seconds": 65.0},
        "curve_words": {"curve": CURVE, "moments": HITS[:2], "truth": TRUTH, "title": "cats"},
        "plot_curve": {"curve": CURVE, "moments": HITS[:2], "truth": TRUTH, "title": "cats"},
        "curve_player": {
            "curve": CURVE,
            "video_url": str(folder / "a.mp4"),
            "moments": HITS[:2],
            "truth": TRUTH,
            "title": "cats",
        },
        "plot_k": {"choices": CHOICES},
        "plot_map": {"points": POINTS, "labels": LABELS, "names": {0: "cats"}, "title": "map", "ax": None},
        "plot_maps": {"maps": {"map": (POINTS, LABELS)}, "names": {0: "cats"}},
        "plot_shares": {"shares": SHARES, "names": {0: "cats"}, "rows": {"a": "A"}, "title": "shares"},
        "plot_similarity": {"film": CLIPS, "matrix": MATRIX, "shots": [2.0], "title": "film"},
        "plot_timeline": {"segmentations": {"fixed-6": CLIPS}, "title": "cuts", "until": 9.0},
        "show_contact_sheet": {
            "hits": HITS,
            "columns": 5,
            "limit": 2,
            "title": "cats",
            "width": 152,
            "rows": "title",
        },
        "show_map": {"segments": CLIPS, "points": POINTS, "labels": LABELS, "title": "map"},
        "show_moments": {"hits": HITS, "columns": 2, "limit": 1, "context": 1.0},
        "show_table": {"df": HITS, "columns": ["title"], "limit": 3},
        "show_figure": {"fig": FIGURE, "alt": "a cat", "caption": "cat"},
        "search_box": {"search": len, "placeholder": "words", "options": ["visual"]},
        "weight_slider": {"search": lambda weight: HITS, "legs": ("a", "b"), "value": 0.5, "steps": 11},
        "connect_twelvelabs": {"settings": own},
        "embed_image": {"client": client, "path_or_url": folder / "a.png", "model": None},
        "own_videos": {"*": folder / "a.mp4", "root": None},
        "load_settings": {"notebook": "04"},
        "delete_uploads": {"client": client, "home": folder / "home"},
        # what is on for as long as a block, a kernel or a widget
        "start_logging": {"settings": own, "screen": "no such level"},
        "timed": {"event": "a.b", "more": 3},
        "cluster_explorer": {
            "segments": CLIPS,
            "search": lambda words: HITS,
            "labels": "explored.parquet",
            "folder": "exported",
            "option": "visual",
            "k": 2,
        },
        # classes and their methods
        "OfflineTransport": {"models": folder, "fixtures": None, "unfinished": folder},
        "PracticeServer": {"model": None, "seed": 1, "polls": 1, "port": 0, "time_scale": 1.0},
        "PracticeServer.fault": {
            "self": server,
            "route": "GET /x",
            "kind": 503,
            "times": 1,
            "after": 0,
            "share": 1.0,
        },
        "PracticeServer.limit": {"self": server, "route": "GET /x", "requests": 3, "seconds": 60.0},
        "PracticeServer.advance": {"self": server, "days": 1},
        "PracticeServer.count": {"self": server, "route": "GET /x"},
        "SearchCache": {"milvus": milvus, "size": 3, "seconds": 1.0},
        "SearchCache.search": {
            "self": None if milvus is None else SearchCache(milvus),
            "name": "cats",
            "query": WORDS,
            "option": "visual",
            "scope": "clip",
            "limit": 3,
            "where": None,
        },
    }


def _timed(event: Any, more: Any) -> None:
    with helpers.timed(event, more=more):
        pass


# The functions that cannot be called by their public name alone.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "timed": _timed,
    "PracticeServer.fault": PracticeServer.fault,
    "PracticeServer.limit": PracticeServer.limit,
    "PracticeServer.advance": PracticeServer.advance,
    "PracticeServer.count": PracticeServer.count,
    "SearchCache.search": SearchCache.search,
}


LEFT_OUT = {
    "check_environment": "takes nothing",
    "embed_batch": "waits and tries again, which takes minutes; bad tables have tests beside it",
    "embed_videos": "is embed_batch",
    "disconnect_milvus": "closes what the others need; below, with wrong things only",
    "sample_videos": "takes nothing",
    "stop_logging": "takes nothing",
    "use_style": "takes nothing",
}


def test_every_public_function_is_called_or_left_out_for_a_reason(calls):
    public = {name for name in helpers.__all__ if not isinstance(getattr(helpers, name), type)}
    assert public == {name for name in calls.keys() | LEFT_OUT.keys() if "." not in name} - CLASSES
    classes = {name for name in helpers.__all__ if isinstance(getattr(helpers, name), type)}
    assert classes == CLASSES | HOLD_ANYTHING.keys()
    for name in CLASSES:
        methods = {f"{name}.{one}" for one in vars(getattr(helpers, name)) if not one.startswith("_")}
        assert methods <= calls.keys() | METHODS_LEFT_OUT.keys()


CLASSES = {"OfflineTransport", "PracticeServer", "SearchCache"}
METHODS_LEFT_OUT = {
    "OfflineTransport.close": "takes nothing",
    "OfflineTransport.handle_request": "is called by httpx",
    "PracticeServer.charged": "takes nothing",
    "PracticeServer.close": "takes nothing",
    "PracticeServer.heal": "takes nothing",
    "PracticeServer.reset": "takes nothing",
    "PracticeServer.respond": "is called by the server",
    "PracticeServer.tasks": "takes nothing",
    "SearchCache.clear": "takes nothing",
}
HOLD_ANYTHING = {
    "Batch": "what embed_batch returns",
    "Carried": "what assign_clusters returns",
    "Leg": "is checked by the search that takes it",
    "Query": "is checked by the search that takes it",
    "EmbedError": "an error, for code that stands in for a service",
    "QuotaError": "an error, for code that stands in for a service",
    "VideoSearchError": "an error; its message may be anything",
}


def answer(function: Callable[..., Any], arguments: dict[str, Any], spoilt: str, value: Any) -> None:
    """Call it with one wrong argument; only errors of the family may come out, on one line."""
    with warnings.catch_warnings(), suppress(VideoSearchError):
        warnings.simplefilter("ignore")
        try:
            given = arguments | {spoilt: value}
            made = function(*[given.pop("*")] if "*" in given else [], **given)
            if isinstance(made, OfflineTransport | PracticeServer):
                made.close()
        except VideoSearchError as error:
            if "\n" in str(error):
                raise AssertionError(f"a message of two lines: {error}") from error
            raise


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
some = st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=5), plain, max_size=3)
anything = st.sampled_from(range(len(WRONG))) | plain | some | st.lists(some, max_size=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(_calls(Path(), None, None, None, None)))
@settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
@given(place=st.integers(0, 11), drawn=anything)
def test_wrong_types_meet_an_error_of_the_family(calls, name, place, drawn):
    arguments = calls[name]
    names = sorted(arguments.keys() - {"self"})
    spoilt = names[place % len(names)]
    value = WRONG[drawn] if type(drawn) is int and 0 <= drawn < len(WRONG) else drawn
    answer(FUNCTIONS.get(name) or getattr(helpers, name), arguments, spoilt, value)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_disconnected(calls, wrong):
    own = calls["connect_milvus"]["settings"]
    for arguments in (
        {"milvus": wrong, "settings": own},
        {"milvus": calls["read_segments"]["milvus"], "settings": wrong},
    ):
        with pytest.raises(VideoSearchError):
            helpers.disconnect_milvus(**arguments)


OF_ONES_OWN = {
    "lack the column 'video_id'": pd.DataFrame({"path": ["a.mp4"], "title": ["A"]}),
    "lack the column 'video_url'": pd.DataFrame({"video_id": ["a"], "title": ["A"]}),
    "have 7 in the column 'video_id', which is no text": pd.DataFrame(
        {"video_id": [7], "title": ["A"], "video_url": ["a.mp4"]}
    ),
    "have None in the column 'title', which is no text": pd.DataFrame(
        {"video_id": ["a"], "title": [None], "video_url": ["a.mp4"]}, dtype=object
    ),
}


@pytest.mark.parametrize("said", OF_ONES_OWN)
@pytest.mark.parametrize("name", ["embed_batch", "embed_videos", "cached_videos", "probe_videos"])
def test_a_table_of_ones_own_in_place_of_own_videos(calls, name, said):
    given = (calls["cached_videos"]["client"],) if name != "probe_videos" else ()
    with pytest.raises(VideoSearchError, match=said + ".*: use the table of sample_videos"):
        getattr(helpers, name)(*given, OF_ONES_OWN[said])
