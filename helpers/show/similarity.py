"""A figure of one video against itself."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.analysis.checks import check_matrix, check_rows, check_segments, spans_of
from helpers.arguments import as_list, check_texts, is_number
from helpers.errors import AnalysisError
from helpers.show.figures import chart_style, mark_times


def plot_similarity(
    film: pd.DataFrame, matrix: npt.NDArray[Any], *, shots: Iterable[float] | None = None, title: str = ""
) -> Figure:
    """A video against itself: the cosine of each pair of its segments, as colours over m:ss; scenes are blocks.

    `film` are the segments of one video, `matrix` their rows (`cluster_matrix`), `shots` the seconds where
    shots begin, drawn as squares on the diagonal. The colours span the middle 96 % of the cosines, so that blocks
    stand out. Times without a segment stay white. Raises AnalysisError for several videos, for none, and if the
    matrix is not of these segments.
    """
    check_segments(film, texts=["video_id"], spans=True)
    check_texts(AnalysisError, title=title)
    begins = [] if shots is None else as_list(shots)
    if not all(map(is_number, begins)):
        raise AnalysisError(f"The shots are {shots!r}: give the seconds at which they begin.")
    videos = film["video_id"].nunique()
    if videos != 1:
        raise AnalysisError(f"The segments are of {videos} videos: choose one of them.")
    matrix = check_matrix(matrix)
    check_rows(film, matrix)
    start, end = spans_of(film)
    order = np.argsort(start, kind="stable")
    edges = np.unique(np.concatenate([start, end]))
    if len(edges) < 2:
        raise AnalysisError("The segments last no time at all: use segments of a video.")
    middles = (edges[:-1] + edges[1:]) / 2
    owner = order[np.searchsorted(start[order], middles, side="right") - 1]
    cosines = np.asarray(matrix, dtype=np.float64) @ np.asarray(matrix, dtype=np.float64).T
    cells = cosines[np.ix_(owner, owner)]
    bare = end[owner] < middles
    cells[bare, :] = cells[:, bare] = np.nan
    with chart_style():
        fig = Figure(figsize=(5.4, 4.5), layout="constrained")
        axes = fig.add_subplot()
        apart = cells[~np.eye(len(cells), dtype=bool) & np.isfinite(cells)]
        low, high = np.percentile(apart, [2, 98]) if apart.size else (0.0, 1.0)
        drawn = axes.pcolormesh(edges, edges, cells, cmap="viridis", vmin=low, vmax=max(high, low + 1e-6))
        fig.colorbar(drawn, ax=axes, label="cosine", shrink=0.8, extend="both")
        inside = {float(s) for s in begins if edges[0] < s < edges[-1]}
        if inside:
            for a, b in itertools.pairwise([float(edges[0]), *sorted(inside), float(edges[-1])]):
                axes.add_patch(Rectangle((a, a), b - a, b - a, fill=False, edgecolor="white", linewidth=0.8))
        for axis in (axes.xaxis, axes.yaxis):
            mark_times(axis, float(edges[-1] - edges[0]))
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.set_title(title)
    return fig
