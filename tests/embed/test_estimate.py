"""estimate.py: each line by its formula, and nothing about money that the user did not say."""

import math
from pathlib import Path

import pandas as pd
import pytest

from helpers.embed.estimate import estimate_cost
from helpers.errors import EmbedError, SettingsError, VideoError, VideoSearchWarning
from helpers.videos.own import own_videos
from helpers.videos.samples import sample_videos
from tests.make_media import film, write

SIZE = (360, 360)
ADDRESS = "https://anna:geheim@films.example.org/trip.mp4"


def table(*seconds: float) -> pd.DataFrame:
    rows = [
        {"video_id": f"own-{n}", "video_url": f"{n}.mp4", "duration_sec": s} for n, s in enumerate(seconds)
    ]
    return pd.DataFrame(rows)


def test_each_line_by_its_formula() -> None:
    result = estimate_cost(table(60, 61, 5), model="marengo3.5", price_per_minute=0.5)
    assert result.index.tolist() == ["videos", "minutes", "requests", "segments", "disk MB", "money"]
    assert result.columns.tolist() == ["new", "cached", "note"]
    segments = (10 + 11 + 1) + 3
    disk = segments * (2 * 512 * 4 * 3 + 3500) / 1e6
    assert result["new"].tolist() == [3, 2.1, 6, segments, round(disk, 2), 1.05]
    assert result["cached"].tolist() == [0, 0, 0, 0, 0, 0]


def test_the_samples_take_what_was_measured() -> None:
    result = estimate_cost(sample_videos())["new"]  # 153 rows; cache and collection have 2.35 MB
    assert result["segments"] == 153
    assert result["disk MB"] == pytest.approx(2.35, rel=0.05)


def test_what_is_on_disk_costs_nothing() -> None:
    videos = table(60, 120, 30)
    result = estimate_cost(videos, model="marengo3.0", price_per_minute=1, cached={"own-1", "own-9"})
    assert result["new"]["minutes"] == 1.5 and result["cached"]["minutes"] == 2
    assert result.loc["requests"].tolist()[:2] == [4, 0]
    assert result.loc["money"].tolist()[:2] == [1.5, 0]
    everything = estimate_cost(videos, model="marengo3.0", price_per_minute=1, cached=set(videos["video_id"]))
    assert everything["new"].tolist() == [0, 0, 0, 0, 0, 0]


def test_no_money_without_a_price() -> None:
    for model in ("marengo3.5", "offline-512"):
        money = estimate_cost(table(60), model=model).loc["money"]
        assert math.isnan(money["new"]) and "price_per_minute=" in money["note"]
    free = estimate_cost(table(60), price_per_minute=0).loc["money"]
    assert free["new"] == 0 and free["note"].startswith("at your 0 a minute")


def test_segmentation_options_and_dimension_count() -> None:
    videos = table(60)
    assert estimate_cost(videos, segmentation="fixed-10")["new"]["segments"] == 7
    short = estimate_cost(videos, segmentation="dynamic-2", model="marengo3.5")
    assert short["new"]["segments"] == 31 and short["note"]["segments"].startswith("at most")
    sizes = [
        estimate_cost(table(6000), model=model, options=options, dimension=dimension)["new"]["disk MB"]
        for model, options, dimension in [
            ("marengo3.5", None, None),
            ("marengo3.0", None, None),
            ("marengo3.5", ["visual"], None),
            ("marengo3.5", None, 128),
        ]
    ]
    assert sizes[1] > sizes[0] > sizes[2] > sizes[3]


def test_a_large_file_goes_in_parts(tmp_path: Path) -> None:
    small, large = (film(tmp_path / name, size=SIZE, seconds=6) for name in ("a.mp4", "b.mp4"))
    with open(large, "ab") as file:
        file.truncate(300_000_000)  # zeros that take no room
    videos = pd.DataFrame(
        {"video_id": ["a", "b"], "video_url": [str(small), str(large)], "duration_sec": [6.0, 6.0]}
    )
    assert estimate_cost(videos)["new"]["requests"] == 2 + 2 + math.ceil(300_000_000 / 10_485_760)


def test_an_address_of_unknown_length_is_said(tmp_path: Path) -> None:
    videos = own_videos(ADDRESS, film(tmp_path / "a.mp4", size=SIZE, seconds=6))
    result = estimate_cost(videos, model="marengo3.5", price_per_minute=10)
    assert result["new"].tolist()[:4] == [2, 0.1, 4, 2]
    for line in ("minutes", "segments", "disk MB", "money"):
        assert "1 of unknown length not counted" in result["note"][line]
    assert "geheim" not in result.to_csv()


def test_paths_will_do_and_a_video_counts_once(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", size=SIZE, seconds=6)
    assert estimate_cost(tmp_path)["new"]["videos"] == 1
    videos = own_videos(tmp_path)
    assert estimate_cost(pd.concat([videos, videos]))["new"]["videos"] == 1


@pytest.mark.parametrize("model", ["marengo3.5", "offline-512"])
def test_what_would_be_refused_costs_nothing_and_is_said(tmp_path: Path, model: str) -> None:
    film(tmp_path / "good.mp4", size=SIZE, seconds=6)
    film(tmp_path / "small.mp4", seconds=6)
    film(tmp_path / "short.mp4", size=SIZE, seconds=2)
    gone_bad = film(tmp_path / "bad.mp4", size=SIZE, seconds=5)
    videos = own_videos(tmp_path)
    write(gone_bad, b"<html>not found</html>")
    with pytest.warns(VideoSearchWarning, match="^3 of 4 videos would be refused and cost nothing"):
        result = estimate_cost(videos, model=model, price_per_minute=1)
    assert result["new"].tolist()[:4] == [1, 0.1, 2, 2] and result["new"]["money"] == 0.1


@pytest.mark.parametrize(
    ("videos", "options", "error", "words"),
    [
        (table(60).head(0), {}, VideoError, "table is empty"),
        (table(60).drop(columns="duration_sec"), {}, VideoError, "lack the column 'duration_sec'"),
        (table(60), {"segmentation": "fixed-60"}, EmbedError, "fixed-60"),
        (table(60), {"price_per_minute": -1}, SettingsError, "price_per_minute=-1 means nothing"),
        (table(60), {"price_per_minute": math.nan}, SettingsError, "price_per_minute=nan means nothing"),
        (table(60), {"dimension": -3}, SettingsError, "dimension=-3 means nothing"),
    ],
)
def test_what_cannot_be_estimated(videos: pd.DataFrame, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        estimate_cost(videos, **options)
