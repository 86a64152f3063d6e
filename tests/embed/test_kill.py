"""kill -9 at random moments while videos are embedded: nothing lost, nothing paid for twice.

The count is the practice server's own: it lives on while its clients are killed.
"""

import random
import time
from typing import Any

import numpy as np
import pytest
from twelvelabs import TwelveLabs

from helpers import connect_twelvelabs, embed_batch, sample_videos
from helpers.embed.client import settings_of
from helpers.embed.journal import Journal
from helpers.standin.practice import PracticeServer
from tools.faults.children import child

SEGMENTATIONS = ["fixed-2", "fixed-3", "fixed-4", "fixed-5", "fixed-6", "fixed-8", "fixed-10"]


def embed_all() -> None:
    """What the process does that is killed: all short samples, in seven segmentations."""
    videos = sample_videos()
    videos = videos[videos["duration_sec"] < 60]
    for segmentation in SEGMENTATIONS:
        embed_batch(connect_twelvelabs(), videos, segmentation=segmentation, workers=4)


def journal_of(client: TwelveLabs) -> dict[str, dict[str, Any]]:
    return Journal(settings_of(client).home / "journal").entries()


@pytest.mark.slow
@pytest.mark.parametrize("kills", [5, pytest.param(25, marks=pytest.mark.nightly)])
def test_kill_9_at_random_moments(practice: PracticeServer, kills: int) -> None:
    practice.latency = 1.0  # times the scale: 10 ms, so that moments between two requests are as likely
    moments, killed = random.Random(7), 0
    for _ in range(200):
        process = child(embed_all)
        begun = len(practice.seen)
        process.start()
        while len(practice.seen) == begun and process.is_alive():
            time.sleep(0.001)  # until it has asked for something: to kill what only starts proves little
        time.sleep(moments.uniform(0.0, 0.25))
        killed += process.is_alive()
        process.kill()
        process.join()
        if killed == kills:
            break
    assert killed == kills
    videos = sample_videos()
    videos = videos[videos["duration_sec"] < 60]
    client = connect_twelvelabs()
    time.sleep(0.5)  # what was on its way when the last kill came has been answered
    # A kill between the intent and its request leaves one that nobody answers: only these may count as repeated.
    tasks = {key: entry for key, entry in journal_of(client).items() if key.startswith("task-")}
    known = {entry["id"] for entry in tasks.values() if "id" in entry}
    unsent = sum("id" not in entry for entry in tasks.values()) - len(practice.tasks.keys() - known)
    repeated = 0
    for segmentation in SEGMENTATIONS:
        batch = embed_batch(client, videos, segmentation=segmentation)
        repeated += batch.report["repeated"].sum()
        assert set(batch.report["status"]) <= {"done", "cached"}
        for _, clips in batch.segments.query("embedding_scope == 'clip'").groupby("video_id"):
            assert np.allclose(clips["start_offset_sec"].iloc[1:], clips["end_offset_sec"].iloc[:-1])
    assert len(practice.charged) == len(SEGMENTATIONS) * len(videos)
    assert set(practice.charged.values()) == {1} and repeated == unsent
