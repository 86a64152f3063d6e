"""What the cluster explorer computes, as plain functions: rows that light up, neighbours, players, tiles, packing.

A row is the position of a segment in the table that the explorer was given, from 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.carry import Overlap
from helpers.analysis.checks import NOISE, in_order, spans_of
from helpers.analysis.matrix import Labels, Matrix
from helpers.analysis.outliers import medoids, outlier_scores
from helpers.errors import AnalysisError, VideoError
from helpers.explorer.suggested import fit_of
from helpers.segments import available_options, check_spans
from helpers.show.captions import Hit, caption_of, credit_of, records, title_of
from helpers.show.cluster_style import cluster_style
from helpers.show.output import jpeg_uri
from helpers.show.pictures import middle_frame
from helpers.show.players import player_source
from helpers.videos.frames import thumbnail
from helpers.videos.samples import local_path

WORDS = 240  # characters of a description beside a still or a player
STILL = 190  # pixels: the width of a still


def check_segments(segments: pd.DataFrame) -> pd.DataFrame:
    """The segments with rows numbered from 0; AnalysisError for none, a column that is absent, an id twice."""
    if isinstance(segments, pd.DataFrame) and segments.empty:
        raise AnalysisError("There are no segments to explore: the table is empty, so widen the filter.")
    cure, texts = "use those of read_segments", ("segment_id", "video_id", "title", "video_url")
    check_spans(segments, AnalysisError, what="segments", cure=cure, texts=texts)
    twice = segments["segment_id"][segments["segment_id"].duplicated()]
    if len(twice):
        raise AnalysisError(f"The segment {twice.iloc[0]!r} is in the table twice: drop the duplicates.")
    return segments.reset_index(drop=True)


def without_whole_videos(segments: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The clips, rows numbered from 0, and how many whole videos (scope asset) were left out from among them.

    Where there are no clips, whole videos are what is explored, and all stay.
    """
    if "embedding_scope" not in segments:
        return segments, 0
    whole = segments["embedding_scope"] == "asset"
    if whole.all():
        return segments, 0
    return segments[~whole].reset_index(drop=True), int(whole.sum())


def choices(segments: pd.DataFrame) -> list[str]:
    """The options to cluster by: each that has vectors, and "fused" where there are several."""
    options = available_options(segments)
    return [*options, "fused"] if len(options) > 1 else options


# ---------------------------------------------------------------- what goes to the page
def video_table(segments: pd.DataFrame) -> tuple[list[dict[str, str]], npt.NDArray[np.int32]]:
    """Each video once (video_id, title, credit), and for each row (n,) the number of its video."""
    numbers, _ = pd.factorize(segments["video_id"])
    videos = [
        {"video_id": str(row["video_id"]), "title": title_of(row), "credit": credit_of(row)}
        for row in records(segments.drop_duplicates("video_id"))
    ]
    return videos, numbers.astype(np.int32)


def point_bytes(points: pd.DataFrame, segments: pd.DataFrame) -> bytes:
    """x, y, start and end of each row as float32 (n, 4), little-endian, for the page."""
    columns = [points["x"].to_numpy(), points["y"].to_numpy(), *spans_of(segments)]
    return np.column_stack(columns).astype("<f4").tobytes()


def legend_groups(
    labels: Labels,
    names: Mapping[int, str],
    *,
    overlaps: Mapping[int, Overlap] | None = None,
    suggested: Mapping[int, str] | None = None,
) -> list[dict[str, Any]]:
    """The clusters in order, noise last: cluster, name ("" for none), colour, shape (of Matplotlib).

    Where a carried name does not cover its cluster, `fit` says it in words and `kept` in numbers; a cluster without a
    name has `suggested` words, if there are some.
    """
    groups = []
    for number in in_order(labels.tolist()):
        colour, shape = cluster_style(number)
        group = {"cluster": number, "name": names.get(number, ""), "colour": colour, "shape": shape}
        if group["name"] and overlaps and number in overlaps:
            group |= fit_of(overlaps[number])
        elif not group["name"] and suggested and suggested.get(number):
            group["suggested"] = suggested[number]
        groups.append(group)
    return groups


def cluster_names(labels: pd.DataFrame) -> dict[int, str]:
    """The name of each cluster that has one, from the table of labels."""
    named = labels[(labels["name"] != "") & (labels["cluster"] != NOISE)].drop_duplicates("cluster")
    return dict(zip(named["cluster"].astype(int), named["name"], strict=True))


