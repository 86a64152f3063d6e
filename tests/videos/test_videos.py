"""videos.py and media.py: samples by content, what a file holds, description tracks, and bad files."""

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from helpers import files
from helpers.errors import DataError, VideoError
from helpers.settings import ROOT
from helpers.videos import catalogue, media
from helpers.videos import cues as videos
from helpers.videos import samples as videos_samples
from tests.make_media import film, locked_folder, sound, write

CAT = ROOT / "data" / "videos" / "cat.mp4"


def test_samples_cover_what_was_promised() -> None:
    table = videos_samples.sample_videos()
    assert len(table) >= 8
    assert table["duration_sec"].sum() >= 720
    assert table["video_id"].is_unique
    assert (table[["width", "height"]].min(axis=1) >= 360).all()
    assert (table["duration_sec"] >= 4).all()
    assert (table["width"] / table["height"]).between(1, 2.4).all()
    assert sum(f.stat().st_size for f in CAT.parent.iterdir()) < 30e6


def test_every_sample_has_licence_credit_and_description() -> None:
    known = catalogue.catalogue()
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert (known["licence"] != "").all() and (known["credit"] != "").all()
    for name in known["file"]:
        assert Path(name).stem in readme
        assert (ROOT / "data" / "descriptions" / f"{Path(name).stem}.vtt").is_file()


def test_the_catalogue_says_what_is_found_in_each_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths = [CAT.parent / name for name in catalogue.catalogue()["file"]]
    published = [media.probe(path) for path in paths]
    header = catalogue.CATALOGUE.read_text("utf-8").splitlines()[0]
    (tmp_path / "none.csv").write_text(header, "utf-8")
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "none.csv")
    assert [media.probe(path) for path in paths] == published


def test_a_sample_is_known_by_its_content_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = CAT.read_bytes()
    (tmp_path / "copy.bin").write_bytes(content)
    (tmp_path / "changed.mp4").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setattr(media, "open_media", None)  # nothing is opened any more
    assert media.probe(tmp_path / "copy.bin") == media.probe(CAT)
    with pytest.raises(TypeError, match="not callable"):  # it would be looked into
        media.probe(tmp_path / "changed.mp4")


def test_stored_paths_are_relative_inside_the_checkout_only(tmp_path: Path) -> None:
    assert videos_samples.relative_url(CAT) == "data/videos/cat.mp4"
    assert videos_samples.relative_url(CAT.parent / ".." / "videos" / "cat.mp4") == "data/videos/cat.mp4"
    assert videos_samples.relative_url(tmp_path / "x.mp4") == str(tmp_path / "x.mp4")
    assert videos_samples.local_path("data/videos/cat.mp4") == CAT
    assert videos_samples.local_path("https://example.org/x.mp4") is None
    assert videos_samples.local_path("HTTPS://example.org/x.mp4") is None


def test_a_damaged_sample_is_noticed(samples: Path) -> None:
    (samples / "videos" / "cat.mp4").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"cat\.mp4 is missing or damaged"):
        videos_samples.sample_videos()


def test_a_missing_catalogue_is_noticed(samples: Path) -> None:
    (samples / "videos.csv").unlink()
    with pytest.raises(DataError, match="data/videos.csv is missing"):
        videos_samples.sample_videos()


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of the samples in a folder of the test's own."""
    (tmp_path / "videos").mkdir()
    lines = catalogue.CATALOGUE.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.startswith(("file,", "cat.mp4,", "coins.mp4,"))]
    (tmp_path / "videos.csv").write_text("".join(kept), "utf-8")
    for name in ("cat.mp4", "coins.mp4"):
        shutil.copy(CAT.parent / name, tmp_path / "videos")
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "videos.csv")
    return tmp_path


