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
    known = _by_size(*_version()).get(str(size), [])
    return next((row for row in known if (digest or file_sha256(path)) == row["sha256"]), {})


def _version() -> tuple[str, int, int, int]:
    try:
        return file_version(CATALOGUE)
    except OSError as error:
        raise DataError("data/videos.csv is missing: restore it with `git checkout -- data`.") from error


@functools.lru_cache(maxsize=2)
def _catalogue(path: str, *_version: int) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, dtype=str)


@functools.lru_cache(maxsize=2)
def _by_size(path: str, *version: int) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in _catalogue(path, *version).astype(object).to_dict("records"):
        found.setdefault(row["size_bytes"], []).append({str(name): text for name, text in row.items()})
    return found
