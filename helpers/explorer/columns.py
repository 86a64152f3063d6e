"""Colouring and filtering the map by any column of the segments: a code for each row, and what the codes are called."""

import datetime as dt
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import in_order
from helpers.analysis.matrix import Labels
from helpers.show.captions import format_time
from helpers.show.cluster_style import cluster_style

CLUSTER, TAG, TIME = "cluster", "tag", "time in film"  # what can be chosen beside the table's own columns
MOST_VALUES = 24  # of a column that have an entry of their own; the rarer ones share one
BINS = 6  # of a column of numbers
NONE, OTHER = "none", "other values"
NOT_OFFERED = {
    *("segment_id", "video_id", "video_url", "cluster", "description"),  # `title` stands for the video
    *("start_offset_sec", "end_offset_sec"),
}


class Coloured(NamedTuple):
    """A code for each row (n,), and the name of each code, by code."""

    codes: npt.NDArray[np.int32]
    names: dict[int, str]


def columns_to_colour_by(segments: pd.DataFrame) -> list[str]:
    """Cluster, tag, time in film, and each column of the table whose cells are words, numbers or dates of some kind.

    A column that has one value only, a different text in every row, or vectors tells nothing apart.
    """
    own = [
        str(column)
        for column in segments
        if column not in NOT_OFFERED
        and not str(column).startswith("embedding_")
        and _tells_apart(segments[column])
    ]
    return [CLUSTER, TAG, TIME, *own]


def _tells_apart(cells: pd.Series) -> bool:
    known = cells.dropna()
    if not len(known) or not all(isinstance(cell, str | numbers.Number | dt.date) for cell in known):
        return False
    kinds = cells.astype("str").nunique()
    return bool(kinds > 1 and (kinds < len(cells) or kinds <= MOST_VALUES or is_number(cells)))


def is_number(cells: pd.Series) -> bool:
    """Whether a column holds numbers; True and False are none."""
    return pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)


def coloured(
    column: str, segments: pd.DataFrame, labels: Labels, tags: Mapping[int, Sequence[str]]
) -> Coloured:
    """Codes and names of a column; `tags` are those of each row that has some.

    Clusters keep their numbers. Numbers of many values are put into BINS ranges of equal width, rare texts into
    one entry. A row with two tags is an entry "a; b".
    """
    if column == CLUSTER:
        return Coloured(labels.astype(np.int32), {n: str(n) for n in in_order(labels.tolist())})
    if column == TAG:
        cells = pd.Series(["; ".join(sorted(tags.get(row, ()))) for row in range(len(segments))])
        return _values(cells)
    if column == TIME:
        return _ranges(segments["start_offset_sec"], format_time)
    cells = segments[column]
    if is_number(cells) and cells.nunique() > BINS:
        return _ranges(cells, lambda value: f"{value:.4g}")
    return _values(cells)


def _values(cells: pd.Series) -> Coloured:
    """The most frequent values by number of rows; empty cells are "none"."""
    words = cells.astype("str").where(cells.notna(), "").str.strip().replace("", NONE)
    counts = words[words != NONE].value_counts()
    known = sorted(counts.index, key=lambda word: (-int(counts[word]), word))
    kept = known if len(known) <= MOST_VALUES else known[: MOST_VALUES - 1]
    names = dict(enumerate(kept))
    code = {word: number for number, word in names.items()}
    if len(kept) < len(known):
        names[len(kept)] = OTHER
    codes = words.map(code).fillna(len(kept)).to_numpy(dtype=np.int32, copy=True)
    codes[words == NONE] = -1
    if (words == NONE).any():
        names[-1] = NONE
    return Coloured(codes, names)


def _ranges(cells: pd.Series, say: Any) -> Coloured:
    values = cells.to_numpy(dtype=float)
    known = np.isfinite(values)
    if not known.any() or values[known].min() == values[known].max():
        return _values(cells.map(say))
    edges = np.linspace(values[known].min(), values[known].max(), BINS + 1)
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1).astype(np.int32)
    codes[~known] = -1
    names = {n: f"{say(edges[n])} to {say(edges[n + 1])}" for n in range(BINS)}
    return Coloured(codes, names | ({} if known.all() else {-1: NONE}))


def colour_groups(found: Coloured) -> list[dict[str, Any]]:
    """What the legend shows of a column: code, name, colour and shape, in the order of the codes, -1 last."""
    order = [*sorted(code for code in found.names if code >= 0), *([-1] if -1 in found.names else [])]
    styles = {code: cluster_style(code) for code in order}
    return [
        {"code": code, "name": found.names[code], "colour": styles[code][0], "shape": styles[code][1]}
        for code in order
    ]


def visible(found: Coloured, hidden: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows (n,) stay when the entries of these names are hidden."""
    gone = [code for code, name in found.names.items() if name in set(hidden)]
    return ~np.isin(found.codes, gone)
