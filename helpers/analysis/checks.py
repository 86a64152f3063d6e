"""What several analyses ask of their input, and the order of clusters."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.errors import AnalysisError

NOISE = -1  # the label of what belongs to no cluster

SPAN = ["start_offset_sec", "end_offset_sec"]


def check_labels(labels: npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    """Labels as an array, one per row; AnalysisError if there are more or fewer."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise AnalysisError(
            f"There are {array.size} labels for {n} segments: cluster the same segments, in the same order."
        )
    return array


def check_rows(segments: pd.DataFrame, matrix: npt.NDArray[Any]) -> None:
    """AnalysisError if the matrix has more or fewer rows than there are segments."""
    if len(segments) != len(matrix):
        raise AnalysisError(
            f"The matrix has {len(matrix)} rows for {len(segments)} segments: make it from these segments."
        )


def check_columns(table: pd.DataFrame, needed: Sequence[str], *, what: str, cure: str) -> None:
    """AnalysisError if a column of the table (what: "segments", "labels") is absent."""
    absent = [column for column in needed if column not in table]
    if absent:
        raise AnalysisError(f"The {what} lack the column {absent[0]!r}: {cure}.")


def whole_number(value: Any, what: str, *, least: int) -> int:
    """The value as an int; AnalysisError if it is no whole number, or below the least."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise AnalysisError(f"{what} is {value!r}: give a whole number from {least}.")
    return int(value)


def in_order(labels: Iterable[int]) -> list[int]:
    """Each cluster once, in order, noise last."""
    return sorted(set(labels), key=lambda number: (number == NOISE, number))


def without_noise(labels: Iterable[int]) -> list[int]:
    """Each cluster once, in order, noise left out."""
    return sorted(set(labels) - {NOISE})


def spans_of(segments: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Start and end of each segment, in seconds."""
    start, end = (segments[column].to_numpy(dtype=np.float64) for column in SPAN)
    return start, end
