"""kill -9 while the store works: at named moments, and at random ones."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from milvus_lite import db as lite_db
from milvus_lite.index.brute_force import BruteForceIndex
from milvus_lite.storage.manifest import Manifest
from milvus_lite.storage.wal import WAL

from helpers.settings import load_settings
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store
from helpers.store.calls import Client
from helpers.store.opened import open_collection
from tools.faults.children import child, in_child
from tools.faults.store_case import (
    BOTH,
    OLD,
    Case,
    Outcome,
    case,
    die,
    fill,
    lost_and_doubled,
    opened,
    rows_after,
    toy_segments,
    toy_settings,
    work,
)

FAULTS: list[Case] = []

# At named moments


def _half_drop(path: str, **_: Any) -> None:
    """rmtree that is killed on the way, the worst order first: rows go, and what names them stays."""
    for file in [*Path(path).rglob("*.parquet"), *Path(path).rglob("*.idx")]:
        file.unlink()
    die()


def _half_index(self: Any, path: str) -> None:
    Path(path).write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'")
    die()


def _half_wal(self: Any, batch: Any) -> None:
    write_insert(self, batch)
    if self._data_sink.tell() > 8_000:  # the second batch: cut in the middle
        self._data_sink.truncate(self._data_sink.tell() - 700)
        die()


write_insert = WAL.write_insert
KILLED_AT: dict[str, tuple[Any, str, Callable[..., None]]] = {
    "in create, before the schema": (lite_db, "save_schema", die),
    "in create, before the indexes": (Client, "create_index", die),
    "in a batch, half in the write-ahead log": (WAL, "write_insert", _half_wal),
    "before rows are removed": (Client, "delete", die),
    "before the flush": (Client, "flush", die),
    "in the flush, before its commit": (Manifest, "save", die),
    "in the flush, after its commit": (WAL, "close_and_delete", die),
    "in an index file": (BruteForceIndex, "save", _half_index),
    "in drop, half of the files gone": (lite_db.shutil, "rmtree", _half_drop),
}


def _killed_work(folder: Path, step: str, moment: str) -> str:
    client = store_client.connect_milvus(toy_settings(folder))
    open_collection(client, "c")
    owner, name, instead = KILLED_AT[moment]
    setattr(owner, name, instead)
    work(client, step)
    time.sleep(2)  # index files are written in the background
    return "not killed"


KILLS = {
    "create": ("in create, before the schema", "in create, before the indexes"),
    "insert": (
        "in a batch, half in the write-ahead log",
        "before the flush",
        "in the flush, before its commit",
        "in the flush, after its commit",
        "in an index file",
    ),
    "replace": ("before rows are removed", "before the flush", "in the flush, after its commit"),
    "cluster": ("before the flush", "in the flush, before its commit"),
    "delete": ("before rows are removed", "before the flush", "in the flush, after its commit"),
    "drop": ("in drop, half of the files gone",),
}


def killed(step: str, moment: str, folder: Path) -> Outcome:
    """Killed at the moment, reopened, and the call made again."""
    in_child(fill, folder)
    if in_child(_killed_work, folder, step, moment) != "killed":
        raise AssertionError(f"{step} was not killed {moment}")
    with opened(folder) as client:
        if step in ("insert", "replace", "cluster", "delete"):
            ids = list(store.read_segments(client, "c")["segment_id"])
            if doubled := len(ids) - len(set(ids)):
                return Outcome("", 0, doubled)
        if step == "drop":  # all or nothing
            gone = not client.has_collection("c")
            store_collection.create_collection(client, "c", OLD)
            empty = store.count_segments(client, "c") == 0
            store.insert_segments(client, "c", OLD)
            lost, doubled = lost_and_doubled(client, OLD)
            return Outcome("", lost, doubled + (not (gone and empty)))
        if step == "create":
            store_collection.create_collection(client, "d", OLD)
            store.insert_segments(client, "d", OLD)
            return Outcome("", *lost_and_doubled(client, OLD, "d"))
        if step in ("insert", "create"):  # what an earlier call wrote is there, whatever became of this one
            held = set(store.read_segments(client, "c")["segment_id"])
            if not set(OLD["segment_id"]) <= held <= set(BOTH["segment_id"]):
                return Outcome("", len(set(OLD["segment_id"]) - held), 0)
        work(client, step)
        if step == "delete":
            return Outcome("", 0, store.count_segments(client, "c"))
        return Outcome("", *lost_and_doubled(client, rows_after(step)))


for _step, _moments in KILLS.items():
    for _moment in _moments:
        case(FAULTS, f"kill -9 of {_step}, {_moment}", _step, _moment)(killed)


# kill -9 at random moments

STEPS = 200


def _plan(step: int) -> tuple[str, pd.DataFrame]:
    """Step by step: one of four videos goes in, comes in another segmentation, gets clusters; a drop aside."""
    turn, kind = divmod(step, 4)
    if kind in (0, 3):
        return ("insert", "aside")[kind // 3], toy_segments(f"film-{turn % 4}", 24)
    again = toy_segments(f"film-{turn % 4}", 36, seconds=4.0)
    return ("insert", again) if kind == 1 else ("cluster", again.assign(cluster=turn))


def _state(done: int) -> dict[str, tuple[int, bytes]]:
    """id → cluster and vector, after so many steps."""
    state: dict[str, tuple[int, bytes]] = {}
    for step in range(max(0, done - 16), done):  # older ones are replaced by now
        kind, table = _plan(step)
        if kind != "aside":
            video = table["video_id"][0]
            state = {key: value for key, value in state.items() if not key.startswith(f"{video}/")}
            state |= _content(table)
    return state


def _content(table: pd.DataFrame) -> dict[str, tuple[int, bytes]]:
    rows = zip(table["segment_id"], table["cluster"], table["embedding_visual"], strict=True)
    return {key: (int(cluster), vector.tobytes()) for key, cluster, vector in rows}


def _do(client: Any, step: int) -> None:
    kind, table = _plan(step)
    if kind == "cluster":
        store.update_clusters(client, "c", table.set_index("segment_id")["cluster"], batch_size=10)
    elif kind == "insert":
        store.insert_segments(client, "c", table, batch_size=8)
    else:
        store_collection.create_collection(client, "aside", table)
        store.insert_segments(client, "aside", table)
        store_client.drop_collection(client, "aside", settings=load_settings())


def _broken(client: Any, done: int) -> tuple[int, int]:
    """Rows lost and doubled after a kill: those that step `done` touches may be as before it or as after it."""
    before, after = _state(done), _state(done + 1)
    held = store.read_segments(client, "c")
    stored = _content(held)
    touched = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    lost = sum(stored.get(key) != value for key, value in before.items() if key not in touched)
    wrong = sum(value not in (before.get(key), after.get(key)) for key, value in stored.items())
    return lost, wrong + len(held) - len(stored) + client.has_collection("aside") * (done % 4 != 3)


def _go_on(folder: Path, steps: int) -> tuple[int, int]:
    """Open, check what is there, and go on where the diary ends; every step that returned is in the diary."""
    diary = folder / "diary"
    done = diary.stat().st_size if diary.exists() else 0
    with opened(folder) as client:
        store_collection.create_collection(client, "c", OLD)
        lost, doubled = _broken(client, done)
        if lost or doubled:
            (folder / "broken").write_text(f"{lost} {doubled}")
        (folder / "working").touch()
        with diary.open("ab", buffering=0) as file:
            for step in range(done, min(done + steps, STEPS)):
                _do(client, step)
                file.write(b".")
        return (0, 0) if steps else (lost, doubled)


@case(FAULTS, "kill -9 at 25 random moments of insert, replace, update_clusters, create and drop", 25)
def killed_at_random(kills: int, folder: Path) -> Outcome:
    """Killed, reopened, checked and gone on with, again and again; the diary's rows are all there, once."""
    moments, hit = random.Random(5), 0
    while hit < kills:
        (folder / "working").unlink(missing_ok=True)
        process = child(_go_on, folder, STEPS)
        process.start()
        while process.is_alive() and not (folder / "working").exists():
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.25))
        hit += process.is_alive()
        process.kill()
        process.join()
        if (folder / "broken").exists():
            lost, doubled = map(int, (folder / "broken").read_text().split())
            return Outcome("", lost, doubled)
        if process.exitcode not in (0, -signal.SIGKILL):
            raise AssertionError(f"the child ended with {process.exitcode}")
    in_child(_go_on, folder, 1)  # the call that the last kill interrupted, once more
    done = (folder / "diary").stat().st_size
    with opened(folder) as client:
        stored = store.read_segments(client, "c")
        right, content = _state(done), _content(stored)
        lost = sum(content.get(key) != value for key, value in right.items())
        return Outcome("", lost, len(stored) - len(right.keys() & content.keys()))
