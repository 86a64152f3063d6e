"""Faults of the store, as cases that run alone: `for case in FAULTS: print(case.fault, case.run(folder))`.

Each case does to a real Milvus Lite what its `fault` says, goes on as a user would, and counts by id:
`Outcome(sentence, lost, doubled)`. Work that is to be killed runs in a child process, forked in 0.1 s.
"""

import atexit
import functools
import multiprocessing
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from milvus_lite import db as lite_db
from milvus_lite.index.brute_force import BruteForceIndex
from milvus_lite.storage.manifest import Manifest
from milvus_lite.storage.wal import WAL

from helpers.errors import VideoSearchError
from helpers.search.hybrid import Leg, hybrid_search
from helpers.search.similarity import search_segments
from helpers.segments import COLUMNS, Query
from helpers.settings import Settings, load_settings
from helpers.store import client as milvus_module
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store

DIM = 8
HANG = 60  # seconds after which a child counts as hanging


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


FAULTS: list[Case] = []


def case(fault: str, *given: Any) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """Enter the function in FAULTS under its name; `given` are its arguments before the folder."""

    def enter(run: Callable[..., Outcome]) -> Callable[..., Outcome]:
        name = "-".join([run.__name__, *(str(value) for value in given)])
        FAULTS.append(Case(name, fault, functools.partial(run, *given)))
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
        row["segment_id"] = f"{video}/clip/{i}/{row['segmentation']}"
        vector = np.random.default_rng(list(row["segment_id"].encode())).normal(size=DIM)
        row["embedding_visual"] = (vector / np.linalg.norm(vector)).astype(np.float32)
        rows.append(row)
    return pd.DataFrame(rows)


OLD, NEW = toy_segments("old-1", 30), toy_segments("new-2", 90)
BOTH = pd.concat([OLD, NEW], ignore_index=True)


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


# Children


