"""Measures against numbers worked out by hand, scikit-learn and counting; baselines; ground truth."""

import hashlib
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from helpers.errors import DataError, SearchError
from helpers.search.evaluation import (
    bm25_ranking,
    dcg_at_k,
    evaluate,
    expected_at_random,
    load_ground_truth,
    mark_right,
    ndcg_at_k,
    recall_at_k,
    reciprocal_rank,
    relevance,
    summarise,
    temporal_iou,
    video_name,
)
from helpers.search.stems import content_words, shares_content_word

STEADY = settings(deadline=None, derandomize=True)  # the same examples each time, on a slow machine too
grade_lists = st.lists(st.integers(0, 2), min_size=2, max_size=30)


def corpus(*, clips_per_video: int = 5) -> pd.DataFrame:
    """Two videos of 6 s clips, and one row for each whole video."""
    rows = []
    for video in ("cat", "coffee"):
        spans = [("clip", 6.0 * i, 6.0 * i + 6) for i in range(clips_per_video)]
        for scope, start, end in [*spans, ("asset", 0.0, 6.0 * clips_per_video)]:
            rows.append(
                {
                    "segment_id": f"{video}-{scope}-{start:03.0f}",
                    "video_id": video,
                    "title": video.title(),
                    "video_url": f"data/videos/{video}.mp4",
                    "embedding_scope": scope,
                    "start_offset_sec": start,
                    "end_offset_sec": end,
                    "description": f"The {video} in scene {start / 6:.0f}.",
                }
            )
    return pd.DataFrame(rows)


def truth_of(*spans: tuple[str, str, str, float, float, int]) -> pd.DataFrame:
    columns = ["query_id", "query", "video", "start_offset_sec", "end_offset_sec", "relevance"]
    return pd.DataFrame(spans, columns=columns)


TRUTH = truth_of(
    ("q1", "green eyes", "cat", 6.0, 13.0, 2),  # holds the midpoint 9
    ("q1", "green eyes", "cat", 12.0, 24.0, 1),  # holds 15 and 21
    ("q2", "a hot drink, a coffee", "coffee", 0.0, 12.0, 2),  # holds 3 and 9
    ("q3", "no midpoint inside", "coffee", 10.0, 14.0, 2),
    ("n1", "a scuba diver", "", math.nan, math.nan, 0),
)


def clips_at(video: str, *starts: float) -> pd.DataFrame:
    clips = corpus()
    clips = clips[(clips["embedding_scope"] == "clip") & (clips["video_id"] == video)]
    return clips.set_index("start_offset_sec", drop=False).loc[list(starts)].reset_index(drop=True)


# ---------------------------------------------------------------- ground truth


def test_the_ground_truth_is_typed_and_each_video_exists():
    truth = load_ground_truth()
    assert list(truth) == ["query_id", "query", "video", "start_offset_sec", "end_offset_sec", "relevance"]
    answered = truth[truth["video"] != ""]
    assert set(answered["relevance"]) == {1, 2}
    assert (answered["end_offset_sec"] - answered["start_offset_sec"]).between(0.1, 15).all()
    unanswered = truth[truth["video"] == ""]
    assert len(unanswered) >= 3
    assert unanswered["start_offset_sec"].isna().all() and (unanswered["relevance"] == 0).all()
    assert truth["query_id"].nunique() >= 40


def test_a_changed_or_missing_ground_truth_is_refused(tmp_path):
    file = tmp_path / "truth.csv"
    file.write_text("query_id,query,video,start_offset_sec,end_offset_sec,relevance\nq1,cat,cat,0,6,2\n")
    with pytest.raises(DataError, match=r"truth.csv.sha256 is missing"):
        load_ground_truth(file)
    file.with_name("truth.csv.sha256").write_text(
        hashlib.sha256(file.read_bytes()).hexdigest() + "  truth.csv\n"
    )
    assert load_ground_truth(file)["relevance"].tolist() == [2]
    file.write_text(file.read_text().replace("0,6,2", "0,9,2"))
    with pytest.raises(DataError, match=r"truth.csv is not the file that was published"):
        load_ground_truth(file)
    with pytest.raises(DataError, match=r"nowhere.csv is missing"):
        load_ground_truth(tmp_path / "nowhere.csv")


# ---------------------------------------------------------------- relevance


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("data/videos/cat.mp4", "cat"),
        ("/home/ada/My films/cat.v2.mov", "cat.v2"),
        (r"C:\films\cat.mp4", "cat"),
        ("https://example.org/a%20b/big%20cat.mp4?x=1/2#t=3", "big cat"),
    ],
)
def test_video_name_is_the_stem(url, name):
    assert video_name(url) == name


