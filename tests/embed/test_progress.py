"""How far a long video is, and that what was made of it is kept when the run is stopped or killed."""

import _thread
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from tqdm.auto import tqdm
from twelvelabs import TwelveLabs

from helpers import OfflineTransport, connect_twelvelabs, embed_batch, embed_videos
from helpers.embed import progress
from helpers.errors import EmbedError, VideoError
from helpers.settings import ROOT
from helpers.standin.encoder import STRETCH, Encoder, Seen
from helpers.standin.practice import PracticeServer
from tests.make_media import film
from tools.faults.children import child

SECONDS = 110
MODELS = ROOT / "data" / "models"


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("long") / "long.mp4", size=(360, 360), seconds=SECONDS, rate=2)


class Offline:
    """The offline model behind the real SDK, with a network that sees no more than how bright a picture is."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.looked_at = home, 0
        self.meanwhile: Callable[[], None] = lambda: None
        monkeypatch.setattr(Encoder, "look_at", lambda _, images: self.look_at(images))
        self.connect()

    def connect(self) -> None:
        self.transport = OfflineTransport(models=MODELS, fixtures=None, unfinished=self.home / "unfinished")
        self.client = TwelveLabs(api_key="offline", httpx_client=httpx.Client(transport=self.transport))

    def look_at(self, images: Iterable[Image.Image]) -> Iterator[Seen]:
        for image in images:
            self.looked_at += 1
            self.meanwhile()
            grey = image.getpixel((0, 0))[0]
            yield Seen(np.eye(1000, dtype=np.float32)[grey], np.full(1280, grey, np.float32))

    def embed(self, path: Path) -> np.ndarray[Any, Any]:
        return np.stack(embed_videos(self.client, path)["embedding_visual"])

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not is_true() and time.monotonic() < until:
            time.sleep(0.005)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offline:
    return Offline(tmp_path, monkeypatch)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_made_of_a_long_video(offline: Offline, long_video: Path) -> None:
    def interrupt() -> None:
        if offline.looked_at == 2 * STRETCH + 5:
            _thread.interrupt_main()
            offline.wait_until(lambda: not any(offline.transport.folder.iterdir()))

    offline.meanwhile = interrupt
    with pytest.raises(KeyboardInterrupt):
        offline.embed(long_video)
    offline.transport.close()  # the work ends where it is
    assert offline.looked_at == 3 * STRETCH
    offline.meanwhile, offline.looked_at = lambda: None, 0
    offline.connect()
    vectors = offline.embed(long_video)
    assert offline.looked_at == SECONDS - 2 * STRETCH
    assert list((offline.home / "unfinished").iterdir()) == []  # the whole answer is in the cache
    offline.looked_at = 0
    (offline.home / "other").mkdir()
    os.environ["VIDEO_SEARCH_HOME"] = str(offline.home / "other")
    assert np.array_equal(offline.embed(long_video), vectors) and offline.looked_at == SECONDS


@pytest.mark.slow
def test_parts_that_are_damaged_are_made_again(offline: Offline, long_video: Path) -> None:
    def fail() -> None:
        if offline.looked_at == 2 * STRETCH + 5:
            raise VideoError("The disk is gone.")

    offline.meanwhile = fail
    with pytest.raises(EmbedError, match="The disk is gone"):
        offline.embed(long_video)
    (folder,) = (offline.home / "unfinished").iterdir()
    first, second = sorted(folder.iterdir())
    first.write_bytes(first.read_bytes()[:1000])
    second.write_bytes(b"")
    offline.meanwhile, offline.looked_at = lambda: None, 0
    offline.connect()
    offline.embed(long_video)
    assert offline.looked_at == SECONDS


@pytest.mark.slow
def test_what_is_done_with_takes_no_memory(offline: Offline, long_video: Path) -> None:
    offline.embed(long_video)
    assert list(offline.client.embed.v_2.tasks.list()) == []


def embed_in_child(path: Path) -> None:
    embed_videos(connect_twelvelabs(), path)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_kill_9_keeps_what_was_made_of_a_long_video(
    long_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = child(embed_in_child, long_video)
    process.start()
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "cache" / "unfinished"
    while len(list(folder.glob("*/*.npz"))) < 2:
        assert process.is_alive()
        time.sleep(0.005)
    process.kill()
    process.join()
    kept = len(list(folder.glob("*/*.npz")))
    looked_at, seen = Encoder.look_at, list[Seen]()

    def counted(self: Encoder, images: Iterable[Image.Image]) -> Iterator[Seen]:
        for one in looked_at(self, images):
            seen.append(one)
            yield one

    monkeypatch.setattr(Encoder, "look_at", counted)
    assert len(embed_videos(connect_twelvelabs(), long_video)) == -(-SECONDS // 6) + 1
    assert len(seen) == SECONDS - kept * STRETCH


# ---------------------------------------------------------------- the bar


class Recorded(tqdm):  # type: ignore[misc]
    """A bar that remembers what it showed."""

    shown: list[str] = []  # noqa: RUF012

    def refresh(self, *args: Any, **options: Any) -> None:
        self.shown.append(str(self))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(progress, "tqdm", Recorded)
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(Recorded, "shown", [])
    monkeypatch.delenv("VIDEO_SEARCH_PROGRESS", raising=False)
    return Recorded.shown


@pytest.mark.slow
def test_offline_the_bar_moves_within_a_video(offline: Offline, long_video: Path, shown: list[str]) -> None:
    def wait() -> None:
        if offline.looked_at == 3 * STRETCH:  # two stretches of it are through
            offline.wait_until(lambda: any("0.7/1.8 min" in line for line in shown))

    offline.meanwhile = wait
    offline.embed(long_video)
    (middle, *_) = [line for line in shown if "0.7/1.8 min" in line]
    assert "39%" in middle and "videos=0/1" in middle and "?" not in middle  # there is a time left
    assert "1.8/1.8 min" in shown[-1] and "videos=1/1" in shown[-1]
    embed_videos(offline.client, long_video)
    assert "1.8/1.8 min" in shown[-1] and "cached=1" in shown[-1]


@pytest.mark.slow
def test_live_the_bar_says_what_is_at_work(
    client: TwelveLabs, practice: PracticeServer, long_video: Path, shown: list[str]
) -> None:
    practice.service.polls = 5
    assert list(embed_batch(client, [long_video]).report["status"]) == ["done"]
    assert any("0.0/1.8 min" in line and "at work=1" in line for line in shown)
    assert "1.8/1.8 min" in shown[-1] and "at work" not in shown[-1]
