"""The client of Milvus that every helper uses: a call has a deadline, a line in the log, and an open connection."""

import functools
import inspect
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pymilvus import MilvusClient, MilvusException

from helpers.store import lite
from helpers.store.errors import FAILURES, timed_call

CONNECT_SECONDS = 10.0
# For one answer of a server, with pymilvus's own tries again: it has no deadline unless told.
ANSWER_SECONDS = 30.0
# For what takes longer: indexes, a load, a flush; and all that a Milvus Lite folder does.
WORK_SECONDS = 600.0
NOT_LOADED = 101  # code of Milvus: the collection is not in memory
IDLE_SECONDS = 30.0  # then a folder that a call has opened again is free for others
WRITES = {  # after these, what was read before may be out of date
    *("alter_alias", "create_alias", "create_collection", "delete", "drop_alias", "drop_collection"),
    *("drop_partition", "insert", "rename_collection", "truncate_collection", "upsert"),
}
INDEX_PAUSES = (0.1, 0.3, 0.6)  # seconds between tries to load an index that is still being written
# What Milvus Lite says of an index file that it cannot read; of FLAT's it names no file.
UNREAD_INDEX = re.compile(r"\.idx|not fully written|EOF: reading")

P = ParamSpec("P")
T = TypeVar("T")


def in_time(call: Callable[P, T], *, slow: bool = False) -> Callable[P, T]:
    """The same method of MilvusClient, with a deadline (`timeout`, if not given) and `timed_call` around it."""
    name, signature = call.__name__, inspect.signature(call)

    @functools.wraps(call)
    def timely(*args: P.args, **options: P.kwargs) -> T:
        given = signature.bind(*args, **options)
        client = given.arguments["self"]
        if given.arguments.get("timeout") is None:
            # A folder is no network, which may be silent: it is at work, and an insert may write files meanwhile.
            given.arguments["timeout"] = WORK_SECONDS if slow or client.folder else ANSWER_SECONDS
        fields = {"collection": given.arguments.get("collection_name")}
        rows = given.arguments.get("data", given.arguments.get("ids"))
        if name in ("delete", "insert", "upsert") and isinstance(rows, list):
            fields["rows"] = len(rows)
        with client.in_use(), timed_call(f"milvus.{name}", **fields) as more:
            try:
                answer: Any = call(*given.args, **given.kwargs)
            except MilvusException as error:
                if error.code != NOT_LOADED or not client.is_open_again:
                    raise
                client.load_collection(fields["collection"])
                answer = call(*given.args, **given.kwargs)
            finally:
                if name in WRITES:  # one that failed may have written, too
                    Client.writes += 1
            if name in ("search", "hybrid_search"):
                more["rows"] = sum(map(len, answer))
            elif name in ("get", "query"):
                more["rows"] = len(answer)
        found: T = answer
        return found

    return timely


