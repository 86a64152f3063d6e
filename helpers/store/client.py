"""Milvus: open and close it, with a deadline and a line in the log for every call, and errors of one sentence.

A Milvus Lite folder is put in order when it is opened: what a kill -9 left half dropped or half made goes.
"""

import errno
import functools
import inspect
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from milvus_lite.exceptions import DataDirLockedError
from milvus_lite.server_manager import server_manager_instance
from pymilvus import MilvusClient, MilvusException

from helpers.errors import StoreError, VideoSearchError
from helpers.logs import timed
from helpers.settings import Settings

NAME = re.compile(r"[A-Za-z_]\w{0,254}", flags=re.ASCII)  # of a collection


CONNECT_SECONDS = 10.0


ANSWER_SECONDS = 30.0  # for one answer, with pymilvus's own tries again: it has no deadline unless told


WORK_SECONDS = 600.0  # for what takes longer in a large collection: indexes, a load, a flush


READS = ("get", "query", "search", "hybrid_search")


WRITES = ("delete", "insert", "upsert")


CALLS = (
    *("create_collection", "describe_collection", "describe_index", "drop_collection"),
    *("get_load_state", "get_server_version", "has_collection", "query_iterator", *READS, *WRITES),
)


WORK = ("create_index", "flush", "load_collection")


INDEX_PAUSES = (0.1, 0.3, 0.6)  # seconds between tries to load an index that is still being written


DROPPING = "dropping"  # in a Milvus Lite folder: the names of the collections that are being dropped


FAILURES = (MilvusException, grpc.RpcError, grpc.FutureTimeoutError)


FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


SILENT = ("DEADLINE_EXCEEDED", "UNAVAILABLE", "Fail connecting", "Timeout expired")


NO_ANSWER = "no answer came, so check that Milvus runs and that the network is up, and try again"


# A connection of its own for each client: pymilvus hands out a shared one even when it is dead, and gRPC lets
# all channels to one address wait together, up to two minutes, before it looks whether a server is back.
CONNECTION = {"dedicated": True, "grpc_options": {"grpc.use_local_subchannel_pool": 1}}


class Client(MilvusClient):  # type: ignore[misc]
    """A MilvusClient whose calls meet a deadline and are timed in the log; `folder` is that of Milvus Lite."""

    folder: Path | None = None


