"""How fast the offline model embeds videos: `python -m benchmarks.offline_embedding` from the checkout.

Prints seconds of video per second: of one video by the encoder alone, and of four through the real SDK, with no cached
answers, by one worker and by four. Nothing is asserted; see benchmarks/README.md.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import httpx
from twelvelabs import TwelveLabs

from helpers.embed.embedding import embed_videos
from helpers.segmentation import Segmentation
from helpers.settings import ROOT
from helpers.standin.encoder import THREADS, Encoder
from helpers.standin.offline import OfflineTransport
from helpers.videos.frames import cut_clip
from helpers.videos.media import probe

VIDEOS, MODELS = ROOT / "data" / "videos", ROOT / "data" / "models"
FILM = VIDEOS / "big-buck-bunny.mp4"


def said(what: str, seconds: float, began: tuple[float, float]) -> None:
    wall, cores = time.perf_counter() - began[0], time.process_time() - began[1]
    print(
        f"{what:<34} {seconds / wall:6.1f} s of video a second ({cores / seconds * 1e3:.0f} ms of a core for each)"
    )


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="of the one video")
    seconds = parser.parse_args().seconds
    print(
        f"{THREADS} threads; load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else THREADS
    )
    encoder = Encoder(MODELS)
    encoder.embed_segments(VIDEOS / "cat.mp4", [(0.0, 2.0)])  # the network is opened
    began = now()
    encoder.embed_segments(FILM, Segmentation.parse("fixed-6").bounds(seconds))
    said("one video", seconds, began)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{start}.mp4" for start in (30, 130, 230, 330)]
        for path in paths:
            path.write_bytes(cut_clip(FILM, int(path.stem), int(path.stem) + seconds / 2))
        length = sum(probe(path).duration for path in paths)
        for workers in (1, 4):
            os.environ |= {"VIDEO_SEARCH_MODE": "offline", "VIDEO_SEARCH_HOME": f"{folder}/{workers}"}
            transport = OfflineTransport(models=MODELS, fixtures=None)
            client = TwelveLabs(api_key="offline", httpx_client=httpx.Client(transport=transport))
            embed_videos(client, [VIDEOS / "cat.mp4"])  # the networks are opened
            began = now()
            embed_videos(client, paths, workers=workers)
            said(f"{len(paths)} videos, workers={workers}", length, began)
            transport.close()


if __name__ == "__main__":
    main()
