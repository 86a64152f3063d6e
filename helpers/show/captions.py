"""Words about a hit: its time, its caption, the credit that its film's licence asks for."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.core.getipython import get_ipython

from helpers.arguments import is_number, is_whole
from helpers.errors import SearchError
from helpers.segments import check_spans
from helpers.settings import ROOT
from helpers.videos.catalogue import catalogue
from helpers.videos.samples import content_digits, local_path

Hit = Mapping[str, Any]


def format_time(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on; whole seconds, rounded down as players do.

    Raises SearchError for what is no number of seconds.
    """
    if not is_number(seconds) or math.isinf(seconds):
        raise SearchError(f"The time is {seconds!r}: give seconds as a number.")
    whole = int(seconds + 1e-6)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"


def format_span(hit: Hit) -> str:
    return f"{format_time(hit['start_offset_sec'])}-{format_time(hit['end_offset_sec'])}"


def title_of(hit: Hit) -> str:
    """The title, or else the name of the file."""
    return str(hit.get("title") or Path(str(hit["video_url"])).stem)


def caption_of(hit: Hit) -> str:
    """Rank, title, time, score and "right" in one line of plain text; what a hit does not have is left out."""
    rank = f"{hit['rank']}. " if "rank" in hit else ""
    score = f", score {hit['score']:.3f}" if has_score(hit) else ""
    return f"{rank}{title_of(hit)}, {format_span(hit)}{score}{', right' if is_right(hit) else ''}"


def has_score(hit: Hit) -> bool:
    """Whether it has one; what was put together with hits has NaN."""
    return "score" in hit and not np.isnan(hit["score"])


def is_right(hit: Hit) -> bool:
    """Whether the hit is marked as right, as `mark_right` does."""
    return bool(hit.get("right") == 1)  # NaN where tables with and without marks were put together


def sample_credit(video_url: str, video_id: str = "") -> str:
    """Credit, licence and what was changed of a sample video; "" for any other.

    It is known by its content, the ten digits of its sha256 that end `video_id`, or else by its place.
    """
    known = catalogue()
    row = known[known["sha256"].str[:10] == content_digits(video_id)]
    path = local_path(video_url)
    place = None if path is None or "\0" in video_url else Path(os.path.realpath(path))
    if row.empty and place is not None and place.parent == (ROOT / "data" / "videos").resolve():
        row = known[known["file"] == place.name]
    if row.empty:
        return ""
    file, credit, licence = (row[column].iloc[0] for column in ("file", "credit", "licence"))
    change = "scaled to 360p" if file == "big-buck-bunny.mp4" else "film made from photos"
    return f"{credit}, {licence} ({change})"


def credit_of(hit: Hit) -> str:
    return sample_credit(str(hit["video_url"]), str(hit.get("video_id", "")))


def credits_of(hits: Sequence[Hit]) -> str:
    """The credits of the videos that are shown, each once, as a caption; "" where none is asked for."""
    return _line(_each_once(hits))


def _each_once(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(credit_of, hits))))


def _line(credits: Sequence[str]) -> str:
    return "Videos: " + "; ".join(credits) if credits else ""


_shown_by: dict[str, tuple[str, str]] = {}  # a credit: the cell that shows it, and its run


def credits_due(hits: Sequence[Hit]) -> str:
    """`credits_of`, without those that stand elsewhere on the page: a page shows each once.

    A cell that shows one shows it again when it runs again. Where there is no page, all are due.
    """
    cell, run = _cell_and_run()
    if not cell:
        return credits_of(hits)
    due = []
    for credit in _each_once(hits):
        shown_by = _shown_by.setdefault(credit, (cell, ""))
        if shown_by[0] == cell and shown_by[1] != run:
            due.append(credit)
    _shown_by.update(dict.fromkeys(due, (cell, run)))
    return _line(due)


def _cell_and_run() -> tuple[str, str]:
    """The cell of the notebook that runs, by its id or else its source, and the id of the run; "" outside of one."""
    parent: dict[str, dict[str, Any]] = getattr(get_ipython(), "get_parent", dict)()
    source = parent.get("content", {}).get("code", "")
    cell = parent.get("metadata", {}).get("cellId") or source
    return str(cell), str(parent.get("header", {}).get("msg_id", ""))


def check_hits(hits: object, *, texts: Sequence[str] = ("video_url",)) -> None:
    """SearchError unless this is a table of what can be shown: where it lies, from when to when, any score a number."""
    cure = "use segments, or hits of a search"
    columns = ["score"] if isinstance(hits, pd.DataFrame) and "score" in hits else []
    check_spans(hits, SearchError, what="hits", cure=cure, texts=texts, numbers=columns)


def check_count(value: object, what: str) -> None:
    """SearchError unless this is a whole number from 1."""
    if not is_whole(value, least=1):
        raise SearchError(f"The {what} is {value!r}: give a whole number from 1.")


def records(hits: pd.DataFrame, limit: int | None = None) -> list[dict[str, Any]]:
    first = hits if limit is None else hits.head(min(limit, len(hits)))
    return [{str(k): v for k, v in row.items()} for row in first.to_dict("records")]