def _child(pipe: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    pipe.send(function(*args))


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """The function's result from a process of its own, "killed" if that was killed, "hangs" if it does not end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, function, args))
    process.start()
    there.close()
    try:
        result = here.recv() if here.poll(HANG) else "hangs"
    except EOFError:
        result = "killed"
    if result == "hangs":
        process.kill()
    process.join()
    return result


def _filled(folder: Path) -> None:
    with opened(folder) as client:
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD)


# kill -9 at named moments


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _half_drop(path: str, **_: Any) -> None:
    """rmtree that is killed on the way, the worst order first: rows go, and what names them stays."""
    for file in [*Path(path).rglob("*.parquet"), *Path(path).rglob("*.idx")]:
        file.unlink()
    _die()


def _half_index(self: Any, path: str) -> None:
    Path(path).write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'")
    _die()


def _half_wal(self: Any, batch: Any) -> None:
    write_insert(self, batch)
    if self._data_sink.tell() > 8_000:  # the second batch: cut in the middle
        self._data_sink.truncate(self._data_sink.tell() - 700)
        _die()


write_insert = WAL.write_insert
KILLED_AT: dict[str, tuple[Any, str, Callable[..., None]]] = {
    "in create, before the schema": (lite_db, "save_schema", _die),
    "in create, before the indexes": (milvus_module.Client, "create_index", _die),
    "in a batch, half in the write-ahead log": (WAL, "write_insert", _half_wal),
    "before rows are removed": (milvus_module.Client, "delete", _die),
    "before the flush": (milvus_module.Client, "flush", _die),
    "in the flush, before its commit": (Manifest, "save", _die),
    "in the flush, after its commit": (WAL, "close_and_delete", _die),
    "in an index file": (BruteForceIndex, "save", _half_index),
    "in drop, half of the files gone": (lite_db.shutil, "rmtree", _half_drop),
}


def _work(client: Any, step: str) -> None:
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


def _after(step: str) -> pd.DataFrame:
    """What the collection holds when the call has been made once more."""
    replaced = {"replace": toy_segments("old-1", 45, seconds=4.0), "cluster": OLD.assign(cluster=3)}
    return {"insert": BOTH, "delete": OLD[:0]}.get(step, replaced.get(step, OLD))


def _killed_work(folder: Path, step: str, moment: str) -> str:
    client = store_client.connect_milvus(toy_settings(folder))
    store_collection.open_collection(client, "c")
    owner, name, instead = KILLED_AT[moment]
    setattr(owner, name, instead)
    _work(client, step)
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
    in_child(_filled, folder)
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
        _work(client, step)
        if step == "delete":
            return Outcome("", 0, store.count_segments(client, "c"))
        return Outcome("", *lost_and_doubled(client, _after(step)))


for _step, _moments in KILLS.items():
    for _moment in _moments:
        case(f"kill -9 of {_step}, {_moment}", _step, _moment)(killed)


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


@case("kill -9 at 25 random moments of insert, replace, update_clusters, create and drop", 25)
def killed_at_random(kills: int, folder: Path) -> Outcome:
    """Killed, reopened, checked and gone on with, again and again; the diary's rows are all there, once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers"])
    moments, hit = random.Random(5), 0
    while hit < kills:
        (folder / "working").unlink(missing_ok=True)
        process = context.Process(target=_go_on, args=(folder, STEPS))
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
                sentences.add(sentence_of(lambda: _work(client, step)))
        if step == "drop":
            store_collection.create_collection(client, "c", OLD)
            store.insert_segments(client, "c", OLD)
            return Outcome(" ".join(sorted(sentences)), *lost_and_doubled(client, OLD))
        _work(client, step)
        name = "d" if step == "create" else "c"
        if step == "create":
            store.insert_segments(client, "d", OLD)
        before = lost_and_doubled(client, _after(step), name)
    with opened(folder) as client:  # on the disk as well
        after = lost_and_doubled(client, _after(step), name)
    return Outcome(" ".join(sorted(sentences)), *map(max, zip(before, after, strict=True)))


@case("a full disk while rows are inserted", "insert")
@case("a full disk while a segmentation is replaced", "replace")
@case("a full disk while clusters are written", "cluster")
@case("a full disk while a collection is made", "create")
@case("a full disk while a collection is dropped", "drop")
def full(step: str, folder: Path) -> Outcome:
    """The disk is full, at several sizes; then there is room, and the same call is made again."""
    in_child(_filled, folder)
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
    _die()


@case("a full disk, then room, an insert that returned, and kill -9")
def full_and_killed(folder: Path) -> Outcome:
    in_child(_filled, folder)
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


@case("the folder is held by another process")
def locked(folder: Path) -> Outcome:
    in_child(_filled, folder)
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


@case("a file lies where the folder should be")
def in_the_way(folder: Path) -> Outcome:
    (folder / "store.db").write_text("not a folder")
    sentence = sentence_of(lambda: store_client.connect_milvus(toy_settings(folder)))
    (folder / "store.db").unlink()
    _filled(folder)
    with opened(folder) as client:
        return Outcome(sentence, *lost_and_doubled(client, OLD))


@case("an index file is damaged", "*.idx")
@case("the catalogue of a collection is damaged", "manifest.json*")
@case("the schema of a collection is damaged", "schema.json")
@case("a file of rows is damaged", "*.parquet")
def damaged(files: str, folder: Path) -> Outcome:
    """Damage on the disk: index files are made anew; for the rest, a sentence, and the rows go in again."""
    in_child(_filled, folder)
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


@case("the folder is deleted while it is open")
def deleted(folder: Path) -> Outcome:
    settings = toy_settings(folder)
    client = store_client.connect_milvus(settings)
    store_collection.create_collection(client, "c", OLD)
    shutil.rmtree(settings.milvus_uri)
    sentence = sentence_of(lambda: store.insert_segments(client, "c", OLD))
    store_client.disconnect_milvus(client, settings)
    _filled(folder)
    with opened(folder) as client:
        return Outcome(sentence, *lost_and_doubled(client, OLD))


# A server, and the network in between


class Proxy:
    """A TCP proxy on loopback that can be cut, fall silent, and heal."""

    def __init__(self, port: int) -> None:
        self.target, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.mode, self.budget, self.ends = "pass", -1, list[socket.socket]()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    if self.mode == "cut":
                        raise ConnectionError
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self.ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink, sink is far), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, upwards: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if upwards and self.budget >= 0:
                    self.budget -= len(data)
                    if self.budget < 0:
                        self.set("cut")
                        return
                if self.mode == "pass":
                    sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def set(self, mode: str, *, after: int = -1) -> None:
        """`mode` is pass, silent or cut; with `after`, the connection is cut once so many bytes have passed."""
        self.mode, self.budget = mode, after
        if mode == "cut":
            for end in self.ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self.ends = []


