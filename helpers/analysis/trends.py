"""How clusters share the time of a film, of each video, and of each date."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import check_labels, check_segments, in_order, spans_of
from helpers.arguments import is_number
from helpers.errors import AnalysisError

MOST_STRETCHES = 1_000_000  # of a segment in a window: more windows than that show nothing


def cluster_shares(
    segments: pd.DataFrame, labels: npt.ArrayLike, *, by: str = "video_id", window: float = 30.0
) -> pd.DataFrame:
    """The share of time that each cluster has, per video, per date or per stretch of time: rows sum to 1.

    Rows are videos (`by="video_id"`, in the order of the table), dates ("recorded_at", in order; of a timestamp
    the date as written, in its own time zone; segments without a date are left out) or the starts in seconds of
    windows of `window` seconds ("time"), a segment counting in each window by the seconds it has there, and
    windows without any segment being left out.
    Columns are the clusters, noise (-1) last.
    Raises AnalysisError for another `by`, a window that is not above 0, labels that do not fit, no segments,
    and if no segment has a date.
    """
    check_segments(segments, texts=["video_id"], spans=True)
    groups = check_labels(labels, len(segments))
    if segments.empty:
        raise AnalysisError("There are no segments to take shares of: widen the filter.")
    start, end = spans_of(segments)
    if not isinstance(by, str):
        raise AnalysisError(f"Shares by {by!r} are not known: choose video_id, recorded_at or time.")
    if by == "time":
        if not is_number(window) or not 0 < window < np.inf:
            raise AnalysisError(f"The window is {window!r}: give seconds above 0.")
        if np.sum((end - start) / window + 2) > MOST_STRETCHES:
            raise AnalysisError(
                f"A window of {window:g} s cuts the segments into more than {MOST_STRETCHES:,} stretches: "
                "take a longer one."
            )
        rows, keys, seconds = _windows(start, end, window)
    elif by in ("video_id", "recorded_at"):
        if by not in segments:
            raise AnalysisError(f"The segments lack the column {by!r}: use segments or hits of a search.")
        values = segments[by].to_numpy(dtype=object)
        if by == "recorded_at":
            values = np.array([_date(value) for value in values], dtype=object)
        rows = np.flatnonzero(values != "") if by == "recorded_at" else np.arange(len(values))
        if not rows.size:
            raise AnalysisError(
                "No segment has a recorded_at: set it to an ISO date such as 2026-05-31, or use by='video_id'."
            )
        keys, seconds = values[rows], (end - start)[rows]
    else:
        raise AnalysisError(f"Shares by {by!r} are not known: choose video_id, recorded_at or time.")
    table = pd.DataFrame({by: keys, "cluster": groups[rows], "seconds": seconds})
    totals = table.pivot_table(index=by, columns="cluster", values="seconds", aggfunc="sum", fill_value=0.0)
    columns = pd.Index(in_order(groups.tolist()), name="cluster")
    totals = totals.reindex(columns=columns, fill_value=0.0)
    if by == "video_id":
        totals = totals.loc[list(dict.fromkeys(keys))]
    totals = totals[totals.sum(axis=1) > 0]
    shares = totals.div(totals.sum(axis=1), axis=0)
    shares.attrs["window"] = window if by == "time" else None  # for the figure: a gap is not a long window
    return shares


def _date(recorded: Any) -> str:
    """The ISO date of a date or timestamp, "" for none; text that is neither stays as it is."""
    text = "" if pd.api.types.is_scalar(recorded) and pd.isna(recorded) else str(recorded).strip()
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return text


def _windows(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], window: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any], npt.NDArray[np.float64]]:
    """For each segment and window that share time: the segment's row, the window's start, the seconds."""
    rows, keys, seconds = [], [], []
    for i, (a, b) in enumerate(zip(start, end, strict=True)):
        for n in range(int(a // window), int(np.ceil(b / window))):
            shared = min(b, (n + 1) * window) - max(a, n * window)
            if shared > 1e-9:
                rows.append(i)
                keys.append(n * window)
                seconds.append(shared)
    return np.array(rows, dtype=np.intp), np.array(keys, dtype=float), np.array(seconds)
