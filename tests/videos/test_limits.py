"""limits.py: what the live service takes, and ffmpeg lines that make a refused file fit, run for real."""

import re
import shlex
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import VideoError
from helpers.models import OFFLINE_MODEL
from helpers.settings import ROOT
from helpers.videos.limits import check_limits, probe_videos, require_limits
from helpers.videos.media import Probe, probe
from helpers.videos.own import own_videos
from tests.make_media import film, locked_folder, sound, timed_film, write

CAT = ROOT / "data" / "videos" / "cat.mp4"
GOOD = Probe(60.0, 1280, 720, True, codec="h264", size=10_000_000)
FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def changed(**values: object) -> Probe:
    return Probe(**{**GOOD.__dict__, **values})  # type: ignore[arg-type]


BROKEN = [
    ({"duration": 3.999}, ["takes a video of 4 s to 4 h, and this one has 3.999 s"]),
    ({"duration": 14_401.0}, ["takes a video of 4 s to 4 h, and this one has 4.00 h"]),
    ({"width": 480, "height": 358}, ["takes 360x360 pixels or more, and this one has 480x358"]),
    ({"width": 5186, "height": 2160}, ["up to 5184x2160 pixels, and this one has 5186x2160", "2.40:1"]),
    ({"width": 3840, "height": 2400}, ["up to 5184x2160 pixels, and this one has 3840x2400"]),
    ({"width": 1280, "height": 400}, ["pictures of 1:1 to 2.4:1, and this one has 3.20:1"]),
    ({"width": 400, "height": 1280}, ["pictures of 1:1 to 2.4:1, and this one has 1:3.20"]),
    ({"size": 4_000_000_001}, ["files of up to 4 GB for a task, and this one has 4.00 GB"]),
    ({"size": 10_500_000_000}, ["uploads of up to 10 GB, and 4 GB for a task, and this one has 10.50 GB"]),
    (
        {"duration": 2.0, "width": 320, "height": 100},
        ["this one has 2 s", "this one has 320x100", "this one has 3.20:1"],
    ),
]


def broken(path: str | Path) -> list[str]:
    return check_limits(probe(path), path, model="marengo3.0")


@pytest.mark.parametrize("model", ["marengo3.5", "marengo3.0"])
@pytest.mark.parametrize(("values", "words"), BROKEN, ids=[words[0][-28:] for _, words in BROKEN])
def test_a_sentence_for_each_limit(values: dict[str, object], words: list[str], model: str) -> None:
    sentences = check_limits(changed(**values), "video.mp4", model=model)
    assert len(sentences) == len(words)
    for sentence, part in zip(sentences, words, strict=True):
        assert part in sentence and ": `ffmpeg -i video.mp4 " in sentence and sentence.endswith(".")
        assert sentence.startswith("Marengo 3")
        assert ("documented for 3.0" in sentence) == (model == "marengo3.5")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"duration": 4.0},
        {"duration": 14_400.0},
        {"width": 360, "height": 360},
        {"width": 5184, "height": 2160},
        {"width": 2160, "height": 5184},
        {"width": 360, "height": 864},
        {"size": 4_000_000_000},
    ],
)
def test_the_limits_themselves_are_within(values: dict[str, object]) -> None:
    assert check_limits(changed(**values), "video.mp4", model="marengo3.5") == []


def test_the_offline_model_has_the_lower_limits_only() -> None:
    large = changed(duration=20_000.0, width=6000, height=1000, size=11_000_000_000)
    assert check_limits(large, "video.mp4", model=OFFLINE_MODEL) == []
    small = check_limits(changed(duration=2.0, width=480, height=270), "video.mp4", model=OFFLINE_MODEL)
    assert [sentence.split(": `ffmpeg")[0] for sentence in small] == [
        "The offline model takes a video of 4 s or more, and this one has 2 s",
        "The offline model takes 360x360 pixels or more, and this one has 480x270",
    ]


def test_nothing_is_sent_of_what_breaks_a_limit(tmp_path: Path) -> None:
    assert require_limits(CAT, model="marengo3.5") == probe(CAT)
    small = film(tmp_path / "small.mp4", seconds=5)
    with pytest.raises(
        VideoError, match=r"^small.mp4 was not sent\. Marengo 3.0 takes 360x360 .* enlarges it\.$"
    ):
        require_limits(small, model="marengo3.0")
    with pytest.raises(VideoError, match="no video file"):
        require_limits(tmp_path / "gone.mp4", model="marengo3.0")


def heavy(path: Path) -> Path:
    """A film with a box of 4.1 GB behind it that takes no room on the disk."""
    film(path, size=(360, 360), seconds=5)
    with open(path, "ab") as file:
        file.write(b"\0\0\0\1free" + (4_100_000_000).to_bytes(8, "big"))
        file.truncate(file.tell() - 16 + 4_100_000_000)
    return path


def as_a_phone(stream: av.VideoStream) -> None:
    stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
    stream.set_display_rotation(90)


CASES = {
    "small": lambda p: film(p / "small.mp4", size=(320, 240), seconds=5),
    "tiny": lambda p: film(p / "tiny.mp4", size=(64, 48), seconds=5),
    "wide": lambda p: film(p / "wide.mp4", size=(1280, 400), seconds=5),
    "upright": lambda p: film(p / "upright.mp4", size=(300, 900), seconds=5),
    "large": lambda p: film(p / "large.mp4", size=(5300, 2300), seconds=4, rate=Fraction(1, 2)),
    "short": lambda p: film(p / "short.mp4", size=(360, 360), seconds=2),
    "one picture": lambda p: film(p / "one.mp4", size=(360, 360), seconds=1, rate=1),
    "short and small": lambda p: film(p / "short.webm", size=(100, 50), seconds=1),
    "long": lambda p: film(p / "long.mkv", size=(360, 360), seconds=14_600, rate=Fraction(1, 20)),
    "heavy": lambda p: heavy(p / "heavy.mp4"),
    "wide pixels, shown upright": lambda p: timed_film(
        p / "dv.mp4", [n / 5 for n in range(25)], change=as_a_phone
    ),
    "interlaced": lambda p: timed_film(
        p / "tv.mp4", [n / 5 for n in range(25)], options={"flags": "+ildct+ilme", "x264-params": "tff=1"}
    ),
    "spaces and quotes": lambda p: film(p / 'it\'s my "film" $HOME `x`.mp4', size=(320, 240), seconds=4),
}


