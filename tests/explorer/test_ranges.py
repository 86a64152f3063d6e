"""Numbers and dates of segments, and the rows that ranges of them leave."""

import datetime as dt

import numpy as np
import pandas as pd

from helpers.explorer.ranges import for_page, number_columns, within

TABLE = pd.DataFrame(
    {
        "segment_id": list("abcd"),
        "title": ["x", "y", "x", "x"],
        "start_offset_sec": [0.0, 60.0, 3600.0, 6.0],
        "end_offset_sec": [6.0, 66.0, 3606.0, 12.0],
        "recorded_at": ["2024-05-01", "", None, "2024-06-01T12:00:00"],
        "day": [dt.date(2024, 5, 1), None, dt.date(2024, 5, 2), dt.date(2024, 5, 3)],
        "stamp": pd.to_datetime(["2024-05-01", "2024-05-02", None, "2024-05-03"]),
        "score": [0.1, np.inf, None, 0.4],
        "same": 1,
        "good": [True, False, True, False],
        "embedding_visual": [np.ones(2)] * 4,
    }
)
NUMBERS = number_columns(TABLE)
DAY = 86400


def test_numbers_and_dates_have_ranges_and_what_is_all_one_has_none():
    kinds = {name: kind for name, (kind, _) in NUMBERS.items()}
    dates = dict.fromkeys(("recorded_at", "day", "stamp"), "date")
    assert kinds == {"time in film": "time", **dates, "score": "number"}
    may = dt.datetime(2024, 5, 1, tzinfo=dt.UTC).timestamp()
    assert np.array_equal(NUMBERS["recorded_at"][1], [may, np.nan, np.nan, may + 31.5 * DAY], equal_nan=True)
    assert np.array_equal(NUMBERS["day"][1], [may, np.nan, may + DAY, may + 2 * DAY], equal_nan=True)
    assert np.array_equal(NUMBERS["score"][1], [0.1, np.nan, np.nan, 0.4], equal_nan=True)


def test_texts_that_are_no_dates_have_no_range():
    for cells in (["2024-05-01", "soon"], ["2024-05-01", "2024-99-01"], ["", ""], [1, "2024-05-01"]):
        table = TABLE.head(2)[["start_offset_sec"]].assign(when=pd.Series(cells, dtype=object))
        assert set(number_columns(table)) == {"time in film"}, cells


def test_a_range_keeps_what_lies_in_it_and_all_ranges_count():
    assert within(NUMBERS, {}, 4).all()
    assert within(NUMBERS, {"time in film": [6, 60]}, 4).tolist() == [False, True, False, True]
    assert within(NUMBERS, {"time in film": [0, 60], "score": [0, 1]}, 4).tolist() == [
        True,
        False,
        False,
        True,
    ]
    assert within(NUMBERS, {"a column of another table": [0, 1]}, 4).all()


def test_the_page_gets_kinds_and_values():
    page = for_page(NUMBERS)
    assert page["time in film"]["kind"] == "time"
    assert np.frombuffer(page["time in film"]["values"], "<f8").tolist() == [0, 60, 3600, 6]
