"""Players, stills, contact sheets, tables, figures and the search box, on real sample videos."""

import base64
import html
import io
import itertools
import json
import os
import re
import shutil
from fractions import Fraction
from html.parser import HTMLParser
from types import SimpleNamespace

import av
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from helpers.errors import AnalysisError, SearchError, VideoError
from helpers.settings import ROOT
from helpers.show import captions as show_captions
from helpers.show import figures as show_figures
from helpers.show import frame_map
from helpers.show import output as show_output
from helpers.show import pictures as show_pictures
from helpers.show import players as show_players
from helpers.show import timeline as show_timeline
from helpers.show import widgets as show_widgets
from helpers.show.clusters import plot_map
from helpers.show.table import show_table
from helpers.videos import frames as display
from helpers.videos.frames import cut_clip
from tests.make_media import FAST

CAT, COFFEE, BUNNY = (f"data/videos/{name}.mp4" for name in ("cat", "coffee", "big-buck-bunny"))


def hits(*rows: tuple[str, float, float], **more: object) -> pd.DataFrame:
    """Hits on (video_url, start, end); `more` replaces columns."""
    frame = pd.DataFrame(rows, columns=["video_url", "start_offset_sec", "end_offset_sec"])
    names = frame["video_url"].str.extract(r"([^/]+)\.\w+$")[0]
    scores = [0.9 - 0.1 * i for i in range(len(rows))]
    return frame.assign(rank=range(1, len(rows) + 1), score=scores, title=names, segment_id=names).assign(
        **more
    )


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """The start tags of some HTML with their attributes, as a browser reads them."""
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Reader().feed(page)
    return found


def videos(page: str) -> list[dict[str, str | None]]:
    return [attrs for tag, attrs in tags(page) if tag == "video"]


def words(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def content(uri: str, kind: str) -> bytes:
    start = f"data:{kind};base64,"
    assert uri.startswith(start)
    return base64.b64decode(uri.removeprefix(start))


def picture(uri: str, kind: str) -> Image.Image:
    return Image.open(io.BytesIO(content(uri, kind)))


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean difference of two pictures of one size, 0 to 255."""
    return float(np.abs(np.asarray(a.convert("RGB"), float) - np.asarray(b.convert("RGB"), float)).mean())


@pytest.fixture
def shown(monkeypatch):
    """The bundles that were displayed."""
    bundles: list[dict[str, object]] = []
    monkeypatch.setattr(show_output, "display", lambda bundle, *, raw: bundles.append(bundle))
    return bundles


@pytest.fixture(autouse=True)
def in_the_notebooks_folder(monkeypatch, tmp_path):
    """A kernel's working folder, and no Jupyter server around."""
    (ROOT / "notebooks").mkdir(exist_ok=True)
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    monkeypatch.delenv("VIDEO_SEARCH_PROGRESS", raising=False)


def start_server(folder, *, root, base_url="/"):
    """What a Jupyter server leaves in its runtime folder."""
    (folder / "runtime").mkdir(exist_ok=True)
    note = {"base_url": base_url, "root_dir": str(root), "pid": 4711}
    (folder / "runtime" / "jpserver-4711.json").write_text(json.dumps(note))


# ---------------------------------------------------------------- times and tables


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.99, "0:05"), (59.9999999, "1:00"), (60, "1:00"), (596.46, "9:56"), (3725, "1:02:05")],
)
def test_format_time(seconds, text):
    assert show_captions.format_time(seconds) == text


def test_a_table_has_times_and_no_vectors():
    frame = hits((CAT, 0.0, 6.0), (BUNNY, 132.5, 138.0), cluster=-1, category="animals")
    frame["embedding_visual"] = [np.zeros(3), None]
    frame["has_visual"] = [True, False]
    table = show_table(frame)
    assert list(table) == ["time", "score", "title", "category"]
    assert table.index.tolist() == [1, 2] and table.index.name == "rank"
    assert table["time"].tolist() == ["0:00-0:06", "2:12-2:18"]
    assert table["score"].tolist() == ["0.900", "0.800"]
    assert "cluster" in show_table(frame.assign(cluster=[0, -1]))
    chosen = show_table(frame, columns=["title", "time"], limit=1)
    assert chosen.to_dict("records") == [{"title": "cat", "time": "0:00-0:06"}]
    assert "embedding_visual" in frame, "the table given stays as it was"
    assert show_table(pd.DataFrame({"n": [1]}))["n"].tolist() == [1]
    assert show_table(pd.DataFrame({"minutes": [0.35, float("nan")]}))["minutes"].tolist() == ["0.350", "-"]
    assert show_table(frame.head(0)).empty


