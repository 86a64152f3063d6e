"""Video files and what is known about them: the samples, a file's content, its description track.

A video is known by its content: `video_id` is the first ten digits of the file's sha256 behind the name of a
sample, or behind "own". The same file has the same id wherever it lies and whatever it is called.
"""

import functools
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import webvtt

from helpers.errors import DataError, VideoError
from helpers.media import Probe as Probe
from helpers.media import file_sha256 as file_sha256
from helpers.media import printable, shown
from helpers.media import probe as probe
from helpers.settings import ROOT

CATALOGUE = ROOT / "data" / "videos.csv"
SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg")
COLUMNS = (
    *("video_id", "title", "category", "recorded_at", "video_url"),
    *("duration_sec", "width", "height", "has_audio"),
)
TIME = r"(?:\d+:)?[0-5]?\d:[0-5]?\d\.\d{1,3}"
CUE_TIMES = re.compile(rf"^\s*{TIME}\s*-->\s*{TIME}")


@dataclass(frozen=True)
class Cue:
    """One line of a description track: start and end in seconds, and its words."""

    start: float
    end: float
    text: str


def relative_url(path: str | Path) -> str:
    """The path as it is stored: relative to the checkout if it lies inside, absolute otherwise."""
    full = Path(os.path.normpath(Path(path).expanduser().absolute()))
    return full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else str(full)


def local_path(video_url: str) -> Path | None:
    """The file behind a stored `video_url`; None for an http(s) address."""
    return None if is_address(video_url) else ROOT / video_url


def is_address(source: str) -> bool:
    """Whether this is an http(s) address, in small or capital letters."""
    return source[:8].lower().startswith(("http://", "https://"))


@functools.lru_cache(maxsize=2)
def _catalogue(path: Path, stamp: float) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def catalogue() -> pd.DataFrame:
    """data/videos.csv: file, title, category, recorded_at, licence, credit, sha256 of each sample."""
    try:
        return _catalogue(CATALOGUE, CATALOGUE.stat().st_mtime)
    except OSError as error:
        raise DataError("data/videos.csv is missing: restore it with `git checkout -- data`.") from error


def sample_videos() -> pd.DataFrame:
    """The sample videos, one row each, checked by sha256.

    Columns: video_id, title, category, recorded_at, video_url, duration_sec, width, height, has_audio.
    Raises DataError if a file is missing or is not the one that was published.
    """
    rows = []
    for row in catalogue().itertuples():
        path = CATALOGUE.parent / "videos" / str(row.file)
        if not path.is_file() or (digest := file_sha256(path)) != row.sha256:
            raise DataError(
                f"data/videos/{row.file} is missing or damaged: restore it with `git checkout -- data/videos`."
            )
        rows.append(video_row(path, digest=digest))
    return videos_table(rows)


def video_row(
    path: Path, *, digest: str | None = None, title: str = "", category: str = "", recorded_at: str = ""
) -> dict[str, Any]:
    """The row of one file; a sample, known by its content, keeps its own title, category and date.

    Raises VideoError as `probe` does.
    """
    found = probe(path)
    digest = digest or file_sha256(path)
    known = catalogue()
    samples: Sequence[dict[Any, Any]] = known[known["sha256"] == digest].to_dict("records")
    sample = samples[0] if samples else None
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


def read_cues(path: str | Path) -> list[Cue]:
    """Read a WebVTT description track, in order of time; cues that overlap are kept, with a warning.

    Raises VideoError if it cannot be read, holds no cue, or holds a time that means nothing.
    """
    name = shown(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        captions = webvtt.from_string(text).captions
    except UnicodeDecodeError as error:
        raise VideoError(f"{name} is not in UTF-8: save it in that encoding.") from error
    except OSError as error:
        raise VideoError(
            f"{name} cannot be opened ({error.strerror}): check the description track."
        ) from error
    except webvtt.errors.MalformedFileError as error:
        raise VideoError(f"{name} is not a WebVTT file: its first line must be WEBVTT.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if "-->" in line and not CUE_TIMES.match(line):  # webvtt would leave such a cue out without a word
            if re.search(r"(?:^|-->)\s*-\s*\d", line):
                raise VideoError(f"{name}, line {number}: a time is negative: count from 00:00:00.000.")
            raise VideoError(
                f"{name}, line {number}: no times can be read: write 00:00:00.000 --> 00:00:06.000."
            )
    if not captions:
        raise VideoError(
            f"{name} holds no cue that can be read: write times as 00:00:00.000 --> 00:00:06.000."
        )
    cues = []
    for c in captions:
        start, end = (t.in_milliseconds() / 1000 for t in (c.start_time, c.end_time))
        if end <= start:
            raise VideoError(f"{name}: the cue at {c.start} ends at {c.end}: it must end after it begins.")
        cues.append(Cue(start, end, " ".join(c.text.split())))
    cues.sort(key=lambda cue: cue.start)
    if late := next((b for a, b in zip(cues, cues[1:], strict=False) if a.end > b.start), None):
        warnings.warn(
            f"{name}: the cue at {late.start:g} s begins before the one in front of it ends: both are used.",
            stacklevel=2,
        )
    return cues


def description_track(path: str | Path, digest: str | None = None) -> list[Cue]:
    """The description track of a video: the sample's own (known by content), else a `.vtt` beside the file."""
    known = catalogue().set_index("sha256")["file"]
    name = known.get(digest or file_sha256(path))
    if name:
        return read_cues(CATALOGUE.parent / "descriptions" / f"{Path(name).stem}.vtt")
    beside = (Path(path).with_suffix(suffix) for suffix in (".vtt", ".VTT"))
    return next((read_cues(track) for track in beside if track.is_file()), [])


def overlaps(cues: list[Cue], start: float, end: float) -> list[tuple[Cue, float]]:
    """The cues that share time with [start, end), each with the seconds that it shares."""
    shared = [(cue, min(cue.end, end) - max(cue.start, start)) for cue in cues]
    return [(cue, seconds) for cue, seconds in shared if seconds > 0]


def describe(cues: list[Cue], start: float, end: float) -> str:
    """The words of the cues that share at least a second with [start, end), or of the one that shares most."""
    shared = overlaps(cues, start, end)
    texts = [cue.text for cue, seconds in shared if seconds >= 1]
    if not texts and shared:
        texts = [max(shared, key=lambda pair: pair[1])[0].text]
    return " ".join(texts)
