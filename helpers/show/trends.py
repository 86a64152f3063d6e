"""Figures over time: what share clusters have in a film, a video or a date; a film against itself."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import colors, patheffects
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator, PercentFormatter

from helpers.analysis.matrix import NOISE
from helpers.errors import AnalysisError
from helpers.show.captions import format_time
from helpers.show.cluster_style import chart_settings, cluster_name, cluster_style
from helpers.show.style import PALETTE, TICKS

HATCHES = ("", "///", "...", "xxx", "---", "ooo", "|||", "+++", "\\\\\\")  # areas of one colour, on bars


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
    if shares.empty:
        raise AnalysisError("There are no shares to draw: take them of at least one segment.")
    over_time = shares.index.name == "time"
    with plt.rc_context(chart_settings()):
        if over_time:
            fig = Figure(figsize=(7.5, 3.4), layout="constrained")
            axes = fig.add_subplot()
            _stack_over_time(axes, shares, names)
        else:
            fig = Figure(figsize=(7.5, 1.0 + 0.36 * len(shares)), layout="constrained")
            axes = fig.add_subplot()
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
    axes.xaxis.set_major_locator(_seconds(end - float(edges[0])))
    axes.xaxis.set_major_formatter(lambda seconds, _: format_time(seconds))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("time (m:ss)")
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


def plot_similarity(
    film: pd.DataFrame, matrix: npt.NDArray[Any], *, shots: Iterable[float] | None = None, title: str = ""
) -> Figure:
    """A film against itself: the cosine of each pair of its segments, as colours over m:ss; scenes are blocks.

    `film` are the segments of one video, `matrix` their rows (`cluster_matrix`), `shots` the seconds where
    shots begin, drawn as squares on the diagonal. The colours span the middle 96 % of the cosines, so that blocks
    stand out. Times without a segment stay white. Raises AnalysisError for several videos, for none, and if the
    matrix is not of these segments.
    """
    videos = film["video_id"].nunique()
    if videos != 1:
        raise AnalysisError(f"The segments are of {videos} videos: choose one of them.")
    if len(film) != len(matrix):
        raise AnalysisError(
            f"The matrix has {len(matrix)} rows for {len(film)} segments: make it from these segments."
        )
    start, end = (film[c].to_numpy(dtype=float) for c in ("start_offset_sec", "end_offset_sec"))
    order = np.argsort(start, kind="stable")
    edges = np.unique(np.concatenate([start, end]))
    middles = (edges[:-1] + edges[1:]) / 2
    owner = order[np.searchsorted(start[order], middles, side="right") - 1]
    cosines = np.asarray(matrix, dtype=np.float64) @ np.asarray(matrix, dtype=np.float64).T
    cells = cosines[np.ix_(owner, owner)]
    bare = end[owner] < middles
    cells[bare, :] = cells[:, bare] = np.nan
    with plt.rc_context(chart_settings()):
        fig = Figure(figsize=(5.4, 4.5), layout="constrained")
        axes = fig.add_subplot()
        apart = cells[~np.eye(len(cells), dtype=bool) & np.isfinite(cells)]
        low, high = np.percentile(apart, [2, 98]) if apart.size else (0.0, 1.0)
        drawn = axes.pcolormesh(edges, edges, cells, cmap="viridis", vmin=low, vmax=max(high, low + 1e-6))
        fig.colorbar(drawn, ax=axes, label="cosine", shrink=0.8, extend="both")
        inside = {float(s) for s in (() if shots is None else shots) if edges[0] < s < edges[-1]}
        if inside:
            for a, b in itertools.pairwise([float(edges[0]), *sorted(inside), float(edges[-1])]):
                axes.add_patch(Rectangle((a, a), b - a, b - a, fill=False, edgecolor="white", linewidth=0.8))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(_seconds(float(edges[-1] - edges[0])))
            axis.set_major_formatter(lambda seconds, _: format_time(seconds))
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.set_xlabel("time (m:ss)")
        axes.set_ylabel("time (m:ss)")
        axes.set_title(title)
    return fig


def _seconds(span: float) -> MultipleLocator:
    return MultipleLocator(next((step for step in TICKS if span <= 10 * step), 3600))
