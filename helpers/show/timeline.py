"""A figure of where segmentations cut a video."""

import itertools
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from helpers.show.figures import PALETTE, chart_style, mark_times


def plot_timeline(
    segmentations: Mapping[str, pd.DataFrame], *, title: str = "", until: float | None = None
) -> Figure:
    """Bars over time, a row for each segmentation: {"fixed-6": segments, "dynamic-4": segments} of one video.

    Two shades alternate, so that each boundary is seen. `until` (seconds) shows the beginning only.
    """
    with chart_style():
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
        axes.set_yticks(range(len(segmentations)), list(segmentations))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        end = until or max(
            (float(frame["end_offset_sec"].max()) for frame in segmentations.values() if len(frame)),
            default=0.0,
        )
        mark_times(axes.xaxis, end)
        axes.set_xlim(0, until)
        axes.set_title(title)
    return fig
