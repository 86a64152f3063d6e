"""The cached answers in data/fixtures: the vectors of the sample videos and of the notebooks' queries."""

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
        keys = ["content", "option", "scope", "segmentation", "cues"]
        rows = pd.read_parquet(folder / "segments.parquet")
        self._segments = {key: group for key, group in rows.groupby(keys, sort=False)}
        queries = pd.read_parquet(folder / "queries.parquet")
        self._queries: dict[str, Vector] = dict(zip(queries["content"], queries["embedding"], strict=True))

    def segments(self, *key: str) -> list[tuple[float, float, Vector]] | None:
        """Rows (start, end, vector) for content, option, scope, segmentation, cues; None if not cached."""
        group = self._segments.get(key)
        if group is None:
            return None
        return list(zip(group["start_sec"], group["end_sec"], group["embedding"], strict=True))

    def query(self, content: str) -> Vector | None:
        """The vector of a text or image by the sha256 of its bytes; None if not cached."""
        return self._queries.get(content)
