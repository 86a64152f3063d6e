"""Taking a change of the labels back, cell by cell."""

import pandas as pd

from helpers.analysis.labels import annotate_segment, make_labels, tag_segments
from helpers.explorer.history import changed_cells, put_back

OLD = make_labels({"segment_id": ["a", "b"], "cluster": [0, 1], "tags": ["x", ""]})


def test_only_cells_that_differ_are_kept():
    new = tag_segments(OLD, ["b", "c"], "y")
    cells = changed_cells(OLD, new)
    assert list(cells) == ["tags"]
    assert cells["tags"].to_dict("index") == {
        "b": {"before": "", "after": "y"},
        "c": {"before": "", "after": "y"},
    }
    assert changed_cells(new, new) == {}


def test_a_change_goes_back_and_forth():
    new = annotate_segment(tag_segments(OLD, ["b"], "y"), "a", "note").assign(cluster=[1, 1])
    cells = changed_cells(OLD, new)
    pd.testing.assert_frame_equal(put_back(new, cells), OLD)
    pd.testing.assert_frame_equal(put_back(OLD, cells, now="before", then="after"), new)


def test_a_cell_that_somebody_changed_meanwhile_stays():
    new = tag_segments(OLD, ["a", "b"], "y")
    meanwhile = tag_segments(new, ["a"], "z")
    back = put_back(meanwhile, changed_cells(OLD, new)).set_index("segment_id")["tags"]
    assert back.to_dict() == {"a": "x; y; z", "b": ""}