def test_a_file_is_hashed_once(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    digest = files.hashlib.file_digest

    def counting(file, name):
        hashed.append(Path(file.name).name)
        return digest(file, name)

    monkeypatch.setattr(files.hashlib, "file_digest", counting)
    videos_samples.sample_videos()
    assert hashed == ["coins.mp4", "cat.mp4"] or hashed == ["cat.mp4", "coins.mp4"]  # new files, and yet once
    for name in ("cat.mp4", "coins.mp4"):  # files of some age are remembered
        os.utime(samples / "videos" / name, (1_700_000_000, 1_700_000_000))
    hashed.clear()
    videos_samples.sample_videos()
    videos_samples.sample_videos()
    assert len(hashed) == 2


def test_a_changed_file_has_another_digest_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    digests = []
    for content in (b"one", b"two", b"six"):
        path.write_bytes(content)  # the same size, and perhaps the same tick of the clock
        digests.append(files.file_sha256(path))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    digests.append(files.file_sha256(path))
    assert len(set(digests)) == 3 and digests[2] == digests[3]
    with pytest.raises(VideoError, match="no file to read at"):
        files.file_sha256(tmp_path / "gone.bin")


def test_what_a_file_holds(tmp_path: Path) -> None:
    path = film(tmp_path / "a b.mp4", seconds=2)
    assert media.probe(path) == media.Probe(2.0, 64, 48, False, codec="h264", size=path.stat().st_size)
    assert media.probe(film(tmp_path / "a.webm")).codec == "vp8"
    bunny = media.probe(CAT.parent / "big-buck-bunny.mp4")
    assert bunny.has_audio and bunny.duration == pytest.approx(596, abs=1)


def test_a_file_is_looked_into_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4", seconds=2)
    first = media.probe(path)
    os.replace(film(tmp_path / "b.mp4", seconds=3), path)
    assert media.probe(path).duration == pytest.approx(3, abs=0.05)
    monkeypatch.setattr(media, "open_media", None)  # nothing is opened any more
    assert media.probe(path).duration > first.duration
    path.unlink()
    with pytest.raises(VideoError, match="There is no video file"):
        media.probe(path)


def test_a_recording_without_a_length_is_measured(tmp_path: Path) -> None:
    source = film(tmp_path / "a.webm", seconds=3)
    target = tmp_path / "live.webm"  # what a browser records: nobody went back to write the length
    with av.open(str(source)) as old, av.open(str(target), "w", format="webm", options={"live": "1"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    assert media.probe(target).duration == pytest.approx(3, abs=0.25)


def _dangling(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(folder / "gone.mp4")
    return folder / "link.mp4"


def _loop(folder: Path) -> Path:
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    return folder / "loop.mp4"


def _folder(folder: Path) -> Path:
    (folder / "x.mp4").mkdir()
    return folder / "x.mp4"


def _picture(folder: Path) -> Path:
    Image.new("RGB", (40, 40)).save(folder / "photo.png")
    return (folder / "photo.png").rename(folder / "photo.mp4")


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def _no_frames(folder: Path) -> Path:
    with av.open(str(folder / "none.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return folder / "none.avi"


def _half(folder: Path) -> Path:
    data = film(folder / "whole.mp4").read_bytes()  # its index is at the end
    return write(folder / "half.mp4", data[: len(data) // 2])


def _unknown_codec(folder: Path) -> Path:
    data = film(folder / "known.mp4").read_bytes()
    return write(folder / "unknown.mp4", data.replace(b"avc1", b"zzz1"))


def _noise(folder: Path) -> Path:
    return write(folder / "-my film.mp4", bytes(range(256)) * 40)


BAD_FILES: list[tuple[Callable[[Path], Path], str]] = [
    (lambda p: p / "missing.mp4", r"no video file at .*missing\.mp4: check"),
    (lambda p: CAT / "inside.mp4", r"no video file at .*inside\.mp4: check"),
    (_dangling, "link.mp4 is a link to a file that is gone"),
    (_loop, "loop.mp4 cannot be opened"),
    (lambda p: p / ("n" * 300), "cannot be opened .*name too long"),
    (lambda p: p / "a\0b.mp4", "cannot be opened .*null"),
    (_folder, "x.mp4 is a folder, not a video file"),
    (_pipe, "pipe.mp4 is no ordinary file"),
    (lambda p: write(p / "empty.mp4", b""), r"empty.mp4 is empty \(0 bytes\)"),
    (lambda p: write(p / "page.mp4", b"<!doctype html>\n<p>Sign in"), "page.mp4 holds text, not a video"),
    (lambda p: write(p / "list.mp4", b"#EXTM3U\n#EXTINF:9,\n../other.mp4\n"), "list.mp4 holds text"),
    (_half, "half.mp4 is cut off, its end is missing"),
    (lambda p: write(p / "cut.mp4", CAT.read_bytes()[:5000]), "cut.mp4 is cut off"),
    (lambda p: write(p / "cut2.mp4", CAT.read_bytes()[:-5000]), "cut2.mp4 is cut off"),
    (lambda p: sound(p / "song.m4a"), "song.m4a has sound but no picture"),
    (lambda p: sound(p / "song.mp3", cover=True), "song.mp3 has sound but no picture"),
    (_picture, "photo.mp4 is a picture, not a video: .*embed_image"),
    (_no_frames, "none.avi (has no length|is not a video)"),
    (_unknown_codec, "unknown.mp4 is not a video that can be read"),
    (_noise, r"-my film.mp4 is not a video that can be read: .*`ffmpeg -i '/.*-my film\.mp4' "),
]


@pytest.mark.parametrize(("make", "words"), BAD_FILES, ids=[words[:30] for _, words in BAD_FILES])
def test_bad_files_get_one_sentence(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    with pytest.raises(VideoError, match=words) as caught:
        media.probe(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read() -> None:
    with locked_folder() as folder, pytest.raises(VideoError, match="film.mp4 may not be read"):
        media.probe(folder / "film.mp4")


@pytest.mark.parametrize(
    "end", [b"\0", b"\0\0\0\0mdatabc", b"\0\0\0\3free", b"\0\0\0\x10free12345678", b"\xff\xff\0\0junk"]
)
def test_a_file_with_something_behind_its_end_is_whole(tmp_path: Path, end: bytes) -> None:
    assert media.probe(write(tmp_path / "x.mp4", CAT.read_bytes() + end)).codec == "h264"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("film.mp4", "film.mp4"),
        ("my film.mp4", "'my film.mp4'"),
        ("-x.mp4", "./-x.mp4"),
        ("12:30.mp4", "./12:30.mp4"),
        ("it's $(rm).mp4", "'it'\"'\"'s $(rm).mp4'"),
        ("/a/b:c.mp4", "/a/b:c.mp4"),
    ],
)
def test_paths_as_words_of_the_shell(path: str, word: str) -> None:
    assert media.shell_word(path) == word


def test_description_tracks_are_complete_and_in_time() -> None:
    for row in videos_samples.sample_videos().itertuples():
        cues = videos.description_track(ROOT / row.video_url)
        assert cues[0].start == 0
        assert abs(cues[-1].end - row.duration_sec) < 0.5
        assert all(a.end == b.start for a, b in itertools.pairwise(cues))
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


def test_a_track_with_a_byte_order_mark_and_notes(tmp_path: Path) -> None:
    text = "\ufeffWEBVTT\n\nNOTE by hand\n\n1\n01:00:00.000 --> 01:00:05.500 align:start\nA bear.\n"
    assert videos.read_cues(write(tmp_path / "a.vtt", text.encode())) == [videos.Cue(3600, 3605.5, "A bear.")]


BAD_TRACKS = [
    (b"just words", "first line must be WEBVTT"),
    (b"WEBVTT\n\n", "holds no cue"),
    ("WEBVTT\n\n00:00.000 --> 00:05.000\nein Bär\n".encode("latin-1"), "not in UTF-8"),
    (b"WEBVTT\n\n00:00.000 --> -00:05.000\nA\n", "line 3: a time is negative"),
    (b"WEBVTT\n\n00:00.000 --> 00:75.000\nA\n", "line 3: no times can be read"),
    (b"WEBVTT\n\n00:05.000 --> 00:02.000\nA\n", "00:00:05.000 ends at 00:00:02.000"),
]


@pytest.mark.parametrize(("data", "words"), BAD_TRACKS, ids=[words for _, words in BAD_TRACKS])
def test_a_broken_description_track(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(VideoError, match=words):
        videos.read_cues(write(tmp_path / "bad.vtt", data))


GOOD = "WEBVTT\n\n00:00.000 --> 00:05.000\nA\n\n"


@pytest.mark.parametrize(
    ("cue", "words"),
    [
        ("-00:05.000 --> 00:09.000\nB\n", "line 6: a time is negative"),
        ("00:05,000 --> 00:09,000\nB\n", "line 6: no times can be read"),
        ("two\n00:05 --> later\nB\n", "line 7: no times can be read"),
        (f"{'9' * 30}:00:05.000 --> {'9' * 30}:00:09.000\nB\n", "line 6: no times can be read"),
        ("00:09.000 --> 00:05.000\nB\n", "the cue at 00:00:09.000 ends at 00:00:05.000"),
    ],
)
def test_one_bad_cue_costs_that_cue_and_is_said(tmp_path: Path, cue: str, words: str) -> None:
    path = write(tmp_path / "a.vtt", f"{GOOD}{cue}\n00:12.000 --> 00:15.000\nC\n".encode())
    with pytest.warns(UserWarning, match=words):
        assert videos.read_cues(path) == [videos.Cue(0, 5, "A"), videos.Cue(12, 15, "C")]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Tom &amp; Jerry &lt;3 caf&eacute;", "Tom & Jerry <3 café"),
        ("&#x1F600; &#8212; &rlm;\u05e9\u05dc\u05d5\u05dd", "\U0001f600 — \u200f\u05e9\u05dc\u05d5\u05dd"),
        ("<v Roger Bingham>We are <i.loud>in</i> <c.yellow.bg>New</c> York", "We are in New York"),
        ("if a <b and c> d, <00:00:02.000>then", "if a d, then"),
        ("2 < 3 and 5 > 4 &amp;lt;", "2 < 3 and 5 > 4 &lt;"),
        ('<font color="red">A <B>cat</B></font> sits', "A cat sits"),  # as converters of SRT leave them
        ("one\u2028two\x0bthree\x85four", "one two three four"),
        ("A --> B\nC", "A --> B C"),
    ],
)
def test_the_words_of_a_cue_are_read_as_webvtt_writes_them(tmp_path: Path, words: str, text: str) -> None:
    path = write(tmp_path / "a.vtt", f"WEBVTT\n\n00:00.000 --> 00:05.000\n{words}\n".encode())
    assert [cue.text for cue in videos.read_cues(path)] == [text]


def test_a_track_written_with_a_missing_blank_line_and_old_line_ends(tmp_path: Path) -> None:
    data = b"WEBVTT\r\r00:00.000 --> 00:05.000\rA\r00:05.000 --> 00:09.000\rB\r\rNOTE no cue\r"
    assert videos.read_cues(write(tmp_path / "a.vtt", data)) == [videos.Cue(0, 5, "A"), videos.Cue(5, 9, "B")]


def test_a_track_is_found_under_a_name_that_is_composed_otherwise(tmp_path: Path) -> None:
    own = write(tmp_path / "cafe\u0301.mp4", CAT.read_bytes() + b"\0")
    write(tmp_path / "caf\u00e9.VTT", GOOD.encode())
    assert videos.description_track(own) == [videos.Cue(0, 5, "A")]


def test_a_track_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="cannot be opened"):
        videos.read_cues(tmp_path / "none.vtt")


def test_cues_that_overlap_are_used_with_a_warning(tmp_path: Path) -> None:
    text = b"WEBVTT\n\n00:00.000 --> 00:05.000\nA\n\n00:04.000 --> 00:09.000\nB\n"
    with pytest.warns(UserWarning, match="cue at 4 s begins before the one in front of it ends"):
        cues = videos.read_cues(write(tmp_path / "a.vtt", text))
    assert videos.describe(cues, 0, 6) == "A B"


def test_describe_takes_the_cues_that_share_time() -> None:
    cues = [videos.Cue(0, 6, "one"), videos.Cue(6, 12, "two"), videos.Cue(12, 12.5, "three")]
    assert videos.describe(cues, 0, 6) == "one"
    assert videos.describe(cues, 5.5, 12) == "two"
    assert videos.describe(cues, 4, 9) == "one two"
    assert videos.describe(cues, 12, 13) == "three"
    assert videos.describe(cues, 20, 26) == ""
