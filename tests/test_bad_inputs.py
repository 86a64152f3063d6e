"""Bad inputs that a user would give, each with its own way through the code and its own sentence: what, and what to do.

The table is the count: inputs that differ but meet the same sentence are one line here.
"""

import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymilvus import MilvusClient
from twelvelabs import TwelveLabs

from helpers import (
    Leg,
    Query,
    agreement,
    around,
    average_queries,
    build_filter,
    cluster_explorer,
    cluster_matrix,
    cluster_shares,
    connect_milvus,
    connect_twelvelabs,
    create_collection,
    curve_player,
    delete_video,
    disconnect_milvus,
    embed_batch,
    embed_clip,
    embed_image,
    embed_text,
    estimate_cost,
    export_clips,
    export_csv,
    find_moments,
    find_sequence,
    fuse,
    hybrid_search,
    insert_segments,
    kmeans_clusters,
    load_settings,
    map_points,
    name_cluster,
    near_duplicates,
    odd_segments,
    own_videos,
    plot_shares,
    probe_videos,
    read_labels,
    recommend,
    relink,
    score_curve,
    search_segments,
    segment_query,
    stability,
    tag_segments,
    update_clusters,
    weight_slider,
)
from helpers.errors import VideoSearchError
from helpers.models import LIVE_MODEL
from helpers.settings import check_environment
from helpers.videos.cues import read_cues
from helpers.videos.limits import require_limits
from tests.make_media import film, sound, write
from tests.store.test_store import DIM, lacking, make_segments, settings_in

LEAST = 45
Bad = Callable[[Path], Any]
SEGMENTS = make_segments(n=6)
CLIPS = SEGMENTS[SEGMENTS["embedding_scope"] == "clip"].reset_index(drop=True)
HITS = CLIPS.assign(rank=range(1, 7), score=np.linspace(0.9, 0.4, 6))
MATRIX = cluster_matrix(CLIPS)
WORDS = Query(np.eye(1, DIM, dtype=np.float32)[0], "toy-8", "words")
CLUSTERS = pd.Series(0, index=CLIPS["segment_id"])
NO_LABELS = pd.DataFrame({"segment_id": [], "cluster": [], "name": [], "tags": [], "note": []})
OPENED: dict[str, Any] = {}  # filled by the fixture below, for the lambdas of the table


