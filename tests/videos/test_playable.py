"""playable.py and clips: what browsers play as it is, at which second, and clips of what they do not play."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from helpers.errors import VideoError
from helpers.videos import playable
from helpers.videos.frames import cut_clip
from helpers.videos.media import probe
from helpers.videos.playable import is_playable, playable_clip, player_seconds
from tests.make_media import second_of, timed_film, write

FIFTHS = [n / 5 for n in range(30)]
FILMS: dict[str, tuple[Callable[[Path], Path], bool]] = {
    "H.264 in MP4": (lambda p: timed_film(p / "a.mp4", FIFTHS, loud=(0, 6)), True),
    "H.264 in MOV": (lambda p: timed_film(p / "a.mov", FIFTHS), False),
    "MP4 that is called .mov": (lambda p: timed_film(p / "a.mov", FIFTHS, form="mp4"), True),
    "MP4 that is called .avi": (lambda p: timed_film(p / "a.avi", FIFTHS, form="mp4"), True),
    "VP9 in WebM": (lambda p: timed_film(p / "a.webm", FIFTHS, codec="libvpx-vp9"), True),
    "VP8 in WebM that is called .mkv": (
        lambda p: timed_film(p / "a.mkv", FIFTHS, codec="libvpx", form="webm"),
        True,
    ),
    "Matroska that is called .webm": (lambda p: timed_film(p / "a.webm", FIFTHS, form="matroska"), False),
    "transport stream that is called .mp4": (
        lambda p: timed_film(p / "a.mp4", FIFTHS, form="mpegts"),
        False,
    ),
    "H.264 of 10 bits": (lambda p: timed_film(p / "a.mp4", FIFTHS, pix_fmt="yuv420p10le"), False),
    "H.264 4:4:4": (lambda p: timed_film(p / "a.mp4", FIFTHS, pix_fmt="yuv444p"), False),
    "MPEG-4 part 2 in MP4": (
        lambda p: timed_film(p / "a.mp4", FIFTHS, codec="mpeg4", base=Fraction(1, 5)),
        False,
    ),
    "Motion JPEG in MOV": (
        lambda p: timed_film(p / "a.mov", FIFTHS, codec="mjpeg", pix_fmt="yuvj420p"),
        False,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "plays"), FILMS.values(), ids=FILMS)
def test_codec_and_container_decide_what_plays(
    tmp_path: Path, make: Callable[[Path], Path], plays: bool
) -> None:
    assert is_playable(make(tmp_path)) == plays


@pytest.mark.slow
def test_sound_that_browsers_do_not_play(tmp_path: Path) -> None:
    plain = timed_film(tmp_path / "plain.mp4", FIFTHS, loud=(0, 6))
    with av.open(str(plain)) as old, av.open(str(tmp_path / "pcm.mp4"), "w", format="mp4") as new:
        film = new.add_stream_from_template(old.streams.video[0])
        voice = new.add_stream("alac", rate=44100, layout="mono")
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = film
                new.mux(packet)
        with av.open(str(plain)) as again:
            resampler = av.AudioResampler(format="s16p", layout="mono", rate=44100)
            for frame in again.decode(audio=0):
                for piece in resampler.resample(frame):
                    new.mux(voice.encode(piece))
            new.mux(voice.encode())
    assert is_playable(plain) and not is_playable(tmp_path / "pcm.mp4")


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "page.mp4", b"<html>")
    for read in (is_playable, lambda p: player_seconds(p, 1.0), lambda p: playable_clip(p, 0, 1)):
        with pytest.raises(VideoError, match="page.mp4 cannot be read as a video"):
            read(path)
    with pytest.raises(VideoError, match=r"relink\(milvus, name, folder\)"):
        playable_clip(tmp_path / "gone.mp4", 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "second"),
    [
        (lambda p: timed_film(p / "a.mp4", FIFTHS), 2.0),
        (lambda p: timed_film(p / "a.mp4", FIFTHS, begin=3, loud=(0, 9)), 5.0),
        (lambda p: timed_film(p / "a.mkv", FIFTHS, begin=100), 102.0),
        (lambda p: timed_film(p / "a.mp4", FIFTHS, begin=-2, loud=(0, 4)), 2.0),  # an edit list
        (lambda p: timed_film(p / "a.mov", FIFTHS, loud=(2, 6)), 2.0),
    ],
)
def test_a_player_counts_by_the_clock_of_the_file(
    tmp_path: Path, make: Callable[[Path], Path], second: float
) -> None:
    assert player_seconds(make(tmp_path), 2.0) == [pytest.approx(second, abs=1e-3)]


def test_a_clip_is_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "home"))
    path = timed_film(tmp_path / "a.avi", FIFTHS, codec="mpeg4", base=Fraction(1, 5))
    first = playable_clip(path, 1, 4)
    assert first == cut_clip(path, 1, 4)
    copy = write(tmp_path / "copy.mp4", path.read_bytes())  # known by its content

    def never(*args: object, **options: object) -> bytes:
        raise AssertionError("it was encoded again")

    monkeypatch.setattr(playable, "encode_clip", never)
    assert playable_clip(copy, 1, 4) == first
    assert len(list((tmp_path / "home" / "cache" / "clips").iterdir())) == 1


UNEVEN: dict[str, tuple[list[float], float, float]] = {
    "60, then 25 a second": ([n / 60 for n in range(120)] + [2 + n / 25 for n in range(100)], 1, 4),
    "every seventh is missing": ([n / 30 for n in range(300) if n % 7 != 3], 2, 6),
    "slides": ([0, 4, 9, 17], 3, 12),
    "a burst between stills": ([0, 6] + [12 + n / 50 for n in range(50)] + [13.5, 20], 10, 15),
    "one still for long": ([0, 30], 5, 9),
}


@pytest.mark.slow
@pytest.mark.parametrize(("times", "start", "end"), UNEVEN.values(), ids=UNEVEN)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_clip_keeps_the_times_of_its_pictures(
    tmp_path: Path, times: list[float], start: float, end: float, suffix: str
) -> None:
    path = timed_film(tmp_path / f"a{suffix}", times)
    clip = write(tmp_path / "clip.mp4", cut_clip(path, start, end))
    assert probe(clip).duration == pytest.approx(end - start, abs=0.05)
    with av.open(str(clip)) as container:
        assert container.duration / av.time_base == pytest.approx(end - start, abs=0.1)
        seen = [(frame.time + start, second_of(frame.to_image())) for frame in container.decode(video=0)]
    for at, second in seen:
        on_screen = max(time for time in times if time <= at + 0.1)
        assert second == pytest.approx(int(on_screen + 1e-6), abs=1)
    inside = [time for time in times if start < time < end]
    assert {round(at, 2) for at, _ in seen} >= {round(time, 2) for time in inside if time > start + 0.1}


def test_kept_clips_take_no_more_room_than_they_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = timed_film(tmp_path / "a.mkv", FIFTHS)
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "cache" / "clips"

    def make(start: float) -> Path:
        before = set(folder.glob("*.mp4"))
        playable_clip(path, start, start + 1)
        (made,) = set(folder.glob("*.mp4")) - before
        os.utime(made, (1000 + start, 1000 + start))
        return made

    first, second = make(0), make(1)
    monkeypatch.setattr(playable, "MOST_BYTES", int(2.5 * first.stat().st_size))
    playable_clip(path, 0, 1)  # the first is used again, so that the second is the one that goes
    third = make(2)
    assert first.exists() and third.exists() and not second.exists()
