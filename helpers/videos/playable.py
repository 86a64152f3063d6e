"""What a browser plays as it is, and small copies of what it does not play, made once and kept."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from helpers.files import cache_key, file_sha256, write_file
from helpers.progress import progress_bar
from helpers.settings import load_settings
from helpers.videos.clock import clock_of
from helpers.videos.frames import encode_clip, local_file, unreadable
from helpers.videos.media import shown
from helpers.videos.streams import NOT_WATCHED, heard, open_media, watched

EIGHT_BITS = {"yuv420p", "yuvj420p"}
TEN_BITS = {"yuv420p10le"}

# What Chromium, Firefox and Safari all play: per container the codecs, and the pixels that they may have.
PICTURES = {
    "mp4": {"h264": EIGHT_BITS, "av1": EIGHT_BITS | TEN_BITS, "vp9": EIGHT_BITS},
    "webm": {
        "vp8": EIGHT_BITS | {"yuva420p"},
        "vp9": EIGHT_BITS | TEN_BITS | {"yuva420p"},
        "av1": EIGHT_BITS | TEN_BITS,
    },
}
SOUNDS = {"mp4": {"aac", "mp3", "mp3float", "opus", "flac"}, "webm": {"opus", "vorbis"}}
FORM = 1  # of the clips that are kept: another number makes them anew
MOST_BYTES = 2_000_000_000  # of the clips that are kept: some 10,000 of 6 s


def is_playable(path: str | Path) -> bool:
    """Whether browsers play a file as it is, by its container and its codecs, whatever its name ends in.

    Raises VideoError where it cannot be read.
    """
    try:
        with open_media(path) as container:
            film, voice, kind = watched(container), heard(container), _container(container, path)
            films = [s for s in container.streams.video if not s.disposition & NOT_WATCHED]
            if film is None or film.codec_context is None or film.index != films[0].index:
                return False  # a browser plays the first, which is another
            pixels = PICTURES.get(kind, {}).get(_codec(film), set())
            sounds_well = not container.streams.audio or (
                voice is not None and _codec(voice) in SOUNDS.get(kind, set())
            )
            return film.pix_fmt in pixels and sounds_well
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path) from error


def _container(container: Any, path: str | Path) -> str:
    """The family of a file, "mp4" or "webm"; "" for what not every browser takes, such as QuickTime."""
    names = container.format.name.split(",")
    if "mp4" in names:
        return "" if container.metadata.get("major_brand", "qt").startswith("qt") else "mp4"
    if "webm" in names:  # Matroska has the same form: its head says which of the two it is
        with open(path, "rb") as file:
            return "webm" if b"webm" in file.read(64) else ""
    return ""


def _codec(stream: Any) -> str:
    names = {
        "libdav1d": "av1",
        "libvpx": "vp8",
        "libvpx-vp9": "vp9",
        "libopus": "opus",
        "libvorbis": "vorbis",
    }
    name = str(stream.codec_context.name)
    return names.get(name, name)


def player_seconds(path: str | Path, *seconds: float) -> list[float]:
    """What a browser's player of the file itself calls these seconds; VideoError where it cannot be read."""
    try:
        clock = clock_of(path)
    except (av.FFmpegError, OSError, LookupError) as error:
        raise unreadable(path) from error
    return [clock.in_player(second) for second in seconds]


def playable_clip(path: str | Path, start: float, end: float) -> bytes:
    """The seconds [start, end) as `cut_clip` gives them: made once, with a progress bar, and kept on disk.

    Above 2 GB the clips that were not used for longest go; a page that shows one holds it, and needs no file.
    Raises VideoError as `cut_clip` does.
    """
    file = local_file(path)
    key = cache_key(content=file_sha256(file), start=round(start, 3), end=round(end, 3), form=FORM)
    kept = load_settings().home / "cache" / "clips" / f"{key}.mp4"
    with suppress(OSError):
        data = kept.read_bytes()
        os.utime(kept)  # it was used now
        return data
    what = f"making a clip of {shown(file)} that browsers play"
    with progress_bar(what, round(end - start, 1), unit="s") as bar:
        data = encode_clip(file, start, end, progress=lambda second: bar.update(second - bar.n))
    with suppress(OSError):  # a full disk costs the time to make it again
        write_file(kept, data, durable=False)
        _remove_the_oldest(kept.parent)
    return data


def _remove_the_oldest(folder: Path) -> None:
    """Let the clips of a folder take no more than MOST_BYTES: those that were not used for longest go."""
    found = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.mp4")]
    room = MOST_BYTES
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)
