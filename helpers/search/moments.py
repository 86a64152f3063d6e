"""Moments in time: neighbouring hits merged, sequences in order, before and after, and how right they are.

Everything here takes tables of hits (best from a search with a high limit, so that the scores of all clips of
a video are there) and returns tables; nothing asks Milvus. Times are seconds from the start of the video.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.arguments import check_limit, check_table, is_list, is_number, is_whole
from helpers.errors import SearchError
from helpers.search.clips import Clips, Floats, clips_among
from helpers.search.evaluation import EXACT, HITS, temporal_iou, video_name
from helpers.segments import SPAN

MOMENT_COLUMNS = [
    *("rank", "score", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url", "clips"),
    *("best_segment_id", "best_score", "best_start_offset_sec", "best_end_offset_sec"),
]
STEP_COLUMNS = ["segment_id", "score", "start_sec", "end_sec"]
CURVE_COLUMNS = ["start_offset_sec", "end_offset_sec", "middle_sec", "score", "smoothed", "segment_id"]
EPSILON = 1e-6  # seconds: clips that touch may differ by this much after rounding


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
    check_limit(SearchError, limit)
    clips = clips_among(hits)
    level = _smoothed(clips, smooth)
    low, blocked = level.min(initial=math.inf), np.zeros(len(level), dtype=bool)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in clips.videos}
    found: list[tuple[float, float, float, int]] = []
    best: list[int] = []
    for seed in np.argsort(-level, kind="stable").tolist():
        if blocked[seed]:
            continue
        own, busy = clips.videos[clips.video[seed]], taken[clips.video[seed]]
        start, end = clips.start[own], clips.end[own]
        a, b = float(clips.start[seed]), float(clips.end[seed])
        after = max((stop for _, stop in busy if stop <= a), default=-math.inf)
        before = min((begin for begin, _ in busy if begin >= b), default=math.inf)
        near = (level[own] >= low + keep * (level[seed] - low) - 1e-9) & (start >= after) & (end <= before)
        a, b = _grow(start[near], end[near], a, b, gap)
        inside = own.start + np.flatnonzero((start >= a) & (end <= b))
        busy.append((a, b))
        blocked[own] |= (start < b) & (end > a)
        found.append((level[seed], a, b, len(inside)))
        best.append(int(inside[np.argmax(clips.score[inside])]))
        if len(found) == limit:
            break
    columns: dict[str, Any] = {"rank": range(1, len(found) + 1)}
    columns |= dict(zip(("score", *SPAN, "clips"), zip(*found, strict=True), strict=False))
    columns |= {c: clips.cells(c, best) for c in ("video_id", "title", "video_url")}
    columns |= {f"best_{c}": clips.cells(c, best) for c in ("segment_id", "score", *SPAN)}
    return pd.DataFrame(columns, columns=MOMENT_COLUMNS)


def _grow(starts: Floats, ends: Floats, start: float, end: float, gap: float) -> tuple[float, float]:
    """The stretch of time that grows from start-end over the given clips that come within reach of its ends."""
    end = _reached(starts, ends, start, end, gap)
    back = np.argsort(-ends, kind="stable")  # the same again, with time running backwards
    return -_reached(-ends[back], -starts[back], -end, -start, gap), end


def _reached(starts: Floats, ends: Floats, start: float, end: float, gap: float) -> float:
    """The end of what grows from start-end, clip by clip in the order of time, until one is out of reach."""
    later = starts >= start
    reach = np.maximum.accumulate(np.concatenate([[end], ends[later]]))
    beyond = np.flatnonzero(starts[later] > reach[:-1] + gap + EPSILON)
    return float(reach[beyond[0]] if beyond.size else reach[-1])


def score_curve(hits: pd.DataFrame, *, video_id: str | None = None, smooth: float = 0.0) -> pd.DataFrame:
    """The score over time of one video: one row per clip, by time, with the score and the smoothed score.

    `video_id` may be left out where all hits are of one video; `smooth` (seconds) as in `find_moments`.
    Raises SearchError for hits of several videos, or of none that is asked for.
    """
    clips = clips_among(hits)
    found = list(clips.videos)
    if video_id is None:
        _check(len(found) <= 1, f"The hits are of {len(found)} videos: name one of them as video_id.")
    else:
        _check(
            not found or (isinstance(video_id, str) and video_id in found),
            f"No hit is of the video {video_id!r}: search in it first.",
        )
    own = clips.videos[video_id or found[0]] if found else slice(0)
    rows, smoothed = clips.rows(own), _smoothed(clips, smooth)[own]
    middle = (rows["start_offset_sec"] + rows["end_offset_sec"]) / 2
    columns = {"middle_sec": middle, "smoothed": smoothed}
    columns |= {c: rows[c] for c in (*SPAN, "score", "segment_id")}
    return pd.DataFrame(columns, columns=CURVE_COLUMNS)


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
    check_limit(SearchError, limit)
    tables = [clips_among(step) for step in steps]
    shares = [_share(table.score) for table in tables]
    paths = _chains(tables, shares, within)
    steps_shares = [share[[path[step] for path in paths]] for step, share in enumerate(shares)]
    score = np.column_stack(steps_shares).mean(axis=1).tolist()
    first, last = tables[0], tables[-1]
    spans = [(first.video[path[0]], first.start[path[0]], last.end[path[-1]]) for path in paths]
    chosen: list[int] = []
    for n in sorted(range(len(paths)), key=lambda n: (-round(score[n], 9), *spans[n][:2])):
        if len(chosen) == limit:
            break
        if not any(_overlap(spans[n], spans[other]) for other in chosen):
            chosen.append(n)
    best = [table.rows([paths[n][step] for n in chosen]) for step, table in enumerate(tables)]
    columns = {"score": [score[n] for n in chosen]}
    columns |= {c: list(best[0][c].array) for c in ("video_id", "title", "video_url", "start_offset_sec")}
    columns["end_offset_sec"] = list(best[-1]["end_offset_sec"].array)
    for n, clips in enumerate(best, 1):
        for name, column in zip(STEP_COLUMNS, ("segment_id", "score", *SPAN), strict=True):
            columns[f"step{n}_{name}"] = list(clips[column].array)
    columns["rank"] = list(range(1, len(chosen) + 1))
    own = [name for name in columns if name not in MOMENT_COLUMNS]
    return pd.DataFrame(columns, columns=[*MOMENT_COLUMNS[:7], *own])


def _chains(tables: list[Clips], shares: list[Floats], within: float) -> list[list[int]]:
    """For each first clip, the clips of its best sequence, one per table (if there is any within the time)."""
    paths = []
    for video in tables[0].videos:
        if not all(video in table.videos for table in tables):
            continue
        own = [table.videos[video] for table in tables]
        times: list[tuple[Floats, ...]] = [
            (table.start[clips], table.end[clips], share[clips])
            for table, share, clips in zip(tables, shares, own, strict=True)
        ]
        for first in range(len(times[0][0])):
            if (path := _best_chain(first, times, within)) is not None:
                paths.append([clips.start + at for clips, at in zip(own, path, strict=True)])
    return paths


def _overlap(a: tuple[str, float, float], b: tuple[str, float, float]) -> bool:
    """Whether two stretches (video, start, end) share time."""
    return bool(a[0] == b[0] and a[1] < b[2] and b[1] < a[2])


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
        clips, SearchError, what="clips", cure="give segments or hits", numbers=SPAN, texts=["video_id"]
    )
    good = isinstance(moment, Mapping | pd.Series) and isinstance(moment.get("video_id"), str)
    good = good and all(is_number(moment.get(time)) for time in SPAN)
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
    needed = ("video", *SPAN, "relevance")
    check_table(moments, SearchError, what="moments", cure=HITS, numbers=SPAN, texts=["video_url"])
    check_table(spans, SearchError, what="spans", cure="give what load_ground_truth returned", columns=needed)
    video, grade = (spans[c].to_numpy(dtype=object) for c in ("video", "relevance"))
    right = (video != "") & (grade >= EXACT)
    if not right.any():
        return math.nan
    names = np.array([video_name(url) for url in moments["video_url"].iloc[:k]], dtype=object)
    found = temporal_iou(
        *(moments[t].to_numpy(dtype=float)[:k, None] for t in SPAN),
        *(spans[t].to_numpy(dtype=float)[right] for t in SPAN),
    )
    return float(np.any((names[:, None] == video[right]) & (found >= iou)))


def _smoothed(clips: Clips, smooth: float) -> Floats:
    """The Gaussian-weighted mean of the scores around each clip, video by video; the scores if smooth is 0."""
    _check(is_number(smooth) and 0 <= smooth < math.inf, f"smooth is {smooth!r}: give seconds, 0 or more.")
    if smooth == 0:
        return clips.score
    level = np.empty_like(clips.score)
    for own in clips.videos.values():
        score, middle = clips.score[own], (clips.start[own] + clips.end[own]) / 2
        for at in range(len(score)):
            weight = np.exp(-(((middle - middle[at]) / smooth) ** 2) / 2)
            level[own.start + at] = weight @ score / weight.sum()
    return level


def _share(score: Floats) -> Floats:
    """Scores on the scale from 0 (the lowest) to 1 (the best); 1 where all are equal."""
    spread = np.ptp(score) if score.size else 0.0
    return (score - score.min()) / spread if spread > 0 else np.ones_like(score)


def _check(good: bool, problem: str) -> None:
    if not good:
        raise SearchError(problem)
