"""The hand-written data: what was promised of the ground truth and of the scene labels."""

import numpy as np
import pandas as pd
import pytest

from helpers import load_ground_truth, sample_videos
from helpers.settings import ROOT

WRITTEN_FIRST = "9aadeac63a309edb4bf94fefc4f2c45fa5e7b5795cff6795564123a0cfd9a3f6"


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return load_ground_truth()


@pytest.fixture(scope="module")
def durations() -> "pd.Series[float]":
    table = sample_videos()
    names = table["video_url"].str.extract(r"([^/]+)\.mp4$")[0]
    return table["duration_sec"].set_axis(names)


def test_the_ground_truth_is_the_one_committed_before_the_vectors() -> None:
    assert (ROOT / "data" / "ground_truth.csv.sha256").read_text("utf-8").split()[0] == WRITTEN_FIRST


def test_there_are_enough_queries_of_each_kind(truth: pd.DataFrame) -> None:
    asked = truth.groupby("query_id").agg(query=("query", "first"), video=("video", "first"))
    assert len(asked) >= 40 and asked["query"].is_unique
    assert (truth[truth["video"] == "big-buck-bunny"]["query_id"].nunique()) >= 25
    assert truth[truth["relevance"].isna() | (truth["video"] == "")]["query_id"].nunique() >= 3


def test_spans_are_short_and_lie_inside_their_video(
    truth: pd.DataFrame, durations: "pd.Series[float]"
) -> None:
    spans = truth[truth["video"].isin(durations.index)]
    seconds = spans["end_offset_sec"] - spans["start_offset_sec"]
    assert seconds.between(0.1, 15).all()
    assert spans["start_offset_sec"].ge(0).all()
    assert (spans["end_offset_sec"] <= spans["video"].map(durations) + 0.1).all()
    assert set(spans["relevance"]) == {1, 2}
    assert (seconds.groupby(spans["query_id"]).sum() < 0.03 * durations.sum()).all()


def test_every_answerable_query_has_an_exact_span(truth: pd.DataFrame) -> None:
    answerable = truth[truth["video"].fillna("") != ""]
    assert answerable.groupby("query_id")["relevance"].max().eq(2).all()


def test_scene_labels_cover_every_six_seconds(durations: "pd.Series[float]") -> None:
    scenes = pd.read_csv(ROOT / "data" / "scenes.csv")
    assert (scenes[["who", "where"]].notna()).all().all()
    for name, rows in scenes.groupby("video"):
        starts = rows["start_offset_sec"].to_numpy()
        assert np.array_equal(starts, np.arange(len(rows)) * 6.0)
        assert np.allclose(rows["end_offset_sec"].to_numpy()[:-1], starts[1:])
        assert abs(rows["end_offset_sec"].iloc[-1] - durations[str(name)]) < 0.5
    assert set(scenes["video"]) == set(durations.index)