def test_a_clip_counts_by_its_midpoint_and_takes_the_best_grade():
    spans = TRUTH[TRUTH["query_id"] == "q1"]
    assert relevance(clips_at("cat", 0, 6, 12, 18, 24), spans).tolist() == [0, 2, 1, 1, 0]
    assert relevance(clips_at("coffee", 0, 6), spans).tolist() == [0, 0]
    edge = truth_of(("q", "x", "cat", 3.0, 9.0, 1), ("q", "x", "cat", 9.0, 9.5, 2))
    assert relevance(clips_at("cat", 0, 6), edge).tolist() == [1, 2]
    assert relevance(clips_at("cat"), spans).tolist() == []
    assert relevance(clips_at("cat", 0), spans.head(0)).tolist() == [0]


# ---------------------------------------------------------------- the measures


def test_measures_by_hand():
    grades = np.array([0, 1, 2, 0])
    assert [recall_at_k(grades, k) for k in (1, 2, 3, 9)] == [0, 0, 1, 1]
    assert reciprocal_rank(grades) == 1 / 3
    assert reciprocal_rank(np.array([1, 1])) == 0 == reciprocal_rank(np.array([], dtype=int))
    dcg = 1 / math.log2(3) + 3 / math.log2(4)
    best = 3 / 1 + 1 / math.log2(3)
    assert dcg_at_k(grades, 10) == pytest.approx(dcg)
    assert dcg_at_k(grades, 2) == pytest.approx(1 / math.log2(3))
    assert ndcg_at_k(grades, grades) == pytest.approx(dcg / best)
    assert ndcg_at_k(np.array([0, 0]), np.array([0, 0])) == 0


@pytest.mark.slow
@STEADY
@given(grade_lists, st.integers(1, 12))
def test_ndcg_is_scikit_learns(grades, k):
    gains = 2.0 ** np.array(grades) - 1
    order = -np.arange(len(grades), dtype=float)  # the hits stand in this order
    expected = ndcg_score([gains], [order], k=k, ignore_ties=True)
    assert ndcg_at_k(np.array(grades), np.array(grades), k) == pytest.approx(expected)


@pytest.mark.slow
@STEADY
@given(grade_lists, st.integers(1, 12))
def test_measures_stay_within_bounds_and_the_best_order_is_best(grades, k):
    given_order, best_order = np.array(grades), np.sort(grades)[::-1]
    assert 0 <= ndcg_at_k(given_order, given_order, k) <= 1 + 1e-9
    assert ndcg_at_k(best_order, given_order, k) == pytest.approx(float(any(grades)))
    assert recall_at_k(given_order, k) <= recall_at_k(given_order, k + 1)
    assert (reciprocal_rank(given_order) >= 1 / k) == bool(recall_at_k(given_order, k))


def test_temporal_iou_by_hand_and_by_array():
    assert temporal_iou(0, 10, 5, 15) == pytest.approx(1 / 3)
    assert temporal_iou([0, 0, 0], [6, 6, 6], [6, 0, 2], [12, 6, 5]).tolist() == [0, 1, 0.5]
    assert temporal_iou(3, 3, 3, 3) == 0


@STEADY
@given(*[st.integers(0, 20)] * 4)
def test_temporal_iou_counts_seconds(a, a_length, b, b_length):
    first, second = set(range(a, a + a_length)), set(range(b, b + b_length))
    expected = len(first & second) / len(first | second) if first | second else 0
    assert temporal_iou(a, a + a_length, b, b + b_length) == pytest.approx(expected)


# ---------------------------------------------------------------- over all queries


def test_evaluate_leaves_out_queries_without_answer_and_counts_a_miss():
    rankings = {
        "q1": clips_at("cat", 12, 6),
        "q2": clips_at("coffee", 6, 24, 0),
        "q3": clips_at("coffee", 6, 12),
    }
    rows = evaluate(rankings, TRUTH, segments=corpus()).set_index("query_id")
    assert list(rows.index) == ["q1", "q2", "q3"]
    assert rows["recall@1"].tolist() == [0, 1, 0] and rows["recall@5"].tolist() == [1, 1, 0]
    assert rows["rr"].tolist() == [0.5, 1, 0]
    best_q1 = 3 + 1 / math.log2(3) + 1 / math.log2(4)  # the corpus holds one clip of grade 2, two of grade 1
    assert rows.at["q1", "ndcg@10"] == pytest.approx((1 + 3 / math.log2(3)) / best_q1)
    assert rows.at["q2", "ndcg@10"] == pytest.approx((3 + 3 / 2) / (3 + 3 / math.log2(3)))
    assert rows["reachable"].tolist() == [True, True, False]
    assert rows["shares_word"].tolist() == [False, True, False]
    lost = evaluate(rankings, TRUTH.replace("no midpoint inside", "scene of coffee"), segments=corpus())
    assert lost["shares_word"].tolist() == [False, True, True]  # told by the span, reachable or not

    table = summarise({"mine": rows, "the reachable": rows[rows["reachable"]]})
    assert list(table) == ["queries", "recall@1", "recall@5", "MRR", "nDCG@10"]
    assert table["queries"].tolist() == [3, 2]
    assert table["MRR"].tolist() == [0.5, 0.75]


