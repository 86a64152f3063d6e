"""Make a collection that fits a table of segments.

The rules, each forced by a measurement: an exact index (FLAT) unless asked; vector columns that are never
null; the vectors' model kept with the collection.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd
from pymilvus import DataType, MilvusClient

from helpers.arguments import as_list, check_names, is_number
from helpers.errors import StoreError
from helpers.models import RETIRED
from helpers.segments import COLUMNS, declared_options, vector_field
from helpers.store.client import NAME, check_client, is_before, is_lite, lite_folder, load, version_of
from helpers.store.errors import milvus_errors
from helpers.store.lite import free_name
from helpers.store.opened import Collection, OpenCollection, describe
from helpers.store.rows import TEXT, dimensions, one_model

# Milvus Lite has these defaults; a server before 2.5 has none, and refuses an index without its parameters.
DEFAULTS: dict[str, dict[str, float]] = {
    "HNSW": {"M": 16, "efConstruction": 200},
    "HNSW_SQ": {"M": 16, "efConstruction": 200},
    "IVF_FLAT": {"nlist": 128},
    "IVF_SQ8": {"nlist": 128},
}
LITE_INDEXES = ("FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8", "AUTOINDEX")


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
    exact; an approximate index (HNSW, IVF_FLAT, …) takes `index_params`, for instance {"M": 8}; unless given, M
    is 16, efConstruction 200 and nlist 128. No row is inserted. One that exists may lack options of the table,
    not those that are asked for: `insert_segments` says what has no place. Raises StoreError if the collection
    cannot be made, or exists with another model, dimension or index, or without an option that it must have.
    """
    check_client(milvus, name)
    if not NAME.fullmatch(name):
        raise StoreError(f"{name!r} cannot name a collection: use letters, digits and underscores.")
    check_names(StoreError, options=options)
    chosen = [] if options is None else as_list(options)
    params = index_params or {} if isinstance(index_params, Mapping | None) else {None: None}
    if not all(isinstance(key, str) and is_number(number) for key, number in params.items()):
        raise StoreError(f"The index_params are {index_params!r}: give a dict, such as {{'M': 16}}.")
    if not isinstance(index_type, str):
        raise StoreError(f"The index_type is {index_type!r}: choose from {', '.join(LITE_INDEXES)}.")
    model = one_model(segments)
    wanted = Collection(name, model, dimensions(segments, chosen or declared_options(segments)))
    with milvus_errors(f"The collection {name!r} cannot be made"):
        # Milvus Lite takes any name, and cannot load the rows later.
        if is_lite(milvus) and index_type not in LITE_INDEXES:
            raise StoreError(f"Milvus Lite has no {index_type} index: choose from {', '.join(LITE_INDEXES)}.")
        if index_type == "HNSW_SQ" and is_before(milvus, 2, 5):
            raise StoreError(
                f"Milvus {version_of(milvus)} has no HNSW_SQ index, which 2.6 and Milvus Lite have: choose HNSW, or "
                "IVF_SQ8 for less memory."
            )
        if len(wanted.dims) > 1 and is_before(milvus, 2, 4):
            raise StoreError(
                f"Milvus {version_of(milvus)} holds one vector a row, and 2.4 or later several: choose one option, "
                f"such as options=[{next(iter(wanted.dims))!r}]."
            )
        if milvus.has_collection(name):
            found = describe(milvus, name)
            _check_same(found, wanted, index_type, chosen)
            # A kill -9 while it was made leaves a collection without its indexes, which a server cannot load.
            bare = [option for option in found.dims if not index_of(found, option)]
            _index_and_load(milvus, name, bare, index_type, index_params)
            return Collection(name, found.model, found.dims)
        if folder := lite_folder(milvus):
            free_name(folder, name)
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
    params = DEFAULTS.get(index_type, {}) | dict(index_params or {})
    # Lite reads index parameters from a level of their own only, and drops others without a word.
    nested = {"params": params} if params else {}
    for option in options:
        index.add_index(vector_field(option), index_type=index_type, metric_type="COSINE", params=nested)
    if options:
        milvus.create_index(name, index, sync=False)  # sync polls 0.5 s per field; the load waits as well
    load(milvus, name)


def _check_same(found: OpenCollection, wanted: Collection, index_type: str, asked: Sequence[str]) -> None:
    """StoreError if the collection that is there has another model, dimension or index, or lacks what was asked for."""
    name, cure = wanted.name, "make one under another name."
    if found.model in RETIRED and found.model != wanted.model:
        raise StoreError(
            f"The collection {name!r} holds vectors of {found.model!r}, a model that is no more: embed its videos "
            f"again with {wanted.model!r}, and use another name."
        )
    if found.model != wanted.model:
        raise StoreError(
            f"The collection {name!r} holds vectors of {found.model!r}, not of {wanted.model!r}: {cure}"
        )
    shared = [option for option in wanted.dims if option in found.dims]
    needed = asked or ([] if shared else list(wanted.dims))
    if lacking := [option for option in needed if option not in shared]:
        raise StoreError(f"The collection {name!r} has no option {lacking[0]!r}, nor can it get one: {cure}")
    for option in shared:
        dim = wanted.dims[option]
        if found.dims[option] != dim:
            sizes = f"{found.dims[option]} numbers for {option!r}, not {dim}"
            raise StoreError(f"The collection {name!r} has vectors of {sizes}: {cure}")
        kept, _ = index_of(found, option) or ("", {})
        if kept and index_type not in ("AUTOINDEX", kept):
            raise StoreError(f"The collection {name!r} has a {kept} index, not {index_type}: {cure}")


def index_of(collection: OpenCollection, option: str) -> tuple[str, dict[str, int]] | None:
    """The type of an option's index and its parameters; None where there is none."""
    about = collection.describe_index(option)
    if not about:
        return None
    kind, nested = str(about["index_type"]), about.get("params")
    told = {**about, **(nested if isinstance(nested, Mapping) else {})}  # a server tells them beside the type
    return kind, {key: int(told[key]) for key in DEFAULTS.get(kind, {}) if key in told}
