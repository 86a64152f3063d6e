"""Columns of numbers and dates, of which the page shows histograms, and the rows that their ranges leave."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.explorer.columns import NOT_OFFERED, TIME, is_number

Numbers = dict[str, tuple[str, npt.NDArray[np.float64]]]


def number_columns(segments: pd.DataFrame) -> Numbers:
    """Each column to limit: its kind ("time", "number" or "date") and its values (n,), NaN where a cell is empty.

    Times are seconds in the film, dates seconds since 1970. Dates may be written as text, as 2024-05-01; a column
    with one value only tells nothing apart.
    """
    found: Numbers = {TIME: ("time", segments["start_offset_sec"].to_numpy(dtype=np.float64))}
    for column in segments:
        if column in NOT_OFFERED or str(column).startswith("embedding_"):
            continue
        cells = segments[column]
        if is_number(cells):
            found[str(column)] = ("number", cells.to_numpy(dtype=np.float64, na_value=np.nan))
        elif (dates := _seconds(cells)) is not None:
            found[str(column)] = ("date", dates)
    known = {
        name: (kind, np.where(np.isfinite(values), values, np.nan)) for name, (kind, values) in found.items()
    }
    return {
        name: (kind, values)
        for name, (kind, values) in known.items()
        if np.nanmin(values) < np.nanmax(values)
    }


def _seconds(cells: pd.Series) -> npt.NDArray[np.float64] | None:
    """Dates as seconds since 1970; None unless each cell is a date, a text that begins like one, or empty."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return _since_1970(cells)
    full = cells[cells.notna() & (cells.astype("str") != "")]
    texts = full.map(lambda cell: isinstance(cell, str))
    if not len(full) or not (texts | full.map(lambda cell: isinstance(cell, dt.date))).all():
        return None
    if not full[texts].astype("str").str.match(r"\d{4}-\d\d-\d\d").all():
        return None
    dates = pd.to_datetime(full.astype("str"), errors="coerce", utc=True, format="ISO8601")
    return None if dates.isna().any() else _since_1970(dates.reindex(cells.index))


def _since_1970(dates: pd.Series) -> npt.NDArray[np.float64]:
    since = pd.to_datetime(dates, utc=True) - pd.Timestamp(0, tz="UTC")
    return np.asarray(since.dt.total_seconds(), dtype=np.float64)


def for_page(numbers: Numbers) -> dict[str, dict[str, Any]]:
    """Kind and values (float64, little-endian) of each column, for the page."""
    return {
        name: {"kind": kind, "values": values.astype("<f8").tobytes()}
        for name, (kind, values) in numbers.items()
    }


def within(numbers: Numbers, ranges: Mapping[str, Sequence[float]], n: int) -> npt.NDArray[np.bool_]:
    """Which of n rows lie in every range [from, to], both included; what has no value lies in none."""
    kept = np.ones(n, dtype=bool)
    for name, (low, high) in ranges.items():
        if name in numbers:
            values = numbers[name][1]
            kept &= (values >= low) & (values <= high)
    return kept
