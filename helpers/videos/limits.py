"""What the live service takes, checked before an upload, and the ffmpeg line that mends what it would refuse.

The numbers are those of the service's API description of 2026-03, which speaks of Marengo 3.0; none that differs
was found for 3.5, so that both are held to them. The offline model shares the lower limits only.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import VideoError
from helpers.models import LIVE_MODEL, model_facts
from helpers.settings import load_settings
from helpers.videos.media import Probe, probe, shell_word, shown
from helpers.videos.own import check_videos, list_sources, to_row
from helpers.videos.samples import local_path

SECONDS = (4.0, 4 * 3600.0)
SHORTEST_SIDE, LONG_SIDE, SHORT_SIDE = 360, 5184, 2160  # pixels: 360x360 to 5184x2160
ASPECT = 2.4  # the longer side over the shorter; the documents name 1:1 to 2.4:1, upright is taken alike here
TASK_BYTES, UPLOAD_BYTES = 4_000_000_000, 10_000_000_000  # of a task's video; of an upload in parts
UNKNOWN = "not known before the service fetches it: the address must lead to the file itself, up to 4 GB"


def check_limits(found: Probe, path: str | Path, *, model: str) -> list[str]:
    """One sentence for each documented limit that a video breaks: the limit, what it has, what mends it.

    The ffmpeg line is the same in all of them, and mends all. An empty list means that nothing is known against
    the video. Raises SettingsError for a model that is not known.
    """
    facts = model_facts(model)
    w, h = found.width, found.height
    name = facts.title[0].upper() + facts.title[1:]
    name += f" (as documented for {facts.limits_as})" if facts.limits_as else ""
    long, short, ratio = max(w, h), min(w, h), max(w, h) / max(min(w, h), 1)
    lower = [
        (
            found.duration < SECONDS[0],
            f"a video of 4 s {'or more' if facts.offline else 'to 4 h'}, and this one has {found.duration:g} s",
            "holds its last picture until then",
        ),
        (short < SHORTEST_SIDE, f"360x360 pixels or more, and this one has {w}x{h}", "enlarges it"),
    ]
    upper = [
        (
            found.duration > SECONDS[1],
            f"a video of 4 s to 4 h, and this one has {found.duration / 3600:.2f} h",
            "keeps the beginning (with -ss 14390 in front of -i, what follows)",
        ),
        (
            long > LONG_SIDE or short > SHORT_SIDE,
            f"up to 5184x2160 pixels, and this one has {w}x{h}",
            "makes the picture smaller",
        ),
        (
            ratio > ASPECT,
            f"pictures of 1:1 to 2.4:1, and this one has {_ratio(w, h)}",
            "adds bars to it",
        ),
        (
            TASK_BYTES < found.size <= UPLOAD_BYTES,
            f"files of up to 4 GB for a task, and this one has {found.size / 1e9:.2f} GB",
            "encodes it anew, smaller",
        ),
        (
            found.size > UPLOAD_BYTES,
            f"uploads of up to 10 GB, and 4 GB for a task, and this one has {found.size / 1e9:.2f} GB",
            "encodes it anew, smaller",
        ),
    ]
    rules = lower if facts.offline else lower + upper
    broken = [(text, what) for is_broken, text, what in rules if is_broken]
    line = mending_line(path, found) if broken else ""
    return [f"{name} takes {text}: `{line}` {what}." for text, what in broken]


def require_limits(path: str | Path, *, model: str) -> Probe:
    """The probe of a file that keeps to the limits; VideoError, with the sentences of `check_limits`, of any other."""
    found = probe(path)
    if sentences := check_limits(found, path, model=model):
        raise VideoError(f"{shown(path)} was not sent. {' '.join(sentences)}")
    return found


def _ratio(width: int, height: int) -> str:
    return f"{width / height:.2f}:1" if width > height else f"1:{height / width:.2f}"


def mending_line(path: str | Path, found: Probe) -> str:
    """The ffmpeg line that makes `<name>-fixed.mp4`, within all limits, beside a file; made for the shell.

    A film that is only too long is cut without encoding it anew, and keeps its format.
    """
    path = Path(path)
    width, height = _box(found.width, found.height)
    filters, sound, options = [], [], []
    if found.is_interlaced:
        filters.append("yadif=deint=interlaced")
    if found.shape != 1:  # ffmpeg turns a picture upright by itself, and leaves its pixels as they are
        filters.append(f"scale={found.width}:{found.height},setsar=1")
    shown_well = len(filters)
    if (width, height) != (found.width, found.height):
        # The whole picture, in proportion, in the middle of a frame of the size that is needed.
        filters.append(f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2")
        filters.append(f"pad={width}:{height}:-1:-1,setsar=1")
    seconds = min(found.duration, SECONDS[1] - 10)
    if found.duration > SECONDS[1]:
        options.append(f"-t {seconds:g}")
    if found.duration < SECONDS[0]:
        seconds = round(math.ceil((SECONDS[0] - found.duration) * 10) / 10 + 0.2, 1)
        filters.append(f"tpad=stop_mode=clone:stop_duration={seconds:g}")
        sound = ["-af apad -shortest"] if found.has_audio else []
    heavy = found.size > TASK_BYTES
    if heavy:  # a fifth below the limit, for the sound and for what the encoder misses
        options.append(f"-b:v {min(8000, int(0.8 * TASK_BYTES * 8 / seconds / 1000))}k -b:a 128k")
    suffix = ".mp4"
    if len(filters) > shown_well or heavy:
        options += [f'-vf "{",".join(filters)}"'] if filters else []
        options += [*sound, "-c:v libx264 -pix_fmt yuv420p -c:a aac"]
    else:
        suffix = path.suffix or suffix
        options.append("-c copy")
    target = path.with_name(f"{path.stem}-fixed{suffix}")
    if found.stream is not None:
        options.insert(0, f"-map 0:{found.stream} -map 0:a?")
    return f"ffmpeg -i {shell_word(path)} {' '.join(options)} {shell_word(target)}"


def _box(width: int, height: int) -> tuple[int, int]:
    """The nearest frame within the limits, with even sides, as H.264 needs them."""
    long, short = max(width, height), min(width, height)
    high = max(float(short), long / ASPECT)
    scale = max(1.0, SHORTEST_SIDE / high) * min(1.0, LONG_SIDE / long, SHORT_SIDE / high)
    a = min(max(2 * math.ceil(high * scale / 2), SHORTEST_SIDE), SHORT_SIDE)
    b = min(max(2 * math.floor(long * scale / 2), a), LONG_SIDE, 2 * math.floor(a * ASPECT / 2))
    return (b, a) if width >= height else (a, b)


def probe_videos(
    videos: pd.DataFrame | str | Path | Iterable[Any],
    *,
    root: str | Path | None = None,
    model: str | None = None,
) -> pd.DataFrame:
    """What each video holds, and whether the live service would take it, one row each; nothing is raised for one.

    `videos` is a table such as `own_videos(...)`, or what `own_videos` takes; the same content counts once.
    Columns: title, minutes, size_mb, resolution, codec, audio, verdict ("ok", or sentences that say what to do).
    `model=None` is the live model. Raises VideoError for a folder, a CSV or an address that cannot be used,
    SettingsError for a model that is not known.
    """
    settings = load_settings()
    default = settings.model if settings.live else LIVE_MODEL
    model = model_facts(default if model is None else model).name
    if isinstance(videos, pd.DataFrame):
        check_videos(videos)
        known = [(str(r["title"]), local_path(str(r["video_url"])), "") for r in videos.to_dict("records")]
    else:
        known, seen = [], set()
        for listed in list_sources(videos, root=root):
            try:
                row = to_row(listed)
            except VideoError as error:
                known.append((listed.title or shown(listed.source), None, str(error)))
                continue
            if row["video_id"] not in seen:  # the same content counts once, as in own_videos
                seen.add(row["video_id"])
                known.append((row["title"], local_path(row["video_url"]), ""))
    types = {"minutes": "float64", "size_mb": "float64", "audio": "boolean"}
    columns = ["title", "minutes", "size_mb", "resolution", "codec", "audio", "verdict"]
    return pd.DataFrame([_line(*k, model) for k in known], columns=columns).astype(types)


def _line(title: str, path: Path | None, problem: str, model: str) -> dict[str, Any]:
    empty = {"title": title, "resolution": "", "codec": ""}
    if path is None:
        return {**empty, "verdict": problem or UNKNOWN}
    try:
        found = probe(path)
    except VideoError as error:
        return {**empty, "verdict": str(error)}
    return {
        "title": title,
        "minutes": round(found.duration / 60, 2),
        "size_mb": round(found.size / 1e6, 2),
        "resolution": f"{found.width}x{found.height}",
        "codec": found.codec,
        "audio": found.has_audio,
        "verdict": " ".join(check_limits(found, path, model=model)) or "ok",
    }
