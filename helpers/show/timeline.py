"""Figures over time: where segmentations cut, and the score of a search over one film."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from helpers.errors import SearchError
from helpers.search.evaluation import EXACT
from helpers.show.captions import format_time
from helpers.show.style import PALETTE, TICKS, figure_style


def plot_timeline(
    segmentations: Mapping[str, pd.DataFrame], *, title: str = "", until: float | None = None
) -> Figure:
    """Bars over time, a row for each segmentation: {"fixed-6": segments, "dynamic-4": segments} of one video.

    Two shades alternate, so that each boundary is seen. `until` (seconds) shows the beginning only.
    """
    with plt.rc_context(figure_style()):
        fig = Figure(figsize=(7.5, 0.9 + 0.5 * len(segmentations)))
        axes = fig.add_subplot()
        for row, (colour, frame) in enumerate(
            zip(itertools.cycle(PALETTE), segmentations.values(), strict=False)
        ):
            clips = frame[frame["embedding_scope"] == "clip"] if "embedding_scope" in frame else frame
            clips = clips.sort_values("start_offset_sec")
            start, length = clips["start_offset_sec"], clips["end_offset_sec"] - clips["start_offset_sec"]
            bars = list(zip(start.tolist(), length.tolist(), strict=True))
            for shade, alpha in ((0, 0.9), (1, 0.5)):
                axes.broken_barh(bars[shade::2], (row - 0.35, 0.7), facecolor=colour, alpha=alpha)
        axes.set_yticks(range(len(segmentations)), list(segmentations), parse_math=False)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        end = until or max(
            (float(frame["end_offset_sec"].max()) for frame in segmentations.values() if len(frame)),
            default=0.0,
        )
        axes.xaxis.set_major_locator(
            MultipleLocator(next((step for step in TICKS if end <= 10 * step), 3600))
        )
        axes.xaxis.set_major_formatter(lambda seconds, _: format_time(seconds))
        axes.set_xlim(0, until)
        axes.set_xlabel("time (m:ss)")
        axes.set_title(title, parse_math=False)  # a title with two $ is no formula
    return fig


SPAN = ["start_offset_sec", "end_offset_sec"]


def plot_curve(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> Figure:
    """The score over time of one film: the line, the found moments shaded, the ground truth as bars below.

    `curve` is what `score_curve` gives. `moments` (rows of hits or moments of this film) are shaded and carry
    their rank; `truth` (rows of one query of the ground truth, in this film) are bars, paler for a partial
    answer. Where the scores were smoothed, the line is smooth and the scores of the clips are pale steps.
    `curve_words` says the same in words. Raises SearchError for an empty curve, or spans of several videos.
    """
    _check_curve(curve, moments, truth)
    with plt.rc_context(figure_style()):
        fig = Figure(figsize=(7.5, 3.0), layout="constrained")
        axes = fig.add_subplot()
        score, line = curve["score"].to_numpy(dtype=float), curve["smoothed"].to_numpy(dtype=float)
        low, high = min(score.min(), line.min()), max(score.max(), line.max())
        room = (high - low) or 1.0
        smooth = not np.allclose(score, line)
        if smooth:
            starts, ends = (curve[c].to_numpy(dtype=float) for c in SPAN)
            axes.hlines(score, starts, ends, color="#999999", linewidth=1.2, label="score")
        name = "smoothed" if smooth else "score"
        axes.plot(curve["middle_sec"], line, color=PALETTE[0], linewidth=1.6, label=name)
        for n, moment in enumerate(sorted(timed_rows(moments), key=lambda row: row["start_offset_sec"])):
            start, end = moment["start_offset_sec"], moment["end_offset_sec"]
            label = None if n else "moment, with its rank"
            axes.axvspan(start, end, facecolor=PALETTE[1], edgecolor=PALETTE[1], alpha=0.35, label=label)
            at = ((start + end) / 2, high + (0.08 + 0.12 * (n % 2)) * room)  # neighbours at two heights
            axes.annotate(str(moment.get("rank", n + 1)), at, ha="center", va="center", size=9)
        for words, alpha, rows in _graded(truth):
            bars = [
                (row["start_offset_sec"], row["end_offset_sec"] - row["start_offset_sec"]) for row in rows
            ]
            height = (low - 0.18 * room, 0.1 * room)
            axes.broken_barh(bars, height, facecolor=PALETTE[2], alpha=alpha, label=words)
        steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)
        tick = next((step for step in steps if film_length(curve) <= 10 * step), 3600)
        axes.set_xlim(0, film_length(curve))
        axes.set_ylim(low - 0.22 * room, high + 0.28 * room)
        axes.xaxis.set_major_locator(MultipleLocator(tick))
        axes.xaxis.set_major_formatter(lambda seconds, _: format_time(seconds))
        axes.set(xlabel="time (m:ss)", ylabel="score")
        axes.set_title(title or "", parse_math=False)  # a title with two $ is no formula
        fig.legend(loc="outside lower center", ncols=5, fontsize=9)
    return fig


def curve_words(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> str:
    """The picture of `plot_curve` in words, for its alt text: the highest score, the moments, the truth."""
    _check_curve(curve, moments, truth)
    line = curve["smoothed"].to_numpy(dtype=float)
    top = format_time(curve["middle_sec"].to_numpy(dtype=float)[line.argmax()])
    parts = [f"highest score {line.max():.3f} at {top}"]
    parts += [f"moments {span_words(timed_rows(moments))}"] if timed_rows(moments) else []
    parts += [f"{words} {span_words(rows)}" for words, _, rows in _graded(truth)]
    return f"{title or 'Score over time'}: {'; '.join(parts)}"


def timed_rows(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows that have a time: a query without an answer has none in the ground truth."""
    if frame is None:
        return []
    return [{str(k): v for k, v in row.items()} for row in frame.dropna(subset=SPAN).to_dict("records")]


def _graded(truth: pd.DataFrame | None) -> list[tuple[str, float, list[dict[str, Any]]]]:
    """Ground truth as (words, opacity, rows): what answers the query exactly, and what does so in part."""
    rows = timed_rows(truth)
    exact = [row for row in rows if row.get("relevance", EXACT) >= EXACT]
    part = [row for row in rows if row.get("relevance", EXACT) < EXACT]
    groups = [("ground truth", 1.0, exact), ("partial answer", 0.4, part)]
    return [group for group in groups if group[2]]


def span_words(rows: list[dict[str, Any]]) -> str:
    return ", ".join("-".join(format_time(row[c]) for c in SPAN) for row in rows)


def film_length(curve: pd.DataFrame) -> float:
    return float(curve["end_offset_sec"].max())


def _check_curve(curve: pd.DataFrame, moments: pd.DataFrame | None, truth: pd.DataFrame | None) -> None:
    if curve.empty:
        raise SearchError(
            "The curve has no clips: search the whole film with a high limit, then score_curve."
        )
    for words, frame, column in (("moments", moments, "video_id"), ("ground truth", truth, "video")):
        videos = [row[column] for row in timed_rows(frame) if column in row]
        if len(set(videos)) > 1:
            raise SearchError(f"The {words} are of {len(set(videos))} videos: keep the rows of this film.")
