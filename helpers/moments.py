"""Moments in time: neighbouring hits merged, sequences in order, before and after, and how right they are.

Everything here takes tables of hits (best from a search with a high limit, so that the scores of all clips of
a video are there) and returns tables; nothing asks Milvus. Times are seconds from the start of the video.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.errors import SearchError
from helpers.evaluation import EXACT, temporal_iou, video_name

MOMENT_COLUMNS = [
    *("rank", "score", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url", "clips"),
    *("best_segment_id", "best_score", "best_start_offset_sec", "best_end_offset_sec"),
]
CURVE_COLUMNS = ["start_offset_sec", "end_offset_sec", "middle_sec", "score", "smoothed", "segment_id"]
EPSILON = 1e-6  # seconds: clips that touch may differ by this much after rounding
Floats = npt.NDArray[np.float64]


def find_moments(
    hits: pd.DataFrame, *, gap: float = 1.0, keep: float = 0.8, smooth: float = 0.0, limit: int | None = 5
) -> pd.DataFrame:
    """Merge neighbouring clips that score alike into moments, best first: a table of moments, one a row.

    The rule: the best clip that is still free starts a moment. The moment grows to both sides, clip by clip,
    over clips that begin no more than `gap` seconds after it ends (or end that much before it begins) and
    score at least low + keep · (best - low), where `best` is the score of its first clip and `low` the lowest
    of all hits. It takes the clips that it covers, and the next best free clip starts the next moment. That
    is seeded region growing (Adams and Bischof 1994, doi:10.1109/34.295913) over time. `keep=1` grows over
    equals only. Moments never overlap.

    With `smooth` above 0 each score is first replaced by the mean of its video's scores, weighted by a
    Gaussian of the distance in time with a standard deviation of `smooth` seconds (Nadaraya 1964,
    doi:10.1137/1109020): a lone high score counts less than several in a row, and `score` is the smoothed
    one. `best_…` is the clip with the highest score as searched. Whole videos (scope "asset") are left out.
    Raises SearchError for scores that are not numbers, or a gap, keep, smooth or limit out of range.
    """
    _check(gap >= 0, f"The gap is {gap!r}: give seconds, 0 or more.")
    _check(0 <= keep <= 1, f"keep is {keep!r}: give a share from 0 to 1.")
    _check_limit(limit)
    clips = _clips(hits)
    if clips.empty:
        return pd.DataFrame(columns=MOMENT_COLUMNS)
    clips["level"] = _smoothed(clips, smooth)
    low = clips["level"].min()
    videos = {video: rows for video, rows in clips.groupby("video_id", sort=False)}
    taken: dict[Any, list[tuple[float, float]]] = {video: [] for video in videos}
    moments: list[dict[str, Any]] = []
    for seed in clips.sort_values("level", ascending=False, kind="stable").itertuples():
        start, end, busy = seed.start_offset_sec, seed.end_offset_sec, taken[seed.video_id]
        if any(start < b and end > a for a, b in busy):
            continue
        rows = videos[seed.video_id]
        after = max((b for _, b in busy if b <= start), default=-math.inf)
        before = min((a for a, _ in busy if a >= end), default=math.inf)
        inside = (rows["start_offset_sec"] >= after) & (rows["end_offset_sec"] <= before)
        good = rows[inside & (rows["level"] >= low + keep * (seed.level - low) - 1e-9)]
        start, end = _grow(good, start, end, gap)
        busy.append((start, end))
        moments.append(_moment(rows, seed.level, start, end))
        if len(moments) == limit:
            break
    table = pd.DataFrame(moments)
    return table.assign(rank=np.arange(1, len(table) + 1))[MOMENT_COLUMNS]


def _grow(good: pd.DataFrame, start: float, end: float, gap: float) -> tuple[float, float]:
    """The stretch of time that grows from start-end over the good clips within reach of its two ends."""
    spans = good[["start_offset_sec", "end_offset_sec"]].to_numpy(dtype=float)
    for a, b in spans:
        if start <= a <= end + gap + EPSILON:
            end = max(end, b)
    for a, b in spans[np.argsort(-spans[:, 1], kind="stable")]:
        if b <= end and b >= start - gap - EPSILON:
            start = min(start, a)
    return start, end


def _moment(rows: pd.DataFrame, level: float, start: float, end: float) -> dict[str, Any]:
    inside = rows[(rows["start_offset_sec"] >= start) & (rows["end_offset_sec"] <= end)]
    best = inside.loc[inside["score"].idxmax()]
    return {
        "score": level,
        **{column: best[column] for column in ("video_id", "title", "video_url")},
        "start_offset_sec": start,
        "end_offset_sec": end,
        "clips": len(inside),
        "best_segment_id": best["segment_id"],
        "best_score": best["score"],
        "best_start_offset_sec": best["start_offset_sec"],
        "best_end_offset_sec": best["end_offset_sec"],
    }


def score_curve(hits: pd.DataFrame, *, video_id: str | None = None, smooth: float = 0.0) -> pd.DataFrame:
    """The score over time of one video: one row per clip, by time, with the score and the smoothed score.

    `video_id` may be left out where all hits are of one video; `smooth` (seconds) as in `find_moments`.
    Raises SearchError for hits of several videos, or of none that is asked for.
    """
    clips = _clips(hits)
    found = list(clips["video_id"].unique())
    if video_id is None:
        _check(len(found) <= 1, f"The hits are of {len(found)} videos: name one of them as video_id.")
    else:
        _check(not found or video_id in found, f"No hit is of the video {video_id!r}: search in it first.")
        clips = clips[clips["video_id"] == video_id]
    middle = (clips["start_offset_sec"] + clips["end_offset_sec"]) / 2
    return clips.assign(middle_sec=middle, smoothed=_smoothed(clips, smooth))[CURVE_COLUMNS].reset_index(
        drop=True
    )


def find_sequence(steps: Sequence[pd.DataFrame], *, within: float, limit: int | None = 5) -> pd.DataFrame:
    """Moments in order: one clip per step, one after the other in the same video, best first; one row each.

    `steps` are the hits of two or more queries, in the order in which things happen; `within` is the longest
    time from the start of the first clip to the end of the last (seconds). A clip begins when the one of the
    step before has ended, or later. The score is the mean over the steps of (score - low) / (best - low), with
    `low` and `best` of all hits of that step, since two queries do not share a level of scores: 1 is the best.
    For each first clip the best continuation is found exactly, by dynamic programming over the steps; of
    sequences that overlap in time only the best is kept. Columns: rank, score, video_id, title,
    start_offset_sec, end_offset_sec, video_url, then for each step N: stepN_segment_id, stepN_score (as
    searched), stepN_start_sec, stepN_end_sec.
    Raises SearchError for fewer than two steps, or a time span that is not positive.
    """
    if isinstance(steps, pd.DataFrame) or len(steps) < 2:
        raise SearchError("A sequence has two steps or more: give a list of tables of hits, in their order.")
    _check(0 < within < math.inf, f"The steps lie within {within!r} seconds: give a number above 0.")
    _check_limit(limit)
    tables = [_clips(step) for step in steps]
    for table in tables:
        table["share"] = _share(table["score"].to_numpy(dtype=float))
    videos = [{video: rows for video, rows in table.groupby("video_id")} for table in tables]
    shared = sorted(set.intersection(*(set(step) for step in videos)))
    rows = [row for v in shared for row in _chains([step[v] for step in videos], within)]
    rows.sort(key=lambda row: (-round(row["score"], 9), row["video_id"], row["start_offset_sec"]))
    chosen: list[dict[str, Any]] = []
    for row in rows:
        if len(chosen) == limit:
            break
        if not any(_overlap(row, other) for other in chosen):
            chosen.append({"rank": len(chosen) + 1, **row})
    return pd.DataFrame(chosen, columns=_sequence_columns(len(tables)))
