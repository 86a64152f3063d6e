"""Figures of clusters: how many, where on a map, when in a film, and a film against itself.

Every figure is opaque and light. A cluster is told by a colour that colour-blind readers can tell apart and by
the shape of its marker (on areas by its number); noise is grey. The notebook gives the alt text, with
`show_figure`.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers.analysis.checks import NOISE, check_labels, in_order
from helpers.arguments import check_table, check_texts, check_words
from helpers.errors import AnalysisError
from helpers.show.cluster_style import cluster_name, cluster_style
from helpers.show.figures import PALETTE, chart_style

LEGEND_ROWS = 20
AXES = {"pca": "principal component", "tsne": "t-SNE", "umap": "UMAP"}  # by the method of a map


def plot_k(choices: pd.DataFrame) -> Figure:
    """Silhouette and inertia for each number of clusters, from `choose_k`; the best silhouette is marked."""
    columns = ["k", "silhouette", "inertia"]
    cure = "use the table of choose_k"
    check_table(choices, AnalysisError, what="choices", cure=cure, numbers=columns)
    if not np.isfinite(choices["k"].to_numpy(dtype=float)).all():
        raise AnalysisError(f"The choices have a k that is no number of clusters: {cure}.")
    with chart_style():
        fig = Figure(figsize=(6.6, 2.9), layout="constrained")
        left, right = fig.subplots(1, 2)
        left.plot(choices["k"], choices["silhouette"], marker="o", markersize=4)
        silhouette = choices["silhouette"].to_numpy(dtype=float)
        if np.isfinite(silhouette).any():
            best = int(np.nanargmax(silhouette))
            at = (int(choices["k"].iloc[best]), float(silhouette[best]))
            left.plot(*at, "*", markersize=14, color=PALETTE[3])
            left.annotate(f"k = {at[0]}", at, (8, 4), textcoords="offset points")
            left.margins(y=0.12)
        right.plot(choices["k"], choices["inertia"], marker="s", markersize=4, color=PALETTE[2])
        right.set_ylim(bottom=0)
        for axes, title in ((left, "silhouette (higher is better)"), (right, "inertia (look for a bend)")):
            axes.set_title(title)
            axes.set_xlabel("clusters (k)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig


def plot_map(
    points: pd.DataFrame,
    labels: npt.ArrayLike,
    *,
    names: Mapping[int, str] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Points on a map (columns x, y, from `map_points`), by cluster; the legend counts its points.

    Labels may be words as well (titles, hand-made labels): the most frequent word is then number 0. With `ax`
    the map is drawn there, and its figure returned. Raises AnalysisError if points and labels do not fit.
    """
    if ax is not None and not isinstance(ax, Axes):
        raise AnalysisError(f"The ax is a {type(ax).__name__}: give axes of Matplotlib, or leave it out.")
    with chart_style():
        if ax is None:
            fig = Figure(figsize=(7.5, 4.6), layout="constrained")
            _draw_map(fig.add_subplot(), points, labels, names, title, below=False)
            return fig
        _draw_map(ax, points, labels, names, title, below=True)
        whole = ax.get_figure(root=True)
        assert whole is not None
        return whole


def plot_maps(
    maps: Mapping[str, tuple[pd.DataFrame, npt.ArrayLike]], *, names: Mapping[int, str] | None = None
) -> Figure:
    """Maps side by side, each with its legend below: {title: (points, labels)}; see `plot_map`."""
    pairs = list(maps.values()) if isinstance(maps, Mapping) else [None]
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise AnalysisError("The maps are none: give them as {title: (points, labels)}.")
    if not maps:
        raise AnalysisError("There is no map to draw: give at least one, as {title: (points, labels)}.")
    with chart_style():
        fig = Figure(figsize=(4.6 * len(maps), 5.0), layout="constrained")
        for axes, (title, (points, labels)) in zip(
            fig.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True
        ):
            _draw_map(axes, points, labels, names, title, below=True)
    return fig


def _draw_map(
    axes: Axes,
    points: pd.DataFrame,
    labels: npt.ArrayLike,
    names: Mapping[int, str] | None,
    title: str,
    *,
    below: bool,
) -> None:
    check_table(points, AnalysisError, what="points", cure="use the table of map_points", numbers=("x", "y"))
    check_texts(AnalysisError, title=title)
    check_words(AnalysisError, names=names)
    numbers, legend = _numbers(check_labels(labels, len(points), words=True), names)
    size = float(np.clip(3500 / max(len(points), 1), 6, 36))
    x, y = points["x"].to_numpy(dtype=float), points["y"].to_numpy(dtype=float)
    for number in sorted(legend, key=lambda n: (n != NOISE, n)):  # noise lies below the clusters
        rows = numbers == number
        axes.scatter(x[rows], y[rows], s=size, alpha=0.85, **_marker(number))
    for number, name in legend.items():  # the legend in order, with noise last
        text = f"{name} ({int((numbers == number).sum())})"
        axes.scatter([], [], s=36, label=text, **_marker(number))
    axes.set_title(title)
    if direction := AXES.get(str(points.attrs.get("method"))):
        axes.set(xlabel=f"{direction} 1", ylabel=f"{direction} 2")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticklabels([])
    axes.set_yticklabels([])
    axes.tick_params(length=0)
    if below:
        widest = max(map(len, legend.values()), default=1)
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.06),
            ncols=max(1, min(5, 60 // (widest + 8))),
            fontsize=8,
            handletextpad=0.2,
            columnspacing=0.8,
        )
    else:
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.02),
            ncols=math.ceil(len(legend) / LEGEND_ROWS),
            fontsize=8,
            handletextpad=0.3,
        )


def _marker(number: int) -> dict[str, Any]:
    colour, marker = cluster_style(number)
    # A cross has no face to outline.
    line = {"linewidths": 1.0} if number == NOISE else {"linewidths": 0.4, "edgecolors": "#333333"}
    return {"c": colour, "marker": marker, **line}


def _numbers(
    labels: npt.NDArray[Any], names: Mapping[int, str] | None
) -> tuple[npt.NDArray[np.int64], dict[int, str]]:
    """Labels as numbers, and the name of each number, noise last; words are numbered by how often they occur."""
    if np.issubdtype(labels.dtype, np.integer):
        return labels.astype(np.int64), {n: cluster_name(n, names) for n in in_order(labels.tolist())}
    words = pd.Series(labels).astype(str).replace("", "unknown")
    counts = words.value_counts(sort=False)
    order = sorted(counts.index, key=lambda word: (-counts[word], word))
    return words.map({word: i for i, word in enumerate(order)}).to_numpy(), dict(enumerate(order))
