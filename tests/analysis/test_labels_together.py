"""Two notebooks that write one file of labels at the same moment, one that is killed, and tags that are taken away."""

import os
import signal
from pathlib import Path

import pytest
from filelock import FileLock

from helpers.analysis import labels as module
from helpers.analysis.labels import (
    annotate_segment,
    change_labels,
    make_labels,
    name_cluster,
    read_labels,
    split_tags,
    tag_segments,
    untag_segments,
    write_labels,
)
from helpers.analysis.moves import move_segments
from helpers.errors import AnalysisError
from tools.faults.children import child, forkserver, in_child

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
EACH = 12  # changes by each process


def write_many(path: Path, who: str, start: object) -> None:
    start.wait(60)  # type: ignore[attr-defined]
    for number in range(EACH):
        tag = f"{who}{number}"
        change_labels(path, lambda labels, tag=tag: tag_segments(labels, ["both", f"of {who}"], tag))
        change_labels(path, lambda labels, tag=tag: annotate_segment(labels, tag, who))
        change_labels(path, lambda labels, tag=tag: move_segments(labels, [tag]))


@pytest.mark.slow
@needs_fork
def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "new folder" / "labels.parquet"
    start = forkserver().Barrier(2)
    writers = [child(write_many, path, who, start) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    stored = read_labels(path).set_index("segment_id")
    each = stored.drop(index=["both", "of a", "of b"])
    assert each["note"].to_dict() == {f"{who}{number}": who for who in "ab" for number in range(EACH)}
    assert sorted(each["moved"]) == sorted(f"own {n + 1}" for n in range(2 * EACH)), (
        "each a cluster of its own"
    )
    tags = stored["tags"].drop(index=each.index).map(split_tags).map(set)
    own = {who: {f"{who}{number}" for number in range(EACH)} for who in "ab"}
    assert tags.to_dict() == {"both": own["a"] | own["b"], "of a": own["a"], "of b": own["b"]}


def write_and_die(path: Path, labels: object) -> None:
    os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    write_labels(path, labels)


@pytest.mark.slow
@needs_fork
def test_a_kill_before_the_last_moment_leaves_the_old_file(tmp_path):
    path = tmp_path / "labels.parquet"
    old = name_cluster(make_labels({"segment_id": ["a", "b"], "cluster": [0, 1]}), 0, "old")
    write_labels(path, old)
    new = name_cluster(old, 0, "new")
    assert in_child(write_and_die, path, new) == "killed"
    assert read_labels(path)["name"].tolist() == ["old", ""]
    write_labels(path, new)
    assert read_labels(path)["name"].tolist() == ["new", ""]


def test_a_change_gets_what_is_in_the_file_and_gives_what_it_wrote(tmp_path):
    path = tmp_path / "labels.parquet"
    write_labels(path, make_labels({"segment_id": ["a"], "note": ["first"]}))
    new = change_labels(path, lambda labels: annotate_segment(labels, "b", labels["note"][0]))
    assert new.equals(read_labels(path)) and new["note"].tolist() == ["first", "first"]


def test_a_change_that_fails_leaves_the_file_and_lets_others_write(tmp_path):
    path = tmp_path / "labels.parquet"
    write_labels(path, make_labels({"segment_id": ["a"]}))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        change_labels(path, lambda labels: 1 / 0)
    with pytest.raises(AnalysisError, match="labels"):
        change_labels(path, lambda labels: "no table")
    assert path.read_bytes() == before
    write_labels(path, make_labels({"segment_id": ["b"]}))
    with pytest.raises(AnalysisError, match="The change is a str: give a function"):
        change_labels(path, "nothing to call")


def test_a_file_that_another_notebook_holds_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    path = tmp_path / "labels.parquet"
    with (
        FileLock(tmp_path / ".labels.parquet.lock"),
        pytest.raises(AnalysisError, match="Another notebook has been writing"),
    ):
        write_labels(path, make_labels({"segment_id": ["a"]}))
    assert not path.exists()


def test_tags_are_taken_as_they_are_given():
    labels = tag_segments(make_labels({"segment_id": ["a", "b"]}), ["a", "b"], "x; y")
    after = untag_segments(labels, ["a", "unknown"], "y; z")
    assert after["tags"].tolist() == ["x", "x; y"] and labels["tags"].tolist() == ["x; y", "x; y"]
    assert untag_segments(after, ["a"], "x")["tags"].tolist() == ["", "x; y"]
