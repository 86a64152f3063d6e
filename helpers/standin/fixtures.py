"""The cached answers in data/fixtures: the vectors of the sample videos and of the notebooks' queries."""

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.files import is_published, published_digests, published_model
from helpers.models import OFFLINE_MODEL

Vector = np.ndarray[Any, np.dtype[np.float32]]


class Fixtures:
    """Cached answers: one row per (file content, option, scope, segmentation, segment), one per query.

    Content is known by sha256, so a renamed copy hits and one changed byte misses. The manifest holds the
    sha256 of both tables; DataError if a file is missing or differs, or the answers are another model's.
    """

    def __init__(self, folder: Path) -> None:
        repair = "restore it with `git checkout -- data/fixtures`, or rebuild it with `make fixtures`"
        digests = published_digests(folder)
        for name in ("segments.parquet", "queries.parquet"):
            if name not in digests or not (folder / name).is_file():
                raise DataError(f"A file of data/fixtures is missing: {repair}.")
            if not is_published(folder / name, digests[name]):
                raise DataError(
                    f"data/fixtures/{name} is damaged (its sha256 differs from the manifest): {repair}."
                )
        if (model := published_model(folder)) != OFFLINE_MODEL:
            raise DataError(f"data/fixtures holds vectors of {model!r}, not of {OFFLINE_MODEL!r}: {repair}.")
        self._segments = _segments_in(folder / "segments.parquet", digests["segments.parquet"])
        self._queries = _queries_in(folder / "queries.parquet", digests["queries.parquet"])

    def segments(self, *key: str) -> list[tuple[float, float, Vector]] | None:
        """Rows (start, end, vector) for content, option, scope, segmentation, cues; None if not cached."""
        group = self._segments.get(key)
        if group is None:
            return None
        return list(zip(group["start_sec"], group["end_sec"], group["embedding"], strict=True))

    def query(self, content: str) -> Vector | None:
        """The vector of a text or image by the sha256 of its bytes; None if not cached."""
        return self._queries.get(content)


# A file of this content is read once, however often a process connects.
@lru_cache(maxsize=1)
def _segments_in(path: Path, sha256: str) -> dict[tuple[Hashable, ...], pd.DataFrame]:
    keys = ["content", "option", "scope", "segmentation", "cues"]
    return {key: group for key, group in pd.read_parquet(path).groupby(keys, sort=False)}


@lru_cache(maxsize=1)
def _queries_in(path: Path, sha256: str) -> dict[str, Vector]:
    queries = pd.read_parquet(path)
    return dict(zip(queries["content"], queries["embedding"], strict=True))
