"""Segments that an analyst puts into another cluster, through later clusterings."""

import pandas as pd
import pytest
from pyarrow import parquet

from helpers.analysis.labels import check_labels_table, make_labels, read_labels, tag_segments, write_labels
from helpers.analysis.moves import move_segments, moved_clusters, unmove_segments
from helpers.errors import AnalysisError
from helpers.segments import segment_id

NONE = make_labels({})


def clusters(**numbers):
    return pd.Series(numbers, dtype="int64")


def test_a_segment_stays_with_the_one_that_it_was_moved_to():
    labels = move_segments(NONE, ["a", "b"], to="x")
    assert moved_clusters(labels, clusters(a=0, b=1, c=0, x=2)).to_dict() == {"a": 2, "b": 2, "c": 0, "x": 2}
    assert moved_clusters(labels, clusters(a=0, b=1, c=0, x=0)).to_dict() == {"a": 0, "b": 0, "c": 0, "x": 0}
    further = move_segments(labels, ["c"], to="a")
    assert moved_clusters(further, clusters(a=0, b=1, c=0, x=2))["c"] == 2, "where that one went"
    assert moved_clusters(move_segments(further, ["x"], to="b"), clusters(a=0, b=1, c=0, x=2))["a"] == 2


def test_a_new_cluster_stays_beside_the_found_ones():
    labels = move_segments(move_segments(NONE, ["a", "b"]), ["c"])
    found = clusters(a=0, b=1, c=0, d=1)
    assert moved_clusters(labels, found).to_dict() == {"a": 2, "b": 2, "c": 3, "d": 1}
    assert found.to_dict() == {"a": 0, "b": 1, "c": 0, "d": 1}, "what was given stays as it was"
    more = move_segments(labels, ["d"], to="c")
    assert moved_clusters(more, clusters(a=0, b=1, c=2, d=3, e=4)).to_dict() == {
        "a": 5,
        "b": 5,
        "c": 6,
        "d": 6,
        "e": 4,
    }
    assert moved_clusters(labels, clusters(a=-1, b=-1, d=-1)).to_dict() == {"a": 0, "b": 0, "d": -1}


def test_a_move_waits_while_its_segment_is_noise_or_elsewhere_and_can_be_taken_back():
    labels = move_segments(NONE, ["a"], to="x")
    for found in (clusters(a=0, x=-1), clusters(a=0, b=1)):
        assert moved_clusters(labels, found).equals(found)
    back = unmove_segments(labels, ["a", "unknown"])
    assert moved_clusters(back, clusters(a=0, x=1)).to_dict() == {"a": 0, "x": 1}


def test_a_move_follows_to_the_segments_of_another_model():
    old, new = (
        [
            segment_id("cat-01", "clip", 6.0 * n, 6.0 * n + 6, segmentation="fixed-6", model=model)
            for n in range(3)
        ]
        for model in ("marengo3.0", "marengo3.5")
    )
    labels = move_segments(NONE, old[:1], to=old[2])
    again = tag_segments(labels, new, "seen")  # the words go over to the new segments
    assert moved_clusters(again, pd.Series([0, 0, 1], index=new)).tolist() == [1, 0, 1]


def test_a_file_of_before_there_were_moves_is_read(tmp_path):
    path = tmp_path / "labels.parquet"
    write_labels(path, make_labels({"segment_id": ["a"], "note": ["kept"]}))
    old = parquet.read_table(path).drop_columns("moved")
    parquet.write_table(old, path)
    labels = read_labels(path)
    assert labels["moved"].tolist() == [""] and labels["note"].tolist() == ["kept"]
    write_labels(path, move_segments(labels, ["a"], to="b"))
    assert read_labels(path)["moved"].tolist() == ["with b"]


@pytest.mark.parametrize("to", [3, "", float("nan"), ["a"]])
def test_a_move_to_no_segment_is_refused(to):
    with pytest.raises(AnalysisError, match="segment to move to is"):
        move_segments(NONE, ["a"], to=to)
    assert check_labels_table(NONE).empty
