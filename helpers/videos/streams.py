"""A file opened: the stream that people watch, the one that they hear, and their packets."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition

NOT_WATCHED = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
STILL_CODECS = {"mjpeg", "png", "bmp", "gif", "webp", "tiff"}
MOST_FAILURES = 100  # reads in a row that fail before the rest of a file is given up


def open_media(path: str | Path) -> InputContainer:
    """Open a file; raises av.FFmpegError."""
    return av.open(os.path.abspath(path))  # a relative "a:b" would be a protocol


def watched(container: InputContainer) -> Any:
    """The stream that people watch, None where there is no picture: not artwork, not a track of thumbnails."""

    def rank(stream: Any) -> tuple[Any, ...]:
        codec = stream.codec_context
        if codec is None:  # nothing here can decode it
            return (False, False, 0, False, -stream.index)
        moving = stream.frames != 1 and codec.name not in STILL_CODECS
        is_default = bool(stream.disposition & Disposition.default)
        return (True, moving, codec.width * codec.height, is_default, -stream.index)

    films = [s for s in container.streams.video if not s.disposition & NOT_WATCHED]
    return max(films, key=rank, default=None)


def heard(container: InputContainer) -> Any:
    """The sound that belongs to the pictures, None where there is none that can be decoded."""
    voices = [s for s in container.streams.audio if s.codec_context is not None]
    return max(voices, key=lambda s: (bool(s.disposition & Disposition.default), -s.index), default=None)


def packets(container: InputContainer, *streams: Any) -> "Iterator[Packet[Any]]":
    """The packets of the streams, in the order of the file; what cannot be read in between is passed over.

    An empty packet of each stream comes at the end: it makes a decoder give what it still holds.
    """
    chosen, failed = [stream for stream in streams if stream is not None], 0
    while chosen and failed < MOST_FAILURES:
        try:
            for packet in container.demux(chosen):
                failed = 0
                yield packet
            return
        except av.FFmpegError:
            failed += 1


def has_pts(container: InputContainer) -> bool:
    """Whether packets say when they are shown; AVI knows only their order, and what FFmpeg adds is a guess."""
    return container.format.name != "avi"


def pixel_shape(stream: Any) -> Fraction:
    """Width / height of a pixel as the file states it; 1 where it states nothing that can be."""
    shape = Fraction(stream.sample_aspect_ratio or 1)
    return shape if Fraction(1, 10) < shape < 10 else Fraction(1)
