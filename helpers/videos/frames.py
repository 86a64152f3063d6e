"""Stills and short clips out of a video file, for the eye: contact sheets, posters, players."""

import functools
import io
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from PIL import Image

from helpers.errors import VideoError
from helpers.videos.decode import pictures, pictures_at, sound, upright
from helpers.videos.samples import local_path
from helpers.videos.streams import heard, open_media, watched

TICK = Fraction(1, 90_000)  # seconds: the clock of a clip


CLIP_HEIGHT = 360  # pixels; a clip of 6 s then has about 200 KB


def thumbnail(path: str | Path, second: float, *, width: int = 240) -> Image.Image:
    """The frame that is on screen at `second`, `width` pixels wide; after the end, the last frame.

    Seconds count from the first picture, whatever the clock of the file shows there, as the encoder counts.
    `path` is a file, or a `video_url` relative to the checkout. Raises VideoError for a missing file, a web
    address, or a file that is no video.
    """
    file, changed = _file(path)
    return _frame(file, changed, round(max(second, 0.0), 3), width).copy()


def cut_clip(path: str | Path, start: float, end: float) -> bytes:
    """The seconds [start, end) as a small MP4 (H.264 and AAC, which browsers play) that begins at 0.

    Raises VideoError as `thumbnail` does, and where the film has no picture between the two.
    """
    return _clip(*_file(path), start, end)


def _file(path: str | Path) -> tuple[str, int]:
    """The path of a file and when it changed: what the caches below know it by."""
    file = local_path(str(path))
    if file is None:
        raise VideoError("A video at a web address has no still here: its player shows it.")
    if not file.is_file():
        raise VideoError(
            f"The file {file.name} is not where the collection says: put it back, or call relink(folder)."
        )
    return str(file), file.stat().st_mtime_ns


def _unreadable(path: str, second: float) -> VideoError:
    return VideoError(
        f"{Path(path).name} cannot be read as a video at {second:g} s: try to play it, or convert it to MP4."
    )


@functools.lru_cache(maxsize=256)
def _frame(path: str, changed: int, second: float, width: int) -> Image.Image:
    try:
        # Times in tables are rounded to a millisecond: what begins within it is meant.
        [(_, _, found)] = pictures_at(path, [second + 1e-3])
        if found is None:
            raise LookupError("no picture")
        picture = upright(found)
    except (av.FFmpegError, OSError, LookupError) as error:
        raise _unreadable(path, second) from error
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


@functools.lru_cache(maxsize=16)
def _clip(path: str, changed: int, start: float, end: float) -> bytes:
    """Encode what lies in [start, end) anew: a copy could begin only at a keyframe, in the source's codec."""
    buffer = io.BytesIO()
    try:
        with open_media(path) as source:
            video, has_sound = watched(source), heard(source) is not None
            if video is None or video.codec_context is None:
                raise LookupError("no picture")
            rate, width, height = video.average_rate or 25, video.width, video.height
        frames = _between(path, start, end)
        first = next(frames, None)
        if first is None:
            raise VideoError(
                f"{Path(path).name} has no picture from {start:g} s to {end:g} s: name a start and an end "
                "inside the film."
            )
        with av.open(buffer, "w", format="mp4") as target:
            film = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "28"})
            film.height = min(CLIP_HEIGHT, height) // 2 * 2
            film.width = round(width * film.height / height / 2) * 2
            film.pix_fmt = "yuv420p"
            film.codec_context.time_base = TICK  # pictures may come at any time, not at a rate
            film.set_display_rotation(first[1].rotation)
            voice = target.add_stream("aac", rate=44100, layout="stereo") if has_sound else None
            for at, frame in itertools.chain([(start, first[1])], frames):
                small = frame.reformat(width=film.width, height=film.height, format="yuv420p")
                small.pts, small.time_base = round((at - start) / TICK), TICK
                target.mux(film.encode(small))
            target.mux(film.encode())
            if voice is not None:
                _copy_sound(path, target, voice, start, end)
    except (av.FFmpegError, OSError, LookupError) as error:
        raise _unreadable(path, start) from error
    return buffer.getvalue()


def _between(path: str, start: float, end: float) -> Iterator[tuple[float, av.VideoFrame]]:
    """The frames that begin in [start, end); where none does, the one that stays on screen meanwhile."""
    before, empty = None, True
    for at, frame in pictures(path, start):
        if at >= end - 1e-3:
            if empty and before is not None and start < end:
                yield before
            return
        if at >= start - 1e-3:
            empty = False
            yield at, frame
        else:
            before = at, frame


def _copy_sound(path: str, target: OutputContainer, voice: av.AudioStream, start: float, end: float) -> None:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=44100)
    for at, chunk in sound(path, start):
        if at >= end:
            break
        if at >= start:
            for piece in resampler.resample(chunk):
                piece.pts = None  # the encoder counts from zero
                target.mux(voice.encode(piece))
    target.mux(voice.encode())
