"""The one time axis of a video: second 0 is its first picture, and its length is that of its pictures.

A file's own clock may begin anywhere, and start anew where two recordings were joined. It is read once, packet
by packet and without decoding: what the packets say goes before any stated length.
"""

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, zip_longest
from pathlib import Path
from statistics import median
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from helpers.files import file_version
from helpers.videos.streams import has_pts, heard, open_media, packets, pixel_shape, watched

SPARSE = 2.0  # seconds from one picture to the next from which on they are slides, not moving pictures
BACK = 0.5  # seconds by which a clock must go back to count as started anew
JUMP = 10.0  # seconds by which the clock of a broadcast must jump ahead to count as another recording
BROADCAST = {"mpegts", "mpeg"}  # formats in which recordings are joined by putting one behind the other


@dataclass(frozen=True)
class Part:
    """A stretch on which the file's clock runs on; `shift` seconds more make it follow what was before.

    `picture` and `sound` are the numbers of its first packets.
    """

    shift: float = 0.0
    picture: int = 0
    sound: int = 0


@dataclass(frozen=True)
class Clock:
    """Where the pictures of a file lie in time, in seconds.

    `zero` is what the file's clock shows at its first picture; `duration` goes from there to the end of the
    last. `begin` is where the file's clock begins, with sound or pictures. Of a file with several `parts`,
    `keys` are the key frames: (seconds since the first picture, number of the packet). `shape` is that of a
    pixel: width / height.
    """

    zero: float
    begin: float
    duration: float
    parts: tuple[Part, ...] = (Part(),)
    keys: tuple[tuple[float, int], ...] = ()
    shape: Fraction = Fraction(1)

    def in_player(self, second: float) -> float:
        """What a browser's player calls a second: it counts as the file does, but from no time below zero."""
        return second + self.zero - min(self.begin, 0.0)


def clock_of(path: str | Path) -> Clock:
    """The time axis of a file; it is read anew when the file has changed.

    Raises OSError or av.FFmpegError where it cannot be read, LookupError where it has no picture.
    """
    return _clock(*file_version(path))


@dataclass
class _Track:
    """The packets of a stream: when each is shown, how long, when it is decoded, and whether it is shown.

    `base` is the seconds of one tick of its clock; of the tens of thousands of packets none is asked for its own.
    """

    base: float
    has_pts: bool = True
    times: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    order: list[float] = field(default_factory=list)
    is_key: list[bool] = field(default_factory=list)
    is_shown: list[bool] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)  # how many packets of the other stream came before

    def add(self, packet: "Packet[Any]", beside: int) -> None:
        base = self.base
        pts = packet.pts if self.has_pts and packet.pts is not None else packet.dts
        dts = packet.dts if packet.dts is not None else pts if packet.is_keyframe else None
        after = self.times[-1] + self.lengths[-1] if self.times else 0.0
        self.times.append(after if pts is None else pts * base)
        self.lengths.append((packet.duration or 0) * base)
        self.order.append(math.nan if dts is None else dts * base)
        self.is_key.append(packet.is_keyframe)
        self.is_shown.append(not packet.is_discard)
        self.beside.append(beside)

    def shown(self, start: int = 0, stop: int | None = None) -> list[float]:
        """When the packets from number `start` to `stop` are shown, without those that an edit list hides."""
        found = zip(self.times[start:stop], self.is_shown[start:stop], strict=True)
        return [at for at, is_shown in found if is_shown] or self.times[start:stop]

    def end(self, start: int = 0, stop: int | None = None) -> float:
        """When the last of them ends: after its own length, or else after the usual one."""
        times = sorted(self.shown(start, stop))
        last = self.times.index(times[-1], start)
        return times[-1] + (self.lengths[last] or usual_gap(times))

    def joints(self, *, ahead: bool) -> Iterator[tuple[int, float, float]]:
        """(number of a packet, clock before it, clock at it) where the clock goes back, or jumps `ahead`."""
        last = math.nan
        for i, now in enumerate(self.order):
            if now < last - BACK or (ahead and now > last + JUMP):
                yield i, last, now
            last = last if math.isnan(now) else now


