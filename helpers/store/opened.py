"""A collection as it stands at the moment of a call: what it holds, and its rows.

A call opens its collection once, by describing it, and passes it on. What a server said is not remembered from call
to call, and what Milvus Lite said only while its file stays the same, so a collection that somebody else dropped or
made anew in between is noticed by the next call.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pymilvus import DataType, MilvusClient, MilvusException
from tqdm.auto import tqdm

from helpers.errors import StoreError
from helpers.files import file_version
from helpers.progress import progress_bar
from helpers.segments import Vector, vector_field
from helpers.store.calls import NOT_LOADED, WORK_SECONDS
from helpers.store.client import NAME, check_client, is_lite, lite_folder, load
from helpers.store.errors import milvus_errors, timed_call
from helpers.store.lite import read_index
from helpers.store.lite_rows import Matching, find_rows

QUOTES = re.compile(r"""['"\\]""")  # may not stand in a segment_id
NOT_FOUND = 100  # code of Milvus: there is no such collection
# What a server has to see before it answers (Milvus Lite sees everything). Session: all that this process wrote;
# of what others wrote, the last 0.2 s or so may be missing. Strong: all that anybody wrote; each answer waits for it.
SESSION, STRONG = "Session", "Strong"
INDEX_PAUSE = 0.5  # seconds between looks at an index that a server builds
# A batch of rows: each costs Lite a walk through the whole collection, and a server sends 64 MB at most; Lite takes
# some eight times as much memory to make one.
ANSWER_BYTES = 20_000_000
log = logging.getLogger("video_search.store")
Rows = list[dict[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Collection:
    """What a collection holds: the model of its vectors, and the dimension of each embedding option."""

    name: str
    model: str
    dims: dict[str, int]


@dataclass(frozen=True)
class OpenCollection(Collection):
    """A collection and the client that described it. Whatever reads rows loads it first, if need be."""

    milvus: MilvusClient = field(repr=False)
    consistency: str = SESSION

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.dims)

    def query(self, expression: str, fields: Sequence[str], *, limit: int | None = None) -> Rows:
        """The named fields of the rows that match a filter expression: of all, or of the first `limit`."""
        most = {"limit": limit} if limit else {}
        return list(self._read(self.milvus.query, filter=expression, output_fields=list(fields), **most))

    def get(self, ids: Sequence[str], fields: Sequence[str]) -> Rows:
        """The named fields of the rows with these segment ids, as far as they are stored."""
        # pymilvus pastes ids into a filter as they are: one with a quotation mark is never stored.
        plain = [key for key in ids if not QUOTES.search(key)]
        return list(self._read(self.milvus.get, ids=plain, output_fields=list(fields))) if plain else []

    def index(self, option: str) -> tuple[str, int]:
        """The type of an option's index ("" for none), and about how many rows it covers."""
        field, folder = vector_field(option), lite_folder(self.milvus)
        if folder and (known := read_index(folder, self.name, field)):
            return known
        about = self.describe_index(option)
        if pending := pending_rows(about):
            log.warning(
                "Milvus is still indexing %d rows of %s, so this search may miss some.", pending, self.name
            )
        return (str(about["index_type"]), int(about["total_rows"])) if about else ("", 0)

    def describe_index(self, option: str) -> dict[str, Any]:
        """What Milvus says of an option's index; empty where it has none."""
        about = self.milvus.describe_index(self.name, vector_field(option))
        # Where this field has no index, Lite tells of that of another field.
        return about if about and about["field_name"] == vector_field(option) else {}

    def settle(self) -> None:
        """Flush what was written, and wait until a server has indexed it.

        Until then a server (2.3.5 was looked at) asks an index of its own making, which looks into 16 of 128 cells:
        of the ten nearest among 20,000 random vectors it found two to three.
        """
        self.milvus.flush(self.name)  # rows in memory only are many times slower to search
        if is_lite(self.milvus):
            return
        until = time.monotonic() + WORK_SECONDS
        with rows_bar("indexing", self.name) as bar:
            for option in self.dims:
                while pending := pending_rows(self.describe_index(option)):
                    if time.monotonic() > until:
                        log.warning(
                            "Milvus is still indexing %d rows of %s: until then searches may miss some.",
                            pending,
                            self.name,
                        )
                        return
                    bar.set_postfix_str(f"{pending} to go")
                    time.sleep(INDEX_PAUSE)

    def search(
        self,
        vector: Vector,
        option: str,
        expression: str,
        fields: Sequence[str],
        *,
        limit: int,
        params: Mapping[str, int] | None = None,
    ) -> Rows:
        """One search as Milvus answers it: at most `limit` rows, the nearest first, with their `score`.

        `params` are those of the index, such as {"ef": 64}.
        """
        found = self._read(
            self.milvus.search,
            data=[vector],
            anns_field=vector_field(option),
            filter=expression,
            limit=limit,
            output_fields=list(fields),  # without names Lite returns every field, and a server none
            search_params={"metric_type": "COSINE"} | ({"params": dict(params)} if params else {}),
        )[0]
        return [{"score": float(hit["distance"]), **hit["entity"]} for hit in found]

    def iterate(
        self, expression: str, fields: Sequence[str], *, doing: str = "reading"
    ) -> Iterator[dict[str, Any]]:
        """The named fields of all rows that match a filter expression, however many there are, vectors as arrays.

        A progress bar appears after some seconds; `doing` stands in front of it.
        """
        with (
            timed_call("milvus.read", collection=self.name, rows=0) as more,
            rows_bar(doing, self.name) as bar,
        ):
            if (found := self.matching(expression)) is None:
                batches = self._batches(expression, fields, bar)
            else:
                bar.total, batches = len(found), found.rows(fields)
            for batch in batches:
                more["rows"] += len(batch)
                bar.update(len(batch))
                yield from batch

    def _batches(self, expression: str, fields: Sequence[str], bar: "tqdm[Any]") -> Iterator[Rows]:
        """The rows in the batches of Milvus's own iterator; the bar learns how many all rows are, if they are many."""
        floats = sum(dim for option, dim in self.dims.items() if vector_field(option) in fields)
        size = max(500, min(ANSWER_BYTES // (1000 + 4 * floats), 10_000))
        asked: dict[str, Any] = {"filter": expression, "output_fields": list(fields), "batch_size": size}
        batches = self._read(self.milvus.query_iterator, **asked, strict_float32=True)
        try:
            while batch := batches.next():
                if len(batch) == size and bar.total is None and not expression:
                    bar.total = self.count()
                yield batch
        finally:
            batches.close()

    def count(self, expression: str = "") -> int:
        """How many rows match.

        For count(*) with a filter Lite builds every row that matches, vectors and all (0.1 ms each). Where it cannot be
        gone round, ids are asked for instead, of the rows that match and of the others in turn: the smaller side soon
        comes to its end.
        """
        if expression and (found := self.matching(expression)) is not None:
            return len(found)
        limit = 1000 if expression and is_lite(self.milvus) else 0
        while limit:
            for side in (expression, f"not ({expression})"):
                if (number := self._count_to(limit, side)) < limit:
                    return number if side == expression else self.count() - number
            limit *= 8
        rows = self._read(self.milvus.query, filter=expression, output_fields=["count(*)"])
        return int(rows[0]["count(*)"])

    def matching(self, expression: str) -> Matching | None:
        """The rows that match, where Milvus Lite holds them in the memory of this process; else None."""
        if (folder := lite_folder(self.milvus)) is None:
            return None
        with self.milvus.in_use():
            return find_rows(folder, self.name, expression)

    def _count_to(self, limit: int, expression: str) -> int:
        """How many rows match, or `limit` if there are more."""
        ids = {"output_fields": ["segment_id"], "limit": limit, "timeout": WORK_SECONDS}
        return len(self._read(self.milvus.query, filter=expression, **ids))

    def _read(self, call: Callable[..., T], **options: Any) -> T:
        options["consistency_level"] = self.consistency
        try:
            return call(self.name, **options)
        except MilvusException as error:
            if error.code != NOT_LOADED:
                raise
        with opening(self.name):
            load(self.milvus, self.name)
        return call(self.name, **options)


def pending_rows(index: Mapping[str, Any]) -> int:
    """How many rows a server has not put into an approximate index yet; Milvus Lite keeps none waiting."""
    exact = index.get("index_type", "FLAT") in ("FLAT", "BRUTE_FORCE", "")
    return 0 if exact else int(index.get("pending_index_rows", 0))


def rows_bar(doing: str, name: str, total: int | None = None) -> "tqdm[Any]":
    """The progress bar of the rows of a collection."""
    return progress_bar(f"{doing} {name}", total, unit=" rows")


def opening(name: str) -> AbstractContextManager[None]:
    """Turns an error of Milvus while a collection is opened or loaded into a StoreError."""
    again = "try again, and restart the kernel, or the server, if that does not help"
    return milvus_errors(
        f"The collection {name!r} cannot be opened",
        cure=again,
        if_late=again,
        if_damaged="drop it with drop_collection, and insert its segments again",
    )


def open_collection(milvus: MilvusClient, name: str, *, strong: bool = False) -> OpenCollection:
    """Describe a collection, in one call; `strong` where a decision hangs on what another process wrote just now.

    Raises StoreError if there is none of this name, or if it does not say which model its vectors come from.
    """
    check_client(milvus, name)
    with opening(name):
        try:
            if NAME.fullmatch(name):
                return replace(describe(milvus, name), consistency=STRONG if strong else SESSION)
        except MilvusException as error:
            if error.code != NOT_FOUND and "can't find collection" not in str(error):  # a server before 2.3.2
                raise
    raise StoreError(f"There is no collection {name!r}: make it with create_collection, then insert.")


# By the version of Milvus Lite's file; threads share it.
_described: dict[tuple[object, ...], Collection] = {}


def describe(milvus: MilvusClient, name: str) -> OpenCollection:
    """What a collection that exists holds; StoreError if it does not say its model."""
    folder, version = lite_folder(milvus), None
    if folder:
        with suppress(OSError):  # of a collection's other name there is no file
            version = file_version(folder / "collections" / name / "schema.json")
    held = _described.get(version) if version else None
    if held is None:
        held = _described_now(milvus, name)
        if version:
            if len(_described) > 100:
                _described.clear()
            _described[version] = held
    return OpenCollection(name, held.model, held.dims, milvus)


def _described_now(milvus: MilvusClient, name: str) -> Collection:
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
