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

from helpers.arguments import check_table, is_list, is_number, is_whole
from helpers.errors import SearchError
from helpers.search.evaluation import EXACT, HITS, TIMES, temporal_iou, video_name

MOMENT_COLUMNS = [
    *("rank", "score", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url", "clips"),
    *("best_segment_id", "best_score", "best_start_offset_sec", "best_end_offset_sec"),
]
CURVE_COLUMNS = ["start_offset_sec", "end_offset_sec", "middle_sec", "score", "smoothed", "segment_id"]
EPSILON = 1e-6  # seconds: clips that touch may differ by this much after rounding
Floats = npt.NDArray[np.float64]


def find_moments(
    hits: pd.DataFrame, *, gap: float = 1.0, keep: float = 0.9, smooth: float = 0.0, limit: int | None = 5
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
    The default of `keep` was picked while looking at this project's own ground truth: on other videos, and on
    clips of another length (1 suits clips of 10 s), another value may do better.
    Raises SearchError for scores that are not numbers, or a gap, keep, smooth or limit out of range.
    """
    _check(is_number(gap) and gap >= 0, f"The gap is {gap!r}: give seconds, 0 or more.")
    _check(is_number(keep) and 0 <= keep <= 1, f"keep is {keep!r}: give a share from 0 to 1.")
    _check_limit(limit)
    clips = _clips(hits)
    start, end, score = (
        clips[c].to_numpy(dtype=float) for c in ("start_offset_sec", "end_offset_sec", "score")
    )
    level, video = _smoothed(clips, smooth), clips["video_id"].to_numpy(dtype=object)
    low = level.min(initial=math.inf)
    groups = clips.groupby("video_id", sort=False).indices
    members = {video_id: np.asarray(rows) for video_id, rows in groups.items()}  # in the order of time
    taken: dict[Any, list[tuple[float, float]]] = {name: [] for name in members}
    found, best = [], []
    for seed in np.argsort(-level, kind="stable"):
        own, busy = members[video[seed]], taken[video[seed]]
        if any(start[seed] < b and end[seed] > a for a, b in busy):
            continue
        after = max((b for _, b in busy if b <= start[seed]), default=-math.inf)
        before = min((a for a, _ in busy if a >= end[seed]), default=math.inf)
        near = own[level[own] >= low + keep * (level[seed] - low) - 1e-9]
        near = near[(start[near] >= after) & (end[near] <= before)]
        a, b = _grow(start[near], end[near], float(start[seed]), float(end[seed]), gap)
        inside = own[(start[own] >= a) & (end[own] <= b)]
        busy.append((a, b))
        found.append((level[seed], a, b, len(inside)))
        best.append(inside[np.argmax(score[inside])])
        if len(found) == limit:
            break
    table = clips.iloc[best].reset_index(drop=True)
    table = table.rename(
        columns={c: f"best_{c}" for c in ("segment_id", "score", "start_offset_sec", "end_offset_sec")}
    )
    table["rank"] = np.arange(1, len(table) + 1)
    own_columns = ["score", "start_offset_sec", "end_offset_sec", "clips"]
    table[own_columns] = pd.DataFrame(found, columns=own_columns)
    return table[MOMENT_COLUMNS]


def _grow(starts: Floats, ends: Floats, start: float, end: float, gap: float) -> tuple[float, float]:
    """The stretch of time that grows from start-end over the given clips that come within reach of its ends."""
    for a, b in zip(starts, ends, strict=True):  # in the order of time
        if start <= a <= end + gap + EPSILON:
            end = max(end, float(b))
    for at in np.argsort(-ends, kind="stable"):  # and back
        if start - gap - EPSILON <= ends[at] <= end:
            start = min(start, float(starts[at]))
    return start, end


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
        _check(
            not found or (isinstance(video_id, str) and video_id in found),
            f"No hit is of the video {video_id!r}: search in it first.",
        )
        clips = clips[clips["video_id"] == video_id]
    middle = (clips["start_offset_sec"] + clips["end_offset_sec"]) / 2
    curve = clips.assign(middle_sec=middle, smoothed=_smoothed(clips, smooth))
    return curve[CURVE_COLUMNS].reset_index(drop=True)


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
    if not is_list(steps, pd.DataFrame) or len(steps) < 2:
        raise SearchError("A sequence has two steps or more: give a list of tables of hits, in their order.")
    _check(
        is_number(within) and 0 < within < math.inf,
        f"The steps lie within {within!r} seconds: give a number above 0.",
    )
    _check_limit(limit)
    tables = [_clips(step) for step in steps]
    for table in tables:
        table["share"] = _share(table["score"].to_numpy(dtype=float))
    videos = [{video: rows for video, rows in table.groupby("video_id")} for table in tables]
    shared = set[Any].intersection(*(set(step) for step in videos))
    rows = [row for v in shared for row in _chains([step[v] for step in videos], within)]
    rows.sort(key=lambda row: (-round(row["score"], 9), row["video_id"], row["start_offset_sec"]))
    chosen: list[dict[str, Any]] = []
    for row in rows:
        if len(chosen) == limit:
            break
        if not any(_overlap(row, other) for other in chosen):
            chosen.append({"rank": len(chosen) + 1, **row})
    return pd.DataFrame(chosen, columns=_sequence_columns(len(tables)))


def _chains(steps: list[pd.DataFrame], within: float) -> list[dict[str, Any]]:
    """For each first clip of one video, its best sequence (if there is any within the time) as a row."""
    fields = ["start_offset_sec", "end_offset_sec", "share"]
    times = [tuple(rows[field].to_numpy(dtype=float) for field in fields) for rows in steps]
    rows = []
    for first in range(len(steps[0])):
        if (path := _best_chain(first, times, within)) is None:
            continue
        clips = [step.iloc[at] for step, at in zip(steps, path, strict=True)]
        row: dict[str, Any] = {"score": float(np.mean([clip["share"] for clip in clips]))}
        row |= {column: clips[0][column] for column in ("video_id", "title", "video_url", "start_offset_sec")}
        row["end_offset_sec"] = clips[-1]["end_offset_sec"]
        for n, clip in enumerate(clips, 1):
            row |= {f"step{n}_segment_id": clip["segment_id"], f"step{n}_score": clip["score"]}
            row |= {
                f"step{n}_start_sec": clip["start_offset_sec"],
                f"step{n}_end_sec": clip["end_offset_sec"],
            }
        rows.append(row)
    return rows


def _best_chain(first: int, times: list[tuple[Floats, ...]], within: float) -> list[int] | None:
    """The clips, one per step, with the highest sum of shares, that begin with clip `first` of step one.

    Dynamic programming: the best total of a clip is its share plus the highest total of those clips of the
    step before that end before it starts: a running maximum over these, by their end. Times are (start, end,
    share) of each step's clips.
    """
    start, end, share = times[0]
    latest = start[first] + within + EPSILON
    ends, totals = end[first : first + 1], share[first : first + 1]
    places, origins = [np.array([first])], []
    if ends[0] > latest:
        return None
    for start, end, share in times[1:]:
        order = np.argsort(ends, kind="stable")
        highest = np.maximum.accumulate(totals[order])
        risen = np.concatenate([[True], highest[1:] > highest[:-1]])
        leader = np.maximum.accumulate(np.where(risen, np.arange(len(order)), 0))
        ended = np.searchsorted(ends[order], start + EPSILON, side="right") - 1
        fits = np.flatnonzero((ended >= 0) & (end <= latest))
        if not fits.size:
            return None
        origin = order[leader[ended[fits]]]
        ends, totals = end[fits], totals[origin] + share[fits]
        places.append(fits)
        origins.append(origin)
    at = int(np.argmax(totals))
    path = [int(places[-1][at])]
    for place, origin in zip(places[-2::-1], origins[::-1], strict=True):
        at = int(origin[at])
        path.insert(0, int(place[at]))
    return path


def _overlap(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    apart = a["end_offset_sec"] <= b["start_offset_sec"] or b["end_offset_sec"] <= a["start_offset_sec"]
    return bool(a["video_id"] == b["video_id"] and not apart)


def _sequence_columns(steps: int) -> list[str]:
    own = [
        f"step{n}_{what}"
        for n in range(1, steps + 1)
        for what in ("segment_id", "score", "start_sec", "end_sec")
    ]
    return [*MOMENT_COLUMNS[:7], *own]


def around(
    clips: pd.DataFrame, moment: Mapping[str, Any] | pd.Series, *, before: float = 10.0, after: float = 10.0
) -> pd.DataFrame:
    """What happens around a moment: the clips of its video from `before` seconds before it to `after` after it.

    `clips` are segments or hits, `moment` is one row of hits or moments (`moments.iloc[0]`). In order of time,
    with a column `when` in front: "before", "during" (any overlap with the moment) or "after".
    """
    good = is_number(before) and is_number(after) and before >= 0 and after >= 0
    _check(good, f"before={before!r}, after={after!r}: give seconds, 0 or more.")
    check_table(
        clips, SearchError, what="clips", cure="give segments or hits", numbers=TIMES, texts=["video_id"]
    )
    good = isinstance(moment, Mapping | pd.Series) and isinstance(moment.get("video_id"), str)
    good = good and all(is_number(moment.get(time)) for time in TIMES)
    _check(good, "The moment is no row of hits or moments: give one, such as moments.iloc[0].")
    start, end = float(moment["start_offset_sec"]), float(moment["end_offset_sec"])
    rows: pd.DataFrame = clips[clips["video_id"] == moment["video_id"]]
    if "embedding_scope" in rows:
        rows = rows[rows["embedding_scope"] == "clip"]
    near = (rows["end_offset_sec"] > start - before) & (rows["start_offset_sec"] < end + after)
    rows = rows[near].sort_values("start_offset_sec", kind="stable", ignore_index=True)
    when = np.where(rows["end_offset_sec"] <= start, "before", "during")
    when = np.where(rows["start_offset_sec"] >= end, "after", when)
    rows.insert(0, "when", pd.Series(when, dtype=object))
    return rows


def moment_recall(moments: pd.DataFrame, spans: pd.DataFrame, *, k: int = 1, iou: float = 0.5) -> float:
    """Recall@k at a temporal IoU: 1.0 if one of the first k moments (or hits) has at least that IoU with a span
    of grade 2 of the same video, else 0.0; NaN for a query without an answer, which a mean leaves out.

    `spans` are the rows of one query in the ground truth. The usual measure of moment retrieval, "R@k, IoU=m"
    (Gao et al. 2017, TALL, arXiv:1705.02101); for more than one span the best counts.
    """
    _check(
        is_whole(k, least=1) and is_number(iou) and 0 < iou <= 1,
        f"k={k!r}, iou={iou!r}: give k of 1 or more, and an IoU above 0, up to 1.",
    )
    needed = ("video", *TIMES, "relevance")
    check_table(moments, SearchError, what="moments", cure=HITS, numbers=TIMES, texts=["video_url"])
    check_table(spans, SearchError, what="spans", cure="give what load_ground_truth returned", columns=needed)
    spans = spans[(spans["video"] != "") & (spans["relevance"] >= EXACT)]
    if spans.empty:
        return math.nan
    top = moments.head(k)
    names = top["video_url"].map(video_name).to_numpy(dtype=object)
    same = names[:, None] == spans["video"].to_numpy(dtype=object)
    found = temporal_iou(
        *(top[t].to_numpy(dtype=float)[:, None] for t in TIMES),
        *(spans[t].to_numpy(dtype=float) for t in TIMES),
    )
    return float(np.any(same & (found >= iou)))


def _clips(hits: pd.DataFrame) -> pd.DataFrame:
    """The clips among the hits, by video and time; SearchError where a score or a time is no number."""
    texts, numbers = ("segment_id", "video_id"), (*TIMES, "score")
    if isinstance(hits, pd.DataFrame) and hits.empty:
        return pd.DataFrame(columns=[*texts, "title", "video_url", *numbers])
    names = ("title", "video_url")
    check_table(hits, SearchError, what="hits", cure=HITS, columns=names, numbers=numbers, texts=texts)
    clips = hits[hits["embedding_scope"] == "clip"] if "embedding_scope" in hits else hits
    _check(
        bool(np.isfinite(clips["score"].to_numpy(dtype=float)).all()),
        "A hit has a score that is no number (NaN or infinite): search again, or drop that row.",
    )
    _check(
        bool((clips["end_offset_sec"] > clips["start_offset_sec"]).all()),
        "A hit does not end after it starts: embed its video again.",
    )
    return clips.sort_values(["video_id", "start_offset_sec", "segment_id"], ignore_index=True)


def _smoothed(clips: pd.DataFrame, smooth: float) -> Floats:
    """The Gaussian-weighted mean of the scores around each clip, video by video; the scores if smooth is 0."""
    _check(is_number(smooth) and 0 <= smooth < math.inf, f"smooth is {smooth!r}: give seconds, 0 or more.")
    score = clips["score"].to_numpy(dtype=float)
    if smooth == 0:
        return score.copy()
    middle = (clips["start_offset_sec"] + clips["end_offset_sec"]).to_numpy(dtype=float) / 2
    level = np.empty_like(score)
    for rows in clips.groupby("video_id", sort=False).indices.values():
        for row in rows:
            weight = np.exp(-(((middle[rows] - middle[row]) / smooth) ** 2) / 2)
            level[row] = weight @ score[rows] / weight.sum()
    return level


def _share(score: Floats) -> Floats:
    """Scores on the scale from 0 (the lowest) to 1 (the best); 1 where all are equal."""
    spread = np.ptp(score) if score.size else 0.0
    return (score - score.min()) / spread if spread > 0 else np.ones_like(score)


def _check_limit(limit: int | None) -> None:
    good = limit is None or (is_whole(limit, least=1))
    _check(good, f"The limit is {limit!r}: give a whole number from 1, or None for all.")


def _check(good: bool, problem: str) -> None:
    if not good:
        raise SearchError(problem)