def usual_gap(times: list[float]) -> float:
    """The median of the seconds from one time to the next; 0 for a single one."""
    return median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0.0


@functools.lru_cache(maxsize=256)
def _clock(path: str, *_version: int) -> Clock:
    with open_media(path) as container:
        film, voice = watched(container), heard(container)
        if film is None:
            raise LookupError("no picture")
        begin, number = (container.start_time or 0) / av.time_base, film.index
        pictures = _Track(float(film.time_base or 0), has_pts(container))
        sound = _Track(float(voice.time_base or 0) if voice else 0.0)
        for packet in packets(container, film, voice):
            if packet.size and packet.stream_index == number:
                pictures.add(packet, len(sound.times))
            elif packet.size:
                sound.add(packet, len(pictures.times))
        shape = pixel_shape(film)
        stated = _stated_end(container, film, len(pictures.times))
        ahead = container.format.name in BROADCAST
    if not pictures.times:
        raise LookupError("no picture")
    parts = _parts(pictures, sound, ahead=ahead)
    end = _end(pictures, sound, parts[-1], stated if len(parts) == 1 else 0.0)
    zero = min(pictures.shown(parts[0].picture, parts[1].picture if len(parts) > 1 else None))
    keys = [
        (pictures.times[i] + part.shift, i)
        for part, after in zip_longest(parts, parts[1:])
        for i in range(part.picture, after.picture if after else len(pictures.times))
        if pictures.is_key[i]
    ]
    if keys:  # of a recording that begins in the middle, nothing before the first key frame can be seen
        zero = max(zero, keys[0][0])
    since = tuple((at - zero, i) for at, i in keys) if len(parts) > 1 else ()
    return Clock(zero, begin, round(end + parts[-1].shift - zero, 3), parts, since, shape)


def _stated_end(container: InputContainer, film: Any, count: int) -> float:
    """When the pictures end by the file's header, on its own clock; 0 where it says nothing to be relied on."""
    if film.frames == count and film.duration:  # an MP4 of which no packet is missing
        return float(((film.start_time or 0) + film.duration) * film.time_base)
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", film.metadata.get("DURATION", ""))  # Matroska
    if found is None or container.duration is None:
        return 0.0
    hours, minutes, seconds = map(float, found.groups())
    whole = (container.duration + (container.start_time or 0)) / av.time_base
    return min(3600 * hours + 60 * minutes + seconds, whole)


def _parts(pictures: _Track, sound: _Track, *, ahead: bool) -> tuple[Part, ...]:
    """The stretches on which the clock runs on, each placed where the pictures of the one before end."""
    cuts = [
        i
        for i, before, now in pictures.joints(ahead=ahead)
        # A clock that jumps ahead while the sound goes on is a picture that stays.
        if now < before or (sound.times and not any(before + 1 < t < now - 1 for t in sound.times))
    ]
    sound_cuts = [i for i, _, _ in sound.joints(ahead=ahead)]
    if len(sound_cuts) != len(cuts):
        sound_cuts = [pictures.beside[i] for i in cuts]
    parts = [Part()]
    for cut, sound_cut, after in zip_longest(cuts, sound_cuts, cuts[1:]):
        end = pictures.end(parts[-1].picture, cut)
        shift = parts[-1].shift + end - min(pictures.shown(cut, after))
        parts.append(Part(shift, cut, sound_cut))
    return tuple(parts)


def _end(pictures: _Track, sound: _Track, part: Part, stated: float) -> float:
    """When the last picture ends; where pictures are sparse it is held to the end of the sound."""
    times = sorted(pictures.shown(part.picture))
    gaps = [b - a for a, b in pairwise(times)]
    end = max(pictures.end(part.picture), stated)
    if len(sound.times) > part.sound:
        sound_end = sound.times[-1] + sound.lengths[-1]
        is_sparse = not gaps or max(gaps[-1], sum(gaps) / len(gaps)) >= SPARSE
        # Less than a picture's time is no sound that runs on.
        if is_sparse or sound_end - end < usual_gap(times):
            end = max(end, sound_end)
    return end
