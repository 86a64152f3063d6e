"""The score of a search over one video, as a figure and in words."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis.checks import spans_of
from helpers.arguments import check_table, check_texts
from helpers.errors import SearchError
from helpers.search.evaluation import EXACT
from helpers.segments import SPAN, check_spans
from helpers.show.captions import format_span, format_time, records
from helpers.show.figures import PALETTE, chart_style, mark_times

OTHERS = "#BBBBBB"  # the grey of moments that are not the best


def plot_curve(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> Figure:
    """The score over time of one video: the line, the found moments shaded, the ground truth as bars below.

    `curve` is what `score_curve` gives. `moments` (rows of hits or moments of this video, best first) are shaded
    and carry their rank; the best has a colour of its own. `truth` (rows of one query of the ground truth, in
    this video) are bars, paler for a partial answer. Where the scores were smoothed, the line is smooth and the
    scores of the clips are pale steps.
    `curve_words` says the same in words. Raises SearchError for an empty curve, or spans of several videos.
    """
    _check_curve(curve, moments, truth, title)
    with chart_style():
        fig = Figure(figsize=(7.5, 3.0), layout="constrained")
        axes = fig.add_subplot()
        score, line = curve["score"].to_numpy(dtype=float), curve["smoothed"].to_numpy(dtype=float)
        low, high = min(score.min(), line.min()), max(score.max(), line.max())
        room = (high - low) or 1.0
        smooth = not np.allclose(score, line)
        if smooth:
            starts, ends = spans_of(curve)
            axes.hlines(score, starts, ends, color="#999999", linewidth=1.2, label="score")
        name = "smoothed" if smooth else "score"
        axes.plot(curve["middle_sec"], line, color=PALETTE[0], linewidth=1.6, label=name)
        shaded = timed_rows(moments)
        for n, moment in enumerate(sorted(shaded, key=lambda row: row["start_offset_sec"])):
            start, end = moment["start_offset_sec"], moment["end_offset_sec"]
            best = moment is shaded[0]
            colour, label = (PALETTE[1], "best moment") if best else (OTHERS, "other moments, by rank")
            axes.axvspan(start, end, facecolor=colour, edgecolor=colour, alpha=0.4, label=label)
            at = ((start + end) / 2, high + (0.08 + 0.12 * (n % 2)) * room)  # neighbours at two heights
            axes.annotate(str(moment.get("rank", n + 1)), at, ha="center", va="center", size=9)
        for words, alpha, rows in _graded(truth):
            bars = [
                (row["start_offset_sec"], row["end_offset_sec"] - row["start_offset_sec"]) for row in rows
            ]
            height = (low - 0.18 * room, 0.1 * room)
            axes.broken_barh(bars, height, facecolor=PALETTE[2], alpha=alpha, label=words)
        length = video_length(curve)
        axes.set_xlim(0, length)
        axes.set_ylim(low - 0.22 * room, high + 0.28 * room)
        mark_times(axes.xaxis, length)
        axes.set_ylabel("score")
        axes.set_title(title or "")
        handles, labels = axes.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        fig.legend(once.values(), once.keys(), loc="outside lower center", ncols=5, fontsize=9)
    return fig


def curve_words(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> str:
    """The picture of `plot_curve` in words, for its alt text: the highest score, the moments, the truth."""
    _check_curve(curve, moments, truth, title)
    line = curve["smoothed"].to_numpy(dtype=float)
    top = format_time(curve["middle_sec"].to_numpy(dtype=float)[line.argmax()])
    parts = [f"highest score {line.max():.3f} at {top}"]
    parts += [f"moments {_spans(timed_rows(moments))}"] if timed_rows(moments) else []
    parts += [f"{words} {_spans(rows)}" for words, _, rows in _graded(truth)]
    return f"{title or 'Score over time'}: {'; '.join(parts)}"


def timed_rows(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows that have a time: a query without an answer has none in the ground truth."""
    return [] if frame is None else records(frame.dropna(subset=SPAN))


def _graded(truth: pd.DataFrame | None) -> list[tuple[str, float, list[dict[str, Any]]]]:
    """Ground truth as (words, opacity, rows): what answers the query exactly, and what does so in part."""
    rows = timed_rows(truth)
    exact = [row for row in rows if row.get("relevance", EXACT) >= EXACT]
    part = [row for row in rows if row.get("relevance", EXACT) < EXACT]
    groups = [("ground truth", 1.0, exact), ("partial answer", 0.4, part)]
    return [group for group in groups if group[2]]


def _spans(rows: list[dict[str, Any]]) -> str:
    return ", ".join(map(format_span, rows))


def video_length(curve: pd.DataFrame) -> float:
    return float(curve["end_offset_sec"].max())


def _check_curve(
    curve: pd.DataFrame, moments: pd.DataFrame | None, truth: pd.DataFrame | None, title: str | None
) -> None:
    cure = "use the table of score_curve"
    numbers = [*SPAN, "middle_sec", "score", "smoothed"]
    check_table(curve, SearchError, what="clips of the curve", cure=cure, numbers=numbers)
    if not np.isfinite(curve[numbers].to_numpy(dtype=float)).all():
        raise SearchError(f"The clips of the curve have a time or a score that is no finite number: {cure}.")
    check_texts(SearchError, title=title)
    if curve.empty:
        raise SearchError(
            "The curve has no clips: search the whole film with a high limit, then score_curve."
        )
    for words, frame, column in (("moments", moments, "video_id"), ("ground truth", truth, "video")):
        if frame is not None:
            _check_rows(words, frame, column)


def _check_rows(words: str, frame: pd.DataFrame, column: str) -> None:
    what, cure = f"rows of the {words}", "use find_moments or load_ground_truth"
    check_table(frame, SearchError, what=what, cure=cure, columns=SPAN)
    rows = frame.dropna(subset=SPAN)
    texts, grades = [column] if column in rows else [], ["relevance"] if "relevance" in rows else []
    check_spans(rows, SearchError, what=what, cure=cure, numbers=grades, texts=texts)
    if texts and (count := rows[column].nunique()) > 1:
        raise SearchError(f"The {words} are of {count} videos: keep the rows of this film.")