@pytest.fixture(scope="module", autouse=True)
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Milvus Lite with the collection "cats", and the offline client; nobody writes into it."""
    settings = settings_in(tmp_path_factory.mktemp("store"))
    milvus = connect_milvus(settings)
    create_collection(milvus, "cats", SEGMENTS)
    insert_segments(milvus, "cats", SEGMENTS)
    OPENED.update(milvus=milvus, client=connect_twelvelabs())
    yield
    disconnect_milvus(milvus, settings)


def db() -> MilvusClient:
    return OPENED["milvus"]


def offline() -> TwelveLabs:
    return OPENED["client"]


def listed(folder: Path, text: str) -> Path:
    """A CSV in a folder with one film, a.mp4, that is none, as no line here comes to be opened."""
    write(folder / "a.mp4", b"film")
    return write(folder / "list.csv", text.encode())


def cues(folder: Path, text: str) -> Any:
    return read_cues(write(folder / "film.vtt", text.encode("utf-8")))


def half(folder: Path) -> Path:
    data = film(folder / "whole.mp4", seconds=2).read_bytes()
    return write(folder / "half.mp4", data[: len(data) // 2])


def changed(**columns: Any) -> pd.DataFrame:
    """The segments with other cells in their first row."""
    table = SEGMENTS.copy()
    for name, cell in columns.items():
        table[name] = [cell, *table[name][1:]]
    return table


def switched(**switches: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in switches.items():
            patch.setenv(name, value)
        return check_environment()


def opens(folder: Path, uri: str) -> MilvusClient:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILVUS_URI", uri.format(folder=folder))
        return connect_milvus(load_settings())


def searched(query: Any = WORDS, name: str = "cats", **options: Any) -> pd.DataFrame:
    return search_segments(db(), name, query, **options)


def tiny(folder: Path, **options: Any) -> Path:
    return film(folder / "tiny.mp4", **options)


BAD_INPUTS: dict[str, Bad] = {
    # own videos
    "no video named": lambda p: own_videos([]),
    "an empty path": lambda p: own_videos(" "),
    "a number for a path": lambda p: own_videos(7),
    "a misspelt path": lambda p: own_videos(p / "missing.mp4"),
    "a web page saved as a film": lambda p: own_videos(write(p / "page.mp4", b"<html>")),
    "an empty file": lambda p: own_videos(write(p / "empty.mp4", b"")),
    "half a download": lambda p: own_videos(half(p)),
    "noise named as a film": lambda p: own_videos(write(p / "noise.mp4", bytes(range(256)) * 9)),
    "sound only": lambda p: own_videos(sound(p / "song.mp4")),
    "a folder without videos": lambda p: own_videos(p),
    "a link to a file that is gone": lambda p: (p / "l.mp4").symlink_to(p / "x") or own_videos(p / "l.mp4"),
    # addresses
    "half an address": lambda p: own_videos("https://"),
    "an address of a bucket": lambda p: own_videos("s3://bucket/film.mp4"),
    "an endless address": lambda p: own_videos("https://films.example.org/?" + "x" * 5000),
    "an address offline": lambda p: embed_batch(offline(), ["https://films.example.org/a.mp4"]).errors[0],
    # a CSV
    "an empty list": lambda p: own_videos(listed(p, "")),
    "a list of no video": lambda p: own_videos(listed(p, "path,title\n")),
    "a list without paths": lambda p: own_videos(listed(p, "title\nA\n")),
    "a list with a column of one's own": lambda p: own_videos(listed(p, "path,tags\na.mp4,x\n")),
    "a list with a column twice": lambda p: own_videos(listed(p, "path,path\na.mp4,a.mp4\n")),
    "a list in Latin-1": lambda p: own_videos(write(p / "l.csv", b"path\nB\xe4r.mp4\n")),
    "a list with an open quote": lambda p: own_videos(listed(p, 'path\n"a.mp4\n')),
    "a list with a comma too many": lambda p: own_videos(listed(p, "path,title\na.mp4,one, two\n")),
    "a list with a cell left empty": lambda p: own_videos(listed(p, "path,title\n,A\n")),
    "a list with a German date": lambda p: own_videos(listed(p, "path,recorded_at\na.mp4,29.02.2024\n")),
    "a list that names a film twice": lambda p: own_videos(listed(p, "path\na.mp4\n./a.mp4\n")),
    "a list that leaves its folder": lambda p: own_videos(listed(p, "path\n../a.mp4\n")),
    "a list that names a folder": lambda p: own_videos(listed(p, "path\n.\n")),
    "a list with an endless title": lambda p: own_videos(listed(p, f"path,title\na.mp4,{'x' * 1001}\n")),
    "a list with a tab in a path": lambda p: own_videos(listed(p, "path\na\x01.mp4\n")),
    "a root that is no folder": lambda p: own_videos(listed(p, "path\na.mp4\n"), root=p / "none"),
    "a list that is not there": lambda p: own_videos(p / "list.csv"),
    # limits and costs
    "a film too small for the service": lambda p: require_limits(tiny(p, seconds=5), model=LIVE_MODEL),
    "a film too short for it": lambda p: require_limits(tiny(p, size=(480, 360)), model=LIVE_MODEL),
    "a price below nothing": lambda p: estimate_cost(tiny(p), price_per_minute=-1),
    "a table of something else": lambda p: estimate_cost(pd.DataFrame({"film": ["a"]})),
    "a table without rows": lambda p: estimate_cost(own_videos(tiny(p)).head(0)),
    "no video to embed": lambda p: embed_batch(offline(), own_videos(tiny(p)).head(0)),
    # description tracks
    "a track of another format": lambda p: cues(p, "1\n00:00:01,000 --> 00:00:02,000\nA cat.\n"),
    "a track of no words": lambda p: cues(p, "WEBVTT\n"),
    "a track with a comma in a time": lambda p: cues(p, "WEBVTT\n\n00:01,5 --> 00:02,5\nA cat.\n"),
    "a track with a negative time": lambda p: cues(p, "WEBVTT\n\n-00:01.000 --> 00:02.000\nA cat.\n"),
    "a track that runs backwards": lambda p: cues(p, "WEBVTT\n\n00:02.000 --> 00:01.000\nA cat.\n"),
    "a track in Latin-1": lambda p: read_cues(write(p / "t.vtt", b"WEBVTT\n\xe4")),
    "a track that is not there": lambda p: read_cues(p / "none.vtt"),
    # queries
    "no words": lambda p: embed_text(offline(), "  "),
    "a book of words": lambda p: embed_text(offline(), "word " * 2000),
    "words of no letters": lambda p: embed_text(offline(), "?!"),
    "words of another alphabet": lambda p: embed_text(offline(), "кошка зевает"),
    "an image that is not there": lambda p: embed_image(offline(), p / "cat.jpg"),
    "an image that is none": lambda p: embed_image(offline(), write(p / "cat.jpg", b"no image")),
    "an image from the web, offline": lambda p: embed_image(offline(), "https://example.org/cat.jpg"),
    "a clip behind the end": lambda p: embed_clip(offline(), tiny(p), start=5, end=9),
    # segmentation
    "a segmentation nobody knows": lambda p: estimate_cost(tiny(p), segmentation="scenes-3"),
    # settings and environment
    "a mode nobody knows": lambda p: switched(VIDEO_SEARCH_MODE="online"),
    "live without a key": lambda p: switched(VIDEO_SEARCH_MODE="live"),
    "a home that is a file": lambda p: switched(VIDEO_SEARCH_HOME=str(write(p / "file", b""))),
    "a Milvus that is no address": lambda p: opens(p, "ftp://host:1"),
    "a Milvus that is no folder": lambda p: opens(p, "{folder}/milvus"),
    "a Milvus file of old": lambda p: write(p / "old.db", b"SQLite") and opens(p, "{folder}/old.db"),
    # the store
    "a collection with a hyphen": lambda p: create_collection(db(), "my-cats", SEGMENTS),
    "options as a text": lambda p: create_collection(db(), "dogs", SEGMENTS, options="visual"),
    "index parameters as a number": lambda p: create_collection(db(), "dogs", SEGMENTS, index_params=16),
    "an index that Lite lacks": lambda p: create_collection(db(), "dogs", SEGMENTS, index_type="DISKANN"),
    "a collection of another index": lambda p: create_collection(db(), "cats", SEGMENTS, index_type="HNSW"),
    "a collection of another model": lambda p: create_collection(db(), "cats", SEGMENTS.assign(model="b")),
    "a collection of no vectors": lambda p: create_collection(
        db(), "dogs", lacking(CLIPS.drop(columns="embedding_description"), "visual")
    ),
    "segments of two models": lambda p: create_collection(db(), "dogs", changed(model="other")),
    "a collection that is not there": lambda p: insert_segments(db(), "dogs", SEGMENTS),
    "name and client the wrong way round": lambda p: insert_segments("cats", db(), SEGMENTS),
    "a batch for segments": lambda p: insert_segments(db(), "cats", "batch"),
    "segments without a column": lambda p: insert_segments(db(), "cats", SEGMENTS.drop(columns="title")),
    "segments of another model": lambda p: insert_segments(db(), "cats", SEGMENTS.assign(model="other")),
    "a segment twice": lambda p: insert_segments(db(), "cats", pd.concat([SEGMENTS, SEGMENTS])),
    "two segmentations at once": lambda p: insert_segments(db(), "cats", changed(segmentation="fixed-3")),
    "an option without a place": lambda p: insert_segments(
        db(), "cats", make_segments(n=6, options=("other",))
    ),
    "a title that is no text": lambda p: insert_segments(db(), "cats", changed(title=None)),
    "an endless description": lambda p: insert_segments(db(), "cats", changed(description="x" * 70_000)),
    "a time that is no number": lambda p: insert_segments(db(), "cats", changed(start_offset_sec=np.nan)),
    "a segment that ends before it begins": lambda p: insert_segments(
        db(), "cats", changed(start_offset_sec=99.0)
    ),
    "a cluster and a half": lambda p: insert_segments(db(), "cats", changed(cluster=1.5)),
    "a scope nobody knows": lambda p: insert_segments(db(), "cats", changed(embedding_scope="scene")),
    "a vector of another length": lambda p: insert_segments(
        db(), "cats", changed(embedding_visual=np.ones(3))
    ),
    "a vector of zeros": lambda p: insert_segments(db(), "cats", changed(embedding_visual=np.zeros(DIM))),
    "a vector of words": lambda p: insert_segments(db(), "cats", changed(embedding_visual=["a"] * DIM)),
    "a batch of no rows": lambda p: insert_segments(db(), "cats", SEGMENTS, batch_size=0),
    "clusters as a list": lambda p: update_clusters(db(), "cats", [0, 1]),
    "clusters with gaps": lambda p: update_clusters(db(), "cats", CLUSTERS.astype(float)),
    "clusters without ids": lambda p: update_clusters(db(), "cats", CLUSTERS.reset_index(drop=True)),
    "clusters of unknown segments": lambda p: update_clusters(db(), "cats", pd.Series(0, index=["x"])),
    "two videos to delete": lambda p: delete_video(db(), "cats", ["a", "b"]),
    "a folder of other films": lambda p: relink(db(), "cats", p),
    # filters
    "a field nobody knows": lambda p: build_filter({"colour": "red"}),
    "a number for a category": lambda p: searched(where={"category": 3}),
    "a filter as a list": lambda p: build_filter([("category", "pets")]),
    "a filter of Milvus, misspelt": lambda p: searched(where="category = = 'pets'"),
    "a filter on the scope": lambda p: searched(where={"embedding_scope": "clip"}),
    # search and hybrid search
    "words not embedded": lambda p: searched("a cat"),
    "a limit of none": lambda p: searched(limit=0),
    "a scope to search nobody knows": lambda p: searched(scope="scene"),
    "an option to search nobody knows": lambda p: searched(option="smell"),
    "a query of another model": lambda p: searched(Query(WORDS.vector, "marengo3.5", "words")),
    "a query of another length": lambda p: searched(Query(np.ones(3, np.float32), "toy-8", "words")),
    "a query of zeros": lambda p: searched(Query(np.zeros(DIM, np.float32), "toy-8", "words")),
    "one liked segment, as a text": lambda p: recommend(db(), "cats", "cat-1"),
    "an unknown segment": lambda p: segment_query(db(), "cats", "cat-1"),
    "the same liked and disliked": lambda p: recommend(
        db(), "cats", [CLIPS["segment_id"][0]], disliked=[CLIPS["segment_id"][0]]
    ),
    "a query for a leg": lambda p: hybrid_search(db(), "cats", [WORDS]),
    "no legs": lambda p: hybrid_search(db(), "cats", []),
    "a weight above one": lambda p: hybrid_search(db(), "cats", [Leg(WORDS, "visual", 2)], ranker="weighted"),
    "all weights zero": lambda p: hybrid_search(db(), "cats", [Leg(WORDS, "visual", 0)], ranker="weighted"),
    "weights with rrf": lambda p: hybrid_search(
        db(), "cats", [Leg(WORDS, "visual", 0.2), Leg(WORDS, "description")]
    ),
    "a ranker nobody knows": lambda p: hybrid_search(db(), "cats", [Leg(WORDS, "visual")], ranker="mean"),
    "a k of nothing": lambda p: hybrid_search(db(), "cats", [Leg(WORDS, "visual")], k=0),
    "a depth below the limit": lambda p: hybrid_search(db(), "cats", [Leg(WORDS, "visual")], depth=1),
    "a weight for no list": lambda p: fuse({"a": HITS}, weights={"b": 0.5}, ranker="weighted"),
    "scores that are no cosines": lambda p: fuse({"a": HITS.assign(score=7.0)}, ranker="weighted"),
    "more weights than queries": lambda p: average_queries([WORDS], weights=[1, 2]),
    "queries that cancel out": lambda p: average_queries([WORDS, Query(-WORDS.vector, "toy-8", "not")]),
    # moments
    "a keep above one": lambda p: find_moments(HITS, keep=2),
    "a gap below zero": lambda p: find_moments(HITS, gap=-1),
    "moments of no scores": lambda p: find_moments(CLIPS),
    "moments of NaN": lambda p: find_moments(HITS.assign(score=np.nan)),
    "a limit of moments of none": lambda p: find_moments(HITS, limit=0),
    "a curve of two films": lambda p: score_curve(pd.concat([HITS, HITS.assign(video_id="b")])),
    "a curve of a film not found": lambda p: score_curve(HITS, video_id="b"),
    "a sequence of one step": lambda p: find_sequence([HITS], within=9),
    "a sequence within nothing": lambda p: find_sequence([HITS, HITS], within=0),
    "around, below zero": lambda p: around(HITS, HITS.iloc[0], before=-1),
    # analysis
    "nothing to analyse": lambda p: cluster_matrix(CLIPS.head(0)),
    "an option to analyse nobody has": lambda p: cluster_matrix(CLIPS, option="smell"),
    "segments without that option": lambda p: cluster_matrix(lacking(CLIPS, "visual", [0]), option="visual"),
    "half a cluster": lambda p: kmeans_clusters(MATRIX, 2.5),
    "a matrix with NaN": lambda p: kmeans_clusters(np.full((3, 2), np.nan), 2),
    "one vector for a matrix": lambda p: kmeans_clusters(MATRIX[0], 2),
    "one seed to compare": lambda p: stability(MATRIX, 2, seeds=[0]),
    "one labelling to compare": lambda p: agreement({"a": [0, 1]}),
    "labellings of two lengths": lambda p: agreement({"a": [0, 1], "b": [0]}),
    "a map nobody knows": lambda p: map_points(MATRIX, method="umap"),
    "shares by colour": lambda p: cluster_shares(CLIPS, [0] * 6, by="colour"),
    "labels of other segments": lambda p: cluster_shares(CLIPS, [0, 1]),
    "windows of nothing": lambda p: cluster_shares(CLIPS, [0] * 6, by="time", window=0),
    "shares of nothing": lambda p: plot_shares(pd.DataFrame()),
    "a threshold of 95": lambda p: near_duplicates(CLIPS, MATRIX, threshold=95),
    "a matrix of other segments": lambda p: near_duplicates(CLIPS, MATRIX[:2]),
    "odd by colour": lambda p: odd_segments(CLIPS, pd.DataFrame({"lof": [1.0] * 6}), by="colour"),
    # labels
    "labels that are a photo": lambda p: read_labels(write(p / "labels.parquet", b"photo")),
    "a name for no cluster": lambda p: name_cluster(NO_LABELS, 3, "cats"),
    "a tag for no segment": lambda p: tag_segments(NO_LABELS, [""], "cat"),
    "an export of nothing": lambda p: export_csv(CLIPS.head(0), NO_LABELS, p / "out.csv"),
    "an export without ids": lambda p: export_csv(CLIPS.drop(columns="title"), NO_LABELS, p / "out.csv"),
    "an export onto a folder": lambda p: export_csv(CLIPS, NO_LABELS, p),
    "clips of films that moved": lambda p: export_clips(CLIPS, p),
    # the explorer and the controls
    "nothing to explore": lambda p: cluster_explorer(CLIPS.head(0)),
    "segments to explore at no time": lambda p: cluster_explorer(CLIPS.assign(start_offset_sec=np.inf)),
    "segments to explore without times": lambda p: cluster_explorer(CLIPS.drop(columns="end_offset_sec")),
    "a segment to explore twice": lambda p: cluster_explorer(pd.concat([CLIPS, CLIPS])),
    "three legs to weigh": lambda p: weight_slider(lambda w: HITS, legs=("a", "b", "c")),
    "a weight to begin with of 5": lambda p: weight_slider(lambda w: HITS, value=5),
    "one step to weigh": lambda p: weight_slider(lambda w: HITS, steps=1),
    "a curve of nothing": lambda p: curve_player(score_curve(HITS.head(0)), "data/videos/cat.mp4"),
}
STACK = re.compile(
    r"Traceback|Exception|Error\b|File \"|line \d+, in|0x[0-9a-f]{6}|site-packages|\.py\b|NoneType|"
    r"pymilvus|grpc|numpy|pandas|pyarrow|<class|errno"
)
SAID: dict[str, str] = {}  # name -> kind and sentence, with names and numbers removed


def told(bad: Bad, folder: Path) -> VideoSearchError:
    """The error that the input meets; a batch keeps its own instead of raising it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = bad(folder)
        except VideoSearchError as error:
            return error
    assert isinstance(answer, VideoSearchError), f"nothing was raised, the answer is {answer!r}"
    return answer


