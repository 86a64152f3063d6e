"""Vectors and cuts of the practice server: drawn at random, always the same ones for the same content.

Two things only are not left to chance, so that the notebooks have something to find: clips of one film resemble
each other, and words resemble a clip of a sample film whose description track has the same words.
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.videos.cues import Cue, describe, description_track

DIMENSION = 512


STOP_WORDS = frozenset(
    "a an and are at by for from in into is it its of on or out that the then to with you".split()
)


@functools.lru_cache(maxsize=4096)
def direction(*parts: object) -> Any:
    """A unit vector for these parts, always the same, and at nearly a right angle to any other."""
    seed = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")
    row = np.random.default_rng(seed).normal(size=DIMENSION)
    return row / np.linalg.norm(row)


def mixture(parts: Sequence[tuple[float, Any]], *, size: int = DIMENSION) -> list[float]:
    """The first `size` numbers of the weighted sum; of nearly unit length, as the service's vectors are."""
    row = sum(weight * part for weight, part in parts)[:size]
    return [round(float(x), 7) for x in row * (0.997 / np.linalg.norm(row))]


def words_of(text: str, key: tuple[object, ...]) -> list[tuple[float, Any]]:
    """The words that carry something, each with a direction of its own; all together of about unit length."""
    words = {word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower()) if word not in STOP_WORDS}
    return [(len(words) ** -0.5, direction(*key, "word", word)) for word in sorted(words)]


def bounds(
    start: float, end: float, *, strategy: str, seconds: float, seed: int = 0
) -> list[tuple[float, float]]:
    """Segments (start, end) in seconds from `start` to `end` without a gap; the last one may be shorter.

    dynamic: lengths between `seconds` and 10 s, drawn by `seed`, as if there were shots.
    """
    rng, edges = np.random.default_rng(seed), [start]
    while True:
        step = seconds if strategy == "fixed" else rng.uniform(seconds, 10)
        if edges[-1] + step >= end - 0.01:
            break
        edges.append(round(edges[-1] + step, 3))
    return list(itertools.pairwise([*edges, round(end, 3)]))


@functools.lru_cache(maxsize=64)
def sample_cues(content: str) -> list[Cue]:
    """The description track of a sample film, known by the sha256 of the file; none for any other."""
    return description_track(Path("no file"), content)


def segment_vector(
    content: str, option: str, scope: str, start: float, end: float, *, key: tuple[object, ...], size: int
) -> list[float]:
    """The vector of a segment of the file with this sha256; `key` sets one model, or one server, apart."""
    film = (*key, content, option)
    parts = [(0.6, direction(*film)), (0.5, direction(*film, scope, start, end))]
    if option in ("visual", "fused"):
        told = words_of(describe(sample_cues(content), start, end), key)
        parts += [(0.6 * weight, word) for weight, word in told]
    return mixture(parts, size=size)


def query_vector(
    text: str | None, contents: Sequence[str], *, key: tuple[object, ...], size: int
) -> list[float]:
    """The vector of words and of files with these sha256."""
    parts = [(0.3, direction(*key, "text", text)), *words_of(text, key)] if text else []
    return mixture([*parts, *((1.0, direction(*key, content)) for content in contents)], size=size)
