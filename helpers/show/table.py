"""Hits and segments as a table to read."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.show.captions import format_span, records

PLUMBING = ("segment_id", "video_id", "video_url", "embedding_scope", "segmentation", "model")


def show_table(
    df: pd.DataFrame, *, columns: Sequence[str] | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Hits or segments as a table to read: no vectors, no ids, scores to 3 decimals, `time` as m:ss.

    `columns` names what to show instead, in that order (`time` is always at hand). The result is a new
    DataFrame of text; a `rank` becomes its index.
    """
    table = df.head(limit or len(df)).copy()
    if {"start_offset_sec", "end_offset_sec"} <= set(table):
        at = int(np.flatnonzero(table.columns == "start_offset_sec")[0])
        spans = [format_span(row) for row in records(table)]
        table.insert(at, "time", pd.Series(spans, table.index, dtype=str))
    if columns is None:
        drop = (*PLUMBING, "start_offset_sec", "end_offset_sec")
        columns = [c for c in map(str, table) if c not in drop and not c.startswith(("embedding_", "has_"))]
        if "cluster" in columns and (table["cluster"] == -1).all():
            columns.remove("cluster")
    elif "rank" in table and "rank" not in columns:
        table = table.set_index("rank")
    table = table[list(columns)]
    for column in table.select_dtypes("float"):
        table[column] = table[column].map("{:.3f}".format)
    return table.set_index("rank") if "rank" in table else table
