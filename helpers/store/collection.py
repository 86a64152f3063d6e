"""Collections: make one that fits a table of segments, open it, and say what it holds.

The rules, each forced by a measurement: an exact index (FLAT) unless asked; vector columns that are never
null; the vectors' model kept with the collection; a load before each read.
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pymilvus import DataType, MilvusClient

from helpers.errors import StoreError
from helpers.segments import COLUMNS, declared_options, vector_field
from helpers.store.client import NAME, check_client, free_name, load, milvus_errors
from helpers.store.filters import NUMBERS

LIMITS = {"title": 1024, "video_url": 4096, "description": 65_535}  # other text fields: 512


# Text columns, and how many bytes of UTF-8 fit: a server counts bytes, Milvus Lite characters.
TEXT = {column: LIMITS.get(column, 512) for column in COLUMNS if column not in NUMBERS}


LITE_INDEXES = ("FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8", "AUTOINDEX")


@dataclass(frozen=True)
class Collection:
    """What a collection holds: the model of its vectors, and the dimension of each embedding option."""

    name: str
    model: str
    dims: dict[str, int]


def create_collection(
    milvus: MilvusClient,
    name: str,
    segments: pd.DataFrame,
    *,
    options: Sequence[str] | None = None,
    index_type: str = "FLAT",
    index_params: Mapping[str, int] | None = None,
) -> Collection:
    """Create a collection that fits `segments`, and load it; one that exists and fits is loaded as it is.

    `options` defaults to those for which the table has a column; dimensions come from its vectors. FLAT is
    exact; an approximate index (HNSW, IVF_FLAT, …) takes `index_params`, for instance {"M": 16}. No row is
    inserted. Raises StoreError if the collection cannot be made, or exists with another model, dimension,
    option or index.
    """
    check_client(milvus, name)
    if not NAME.fullmatch(name):
        raise StoreError(f"{name!r} cannot name a collection: use letters, digits and underscores.")
    if isinstance(options, str):
        raise StoreError(f"The options are the text {options!r}: give a list, such as ['visual'].")
    if not isinstance(index_params, Mapping | None):
        raise StoreError(f"The index_params are {index_params!r}: give a dict, such as {{'M': 16}}.")
    wanted = Collection(
        name, one_model(segments), dimensions(segments, options or declared_options(segments))
    )
    with milvus_errors(f"The collection {name!r} cannot be made"):
        lite = milvus.get_server_version().startswith("milvus_lite")
        if lite and index_type not in LITE_INDEXES:  # it takes any name, and cannot load the rows later
            raise StoreError(f"Milvus Lite has no {index_type} index: choose from {', '.join(LITE_INDEXES)}.")
        if milvus.has_collection(name):
            return _same(milvus, wanted, index_type, index_params)
        free_name(milvus, name)
        about = json.dumps({"model": wanted.model})  # Lite keeps the properties only, some servers this only
        schema = MilvusClient.create_schema(enable_dynamic_field=False, description=about)
        for field in COLUMNS:
            if field in TEXT:
                limits: dict[str, Any] = {"max_length": TEXT[field], "is_primary": field == "segment_id"}
                schema.add_field(field, DataType.VARCHAR, **limits)
            else:
                schema.add_field(field, DataType.INT64 if field == "cluster" else DataType.DOUBLE)
        for option, dim in wanted.dims.items():
            schema.add_field(f"has_{option}", DataType.BOOL)
            schema.add_field(vector_field(option), DataType.FLOAT_VECTOR, dim=dim)
        properties = {"model": wanted.model}
        milvus.create_collection(name, schema=schema, properties=properties, consistency_level="Strong")
        try:
            _index_and_load(milvus, name, list(wanted.dims), index_type, index_params)
        except BaseException:  # Ctrl-C as well
            with suppress(Exception):
                milvus.drop_collection(name)
            raise
    return wanted


def _index_and_load(
    milvus: MilvusClient,
    name: str,
    options: Sequence[str],
    index_type: str,
    index_params: Mapping[str, int] | None,
) -> None:
    index = milvus.prepare_index_params()
    # Lite reads index parameters from a level of their own only, and drops others without a word.
    nested = {"params": dict(index_params)} if index_params else {}
    for option in options:
        index.add_index(vector_field(option), index_type=index_type, metric_type="COSINE", params=nested)
    if options:
        milvus.create_index(name, index, sync=False)  # sync polls 0.5 s per field; the load waits as well
    load(milvus, name)


def _same(
    milvus: MilvusClient, wanted: Collection, index_type: str, index_params: Mapping[str, int] | None
) -> Collection:
    found, name = _describe(milvus, wanted.name), wanted.name
    cure = "drop it with drop_collection, or use another name."
    if found.model != wanted.model:
        raise StoreError(
            f"The collection {name!r} holds vectors of {found.model!r}, not of {wanted.model!r}: {cure}"
        )
    for option, dim in wanted.dims.items():
        if option not in found.dims:
            raise StoreError(f"The collection {name!r} has no option {option!r}, nor can it get one: {cure}")
        if found.dims[option] != dim:
            sizes = f"{found.dims[option]} numbers for {option!r}, not {dim}"
            raise StoreError(f"The collection {name!r} has vectors of {sizes}: {cure}")
        kept = _index_type(milvus, name, option)
        if kept and index_type not in ("AUTOINDEX", kept):
            raise StoreError(f"The collection {name!r} has a {kept} index, not {index_type}: {cure}")
    # A kill -9 while it was made leaves a collection without its indexes, which a server cannot load.
    bare = [option for option in found.dims if not _index_type(milvus, name, option)]
    _index_and_load(milvus, name, bare, index_type, index_params)
    return found


def _index_type(milvus: MilvusClient, name: str, option: str) -> str | None:
    about = milvus.describe_index(name, vector_field(option))
    # Where this field has no index, Lite tells of that of another field.
    return str(about["index_type"]) if about and about["field_name"] == vector_field(option) else None


def open_collection(milvus: MilvusClient, name: str) -> Collection:
    """What the collection holds; it is loaded if need be (after a reopen it is not).

    Raises StoreError if there is none of this name, or if it does not say which model its vectors come from.
    """
    check_client(milvus, name)
    cure = "drop it with drop_collection, and insert its segments again"
    with milvus_errors(f"The collection {name!r} cannot be opened", cure=cure):
        if not NAME.fullmatch(name) or not milvus.has_collection(name):
            raise StoreError(f"There is no collection {name!r}: make it with create_collection, then insert.")
        found = _describe(milvus, name)
        if milvus.get_load_state(name)["state"].name != "Loaded":
            load(milvus, name)
    return found


def _describe(milvus: MilvusClient, name: str) -> Collection:
    about = milvus.describe_collection(name)
    model = about.get("properties", {}).get("model") or _described_model(about.get("description", ""))
    if not model:
        raise StoreError(
            f"The collection {name!r} does not say which model its vectors come from: "
            "make it with create_collection, under another name."
        )
    vectors = [field for field in about["fields"] if field["type"] == DataType.FLOAT_VECTOR]
    dims = {field["name"].removeprefix("embedding_"): int(field["params"]["dim"]) for field in vectors}
    return Collection(name, model, dims)


def _described_model(description: str) -> str:
    try:
        return str(json.loads(description)["model"])
    except (ValueError, KeyError, TypeError):
        return ""


def one_model(segments: pd.DataFrame) -> str:
    if not isinstance(segments, pd.DataFrame):
        kind = type(segments).__name__
        raise StoreError(
            f"The segments are a {kind}: give the table of embed_videos, or a batch's .segments."
        )
    models: list[Any] = list(segments["model"].unique()) if "model" in segments else []
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
        sizes = {np.size(cell) for cell in cells if not missing(cell)}
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
