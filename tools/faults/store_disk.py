"""A full disk, and folders that are held, damaged, in the way or gone."""

import resource
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.settings import load_settings
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store
from tools.faults.children import in_child
from tools.faults.store_case import (
    BOTH,
    NEW,
    OLD,
    Case,
    Outcome,
    case,
    die,
    fill,
    lost_and_doubled,
    opened,
    rows_after,
    sentence_of,
    toy_settings,
    work,
)

FAULTS: list[Case] = []

# A full disk


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow above `size` bytes meanwhile."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _on_a_full_disk(folder: Path, step: str, sizes: list[int]) -> Outcome:
    sentences = set()
    with opened(folder) as client:
        for size in sizes:
            with full_disk(size):
                sentences.add(sentence_of(lambda: work(client, step)))
        if step == "drop":
            store_collection.create_collection(client, "c", OLD)
            store.insert_segments(client, "c", OLD)
            return Outcome(" ".join(sorted(sentences)), *lost_and_doubled(client, OLD))
        work(client, step)
        name = "d" if step == "create" else "c"
        if step == "create":
            store.insert_segments(client, "d", OLD)
        before = lost_and_doubled(client, rows_after(step), name)
    with opened(folder) as client:  # on the disk as well
        reopened = lost_and_doubled(client, rows_after(step), name)
    return Outcome(" ".join(sorted(sentences)), *map(max, zip(before, reopened, strict=True)))


@case(FAULTS, "a full disk while rows are inserted", "insert")
@case(FAULTS, "a full disk while a segmentation is replaced", "replace")
@case(FAULTS, "a full disk while clusters are written", "cluster")
@case(FAULTS, "a full disk while a collection is made", "create")
@case(FAULTS, "a full disk while a collection is dropped", "drop")
def full(step: str, folder: Path) -> Outcome:
    """The disk is full, at several sizes; then there is room, and the same call is made again."""
    in_child(fill, folder)
    sizes = {"drop": [0], "create": [0, 500, 1500]}.get(step, [0, 2_000, 6_000, 9_000])
    result = in_child(_on_a_full_disk, folder, step, sizes)
    if isinstance(result, str):
        raise AssertionError(f"the child {result}")
    return Outcome(*result)


def _killed_on_a_full_disk(folder: Path) -> None:
    client = store_client.connect_milvus(toy_settings(folder))
    with full_disk(6_000):
        sentence_of(lambda: store.insert_segments(client, "c", NEW, batch_size=30))
    store.insert_segments(client, "c", NEW[:45], batch_size=15)
    die()


@case(FAULTS, "a full disk, then room, an insert that returned, and kill -9")
def full_and_killed(folder: Path) -> Outcome:
    in_child(fill, folder)
    in_child(_killed_on_a_full_disk, folder)
    with opened(folder) as client:
        lost = 75 - store.count_segments(client, "c", where={"segment_id": list(BOTH["segment_id"][:75])})
        store.insert_segments(client, "c", NEW)
        again, doubled = lost_and_doubled(client, BOTH)
    return Outcome("", max(lost, again), doubled)


# Folders


def _hold(folder: Path) -> None:
    store_client.connect_milvus(toy_settings(folder))
    (folder / "held").touch()
    while (folder / "held").exists():
        time.sleep(0.01)


@case(FAULTS, "the folder is held by another process")
def locked(folder: Path) -> Outcome:
    in_child(fill, folder)
    other = threading.Thread(target=in_child, args=(_hold, folder))
    other.start()
    while not (folder / "held").exists():
        time.sleep(0.01)
    sentence = sentence_of(lambda: store_client.connect_milvus(toy_settings(folder)))
    (folder / "held").unlink()
    other.join()
    with opened(folder) as client:
        store.insert_segments(client, "c", NEW)
        return Outcome(sentence, *lost_and_doubled(client, BOTH))


@case(FAULTS, "a file lies where the folder should be")
def in_the_way(folder: Path) -> Outcome:
    (folder / "store.db").write_text("not a folder")
    sentence = sentence_of(lambda: store_client.connect_milvus(toy_settings(folder)))
    (folder / "store.db").unlink()
    fill(folder)
    with opened(folder) as client:
        return Outcome(sentence, *lost_and_doubled(client, OLD))


@case(FAULTS, "an index file is damaged", "*.idx")
@case(FAULTS, "the catalogue of a collection is damaged", "manifest.json*")
@case(FAULTS, "the schema of a collection is damaged", "schema.json")
@case(FAULTS, "a file of rows is damaged", "*.parquet")
def damaged(files: str, folder: Path) -> Outcome:
    """Damage on the disk: index files are made anew; for the rest, a sentence, and the rows go in again."""
    in_child(fill, folder)
    for file in folder.rglob(files):
        file.write_bytes(file.read_bytes()[:20])
    sentence = ""
    with opened(folder) as client:
        sentence = sentence_of(lambda: store.read_segments(client, "c"))
        if sentence:
            store_client.drop_collection(client, "c", settings=load_settings())
            store_collection.create_collection(client, "c", OLD)
            store.insert_segments(client, "c", OLD)
        return Outcome(sentence, *lost_and_doubled(client, OLD))


@case(FAULTS, "the folder is deleted while it is open")
def deleted(folder: Path) -> Outcome:
    settings = toy_settings(folder)
    client = store_client.connect_milvus(settings)
    store_collection.create_collection(client, "c", OLD)
    shutil.rmtree(settings.milvus_uri)
    sentence = sentence_of(lambda: store.insert_segments(client, "c", OLD))
    store_client.disconnect_milvus(client, settings)
    fill(folder)
    with opened(folder) as client:
        return Outcome(sentence, *lost_and_doubled(client, OLD))
