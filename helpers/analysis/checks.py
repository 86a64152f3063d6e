"""What several analyses ask of their input, and the order of clusters."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.arguments import check_table, is_whole
from helpers.errors import AnalysisError, VideoSearchWarning
from helpers.segments import SPAN, check_spans

NOISE = -1  # the label of what belongs to no cluster
LARGEST = 1e15  # a larger number in a matrix is no part of a vector, and its square does not fit a float32


def as_array(values: object, what: str) -> npt.NDArray[Any]:
    """The values as an array; AnalysisError for rows of different lengths."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise AnalysisError(
            f"The {what} have rows of different lengths: give equally many of each."
        ) from error


def check_matrix(matrix: object) -> npt.NDArray[Any]:
    """The matrix as an array; AnalysisError unless it has rows of numbers, none of them NaN or infinite."""
    rows = as_array(matrix, "vectors")
    if rows.ndim != 2 or rows.dtype.kind not in "iuf":
        raise AnalysisError(
            "The matrix must have a row per segment, of numbers: make it with cluster_matrix."
        )
    bad = ~(np.abs(rows) < LARGEST).all(axis=1)
    if bad.any():
        raise AnalysisError(
            f"Row {int(np.argmax(bad))} of the matrix holds NaN or an infinite number: "
            "make it with cluster_matrix."
        )
    return rows


def check_labels(labels: npt.ArrayLike, n: int, *, words: bool = False) -> npt.NDArray[Any]:
    """Labels as an array, one whole number (or, with `words`, word) a row; AnalysisError if they are none."""
    array = as_array(labels, "labels")
    if array.shape != (n,):
        raise AnalysisError(
            f"There are {array.size} labels for {n} segments: cluster the same segments, in the same order."
        )
    if (
        n
        and not words
        and (array.dtype.kind not in "iuf" or not (np.isfinite(array) & (array % 1 == 0)).all())
    ):
        raise AnalysisError("A label is no whole number: give those of kmeans_clusters or hdbscan_clusters.")
    return array


def check_rows(segments: pd.DataFrame, matrix: npt.NDArray[Any]) -> None:
    """AnalysisError if the matrix has more or fewer rows than there are segments."""
    if len(segments) != len(matrix):
        raise AnalysisError(
            f"The matrix has {len(matrix)} rows for {len(segments)} segments: make it from these segments."
        )


def check_segments(segments: object, *, texts: Iterable[str] = (), spans: bool = False) -> None:
    """AnalysisError unless this is a table with texts in these columns and, with `spans`, times in seconds."""
    cure = "use segments or hits of a search"
    check = check_spans if spans else check_table
    check(segments, AnalysisError, what="segments", cure=cure, texts=list(texts))


def tell(sentence: str) -> None:
    """Say in one sentence what could not be shown; the analysis goes on with what can."""
    warnings.warn(sentence, VideoSearchWarning, stacklevel=3)


def whole_number(value: Any, what: str, *, least: int) -> int:
    """The value as an int; AnalysisError if it is no whole number, or below the least."""
    if not is_whole(value, least=least):
        raise AnalysisError(f"{what} is {value!r}: give a whole number from {least}.")
    return int(value)


def seed_number(seed: Any) -> int:
    """The seed of what is drawn at random, as an int; AnalysisError if NumPy does not take it."""
    if whole_number(seed, "The seed", least=0) >= 2**32:
        raise AnalysisError(f"The seed is {seed!r}: give a whole number below {2**32}.")
    return int(seed)


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


def are_among(ids: Iterable[str], others: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Whether each id is one of the others: what `isin` of pandas says, for 100,000 texts in a fiftieth of the time."""
    found: npt.NDArray[np.bool_] = pd.Index(others).unique().get_indexer(pd.Index(ids)) >= 0
    return found
