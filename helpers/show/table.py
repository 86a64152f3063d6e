"""Hits and segments as a table to read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.arguments import as_list, check_limit, check_names, check_table
from helpers.errors import SearchError
from helpers.show.captions import check_hits, format_span, records

PLUMBING = ("segment_id", "video_id", "video_url", "embedding_scope", "segmentation", "model")


def show_table(
    df: pd.DataFrame, *, columns: Sequence[str] | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Hits or segments as a table to read: no vectors, no ids, scores to 3 decimals, "-" for none, `time` as m:ss.

    `columns` names what to show instead, in that order (`time` is always at hand). The result is a new
    DataFrame of text; a `rank` becomes its index.
    """
    check_table(df, SearchError, what="rows", cure="use segments, or hits of a search")
    check_names(SearchError, columns=columns)
    check_limit(SearchError, limit)
    table = df.head(len(df) if limit is None else min(limit, len(df))).copy()
    if {"start_offset_sec", "end_offset_sec"} <= set(table):
        check_hits(table, texts=())
        at = int(np.flatnonzero(table.columns == "start_offset_sec")[0])
        spans = [format_span(row) for row in records(table)]
        table.insert(at, "time", pd.Series(spans, table.index, dtype=str))
    chosen: list[Any] = [] if columns is None else as_list(columns)
    if columns is None:
        drop = (*PLUMBING, "start_offset_sec", "end_offset_sec")
        chosen = [c for c in table if c not in drop and not str(c).startswith(("embedding_", "has_"))]
        if "cluster" in chosen and (table["cluster"] == -1).all():
            chosen.remove("cluster")
    elif missing := [column for column in chosen if column not in table]:
        raise SearchError(f"There is no column {missing[0]!r}: choose from {', '.join(map(str, table))}.")
    elif "rank" in table and "rank" not in chosen:
        table = table.set_index("rank")
    table = table[chosen]
    for column in table.select_dtypes("float"):
        table[column] = table[column].map("{:.3f}".format).mask(table[column].isna(), "-")
    return table.set_index("rank") if "rank" in table else table
