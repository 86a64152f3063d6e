"""The decoder of this project: the pictures and the sound of a file on the one time axis of `clock.py`."""

import bisect
import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from helpers.videos.clock import Clock, clock_of
from helpers.videos.display import Picture
from helpers.videos.streams import has_pts, heard, open_media, packets, watched

CLOSE = 1e-6  # seconds: a picture is on screen from its own time on, whatever the last digits of a float say
# By file and the time of its change: the seconds of what could not be decoded.
_passed: dict[tuple[str, int], set[float]] = {}
# Seconds before the one that is wanted, tried one after the other as a place to seek.
STEPS_BACK = (0.0, 12.0)


def pictures(path: str | Path, start: float = 0.0) -> Iterator[Picture]:
    """The pictures in order, from the one that is on screen at `start` (or one before it) to the last.

    Packets that cannot be decoded are passed over, as players do. Raises OSError or av.FFmpegError where the
    file cannot be read, LookupError where it has no picture.
    """
    shape = clock_of(path).shape
    for second, frame in _decoded(path, "video", start):
        yield Picture(second, frame, shape)


def sound(path: str | Path, start: float = 0.0) -> Iterator[tuple[float, av.AudioFrame]]:
    """(second, samples) in order, on the time axis of the pictures; nothing where there is no sound."""
    yield from _decoded(path, "audio", start)


def pictures_at(path: str | Path, times: Sequence[float]) -> Iterator[tuple[float, Picture]]:
    """(time, the picture on screen then) for each of `times` (ascending), in one pass.

    Before the first picture it is the first, after the end the last. Raises as `pictures` does, and
    LookupError where not one can be decoded.
    """
    waiting = iter(times)
    wanted, last = next(waiting, None), None
    if wanted is None:
        return
    for picture in pictures(path, wanted):
        while wanted is not None and picture.second > wanted + CLOSE:
            yield wanted, last or picture
            wanted = next(waiting, None)
        if wanted is None:
            return
        last = picture
    if last is None:
        raise LookupError("no picture can be decoded")
    while wanted is not None:
        yield wanted, last
        wanted = next(waiting, None)


def passed_over(path: str | Path) -> list[float]:
    """The seconds at which pictures could not be decoded, as far as this process has read the file."""
    return sorted(_passed.get(_key(path), ()))


def _key(path: str | Path) -> tuple[str, int]:
    return os.path.abspath(path), os.stat(path).st_mtime_ns


def _decoded(path: str | Path, kind: str, start: float) -> Iterator[tuple[float, Any]]:
    """Frames from at or before `start` on.

    A format without an index, such as MPEG-TS, may land behind the second that was asked for: then it begins
    12 s earlier, and in the end at the beginning of the file.
    """
    clock = clock_of(path)
    # Where the clock starts anew, no second names a place.
    steps = STEPS_BACK if len(clock.parts) == 1 else ()
    for back in (*(back for back in steps if back < start), None):
        with open_media(path) as container:
            if back is not None:
                try:
                    container.seek(round((start - back + clock.zero) * av.time_base), backward=True)
                except av.FFmpegError:
                    continue
            failed = _passed.setdefault(_key(path), set()) if kind == "video" else set()
            frames = _frames(
                container, clock, start, is_film=kind == "video", failed=failed, sought=back is not None
            )
            first = next(frames, None)
            if first and (back is None or first[0] <= start + CLOSE):
                yield first
                yield from frames
                return


def _frames(
    container: InputContainer, clock: Clock, start: float, *, is_film: bool, failed: set[float], sought: bool
) -> Iterator[tuple[float, Any]]:
    """Frames from where the container stands; the seconds of those that cannot be decoded go to `failed`."""
    stream = watched(container) if is_film else heard(container)
    if stream is None or stream.codec_context is None:
        return
    stream.thread_type = "AUTO"
    ordered = deque[float]()  # the times of packets that do not say when they are shown: one picture for each
    keep_order = is_film and not has_pts(container)
    for packet in _placed(packets(container, stream), is_film=is_film, clock=clock, start=start):
        if keep_order and packet.dts is not None:
            ordered.append(float(packet.dts * packet.time_base))
        frames: list[Any] = []
        is_broken = packet.is_corrupt and len(clock.parts) == 1  # where recordings meet, all is well
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:  # damaged, or cut in two by a seek
            is_broken = True
            if ordered:
                ordered.pop()
        if is_broken and not sought and packet.dts is not None:
            shown = packet.dts if packet.pts is None else packet.pts
            failed.add(round(float(shown * packet.time_base) - clock.zero, 3))
        for frame in frames:
            sought = False
            at = ordered.popleft() if ordered else frame.time
            if at is not None:
                yield at - clock.zero, frame


def _placed(
    found: "Iterator[Packet[Any]]", *, is_film: bool, clock: Clock, start: float
) -> "Iterator[Packet[Any]]":
    """Packets of a file whose clock starts anew, put one behind the other, from a key frame before `start` on."""
    if len(clock.parts) == 1:
        yield from found
        return
    starts = [part.picture if is_film else part.sound for part in clock.parts]
    begin = max((number for second, number in clock.keys if is_film and second <= start), default=0)
    for number, packet in enumerate(found):
        if number < begin and packet.size:
            continue
        if packet.size:
            shift = round(clock.parts[bisect.bisect_right(starts, number) - 1].shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift
        yield packet
