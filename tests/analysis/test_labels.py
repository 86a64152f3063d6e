"""The analyst's own words: kept through re-clustering, kills and full disks, and exported without harm."""

import csv
import html
import io
import itertools
import os
import re
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.analysis import carry
from helpers.analysis import exports as analysis_exports
from helpers.analysis import labels as words
from helpers.errors import AnalysisError
from helpers.segments import COLUMNS, segment_id
from helpers.settings import ROOT
from helpers.videos.media import probe
from helpers.videos.samples import sample_videos

NASTY = [
    "two\nlines",
    "\r\n\r\nWEBVTT\r\n",
    "a --> b",
    "00:00:00.000 --> 00:00:09.000\nhacked",
    "<b>bold</b> & <v Bob>",
    "&lt; is no <",
    "quote \" and ' and ,",
    "=cmd|'/c calc'!A1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "'=1",
    "' =1",
    " \u3000＝1",
    "''quoted''",
    "emoji 👩‍👩‍👧 עברית 日本",
    "semi; colon \\; back\\slash\\",
    " spaces ",
    "NOTE nothing",
    "nul\0byte",
    "\u2028line separator",
]


def files_in(folder):
    """What lies there, but for the lock by which two notebooks keep out of each other's way."""
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


def clusters_of(*numbers, first=0):
    """A Series of clusters for segments s0, s1, … in this order."""
    return pd.Series(numbers, index=[f"s{i}" for i in range(first, first + len(numbers))], dtype="int64")


def fresh(*numbers):
    return carry.assign_clusters(words.read_labels("there is no such file"), clusters_of(*numbers)).labels


def names_of(labels):
    return dict(zip(labels["segment_id"], labels["name"], strict=True))


def tags_of(labels):
    return {
        key: words.split_tags(tags) for key, tags in zip(labels["segment_id"], labels["tags"], strict=True)
    }


def make_segments(
    n=4, *, video="cat-0123456789", title="Cat", url="data/videos/cat.mp4", seconds=6.0, first=0
):
    rows = []
    for i in range(n):
        row = dict.fromkeys(COLUMNS, "") | {"segment_id": f"s{first + i}", "video_id": video, "title": title}
        row |= {"video_url": url, "embedding_scope": "clip", "cluster": -1}
        row |= {"start_offset_sec": seconds * i, "end_offset_sec": seconds * (i + 1)}
        rows.append(row)
    return pd.DataFrame(rows)


def chapters_in(path):
    """(start, end, text) of the cues of a WebVTT file as a strict reader finds them."""
    captions = webvtt.read(str(path), strict=True).captions
    return [(c.start, c.end, html.unescape(c.raw_text)) for c in captions]


def one_sentence(error):
    text = str(error.value)
    return "\n" not in text and text.endswith(".") and len(text) < 500


# ---------------------------------------------------------------- the file


def test_no_file_is_an_empty_table_and_what_is_written_comes_back(tmp_path):
    path = tmp_path / "new" / "labels.parquet"
    assert list(words.read_labels(path)) == words.COLUMNS
    assert words.read_labels(path).empty
    labels = words.tag_segments(words.name_cluster(fresh(0, 0, 1), 1, "cats"), ["s0"], "one", "two")
    labels = words.annotate_segment(labels, "s2", "look again\nat 0:12")
    assert words.write_labels(path, labels) == path
    pd.testing.assert_frame_equal(words.read_labels(path), labels)
    assert labels["tags"].tolist() == ["one; two", "", ""]
    assert files_in(path.parent) == ["labels.parquet"]
    words.write_labels(path, words.read_labels(tmp_path / "none"))
    assert words.read_labels(path).empty


@pytest.mark.parametrize("text", NASTY)
def test_every_text_survives_the_file(tmp_path, text):
    labels = words.annotate_segment(words.name_cluster(fresh(0, 1), 0, text), "s1", text)
    labels = words.tag_segments(labels, "s0", text.replace(";", ","))
    words.write_labels(tmp_path / "l.parquet", labels)
    again = words.read_labels(tmp_path / "l.parquet")
    assert (again["name"][0], again["note"][1]) == (text.strip(), text)
    assert tags_of(again)["s0"] == [text.replace(";", ",").strip()]


