"""Figures of shares: how clusters divide the time of a video, of each video or of each date among them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colors, patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from helpers.analysis.checks import NOISE, check_labels
from helpers.arguments import check_table, check_texts, check_words
from helpers.errors import AnalysisError
from helpers.show.cluster_style import cluster_name, cluster_style
from helpers.show.figures import PALETTE, chart_style, mark_times

HATCHES = ("", "///", "...", "xxx", "---", "ooo", "|||", "+++", "\\\\\\")  # areas of one colour, on bars
LONGEST = 1e8  # seconds: no video lasts three years
LEGEND_ROWS = {"time": 12, "bars": 20}


def plot_shares(
    shares: pd.DataFrame,
    *,
    names: Mapping[int, str] | None = None,
    rows: Mapping[str, str] | None = None,
    title: str = "",
) -> Figure:
    """The shares of `cluster_shares`: over time as a stacked area, per video or date as stacked bars.

    `names` are those of clusters, `rows` those of bars, for instance {video_id: title}. A cluster's number
    stands on its area where there is room.
    """
    cure = "use the table of cluster_shares"
    check_texts(AnalysisError, title=title)
    check_words(AnalysisError, names=names, rows=rows)
    check_table(shares, AnalysisError, what="shares", cure=cure)
    check_labels(shares.columns.tolist(), shares.shape[1])
    check_table(shares, AnalysisError, what="shares", cure=cure, numbers=shares.columns.tolist())
    if shares.empty:
        raise AnalysisError("There are no shares to draw: take them of at least one segment.")
    if not np.isfinite(shares.to_numpy(dtype=float)).all():
        raise AnalysisError(f"A share is no finite number: {cure}.")
    over_time = shares.index.name == "time"
    if over_time and not _is_time(shares.index):
        raise AnalysisError(f"The shares over time do not begin at seconds in order: {cure}.")
    with chart_style():
        height = 3.4 if over_time else 1.0 + 0.36 * len(shares)
        fig = Figure(figsize=(7.5, height), layout="constrained")
        axes = fig.add_subplot()
        if over_time:
            _stack_over_time(axes, shares, names)
        else:
            _stack_bars(axes, shares, names, rows or {})
        axes.set_title(title)
        axes.grid(visible=False)
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.0, 1.03),
            ncols=math.ceil(shares.shape[1] / LEGEND_ROWS["time" if over_time else "bars"]),
            fontsize=8,
            reverse=over_time,  # as the areas lie upon each other
        )
    return fig


def _is_time(starts: pd.Index) -> bool:
    """Whether an index holds seconds in order, not so far apart that no picture could show them."""
    return bool(
        pd.api.types.is_numeric_dtype(starts)
        and np.isfinite(starts.to_numpy(dtype=float)).all()
        and starts.is_monotonic_increasing
        and starts.is_unique
        and starts[-1] - starts[0] < LONGEST
    )


def _stack_over_time(axes: Axes, shares: pd.DataFrame, names: Mapping[int, str] | None) -> None:
    starts = shares.index.to_numpy(dtype=float)
    window = float(shares.attrs.get("window") or (np.diff(starts).min() if len(starts) > 1 else 30.0))
    places = np.rint((starts - starts[0]) / window).astype(int)
    whole = np.arange(places[-1] + 1) * window + starts[0]
    values = np.zeros((len(whole), shares.shape[1]))  # a window without a segment stays empty
    values[places] = shares.to_numpy(dtype=float)
    edges = np.append(whole, whole[-1] + window)
    below = np.zeros(len(whole))
    for number, height in zip(map(int, shares.columns), values.T, strict=True):
        axes.fill_between(
            edges,
            np.append(below, below[-1]),
            np.append(below + height, below[-1] + height[-1]),
            step="post",
            label=cluster_name(number, names),
            **_area(number),
        )
        at = int(np.argmax(height))
        if height[at] > 0.09:
            _write(axes, whole[at] + window / 2, below[at] + height[at] / 2, number)
        below = below + height
    end = float(edges[-1])
    axes.set_xlim(float(edges[0]), end)
    axes.set_ylim(0, 1)
    mark_times(axes.xaxis, end - float(edges[0]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("share of time")


def _stack_bars(
    axes: Axes, shares: pd.DataFrame, names: Mapping[int, str] | None, rows: Mapping[str, str]
) -> None:
    left = np.zeros(len(shares))
    for number, width in zip(map(int, shares.columns), shares.to_numpy(dtype=float).T, strict=True):
        axes.barh(
            np.arange(len(shares)),
            width,
            left=left,
            height=0.8,
            label=cluster_name(number, names),
            **_area(number),
        )
        for y in np.flatnonzero(width > 0.05):
            _write(axes, left[y] + width[y] / 2, float(y), number)
        left = left + width
    axes.set_yticks(range(len(shares)), [rows.get(str(key), str(key)) for key in shares.index])
    axes.set_ylim(len(shares) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("share of time")


def _area(number: int) -> dict[str, Any]:
    colour, _ = cluster_style(number)
    hatch = HATCHES[max(number, 0) // len(PALETTE) % len(HATCHES)]
    return {"facecolor": colour, "edgecolor": "white", "linewidth": 0.6, "hatch": hatch}


def _write(axes: Axes, x: float, y: float, number: int) -> None:
    """The cluster's number on its area, in black or white, whichever stands out."""
    colour, _ = cluster_style(number)
    red, green, blue = colors.to_rgb(colour)
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else "white"
    edge = patheffects.withStroke(linewidth=2.5, foreground=colour)  # so that no hatch crosses it
    name = "noise" if number == NOISE else str(number)
    axes.text(x, y, name, color=ink, ha="center", va="center", fontsize=8, path_effects=[edge])
