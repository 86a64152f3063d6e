"""The sample videos, and a learner's own files: who they are, what they hold, what they may be.

A video is known by its content: `video_id` is the first ten digits of the file's sha256 behind the name of a
sample, or behind "own". The same file has the same id wherever it lies and whatever it is called.
"""

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import av
import pandas as pd
import webvtt

from helpers.errors import DataError, VideoError
from helpers.settings import ROOT

CATALOGUE = ROOT / "data" / "videos.csv"
SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg")


@dataclass(frozen=True)
class Probe:
    """What a video file holds: duration in seconds, size in pixels, whether it has sound."""

    duration: float
    width: int
    height: int
    has_audio: bool


@dataclass(frozen=True)
class Cue:
    """One line of a description track: start and end in seconds, and its words."""

    start: float
    end: float
    text: str


def file_sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes; VideoError if there is no such file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise VideoError(f"There is no file to read at {path}: check the path and its spelling.") from error


def probe(path: str | Path) -> Probe:
    """Look into a video file; VideoError if it is missing or no video."""
    if not Path(path).is_file():
        raise VideoError(f"There is no video file at {path}: check the path and its spelling.")
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if container.duration is not None:
                seconds = container.duration / av.time_base
            else:
                seconds = float((stream.duration or 0) * (stream.time_base or 0))
            return Probe(round(seconds, 3), stream.width, stream.height, bool(container.streams.audio))
    except (av.FFmpegError, IndexError) as error:
        raise VideoError(
            f"{Path(path).name} is not a video that can be read: try to play it, or convert it with "
            f"`ffmpeg -i {Path(path).name} -c:v libx264 -pix_fmt yuv420p out.mp4`."
        ) from error


def relative_url(path: str | Path) -> str:
    """The path as it is stored: relative to the checkout if it lies inside, absolute otherwise."""
    full = Path(os.path.normpath(Path(path).expanduser().absolute()))
    return full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else str(full)


def local_path(video_url: str) -> Path | None:
    """The file behind a stored `video_url`; None for an http(s) address."""
    return None if video_url.startswith(("http://", "https://")) else ROOT / os.path.expanduser(video_url)


@functools.lru_cache(maxsize=1)
def _catalogue(stamp: float) -> pd.DataFrame:
    return pd.read_csv(CATALOGUE, keep_default_na=False, dtype=str)


def catalogue() -> pd.DataFrame:
    """data/videos.csv: file, title, category, recorded_at, licence, credit, sha256 of each sample."""
    try:
        return _catalogue(CATALOGUE.stat().st_mtime)
    except OSError as error:
        raise DataError("data/videos.csv is missing: restore it with `git checkout -- data`.") from error


def sample_videos() -> pd.DataFrame:
    """The sample videos, one row each, checked by sha256.

    Columns: video_id, title, category, recorded_at, video_url, duration_sec, width, height, has_audio.
    Raises DataError if a file is missing or is not the one that was published.
    """
    known = catalogue()
    for row in known.itertuples():
        path = CATALOGUE.parent / "videos" / str(row.file)
        if not path.is_file() or file_sha256(path) != row.sha256:
            raise DataError(
                f"data/videos/{row.file} is missing or damaged: restore it with `git checkout -- data/videos`."
            )
    return own_videos(*(CATALOGUE.parent / "videos" / name for name in known["file"]))


def _videos_in(folder: Path) -> list[Path]:
    """The videos of a folder by name; hidden files are none (macOS leaves some beside each video)."""
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(found)


def own_videos(*paths: str | Path) -> pd.DataFrame:
    """Your own video files, or folders of them, as a table with the columns of `sample_videos`.

    Files with the same content count once. Raises VideoError for what is missing or is no video.
    """
    files: list[Path] = []
    for name in map(str, paths):
        if name.startswith(("http://", "https://")):
            raise VideoError(f"{name} is an address: download the video and pass its path.")
        path = Path(name).expanduser()
        inside = _videos_in(path) if path.is_dir() else [path]
        if not inside:
            raise VideoError(
                f"The folder {path} holds no video ({', '.join(SUFFIXES)}): name another folder."
            )
        files.extend(inside)
    if not files:
        raise VideoError("There is no video to work on: name at least one file or folder.")
    known = catalogue().set_index("sha256")
    rows = []
    for file in files:
        found, digest = probe(file), file_sha256(file)
        sample = known.loc[digest] if digest in known.index else None
        slug = Path(sample["file"]).stem if sample is not None else "own"  # never the name: it may change
        rows.append(
            {
                "video_id": f"{slug}-{digest[:10]}",
                "title": sample["title"] if sample is not None else file.stem,
                "category": sample["category"] if sample is not None else "own",
                "recorded_at": sample["recorded_at"] if sample is not None else "",
                "video_url": relative_url(file),
                "duration_sec": found.duration,
                "width": found.width,
                "height": found.height,
                "has_audio": found.has_audio,
            }
        )
    return pd.DataFrame(rows).drop_duplicates("video_id", ignore_index=True)


def read_cues(path: str | Path) -> list[Cue]:
    """Read a WebVTT description track, in order of time; VideoError if it cannot be read or holds no cue."""
    name = Path(path).name
    try:
        captions = webvtt.read(str(path)).captions
    except UnicodeDecodeError as error:
        raise VideoError(f"{name} is not in UTF-8: save it in that encoding.") from error
    except (OSError, webvtt.errors.MalformedFileError) as error:
        raise VideoError(f"{name} is not a WebVTT file: its first line must be WEBVTT.") from error
    if not captions:
        raise VideoError(
            f"{name} holds no cue that can be read: write times as 00:00:00.000 --> 00:00:06.000."
        )
    times = [(c.start_time.in_milliseconds() / 1000, c.end_time.in_milliseconds() / 1000) for c in captions]
    cues = [Cue(*span, " ".join(c.text.split())) for span, c in zip(times, captions, strict=True)]
    return sorted(cues, key=lambda cue: cue.start)


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