def test_a_text_that_no_file_can_hold_is_refused():
    for act in (
        lambda: words.annotate_segment(fresh(0), "s0", "half a pair \ud800"),
        lambda: words.name_cluster(fresh(0), 0, "\udfff"),
        lambda: words.annotate_segment(fresh(0), "s0", None),
        lambda: words.tag_segments(fresh(0), ["s0"], 3),
    ):
        with pytest.raises(AnalysisError, match="type it again") as error:
            act()
        assert one_sentence(error)


def damaged_files(path):
    labels = fresh(0, 1)
    yield path.write_bytes(b"")
    yield path.write_text("not parquet at all")
    labels.to_parquet(path)
    whole = path.read_bytes()
    yield path.write_bytes(whole[: len(whole) // 2])
    yield path.write_bytes(whole[:100] + bytes(len(whole) - 200) + whole[-100:])
    yield labels.drop(columns="note").to_parquet(path)
    yield pd.DataFrame(
        {"segment_id": ["a"], "cluster": [0.5], "name": "", "tags": "", "note": ""}
    ).to_parquet(path)
    yield pd.DataFrame(
        {"segment_id": ["a"], "cluster": [0], "name": "", "tags": None, "note": ""}
    ).to_parquet(path)
    yield pd.concat([labels, labels]).to_parquet(path)
    yield make_segments().to_parquet(path)
    path.unlink()
    yield path.mkdir()


@pytest.mark.slow
def test_a_damaged_file_is_said_so_and_never_overwritten(tmp_path):
    path = tmp_path / "labels.parquet"
    for _ in damaged_files(path):
        before = path.read_bytes() if path.is_file() else None
        for act in (lambda: words.read_labels(path), lambda: words.write_labels(path, fresh(0))):
            with pytest.raises(AnalysisError, match="move it away, or put a copy of it back") as error:
                act()
            assert one_sentence(error)
        assert before == (path.read_bytes() if path.is_file() else None)
        assert files_in(tmp_path) == ["labels.parquet"]


@pytest.fixture
def tiny_disk():
    """No file may grow beyond 1000 bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, request):
    path = tmp_path / "labels.parquet"
    words.write_labels(path, words.name_cluster(fresh(0, 1), 0, "old"))
    before = path.read_bytes()
    request.getfixturevalue("tiny_disk")
    with pytest.raises(AnalysisError, match="was not written .* untouched: free some space") as error:
        words.write_labels(path, fresh(*range(500)))
    assert one_sentence(error)
    assert path.read_bytes() == before
    assert files_in(tmp_path) == ["labels.parquet"]


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    bad, segments = tmp_path / "file" / "x", make_segments(1)
    for act in (
        lambda: words.write_labels(bad / "l.parquet", fresh(0)),
        lambda: analysis_exports.export_csv(segments, fresh(0), bad / "l.csv"),
        lambda: analysis_exports.export_chapters(segments, fresh(0), bad),
        lambda: analysis_exports.export_clips(segments, bad),
    ):
        with pytest.raises(AnalysisError, match="was not written") as error:
            act()
        assert one_sentence(error)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "shared").mkdir()
    link = tmp_path / "labels.parquet"
    link.symlink_to(tmp_path / "shared" / "l.parquet")
    words.write_labels(link, fresh(0))
    assert link.is_symlink() and (tmp_path / "shared" / "l.parquet").is_file()


# ---------------------------------------------------------------- names follow the greatest overlap


def test_names_follow_the_greatest_overlap_one_to_one():
    labels = words.name_cluster(fresh(0, 0, 0, 0, 1, 1, 1, 2, 2), 0, "cats")
    labels = words.name_cluster(words.name_cluster(labels, 1, "dogs"), 2, "owls")
    carried = carry.assign_clusters(labels, clusters_of(5, 5, 5, 1, 1, 1, 5, 5, 1))
    # cats share 3 with cluster 5; dogs 2 with cluster 1; owls 1 with each, and neither is left
    assert carried.matched.to_dict("records") == [
        {"name": "cats", "old": 0, "new": 5, "shared": 3},
        {"name": "dogs", "old": 1, "new": 1, "shared": 2},
    ]
    assert carried.unmatched == ["owls"]
    assert carried.labels["name"].tolist() == ["cats"] * 3 + ["dogs"] * 3 + ["cats"] * 2 + ["dogs"]
    assert carried.labels["tags"].tolist() == [""] * 7 + ["was owls"] * 2
    assert carried.labels["cluster"].tolist() == [5, 5, 5, 1, 1, 1, 5, 5, 1]


def test_the_sum_of_overlaps_counts_not_the_first_best():
    # a: 3 with X, 2 with Y; b: 2 with X, none with Y. Greedy gives 3, the best assignment gives 4.
    labels = words.name_cluster(words.name_cluster(fresh(0, 0, 0, 0, 0, 1, 1), 0, "a"), 1, "b")
    carried = carry.assign_clusters(labels, clusters_of(0, 0, 0, 1, 1, 0, 0))
    assert dict(zip(carried.matched["name"], carried.matched["new"], strict=True)) == {"a": 1, "b": 0}


def test_noise_takes_no_name_and_segments_left_out_keep_their_words():
    labels = words.name_cluster(words.name_cluster(fresh(0, 0, 1, 1, 1), 0, "cats"), 1, "dogs")
    labels = words.annotate_segment(words.tag_segments(labels, ["s4"], "fine"), "s4", "a note")
    carried = carry.assign_clusters(labels, clusters_of(-1, -1, 3, 3))
    assert carried.unmatched == ["cats"]
    assert names_of(carried.labels) == {"s0": "", "s1": "", "s2": "dogs", "s3": "dogs", "s4": "dogs"}
    assert carried.labels["cluster"].tolist() == [-1, -1, 3, 3, -1]
    assert tags_of(carried.labels)["s0"] == ["was cats"]
    assert carried.labels.iloc[4][["tags", "note"]].tolist() == ["fine", "a note"]
    nothing = carry.assign_clusters(labels, clusters_of(7, first=90))
    assert nothing.unmatched == [] and nothing.matched.empty  # no named segment was clustered
    assert names_of(nothing.labels) == names_of(labels) | {"s90": ""}
    # all of them clustered again: the segment that was left out votes for its name
    back = carry.assign_clusters(nothing.labels, clusters_of(1, 1, 0, 0, 0))
    assert back.labels["name"].tolist() == ["cats"] * 2 + ["dogs"] * 3 + [""]


@pytest.mark.slow
def test_a_lost_name_comes_back_with_its_cluster():
    labels = words.name_cluster(words.name_cluster(fresh(0, 0, 0, 1, 1), 0, "cats"), 1, "owls; \\ dogs")
    labels = words.tag_segments(labels, ["s3"], "fine")
    merged = carry.assign_clusters(labels, clusters_of(0, 0, 0, 0, 0))
    assert merged.unmatched == ["owls; \\ dogs"]
    back = carry.assign_clusters(merged.labels, clusters_of(4, 4, 4, 2, 2))
    assert names_of(back.labels) == names_of(labels)
    assert back.labels["tags"].tolist() == labels["tags"].tolist()
    assert {"name": "owls; \\ dogs", "old": -1, "new": 2, "shared": 2} in back.matched.to_dict("records")
    assert back.unmatched == []
    # Not for a cluster that is nearly the same, has a name, or would have two; nor if the name is in use.
    near = carry.assign_clusters(merged.labels, clusters_of(4, 4, 4, 4, 2)).labels
    assert near["name"].tolist() == ["cats"] * 4 + [""]
    assert tags_of(near)["s3"] == ["fine", "was owls; \\ dogs"]
    taken = words.name_cluster(carry.assign_clusters(labels, clusters_of(0, 0, 0, 0, 0)).labels, 0, "")
    both = words.tag_segments(taken, ["s3", "s4"], "was mice")
    assert set(carry.assign_clusters(both, clusters_of(1, 1, 1, 0, 0)).labels["name"]) == {""}
    used = words.name_cluster(
        carry.assign_clusters(taken, clusters_of(0, 1, 1, 2, 1)).labels, 0, "owls; \\ dogs"
    )
    again = carry.assign_clusters(used, clusters_of(1, 1, 1, 0, 0)).labels
    assert names_of(again) == dict.fromkeys(["s0", "s1", "s2"], "owls; \\ dogs") | {"s3": "", "s4": ""}


def ids_of(model, *, video="cat-0123456789", segmentation="fixed-6", count=4, scope="clip"):
    return [
        segment_id(video, scope, 6.0 * i, 6.0 * i + 6, segmentation=segmentation, model=model)
        for i in range(count)
    ]


def test_words_follow_their_moments_to_the_segments_of_another_model():
    old, new = ids_of("offline-384"), ids_of("offline-512")
    labels = carry.assign_clusters(words.make_labels({}), pd.Series([0, 0, 1, 1], index=old)).labels
    labels = words.name_cluster(words.name_cluster(labels, 0, "cat"), 1, "dog")
    labels = words.annotate_segment(words.tag_segments(labels, [old[3]], "check"), old[3], "look again")
    carried = carry.assign_clusters(labels, pd.Series([1, 1, 0, 0], index=new))
    now = carried.labels.set_index("segment_id").loc[new]
    assert list(now["name"]) == ["cat", "cat", "dog", "dog"] and list(now["cluster"]) == [1, 1, 0, 0]
    assert (now.loc[new[3], "tags"], now.loc[new[3], "note"]) == ("check", "look again")
    assert carried.matched[["name", "old", "new"]].to_numpy().tolist() == [["cat", 0, 1], ["dog", 1, 0]]
    assert sorted(carried.labels["segment_id"]) == sorted(new) and not carried.unmatched


def test_a_lost_name_comes_back_after_the_model_has_changed():
    old, new = ids_of("offline-384"), ids_of("offline-512")
    labels = carry.assign_clusters(words.make_labels({}), pd.Series([0, 0, 0, 1], index=old)).labels
    labels = words.name_cluster(words.name_cluster(labels, 0, "cat"), 1, "dog")
    labels = carry.assign_clusters(labels, pd.Series([0, 0, 0, 0], index=old)).labels
    assert labels["tags"].tolist() == ["", "", "", "was dog"]
    carried = carry.assign_clusters(labels, pd.Series([0, 0, 0, 1], index=new))
    assert carried.labels["name"].tolist() == ["cat", "cat", "cat", "dog"]
    assert not carried.labels["tags"].any()


def test_words_follow_only_to_the_same_video_scope_start_and_end():
    (old,) = ids_of("offline-384", count=1)
    labels = words.annotate_segment(words.make_labels({}), old, "mine")
    others = [
        *ids_of("offline-512", video="dog-0123456789", count=1),
        *ids_of("offline-512", scope="asset", count=1),
        ids_of("offline-512", count=2)[1],
        "s0",
    ]
    for other in others:
        found = words.tag_segments(labels, [other], "t").set_index("segment_id")
        assert found.loc[old, "note"] == "mine" and found.loc[other, "note"] == ""


def test_words_stay_where_both_segments_are_in_use_or_the_new_one_has_a_row():
    (old,), (new,) = ids_of("offline-384", count=1), ids_of("offline-512", count=1)
    labels = words.annotate_segment(words.make_labels({}), old, "mine")
    both = carry.assign_clusters(labels, pd.Series([0, 0], index=[old, new])).labels.set_index("segment_id")
    assert both.loc[old, "note"] == "mine" and both.loc[new, "note"] == ""
    again = words.tag_segments(both.reset_index(), [new], "t").set_index("segment_id")
    assert again.loc[old, "note"] == "mine" and again.loc[new, "note"] == ""


def test_words_of_another_segmentation_follow_where_the_moment_is_the_same():
    (old,) = ids_of("offline-512", segmentation="dynamic-4", count=1)
    fixed = ids_of("offline-512", count=2)
    labels = words.annotate_segment(words.make_labels({}), old, "mine")
    found = carry.assign_clusters(labels, pd.Series([0, 0], index=fixed)).labels
    assert found["segment_id"].tolist() == fixed and found["note"].tolist() == ["mine", ""]


def test_first_clusters_have_no_names_and_the_same_again_changes_nothing():
    labels = words.name_cluster(fresh(0, 1, -1), 1, "x")
    carried = carry.assign_clusters(labels, clusters_of(0, 1, -1))
    pd.testing.assert_frame_equal(carried.labels, labels)
    assert carried.unmatched == []
    labels, matched, unmatched = carry.assign_clusters(labels, pd.Series(dtype="int64"))
    assert matched.empty and unmatched == [] and labels["name"].tolist() == ["", "x", ""]


@pytest.mark.parametrize(
    ("clusters", "match"),
    [
        (pd.Series([0.5], index=["s0"]), "no whole number"),
        (pd.Series([1.0, np.nan], index=["s0", "s1"]), "no whole number"),
        (pd.Series([-2], index=["s0"]), "no whole number"),
        (pd.Series([True], index=["s0"]), "no whole number"),
        (pd.Series([0, 1], index=["s0", "s0"]), "twice"),
        (pd.Series([0, 1]), "index them by segment_id"),
    ],
)
def test_clusters_that_are_none_are_refused(clusters, match):
    with pytest.raises(AnalysisError, match=match) as error:
        carry.assign_clusters(fresh(0), clusters)
    assert one_sentence(error)


typed = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.sampled_from(NASTY)
rounds = st.lists(st.lists(st.integers(-2, 4), min_size=8, max_size=8), min_size=1, max_size=4)


def everything_typed(labels):
    found = {*labels["name"], *labels["note"]}  # space around names and tags is no word
    for tags in labels["tags"]:
        found |= {tag for part in words.split_tags(tags) for tag in (part, part.removeprefix("was "))}
    return found - {""}


@pytest.mark.slow
@settings(max_examples=25)  # of up to four re-clusterings each
@given(
    first=st.lists(st.integers(-1, 4), min_size=8, max_size=8),
    rounds=rounds,
    texts=st.lists(typed, min_size=7, max_size=7, unique_by=str.strip),
    order=st.permutations(range(5)),
)
def test_no_word_is_lost_names_are_on_one_cluster_and_numbers_do_not_matter(first, rounds, texts, order):
    labels = fresh(*first)
    for cluster in sorted(set(first) - {-1}):
        labels = words.name_cluster(labels, cluster, texts[cluster])
        assert texts[cluster].strip() in everything_typed(labels) | {""}
    labels = words.annotate_segment(labels, "s3", texts[5])
    labels = words.tag_segments(labels, ["s1", "s2"], texts[6].replace(";", ","))
    said = everything_typed(labels)
    for numbers in rounds:  # -2 stands for a segment that was not clustered this time
        clusters = clusters_of(*numbers)
        clusters = clusters[clusters > -2]
        carried = carry.assign_clusters(labels, clusters)
        renumbered = carry.assign_clusters(labels, clusters.replace({i: order[i] + 10 for i in range(5)}))
        assert names_of(carried.labels) == names_of(renumbered.labels)
        assert tags_of(carried.labels) == tags_of(renumbered.labels)
        assert carried.unmatched == renumbered.unmatched
        labels = carried.labels
        assert said <= everything_typed(labels)
        named = (
            labels[(labels["name"] != "") & (labels["cluster"] != -1)].groupby("name")["cluster"].nunique()
        )
        assert (named == 1).all()
        one_each = labels[labels["cluster"] != -1].groupby("cluster")["name"].nunique()
        assert (one_each == 1).all()
        assert set(carried.matched["name"]).isdisjoint(carried.unmatched)
        assert labels.set_index("segment_id")["cluster"].loc[clusters.index].tolist() == clusters.tolist()


@pytest.mark.slow
@settings(max_examples=25)
@given(tags=st.lists(typed, max_size=5))
def test_tags_go_in_and_come_out(tags):
    parts = [part.strip() for tag in tags for part in tag.split(";") if part.strip()]
    labels = words.tag_segments(fresh(0), ["s0"], *tags)
    labels = words.tag_segments(labels, ["s0"], *tags)
    assert tags_of(labels)["s0"] == list(dict.fromkeys(parts))


def test_words_go_to_segments_that_were_never_clustered():
    labels = words.tag_segments(fresh(0), ["s0", "new"], "a; b", "a")
    labels = words.annotate_segment(labels, "newer", "hm")
    assert labels["segment_id"].tolist() == ["s0", "new", "newer"]
    assert labels["cluster"].tolist() == [0, -1, -1]
    assert labels["tags"].tolist() == ["a; b", "a; b", ""]
    assert words.annotate_segment(labels, "newer", "")["note"].tolist() == ["", "", ""]
    with pytest.raises(AnalysisError, match="segment_id is empty"):
        words.annotate_segment(labels, "", "hm")


def test_a_name_is_for_one_real_cluster():
    labels = words.name_cluster(fresh(0, 1, -1), 0, "cats")
    with pytest.raises(AnalysisError, match="'cats' is that of cluster 0: use another"):
        words.name_cluster(labels, 1, "cats")
    for cluster in (-1, 7):
        with pytest.raises(
            AnalysisError, match=r"no cluster -?\d to name \(noise is none\): choose from 0, 1"
        ):
            words.name_cluster(labels, cluster, "owls")
    with pytest.raises(AnalysisError, match="call assign_clusters first"):
        words.name_cluster(fresh(), 0, "owls")
    assert words.name_cluster(labels, 0, "lions")["name"].tolist() == ["lions", "", ""]
    assert words.name_cluster(labels, 0, "")["name"].tolist() == ["", "", ""]
    assert labels["name"].tolist() == ["cats", "", ""]  # the table that went in is as it was


# ---------------------------------------------------------------- CSV


def read_csv(path):
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_times_words_and_one_row_per_segment(tmp_path):
    segments = make_segments(3, seconds=1234.5678)
    labels = words.name_cluster(fresh(0, 1), 1, "cats")
    labels = words.annotate_segment(words.tag_segments(labels, ["s1"], "a", "b"), "s1", "line 1\nline 2")
    path = tmp_path / "deep" / "labels.csv"
    assert analysis_exports.export_csv(segments, labels, path) == [path]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = read_csv(path)
    assert [row["segment_id"] for row in rows] == ["s0", "s1", "s2"]
    assert (rows[1]["start"], rows[1]["end"]) == ("00:20:34.568", "00:41:09.136")
    assert float(rows[1]["start_offset_sec"]) == 1234.5678
    assert [row["cluster"] for row in rows] == ["0", "1", "-1"]
    assert [rows[1][word] for word in ("name", "tags", "note")] == ["cats", "a; b", "line 1\nline 2"]
    assert not any(key.startswith("embedding_") for key in rows[0])


def test_csv_of_segments_that_another_model_embedded_has_the_words(tmp_path):
    (old,), (new,) = ids_of("offline-384", count=1), ids_of("offline-512", count=1)
    labels = words.annotate_segment(words.make_labels({}), old, "mine")
    table = pd.DataFrame(
        {"segment_id": [new], "video_id": "cat", "title": "Cat", "start_offset_sec": 0.0}
        | {"end_offset_sec": 6.0, "video_url": "cat.mp4", "cluster": -1}
    )
    (path,) = analysis_exports.export_csv(table, labels, tmp_path / "moments.csv")
    assert pd.read_csv(path)["note"].tolist() == ["mine"]


@pytest.mark.slow
def test_csv_runs_nothing_and_loses_nothing(tmp_path):
    segments, labels = make_segments(len(NASTY), title="=HYPERLINK(0)"), fresh(*range(len(NASTY)))
    for i, text in enumerate(NASTY):
        labels = words.annotate_segment(words.name_cluster(labels, i, text), f"s{i}", text)
    (path,) = analysis_exports.export_csv(segments, labels, tmp_path / "x.csv")
    rows = read_csv(path)
    assert rows[0]["title"] == "'=HYPERLINK(0)"
    for row, text in zip(rows, NASTY, strict=True):
        for word in ("name", "note"):
            assert not re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", row[word])
            exact = row[word][1:] if re.match(r"'+(\s*[=+\-@＝＋－＠]|[\t\r\n])", row[word]) else row[word]
            assert exact == (text if word == "note" else text.strip())


# ---------------------------------------------------------------- WebVTT chapters


def test_chapters_merge_neighbours_and_name_noise_other(tmp_path):
    segments = pd.concat(
        [make_segments(6), make_segments(2, video="dog-9876543210", title="Dog", first=6)], ignore_index=True
    ).sample(frac=1, random_state=1)
    labels = words.name_cluster(fresh(0, 0, 3, -1, -1, 0, 3, 3), 0, "cats")
    paths = analysis_exports.export_chapters(segments, labels, tmp_path)
    assert sorted(path.name for path in paths) == ["Cat-012345.chapters.vtt", "Dog-987654.chapters.vtt"]
    assert chapters_in(tmp_path / "Cat-012345.chapters.vtt") == [
        ("00:00:00.000", "00:00:12.000", "cats"),
        ("00:00:12.000", "00:00:18.000", "cluster 3"),
        ("00:00:18.000", "00:00:30.000", "other"),
        ("00:00:30.000", "00:00:36.000", "cats"),
    ]
    assert chapters_in(tmp_path / "Dog-987654.chapters.vtt") == [
        ("00:00:00.000", "00:00:12.000", "cluster 3")
    ]


def test_chapters_of_gaps_overlaps_whole_videos_and_unlabelled_segments(tmp_path):
    segments = make_segments(4).assign(cluster=[2, 2, 5, 5])
    segments["start_offset_sec"] = [0.0, 6.4, 20.0, 22.0]
    segments["end_offset_sec"] = [6.0, 12.4, 26.0, 3700.25]
    whole = segments.iloc[:1].assign(segment_id="w", embedding_scope="asset", end_offset_sec=4000.0)
    segments = pd.concat([segments, whole], ignore_index=True)
    (path,) = analysis_exports.export_chapters(segments, words.read_labels(tmp_path / "none"), tmp_path)
    assert chapters_in(path) == [
        ("00:00:00.000", "00:00:12.400", "cluster 2"),
        ("00:00:20.000", "01:01:40.250", "cluster 5"),
    ]
    (path,) = analysis_exports.export_chapters(segments.assign(cluster=[0, 1, 2, 3, -1]), fresh(), tmp_path)
    times = [(start, end) for start, end, _ in chapters_in(path)]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
    assert len(times) == 4


def test_a_clip_within_another_neither_shortens_nor_leaves_an_empty_chapter(tmp_path):
    def chapters(*clips):
        segments = make_segments(len(clips))
        segments[["start_offset_sec", "end_offset_sec", "cluster"]] = clips
        (path,) = analysis_exports.export_chapters(segments.astype({"cluster": int}), fresh(), tmp_path)
        return chapters_in(path)

    assert chapters((0.0, 30.0, 1), (6.0, 12.0, 1), (30.5, 36.0, 1)) == [
        ("00:00:00.000", "00:00:36.000", "cluster 1")
    ]
    assert chapters((0.0, 30.0, 1), (6.0, 12.0, 1)) == [("00:00:00.000", "00:00:30.000", "cluster 1")]
    assert chapters((0.0, 6.0, 1), (0.0, 12.0, 2), (12.0, 12.0, 3)) == [
        ("00:00:00.000", "00:00:12.000", "cluster 2")
    ]


@pytest.mark.parametrize("text", NASTY)
def test_no_name_breaks_a_chapter_file(tmp_path, text):
    labels = words.name_cluster(fresh(0, 1, 0), 0, text)
    (path,) = analysis_exports.export_chapters(make_segments(3), labels, tmp_path)
    found = chapters_in(path)
    shown = " ".join(text.replace("\0", "\ufffd").split())
    assert [cue[2] for cue in found] == [shown, "cluster 1", shown]
    content = path.read_bytes().decode()
    assert content.count("-->") == 3 and "<" not in content and "\0" not in content
    assert len(webvtt.read(str(path), strict=True).captions[0].lines) == 1


@pytest.mark.slow
@settings(max_examples=25)
@given(text=typed)
def test_any_name_reads_back_from_a_chapter_file(tmp_path_factory, text):
    folder = tmp_path_factory.getbasetemp() / "any-name"
    (path,) = analysis_exports.export_chapters(
        make_segments(2), words.name_cluster(fresh(0, 1), 0, text), folder
    )
    shown = " ".join(text.replace("\0", "\ufffd").split())
    assert [cue[2] for cue in chapters_in(path)] == [shown or "cluster 0", "cluster 1"]


# ---------------------------------------------------------------- file names


TITLES = [
    "../../x",
    "CON",
    "con.txt",
    "LPT1 .x",
    "a/b\\c:d",
    "",
    "...",
    "é" * 300,
    "👩‍👩‍👧" * 99,
    "-rf",
    "nul\0",
    "x\n",
]
TITLES += ["C:\\x", "~", ".hidden", "a" * 300, "\u202egpj", "trail. ", '*?<>|"', "aux", "COM¹"]


def test_file_names_are_safe_everywhere_and_stay_in_the_folder(tmp_path):
    folder = tmp_path / "in" / "here"
    segments = pd.concat(
        [make_segments(1, video=f"v{i}/../..", title=title, first=i) for i, title in enumerate(TITLES)]
    )
    paths = analysis_exports.export_chapters(segments, fresh(), folder)
    assert len({path.name.casefold() for path in paths}) == len(TITLES) == len(os.listdir(folder))
    assert os.listdir(tmp_path) == ["in"] and os.listdir(tmp_path / "in") == ["here"]
    for path in paths:
        assert path.parent == folder
        assert len(path.name.encode()) <= 255
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f\u202e]', path.name)
        assert not re.match(r"(con|prn|aux|nul|com[1-9¹]|lpt[1-9]) *\.", path.name.casefold())
        assert path.name[0] not in " .-~" or path.name.startswith("~")


def test_two_videos_of_one_title_never_share_a_file(tmp_path):
    segments = [make_segments(1, video=f"own-{i:010x}", first=i) for i in (0xAAAAAAAAAA, 0xBBBBBBBBBB)]
    first = analysis_exports.export_chapters(
        segments[0], fresh(), tmp_path
    )  # one after the other, and together
    second = analysis_exports.export_chapters(segments[1], fresh(), tmp_path)
    assert first != second
    assert analysis_exports.export_chapters(pd.concat(segments), fresh(), tmp_path) == first + second


# ---------------------------------------------------------------- clips


@pytest.fixture(scope="module")
def cat():
    return sample_videos().set_index("title").loc["Chelsea the cat"]


def cat_clips(cat, n=2):
    return make_segments(n, video=cat["video_id"], title="Chelsea", url=cat["video_url"], seconds=1.0)


@pytest.mark.slow
def test_clips_carry_title_time_and_cluster_and_replace_old_ones(tmp_path, cat):
    labels = words.name_cluster(fresh(0, 1), 0, "cats: <all>")
    names = ["Chelsea-f3b978 00-00-00.000_00-00-01.000 cats_ _all_.mp4"]
    names += ["Chelsea-f3b978 00-00-01.000_00-00-02.000 cluster 1.mp4"]
    (tmp_path / names[0]).write_text("old")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paths = analysis_exports.export_clips(cat_clips(cat), tmp_path, labels=labels)
    assert [path.name for path in paths] == names
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    assert all(probe(path).duration == pytest.approx(1, abs=0.2) for path in paths)


def test_a_video_that_has_moved_does_not_stop_the_rest(tmp_path, cat):
    shutil.copy(ROOT / cat["video_url"], tmp_path / "broken.mp4")
    os.truncate(tmp_path / "broken.mp4", 500)
    gone = make_segments(2, video="gone-0123456789", title="Gone", url=str(tmp_path / "gone.mp4"), first=5)
    broken = make_segments(1, video="b", title="Broken", url=str(tmp_path / "broken.mp4"), first=7)
    web = make_segments(1, video="w", title="Web", url="https://example.com/a.mp4", first=8)
    segments = pd.concat([broken, web, gone, cat_clips(cat).assign(cluster=4)])
    with pytest.warns(
        UserWarning, match=r"^4 of 6 clips were not cut \(of broken.*a\.mp4.*gone\.mp4\): .*relink"
    ) as seen:
        paths = analysis_exports.export_clips(segments, tmp_path / "out")
    assert len(seen) == 1
    assert [path.name.split()[-2:] for path in paths] == [["cluster", "4.mp4"]] * 2
    with pytest.raises(AnalysisError, match="2 of 2 clips were not cut.*relink") as error:
        analysis_exports.export_clips(gone, tmp_path / "out")
    assert one_sentence(error)
    assert len(analysis_exports.export_chapters(gone, fresh(), tmp_path / "out")) == 1  # needs no video file


def test_nothing_selected_or_no_table_of_segments_is_one_sentence(tmp_path):
    for table, match in (
        (make_segments(1).head(0), "no segment to export"),
        (pd.DataFrame({"a": [1]}), "lack the"),
    ):
        for act in (
            lambda t: analysis_exports.export_csv(t, fresh(), tmp_path / "x.csv"),
            lambda t: analysis_exports.export_chapters(t, fresh(), tmp_path),
            lambda t: analysis_exports.export_clips(t, tmp_path),
        ):
            with pytest.raises(AnalysisError, match=match) as error:
                act(table)
            assert one_sentence(error)
    assert os.listdir(tmp_path) == []
