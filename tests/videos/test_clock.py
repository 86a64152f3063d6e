"""clock.py and decode.py: one time axis for length, stills, vectors and clips, whatever a file's clock shows."""

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from helpers.standin.encoder import sample_frames
from helpers.videos.frames import cut_clip, thumbnail
from helpers.videos.media import probe
from tests.make_media import second_of, timed_film, write

FIFTHS = [n / 5 for n in range(60)]  # 12 s


def joined(path: Path, *, gap: float = 0.0) -> Path:
    """Two recordings of 6 s, one behind the other; the clock of the second starts anew, or `gap` s later."""
    first = timed_film(path.with_name("1.ts"), FIFTHS[:30], loud=(0, 6), form="mpegts")
    second = timed_film(
        path.with_name("2.ts"),
        FIFTHS[30:],
        begin=gap - 6,
        loud=(gap, gap + 6),
        form="mpegts",
    )
    return write(path, first.read_bytes() + second.read_bytes())


FILMS: dict[str, Callable[[Path], Path]] = {
    "MP4": lambda p: timed_film(p / "a.mp4", FIFTHS),
    "MP4 with B frames": lambda p: timed_film(p / "a.mp4", FIFTHS, options={"preset": "fast", "bf": "3"}),
    "MP4 from 100 s": lambda p: timed_film(p / "a.mp4", FIFTHS, begin=100),
    "MP4, sound before the pictures": lambda p: timed_film(p / "a.mp4", FIFTHS, begin=3, loud=(0, 15)),
    "MKV, sound before the pictures": lambda p: timed_film(p / "a.mkv", FIFTHS, begin=3, loud=(0, 15)),
    "MOV, sound after the pictures": lambda p: timed_film(p / "a.mov", FIFTHS, loud=(2, 12)),
    "MKV from 100 s": lambda p: timed_film(p / "a.mkv", FIFTHS, begin=100, loud=(100, 112)),
    "WebM from 100 s": lambda p: timed_film(p / "a.webm", FIFTHS, begin=100, codec="libvpx"),
    "MPEG-TS from 5 s": lambda p: timed_film(p / "a.ts", FIFTHS, begin=5, form="mpegts"),
    "MPEG-PS from 50 s": lambda p: timed_film(
        p / "a.mpg", [n / 25 for n in range(300)], begin=50, codec="mpeg2video", base=Fraction(1, 25), rate=25
    ),
    "AVI with B frames": lambda p: timed_film(
        p / "a.avi", FIFTHS, base=Fraction(1, 5), options={"preset": "fast", "bf": "3", "g": "20"}
    ),
    "MPEG-TS, joined": lambda p: joined(p / "a.ts"),
    "MPEG-TS, joined with a clock ahead": lambda p: joined(p / "a.ts", gap=5000.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", FILMS.values(), ids=FILMS)
def test_a_second_is_the_same_for_length_still_vector_and_clip(tmp_path: Path, make: Callable) -> None:
    path = make(tmp_path)
    assert probe(path).duration == pytest.approx(12, abs=0.05)
    times = [0.0, 1.5, 5.5, 6.5, 10.5, 11.5]
    assert [second_of(thumbnail(path, time)) for time in times] == [0, 1, 5, 6, 10, 11]
    assert [second_of(image) for image in sample_frames(path, times)] == [0, 1, 5, 6, 10, 11]
    assert [second_of(image) for image in sample_frames(path, [11.5])] == [11]
    with av.open(io.BytesIO(cut_clip(path, 5.0, 8.0))) as clip:
        seen = [(round(frame.time, 2), second_of(frame.to_image())) for frame in clip.decode(video=0)]
    assert seen[0] == (0, 5) and {int(time) + 5 == second for time, second in seen} == {True}
    assert seen[-1][0] == pytest.approx(3, abs=0.25)


@pytest.mark.slow
def test_an_edit_list_hides_what_lies_before_it(tmp_path: Path) -> None:
    path = timed_film(tmp_path / "a.mp4", FIFTHS, begin=-2, loud=(0, 10))
    assert probe(path).duration == pytest.approx(10, abs=0.05)
    assert [second_of(thumbnail(path, t)) for t in (0, 0.9, 1.1, 9.9)] == [2, 2, 3, 11]
    assert [second_of(image) for image in sample_frames(path, [0, 0.9, 1.1, 9.9])] == [2, 2, 3, 11]
