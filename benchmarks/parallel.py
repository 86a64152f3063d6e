"""Embedding sixteen videos with 1, 2, 4 and 8 workers, with and without a rate limit: for notebook 08.

    python -m benchmarks.parallel

A practice server stands in for the service, and its time is scaled: an answer of three seconds comes in a fifth of
that, and so does the minute of the rate limit. Writes benchmarks/results/parallel.json.
"""

import argparse
import dataclasses
import heapq
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from IPython.utils.capture import capture_output
from tqdm import tqdm
from twelvelabs import TwelveLabs

from benchmarks.records import Row, load_average, read, save, table
from helpers.embed.client import connect_twelvelabs
from helpers.embed.embedding import embed_batch
from helpers.settings import load_settings
from helpers.standin.practice import PracticeServer
from helpers.videos.own import own_videos

TASKS = "POST /embed-v2/tasks"
VIDEOS, WORKERS = 16, (1, 2, 4, 8)
TASKS_A_MINUTE = 8
ANSWER_SECONDS, SCALE = 3.0, 0.2  # of the service for one answer; a second of it lasts so many seconds here


def small_videos(folder: Path, number: int) -> list[Path]:
    """Videos of four seconds, each of another grey, just large enough for the service."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"video-{n:02}.mp4" for n in range(number)]
    for n, path in enumerate(paths):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 360, 360, "yuv420p"
            grey = np.full((360, 360, 3), 10 * n, np.uint8)
            for _ in range(8):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            container.mux(stream.encode())
    return paths


def practice_client(server: PracticeServer, home: Path) -> TwelveLabs:
    """A client of the practice server, with a home of its own, so that nothing is cached there yet."""
    return connect_twelvelabs(
        dataclasses.replace(
            load_settings(),
            live=True,
            api_key="open-sesame",
            model="marengo3.5",
            base_url=server.url,
            home=home,
        )
    )


def embed_all(
    server: PracticeServer, paths: Sequence[Path], workers: int, *, a_minute: int | None = None
) -> float:
    """Embed every video with so many workers, from an empty cache; the seconds. A limit is of tasks a minute."""
    server.reset()
    if a_minute:
        server.limit(TASKS, a_minute)
    with tempfile.TemporaryDirectory(prefix="parallel-", ignore_cleanup_errors=True) as home:
        client, videos = practice_client(server, Path(home)), own_videos(paths)
        start = time.perf_counter()
        with capture_output():
            report = embed_batch(client, videos, workers=workers).report
        seconds = time.perf_counter() - start
    if (report["status"] != "done").any():
        raise RuntimeError(f"not every video was embedded: {report['reason'].iloc[0]}")
    return seconds


def floor(one: float, workers: int, *, a_minute: int | None, minute: float, videos: int = VIDEOS) -> float:
    """The least seconds that the videos can take, when one takes `one`: each worker takes the next at once.

    With a limit, a task may start a minute after the one that is `a_minute` before it.
    """
    free, starts = [0.0] * workers, list[float]()
    for number in range(videos):
        allowed = starts[number - a_minute] + minute if a_minute and number >= a_minute else 0.0
        starts.append(max(heapq.heappop(free), allowed))
        heapq.heappush(free, starts[-1] + one)
    return max(free)


def measured() -> list[Row]:
    """A row for each number of workers, with and without the limit, and how near it comes to the least time."""
    found: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="videos-") as folder,
        PracticeServer("marengo3.5", time_scale=SCALE) as server,
        tqdm(total=2 * len(WORKERS), desc="parallel") as bar,
    ):
        paths = small_videos(Path(folder), VIDEOS)
        server.latency = ANSWER_SECONDS
        embed_all(server, paths[:1], 1)  # imports, connections
        one = 0.0
        for a_minute in (None, TASKS_A_MINUTE):
            for workers in WORKERS:
                seconds = embed_all(server, paths, workers, a_minute=a_minute)
                one = one or seconds / VIDEOS
                least = floor(one, workers, a_minute=a_minute, minute=60 * SCALE)
                limit = f"{a_minute} a minute" if a_minute else "none"
                row: Row = {"limit": limit, "workers": workers, "videos": VIDEOS}
                row |= {"s": round(seconds, 2), "least_s": round(least, 2)}
                found.append(row | {"of_the_ideal": round(least / seconds, 3)})
                bar.update()
    return found


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    load = load_average()
    save("parallel", measured(), load_before=load, time_scale=SCALE)
    print(table(read("parallel")["rows"]))


if __name__ == "__main__":
    main()
