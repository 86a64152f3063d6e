"""Questions of one's own: kept in a file, read from a spreadsheet, and measured as the ground truth is."""

from pathlib import Path

import pandas as pd
import pytest

from helpers import VideoSearchError, evaluate, own_questions
from tests.search.test_evaluation import clips_at, corpus

SEGMENTS = corpus()  # the videos cat and coffee, five clips of 6 s each


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "questions.csv"


def answers(truth: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = ["query", "video", "start_offset_sec", "end_offset_sec", "relevance"]
    return list(truth[columns].itertuples(index=False, name=None))


def test_questions_are_kept_and_a_new_one_replaces_only_its_own_words(file: Path) -> None:
    assert own_questions(file, SEGMENTS).empty and not file.exists()
    own_questions(
        file, SEGMENTS, add=[("a nose, pink", "Cat", "0:00", "0:06"), ("foam", "coffee.mp4", 6, 12)]
    )
    own_questions(file, SEGMENTS, add=[("a nose, pink", "cat", 12, 18), ("a nose, pink", "cat", 24, 30)])
    kept = own_questions(file, SEGMENTS)
    assert answers(kept) == [
        ("foam", "coffee", 6.0, 12.0, 2),
        ("a nose, pink", "cat", 12.0, 18.0, 2),
        ("a nose, pink", "cat", 24.0, 30.0, 2),
    ]
    assert kept["query_id"].tolist() == ["q1", "q2", "q2"]


def test_a_question_that_no_video_answers_is_kept_and_not_measured(file: Path) -> None:
    truth = own_questions(file, SEGMENTS, add=[("a scuba diver",), ("a cup", "coffee", 0, 6)])
    measured = evaluate({"q2": clips_at("coffee", 0.0)}, truth, segments=SEGMENTS)
    assert measured[["query", "recall@1"]].values.tolist() == [["a cup", 1.0]]


def test_videos_of_the_same_file_name_are_told_apart_by_their_id(file: Path) -> None:
    moved = SEGMENTS.assign(video_url=[f"{video}/GOPR1.mp4" for video in SEGMENTS["video_id"]])
    with pytest.raises(VideoSearchError, match=r"2 videos are called 'GOPR1'.*cat, coffee"):
        own_questions(file, moved, add=[("a nose", "GOPR1", 0, 6)])
    truth = own_questions(file, moved, add=[("a nose", "cat", 0, 6)])
    hits = moved[(moved["embedding_scope"] == "clip") & (moved["start_offset_sec"] == 0)]
    for video, recall in (("cat", 1.0), ("coffee", 0.0)):
        measured = evaluate({"q1": hits[hits["video_id"] == video]}, truth, segments=moved)
        assert measured["recall@1"].tolist() == [recall]


def test_a_stretch_between_two_middles_counts_for_the_clip_that_it_is_in(file: Path) -> None:
    truth = own_questions(file, SEGMENTS, add=[("a blink", "cat", 7, 8)])
    assert answers(truth) == [("a blink", "cat", 7.0, 9.0, 2)]
    assert evaluate({"q1": clips_at("cat", 6.0)}, truth, segments=SEGMENTS)["recall@1"].tolist() == [1.0]


def test_a_file_from_a_spreadsheet_is_read(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("\ufeffQuery;Video;Start;End\r\na nose;cat;0:06;0:12\r\n;;;\r\n", "utf-8")
    assert answers(own_questions(file, SEGMENTS)) == [("a nose", "cat", 6.0, 12.0, 2)]


def test_a_line_whose_video_is_gone_is_left_out_and_stays_in_the_file(file: Path) -> None:
    own_questions(file, SEGMENTS, add=[("a nose", "cat", 0, 6), ("foam", "coffee", 6, 12)])
    left = SEGMENTS[SEGMENTS["video_id"] == "coffee"]
    with pytest.warns(UserWarning, match=r"^questions.csv, line 2: 'cat' is not among these videos"):
        assert answers(own_questions(file, left)) == [("foam", "coffee", 6.0, 12.0, 2)]
    assert len(own_questions(file, SEGMENTS)) == 2


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("a nose", "dog", 0, 6), r"question 1: there is no video called 'dog': write one of Cat, Coffee"),
        (("a nose", "cat", "soon", 6), r"question 1: 'soon' is no time: write seconds, or minutes as 1:30"),
        (("a nose", "cat", 6, 6), r"question 1: from 6 to 6 is no stretch of cat: it has 30 s"),
        (("a nose", "cat", "0:40", "0:50"), r"question 1: from 0:40 to 0:50 is no stretch of cat"),
        (("", "cat", 0, 6), r"question 1: there is no question: write a few words"),
        (("a nose", None, 0, 6), r"A question is .*: give \(query, video, start, end\)"),
    ],
)
def test_a_bad_question_has_one_sentence_and_nothing_is_written(
    file: Path, row: tuple[object, ...], sentence: str
) -> None:
    with pytest.raises(VideoSearchError, match=sentence):
        own_questions(file, SEGMENTS, add=[row])
    assert not file.exists()


def test_no_questions_give_a_table_without_rows(file: Path) -> None:
    measured = evaluate({}, own_questions(file, SEGMENTS), segments=SEGMENTS)
    assert measured.empty and {"query", "rr", "recall@5"} <= set(measured)
