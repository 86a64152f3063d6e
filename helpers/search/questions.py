"""Questions of one's own: what is looked for in own videos and where the answer is, kept in a CSV."""

import csv
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.arguments import as_list, check_table, checked_path, is_number, is_text
from helpers.errors import SearchError, VideoSearchWarning
from helpers.files import write_file
from helpers.search.evaluation import EXACT, video_name
from helpers.segments import SPAN
from helpers.videos.listing import csv_lines

COLUMNS = ("query", "video", "start", "end")
CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)")


def own_questions(
    path: str | Path, segments: pd.DataFrame, *, add: Iterable[tuple[Any, ...]] = ()
) -> pd.DataFrame:
    """Your own questions and the stretches of video that answer them, as `load_ground_truth` gives its own.

    They are kept in the CSV at `path`: query, video (title, file name or video_id; "" if no video answers it),
    start and end in seconds or as m:ss. A question with several answers has several lines. The rows of `add` are
    (query, video, start, end) in that order; they replace what the file says of the same questions, the rest stays.
    segments: the corpus. A stretch that holds the middle of no clip is widened to that of the clip it is in.

    A line of the file whose video is not in the corpus (any more) is left out, with a warning. Raises SearchError
    for a line or row that cannot be used: it says which, and nothing is written.
    """
    file = checked_path(path, SearchError, what="path of the questions")
    cure, texts = "give the table of embed_videos", ("video_id", "title", "video_url", "embedding_scope")
    check_table(segments, SearchError, what="segments", cure=cure, numbers=SPAN, texts=texts)
    clips = segments[segments["embedding_scope"] == "clip"]
    known = _known(segments)
    new = [(f"question {n}", _as_row(row)) for n, row in enumerate(as_list(add), start=1)]
    asked = {row[0] for _, row in new}
    old = [(where, row) for where, row in _read(file) if row[0] not in asked]
    asking = [*(line for line in old if _is_here(*line, known)), *new]
    rows = [_checked(where, row, clips, known) for where, row in asking]
    if new:
        _write(file, [row for _, row in [*old, *new]])
    truth = pd.DataFrame(rows, columns=["query", "video", *SPAN, "relevance"])
    ids = {query: f"q{number}" for number, query in enumerate(dict.fromkeys(truth["query"]), start=1)}
    truth.insert(0, "query_id", truth["query"].map(ids).astype("str"))
    for column in ("query", "video"):
        truth[column] = truth[column].astype("str")
    truth[SPAN] = truth[SPAN].astype(float)
    truth["relevance"] = truth["relevance"].astype(int)
    return truth


def _as_row(row: Any) -> tuple[str, ...]:
    cells = as_list(row)
    if len(cells) > len(COLUMNS) or not all(is_text(cell) or is_number(cell) for cell in cells):
        raise SearchError(f"A question is {row!r}: give (query, video, start, end) for each.")
    return tuple(" ".join(str(cell).split()) for cell in [*cells, "", "", ""][: len(COLUMNS)])


def _read(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """("questions.csv, line 3", its four cells) of each line; none where there is no file."""
    if not file.exists():
        return
    lines = csv_lines(file)
    where, header = next(lines, (file.name, list(COLUMNS)))
    if [column.lower() for column in header] != list(COLUMNS):
        raise SearchError(f"{where}: the columns are {', '.join(header)}: they must be {', '.join(COLUMNS)}.")
    for where, cells in lines:
        if len(cells) > len(COLUMNS):
            raise SearchError(f"{where}: {len(cells)} cells: quote a question that holds a comma.")
        yield where, tuple([*cells, "", "", ""][: len(COLUMNS)])


def _write(file: Path, rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    try:
        write_file(file, text.getvalue().encode("utf-8-sig", errors="replace"))
    except OSError as error:
        raise SearchError(
            f"The questions were not written to {file} ({error.strerror}): name another file."
        ) from error


def _known(segments: pd.DataFrame) -> dict[str, set[str]]:
    """Video ids by what a person may call the video, in lower case: title, file name with or without its end."""
    known: dict[str, set[str]] = {}
    for row in segments.drop_duplicates("video_id").itertuples():
        url = str(row.video_url)
        for name in {
            str(row.video_id),
            str(row.title),
            video_name(url),
            url.replace("\\", "/").split("/")[-1],
        }:
            known.setdefault(name.lower(), set()).add(str(row.video_id))
    return known


def _is_here(where: str, row: tuple[str, ...], known: dict[str, set[str]]) -> bool:
    """Whether the corpus has the video of a line of the file; a warning where it has not."""
    gone = bool(row[1]) and row[1].lower() not in known
    if gone:
        what = f"{where}: {row[1]!r} is not among these videos. It is left out."
        warnings.warn(what, VideoSearchWarning, stacklevel=3)
    return not gone


def _checked(
    where: str, row: tuple[str, ...], clips: pd.DataFrame, known: dict[str, set[str]]
) -> tuple[Any, ...]:
    """The line as one of the ground truth; SearchError, with the place in front, where it cannot be used."""
    query, video, *times = row
    if not query:
        raise SearchError(f"{where}: there is no question: write a few words.")
    if not video:
        return query, "", math.nan, math.nan, 0
    ids = known.get(video.lower(), set())
    if len(ids) != 1:
        problem = f"{len(ids)} videos are called" if ids else "there is no video called"
        names = ", ".join(sorted(ids or set(clips["title"]))[:5])
        raise SearchError(f"{where}: {problem} {video!r}: write one of {names}.")
    own = clips[clips["video_id"].isin(ids)]
    start, end = (_seconds(where, cell) for cell in times)
    last = own["end_offset_sec"].max()
    if not 0 <= start < end or start >= last:
        raise SearchError(
            f"{where}: from {times[0]} to {times[1]} is no stretch of {video}: it has {last:g} s."
        )
    return query, next(iter(ids)), *_with_a_middle(start, end, own), EXACT


def _seconds(where: str, cell: str) -> float:
    if found := CLOCK.fullmatch(cell):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return 3600 * hours + 60 * minutes + seconds
    try:
        return float(cell)
    except ValueError as error:
        raise SearchError(f"{where}: {cell!r} is no time: write seconds, or minutes as 1:30.") from error


def _with_a_middle(start: float, end: float, clips: pd.DataFrame) -> tuple[float, float]:
    """The stretch, as far widened as it needs to hold the middle of one clip."""
    middles = (clips["start_offset_sec"] + clips["end_offset_sec"]) / 2
    if middles.between(start, end).any():
        return start, end
    nearest = float(middles.iloc[(middles - (start + end) / 2).abs().argmin()])
    return min(start, nearest), max(end, nearest)