def _in_time(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same method of MilvusClient, with a deadline (`timeout`, if not given) and `timed_call` around it."""
    name, signature = call.__name__, inspect.signature(call)

    @functools.wraps(call)
    def timely(self: Client, *args: Any, **options: Any) -> Any:
        given = signature.bind(self, *args, **options)
        if given.arguments.get("timeout") is None:
            given.arguments["timeout"] = WORK_SECONDS if name in WORK else ANSWER_SECONDS
        rows = given.arguments.get("data", given.arguments.get("ids"))
        count = {"rows": len(rows)} if name in WRITES and isinstance(rows, list) else {}
        with timed_call(
            f"milvus.{name}", collection=given.arguments.get("collection_name"), **count
        ) as fields:
            answer = call(*given.args, **given.kwargs)
            if name in READS:
                fields["rows"] = sum(map(len, answer)) if name.endswith("search") else len(answer)
        return answer

    return timely


def _patiently(load: Callable[..., Any]) -> Callable[..., Any]:
    """Milvus Lite builds indexes in the background, and a load may meet a file that is half written: so wait."""

    @functools.wraps(load)
    def patient(self: Client, *args: Any, **options: Any) -> Any:
        for pause in INDEX_PAUSES:
            try:
                return load(self, *args, **options)
            except MilvusException as error:
                if self.folder is None or ".idx" not in str(error):
                    raise
                time.sleep(pause)
        return load(self, *args, **options)

    return patient


for _name in (*CALLS, *WORK):
    setattr(Client, _name, _in_time(getattr(MilvusClient, _name)))


Client.load_collection = _patiently(Client.load_collection)


@contextmanager
def timed_call(event: str, **fields: object) -> Iterator[dict[str, Any]]:
    """`timed`, for calls of Milvus: what Milvus quotes in its reason (a title, a filter) is not logged."""
    with timed(event, **fields) as more:
        try:
            yield more
        except Exception as error:
            more["error"] = re.sub(r"""(['"`<]).*['"`>]""", "…", _reason(error))
            raise


@contextmanager
def milvus_errors(what: str, kind: type[VideoSearchError] = StoreError, *, cure: str = "") -> Iterator[None]:
    """Turn an error of Milvus inside the block into `kind`: "<what>: <its reason, in one line>, so <cure>.".

    The cure is for a reason that says nothing about one; a full disk, or no answer, has a cure of its own.
    """
    try:
        yield
    except FAILURES as error:
        reason = _reason(error)
        raise kind(f"{what}: {reason}{f', so {cure}' if cure and ', so ' not in reason else ''}.") from error


def _reason(error: BaseException) -> str:
    """Why a call failed, in one line: what to do where that is known, else the first line that Milvus gives."""
    text = str(error.message) if isinstance(error, MilvusException) else str(error)
    if isinstance(error, grpc.RpcError) and hasattr(error, "code"):
        text = f"{error.code()} {error.details()}"
    if any(sign in text for sign in SILENT):
        return NO_ANSWER
    if "should create connection first" in text:
        return "the client is closed, so open one with connect_milvus"
    if any(f"[Errno {number}]" in text or os.strerror(number) in text for number in FULL):
        return "the disk is full, so make room on it"
    if f"[Errno {errno.ENOENT}]" in text:
        return "the folder was deleted or moved while it was open, so open it anew with connect_milvus"
    return next(iter(text.strip().splitlines()), "").rstrip(".") or "no reason given"


class _Cause(logging.Handler):
    """Keeps what Milvus Lite only logs, with a traceback: why a folder could not be opened."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.error = record.exc_info[1] if record.exc_info else None


_CAUSE = _Cause()


_open: set[Path] = set()  # folders that this process holds


def connect_milvus(settings: Settings) -> MilvusClient:
    """Open the Milvus that the settings name: a Milvus Lite folder (`….db`) or a server (http or https).

    Every call of the client has a deadline and leaves a record in the log. Raises StoreError for a server that
    does not answer, and for a folder that cannot be used.
    """
    for name in ("pymilvus", "pymilvus.milvus_client"):  # they print a page for each error, even a caught one
        logging.getLogger(name).setLevel(logging.CRITICAL)
    lite = logging.getLogger("milvus_lite")
    lite.addHandler(_CAUSE)
    lite.propagate, _CAUSE.error = False, None
    uri = settings.milvus_uri
    if "://" in uri:
        address = _address(uri)
        try:
            with timed_call("milvus.connect"):
                return Client(uri=uri, token=settings.milvus_token, timeout=CONNECT_SECONDS, **CONNECTION)
        except FAILURES as error:
            reason = "" if _reason(error) == NO_ANSWER else f" ({_reason(error)})"
            raise StoreError(
                f"Check MILVUS_URI and MILVUS_TOKEN, or start Milvus at {address}, as it did not answer{reason}."
            ) from error
    path = _lite_path(settings)
    _check_folder(path, uri)
    if path in _open and not (path / "LOCK").exists():  # deleted meanwhile: Milvus Lite would not notice
        server_manager_instance.release_server(str(path))
        _open.discard(path)
    try:
        with timed_call("milvus.connect"):
            client = Client(str(path), **CONNECTION)
    except FAILURES as error:
        if isinstance(_CAUSE.error, DataDirLockedError):
            raise StoreError(
                f"The Milvus folder {path} is in use by another notebook: close or restart that notebook's "
                "kernel, or give this one a folder of its own with load_settings(notebook=…)."
            ) from error
        raise StoreError(
            f"The Milvus folder {path} cannot be opened ({_reason(_CAUSE.error or error)}): "
            "move it away and insert the segments again."
        ) from error
    client.folder = path
    if path not in _open:  # the lock is ours now, and nobody has begun to work yet
        _tidy(path)
        _open.add(path)
    return client


def _address(uri: str) -> str:
    """Host and port of a server, without user and password; StoreError if they are none."""
    parts = urlsplit(uri)
    address = parts.netloc.rpartition("@")[2]
    with suppress(ValueError):
        if parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0):
            return address
    raise StoreError(
        f"MILVUS_URI names no server ({parts.scheme}://{address}): write it as http://localhost:19530."
    )


def _check_folder(path: Path, uri: str) -> None:
    if path.suffix != ".db":
        raise StoreError(
            f"{uri} is no Milvus: set MILVUS_URI to an http address, or to a path ending in .db."
        )
    if os.path.isfile(path):
        raise StoreError(f"{path} is a file of an old Milvus Lite, which is not read any more: move it away.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path if os.path.isdir(path) else path.parent):
            pass
    except OSError as error:
        raise StoreError(
            f"The folder {path} cannot be written ({error.strerror}): "
            "set VIDEO_SEARCH_HOME to a folder of your own."
        ) from error


def _tidy(path: Path) -> None:
    """Complete what a kill -9 interrupted: a drop, and the last step of a flush.

    Milvus Lite deletes its write-ahead log when the rows are safe in another file. Killed in between, it reads
    both, and every such row comes twice from searches, queries and counts, until the next flush.
    """
    for mark in (path / DROPPING).glob("*"):
        shutil.rmtree(path / "collections" / mark.name, ignore_errors=True)
        mark.unlink()
    for manifest in path.glob("collections/*/manifest.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # damaged: Milvus Lite has a copy of its own
            current = int(json.loads(manifest.read_text("utf-8"))["active_wal_number"])
            for file in manifest.parent.glob("wal/wal_*.arrow"):
                if int(file.stem.rpartition("_")[2]) < current:
                    file.unlink()


def free_name(milvus: MilvusClient, name: str) -> None:
    """Remove what a create that failed left of a collection, for Milvus Lite would refuse the name for ever."""
    folder = milvus.folder / "collections" / name if isinstance(milvus, Client) and milvus.folder else None
    if folder and not (folder / "schema.json").exists():
        shutil.rmtree(folder, ignore_errors=True)


def disconnect_milvus(milvus: MilvusClient, settings: Settings) -> None:
    """Close the client, and free a Milvus Lite folder: only then may others open it, or you delete it."""
    milvus.close()
    if "://" not in settings.milvus_uri:
        server_manager_instance.release_server(str(_lite_path(settings)))
        _open.discard(_lite_path(settings))


def _lite_path(settings: Settings) -> Path:
    return Path(os.path.abspath(settings.root / Path(settings.milvus_uri).expanduser()))


def collection_name(settings: Settings, name: str) -> str:
    """The name of your own collection: with your prefix in front, where there is one (on a shared server)."""
    return name if name.startswith(settings.prefix) else settings.prefix + name


def drop_collection(milvus: MilvusClient, name: str, *, settings: Settings) -> None:
    """Drop your own collection `name` and all its rows; one with another prefix cannot be named this way.

    All or nothing on Milvus Lite too: a drop that a kill interrupted is completed by the next connect_milvus.
    """
    full = collection_name(settings, name)
    mark = None
    with milvus_errors(f"The collection {name!r} was not dropped"):
        if isinstance(milvus, Client) and milvus.folder and NAME.fullmatch(full):
            mark = milvus.folder / DROPPING / full
            with suppress(OSError):  # a full disk must not keep anybody from making room
                mark.parent.mkdir(exist_ok=True)
                mark.touch()
        try:
            milvus.drop_collection(full)
        finally:
            if mark:
                mark.unlink(missing_ok=True)


def check_client(milvus: object, name: object) -> None:
    """StoreError unless these are a client and the name of a collection, in this order."""
    if not hasattr(milvus, "upsert") or not isinstance(name, str):
        raise StoreError(
            f"Milvus and the name of the collection come first, not a {type(milvus).__name__} and a "
            f"{type(name).__name__}: give what connect_milvus returned, then a name."
        )


def load(milvus: MilvusClient, name: str) -> None:
    """Load a collection; index files that a kill or a full disk cut short are made anew from its rows."""
    try:
        milvus.load_collection(name)
    except MilvusException:
        folder = milvus.folder if isinstance(milvus, Client) else None
        files = list(folder.glob(f"collections/{name}/partitions/*/indexes/*")) if folder else []
        if not files:
            raise
        for file in files:
            file.unlink(missing_ok=True)
        milvus.load_collection(name)
