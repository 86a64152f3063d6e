"""What a function is given: of the right kind and with the columns it needs, or one sentence says so."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from helpers.errors import VideoSearchError


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is an int or a float, of Python or NumPy, that a float can hold, and not NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    with suppress(OverflowError):
        return not math.isnan(float(value))
    return False


def is_whole(value: object, *, least: int) -> TypeGuard[int]:
    """Whether this is a whole number, of Python or NumPy, and not too small."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def as_list(value: object) -> list[Any]:
    """What can be walked through, as a list; for anything else, and for a text, a list of it alone."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        with suppress(TypeError):  # an array without a dimension
            return list(value)
    return [value]


def is_list(value: object, kind: type) -> bool:
    """Whether this can be walked through, is no text, and holds nothing but what is of a kind."""
    return not isinstance(value, str) and all(isinstance(item, kind) for item in as_list(value))


def check_names(error: type[VideoSearchError], **lists: object) -> None:
    """Raise `error` for an argument, by its name, that is no list of texts; None is the default of each."""
    for name, given in lists.items():
        if given is not None and (isinstance(given, Mapping | pd.DataFrame) or not is_list(given, str)):
            raise error(f"The {name} are {given!r}: give a list of names, such as ['visual'].")


def check_amounts(error: type[VideoSearchError], **amounts: object) -> None:
    """Raise `error` for an argument, by its name, that is no number from 0."""
    for name, given in amounts.items():
        if not is_number(given) or given < 0:
            raise error(f"The {name} is {given!r}: give a number from 0.")


def check_limit(error: type[VideoSearchError], limit: object) -> None:
    """Raise `error` for a limit that is no whole number from 1; None is for all."""
    if limit is not None and not is_whole(limit, least=1):
        raise error(f"The limit is {limit!r}: give a whole number from 1, or None for all.")


def is_text(value: object) -> TypeGuard[str]:
    """Whether this is text that can be written: half of a letter cannot."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def check_texts(error: type[VideoSearchError], **texts: object) -> None:
    """Raise `error` for an argument, by its name, that is no text that can be written; None is a default."""
    for name, given in texts.items():
        if given is not None and not is_text(given):
            raise error(f"The {name} is {given!r}, which is no text that can be written: give a text.")


def check_words(error: type[VideoSearchError], **tables: object) -> None:
    """Raise `error` for an argument, by its name, that is no mapping to texts; None is a default."""
    for name, given in tables.items():
        if given is not None and not (isinstance(given, Mapping) and all(map(is_text, given.values()))):
            raise error(f"The {name} are {given!r}: give a text for each, such as {{0: 'cats'}}.")


def checked_path(path: object, error: type[VideoSearchError], *, what: str) -> Path:
    """The path, "~" being one's home; `error` for what can be the path of no file or folder."""
    with suppress(TypeError, ValueError, RuntimeError):  # no path, or one of a user whom nobody knows
        if isinstance(path, str | Path) and b"\0" not in os.fsencode(path):
            return Path(path).expanduser()
    raise error(f"The {what} is {path!r}: give a path as text.")


def check_table(
    table: object,
    error: type[VideoSearchError],
    *,
    what: str,
    cure: str,
    columns: Sequence[str] = (),
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> None:
    """Raise `error` unless this is a table with these columns, once each, and numbers or texts where due.

    `what` names the rows in the plural, such as "hits"; `cure` says what to do.
    """
    if not isinstance(table, pd.DataFrame):
        raise error(f"The {what} are a {type(table).__name__}: {cure}.")
    for column in (*columns, *numbers, *texts):
        if column not in table:
            raise error(f"The {what} lack the column {column!r}: {cure}.")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise error(f"The {what} have the column {twice!r} twice: {cure}.")
    for names, kind, due in ((numbers, int | float | np.number, "number"), (texts, str, "text")):
        for column in names:
            cells = table[column]
            if kind is str:
                plain = isinstance(cells.dtype, pd.StringDtype) and not cells.hasnans
            else:
                plain = pd.api.types.is_numeric_dtype(cells)
            wrong = [] if plain else [cell for cell in cells if not isinstance(cell, kind)]
            if wrong:
                raise error(
                    f"The {what} have {wrong[0]!r} in the column {column!r}, which is no {due}: {cure}."
                )
