"""A learner's own videos: files, folders, web addresses, lists of them, or a CSV that lists them.

Nothing is downloaded here, and a CSV opens no file outside the folder that it lies in, unless `root` allows it.
"""

import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd

from helpers.arguments import as_list, check_table, checked_path
from helpers.errors import VideoError, VideoSearchWarning
from helpers.videos.listing import Listed, check_name, checked_address, read_list, saying_where, source_path
from helpers.videos.media import printable, same_name, shown
from helpers.videos.samples import SUFFIXES, is_address, video_row, videos_table

MOST_FOLDERS = 1000  # that are looked into, so that a whole disk does not hold up what was named


def check_videos(table: object) -> None:
    """VideoError unless this is a table of videos, with what embedding needs to know of each."""
    cure, texts = "use the table of sample_videos or own_videos", ("video_id", "title", "video_url")
    check_table(table, VideoError, what="videos", cure=cure, texts=texts)


def own_videos(*sources: Any, root: str | Path | None = None) -> pd.DataFrame:
    """Your own videos as a table with the columns of `sample_videos`, in the order in which they are named.

    A source is a video file, a folder (without those inside it), an http(s) address that leads to the file
    itself, a .csv with the columns path, title, category, recorded_at (all but the first may be missing), or
    a list of such. A path in a CSV starts from the CSV's folder and may not leave it, unless `root` names a
    folder that holds the file. A CSV's title, category and date win, except for the sample videos.

    What lies behind an address is not known before the service fetches it: duration NaN, width and height 0,
    has_audio <NA>. Files with the same content count once, with a warning; what cannot be used of a folder, and
    the videos in folders inside it, are left out, with a warning. Raises VideoError for what was named itself and
    is missing, is no video or cannot be read; `probe_videos` lists all such.
    """
    found = list_sources(*sources, root=root)
    table, problems = read_videos(found)
    for listed, problem in problems:
        if not listed.in_folder:
            raise VideoError(problem)
        warnings.warn(f"{problem} It is left out.", VideoSearchWarning, stacklevel=2)
    if inside := _videos_inside(found):
        count = "1 video is" if len(inside) == 1 else f"{len(inside)} videos are"
        names = list(dict.fromkeys(printable(path.parent.name) for path in inside))
        more = ", …" if len(names) > 3 else ""
        warnings.warn(
            f"{count} in folders inside this one ({', '.join(names[:3])}{more}), and left out: to take them, name "
            "those folders, too.",
            VideoSearchWarning,
            stacklevel=2,
        )
    return table


def read_videos(found: Iterable[Listed]) -> tuple[pd.DataFrame, list[tuple[Listed, str]]]:
    """The table of `own_videos`, and what cannot be used, each with the sentence that says why.

    Raises VideoError where nothing can be used at all.
    """
    rows: dict[str, dict[str, Any]] = {}
    files: dict[str, Path] = {}
    problems: list[tuple[Listed, str]] = []
    for listed in found:
        try:
            row = to_row(listed)
        except VideoError as error:
            problems.append((listed, str(error)))
            continue
        key = row["video_id"]
        if key not in rows:
            rows[key] = row
        elif isinstance(listed.source, Path) and not os.path.samefile(listed.source, files[key]):
            warnings.warn(
                f"{shown(listed.source)} has the same content as {shown(files[key])}: it counts once.",
                VideoSearchWarning,
                stacklevel=3,
            )
        if isinstance(listed.source, Path):
            files.setdefault(key, listed.source)
    if problems and not rows:
        raise VideoError(problems[0][1])
    return videos_table(list(rows.values())), problems


def list_sources(*sources: Any, root: str | Path | None = None) -> list[Listed]:
    """The videos that `own_videos` would read, in order, before any of them is opened.

    What is wrong with one of them is found out later, by `to_row`. Raises VideoError for a folder, a CSV or an
    address that cannot be used, and where nothing is named.
    """
    if root is not None:
        root = checked_path(root, VideoError, what="root")
    found = [listed for source in sources for listed in _expand(source, root)]
    if not found:
        raise VideoError("There is no video to work on: name at least one file or folder.")
    return found


def to_row(listed: Listed) -> dict[str, Any]:
    """One row of the table; VideoError as `probe` does, with the CSV's line in front."""
    if listed.problem:
        raise VideoError(listed.problem)
    words = {"title": listed.title, "category": listed.category, "recorded_at": listed.recorded_at}
    if isinstance(listed.source, Path):
        with saying_where(listed.where):
            check_name(listed.source)
            return video_row(listed.source, **words)
    digest = hashlib.sha256(listed.source.encode()).hexdigest()
    return {
        "video_id": f"url-{digest[:10]}",
        "title": listed.title or address_title(listed.source),
        "category": listed.category or "own",
        "recorded_at": listed.recorded_at,
        "video_url": listed.source,
        "duration_sec": float("nan"),
        "width": 0,
        "height": 0,
        "has_audio": None,
    }


def address_title(address: str) -> str:
    """A title from an address: the file's name, or the host; never the user, password or query in it."""
    parts = urlsplit(address)
    return printable(PurePosixPath(unquote(parts.path)).stem or parts.hostname or "video")[:200]


def _expand(source: Any, root: str | Path | None) -> Iterator[Listed]:
    if isinstance(source, str | Path):
        text = str(source)
        if is_address(text):
            yield Listed(checked_address(text))
            return
        path = source_path(text)
        path = path if os.path.lexists(path) else same_name(path) or path
        if os.path.isdir(path):
            yield from (Listed(file, in_folder=True) for file in _videos_in(path))
        elif path.suffix.lower() == ".csv":
            yield from read_list(path, root=root)
        else:
            yield Listed(path)
        return
    items = [source] if isinstance(source, dict | pd.DataFrame) else as_list(source)
    if any(item is source for item in items):  # nothing that can be walked through
        raise VideoError(
            f"{type(source).__name__} is not a source of videos: name a path, a folder, an address, or a list of them."
        )
    for item in items:
        yield from _expand(item, root)


def _videos_inside(found: Iterable[Listed]) -> list[Path]:
    """The videos of the folders inside those that were named, hidden ones and those that were named aside."""
    files = [listed.source for listed in found if isinstance(listed.source, Path)]
    taken = {file.parent.resolve() / file.name for file in files}
    named = {Path(listed.source).parent.resolve() for listed in found if listed.in_folder}
    inside: set[Path] = set()
    for folder in named:
        for at, folders, names in islice(os.walk(folder), MOST_FOLDERS):
            folders[:] = [
                name for name in folders if not name.startswith(".") and Path(at, name) not in named
            ]
            if Path(at) != folder:
                inside |= {path for path in (Path(at, name) for name in names) if _is_video(path)}
    return sorted(inside - taken)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not os.path.isdir(path)


def _videos_in(folder: Path) -> list[Path]:
    """The videos of a folder by name; hidden files are none (macOS leaves some beside each video)."""
    try:
        seen = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise VideoError(
            f"The folder {printable(folder)} may not be read ({error.strerror}): name a folder of your own."
        ) from error
    files = [p for p in seen if _is_video(p)]
    if not files:
        inside = [printable(p.name) for p in seen if os.path.isdir(p)]
        others = f", and folders inside it are not looked into ({', '.join(inside[:3])}): name one of them"
        raise VideoError(
            f"The folder {printable(folder)} holds no video ({', '.join(SUFFIXES)})"
            f"{others if inside else ': name another folder'}."
        )
    return files
