"""Description tracks: what is said of a video, when (WebVTT), and the words of a stretch of time."""

import html
import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

import webvtt
from webvtt.models import Timestamp

from helpers.errors import VideoError, VideoSearchWarning
from helpers.files import file_sha256
from helpers.videos.catalogue import sample_file, sample_of
from helpers.videos.media import same_name, shown

TIME = r"(?:\d{1,6}:)?[0-5]?\d:[0-5]?\d\.\d{1,3}"
CUE_TIMES = re.compile(rf"^\s*{TIME}\s*-->\s*{TIME}(?:\s|$)")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<[\d:.]+>")  # those that WebVTT does not know are not shown, either
NO_LINE_ENDS = dict.fromkeys(map(ord, "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), " ") | {0: "\ufffd"}
CUE_WORDS = 120  # about as many as the offline model reads of one text


@dataclass(frozen=True)
class Cue:
    """One line of a description track: start and end in seconds, and its words."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Track:
    """The cues of a description track in order of time, and a sentence for each that cannot be used."""

    cues: list[Cue]
    problems: list[str]


def read_cues(path: str | Path) -> list[Cue]:
    """Read a WebVTT description track, in order of time; a cue that cannot be used is left out, with a warning.

    Cues that overlap are kept, with a warning. Raises VideoError if the file cannot be read, or holds no cue.
    """
    track = read_track(path)
    for problem in track.problems:
        warnings.warn(problem, VideoSearchWarning, stacklevel=2)
    return track.cues


def read_track(path: str | Path) -> Track:
    """What `read_cues` reads, with its warnings as `problems`."""
    name, found, problems = shown(path), list[Cue](), list[str]()
    for number, times, words in _blocks(_text(path)):
        if not CUE_TIMES.match(times):
            why = "no times can be read: write 00:00:00.000 --> 00:00:06.000."
            if re.search(r"(?:^|-->)\s*-\s*\d", times):
                why = "a time is negative: count from 00:00:00.000."
            problems.append(f"{name}, line {number}: {why}")
            continue
        cue = webvtt.from_string(f"WEBVTT\n\n{times}\n.\n").captions[0]
        start, end = (t.in_milliseconds() / 1000 for t in (cue.start_time, cue.end_time))
        if end <= start:
            problems.append(f"{name}: the cue at {cue.start} ends at {cue.end}: it must end after it begins.")
        elif text := " ".join(html.unescape(TAG.sub("", words)).split()):
            found.append(Cue(start, end, text))
    if not found:
        raise VideoError(
            problems[0]
            if problems
            else f"{name} holds no cue that can be read: write times as 00:00:00.000 --> 00:00:06.000."
        )
    found.sort(key=lambda cue: cue.start)
    late = next((b for a, b in pairwise(found) if a.end > b.start), None)
    if late:
        said = "begins before the one in front of it ends: both are used."
        problems.append(f"{name}: the cue at {late.start:g} s {said}")
    return Track(found, problems)


def _text(path: str | Path) -> str:
    """A track's text; only what ends a line in WebVTT ends one in it."""
    name = shown(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VideoError(f"{name} is not in UTF-8: save it in that encoding.") from error
    except OSError as error:
        raise VideoError(
            f"{name} cannot be opened ({error.strerror}): check the description track."
        ) from error
    if not re.match(r"WEBVTT(?:\s|$)", text):
        raise VideoError(f"{name} is not a WebVTT file: its first line must be WEBVTT.")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(NO_LINE_ENDS)


def _blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """(number of its line of times, that line, its words) of each cue."""
    number = 0
    for is_blank, group in groupby(text.split("\n"), key=lambda line: not line.strip()):
        lines = list(group)
        if not is_blank:
            # The first line, or the second below an identifier, has the times; so has any that looks like them.
            first = next((i for i, line in enumerate(lines[:2]) if "-->" in line), len(lines))
            rest = (i for i in range(first + 1, len(lines)) if CUE_TIMES.match(lines[i]))
            starts = [*([first] if first < len(lines) else []), *rest, len(lines)]
            for start, after in pairwise(starts):
                yield number + start + 1, lines[start], "\n".join(lines[start + 1 : after])
        number += len(lines)


def timecode(seconds: float) -> str:
    """Seconds as hh:mm:ss.mmm, as WebVTT writes them."""
    return str(Timestamp.from_seconds(seconds))


def description_track(path: str | Path, digest: str | None = None) -> list[Cue]:
    """The description track of a video: the sample's own (known by content), else a `.vtt` beside the file."""
    track = track_beside(path, digest)
    return read_cues(track) if track else []


def track_beside(path: str | Path, digest: str | None = None) -> Path | None:
    """The file of a video's description track; None where there is none."""
    if sample := sample_of(digest or file_sha256(path)):
        return sample_file("descriptions", f"{Path(sample['file']).stem}.vtt")
    return same_name(Path(path).with_suffix(".vtt"))


def readable_cues(cues: Iterable[Cue]) -> tuple[list[Cue], int]:
    """The cues that the offline model can read, long ones in parts, and the number of those that it cannot."""
    found, unread = list[Cue](), 0
    for cue in cues:
        if unread_reason(cue.text):
            unread += 1
            continue
        words = cue.text.split()
        count = -(-len(words) // CUE_WORDS)
        size = -(-len(words) // count)
        found += [replace(cue, text=" ".join(words[i : i + size])) for i in range(0, len(words), size)]
    return found, unread


def unread_reason(text: str) -> str:
    """Why the offline model cannot read a text: "no word", "not English", or "" where it can."""
    if not any(character.isalnum() for character in text):
        return "no word"
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return "not English" if 2 * latin < len(letters) else ""


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
