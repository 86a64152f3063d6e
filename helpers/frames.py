"""Stills and short clips out of a video file, for the eye: contact sheets, posters, players."""

import functools
import io
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from PIL import Image

from helpers.errors import VideoError
from helpers.videos import local_path

CLIP_HEIGHT = 360  # pixels; a clip of 6 s then has about 200 KB


def thumbnail(path: str | Path, second: float, *, width: int = 240) -> Image.Image:
    """The frame that is on screen at `second`, `width` pixels wide; after the end, the last frame.

    `path` is a file, or a `video_url` relative to the checkout. Raises VideoError for a missing file, a web
    address, or a file that is no video.
    """
    file, changed = _file(path)
    return _frame(file, changed, round(max(second, 0.0), 3), width).copy()


def cut_clip(path: str | Path, start: float, end: float) -> bytes:
    """The seconds [start, end) as a small MP4 (H.264 and AAC, which browsers play) that begins at 0.

    Raises VideoError as `thumbnail` does.
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
        with av.open(path) as container:
            found = _decode_to(container, second)
            picture: Image.Image = found.to_image()  # type: ignore[no-untyped-call]
            if found.rotation:  # a phone held upright writes the turn beside the pixels
                picture = picture.rotate(found.rotation, expand=True)
    except (av.FFmpegError, LookupError) as error:
        raise _unreadable(path, second) from error
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _decode_to(container: InputContainer, second: float) -> av.VideoFrame:
    """Seek to the keyframe before, then decode up to the frame on screen at `second`."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    container.seek(round(second * av.time_base), backward=True)
    found = None
    for frame in container.decode(stream):
        if found is not None and (frame.time or 0.0) > second + 1e-3:
            break
        found = frame
    if found is None:
        raise LookupError("no frame")
    return found


@functools.lru_cache(maxsize=16)
def _clip(path: str, changed: int, start: float, end: float) -> bytes:
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format="mp4") as target:
            with av.open(path) as picture, av.open(path) as sound:
                _copy(picture, sound, target, start, end)
    except (av.FFmpegError, LookupError) as error:
        raise _unreadable(path, start) from error
    return buffer.getvalue()


def _copy(
    picture: InputContainer, sound: InputContainer, target: OutputContainer, start: float, end: float
) -> None:
    """Encode what lies in [start, end) anew: a copy could begin only at a keyframe, in the source's codec."""
    video = picture.streams.video[0]
    height = min(CLIP_HEIGHT, video.height) // 2 * 2
    fast = {"preset": "veryfast", "crf": "28"}
    film = target.add_stream("libx264", rate=video.average_rate or 25, options=fast)
    film.width, film.height = round(video.width * height / video.height / 2) * 2, height
    film.pix_fmt = "yuv420p"
    voice = target.add_stream("aac", rate=44100, layout="stereo") if sound.streams.audio else None

    picture.seek(round(start * av.time_base), backward=True)
    first = None
    for frame in picture.decode(video):
        if frame.time is None or frame.pts is None or frame.time < start - 1e-3:
            continue
        if frame.time >= end - 1e-3:
            break
        if first is None:
            first = frame.pts
            film.set_display_rotation(frame.rotation)
        small = frame.reformat(width=film.width, height=film.height, format="yuv420p")
        small.pts, small.time_base = frame.pts - first, frame.time_base
        target.mux(film.encode(small))
    target.mux(film.encode())

    if voice is not None:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=44100)
        sound.seek(round(start * av.time_base), backward=True)
        for chunk in sound.decode(sound.streams.audio[0]):
            if chunk.time is None or chunk.time < start:
                continue
            if chunk.time >= end:
                break
            for piece in resampler.resample(chunk):
                piece.pts = None  # the encoder counts from zero
                target.mux(voice.encode(piece))
        target.mux(voice.encode())
