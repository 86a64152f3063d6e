"""Made-up segments, the same ones every time: what the benchmarks of Milvus measure with."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

DIM, TOPICS, PER_VIDEO, CLIP_SECONDS = 384, 100, 100, 6.0
CATEGORIES = ("animals", "city", "cooking", "nature", "science", "space", "sport", "travel")
MODEL = "offline-512"  # the collection keeps a name of a model; the vectors are nobody's
CLUSTERS = 1000  # so that `cluster == 7` keeps about 0.1 % of the rows
Vectors = npt.NDArray[np.float32]


def made_up_vectors(rows: int, *, seed: int = 0, of: int = 0) -> Vectors:
    """Unit vectors (rows, 384) around 100 topics, with noise that lies mostly in 32 directions.

    `seed` names the topics (one seed is one embedding option), `of` the draw: other rows, or queries.
    """
    topics = np.random.default_rng([seed, 0])
    centres = topics.normal(size=(TOPICS, DIM)).astype(np.float32)
    directions = topics.normal(size=(32, DIM)).astype(np.float32)
    draw = np.random.default_rng([seed, 1 + of])
    vectors = centres[draw.integers(0, TOPICS, rows)]
    vectors += 0.15 * draw.normal(size=(rows, 32)).astype(np.float32) @ directions
    vectors += 0.25 * draw.normal(size=(rows, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def made_up_segments(rows: int, *, options: int = 2, start: int = 0) -> pd.DataFrame:
    """A table of segments, 100 clips of six seconds for each video, with up to two options.

    `start` is the number of the first row: rows from there on, of other videos than those before (if it is
    a multiple of 100).
    """
    number = np.arange(start, start + rows)
    video, clip = number // PER_VIDEO, number % PER_VIDEO
    video_ids = [f"film-{n:05}-{n * 2654435761 % 2**40:010x}" for n in video]
    table = pd.DataFrame(
        {
            "segment_id": [
                f"{v}/clip/{c * CLIP_SECONDS:09.3f}-{(c + 1) * CLIP_SECONDS:09.3f}/bench0"
                for v, c in zip(video_ids, clip, strict=True)
            ],
            "video_id": video_ids,
            "title": [f"Made-up film {n}" for n in video],
            "category": [CATEGORIES[n % len(CATEGORIES)] for n in video],
            "recorded_at": [f"{2000 + n % 26}-{1 + n % 12:02}-01" for n in video],
            "video_url": [f"data/videos/film-{n:05}.mp4" for n in video],
            "embedding_scope": "clip",
            "start_offset_sec": clip * CLIP_SECONDS,
            "end_offset_sec": (clip + 1) * CLIP_SECONDS,
            "description": [
                f"In scene {c} of film {n} somebody does what nobody wrote down."
                for n, c in zip(video, clip, strict=True)
            ],
            "segmentation": "fixed-6",
            "model": MODEL,
            "cluster": np.random.default_rng([7, start]).integers(0, CLUSTERS, rows),
        }
    )
    for seed, option in enumerate(("visual", "description")[:options]):
        table[f"embedding_{option}"] = list(made_up_vectors(rows, seed=seed, of=start))
    return table


def nearest(vectors: Vectors, query: npt.NDArray[np.floating[Any]], limit: int) -> npt.NDArray[np.intp]:
    """The exact answer: the places of the `limit` vectors (all of length one) nearest to the query."""
    scores = vectors @ query.astype(np.float32)
    top = np.argpartition(-scores, min(limit, len(scores)) - 1)[:limit]
    return np.asarray(top[np.argsort(-scores[top], kind="stable")], dtype=np.intp)


def recall(found: list[Any], exact: list[Any]) -> float:
    """The share of the exact answer that was found; 1.0 where there is nothing to find."""
    return len(set(found) & set(exact)) / len(exact) if exact else 1.0
