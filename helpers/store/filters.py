"""Filters: from a dict to the expression that Milvus reads, with every value checked and escaped."""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.arguments import is_list, is_number
from helpers.errors import SearchError
from helpers.segments import COLUMNS

NUMBERS = ("start_offset_sec", "end_offset_sec", "cluster")  # the other columns are text
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # Milvus Lite cannot read these in a filter
Where = Mapping[str, object] | str | None


def build_filter(where: Where, options: Sequence[str] = ()) -> str:
    """A Milvus filter expression from a dict; every entry must hold.

    {"category": "space"} means equal, {"category": ["space", "cats"]} any of these, and a tuple from-to, both
    included: {"start_offset_sec": (0, 60)}; None leaves an end open. Fields are the scalar columns of the
    segments table, and `has_<option>`. A str is passed on as an expression that you wrote yourself.
    Raises SearchError for what is no dict, for an unknown field, or a value that does not suit it.
    """
    if where is None or isinstance(where, str):
        return where or ""
    if not isinstance(where, Mapping):
        kind = type(where).__name__
        raise SearchError(f"The filter is a {kind}: give a dict, such as {{'category': 'space'}}.")
    if not is_list(options, str):
        raise SearchError(f"The options are {options!r}: give a list, such as ['visual'].")
    known = [*COLUMNS, *(f"has_{option}" for option in options)]
    parts = []
    for field, value in where.items():
        if field not in known:
            raise SearchError(f"There is no field {field!r} to filter by: choose from {', '.join(known)}.")
        value = value.item() if isinstance(value, np.generic | np.ndarray) and np.size(value) == 1 else value
        if isinstance(value, tuple) and len(value) == 2 and not field.startswith("has_"):
            low, high = value
            if low is None and field in COLUMNS and field not in NUMBERS:
                parts.append(f'{field} != ""')  # a row without a date lies in no range of dates
            bounds = [(low, ">="), (high, "<=")]
            parts += [f"{field} {sign} {_literal(field, end)}" for end, sign in bounds if end is not None]
        elif isinstance(value, list | set | frozenset | np.ndarray | pd.Series) and len(value):
            parts.append(f"{field} in [{', '.join(_literal(field, item) for item in value)}]")
        else:
            parts.append(f"{field} == {_literal(field, value)}")
    return " and ".join(parts)


def _literal(field: str, value: object) -> str:
    """One value as Milvus reads it: JSON, but with the letters of every language as they are."""
    value = value.item() if isinstance(value, np.generic) else value
    if field in COLUMNS and field not in NUMBERS:
        good = isinstance(value, str) and not CONTROL.search(value)
    elif field in NUMBERS:
        good = is_number(value) and abs(value) < 2**63
    else:
        good = isinstance(value, bool)
    if not good:
        raise SearchError(
            f"The filter on {field!r} cannot use {value!r}: give a value or a list of its kind."
        )
    return json.dumps(value, ensure_ascii=False)