# ---------------------------------------------------------------- stills and clips


@pytest.mark.slow
@pytest.mark.parametrize("second", [0.0, 0.5, 7.31, 11.99])
def test_a_thumbnail_is_the_frame_on_screen(second):
    with av.open(str(ROOT / BUNNY)) as container:
        frames = itertools.takewhile(lambda f: f.time <= second + 1e-3, container.decode(video=0))
        *_, on_screen = frames
        expected = on_screen.to_image().resize((240, 135), Image.Resampling.LANCZOS)
    still = display.thumbnail(BUNNY, second)
    assert still.size == (240, 135)
    assert difference(still, expected) == 0


@pytest.mark.slow
def test_thumbnails_seek_far_go_past_the_end_and_are_copies():
    far, other = display.thumbnail(BUNNY, 300.0, width=80), display.thumbnail(BUNNY, 400.0, width=80)
    assert far.size == (80, 45) and difference(far, other) > 10
    last = display.thumbnail(CAT, 1e5)
    assert difference(last, display.thumbnail(CAT, 20.99)) < 3
    last.paste("red", (0, 0, 240, 100))
    assert difference(last, display.thumbnail(CAT, 1e5)) > 10


def test_a_thumbnail_follows_its_file(tmp_path):
    file = tmp_path / "film.mp4"
    shutil.copy(ROOT / CAT, file)
    cat = display.thumbnail(file, 3.0)
    shutil.copy(ROOT / COFFEE, file)
    os.utime(file, (1, 1))
    assert difference(cat, display.thumbnail(file, 3.0)) > 10


@pytest.mark.slow
def test_a_phone_film_stands_upright(tmp_path):
    file = tmp_path / "phone.mp4"
    with av.open(str(file), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.set_display_rotation(-90)  # turn the pixels clockwise to see them upright
        sideways = Image.new("RGB", (320, 180), "black")
        sideways.paste("white", (0, 0, 160, 180))  # left half white: upright, the upper half
        for _ in range(50):
            target.mux(stream.encode(av.VideoFrame.from_image(sideways)))
        target.mux(stream.encode())
    still = display.thumbnail(file, 1.0, width=90)
    assert still.size == (90, 160)
    assert still.getpixel((45, 20))[0] > 240 and still.getpixel((45, 140))[0] < 15
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(cut_clip(file, 0.5, 1.5))
    assert difference(display.thumbnail(clip, 0.5, width=90), still) < 5


@pytest.mark.slow
def test_a_cut_clip_is_the_moment_with_its_sound():
    with av.open(io.BytesIO(cut_clip(BUNNY, 132.8, 135.8))) as clip:
        assert [s.codec_context.name for s in clip.streams] == ["h264", "aac"]
        frames = list(clip.decode(video=0))
        assert clip.duration / av.time_base == pytest.approx(3.0, abs=0.1)
    assert len(frames) == 72 and frames[0].time == 0
    for second in (0, 2):
        cut = frames[24 * second].to_image().resize((240, 135), Image.Resampling.LANCZOS)
        assert difference(cut, display.thumbnail(BUNNY, 132.8 + 1 / 24 + second)) < 8
    assert len(cut_clip(CAT, 6, 12)) < 400_000


def film_from(folder, suffix, *, zero=0, seconds=10, fps=25):
    """A film whose clock begins at `zero` s: second n is grey 25 n, silent up to 5 s and loud from there on."""
    file = folder / f"film{suffix}"
    kind, codec, sound = {
        ".ts": ("mpegts", "libx264", "mp2"),
        ".mpg": ("mpeg", "mpeg2video", "mp2"),
        ".mkv": ("matroska", "libx264", "aac"),
        ".mov": ("mov", "libx264", "aac"),
        ".avi": ("avi", "mpeg4", "mp2"),
    }[suffix]
    with av.open(str(file), "w", format=kind) as target:
        film = target.add_stream(codec, rate=fps)
        voice = target.add_stream(sound, 44100, FAST if sound == "aac" else {}, layout="mono")
        film.width, film.height, film.pix_fmt, film.codec_context.gop_size = 160, 90, "yuv420p", 50
        for n in range(seconds * fps):
            grey = (25 * (n // fps),) * 3
            frame = av.VideoFrame.from_image(Image.new("RGB", (160, 90), grey))
            frame.pts, frame.time_base = zero * fps + n, Fraction(1, fps)
            target.mux(film.encode(frame))
            loud = 20_000 * np.sin(np.arange(1764) / 10) * (n >= 5 * fps)  # 1764 samples a frame
            chunk = av.AudioFrame.from_ndarray(loud.astype(np.int16)[None], format="s16", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = 44100, zero * 44100 + n * 1764, Fraction(1, 44100)
            target.mux(voice.encode(chunk))
        target.mux(film.encode())
        target.mux(voice.encode())
    return file


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".ts", ".mpg", ".mkv", ".mov"])
def test_a_film_whose_clock_does_not_begin_at_zero(suffix, tmp_path):
    file = film_from(tmp_path, suffix, zero=100)
    for second in (0, 3, 7, 9, 50):
        grey = display.thumbnail(file, second + 0.5).getpixel((120, 60))[0]
        assert grey == pytest.approx(25 * min(second, 9), abs=4)
    with av.open(io.BytesIO(cut_clip(file, 4.0, 7.0))) as clip:
        frames = list(clip.decode(video=0))
    assert [round(float(f.to_ndarray(format="gray").mean()) / 25) for f in frames] == [4] * 25 + [5] * 25 + [
        6
    ] * 25
    with av.open(io.BytesIO(cut_clip(file, 4.0, 7.0))) as clip:
        sound = np.concatenate([f.to_ndarray()[0] for f in clip.decode(audio=0)])
    loud_from = int(np.argmax(np.abs(sound) > 0.1)) / 44100
    assert loud_from == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), [(10.5, 12.0), (300.0, 306.0), (5.0, 5.0), (7.0, 3.0)])
