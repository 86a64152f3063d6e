"""A media file: its content as a digest, what a video holds, and what is wrong with one that cannot be used."""

import functools
import os
import shlex
import stat
import struct
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from helpers.errors import VideoError
from helpers.videos.catalogue import published
from helpers.videos.clock import clock_of
from helpers.videos.decode import pictures
from helpers.videos.display import Picture
from helpers.videos.streams import NOT_WATCHED, open_media, pixel_shape, watched


@dataclass(frozen=True)
class Probe:
    """What a video file holds: duration in seconds, size in pixels, sound or not, codec, size in bytes.

    Pixels are counted as a player shows them: upright, and square. `shape` is the width / height of a stored
    pixel; `stream` is the number of the stream that is watched where there are others, and `note` says, in a
    sentence, what is missing of the file.
    """

    duration: float
    width: int
    height: int
    has_audio: bool
    codec: str = ""
    size: int = 0
    note: str = ""
    shape: Fraction = Fraction(1)
    is_interlaced: bool = False
    stream: int | None = None


def printable(text: str | Path) -> str:
    """Text on one line, with every letter that Unicode allows; controls, and what is no UTF-8, become "?"."""
    return "".join("?" if _is_control(letter) else letter for letter in str(text))


def _is_control(letter: str) -> bool:
    """Whether it is a control, half of a letter, a line's end or no letter at all; joiners and marks are letters."""
    code = ord(letter)
    return (
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        or code & 0xFFFE == 0xFFFE
        or 0xFDD0 <= code <= 0xFDEF
    )


def same_name(path: Path) -> Path | None:
    """The file of this name; else one whose name means the same: composed otherwise, or with a suffix in capitals.

    macOS writes é as two letters, others as one. None where there is no such file.
    """
    if os.path.isfile(path):  # false too for a name that is too long
        return path

    def form(name: Path) -> tuple[str, str]:
        return unicodedata.normalize("NFC", name.stem), unicodedata.normalize("NFC", name.suffix.lower())

    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return None
    return next((file for file in beside if form(file) == form(path) and os.path.isfile(file)), None)


def shown(path: str | Path) -> str:
    """The name of a file as a message can show it."""
    return printable(Path(path).name or path)


def shell_word(path: str | Path) -> str:
    """A path as a word for the shell and for ffmpeg, whatever its letters: quoted, and never an option."""
    text = str(path)
    if text.startswith("-") or (":" in text and not os.path.isabs(text)):  # ffmpeg reads "a:b" as a protocol
        text = f"./{text}"
    return shlex.quote(text)


def probe(path: str | Path, *, digest: str | None = None) -> Probe:
    """Look into a video file; VideoError if it is missing, may not be read, is cut off or is no video.

    What was found is kept, and the file looked into anew when it has changed. Of a copy of a sample the catalogue
    tells what it holds; `digest` is the sha256 of the file, where it is known already.
    """
    found = _ordinary_file(path := Path(path))
    if sample := published(path, found.st_size, digest=digest):
        sides = int(sample["width"]), int(sample["height"])
        has_audio = sample["has_audio"] == "True"
        return Probe(float(sample["duration_sec"]), *sides, has_audio, sample["codec"], found.st_size)
    return _probe(path, found.st_ino, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _probe(path: Path, inode: int, size: int, changed: int) -> Probe:
    name = shown(path)
    if _is_text(path):
        raise VideoError(f"{name} holds text, not a video: perhaps a web page was saved under its name.")
    cut, in_fragments = _is_cut_off(path)
    if cut and not in_fragments:  # first, as the rest may look like anything
        raise VideoError(f"{name} is cut off, its end is missing: copy, download or record it again.")
    try:
        with open_media(path) as container:
            kind, film = container.format.name, watched(container)
            has_audio = bool(container.streams.audio)
            if kind == "image2" or kind.endswith("_pipe"):
                raise VideoError(f"{name} is a picture, not a video: search with it by embed_image instead.")
            if film is None:
                raise VideoError(f"{name} has sound but no picture: name a video file.")
            if film.codec_context is None or not film.width:
                raise _unreadable(path)
            others = sum(not s.disposition & NOT_WATCHED for s in container.streams.video) > 1
            index, codec = film.index if others else None, film.codec_context.name
            picture = Picture(0.0, av.VideoFrame(film.width, film.height), pixel_shape(film))
        seconds = clock_of(path).duration
        picture = next(pictures(path), picture)
    except av.FFmpegError as error:
        raise _unreadable(path) from error
    except LookupError:
        seconds = 0.0
    if seconds <= 0:
        raise VideoError(f"{name} has no length, there is no picture in it: record or export it again.")
    note = f"{name} is cut off: of its last seconds, after {seconds:g} s, nothing can be read." if cut else ""
    return Probe(
        *(seconds, *picture.size, has_audio, codec, size, note),
        shape=picture.shape,
        is_interlaced=picture.frame.interlaced_frame,
        stream=index,
    )


def _ordinary_file(path: Path) -> os.stat_result:
    """What the system says of an ordinary file; VideoError, with the reason, where there is none to read."""
    name = shown(path)
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            with open(path, "rb"):
                pass
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            raise VideoError(
                f"{name} is a link to a file that is gone: mend it, or name the file."
            ) from error
        raise VideoError(
            f"There is no video file at {printable(path)}: check the path and its spelling."
        ) from error
    except PermissionError as error:
        raise VideoError(f"{name} may not be read: copy it to a folder of your own.") from error
    except (OSError, ValueError) as error:  # a loop of links, a name too long, a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{name[:80]} cannot be opened ({reason}): name another file.") from error
    if stat.S_ISDIR(found.st_mode):
        raise VideoError(f"{name} is a folder, not a video file: name the file inside it.")
    if not stat.S_ISREG(found.st_mode):  # to read from a pipe would wait for ever
        raise VideoError(f"{name} is no ordinary file: name a video file.")
    if not found.st_size:
        raise VideoError(f"{name} is empty (0 bytes): copy or download it again.")
    return found


def _unreadable(path: Path) -> VideoError:
    line = f"ffmpeg -i {shell_word(path)} -c:v libx264 -pix_fmt yuv420p out.mp4"
    return VideoError(
        f"{shown(path)} is not a video that can be read: try to play it, or convert it with `{line}`."
    )


def _is_text(path: Path) -> bool:
    """Whether a file begins as text does: a web page, or a playlist that would lead to other files."""
    with open(path, "rb") as file:
        head = file.read(4096)
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in head) and not head.startswith(b"YUV4MPEG2")


def _is_cut_off(path: Path) -> tuple[bool, bool]:
    """Whether an MP4 or MOV ends inside one of its boxes, or lacks its index (ISO/IEC 14496-12, 4.2).

    And whether there are whole fragments before, each with an index of its own, which can be read all the same.
    """
    size, at, kinds = path.stat().st_size, 0, set[bytes]()
    with open(path, "rb") as file:
        while at + 8 <= size:
            file.seek(at)
            length, kind = struct.unpack(">I4s", file.read(8))
            if at == 0 and kind != b"ftyp":
                return False, False
            if length == 1:  # the length follows, in eight bytes
                length = int.from_bytes(file.read(8), "big")
            if length == 0:  # up to the end of the file
                length = size - at
            if length < 8:
                break
            if at + length > size and kind in (b"ftyp", b"moov", b"mdat", b"moof"):
                return True, {b"moov", b"moof", b"mdat"} <= kinds
            kinds.add(kind)
            at += length
    return bool(kinds) and b"moov" not in kinds, False
