"""Moments in time: never overlapping, inside their video, around their best hit; sequences that are the best ones."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.errors import SearchError
from helpers.search import moments

few = settings(max_examples=40)
COLUMNS = [
    *("rank", "score", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url", "clips"),
    *("best_segment_id", "best_score", "best_start_offset_sec", "best_end_offset_sec"),
]


def make_hits(*videos, seconds=6.0, order=True):
    """Hits of one or more videos, each a list of scores, one per clip of `seconds`; None is a clip not found."""
    rows = []
    for number, scores in enumerate(videos):
        for i, score in enumerate(scores):
            if score is not None:
                row = {"score": score, "segment_id": f"v{number}/{i:03}", "video_id": f"v{number}"}
                row |= {"title": f"Film {number}", "video_url": f"data/videos/v{number}.mp4"}
                row |= {"start_offset_sec": i * seconds, "end_offset_sec": (i + 1) * seconds}
                rows.append(row | {"embedding_scope": "clip"})
    hits = pd.DataFrame(rows)
    if order:
        hits = hits.sort_values(["score", "segment_id"], ascending=[False, True], ignore_index=True)
    hits.insert(0, "rank", range(1, len(hits) + 1))
    return hits


def spans(found):
    return list(zip(found["start_offset_sec"], found["end_offset_sec"], strict=True))


scores = st.lists(
    st.one_of(st.none(), st.floats(-1, 1, allow_nan=False), st.sampled_from([0.2, 0.5])),
    min_size=1,
    max_size=15,
)
films = st.lists(scores, min_size=1, max_size=3).filter(lambda v: any(s is not None for x in v for s in x))


# Moments


@pytest.mark.slow
@few
@given(
    videos=films,
    gap=st.sampled_from([0, 1, 6, 20, math.inf]),
    keep=st.sampled_from([0, 0.3, 0.9, 1]),
    smooth=st.sampled_from([0, 3, 10]),
)
def test_moments_never_overlap_lie_inside_and_hold_their_best_hit(videos, gap, keep, smooth):
    hits = make_hits(*videos)
    found = moments.find_moments(hits, gap=gap, keep=keep, smooth=smooth, limit=None)
    assert list(found) == COLUMNS and list(found["rank"]) == list(range(1, len(found) + 1))
    assert (np.diff(found["score"]) <= 1e-8).all()
    for _, own in found.groupby("video_id"):
        times = sorted(spans(own))
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(times))
    for moment in found.itertuples():
        own = hits[hits["video_id"] == moment.video_id]
        assert own["start_offset_sec"].min() <= moment.start_offset_sec < moment.end_offset_sec
        assert moment.end_offset_sec <= own["end_offset_sec"].max()
        assert moment.start_offset_sec in set(own["start_offset_sec"])
        assert moment.end_offset_sec in set(own["end_offset_sec"])
        inside = own[
            (own["start_offset_sec"] >= moment.start_offset_sec)
            & (own["end_offset_sec"] <= moment.end_offset_sec)
        ]
        best = inside[inside["segment_id"] == moment.best_segment_id].iloc[0]
        assert len(inside) == moment.clips
        assert best["score"] == moment.best_score == inside["score"].max()
        assert best["start_offset_sec"] == moment.best_start_offset_sec
        assert smooth or moment.score == moment.best_score
    assert found["clips"].sum() == len(hits)  # with no limit, each clip lies in one moment
    if not smooth:
        assert found["best_segment_id"][0] in set(
            hits.loc[hits["score"] == hits["score"].max(), "segment_id"]
        )


@pytest.mark.slow
@few
@given(videos=films, seed=st.integers(0, 99))
def test_moments_do_not_depend_on_the_order_of_the_hits(videos, seed):
    hits = make_hits(*videos)
    shuffled = hits.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(
        moments.find_moments(hits, smooth=5), moments.find_moments(shuffled, smooth=5)
    )


@pytest.mark.slow
@few
@given(videos=films, shift=st.floats(-3, 3), scale=st.floats(0.1, 9))
def test_the_level_of_the_scores_does_not_matter(videos, shift, scale):
    videos = [[s if s is None else round(s, 2) for s in video] for video in videos]
    hits = make_hits(*videos)
    moved = hits.assign(score=hits["score"] * scale + shift)
    a, b = moments.find_moments(hits, keep=0.613), moments.find_moments(moved, keep=0.613)
    pd.testing.assert_frame_equal(
        a.drop(columns=["score", "best_score"]), b.drop(columns=["score", "best_score"])
    )


def test_neighbours_that_score_alike_are_one_moment():
    hits = make_hits([0.0, 0.1, 0.8, 1.0, 0.9, 0.2, 0.7, 0.1])
    found = moments.find_moments(hits, keep=0.75, limit=2)
    assert spans(found) == [(12, 30), (36, 42)]
    assert list(found["score"]) == [1.0, 0.7]
    assert list(found["clips"]) == [3, 1]


def test_keep_decides_how_far_a_moment_grows():
    hits = make_hits([0.0, 0.5, 1.0, 0.8])
    for keep, span in [(1, (12, 18)), (0.8, (12, 24)), (0.5, (6, 24)), (0, (0, 24))]:
        assert spans(moments.find_moments(hits, keep=keep, limit=1)) == [span]


def test_gap_decides_what_is_bridged():
    for middle in (None, 0.0):  # a clip between that was not found, or that scores low
        hits = make_hits([1.0, middle, 1.0, 0.0])
        assert spans(moments.find_moments(hits, gap=5.9, limit=2)) == [(0, 6), (12, 18)]
        assert spans(moments.find_moments(hits, gap=6, limit=1)) == [(0, 18)]


def test_clips_that_touch_but_for_rounding_are_neighbours():
    hits = make_hits([0.0, 1.0, 1.0, 1.0])
    hits["end_offset_sec"] -= 4e-7
    assert moments.find_moments(hits, gap=0, limit=1)["clips"][0] == 3


def test_a_moment_does_not_grow_across_a_better_one():
    hits = make_hits([0.9, 1.0, 0.9, 0.0])
    found = moments.find_moments(hits, keep=0.95, gap=60, limit=None)
    assert spans(found) == [(6, 12), (0, 6), (12, 18), (18, 24)]


def test_smoothing_prefers_several_in_a_row_to_a_lone_high_score():
    hits = make_hits([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.8, 0.8, 0.8, 0.0])
    assert moments.find_moments(hits, limit=1)["best_segment_id"][0] == "v0/002"
    smooth = moments.find_moments(hits, smooth=6, limit=1)
    assert smooth["best_segment_id"][0] in ("v0/007", "v0/008", "v0/009")
    assert smooth["score"][0] < smooth["best_score"][0] == 0.8


def test_smoothing_is_the_mean_weighted_by_a_gaussian():
    curve = moments.score_curve(make_hits([0.0, 1.0, 0.5]), smooth=4)
    weight = np.exp(-(((np.arange(3)[:, None] - np.arange(3)) * 6 / 4) ** 2) / 2)
    expected = weight @ [0.0, 1.0, 0.5] / weight.sum(axis=1)
    np.testing.assert_allclose(curve["smoothed"], expected)


def test_whole_videos_are_no_moments():
    hits = make_hits([0.1, 0.9])
    whole = hits.tail(1).assign(embedding_scope="asset", score=2.0, start_offset_sec=0.0, segment_id="v0")
    found = moments.find_moments(pd.concat([whole, hits], ignore_index=True))
    assert list(found["best_segment_id"]) == ["v0/001", "v0/000"]


def test_no_hits_give_an_empty_table_with_the_columns():
    for nothing in (pd.DataFrame(), make_hits([0.5]).head(0)):
        assert moments.find_moments(nothing).empty
        assert list(moments.find_moments(nothing)) == COLUMNS
        assert list(moments.score_curve(nothing))[:3] == ["start_offset_sec", "end_offset_sec", "middle_sec"]
        sequence = moments.find_sequence([nothing, make_hits([0.5])], within=60)
        assert sequence.empty and "step2_segment_id" in sequence


HITS = make_hits([0.5, 0.6])


@pytest.mark.parametrize(
    ("hits", "keywords", "message"),
    [
        (HITS.assign(score=[math.nan, 0.5]), {}, "a score that is no number"),
        (HITS.assign(end_offset_sec=0.0), {}, "does not end after it starts"),
        (HITS.drop(columns="score"), {}, r"lack the column 'score'"),
        (HITS, {"gap": -1}, "gap is -1"),
        (HITS, {"gap": math.nan}, "gap is nan"),
        (HITS, {"keep": 1.1}, "keep is 1.1"),
        (HITS, {"smooth": -1}, "smooth is -1"),
        (HITS, {"smooth": math.inf}, "smooth is inf"),
        (HITS, {"limit": 0}, "limit is 0"),
    ],
)
def test_bad_input_of_moments_gets_one_clear_sentence(hits, keywords, message):
    with pytest.raises(SearchError, match=message):
        moments.find_moments(hits, **keywords)


# The curve


def test_the_curve_is_in_the_order_of_time():
    curve = moments.score_curve(make_hits([0.3, 0.9, 0.1], [0.7]), video_id="v0")
    assert list(curve["score"]) == [0.3, 0.9, 0.1] == list(curve["smoothed"])
    assert list(curve["middle_sec"]) == [3, 9, 15]
    assert list(curve["segment_id"]) == ["v0/000", "v0/001", "v0/002"]


def test_the_curve_wants_one_video():
    hits = make_hits([0.3], [0.7])
    with pytest.raises(SearchError, match="2 videos"):
        moments.score_curve(hits)
    with pytest.raises(SearchError, match="No hit is of the video 'v9'"):
        moments.score_curve(hits, video_id="v9")


# Sequences


def shares(hits):
    low, high = hits["score"].min(), hits["score"].max()
    return hits.assign(share=(hits["score"] - low) / (high - low) if high > low else 1.0)


def every_sequence(steps, within):
    """All sequences there are, by trying each combination: (score, video, start, end)."""
    tables = [shares(step).to_dict("records") for step in steps]
    for clips in itertools.product(*tables):
        one_video = len({clip["video_id"] for clip in clips}) == 1
        in_order = all(a["end_offset_sec"] <= b["start_offset_sec"] for a, b in itertools.pairwise(clips))
        span = clips[-1]["end_offset_sec"] - clips[0]["start_offset_sec"]
        if one_video and in_order and span <= within:
            yield np.mean([clip["share"] for clip in clips]), [clip["segment_id"] for clip in clips]


few_scores = st.lists(st.sampled_from([0.1, 0.2, 0.35, 0.6, 0.9]), min_size=6, max_size=6)
few_films = st.tuples(few_scores, few_scores).map(lambda videos: make_hits(*videos))


@pytest.mark.slow
@few
@given(steps=st.lists(few_films, min_size=2, max_size=3), within=st.sampled_from([11, 12, 18, 30, 1000]))
def test_the_first_sequence_is_the_best_there_is(steps, within):
    found = moments.find_sequence(steps, within=within, limit=None)
    every = list(every_sequence(steps, within))
    assert found.empty == (not every)
    if every:
        assert found["score"][0] == pytest.approx(max(score for score, _ in every))
    known = {tuple(ids): score for score, ids in every}
    columns = [f"step{n}_segment_id" for n in range(1, len(steps) + 1)]
    for row in found.to_dict("records"):
        assert known[tuple(row[column] for column in columns)] == pytest.approx(row["score"])
        assert row["start_offset_sec"] == row["step1_start_sec"]
        assert row["end_offset_sec"] == row[f"step{len(steps)}_end_sec"]
    for _, own in found.groupby("video_id"):
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(sorted(spans(own))))


def test_order_matters():
    wakes, butterfly = make_hits([0.1, 0.9, 0.1, 0.1, 0.1]), make_hits([0.1, 0.1, 0.1, 0.9, 0.1])
    forward = moments.find_sequence([wakes, butterfly], within=60)
    assert list(forward.loc[0, ["start_offset_sec", "end_offset_sec", "score"]]) == [6, 24, 1.0]
    assert list(forward.loc[0, ["step1_segment_id", "step2_segment_id"]]) == ["v0/001", "v0/003"]
    backward = moments.find_sequence([butterfly, wakes], within=60)
    assert backward["score"].max() < 1


def test_two_queries_need_no_common_level_of_scores():
    low, high = make_hits([0.01, 0.02, 0.01]), make_hits([5.0, 5.0, 9.0])
    first = moments.find_sequence([low, high], within=60).iloc[0]
    assert (first["step1_segment_id"], first["step2_segment_id"], first["score"]) == ("v0/001", "v0/002", 1.0)
    assert (first["step1_score"], first["step2_score"]) == (0.02, 9.0)


def test_steps_that_lie_too_far_apart_are_no_sequence():
    steps = [make_hits([1.0, None, None, None]), make_hits([None, None, None, 1.0])]
    assert moments.find_sequence(steps, within=23.9).empty
    assert len(moments.find_sequence(steps, within=24)) == 1


def test_a_sequence_stays_in_one_video():
    assert moments.find_sequence([make_hits([1.0, 0.5]), make_hits([None], [1.0, 0.5])], within=60).empty


@pytest.mark.parametrize(
    ("steps", "within", "message"),
    [
        ([HITS], 60, "two steps or more"),
        (HITS, 60, "two steps or more"),
        ([], 60, "two steps or more"),
        ([HITS, HITS], 0, "within 0 seconds"),
        ([HITS, HITS], -30, "within -30 seconds"),
        ([HITS, HITS], math.nan, "within nan seconds"),
        ([HITS, HITS.assign(score=math.nan)], 60, "no number"),
    ],
)
def test_bad_input_of_sequences_gets_one_clear_sentence(steps, within, message):
    with pytest.raises(SearchError, match=message):
        moments.find_sequence(steps, within=within)


# Around a moment, and recall


def test_around_shows_before_during_and_after():
    hits = make_hits([0.1] * 8, [0.2] * 8)
    moment = {"video_id": "v0", "start_offset_sec": 18.0, "end_offset_sec": 27.0}
    near = moments.around(hits, moment, before=7, after=4)
    assert list(near["segment_id"]) == ["v0/001", "v0/002", "v0/003", "v0/004", "v0/005"]
    assert list(near["when"]) == ["before", "before", "during", "during", "after"]
    assert list(moments.around(hits, pd.Series(moment), before=0, after=0)["when"]) == ["during", "during"]
    assert moments.around(hits.head(0), moment).empty
    with pytest.raises(SearchError, match="before=-1"):
        moments.around(hits, moment, before=-1)


def truth(*rows):
    return pd.DataFrame(rows, columns=["video", "start_offset_sec", "end_offset_sec", "relevance"])


def test_recall_counts_moments_that_overlap_the_truth_enough():
    found = moments.find_moments(make_hits([0.0, 0.9, 0.0, 0.0, 1.0, 0.0], [0.2]), limit=None)
    answer = truth(("v0", 6.0, 9.0, 2), ("v1", 0.0, 6.0, 1))
    at = {
        (k, iou): moments.moment_recall(found, answer, k=k, iou=iou)
        for k in (1, 2)
        for iou in (0.3, 0.5, 0.51)
    }
    assert at == {(1, 0.3): 0, (1, 0.5): 0, (1, 0.51): 0, (2, 0.3): 1, (2, 0.5): 1, (2, 0.51): 0}
    assert moments.moment_recall(found, truth(("v2", 24.0, 30.0, 2))) == 0
    assert moments.moment_recall(found.head(0), answer) == 0
    assert math.isnan(moments.moment_recall(found, truth(("", math.nan, math.nan, 0))))
    with pytest.raises(SearchError, match="iou=0"):
        moments.moment_recall(found, answer, iou=0)
