"""What is seen in a video, as captions that a player can show: the cues of its description track."""

import functools
import html
from pathlib import Path

from helpers.errors import VideoError
from helpers.settings import ROOT
from helpers.show.output import data_uri
from helpers.videos.cues import Cue, overlaps, read_track, timecode
from helpers.videos.media import same_name

AROUND = 60.0  # seconds before and after a moment: as far as people usually drag its player


def captions_html(path: Path, start: float, end: float, *, shift: float) -> str:
    """A <track> of the cues around a moment, for the inside of its <video>; "" for a video without descriptions.

    `shift` is what the player calls second 0 of the video. The cues are in the address itself: a page that was opened
    as a file may load no track from another.
    """
    written = _written(path)
    if written is None:
        return ""
    try:
        cues = _cues(written, written.stat().st_mtime_ns)
    except (VideoError, OSError):
        return ""  # embedding says what is wrong with a track; the video plays without it
    near = [cue for cue, _ in overlaps(list(cues), start - AROUND, end + AROUND)]
    times = [[timecode(max(0.0, at + shift)) for at in (cue.start, cue.end)] for cue in near]
    blocks = [
        f"{start} --> {end}\n{html.escape(cue.text, quote=False)}"
        for cue, (start, end) in zip(near, times, strict=True)
    ]
    source = data_uri("text/vtt", "\n\n".join(["WEBVTT", *blocks]).encode())
    return f'<track kind="captions" label="what is seen" src="{source}">' if near else ""


def _written(path: Path) -> Path | None:
    """A sample's own description track, or the one beside a video."""
    if path.parent == ROOT / "data" / "videos":
        return same_name(ROOT / "data" / "descriptions" / f"{path.stem}.vtt")
    return same_name(path.with_suffix(".vtt"))


@functools.lru_cache(maxsize=16)
def _cues(path: Path, changed: int) -> tuple[Cue, ...]:
    return tuple(read_track(path).cues)
