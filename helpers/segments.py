"""The table of segments: its columns, its embedding options, and how one answer of the API becomes rows of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.arguments import check_table
from helpers.errors import EmbedError, VideoSearchError
from helpers.files import cache_key
from helpers.videos.cues import Cue, describe

if TYPE_CHECKING:  # the SDK takes half a second, and who opens a collection does without
    from twelvelabs.types import EmbeddingData

Vector = np.ndarray[Any, np.dtype[np.float32]]
COLUMNS = [
    *("segment_id", "video_id", "title", "category", "recorded_at", "video_url", "embedding_scope"),
    *("start_offset_sec", "end_offset_sec", "description", "segmentation", "model", "cluster"),
]
SPAN = ["start_offset_sec", "end_offset_sec"]
ANSWER = ["option", "scope", "start", "end", "embedding"]  # of the table of an answer of the API
HIT_COLUMNS = [  # of every table of hits, and of what is shown like one
    *("rank", "score", "segment_id", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url"),
    *("category", "recorded_at", "description", "embedding_scope", "cluster"),
]


def vector_field(option: str) -> str:
    """The name of the column and Milvus field that holds the vectors of an embedding option."""
    return f"embedding_{option}"


def declared_options(segments: pd.DataFrame) -> list[str]:
    """The embedding options that have a column, `visual` first, even where a column holds no vector yet."""
    columns = [str(c) for c in segments if str(c).startswith("embedding_") and c not in COLUMNS]
    return sorted((c.removeprefix("embedding_") for c in columns), key=lambda option: option != "visual")


def available_options(segments: pd.DataFrame) -> list[str]:
    """The embedding options that the segments have vectors for, `visual` first."""
    check_table(segments, EmbedError, what="segments", cure="use the table of embed_videos or read_segments")
    return [o for o in declared_options(segments) if segments[vector_field(o)].notna().any()]


def check_spans(
    table: object,
    error: type[VideoSearchError],
    *,
    what: str,
    cure: str,
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> None:
    """`check_table`, and `error` unless each row has a start and an end in seconds."""
    check_table(table, error, what=what, cure=cure, numbers=[*SPAN, *numbers], texts=texts)
    if isinstance(table, pd.DataFrame) and not np.isfinite(table[SPAN].to_numpy(dtype=float)).all():
        raise error(f"The {what} have a start or an end that is no number of seconds: {cure}.")


def to_answer(rows: "Iterable[EmbeddingData]") -> pd.DataFrame:
    """The rows of the API's answer as a table: option, scope, start, end (seconds), embedding."""
    scopes = {"local": "clip", None: "clip"}
    table = [
        {
            "option": str(row.embedding_option),
            "scope": scopes.get(row.embedding_scope, str(row.embedding_scope)),
            "start": float(row.start_sec or 0),
            "end": float(row.end_sec or 0),
            "embedding": np.asarray(row.embedding, dtype=np.float32),
        }
        for row in rows
    ]
    return pd.DataFrame(table)


def to_segments(
    answer: pd.DataFrame, video: dict[str, Any], *, model: str, segmentation: str, cues: Sequence[Cue] = ()
) -> pd.DataFrame:
    """The rows of one answer (option, scope, start, end, embedding) as segments: one row per stretch of time.

    Raises EmbedError for vectors that cannot be used.
    """
    check_vectors(answer["embedding"], video["title"])
    spans: dict[tuple[str, float, float], dict[str, Vector]] = {}
    for option, scope, start, end, vector in answer[ANSWER].itertuples(index=False, name=None):
        spans.setdefault((scope, start, end), {}).setdefault(option, vector)
    times = sorted(sorted(spans), key=lambda span: span[0], reverse=True)  # whole videos come last
    options = sorted({option for vectors in spans.values() for option in vectors})
    columns: dict[str, Any] = {
        "segment_id": [
            segment_id(video["video_id"], *span, segmentation=segmentation, model=model) for span in times
        ],
        **{
            name: video.get(name, "")
            for name in ("video_id", "title", "category", "recorded_at", "video_url")
        },
        **dict(zip(("embedding_scope", *SPAN), zip(*times, strict=True), strict=True)),
        "description": [describe(list(cues), a, b) if scope == "clip" else "" for scope, a, b in times],
        "segmentation": segmentation,
        "model": model,
        "cluster": -1,
    }
    for option in options:
        columns[vector_field(option)] = [spans[span].get(option) for span in times]
    return pd.DataFrame(columns, index=range(len(times)))


def join_segments(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The segments of several videos in one table; None where a video lacks an option that others have."""
    segments = pd.concat(tables, ignore_index=True)
    vectors = [vector_field(option) for option in declared_options(segments)]
    return segments[[*COLUMNS, *vectors]].astype(dict.fromkeys(vectors, object)).replace({np.nan: None})


def segment_id(video_id: str, scope: str, start: float, end: float, *, segmentation: str, model: str) -> str:
    """The same id for the same segment, always; another id for any other (seconds to the millisecond)."""
    tag = cache_key(model=model, segmentation=segmentation)[:6]
    return f"{video_id}/{scope}/{start:09.3f}-{end:09.3f}/{tag}"


def moment_of(segment_id: str) -> str:
    """An id without the tag of model and segmentation: the same for the same video, scope, start and end.

    "" for an id that is not of this form.
    """
    found = re.fullmatch(r"(.+/\w+/[0-9.]+-[0-9.]+)/[0-9a-f]{6}", str(segment_id), flags=re.DOTALL)
    return found[1] if found else ""


def check_vectors(vectors: Iterable[Vector], source: str) -> None:
    """EmbedError if the vectors differ in length, or one is zero or holds what is not a finite number."""
    rows = list(vectors)
    problem = ""
    if len({len(row) for row in rows}) > 1:
        problem = "of different lengths"
    elif not all(np.isfinite(row).all() for row in rows):
        problem = "that hold what is not a finite number"
    elif not all(row.any() for row in rows):
        problem = "of which one is all zeros"
    if problem:
        raise EmbedError(
            f"The Embed API returned vectors for {source[:60]!r} that cannot be used, {problem}: "
            "run the cell again."
        )


@dataclass(frozen=True)
class Query:
    """A vector to search with, the model that made it, and what it was made from (for titles)."""

    vector: Vector
    model: str
    source: str
