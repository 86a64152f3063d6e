"""What one change did to the labels, cell by cell, so that it can be taken back and done again.

Not whole tables: what another notebook wrote meanwhile must stay when a change of this one is undone.
"""

from typing import NamedTuple

import pandas as pd

from helpers.analysis.checks import NOISE
from helpers.analysis.labels import OWN, check_labels_table, with_rows

Cells = dict[str, pd.DataFrame]
BLANK = {"cluster": NOISE} | dict.fromkeys(OWN, "")


class Step(NamedTuple):
    """A change in words ("the tag 'cat'") and its cells: by column a table before, after by segment_id."""

    what: str
    cells: Cells


def changed_cells(old: pd.DataFrame, new: pd.DataFrame) -> Cells:
    """The cells in which two tables of labels differ; a segment without a row counts as one without words."""
    before, after = (table.set_index("segment_id") for table in (old, new))
    cells = {}
    for column, blank in BLANK.items():
        both = pd.DataFrame({"after": after[column]})
        both["before"] = before[column].reindex(both.index).fillna(blank).astype(after[column].dtype)
        cells[column] = both[both["before"] != both["after"]]
    return {column: table for column, table in cells.items() if len(table)}


def put_back(labels: pd.DataFrame, cells: Cells, *, now: str = "after", then: str = "before") -> pd.DataFrame:
    """The labels with each of the cells that still is as `now` says set to what `then` says; a new table."""
    table = check_labels_table(labels)
    for column, both in cells.items():
        table = with_rows(table, list(both.index))
        was, will = (table["segment_id"].map(both[side]) for side in (now, then))
        still = was.notna() & (table[column] == was)
        table.loc[still, column] = will[still].astype(table[column].dtype)
    return table
