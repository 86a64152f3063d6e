"""videos.py: samples by content, own files, description tracks, and what is said about bad ones."""

import shutil
from pathlib import Path

import pytest

from helpers import videos
from helpers.errors import DataError, VideoError
from helpers.settings import ROOT

CAT = ROOT / "data" / "videos" / "cat.mp4"


def test_samples_cover_what_was_promised() -> None:
    table = videos.sample_videos()
    assert len(table) >= 8
    assert table["duration_sec"].sum() >= 720
    assert table["video_id"].is_unique
    assert (table[["width", "height"]].min(axis=1) >= 360).all()
    assert (table["duration_sec"] >= 4).all()
    assert (table["width"] / table["height"]).between(1, 2.4).all()
    assert sum(f.stat().st_size for f in CAT.parent.iterdir()) < 30e6


def test_every_sample_has_licence_credit_and_description() -> None:
    known = videos.catalogue()
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert (known["licence"] != "").all() and (known["credit"] != "").all()
    for name in known["file"]:
        assert Path(name).stem in readme
        assert (ROOT / "data" / "descriptions" / f"{Path(name).stem}.vtt").is_file()


def test_a_renamed_copy_is_the_same_video(tmp_path: Path) -> None:
    copy = tmp_path / "holiday.mp4"
    shutil.copy(CAT, copy)
    original, renamed = videos.own_videos(CAT), videos.own_videos(copy)
    assert renamed["video_id"].tolist() == original["video_id"].tolist()
    assert renamed["title"].tolist() == original["title"].tolist()
    assert len(videos.own_videos(CAT, copy)) == 1


def test_an_own_file_keeps_its_id_under_another_name(tmp_path: Path) -> None:
    first = _write(tmp_path / "Größe #1?.mp4", CAT.read_bytes() + b"\0")
    second = _write(tmp_path / "renamed.MP4", CAT.read_bytes() + b"\0")
    table = videos.own_videos(first, second)
    assert len(table) == 1
    assert table["video_id"].tolist() == videos.own_videos(second)["video_id"].tolist()


def test_one_changed_byte_makes_another_video(tmp_path: Path) -> None:
    other = tmp_path / "cat.mp4"
    other.write_bytes(CAT.read_bytes() + b"\0")
    assert videos.own_videos(other)["video_id"][0] != videos.own_videos(CAT)["video_id"][0]
    assert videos.own_videos(other)["category"][0] == "own"


def test_a_folder_gives_its_videos_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(CAT, tmp_path / "a.MP4")
    (tmp_path / "notes.txt").write_text("not a video")
    (tmp_path / "._a.mp4").write_text("what macOS leaves")
    assert len(videos.own_videos(tmp_path)) == 1


def test_stored_paths_are_relative_inside_the_checkout_only(tmp_path: Path) -> None:
    assert videos.relative_url(CAT) == "data/videos/cat.mp4"
    assert videos.relative_url(CAT.parent / ".." / "videos" / "cat.mp4") == "data/videos/cat.mp4"
    assert videos.relative_url(tmp_path / "x.mp4") == str(tmp_path / "x.mp4")
    assert videos.local_path("data/videos/cat.mp4") == CAT
    assert videos.local_path("https://example.org/x.mp4") is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "missing.mp4", "no video file"),
        (lambda p: _write(p / "text.mp4", b"hello"), "not a video that can be read"),
        (lambda p: _write(p / "empty.mp4", b""), "not a video that can be read"),
        (lambda p: _write(p / "cut.mp4", CAT.read_bytes()[:5000]), "not a video that can be read"),
        (lambda p: p, "holds no video"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path: Path, make, words: str) -> None:
    with pytest.raises(VideoError, match=words) as caught:
        videos.own_videos(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_address_is_no_file() -> None:
    with pytest.raises(VideoError, match=r"https://example.org/v.mp4 is an address: download"):
        videos.own_videos("https://example.org/v.mp4")


def test_no_files_at_all() -> None:
    with pytest.raises(VideoError, match="no video to work on"):
        videos.own_videos()


def test_a_damaged_sample_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CAT.parent, tmp_path / "videos")
    shutil.copy(videos.CATALOGUE, tmp_path)
    (tmp_path / "videos" / "cat.mp4").write_bytes(b"damaged")
    monkeypatch.setattr(videos, "CATALOGUE", tmp_path / "videos.csv")
    with pytest.raises(DataError, match=r"cat\.mp4 is missing or damaged"):
        videos.sample_videos()


def test_description_tracks_are_complete_and_in_time() -> None:
    for row in videos.sample_videos().itertuples():
        cues = videos.description_track(ROOT / row.video_url)
        assert cues[0].start == 0
        assert abs(cues[-1].end - row.duration_sec) < 0.5
        assert all(a.end == b.start for a, b in zip(cues, cues[1:], strict=False))
        assert all(3.9 <= c.end - c.start <= 8.1 and c.text for c in cues), row.title


def test_description_beside_an_own_file(tmp_path: Path) -> None:
    own = tmp_path / "own.mp4"
    own.write_bytes(CAT.read_bytes() + b"\0")
    assert videos.description_track(own) == []
    own.with_suffix(".vtt").write_text("WEBVTT\n\n00:00.000 --> 00:05.000\nA cat\nlooks up.\n")
    assert videos.description_track(own) == [videos.Cue(0.0, 5.0, "A cat looks up.")]


def test_times_of_cues_are_exact_to_the_millisecond() -> None:
    cues = videos.read_cues(ROOT / "data" / "descriptions" / "big-buck-bunny.vtt")
    assert [cue.start for cue in cues[:4]] == [0.0, 6.0, 11.75, 15.75]
    assert all(isinstance(cue.end, float) for cue in cues)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"just words", "first line must be WEBVTT"),
        (b"WEBVTT\n\n", "holds no cue"),
        ("WEBVTT\n\n00:00.000 --> 00:05.000\nein Bär\n".encode("latin-1"), "not in UTF-8"),
    ],
)
def test_a_broken_description_track(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(VideoError, match=words):
        videos.read_cues(_write(tmp_path / "bad.vtt", data))


def test_describe_takes_the_cues_that_share_time() -> None:
    cues = [videos.Cue(0, 6, "one"), videos.Cue(6, 12, "two"), videos.Cue(12, 12.5, "three")]
    assert videos.describe(cues, 0, 6) == "one"
    assert videos.describe(cues, 5.5, 12) == "two"
    assert videos.describe(cues, 4, 9) == "one two"
    assert videos.describe(cues, 12, 13) == "three"
    assert videos.describe(cues, 20, 26) == ""


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
