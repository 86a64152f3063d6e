"""embed_batch on files as people have them: one bad thing costs only itself, and the report says so."""

import re
from pathlib import Path

import av
import numpy as np
import pytest
from twelvelabs import TwelveLabs

from helpers import available_options, connect_twelvelabs, embed_batch
from helpers.embed.work import Work
from tests.make_media import timed_film, write

SIDE = 384


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TwelveLabs:
    monkeypatch.setenv("VIDEO_SEARCH_MODE", "offline")
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "home"))
    return connect_twelvelabs()


def noise(second: float) -> np.ndarray:
    """A picture of its own for every second, which does not compress."""
    values = np.random.default_rng(round(second * 100)).integers(0, 255, (48, 48, 3))
    return values.astype(np.uint8).repeat(8, 0).repeat(8, 1)


def still(second: float) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), 90, np.uint8)


@pytest.mark.slow
def test_one_bad_file_of_a_folder_is_a_line_of_the_report(client: TwelveLabs, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    timed_film(folder / "good.mp4", [n / 2 for n in range(10)], still)
    write(folder / "page.mp4", b"<html>not found</html>")
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    report = embed_batch(client, folder).report.set_index("title")
    assert report["status"].to_dict() == {"good": "done", "gone.mp4": "failed", "page.mp4": "failed"}
    assert report.loc["page.mp4", "reason"].startswith("page.mp4 holds text")


@pytest.mark.slow
def test_a_film_that_is_refused_makes_no_task(client: TwelveLabs, tmp_path: Path) -> None:
    timed_film(tmp_path / "short.mp4", [0.0, 0.5, 1.0, 1.5], still)
    report = embed_batch(client, tmp_path / "short.mp4").report
    assert report[["status", "tasks"]].values.tolist() == [["failed", 0]]
    assert report["reason"][0].startswith("short.mp4 was not sent. The offline model takes a video of 4 s")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("track", "reason", "described"),
    [
        (
            "00:00.000 --> 00:02.000\n♫ ♪\n\n00:02.000 --> 00:05.000\nA dog.\n",
            "cannot read 1 of 2 cues",
            True,
        ),
        ("00:00.000 --> 00:02.000\nПривет\n", "cannot read 1 of 1 cues", False),
        ("00:02.000 --> 00:01.000\nBack.\n\n00:02.000 --> 00:05.000\nA dog.\n", "ends at 00:00:01.000", True),
        ("no cue at all\n", "holds no cue that can be read", False),
        (f"00:00.000 --> 00:05.000\n{'many words ' * 300}\n", "^$", True),
    ],
)
def test_a_bad_cue_costs_its_words_and_not_the_pictures(
    client: TwelveLabs, tmp_path: Path, track: str, reason: str, described: bool
) -> None:
    timed_film(tmp_path / "a.mp4", [n / 2 for n in range(10)], still)
    (tmp_path / "a.vtt").write_text(f"WEBVTT\n\n{track}", "utf-8")
    batch = embed_batch(client, tmp_path / "a.mp4")
    assert batch.report["status"].tolist() == ["done"]
    assert re.search(reason, batch.report["reason"][0])
    assert ("description" in available_options(batch.segments)) == described


@pytest.mark.slow
def test_damaged_pictures_are_passed_over_and_said(client: TwelveLabs, tmp_path: Path) -> None:
    path = timed_film(tmp_path / "a.mp4", [n / 5 for n in range(50)], noise, options={"g": "10"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 30_000] = bytes(30_000)
    report = embed_batch(client, write(path, bytes(data))).report
    assert report["status"].tolist() == ["done"]
    assert re.search(r"damaged pictures? (near|from) [45]\.\d s .*passed over", report["reason"][0])


@pytest.mark.slow
def test_an_unfinished_fragment_is_what_is_missing(client: TwelveLabs, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=5, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 384, 384, "yuv420p"
        for n in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise(n), format="rgb24")))
        container.mux(stream.encode())
    report = embed_batch(client, write(path, path.read_bytes()[:-20_000])).report
    assert report["status"].tolist() == ["done"]
    assert re.search(
        r"a.mp4 is cut off: of its last seconds, after \d.* s, nothing can be read", report["reason"][0]
    )


def test_a_message_names_the_file_and_no_digest(client: TwelveLabs, tmp_path: Path) -> None:
    report = embed_batch(client, timed_film(tmp_path / "my cat.mp4", [0, 1, 2], still)).report
    assert report["status"].tolist() == ["failed"] and "my cat.mp4" in report["reason"][0]
    assert not re.search(r"[0-9a-f]{16}", report["reason"][0])
    digest = "0123456789abcdef" * 4
    said = f"Could not read {digest}: {digest[:16]}.mp4 is damaged."
    work = Work(Path(r"a\1.mp4"), digest, {}, "marengo3.5", key="")
    assert work.named(said) == r"Could not read a\1.mp4: a\1.mp4 is damaged."
