"""data/videos.csv: what is published about each sample, which is known by its content."""

import functools
from pathlib import Path

import pandas as pd

from helpers.errors import DataError
from helpers.files import file_sha256, file_version
from helpers.settings import ROOT

CATALOGUE = ROOT / "data" / "videos.csv"


def catalogue() -> pd.DataFrame:
    """One row for each sample, all columns as text.

    Columns: file, title, category, recorded_at, licence, credit, sha256, and what `probe` finds in the file:
    duration_sec, width, height, has_audio, codec, size_bytes.
    Raises DataError where there is no catalogue.
    """
    return _catalogue(*_version())


def sample_file(folder: str, name: str) -> Path:
    """Where a file of the samples lies; `folder` is "videos" or "descriptions"."""
    return CATALOGUE.parent / folder / name


def published(path: Path, size: int, *, digest: str | None = None) -> dict[str, str]:
    """The row of the sample that this file of `size` bytes is a copy of; empty for any other file.

    Without its sha256, `digest`, only a file of the same size as a sample is read. Raises VideoError where it
    cannot be, DataError as `catalogue` does.
    """
    if not digest and str(size) not in catalogue()["size_bytes"].array:
        return {}
    return sample_of(digest or file_sha256(path))


def sample_of(digest: str) -> dict[str, str]:
    """The row of the sample with this sha256; empty for any other. Raises DataError as `catalogue` does."""
    return _by_digest(*_version()).get(digest, {})


def _version() -> tuple[str, int, int, int]:
    try:
        return file_version(CATALOGUE)
    except OSError as error:
        raise DataError("data/videos.csv is missing: restore it with `git checkout -- data`.") from error


@functools.lru_cache(maxsize=2)
def _catalogue(path: str, *_version: int) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, dtype=str)


@functools.lru_cache(maxsize=2)
def _by_digest(path: str, *version: int) -> dict[str, dict[str, str]]:
    rows = _catalogue(path, *version).astype(object).to_dict("records")
    return {row["sha256"]: {str(name): text for name, text in row.items()} for row in rows}