def mend(line: str, folder: Path) -> None:
    assert line.startswith("ffmpeg ")
    command = shlex.quote(FFMPEG) + line.removeprefix("ffmpeg")
    result = subprocess.run(
        command, shell=True, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-800:]


@given(width=st.integers(16, 9000), height=st.integers(16, 9000))
def test_the_frame_of_the_line_is_within_the_limits(width: int, height: int) -> None:
    found = changed(width=width, height=height)
    sentences = check_limits(found, "video.mp4", model="marengo3.0")
    for sentence in sentences[:1]:
        pad = re.search(r"pad=(\d+):(\d+):", sentence)
        assert pad
        fixed = changed(width=int(pad[1]), height=int(pad[2]))
        assert check_limits(fixed, "video.mp4", model="marengo3.0") == []
        assert fixed.width % 2 == fixed.height % 2 == 0
        assert (fixed.width - fixed.height) * (width - height) >= 0  # upright stays upright


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_line_in_the_sentence_mends_the_file(tmp_path: Path, case: str) -> None:
    path = CASES[case](tmp_path)
    sentences = broken(path)
    assert sentences
    lines = {sentence[sentence.index(": `ffmpeg") + 3 : sentence.rindex("` ")] for sentence in sentences}
    assert len(lines) == 1
    mend(lines.pop(), tmp_path)
    (fixed,) = tmp_path.glob("*-fixed.*")
    assert broken(fixed) == []
    before, after = probe(path), probe(fixed)
    if case == "long":  # cut without encoding anew
        assert fixed.suffix == path.suffix and after.codec == before.codec and after.duration > 14_000


@pytest.mark.parametrize("name", ["-x.mp4", "12:30.mp4"])
def test_names_that_look_like_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    film(tmp_path / name, size=(320, 240), seconds=4)
    monkeypatch.chdir(tmp_path)
    (sentence,) = broken(name)
    assert f"ffmpeg -i ./{name} " in sentence
    mend(sentence.split("`")[1], tmp_path)
    assert broken(name.replace(".mp4", "-fixed.mp4")) == []


def test_sound_is_kept_when_a_short_film_is_made_longer(tmp_path: Path) -> None:
    film(tmp_path / "silent.mp4", size=(360, 360), seconds=2)
    sound(tmp_path / "voice.m4a")
    mend("ffmpeg -i silent.mp4 -i voice.m4a -c copy short.mp4", tmp_path)
    (sentence,) = broken(tmp_path / "short.mp4")
    mend(sentence.split("`")[1], tmp_path)
    fixed = probe(tmp_path / "short-fixed.mp4")
    assert fixed.has_audio and 4 <= fixed.duration < 5


def test_a_table_for_the_eye(tmp_path: Path) -> None:
    film(tmp_path / "small.mp4", seconds=6)
    write(tmp_path / "text.mp4", b"hello")
    address = "https://anna:geheim@films.example.org/trip.mp4?sig=geheim"
    shutil.copy(CAT, tmp_path / "a copy of the cat.mp4")  # counts once
    table = probe_videos([CAT, tmp_path, address])
    assert table.columns.tolist() == [
        "title",
        "minutes",
        "size_mb",
        "resolution",
        "codec",
        "audio",
        "verdict",
    ]
    assert table["title"].tolist() == ["Chelsea the cat", "small", "text.mp4", "trip"]
    assert table.loc[0, ["minutes", "size_mb", "resolution", "codec"]].tolist() == [
        0.35,
        0.38,
        "640x360",
        "h264",
    ]
    assert table.loc[0, "verdict"] == "ok"
    assert "takes 360x360 pixels or more" in table.loc[1, "verdict"]
    assert table.loc[2, "verdict"].startswith("text.mp4 holds text")
    assert table.loc[3, "verdict"].startswith("not known before the service fetches it")
    assert "geheim" not in table.to_csv() and table["audio"].isna().tolist() == [False, False, True, True]
    assert probe_videos(tmp_path, model=OFFLINE_MODEL)["verdict"][1].startswith("The offline model takes 360")


def test_a_table_of_videos_is_probed_again(tmp_path: Path) -> None:
    videos = own_videos(CAT, film(tmp_path / "a.mp4", seconds=5))
    (tmp_path / "a.mp4").unlink()
    table = probe_videos(videos)
    assert table["verdict"][0] == "ok" and table["verdict"][1].startswith("There is no video file at")
    assert (table["minutes"].dtype, table["audio"].dtype) == ("float64", "boolean")


def test_a_list_in_csv_is_told_line_by_line(tmp_path: Path) -> None:
    write(tmp_path / "list.csv", b"path,title\ngone.mp4,Gone\n" + str(CAT).encode() + b",x\n")
    table = probe_videos(tmp_path / "list.csv", root=ROOT)
    assert table["title"].tolist() == ["Gone", "Chelsea the cat"]
    assert table["verdict"][0].startswith("list.csv, line 2: There is no video file")


def test_a_folder_that_may_not_be_read_is_no_row() -> None:
    with locked_folder() as folder, pytest.raises(VideoError, match="may not be read"):
        probe_videos(folder)
