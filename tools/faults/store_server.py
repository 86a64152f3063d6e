"""A Milvus server that is killed, silent or gone, and the network on the way to it."""

import atexit
import functools
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from milvus_lite.adapter.grpc.server import run_server

from helpers.search.hybrid import Leg, hybrid_search
from helpers.search.similarity import search_segments
from helpers.settings import Settings, load_settings
from helpers.store import calls
from helpers.store import client as store_client
from helpers.store import collection as store_collection
from helpers.store import io as store
from tools.faults.children import child
from tools.faults.store_case import BOTH, NEW, OLD, QUERY, Case, Outcome, case, lost_and_doubled, sentence_of

FAULTS: list[Case] = []


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
        with source, suppress(OSError):  # nobody else reads from it
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


def _serve(folder: str, port: int) -> None:
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
    run_server(folder, "127.0.0.1", port)


class Server:
    """What `milvus-lite server` runs, on loopback: it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        self.process = child(_serve, str(self.folder), self.port)
        self.process.daemon = True  # ends with this process
        self.process.start()
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.05)
        raise AssertionError("milvus-lite server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@functools.cache
def shared_server() -> Server:
    """One server for all cases: it takes a second to start."""
    folder = Path(tempfile.mkdtemp(prefix="milvus-"))
    server = Server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.kill)  # the last one registered comes first
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
    usual = {name: getattr(calls, name) for name in names}
    for name in names:
        setattr(calls, name, seconds)
    try:
        yield
    finally:
        for name, value in usual.items():
            setattr(calls, name, value)


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


@case(FAULTS, "the connection is cut in the middle of an insert, and comes back", "insert", 6_000)
@case(FAULTS, "the connection is cut late in an insert, and comes back", "insert", 14_000)
@case(FAULTS, "the connection is cut in the middle of a search, and comes back", "search", 100)
@case(FAULTS, "the connection is cut in the middle of a hybrid search, and comes back", "hybrid search", 400)
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


@case(FAULTS, "a server that is gone", "cut")
@case(FAULTS, "a server that never answers", "silent")
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


@case(FAULTS, "the server is killed between two batches, and started again")
def server_killed(folder: Path) -> Outcome:
    server = Server(folder / "server")
    try:
        with through_a_proxy(server) as (client, _, _):
            upsert, number = calls.Client.upsert, iter(range(99))

            def killing(self: Any, *args: Any, **options: Any) -> Any:
                if next(number) == 2:
                    server.kill()
                return upsert(self, *args, **options)

            calls.Client.upsert = killing
            try:
                with deadlines(5):
                    sentence = sentence_of(lambda: ASKED["insert"](client))
            finally:
                calls.Client.upsert = upsert
            server.start()
            lost = 30 - store.count_segments(client, "c", where={"video_id": "old-1"})
            store.insert_segments(client, "c", NEW)
            again, doubled = lost_and_doubled(client, BOTH)
            return Outcome(sentence, max(lost, again), doubled)
    finally:
        server.kill()


@case(FAULTS, "an address where nobody listens", "http://127.0.0.1:9")
@case(FAULTS, "an address that is none", "http://127.0.0.1:milvus")
@case(FAULTS, "an address without a host", "http://")
@case(FAULTS, "an address of another kind", "ftp://127.0.0.1:19530")
def wrong_address(uri: str, folder: Path) -> Outcome:
    settings = replace(load_settings(), milvus_uri=uri, milvus_token="")
    return Outcome(sentence_of(lambda: store_client.connect_milvus(settings)), 0, 0)
