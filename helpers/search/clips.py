"""The clips among hits, by video and time, as arrays: what moments, curves and sequences are found in."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.arguments import check_table
from helpers.errors import SearchError
from helpers.search.evaluation import HITS
from helpers.segments import SPAN

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


class Clips(NamedTuple):
    """The clips among some hits, by video and time: one entry per clip in each array."""

    table: pd.DataFrame  # the hits, as given
    row: Places  # where the clip stands in the table
    video: npt.NDArray[np.object_]
    start: Floats
    end: Floats
    score: Floats
    videos: dict[str, slice]  # the clips of each video

    def cells(self, column: str, clips: Sequence[int]) -> Any:
        """One column of the table for these clips, for a new table in which it is of the same kind."""
        cells = self.table[column]
        taken = cells.array.take(self.row[clips])
        # What pandas holds as objects stays so: it would look for something better in them.
        return pd.Series(taken, dtype=object) if cells.dtype == object else taken

    def rows(self, clips: Sequence[int] | slice) -> pd.DataFrame:
        """The rows of the table of these clips, numbered from 0."""
        return self.table.take(self.row[clips]).reset_index(drop=True)


def clips_among(hits: pd.DataFrame) -> Clips:
    """The clips among the hits; SearchError for what is no table of hits, or a score or time that is no number."""
    texts, numbers = ("segment_id", "video_id"), (*SPAN, "score")
    if isinstance(hits, pd.DataFrame) and hits.empty:
        hits = pd.DataFrame(columns=[*texts, "title", "video_url", *numbers])
    names = ("title", "video_url")
    check_table(hits, SearchError, what="hits", cure=HITS, columns=names, numbers=numbers, texts=texts)
    row = np.arange(len(hits))
    if "embedding_scope" in hits:
        row = np.flatnonzero(hits["embedding_scope"].to_numpy(dtype=object) == "clip")
    start, end, score = (hits[c].to_numpy(dtype=float)[row] for c in (*SPAN, "score"))
    if not np.isfinite(score).all():
        raise SearchError(
            "A hit has a score that is no number (NaN or infinite): search again, or drop that row."
        )
    if not (end > start).all():
        raise SearchError("A hit does not end after it starts: embed its video again.")
    segment, video = (hits[c].to_numpy(dtype=object)[row] for c in texts)
    order = np.lexsort((segment, start, video))
    video = video[order]
    first = np.flatnonzero(np.concatenate([[True], video[1:] != video[:-1]])[: len(video)])
    ends = [*first[1:].tolist(), len(video)]
    videos = {video[a]: slice(a, b) for a, b in zip(first.tolist(), ends, strict=False)}
    return Clips(hits, row[order], video, start[order], end[order], score[order], videos)
