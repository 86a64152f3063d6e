"""The rows of a table of segments as Milvus takes them, each one checked; nothing is written from here."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from helpers.arguments import check_table
from helpers.errors import StoreError
from helpers.segmentation import SCOPES
from helpers.segments import COLUMNS, Vector, declared_options, vector_field
from helpers.store.client import NAME
from helpers.store.filters import CONTROL, NUMBERS
from helpers.store.opened import QUOTES, Collection

CURE = "give the table of embed_videos, or a batch's .segments"
LIMITS = {"title": 1024, "video_url": 4096, "description": 65_535}  # other text fields: 512

# Text columns, and how many bytes of UTF-8 fit: a server counts bytes, Milvus Lite characters.
TEXT = {column: LIMITS.get(column, 512) for column in COLUMNS if column not in NUMBERS}


def one_model(segments: pd.DataFrame) -> str:
    """The model that all the segments come from; StoreError for several, or none."""
    check_table(segments, StoreError, what="segments", cure=CURE)
    models = list({repr(m): m for m in segments["model"]}.values()) if "model" in segments else []
    if len(models) != 1 or not isinstance(models[0], str) or not models[0]:
        raise StoreError(
            f"The segments come from {len(models)} models: a collection takes those of just one."
        )
    return str(models[0])


def dimensions(segments: pd.DataFrame, options: Sequence[str]) -> dict[str, int]:
    """Option → dimension, read from the vectors; an option without any vector takes that of the others."""
    dims: dict[str, int] = {}
    for option in options:
        if not isinstance(option, str) or not NAME.fullmatch(option):
            raise StoreError(f"{option!r} cannot name an option: use letters, digits and underscores.")
        cells: list[Any] = list(segments.get(vector_field(option), []))
        try:
            sizes = {np.size(cell) for cell in cells if not missing(cell)}
        except ValueError:  # a list of lists of different lengths
            raise StoreError(
                f"The vectors of {option!r} are no lists of numbers: embed them again."
            ) from None
        if len(sizes) > 1:
            raise StoreError(
                f"The vectors of {option!r} differ in length, {sorted(sizes)}: embed them again."
            )
        dims[option] = sizes.pop() if sizes else 0
    known = [dim for dim in dims.values() if dim]
    if not known:
        raise StoreError("The segments hold no vector, so no collection fits them: embed videos first.")
    return {option: dim or known[0] for option, dim in dims.items()}


def missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def milvus_rows(segments: pd.DataFrame, collection: Collection) -> list[dict[str, Any]]:
    """The rows as Milvus takes them; StoreError for one that does not fit. Vectors of float32 are not copied."""
    check_table(segments, StoreError, what="segments", cure=CURE, columns=COLUMNS)
    if not len(segments):
        return []
    if (model := one_model(segments)) != collection.model:
        raise StoreError(
            f"The segments come from {model!r}, but the collection {collection.name!r} holds vectors of "
            f"{collection.model!r}: two models never share a collection, so make another one."
        )
    _check_options(segments, collection)
    keys = ["segment_id", "video_id", "embedding_scope", "segmentation"]
    written = segments[keys].map(repr)  # can be compared
    if (twice := written["segment_id"].duplicated()).any():
        again = segments.loc[twice, "segment_id"].iloc[0]
        raise StoreError(f"The segment {again} is in the table twice: drop the duplicates first.")
    scopes = written.drop_duplicates(["video_id", "embedding_scope", "segmentation"])
    if (both := scopes.duplicated(["video_id", "embedding_scope"])).any():
        video = scopes.loc[both, "video_id"].iloc[0].strip("'")
        raise StoreError(
            f"The video {video} comes in two segmentations, which replace each other: insert one."
        )
    ids, columns = segments["segment_id"].tolist(), dict[str, list[Any]]()
    for field in COLUMNS:
        convert = _text if field in TEXT else _number
        columns[field] = _column(ids, segments[field].tolist(), partial(convert, field))
    spans = zip(columns["start_offset_sec"], columns["end_offset_sec"], strict=True)
    _column(ids, spans, _span)
    for option, dim in collection.dims.items():
        field = vector_field(option)
        cells: list[Any] = segments[field].tolist() if field in segments else [None] * len(segments)
        columns[f"has_{option}"] = [not missing(cell) for cell in cells]
        # A null would come back as zeros and score 0.0, above real rows, so it is a unit vector and a flag.
        placeholder = np.eye(1, dim, dtype=np.float32)[0]
        filled = (placeholder if missing(cell) else cell for cell in cells)
        columns[field] = _column(ids, filled, partial(_vector, option, dim))
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def url_rows(urls: Mapping[str, str]) -> list[dict[str, str]]:
    """Segment id → `video_url` as rows of these two fields; StoreError for an address that does not fit."""
    _column(list(urls), urls.values(), partial(_text, "video_url"))
    return [{"segment_id": key, "video_url": url} for key, url in urls.items()]


def _check_options(segments: pd.DataFrame, collection: Collection) -> None:
    """Say which vectors have no place in the collection; StoreError if no segment has any other."""
    has = {option: ~segments[vector_field(option)].map(missing) for option in declared_options(segments)}
    absent = [option for option, there in has.items() if option not in collection.dims and there.any()]
    if not absent:
        return
    name, options = collection.name, " and ".join(absent)
    kept = [there for option, there in has.items() if option in collection.dims]
    bare = ~np.any(kept, axis=0) if kept else np.full(len(segments), True)
    if bare.all():
        raise StoreError(
            f"The collection {name!r} has no place for {options}, and the segments have no other vector: make "
            "a collection with that option."
        )
    text = f"The collection {name!r} has no place for {options}: all else of the segments is stored"
    if bare.any():
        text += f", but no search finds {bare.sum()} of {len(segments)}, which have no other vector"
    logging.getLogger("video_search.store").warning("%s.", text)


class _UnfitError(Exception):
    """What is wrong with a cell."""


def _column(ids: Sequence[str], cells: Iterable[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """The cells of a column as Milvus takes them; a column at a time, as this is done for each of many rows."""
    converted: list[Any] = []
    try:
        for cell in cells:
            converted.append(convert(cell))
    except _UnfitError as problem:
        raise StoreError(f"Nothing was written: in segment {ids[len(converted)]!r}, {problem}.") from None
    return converted


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or (not value.isprintable() and CONTROL.search(value)):
        raise _UnfitError(f"{field} is {value!r}, which is no text or holds control characters")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:  # half a character, as from a damaged file name
        raise _UnfitError(f"{field} is {value!r}, which UTF-8 cannot hold") from None
    if size > TEXT[field]:
        raise _UnfitError(f"{field} has {size} bytes, and {TEXT[field]} fit")
    if field in ("segment_id", "video_id") and not value:
        raise _UnfitError("segment_id or video_id is empty")
    if field == "segment_id" and QUOTES.search(value):
        raise _UnfitError(
            "segment_id holds a quotation mark or a backslash, with which Milvus cannot list rows"
        )
    if field == "embedding_scope" and value not in SCOPES:
        raise _UnfitError(f"embedding_scope is {value!r}, not one of {', '.join(SCOPES)}")
    return value


def _number(field: str, value: Any) -> float:
    if not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise _UnfitError(f"{field} is {value!r}, which is no number")
    if field != "cluster":
        return float(value)
    if not float(value).is_integer() or abs(float(value)) >= 2**63:
        raise _UnfitError(f"cluster is {value!r}, which is no whole number of 64 bits")
    return int(value)


def _span(span: tuple[float, float]) -> None:
    if span[0] > span[1]:
        raise _UnfitError(f"the end, {span[1]:g} s, lies before the start")


def _vector(option: str, dim: int, cell: Any) -> Vector:
    try:
        vector = np.asarray(cell)
        if vector.dtype != np.float32:
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused below
                vector = vector.astype(
                    np.float32, casting="same_kind" if vector.dtype.kind == "c" else "unsafe"
                )
    except (TypeError, ValueError):
        raise _UnfitError(f"the {option} vector holds what is no number") from None
    if vector.shape != (dim,):
        raise _UnfitError(f"the {option} vector has the shape {vector.shape}, and ({dim},) fits")
    if not 0 < np.vdot(vector, vector) < np.inf and not (np.isfinite(vector).all() and vector.any()):
        raise _UnfitError(f"the {option} vector is all zeros, or holds what is not a finite number")
    return vector
