"""The vectors of segments as a matrix, one row per segment, checked: what every analysis starts from."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import as_array, check_segments, tell
from helpers.errors import AnalysisError
from helpers.segments import available_options, declared_options, vector_field

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
EPSILON = 1e-6  # a shorter row is rounding, and has no direction


def cluster_matrix(segments: pd.DataFrame, *, option: str = "visual", centre: bool = False) -> Matrix:
    """The vectors of one option as a matrix (n segments, d numbers), each row of length 1, in row order.

    `option="fused"` puts the vectors of all available options side by side, zeros where a segment lacks one.
    `centre=True` subtracts from each row the mean of its video, so that what is left is how a moment differs
    from its own film and not which film it is from; a clip that is its video's mean (an only clip) stays a row
    of zeros. Give clips or whole videos, not both.
    Raises AnalysisError if there is no segment, if the option is unknown or missing in some of them, and for
    vectors of several models or lengths, of zeros, or with NaN or infinite numbers.
    """
    check_segments(segments, texts=["segment_id", "video_id"])
    if "model" in segments:
        check_segments(segments, texts=["model"])
    if segments.empty:
        raise AnalysisError("There are no segments to analyse: the table is empty, so widen the filter.")
    if "model" in segments and len(models := sorted(segments["model"].unique())) > 1:
        raise AnalysisError(
            f"The segments have vectors of {len(models)} models, {' and '.join(models)}: analyse one at a time."
        )
    if not isinstance(centre, bool | np.bool_):
        raise AnalysisError(f"centre is {centre!r}: give True or False.")
    if not isinstance(option, str):
        raise AnalysisError(f"The option is {option!r}: give the name of one, such as 'visual'.")
    options = available_options(segments) if option == "fused" else [option]
    if not set(options) <= set(declared_options(segments)) or not options:
        known = ", ".join([*available_options(segments), "fused"])
        raise AnalysisError(f"The segments have no option {option!r}: choose from {known}.")
    missing = int(np.all([segments[vector_field(o)].isna() for o in options], axis=0).sum())
    if missing:
        cure = "leave them out" if option == "fused" else "leave them out, or choose option='fused'"
        kind = "" if option == "fused" else f" {option}"
        raise AnalysisError(f"{missing} of {len(segments)} segments have no{kind} vector: {cure}.")
    return unit_rows(np.hstack([_one_option(segments, o, centre) for o in options]))


def _one_option(segments: pd.DataFrame, option: str, centre: bool) -> Matrix:
    cells, ids = segments[vector_field(option)], segments["segment_id"].to_numpy()
    has = cells.notna().to_numpy()
    vectors = [as_array(cell, f"{option} vectors") for cell in cells[has]]
    if any(vector.ndim != 1 or vector.dtype.kind not in "iuf" for vector in vectors):
        raise AnalysisError(f"A cell of the {option} vectors is no row of numbers: embed its video again.")
    if len({len(vector) for vector in vectors}) > 1:
        raise AnalysisError(f"The {option} vectors differ in length: embed all videos with the same model.")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is named below
        rows = np.stack(vectors).astype(np.float32)
    for bad, what in (
        (~np.isfinite(rows).all(axis=1), "holds NaN or an infinite number"),
        (~rows.any(axis=1), "is all zeros"),
    ):
        if bad.any():
            first = ids[has][np.argmax(bad)]
            raise AnalysisError(f"The {option} vector of {first} {what}: embed its video again.")
    rows = unit_rows(rows)
    if centre:
        means = pd.DataFrame(rows.astype(np.float64)).groupby(segments["video_id"].to_numpy()[has])
        rows = unit_rows((rows - means.transform("mean").to_numpy()).astype(np.float32))
    matrix = np.zeros((len(segments), rows.shape[1]), dtype=np.float32)
    matrix[has] = rows
    return matrix


def unit_rows(rows: npt.NDArray[Any]) -> Matrix:
    """Each row divided by its length; a row that is zero but for rounding becomes all zeros."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    units: Matrix = np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > EPSILON).astype(
        np.float32
    )
    return units


def distinct_rows(rows: npt.NDArray[Any], what: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows that differ, to six digits: the first row of each kind, and for each row which kind it is.

    Where `what` has nothing to tell apart (a single segment, all vectors equal), one warning says so.
    Raises AnalysisError for no segment.
    """
    if not len(rows):
        raise AnalysisError(f"There is no segment, but {what} needs at least one: widen the filter.")
    rounded = np.round(rows, 6) + 0.0  # minus zero is zero
    which, kinds = pd.factorize(np.array([row.tobytes() for row in rounded], dtype=object))
    if len(kinds) == 1:
        alike = "There is one segment" if len(rows) == 1 else f"All {len(rows)} vectors are equal"
        tell(
            f"{alike}, so there is nothing for {what} to tell apart: choose more segments or another option."
        )
    return np.unique(which, return_index=True)[1], which


def is_one_kind(rows: npt.NDArray[Any], what: str) -> bool:
    """Whether there is one kind of `distinct_rows`, without a look at all of them where there are more."""
    for at in range(0, len(rows), 1000):
        if (np.round(rows[at : at + 1000], 6) != np.round(rows[:1], 6)).any():
            return False
    return len(distinct_rows(rows, what)[0]) == 1