class Client(MilvusClient):  # type: ignore[misc]
    """A MilvusClient whose calls meet a deadline and are timed in the log; `folder` is that of Milvus Lite.

    A call opens a client that is closed, so what a notebook shows goes on searching after its last cell. A folder
    that was opened so is free for others when nobody has asked for a while.
    """

    folder: Path | None = None
    writes = 0  # of this process, by all its clients
    _lock = threading.RLock()
    _calls = 0  # that run now, of all clients: they may share a folder

    def __init__(self, uri: str, channel: Mapping[str, int], *, token: str = "") -> None:
        # A connection of its own: pymilvus hands out a shared one even when it is dead.
        options = {"timeout": CONNECT_SECONDS, "dedicated": True, "grpc_options": channel}
        self._opening = {"uri": uri, "token": token, **options}
        self._closed = False
        self._session: object = None  # of the folder: another one means that it was closed in between
        self._idle: threading.Timer | None = None
        super().__init__(**self._opening)

    def close(self) -> None:
        """Close the connection; `disconnect_milvus` frees the folder as well."""
        with Client._lock:
            if self._idle:
                self._idle.cancel()
                self._idle = None
            self._closed = True
            super().close()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While a call runs: one that finds the client closed, or its folder, opens it again."""
        with Client._lock:
            if self._closed or (self.folder and self._session is not lite.sessions.get(self.folder)):
                self._open_again()
            Client._calls += 1
        try:
            yield
        finally:
            with Client._lock:
                Client._calls -= 1
                if self._idle:
                    self._wait_idle()

    @property
    def is_open_again(self) -> bool:
        """Whether a call has opened it: no cell has loaded its collections since."""
        return self._idle is not None

    def open_folder(self, path: Path) -> None:
        """Remember the Milvus Lite folder, which has just been opened."""
        self.folder, self._session = path, lite.sessions[path]

    def _open_again(self) -> None:
        MilvusClient.close(self)
        Client.writes += 1  # others may have written meanwhile
        if not self.folder:
            super().__init__(**self._opening)
        else:
            with folder_opened(self.folder, str(self.folder)):
                super().__init__(**self._opening)
            self.open_folder(self.folder)
            self._wait_idle()
        self._closed = False

    def _wait_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE_SECONDS, self._free_if_idle)
        self._idle.daemon = True
        self._idle.start()

    def _free_if_idle(self) -> None:
        with Client._lock:
            if Client._calls:
                self._wait_idle()
            elif self._idle and self.folder:
                self.close()
                lite.release_folder(self.folder)

    @functools.cached_property
    def version(self) -> str:
        """What answers, asked once: "milvus_lite-3.2.2", or a server's "v2.6.9"."""
        return str(self.get_server_version())

    alter_alias = in_time(MilvusClient.alter_alias)
    create_alias = in_time(MilvusClient.create_alias)
    create_collection = in_time(MilvusClient.create_collection)
    create_index = in_time(MilvusClient.create_index, slow=True)
    create_partition = in_time(MilvusClient.create_partition)
    delete = in_time(MilvusClient.delete)
    describe_collection = in_time(MilvusClient.describe_collection)
    describe_index = in_time(MilvusClient.describe_index)
    drop_alias = in_time(MilvusClient.drop_alias)
    drop_collection = in_time(MilvusClient.drop_collection)
    drop_index = in_time(MilvusClient.drop_index, slow=True)
    drop_partition = in_time(MilvusClient.drop_partition)
    flush = in_time(MilvusClient.flush, slow=True)
    get = in_time(MilvusClient.get)
    get_collection_stats = in_time(MilvusClient.get_collection_stats)
    get_load_state = in_time(MilvusClient.get_load_state)
    get_server_version = in_time(MilvusClient.get_server_version)
    has_collection = in_time(MilvusClient.has_collection)
    hybrid_search = in_time(MilvusClient.hybrid_search)
    insert = in_time(MilvusClient.insert)
    list_collections = in_time(MilvusClient.list_collections)
    list_indexes = in_time(MilvusClient.list_indexes)
    list_partitions = in_time(MilvusClient.list_partitions)
    load_once = in_time(MilvusClient.load_collection, slow=True)
    query = in_time(MilvusClient.query)
    query_iterator = in_time(MilvusClient.query_iterator)
    release_collection = in_time(MilvusClient.release_collection)
    rename_collection = in_time(MilvusClient.rename_collection)
    search = in_time(MilvusClient.search)
    truncate_collection = in_time(MilvusClient.truncate_collection)
    upsert = in_time(MilvusClient.upsert)

    def load_collection(self, collection_name: str, timeout: float | None = None, **options: Any) -> Any:
        """Milvus Lite builds indexes in the background, and a load may meet a file that is half written: so wait."""
        for pause in INDEX_PAUSES:
            try:
                return self.load_once(collection_name, timeout, **options)
            except MilvusException as error:
                if not UNREAD_INDEX.search(str(error)):
                    raise
                time.sleep(pause)
        return self.load_once(collection_name, timeout, **options)


@contextmanager
def folder_opened(path: Path, uri: str) -> Iterator[None]:
    """Around the opening of a Milvus Lite folder: checked before, put in order after; StoreError where it fails."""
    lite.prepare_folder(path, uri)
    try:
        with timed_call("milvus.connect"):
            yield
    except FAILURES as error:
        raise lite.not_opened(path, error) from error
    lite.tidy_folder(path)