# ---------------------------------------------------------------- neighbours, hits
def nearest_rows(
    matrix: Matrix, row: int, *, among: npt.NDArray[np.bool_], limit: int = 8
) -> list[tuple[int, float]]:
    """The rows with the highest cosine to `row` (which is left out), best first: (row, cosine).

    `matrix` has rows of length 1; `among` (n,) says which rows count. Equal cosines stand in row order.
    """
    return best_rows(matrix @ matrix[row], among=among & (np.arange(len(matrix)) != row), limit=limit)


def best_rows(
    scores: npt.NDArray[Any], *, among: npt.NDArray[np.bool_], limit: int
) -> list[tuple[int, float]]:
    """The rows with the highest scores, best first: (row, score); `among` (n,) says which rows count."""
    rows = np.flatnonzero(among)
    best = rows[np.argsort(-scores[rows], kind="stable")[:limit]]
    return [(int(row), float(scores[row])) for row in best]


def typical_row(matrix: Matrix, found: Labels, labels: Labels, cluster: int) -> int:
    """The medoid of a cluster of `labels`: of the rows that were `found` there, unless all were moved there."""
    here = labels == cluster
    stayed = here & (found == cluster)
    rows = np.flatnonzero(stayed if stayed.any() else here)
    return int(rows[medoids(matrix[rows], np.zeros(len(rows)))[0]])


def measured(matrix: Matrix, labels: Labels) -> dict[str, bytes]:
    """What segments can be sorted by, as float32 (n,) for the page: distance to the medoid, and oddness."""
    scores = outlier_scores(matrix, labels)
    return {
        "medoid": scores["medoid_distance"].to_numpy("<f4").tobytes(),
        "oddness": scores["lof"].to_numpy("<f4").tobytes(),
    }


def place_hits(segments: pd.DataFrame, hits: pd.DataFrame) -> tuple[list[tuple[int, float]], int]:
    """(row, score) of the hits that are on the map, in their order, and how many are not.

    Raises AnalysisError if the hits have no segment_id.
    """
    if "segment_id" not in hits:
        raise AnalysisError(
            "What search(words) gave has no segment_id: return hits, as search_segments does."
        )
    rows = pd.Index(segments["segment_id"]).get_indexer(pd.Index(hits["segment_id"]))
    scores = hits["score"].to_numpy(dtype=float) if "score" in hits else np.full(len(hits), np.nan)
    found: dict[int, float] = {}
    for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
        if row >= 0:
            found.setdefault(row, score)
    return list(found.items()), int((rows < 0).sum())


# ---------------------------------------------------------------- pictures and players
def still_of(segment: Hit) -> str:
    """The middle frame as a data URI; "" where there is none (a video that has moved, or on the web)."""
    try:
        return jpeg_uri(middle_frame(segment, width=STILL), 60)
    except VideoError:
        return ""


def words_of(segment: Hit) -> str:
    """The beginning of the segment's description, "" for none."""
    words = str(segment.get("description") or "")
    return words if len(words) <= WORDS else f"{words[:WORDS].rsplit(' ', 1)[0]} …"


def clip_player(segment: Hit) -> dict[str, str]:
    """What the page's player shows: source, caption, words, credit, and the problem if there is one.

    A video that has moved gives no source, and as problem the sentence that names `relink`. There is no poster:
    to make one takes longer than the browser takes to show the video at its second.
    """
    url = str(segment["video_url"])
    start, end = float(segment["start_offset_sec"]), float(segment["end_offset_sec"])
    shown = {"caption": caption_of(segment), "words": words_of(segment), "credit": credit_of(segment)}
    try:
        path = local_path(url)
        if path is not None and not path.is_file():
            thumbnail(url, start)  # it has the sentence for that
        source = player_source(url, start, end, in_widget=True)
    except VideoError as error:
        return shown | {"source": "", "problem": str(error)}
    return shown | {"source": source, "problem": ""}


def tile_strip(found: Sequence[tuple[int, float]], *, title: str, of: int = -1) -> dict[str, Any]:
    """Tiles for (row, score) pairs: title, items of row and score (None for NaN), `of` which row they are near.

    The page asks for their stills one by one, so that the next click need not wait for eight pictures.
    """
    items = [{"row": row, "score": None if np.isnan(score) else score} for row, score in found]
    return {"title": title, "items": items, "of": of}


def record(segments: pd.DataFrame, row: int) -> dict[str, Any]:
    """One row as a mapping, without its vectors."""
    columns = [c for c in segments if not str(c).startswith("embedding_") or c == "embedding_scope"]
    return {str(c): segments[c].iat[row] for c in columns}


# ---------------------------------------------------------------- files
def free_path(folder: Path, name: str) -> Path:
    """`folder/name`, or with -2, -3, … before the suffix: a path where no file is yet."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path
