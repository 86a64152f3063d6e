"""A map of segments with their stills on it."""

import io

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from PIL import Image

from helpers.analysis.checks import NOISE, check_labels, in_order
from helpers.errors import VideoError
from helpers.show.captions import check_hits, credits_due, records
from helpers.show.cluster_style import cluster_style
from helpers.show.clusters import plot_map
from helpers.show.output import encoded, jpeg_uri, show_picture
from helpers.show.pictures import middle_frame

STILL = 60  # pixels: the width of a still on the map
MARGIN = 4  # pixels between two stills, for their frames
MOST_STILLS = 80  # however large the map, as each is read from its video
PIXELS = 90  # per inch


def show_map(segments: pd.DataFrame, points: pd.DataFrame, labels: npt.ArrayLike, *, title: str = "") -> None:
    """Show segments as points (columns x, y, from `map_points`) by cluster, and their stills where there is room.

    The frame of a still has the colour of its cluster. The alt text says how large the clusters are; where a video
    cannot be read, its segments are points only. Raises AnalysisError if segments, points and clusters do not fit,
    SearchError for segments without a place in a video.
    """
    check_hits(segments)
    clusters = check_labels(labels, len(segments)).astype(int).tolist()
    figure = plot_map(points, clusters, title=title)
    figure.set_size_inches(9.4, 6.2)
    figure.set_dpi(PIXELS)
    rows, shown, axes = records(segments), [], figure.axes[0]
    for i in with_room(figure, points, clusters):
        try:
            still = middle_frame(rows[i], width=STILL)
        except VideoError:
            continue
        shown.append(rows[i])
        _place(axes, float(points["x"].iloc[i]), float(points["y"].iloc[i]), still, clusters[i])
    picture = _drawn(figure)
    sizes = ", ".join(
        f"{'noise' if c == NOISE else f'cluster {c}'} {clusters.count(c)}" for c in in_order(clusters)
    )
    alt = f"{title or 'Map'}: {len(segments)} segments, {sizes}; stills of {len(shown)}"
    png = encoded(picture.quantize(128, dither=Image.Dither.NONE), "PNG")
    show_picture(png, alt=alt, credits=credits_due(shown), source=jpeg_uri(picture, 75))


def with_room(figure: Figure, points: pd.DataFrame, clusters: list[int]) -> list[int]:
    """Points, each cluster in turn, of which no two are so near that their stills would cover each other."""
    figure.canvas.draw()
    at = figure.axes[0].transData.transform(points[["x", "y"]].to_numpy(dtype=float))
    room = np.array([STILL, STILL * 3 // 4]) + MARGIN
    turns = np.argsort(pd.Series(clusters).groupby(clusters).cumcount().to_numpy(), kind="stable")
    chosen: list[int] = []
    while len(turns) and len(chosen) < MOST_STILLS:
        chosen.append(int(turns[0]))
        turns = turns[(abs(at[turns] - at[chosen[-1]]) > room).any(axis=1)]
    return chosen


def _place(axes: Axes, x: float, y: float, still: Image.Image, cluster: int) -> None:
    colour, _ = cluster_style(cluster)
    box = {"edgecolor": colour, "facecolor": colour, "linewidth": 2.5}
    picture = OffsetImage(np.asarray(still), zoom=72 / PIXELS)
    axes.add_artist(AnnotationBbox(picture, (x, y), pad=0.12, bboxprops=box))


def _drawn(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", facecolor="white")
    return Image.open(buffer).convert("RGB")