def test_a_clip_without_a_picture_gets_one_sentence(start, end, tmp_path):
    file = film_from(tmp_path, ".ts", zero=100)
    with pytest.raises(VideoError, match=r"film.ts has no picture from .* s to .* s: name a start"):
        cut_clip(file, start, end)


def test_a_clip_between_two_pictures_is_the_one_on_screen(tmp_path):
    file = tmp_path / "slides.mkv"
    with av.open(str(file), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for n, colour in enumerate(["white", "black"]):
            frame = av.VideoFrame.from_image(Image.new("RGB", (160, 90), colour))
            frame.pts, frame.time_base = n * 250, Fraction(1, 25)  # 10 s each
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    with av.open(io.BytesIO(cut_clip(file, 4.0, 6.0))) as clip:
        assert [f.to_image().getpixel((80, 45))[0] > 240 for f in clip.decode(video=0)] == [True]


@pytest.mark.parametrize("read", [lambda f: display.thumbnail(f, 1.0), lambda f: cut_clip(f, 0, 1)])
def test_what_is_no_video_gets_one_sentence(read, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(VideoError, match=r"notes.mp4 cannot be read as a video"):
        read(text)
    with pytest.raises(VideoError, match=r"gone.mp4 is not where .* relink\(milvus, name, folder\)"):
        read(tmp_path / "gone.mp4")
    with pytest.raises(VideoError, match="web address"):
        read("https://example.org/film.mp4")


# ---------------------------------------------------------------- players


def player(video_url: str, start: float, end: float, **options) -> str:
    return show_players.clip_html(hits((video_url, start, end)).iloc[0].to_dict(), **options)


def test_a_player_starts_and_stops_with_its_clip():
    page = player(BUNNY, 132.0, 138.25)
    (video,) = videos(page)
    assert video["src"] == "../data/videos/big-buck-bunny.mp4#t=132,138.25"
    assert "controls" in video and video["preload"] == "metadata"
    assert "<source" not in page and "<script" not in page
    poster = picture(video["poster"], "image/jpeg")
    assert difference(poster, display.thumbnail(BUNNY, 135.125)) < 8
    assert "1. big-buck-bunny, 2:12-2:18, score 0.900" in words(page)
    assert page == player(BUNNY, 132.0, 138.25)
    assert "#t=130,140.25" in player(BUNNY, 132.0, 138.25, context=2)
    assert "#t=0,8" in player(BUNNY, 1.0, 6.0, context=2)


def test_the_path_fits_the_notebooks_folder(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert videos(player(CAT, 0, 6))[0]["src"] == "data/videos/cat.mp4#t=0,6"


def test_text_from_data_is_escaped():
    evil = '<img src=x onerror="alert(1)">'
    rows = hits((CAT, 0, 6), title=evil, video_url='http://example.org/"><script>.mp4?a=1&b=2#t=9')
    page = show_players.clip_html(rows.iloc[0].to_dict())
    assert [tag for tag, _ in tags(page)] == ["figure", "video", "figcaption"]
    assert videos(page)[0]["src"] == 'http://example.org/"><script>.mp4?a=1&b=2#t=0,6'
    assert "poster" not in videos(page)[0]
    assert evil in words(page).replace("\n", "") or evil in html.unescape(page)


def test_a_hit_without_rank_score_or_title():
    page = show_players.clip_html({"video_url": CAT, "start_offset_sec": 0, "end_offset_sec": 6})
    assert words(page).strip().startswith("cat, 0:00-0:06")


def test_a_missing_file_has_a_caption_and_one_sentence(tmp_path, shown):
    show_players.show_moments(
        hits(("data/videos/gone.mp4", 0, 6), (str(tmp_path / "lost.mp4"), 0, 6), (CAT, 0, 6))
    )
    page = str(shown[0]["text/html"])
    assert len(videos(page)) == 1
    where = "put it back, or call relink(milvus, name, folder)."
    assert f"The file gone.mp4 is not where the collection says: {where}" in page
    assert str(tmp_path) not in page


def test_a_file_that_jupyter_does_not_serve_is_embedded(tmp_path):
    outside = tmp_path / "my film #1.mp4"
    shutil.copy(ROOT / CAT, outside)
    source = videos(player(str(outside), 6.0, 8.0))[0]["src"]
    with av.open(io.BytesIO(content(source, "video/mp4"))) as clip:
        assert clip.duration / av.time_base == pytest.approx(2.0, abs=0.1)
    assert str(tmp_path) not in player(str(outside), 6.0, 8.0)

    start_server(tmp_path, root=tmp_path)
    served = videos(player(str(outside), 6.0, 8.0))[0]["src"]
    assert served.endswith("/my%20film%20%231.mp4#t=6,8") and served.startswith("../")
    hidden = tmp_path / ".films"  # Jupyter serves no hidden folder
    hidden.mkdir()
    shutil.copy(outside, hidden / "film.mp4")
    assert videos(player(str(hidden / "film.mp4"), 6.0, 8.0))[0]["src"].startswith("data:video/mp4;")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".avi", ".mpg", ".ts", ".mkv", ".mov"])
def test_what_browsers_do_not_play_is_shown_as_an_mp4_clip(suffix, tmp_path):
    file = film_from(tmp_path, suffix).rename(tmp_path / f"film{suffix.upper()}")
    start_server(tmp_path, root=tmp_path)
    for in_widget in (False, True):
        source = videos(player(str(file), 2.0, 4.0, in_widget=in_widget))[0]["src"]
        with av.open(io.BytesIO(content(source, "video/mp4"))) as clip:
            assert clip.streams.video[0].codec_context.name == "h264"
            assert clip.duration / av.time_base == pytest.approx(2.0, abs=0.1)
    late = player(str(file), 60.0, 66.0)
    assert videos(late) == [] and "has no picture from 60 s to 66 s" in words(late)


@pytest.mark.slow
def test_a_credit_is_known_by_content_and_says_what_was_changed(tmp_path, shown):
    flower = "vultilion on Flickr, via scikit-learn, CC BY 2.0 (film made from photos)"
    copy = tmp_path / "renamed.mp4"
    shutil.copy(ROOT / "data/videos/flower.mp4", copy)
    by_id = {"video_id": "renamed-9a92b27850", "title": "Dahlia"}
    for url, more in [
        ("data/videos/flower.mp4", {}),
        ("notebooks/../data/videos/flower.mp4", {"video_id": "film"}),
        (str(ROOT / "data/videos/flower.mp4"), {}),
        (str(copy), by_id),
        ("https://example.org/f.mp4", by_id),
    ]:
        for show in (show_players.show_moments, show_pictures.show_contact_sheet):
            show(hits((url, 0, 6), **more))
            assert f"Videos: {flower}" in words(str(shown[-1]["text/html"])), url
    show_players.show_moments(hits((str(copy), 0, 6), (BUNNY, 0, 6), (BUNNY, 6, 12)))
    page = words(str(shown[-1]["text/html"]))
    assert "CC BY 2.0" not in page, "neither its id nor its place is known"
    assert page.count("CC BY 3.0 (scaled to 360p)") == 1, "each once"


def test_a_page_shows_each_credit_once_and_a_cell_that_runs_again_its_own(monkeypatch):
    """A cell is known by the id that JupyterLab sends, or else by its source."""
    monkeypatch.setattr(show_captions, "_shown_by", {})
    message: dict[str, dict[str, str]] = {}
    shell = SimpleNamespace(get_parent=lambda: message)
    monkeypatch.setattr(show_captions, "get_ipython", lambda: shell)

    def run(number: int, code: str, *films: str, cell: str | None = None) -> str:
        message["header"] = {"msg_id": str(number)}
        message["content"], message["metadata"] = {"code": code}, {"cellId": cell} if cell else {}
        return show_captions.credits_due([{"video_url": film} for film in films])

    assert "Blender" in run(1, "first", BUNNY)
    assert run(1, "first", BUNNY) == "", "a second sheet of the same cell"
    assert run(2, "second", BUNNY) == ""
    assert "Pikolo" in (due := run(3, "third", BUNNY, COFFEE)) and "Blender" not in due
    assert "Blender" in run(4, "first", BUNNY)
    assert run(5, "second", BUNNY) == ""
    assert "Walt" in run(6, "cat", CAT, cell="a") and run(7, "cat", CAT, cell="b") == ""
    assert "Walt" in run(8, "cat, edited", CAT, cell="a")
    shell.get_parent = dict  # a callback of a widget
    rocket = "data/videos/rocket.mp4"
    assert "Walt" in show_captions.credits_due([{"video_url": CAT}])
    assert "SpaceX" in show_captions.credits_due([{"video_url": rocket}])
    shell.get_parent = lambda: message
    assert "SpaceX" in run(9, "rocket", rocket), "what a callback shows is not on the page"


def test_in_a_widget_the_server_or_the_clip_itself(tmp_path):
    assert videos(player(CAT, 6.0, 8.0, in_widget=True))[0]["src"].startswith("data:video/mp4;")
    start_server(tmp_path, root=ROOT, base_url="/user/ada/")
    source = videos(player(CAT, 6.0, 8.0, in_widget=True))[0]["src"]
    assert source == "/user/ada/files/data/videos/cat.mp4#t=6,8"
    (tmp_path / "runtime" / "jpserver-4711.json").write_text("{ broken")
    assert videos(player(CAT, 6.0, 8.0, in_widget=True))[0]["src"].startswith("data:video/mp4;")


def test_show_moments_tells_the_same_in_words(shown):
    show_players.show_moments(hits((CAT, 0, 6), (COFFEE, 6, 12), (CAT, 6, 12)), limit=2, columns=1)
    assert len(videos(str(shown[0]["text/html"]))) == 2
    assert shown[0]["text/plain"] == "1. cat, 0:00-0:06, score 0.900\n2. coffee, 0:06-0:12, score 0.800"
    assert str(shown[0]["text/html"]).count("width:98%") == 2
    show_players.show_moments(hits())
    assert shown[1]["text/plain"] == "No moments to show."


# ---------------------------------------------------------------- pictures


TEN = hits(
    *[(BUNNY, 60.0 * i, 60.0 * i + 6) for i in range(1, 8)], (CAT, 0, 6), (COFFEE, 6, 12), (CAT, 6, 12)
)


def image_of(bundle: dict[str, object]) -> dict[str, str | None]:
    return next(attrs for tag, attrs in tags(str(bundle["text/html"])) if tag == "img")


@pytest.mark.slow
def test_a_map_shows_a_still_of_each_cluster_where_there_is_room(shown):
    """The two first rows lie on one place; of the last, the file is gone."""
    rows = hits((CAT, 0, 6), (CAT, 6, 12), (COFFEE, 0, 6), ("data/videos/gone.mp4", 0, 6))
    points = pd.DataFrame({"x": [0, 0.01, 1, 0.5], "y": [0, 0, 0, 1]})
    points.attrs["method"] = "pca"
    frame_map.show_map(rows, points, [0, 0, 1, -1], title="Two films")
    (bundle,) = shown
    assert bundle["text/plain"] == "Two films: 4 segments, cluster 0 2, cluster 1 1, noise 1; stills of 2"
    assert image_of(bundle)["alt"] == bundle["text/plain"]
    assert "Stefan van der Walt" in str(bundle["text/html"]) and "Rachel Michetti" in str(bundle["text/html"])
    picture = np.asarray(Image.open(io.BytesIO(bundle["image/png"])).convert("RGB"), dtype=int)
    for colour, seen in (((0, 114, 178), True), ((230, 159, 0), True), ((213, 94, 0), False)):
        assert bool((abs(picture - colour).max(axis=2) < 12).sum() > 200) is seen
    with pytest.raises(AnalysisError, match=r"^There are 4 labels for 3 segments"):
        frame_map.show_map(rows, points.head(3), [0, 0, 1, -1])
    with pytest.raises(AnalysisError, match=r"^There are 2 labels for 4 segments"):
        frame_map.show_map(rows, points, [0, 1])


def test_stills_on_a_map_do_not_cover_each_other():
    random = np.random.default_rng(0)
    points = pd.DataFrame(random.normal(size=(300, 2)), columns=["x", "y"])
    figure = plot_map(points, [0] * 300)
    chosen = frame_map.with_room(figure, points, [0] * 300)
    figure.canvas.draw()
    at = figure.axes[0].transData.transform(points.to_numpy()[chosen])
    for one, other in itertools.combinations(at, 2):
        assert (abs(one - other) > (frame_map.STILL, frame_map.STILL * 3 // 4)).any()
    assert 5 < len(chosen) <= frame_map.MOST_STILLS
    plt.close(figure)


@pytest.mark.slow
def test_a_contact_sheet_is_small_and_says_what_it_shows(shown):
    show_pictures.show_contact_sheet(TEN, title="Ten <moments>")
    (bundle,) = shown
    assert set(bundle) == {"image/png", "text/html", "text/plain"}
    png = Image.open(io.BytesIO(bundle["image/png"]))
    assert len(png.getcolors()) <= 48 and png.width > 4 * 200
    assert len(base64.b64encode(bundle["image/png"])) + len(bundle["text/html"]) < 180_000
    said = "Ten <moments>: 1. big-buck-bunny, 1:00-1:06, score 0.900; 2. "
    assert str(bundle["text/plain"]).startswith(said)
    images = [attrs for tag, attrs in tags(str(bundle["text/html"])) if tag == "img"]
    assert [f"{n + 1}. " for n in range(10)] == [
        str(image["alt"])[: len(f"{n + 1}. ")] for n, image in enumerate(images)
    ]
    assert all(str(image["alt"]) in str(bundle["text/plain"]) for image in images)
    caption = words(str(bundle["text/html"]))
    assert "Ten <moments>" in caption and caption.count("CC BY 3.0") == 1
    show_pictures.show_contact_sheet(TEN, title="Ten <moments>")
    assert shown[1] == bundle


def test_a_tile_is_the_middle_frame_of_its_hit(shown):
    show_pictures.show_contact_sheet(hits((CAT, 6.0, 12.0)))
    tile = picture(image_of(shown[0])["src"], "image/webp")
    expected = display.thumbnail(CAT, 9.0, width=200)
    assert tile.size == expected.size and difference(tile, expected) < 8
    sheet = Image.open(io.BytesIO(shown[0]["image/png"])).convert("RGB")
    assert difference(sheet.crop((6, 6, 6 + tile.width, 6 + tile.height)), expected) < 12
    show_pictures.show_contact_sheet(hits((CAT, 0.0, 6.0)))
    assert difference(picture(image_of(shown[1])["src"], "image/webp"), tile) > 8


def test_a_sheet_names_its_rows_and_marks_what_is_right(shown):
    """With a tick and a word, in the picture too; no mark where nobody said what is right."""
    four = hits((CAT, 0, 6), (COFFEE, 0, 6), (CAT, 6, 12), (CAT, 12, 18), leg=["by <eye>"] * 3 + ["by ear"])
    marked = pd.concat([four.head(2).assign(right=[False, True]), four.tail(2)])
    marked["score"] = marked["score"].where(marked["leg"] != "by ear")
    show_pictures.show_contact_sheet(four, rows="leg")
    show_pictures.show_contact_sheet(marked, rows="leg", title="Legs")
    assert "right" not in str(shown[0])
    assert shown[1]["text/plain"] == (
        "Legs:\nby <eye>: 1. cat, 0:00-0:06, score 0.900; 2. coffee, 0:00-0:06, score 0.800, right; "
        "3. cat, 0:06-0:12, score 0.700\nby ear: 4. cat, 0:12-0:18"
    )
    said = words(str(shown[1]["text/html"]))
    assert said.index("by <eye>") < said.index("✓ right") < said.index("by ear")
    assert said.count("✓") == 1
    before, after = (Image.open(io.BytesIO(bundle["image/png"])).convert("RGB") for bundle in shown)
    assert difference(before, after) > 0


@pytest.mark.parametrize(
    ("tiles", "columns", "across"), [(5, 4, 3), (10, 4, 4), (7, 4, 4), (3, 4, 3), (5, 5, 5)]
)
def test_the_lines_of_a_sheet_are_about_equally_long(tiles, columns, across, shown):
    gone = hits(*[("data/videos/gone.mp4", 0, 6)] * tiles)
    show_pictures.show_contact_sheet(gone, columns=columns)
    assert Image.open(io.BytesIO(shown[0]["image/png"])).width == across * 206 + 6


def test_four_tiles_fit_on_a_narrow_page_and_are_not_small_there(shown):
    show_pictures.show_contact_sheet(hits(*[("data/videos/gone.mp4", 0, 6)] * 8))
    widths = re.findall(r"width:25%;min-width:(\d+)px;max-width:214px", str(shown[0]["text/html"]))
    assert len(widths) == 8 and len(set(widths)) == 1
    assert 180 + show_pictures.AROUND <= int(widths[0]) <= (860 - 20) / 4


def test_a_sheet_without_its_film_or_without_hits(shown):
    show_pictures.show_contact_sheet(
        hits(("data/videos/gone.mp4", 0, 6), ("https://example.org/a.mp4", 0, 6))
    )
    grey = picture(image_of(shown[0])["src"], "image/webp")
    assert grey.size == (200, 112) and difference(grey, Image.new("RGB", grey.size, "#cccccc")) < 2
    show_pictures.show_contact_sheet(hits())
    assert shown[1] == {"text/plain": "No moments to show."}
    with pytest.raises(SearchError, match="no column 'leg'"):
        show_pictures.show_contact_sheet(TEN, rows="leg")


@pytest.mark.slow
def test_a_figure_is_shown_once_opaque_and_with_alt_text(shown):
    show_figures.use_style()
    for _ in range(2):
        fig, axes = plt.subplots()
        axes.plot([3, 1, 2])
        show_figures.show_figure(fig, alt='Scores "fall" & rise', caption="A <caption>")
    assert plt.get_fignums() == []
    assert shown[0] == shown[1], "committed outputs are compared"
    png = Image.open(io.BytesIO(shown[0]["image/png"]))
    assert png.mode == "RGB" and png.getpixel((0, 0)) == (255, 255, 255)
    assert image_of(shown[0])["alt"] == shown[0]["text/plain"] == 'Scores "fall" & rise'
    assert content(image_of(shown[0])["src"], "image/png") == shown[0]["image/png"]
    assert "A <caption>" in words(str(shown[0]["text/html"]))


@pytest.mark.slow
def test_a_timeline_has_a_bar_for_each_clip(shown):
    fixed = pd.DataFrame(
        {
            "start_offset_sec": [0.0, 6, 12, 0],
            "end_offset_sec": [6.0, 12, 17, 17],
            "embedding_scope": ["clip", "clip", "clip", "asset"],
        }
    )
    dynamic = pd.DataFrame({"start_offset_sec": [9.0, 0], "end_offset_sec": [17.0, 9]})
    fig = show_timeline.plot_timeline({"fixed-6": fixed, "dynamic-4": dynamic}, title="cat", until=60)
    (axes,) = fig.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["fixed-6", "dynamic-4"]
    bars = [path.get_extents() for bar in axes.collections for path in bar.get_paths()]
    assert sorted((b.y0, b.x0, b.x1) for b in bars) == [
        (-0.35, 0, 6),
        (-0.35, 6, 12),
        (-0.35, 12, 17),
        (0.65, 0, 9),
        (0.65, 9, 17),
    ]
    assert axes.get_xlim() == (0, 60) and axes.get_title() == "cat"
    assert axes.xaxis.get_major_formatter()(60) == "1:00"
    show_figures.show_figure(fig, alt="Timeline")
    assert len(shown) == 1


@pytest.mark.parametrize("until", [None, 3, 20, 22.5, 60, 145, 596.46, 5000])
def test_the_times_of_a_timeline_are_whole_seconds(until):
    clips = pd.DataFrame({"start_offset_sec": [0.0, 6, 12], "end_offset_sec": [6.0, 12, 19]})
    (axes,) = show_timeline.plot_timeline({"fixed-6": clips}, until=until).axes
    end = until or 19
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= end]
    steps = set(np.diff(ticks))
    assert len(steps) == 1 and all(tick == int(tick) for tick in ticks)
    assert steps <= {1, 2, 5, 6, 10, 15, 20, 30, 60, 120, 300, 600} and 4 <= len(ticks) <= 11


# ---------------------------------------------------------------- the search box


@pytest.mark.slow
def test_the_box_answers_with_ten_players(tmp_path):
    start_server(tmp_path, root=ROOT)
    asked = []

    def search(text):
        asked.append(text)
        return TEN if len(asked) == 1 else TEN.tail(1)

    box = show_widgets.search_box(search, placeholder="what to find")
    assert box.words.placeholder == "what to find" and box.results.value == ""
    box.words.value = "  green eyes "
    assert asked == [], "typing alone asks nothing"
    box.button.click()
    assert asked == ["green eyes"]
    assert len(videos(box.results.value)) == 10
    assert box.results.value.count("Stefan van der Walt") == 1, "a credit stands once, below all"
    box._handle_custom_msg({"event": "submit"}, []), box.words._handle_custom_msg({"event": "submit"}, [])
    assert asked == ["green eyes"] * 2, "the Enter key asks once"


@pytest.mark.slow
def test_the_box_offers_options():
    asked = []

    def search(text, *, option):
        asked.append((text, option))
        return hits((CAT, 0, 1))

    box = show_widgets.search_box(search, options=["visual", "description"])
    box.option.value = "description"
    assert asked == [], "there are no words yet"
    box.words.value = "cat"
    box.button.click()
    box.option.value = "visual"
    assert asked == [("cat", "description"), ("cat", "visual")], "another option searches again"


def test_the_box_says_what_is_wrong_in_one_sentence():
    def search(text):
        if text == "nothing":
            return hits()
        raise SearchError("The query is of <another> model: embed it again.")

    box = show_widgets.search_box(search)
    for text, answer in [
        (" ", "Type a few words first."),
        ("nothing", "Nothing was found."),
        ("cat", "The query is of <another> model: embed it again."),
    ]:
        box.words.value = text
        box.button.click()
        assert words(box.results.value).strip() == answer


def test_an_error_that_nobody_foresaw_is_not_swallowed():
    box = show_widgets.search_box(lambda text: 1 / 0)
    box.words.value = "cat"
    with pytest.raises(ZeroDivisionError):
        box.ask()
    assert "unexpected" in box.results.value


def test_the_box_leaves_one_sentence_in_a_committed_notebook(monkeypatch, tmp_path):
    view = "application/vnd.jupyter.widget-view+json"
    box = show_widgets.search_box(lambda text: TEN)
    assert repr(box) == repr(show_widgets.search_box(lambda text: TEN, options=["visual"]))
    assert len(repr(box)) <= 110, "ipywidgets cuts what is longer"
    assert set(box._repr_mimebundle_()) == {"text/plain", view}
    monkeypatch.setenv("VIDEO_SEARCH_PROGRESS", "plain")
    assert box._repr_mimebundle_() == {"text/plain": repr(box)}
    start_server(tmp_path, root=ROOT)
    assert view in box._repr_mimebundle_(), "somebody is looking"


def test_a_long_axis_has_few_marks() -> None:
    segments = pd.DataFrame({"start_offset_sec": [0.0], "end_offset_sec": [1e7]})
    axes = show_timeline.plot_timeline({"all": segments}).axes[0]
    assert 2 <= len(axes.get_xticks()) <= 14