class Server:
    """`milvus-lite server` on loopback: it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder)]
        self.start()

    def start(self) -> None:
        command = [*self.command, "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.05)
        raise AssertionError("milvus-lite server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@functools.cache
def shared_server() -> Server:
    """One server for all cases: it takes a second to start."""
    folder = Path(tempfile.mkdtemp(prefix="milvus-"))
    server = Server(folder)
    atexit.register(lambda: (server.kill(), shutil.rmtree(folder, ignore_errors=True)))
    return server


@contextmanager
def through_a_proxy(server: Server) -> Iterator[tuple[Any, Proxy, Settings]]:
    """A client that reaches the server through a proxy, with OLD in the collection "c"."""
    proxy = Proxy(server.port)
    settings = replace(load_settings(), milvus_uri=proxy.url, milvus_token="", prefix="")
    client = store_client.connect_milvus(settings)
    try:
        client.drop_collection("c")
        store_collection.create_collection(client, "c", OLD)
        store.insert_segments(client, "c", OLD)
        yield client, proxy, settings
    finally:
        store_client.disconnect_milvus(client, settings)
        proxy.listener.close()


@contextmanager
def deadlines(seconds: float) -> Iterator[None]:
    """Short deadlines meanwhile: nobody waits half a minute in a test."""
    names = ("CONNECT_SECONDS", "ANSWER_SECONDS", "WORK_SECONDS")
    usual = {name: getattr(milvus_module, name) for name in names}
    for name in names:
        setattr(milvus_module, name, seconds)
    try:
        yield
    finally:
        for name, value in usual.items():
            setattr(milvus_module, name, value)


QUERY = Query(OLD["embedding_visual"][0], "toy-8", "a clip")
ASKED: dict[str, Callable[[Any], Any]] = {
    "insert": lambda client: store.insert_segments(client, "c", NEW, batch_size=15),
    "update_clusters": lambda client: store.update_clusters(
        client, "c", pd.Series([1], index=OLD["segment_id"][:1])
    ),
    "delete_video": lambda client: store.delete_video(client, "c", "old-1"),
    "read": lambda client: store.read_segments(client, "c"),
    "search": lambda client: search_segments(client, "c", QUERY),
    "hybrid search": lambda client: hybrid_search(client, "c", [Leg(QUERY, "visual")]),
    "create": lambda client: store_collection.create_collection(client, "d", OLD),
    "drop": lambda client: store_client.drop_collection(client, "c", settings=load_settings()),
}


@case("the connection is cut in the middle of an insert, and comes back", "insert", 6_000)
@case("the connection is cut late in an insert, and comes back", "insert", 14_000)
@case("the connection is cut in the middle of a search, and comes back", "search", 300)
@case("the connection is cut in the middle of a hybrid search, and comes back", "hybrid search", 1_500)
def cut(what: str, after: int, folder: Path) -> Outcome:
    """Cut after so many bytes; once the way is free, the same client goes on, and the call is made again."""
    with through_a_proxy(shared_server()) as (client, proxy, _):
        proxy.set("pass", after=after)
        with deadlines(5):
            sentence = sentence_of(lambda: ASKED[what](client))
        proxy.set("pass")
        ASKED[what](client)
        store.insert_segments(client, "c", NEW)
        return Outcome(sentence, *lost_and_doubled(client, BOTH))


@case("a server that is gone", "cut")
@case("a server that never answers", "silent")
def gone(mode: str, folder: Path) -> Outcome:
    """Every call ends in one sentence; then the server is back, and the same client goes on."""
    with through_a_proxy(shared_server()) as (client, proxy, settings):
        proxy.set(mode)
        with deadlines(0.2):
            sentences = [sentence_of(functools.partial(ask, client)) for ask in ASKED.values()]
            sentences.append(sentence_of(lambda: store_client.connect_milvus(settings)))
        if not all(sentences):
            raise AssertionError(f"a call succeeded without a server: {sentences}")
        proxy.set("cut")
        proxy.set("pass")
        store.insert_segments(client, "c", NEW)
        return Outcome(sentences[0], *lost_and_doubled(client, BOTH))


@case("the server is killed between two batches, and started again")
def server_killed(folder: Path) -> Outcome:
    server = Server(folder / "server")
    try:
        with through_a_proxy(server) as (client, _, settings):
            upsert, calls = milvus_module.Client.upsert, iter(range(99))

            def killing(self: Any, *args: Any, **options: Any) -> Any:
                if next(calls) == 2:
                    server.kill()
                return upsert(self, *args, **options)

            milvus_module.Client.upsert = killing
            try:
                with deadlines(5):
                    sentence = sentence_of(lambda: ASKED["insert"](client))
            finally:
                milvus_module.Client.upsert = upsert
            server.start()
            lost = 30 - store.count_segments(client, "c", where={"video_id": "old-1"})
            store.insert_segments(client, "c", NEW)
            again, doubled = lost_and_doubled(client, BOTH)
            return Outcome(sentence, max(lost, again), doubled)
    finally:
        server.kill()


@case("an address where nobody listens", "http://127.0.0.1:9")
@case("an address that is none", "http://127.0.0.1:milvus")
@case("an address without a host", "http://")
@case("an address of another kind", "ftp://127.0.0.1:19530")
def wrong_address(uri: str, folder: Path) -> Outcome:
    settings = replace(load_settings(), milvus_uri=uri, milvus_token="")
    return Outcome(sentence_of(lambda: store_client.connect_milvus(settings)), 0, 0)
