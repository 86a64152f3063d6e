"""Video files and what is known about them: the samples, a file's content, its description track.

A video is known by its content: `video_id` is the first ten digits of the file's sha256 behind the name of a
sample, or behind "own". The same file has the same id wherever it lies and whatever it is called.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import DataError
from helpers.files import file_sha256, is_published
from helpers.settings import ROOT
from helpers.videos.catalogue import catalogue, sample_file, sample_of
from helpers.videos.media import printable, probe

SUFFIXES = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob"),
    *(".wmv", ".asf", ".flv", ".ogv", ".3gp", ".mxf"),
)
COLUMNS = (
    *("video_id", "title", "category", "recorded_at", "video_url"),
    *("duration_sec", "width", "height", "has_audio"),
)


def relative_url(path: str | Path) -> str:
    """The path as it is stored: relative to the checkout if it lies inside, absolute otherwise."""
    full = Path(os.path.normpath(Path(path).expanduser().absolute()))
    return full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else str(full)


def content_digits(video_id: str) -> str:
    """The ten digits of the content's sha256 that end the `video_id` of a file; "" where there are none."""
    found = re.search(r"-([0-9a-f]{10})$", video_id)
    return found[1] if found else ""


def local_path(video_url: str) -> Path | None:
    """The file behind a stored `video_url`; None for an http(s) address."""
    return None if is_address(video_url) else ROOT / video_url


def is_address(source: str) -> bool:
    """Whether this is an http(s) address, in small or capital letters."""
    return source[:8].lower().startswith(("http://", "https://"))


def sample_videos() -> pd.DataFrame:
    """The sample videos, one row each, checked by sha256.

    Columns: video_id, title, category, recorded_at, video_url, duration_sec, width, height, has_audio.
    Raises DataError if a file is missing or is not the one that was published.
    """
    rows = []
    for row in catalogue().itertuples():
        path = sample_file("videos", str(row.file))
        if not is_published(path, str(row.sha256)):
            raise DataError(
                f"data/videos/{row.file} is missing or damaged: restore it with `git checkout -- data/videos`."
            )
        rows.append(video_row(path, digest=str(row.sha256)))
    return videos_table(rows)


def video_row(
    path: Path, *, digest: str | None = None, title: str = "", category: str = "", recorded_at: str = ""
) -> dict[str, Any]:
    """The row of one file; a sample, known by its content, keeps its own title, category and date.

    Raises VideoError as `probe` does.
    """
    found = probe(path, digest=digest)
    digest = digest or file_sha256(path)
    sample = sample_of(digest)
    slug = Path(sample["file"]).stem if sample else "own"  # never the file's own name: it may change
    return {
        "video_id": f"{slug}-{digest[:10]}",
        "title": sample["title"] if sample else title or printable(path.stem),
        "category": sample["category"] if sample else category or "own",
        "recorded_at": sample["recorded_at"] if sample else recorded_at,
        "video_url": relative_url(path),
        "duration_sec": found.duration,
        "width": found.width,
        "height": found.height,
        "has_audio": found.has_audio,
    }


def videos_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a table; `has_audio` is of pandas' type "boolean", as it is not known for an address."""
    types = {"duration_sec": "float64", "width": "int64", "height": "int64", "has_audio": "boolean"}
    return pd.DataFrame(rows, columns=COLUMNS).astype(types)
