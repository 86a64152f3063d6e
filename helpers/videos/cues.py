"""Description tracks: what is said of a video, when (WebVTT), and the words of a stretch of time."""

import itertools
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import webvtt

from helpers.errors import VideoError
from helpers.files import file_sha256
from helpers.videos.media import shown
from helpers.videos.samples import CATALOGUE, catalogue

TIME = r"(?:\d+:)?[0-5]?\d:[0-5]?\d\.\d{1,3}"


CUE_TIMES = re.compile(rf"^\s*{TIME}\s*-->\s*{TIME}")


@dataclass(frozen=True)
class Cue:
    """One line of a description track: start and end in seconds, and its words."""

    start: float
    end: float
    text: str


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
    if late := next((b for a, b in itertools.pairwise(cues) if a.end > b.start), None):
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
