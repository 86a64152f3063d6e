"""A figure of where segmentations cut a video."""

import itertools
import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis.checks import check_segments
from helpers.arguments import check_texts, is_number, is_text
from helpers.errors import AnalysisError
from helpers.show.figures import PALETTE, chart_style, mark_times


def plot_timeline(
    segmentations: Mapping[str, pd.DataFrame], *, title: str = "", until: float | None = None
) -> Figure:
    """Bars over time, a row for each segmentation: {"fixed-6": segments, "dynamic-4": segments} of one video.

    Two shades alternate, so that each boundary is seen. `until` (seconds) shows the beginning only.
    """
    if not isinstance(segmentations, Mapping):
        raise AnalysisError("The segmentations are none: give them as {name: segments}.")
    check_texts(AnalysisError, title=title)
    for name, segments in segmentations.items():
        if not is_text(name):
            raise AnalysisError(f"A segmentation is called {name!r}: give it a text as its name.")
        check_segments(segments, spans=True)
    if until is not None and not (is_number(until) and 0 < until < math.inf):
        raise AnalysisError(f"The time is until={until!r}: give seconds above 0.")
    until = None if until is None else float(until)
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
