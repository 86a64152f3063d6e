"""Codes and names for the colours of the map, from any column."""

import datetime as dt

import numpy as np
import pandas as pd

from helpers.explorer.columns import BINS, MOST_VALUES, colour_groups, coloured, columns_to_colour_by, visible

LABELS = np.array([1, 0, -1, 0])
TABLE = pd.DataFrame(
    {
        "segment_id": list("abcd"),
        "title": ["x", "y", "x", "x"],
        "video_url": ["x.mp4", "y.mp4", "x.mp4", "x.mp4"],
        "category": "same",
        "recorded_at": [dt.date(2024, 5, 1), None, dt.date(2024, 5, 1), dt.date(2024, 6, 1)],
        "start_offset_sec": [0.0, 60.0, 3600.0, 6.0],
        "score": [0.1, 0.2, None, 0.4],
        "vector": [np.ones(2)] * 4,
        "embedding_visual": [np.ones(2)] * 4,
    }
)


def of(column, tags=None, table=TABLE):
    return coloured(column, table, LABELS, tags or {})


def test_columns_that_tell_segments_apart_are_offered():
    offered = ["cluster", "tag", "time in film", "title", "recorded_at", "score"]
    assert columns_to_colour_by(TABLE) == offered


def test_clusters_keep_their_numbers_and_noise_is_last():
    found = of("cluster")
    assert found.codes.tolist() == [1, 0, -1, 0]
    assert [(g["code"], g["name"]) for g in colour_groups(found)] == [(0, "0"), (1, "1"), (-1, "-1")]


def test_words_stand_by_how_many_have_them_and_empty_cells_are_none():
    assert of("title").names == {0: "x", 1: "y"} and of("title").codes.tolist() == [0, 1, 0, 0]
    dates = of("recorded_at")
    assert dates.names == {0: "2024-05-01", 1: "2024-06-01", -1: "none"}
    assert dates.codes.tolist() == [0, -1, 0, 1]


def test_a_row_with_two_tags_has_an_entry_of_its_own():
    found = of("tag", {0: ["b", "a"], 2: ["a"]})
    assert [found.names[code] for code in found.codes] == ["a; b", "none", "a", "none"]


def test_numbers_are_put_into_ranges():
    found = of("time in film")
    assert found.codes.tolist() == [0, 0, BINS - 1, 0]
    assert found.names[0] == "0:00 to 10:00" and found.names[BINS - 1] == "50:00 to 1:00:00"
    many = pd.DataFrame({"score": [*range(10), np.nan]})
    found = coloured("score", many, np.zeros(11, dtype=int), {})
    assert found.codes[[0, 9, 10]].tolist() == [0, BINS - 1, -1] and found.names[0] == "0 to 1.5"
    few = of("score")
    assert [few.names[code] for code in few.codes] == ["0.1", "0.2", "none", "0.4"]


def test_rare_values_share_an_entry():
    table = pd.DataFrame({"word": [f"w{i // 2:02d}" for i in range(100)]})
    found = coloured("word", table, np.zeros(100, dtype=int), {})
    assert len(found.names) == MOST_VALUES and found.names[MOST_VALUES - 1] == "other values"
    assert (found.codes == MOST_VALUES - 1).sum() == 100 - 2 * (MOST_VALUES - 1)


def test_hidden_entries_leave_the_rest():
    assert visible(of("title"), ["x", "gone"]).tolist() == [False, True, False, False]
    assert visible(of("cluster"), ["-1"]).tolist() == [True, True, False, True]
