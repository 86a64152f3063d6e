"""The cached answers in data/fixtures: the vectors of the sample videos and of the notebooks' queries."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import DataError, VideoError
from helpers.files import file_sha256

Vector = np.ndarray[Any, np.dtype[np.float32]]


class Fixtures:
    """Cached answers: one row per (file content, option, scope, segmentation, segment), one per query.

    Content is known by sha256, so a renamed copy hits and one changed byte misses. The manifest holds the
    sha256 of both tables; DataError if a file is missing or differs.
    """

    def __init__(self, folder: Path) -> None:
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            for name in ("segments.parquet", "queries.parquet"):
                if file_sha256(folder / name) != manifest["outputs"][name]["sha256"]:
                    raise DataError(
                        f"data/fixtures/{name} is damaged (its sha256 differs from the manifest): "
                        "restore it with `git checkout -- data/fixtures`, or rebuild it with `make fixtures`."
                    )
        except (OSError, VideoError) as error:
            raise DataError(
                "A file of data/fixtures is missing: restore it with `git checkout -- data/fixtures`, "
                "or rebuild it with `make fixtures`."
            ) from error
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
