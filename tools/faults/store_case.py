"""What the cases of the store share: rows and how they are counted, the calls that are spoilt.

Each case does to a real Milvus Lite what its `fault` says, goes on as a user would, and counts by id.
"""

import functools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import VideoSearchError
from helpers.search.similarity import search_segments
from helpers.segments import COLUMNS, Query
from helpers.settings import Settings, load_settings
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store

DIM = 8


class Outcome(NamedTuple):
    """What the user saw ("" where nothing failed), and rows lost and doubled, counted by id."""

    sentence: str
    lost: int
    doubled: int


@dataclass(frozen=True)
class Case:
    name: str
    fault: str
    run: Callable[[Path], Outcome]


Entering = Callable[[Callable[..., Outcome]], Callable[..., Outcome]]


def case(faults: list[Case], fault: str, *given: Any) -> Entering:
    """Enter the function in `faults` under its name; `given` are its arguments before the folder."""

    def enter(run: Callable[..., Outcome]) -> Callable[..., Outcome]:
        name = "-".join([run.__name__, *(str(value) for value in given)])
        faults.append(Case(name, fault, functools.partial(run, *given)))
        return run

    return enter


# Rows, and what became of them


def toy_segments(video: str, n: int = 20, *, seconds: float = 6.0, **columns: Any) -> pd.DataFrame:
    """`n` clips of a video, with one vector each that depends on the id only."""
    rows = []
    for i in range(n):
        row = dict.fromkeys(COLUMNS, "") | {"video_id": video, "title": f"The film {video}", "cluster": -1}
        row |= {"start_offset_sec": i * seconds, "end_offset_sec": (i + 1) * seconds, "model": "toy-8"}
        row |= {"embedding_scope": "clip", "segmentation": f"fixed-{seconds:g}"} | columns
        segment_id = f"{video}/clip/{i}/{row['segmentation']}"
        row["segment_id"] = segment_id
        vector = np.random.default_rng(list(segment_id.encode())).normal(size=DIM)
        row["embedding_visual"] = (vector / np.linalg.norm(vector)).astype(np.float32)
        rows.append(row)
    return pd.DataFrame(rows)


OLD, NEW = toy_segments("old-1", 30), toy_segments("new-2", 90)
BOTH = pd.concat([OLD, NEW], ignore_index=True)
QUERY = Query(OLD["embedding_visual"][0], "toy-8", "a clip")


def toy_settings(folder: Path) -> Settings:
    return replace(load_settings(), milvus_uri=str(folder / "store.db"), milvus_token="", prefix="")


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    settings = toy_settings(folder)
    client = store_client.connect_milvus(settings)
    try:
        yield client
    finally:
        store_client.disconnect_milvus(client, settings)


def lost_and_doubled(client: Any, expected: pd.DataFrame, name: str = "c") -> tuple[int, int]:
    """Rows that are missing or differ in vector or cluster, and rows too many; by id, by count and by search."""
    stored = store.read_segments(client, name)
    right = expected.set_index("segment_id")
    lost = set(right.index) - set(stored["segment_id"])
    for row in stored.to_dict("records"):
        if row["segment_id"] in right.index:
            wanted = right.loc[row["segment_id"]]
            if not np.array_equal(row["embedding_visual"], wanted["embedding_visual"]):
                lost.add(row["segment_id"])
            if row["cluster"] != wanted["cluster"] or row["title"] != wanted["title"]:
                lost.add(row["segment_id"])
    extra = len(stored) - len(set(stored["segment_id"]) & set(right.index))
    query = Query(expected["embedding_visual"].iloc[0], "toy-8", "a clip")
    found = search_segments(client, name, query, limit=len(expected) + 5)["segment_id"]
    counted = store.count_segments(client, name)
    return (
        max(len(lost), len(right) - found.nunique()),
        max(extra, counted - len(right), len(found) - found.nunique(), 0),
    )


def sentence_of(action: Callable[[], Any]) -> str:
    """What a user reads when the action fails; "" if it does not. Other errors than ours pass through."""
    try:
        action()
    except VideoSearchError as error:
        return str(error)
    return ""


def fill(folder: Path) -> None:
    with opened(folder) as client:
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD)


# The calls that are spoilt


def work(client: Any, step: str) -> None:
    """The call that is killed, and that is made again."""
    if step == "create":
        store_collection.create_collection(client, "d", OLD)
    elif step == "insert":
        store.insert_segments(client, "c", NEW, batch_size=30)
    elif step == "replace":
        store.insert_segments(client, "c", toy_segments("old-1", 45, seconds=4.0), batch_size=15)
    elif step == "cluster":
        store.update_clusters(client, "c", pd.Series(3, index=OLD["segment_id"]), batch_size=10)
    elif step == "delete":
        store.delete_video(client, "c", "old-1")
    else:
        store_client.drop_collection(client, "c", settings=load_settings())


def rows_after(step: str) -> pd.DataFrame:
    """What the collection holds when the call has been made once more."""
    replaced = {"replace": toy_segments("old-1", 45, seconds=4.0), "cluster": OLD.assign(cluster=3)}
    return {"insert": BOTH, "delete": OLD[:0]}.get(step, replaced.get(step, OLD))


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