def skeleton(error: VideoSearchError, folder: Path) -> str:
    """The kind of error and its sentence without what the input brought in: paths, quoted names, numbers."""
    text = str(error).replace(str(folder), "…")
    text = re.sub(r"'[^']*'|`[^`]*`|\"[^\"]*\"", "…", text)
    text = re.sub(r"\S*[/.]\S*\w|\d[\d,.]*", "…", text)
    return f"{type(error).__name__}: {text}"


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_a_bad_input_meets_one_sentence(name: str, tmp_path: Path) -> None:
    error = told(BAD_INPUTS[name], tmp_path)
    text = str(error)
    assert re.fullmatch(r"[^\n]{20,}[.?]", text), f"no sentence on one line: {text!r}"
    assert len(re.split(r"[.?!] (?=[A-Z])", text)) <= 2, f"more than two sentences: {text}"
    assert not STACK.search(text.replace(str(tmp_path), "")), text
    SAID[name] = skeleton(error, tmp_path)


def test_no_two_bad_inputs_meet_the_same_sentence() -> None:
    if len(SAID) < len(BAD_INPUTS):
        pytest.skip("only some of the table has run")
    same = {words: [n for n, w in SAID.items() if w == words] for words in SAID.values()}
    assert {words: names for words, names in same.items() if len(names) > 1} == {}
    assert len(same) >= LEAST


def test_probing_raises_for_no_single_video(tmp_path: Path) -> None:
    shutil.copy(tiny(tmp_path), tmp_path / "b.mp4")
    verdicts = probe_videos([tmp_path / "b.mp4", tmp_path / "missing.mp4"])["verdict"]
    assert verdicts[1].startswith("There is no video file") and "\n" not in " ".join(verdicts)
