"""Stills and short clips out of a video file, for the eye: contact sheets, posters, players."""

import functools
import io
import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from PIL import Image

from helpers.errors import VideoError
from helpers.videos.clock import clock_of
from helpers.videos.decode import pictures, pictures_at, sound
from helpers.videos.display import Picture
from helpers.videos.media import shown
from helpers.videos.samples import local_path
from helpers.videos.streams import heard, open_media, watched

TICK = Fraction(1, 90_000)  # seconds: the clock of a clip
FASTEST = Fraction(60)  # pictures a second for which a clip is made; more may come, they cost a little more
CLOSE, LATE = 1e-3, 0.1  # seconds that do not matter at all; that the first picture of a clip may come late
CLIP_HEIGHT = 360  # pixels; a clip of 6 s then has about 200 KB


def thumbnail(path: str | Path, second: float, *, width: int = 240) -> Image.Image:
    """The frame that is on screen at `second`, `width` pixels wide; after the end, the last frame.

    Seconds count from the first picture, whatever the clock of the file shows there, as the encoder counts.
    `path` is a file, or a `video_url` relative to the checkout. Raises VideoError for a missing file, a web
    address, or a file that is no video.
    """
    file = local_file(path)
    return _frame(str(file), file.stat().st_mtime_ns, round(max(second, 0.0), 3), width).copy()


def cut_clip(path: str | Path, start: float, end: float) -> bytes:
    """The seconds [start, end) as a small MP4 (H.264 and AAC, which browsers play) that begins at 0.

    Raises VideoError as `thumbnail` does, and where the film has no picture between the two.
    """
    file = local_file(path)
    return _clip(str(file), file.stat().st_mtime_ns, start, end)


def local_file(path: str | Path) -> Path:
    """The file behind a path or a `video_url`; VideoError for a web address, or where there is none."""
    file = local_path(str(path))
    if file is None:
        raise VideoError("A video at a web address has no still here: its player shows it.")
    if not file.is_file():
        raise VideoError(
            f"The file {file.name} is not where the collection says: put it back, or call "
            "relink(milvus, name, folder)."
        )
    return file


def unreadable(path: str | Path, second: float | None = None) -> VideoError:
    """The sentence for a file that is there, and yet gives no picture."""
    where = "" if second is None else f" at {second:g} s"
    return VideoError(
        f"{shown(path)} cannot be read as a video{where}: try to play it, or convert it to MP4."
    )


@functools.lru_cache(maxsize=256)
def _frame(path: str, changed: int, second: float, width: int) -> Image.Image:
    try:
        # Times in tables are rounded to a millisecond: what begins within it is meant.
        [(_, found)] = pictures_at(path, [second + 1e-3])
        wide, high = found.size
        return found.image((width, max(1, round(high * width / wide))))
    except (av.FFmpegError, OSError, LookupError) as error:
        raise unreadable(path, second) from error


@functools.lru_cache(maxsize=16)
def _clip(path: str, changed: int, start: float, end: float) -> bytes:
    return encode_clip(path, start, end)


def encode_clip(
    path: str | Path, start: float, end: float, *, progress: Callable[[float], object] | None = None
) -> bytes:
    """What `cut_clip` gives, encoded anew: a copy could begin only at a keyframe, in the source's codec.

    `progress` is told how many seconds of the clip are done.
    """
    try:
        stop = min(end, clock_of(path).duration)
        clip, is_whole = _encode(path, start, stop, {}, progress)
        # With B frames an MP4's length is wrong where pictures come at uneven times.
        if clip and not is_whole:
            clip, _ = _encode(path, start, stop, {"bf": "0"}, progress)
    except (av.FFmpegError, OSError, LookupError) as error:
        raise unreadable(path, start) from error
    if not clip:
        raise VideoError(
            f"{shown(path)} has no picture from {start:g} s to {end:g} s: name a start and an end "
            "inside the film."
        )
    return clip


def _encode(
    path: str | Path,
    start: float,
    stop: float,
    options: dict[str, str],
    progress: Callable[[float], object] | None,
) -> tuple[bytes, bool]:
    """The clip, and whether its length is the one that was asked for; nothing where there is no picture."""
    buffer = io.BytesIO()
    with open_media(path) as source:
        film, has_sound = watched(source), heard(source) is not None
        rate = min(Fraction(film.average_rate or 25), FASTEST) if film is not None else FASTEST
    seen = _between(path, start, stop)
    first = next(seen, None)
    if first is None:
        return b"", False
    with av.open(buffer, "w", format="mp4") as target:
        copy = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "28"} | options)
        wide, high = first[1].size
        copy.height = max(2, min(CLIP_HEIGHT, high) // 2 * 2)
        copy.width = max(2, round(wide * copy.height / high / 2) * 2)
        copy.pix_fmt = "yuv420p"
        copy.codec_context.time_base = TICK  # pictures may come at any time, not at a rate
        voice = target.add_stream("aac", rate=44100, layout="stereo") if has_sound else None
        sent = []
        for at, picture in itertools.chain([first], seen):
            small = picture.small(copy.width, copy.height)
            small.pts, small.time_base = round(at / TICK), TICK
            sent += copy.encode(small)
            if progress:
                progress(at)
        sent += copy.encode()
        last = max(sent, key=lambda packet: packet.pts or 0)  # it stays on screen until the end
        last.duration = round((stop - start) / TICK) - (last.pts or 0)
        length = float(((sent[-1].dts or 0) - (sent[0].dts or 0) + (sent[-1].duration or 0)) * TICK)
        target.mux(sent)
        if voice is not None:
            _copy_sound(path, target, voice, start, stop)
    return buffer.getvalue(), abs(length - (stop - start)) < LATE


def _between(path: str | Path, start: float, end: float) -> Iterator[tuple[float, Picture]]:
    """(second of the clip, picture) of what is on screen from `start` to `end`."""
    before, is_first = None, True
    for picture in pictures(path, start) if start < end else ():
        if picture.second >= end - CLOSE:
            break
        if picture.second < start - CLOSE:
            before = picture
            continue
        at = picture.second - start
        if is_first and before is not None and at > LATE:
            yield 0.0, before
        yield (0.0 if is_first and at <= LATE else at), picture
        is_first = False
    if is_first and before is not None:
        yield 0.0, before


def _copy_sound(
    path: str | Path, target: OutputContainer, voice: av.AudioStream, start: float, end: float
) -> None:
    resampler, samples = av.AudioResampler(format="fltp", layout="stereo", rate=44100), None
    for at, chunk in sound(path, start):
        if at >= end:
            break
        if at >= start:
            samples = round((at - start) * 44100) if samples is None else samples
            for piece in resampler.resample(chunk):
                piece.pts, piece.time_base = samples, Fraction(1, 44100)
                samples += piece.samples
                target.mux(voice.encode(piece))
    target.mux(voice.encode())