def test_a_forgotten_query_is_named():
    with pytest.raises(SearchError, match="no ranking for query q2"):
        evaluate({"q1": clips_at("cat", 0)}, TRUTH, segments=corpus())


# ---------------------------------------------------------------- baselines


@pytest.mark.slow
def test_expected_at_random_is_the_mean_over_all_orders():
    few = corpus(clips_per_video=3).drop(index=6)  # 5 clips: 120 orders
    clips = few[few["embedding_scope"] == "clip"]
    orders = [
        evaluate({q: clips.iloc[list(order)] for q in ("q1", "q2", "q3")}, TRUTH, segments=few)
        for order in itertools.permutations(range(5))
    ]
    columns = ["recall@1", "recall@5", "rr", "ndcg@10"]
    mean = sum(frame[columns] for frame in orders) / len(orders)
    exact = expected_at_random(TRUTH, segments=few)
    np.testing.assert_allclose(exact[columns], mean)
    assert list(exact) == list(orders[0])


def test_bm25_by_hand():
    segments = corpus(clips_per_video=2)
    segments.loc[segments["embedding_scope"] == "clip", "description"] = [
        "A green cat, a green eye",  # 6 words
        "a cat",
        "coffee",
        "",
    ]
    truth = truth_of(
        ("q1", "GREEN cat!", "cat", 0, 6, 2), ("q2", "zebra", "cat", 0, 6, 2), ("n1", "coffee", "", 0, 0, 0)
    )
    hits = bm25_ranking(segments, truth)
    assert hits["q1"]["segment_id"].tolist() == ["cat-clip-000", "cat-clip-006"]
    mean_length = (6 + 2 + 1 + 0) / 4

    def weight(tf, n, length):
        idf = math.log(1 + (4 - n + 0.5) / (n + 0.5))
        return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / mean_length))

    expected = [weight(2, 1, 6) + weight(1, 2, 6), weight(1, 2, 2)]
    assert hits["q1"]["score"].tolist() == pytest.approx(expected)
    assert hits["q2"].empty and list(hits["q2"]) == list(hits["q1"])
    assert hits["n1"]["title"].tolist() == ["Coffee"]


def test_bm25_breaks_ties_by_id_and_needs_words():
    segments = corpus()
    hits = bm25_ranking(segments.iloc[::-1], TRUTH, limit=4)["q2"]
    assert hits["segment_id"].tolist() == [f"coffee-clip-{s:03d}" for s in (0, 6, 12, 18)]
    with pytest.raises(SearchError, match="No segment has a description"):
        bm25_ranking(segments.assign(description=""), TRUTH)


def test_a_hit_is_marked_right_where_its_midpoint_lies_in_an_exact_span():
    clips = corpus().query("embedding_scope == 'clip'")
    spans = truth_of(("q", "a cat", "cat", 8.0, 10.0, 2), ("q", "a cat", "cat", 12.0, 18.0, 1))
    marked = mark_right(clips, spans)
    assert marked.loc[marked["right"], "segment_id"].tolist() == ["cat-clip-006"]
    assert not mark_right(clips, spans.head(0))["right"].any(), "a query that nobody has answered"
    assert "right" not in clips
    with pytest.raises(SearchError, match="rows of several queries"):
        mark_right(clips, truth_of(("q", "a cat", "cat", 0, 6, 2), ("r", "a cup", "coffee", 0, 6, 2)))


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("query", "text", "shared"),
    [
        ("juggling during the credits", "He juggles three nuts", True),
        ("a juggler", "He juggles three nuts", False),  # a light rule
        ("skip", "skipping rope", True),
        ("the berries", "one berry", True),
        ("two glasses", "a glass", True),
        ("the rabbit's ears", "a rabbit", True),
        ("smiling woman", "a person smiles", True),
        ("with the and of", "with the and of", False),
        ("a red wing", "a ring", False),
        ("", "a ring", False),
    ],
)
def test_shares_content_word(query, text, shared):
    assert shares_content_word(query, text) is shared
    assert shares_content_word(text, query) is shared


def test_a_cue_is_told_by_the_seconds_it_shares():
    def is_told(words: str, *spans: tuple[str, float, float, int]) -> bool:
        truth = truth_of(*(("q", words, *span) for span in spans))
        return evaluate({"q": clips_at("cat", 0)}, truth, segments=corpus())["shares_word"].item()

    spans = [("cat", 5.5, 13.5, 2), ("cat", 0.0, 6.0, 1), ("coffee", 11.0, 12.0, 2)]
    assert [n for n in range(5) if is_told(f"{n}", *spans)] == [1, 2]
    assert is_told("coffee", *spans) and not is_told("coffee", *spans[:2])


def test_content_words_have_no_stop_words():
    assert content_words("The rabbit's been chasing butterflies") == {"rabbit", "chas", "butterfly"}
