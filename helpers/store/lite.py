"""Milvus Lite's folder (`….db`): checked before it is opened, and put in order after a kill -9.

What a kill leaves half dropped, half made or half flushed is completed or removed here; rows are never lost.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from milvus_lite.exceptions import DataDirLockedError
from milvus_lite.server_manager import server_manager_instance

from helpers.errors import StoreError
from helpers.files import file_version
from helpers.settings import Settings
from helpers.store.errors import is_damaged, reason_of

DROPPING = "dropping"  # in the folder: the names of the collections that are being dropped


class OpeningError(logging.Handler):
    """Keeps what Milvus Lite only logs, with a traceback: why a folder could not be opened."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.error = record.exc_info[1] if record.exc_info else None


opening_error = OpeningError()
sessions: dict[Path, object] = {}  # of the folders that this process holds, one for each opening


def folder_path(settings: Settings) -> Path:
    """The folder that the settings name, absolute: the working directory does not matter."""
    return Path(os.path.abspath(settings.root / Path(settings.milvus_uri).expanduser()))


def prepare_folder(path: Path, uri: str) -> None:
    """Before `path` is opened: StoreError if it cannot be a Milvus Lite folder, or cannot be written."""
    log = logging.getLogger("milvus_lite")
    log.addHandler(opening_error)
    log.propagate, opening_error.error = False, None
    if path.suffix != ".db":
        raise StoreError(
            f"{uri} is no Milvus: set MILVUS_URI to an http address, or to a path ending in .db."
        )
    if os.path.isfile(path):
        with suppress(OSError), path.open("rb") as file:
            if file.read(6) == b"SQLite":
                raise StoreError(
                    f"{path} is a file of an old Milvus Lite, which is not read any more: move it away."
                )
        raise StoreError(f"{path} is a file, and Milvus Lite needs a folder: set MILVUS_URI to another path.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path if os.path.isdir(path) else path.parent):
            pass
    except OSError as error:
        raise StoreError(
            f"The folder {path} cannot be written ({error.strerror}): "
            "set VIDEO_SEARCH_HOME to a folder of your own."
        ) from error
    if path in sessions and not (path / "LOCK").exists():  # deleted meanwhile: Lite would not notice
        release_folder(path)


def not_opened(path: Path, error: BaseException) -> StoreError:
    """Why the folder could not be opened, in a sentence."""
    cause = opening_error.error or error
    if isinstance(cause, DataDirLockedError):
        return StoreError(
            f"The Milvus folder {path} is in use by another notebook: close or restart that notebook's "
            "kernel, or give this one a folder of its own with load_settings(notebook=…)."
        )
    reason = reason_of(cause)
    if ", so " in reason:
        return StoreError(f"The Milvus folder {path} cannot be opened: {reason}.")
    cure = "restart the kernel and try again"
    if isinstance(cause, OSError):
        reason, cure = cause.strerror or reason, "set MILVUS_URI to another path, or repair this one"
    elif isinstance(cause, json.JSONDecodeError) or is_damaged(reason):
        cure = "move it away and insert the segments again"
    return StoreError(f"The Milvus folder {path} cannot be opened ({reason}): {cure}.")


def tidy_folder(path: Path) -> None:
    """Right after opening: complete what a kill -9 interrupted, a drop or the last step of a flush.

    Milvus Lite deletes its write-ahead log when the rows are safe in another file. Killed in between, it reads
    both, and every such row comes twice from searches, queries and counts, until the next flush.
    """
    if path in sessions:  # somebody works in it already
        return
    sessions[path] = object()
    for mark in (path / DROPPING).glob("*"):
        shutil.rmtree(path / "collections" / mark.name, ignore_errors=True)
        mark.unlink()
    for manifest in path.glob("collections/*/manifest.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # damaged: Milvus Lite has a copy of its own
            current = int(json.loads(manifest.read_text("utf-8"))["active_wal_number"])
            for file in manifest.parent.glob("wal/wal_*.arrow"):
                if int(file.stem.rpartition("_")[2]) < current:
                    file.unlink()


def release_folder(path: Path) -> None:
    """Give up the lock: only then may others open the folder, or anybody delete it."""
    server_manager_instance.release_server(str(path))
    sessions.pop(path, None)


@contextmanager
def marked_as_dropping(folder: Path, name: str) -> Iterator[None]:
    """While a collection is dropped: a drop that is killed is completed when the folder is opened again."""
    mark = folder / DROPPING / name
    with suppress(OSError):  # a full disk must not keep anybody from making room
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def free_name(folder: Path, name: str) -> None:
    """Remove what a create that failed left of a collection, for Milvus Lite would refuse the name for ever."""
    if not (folder / "collections" / name / "schema.json").exists():
        shutil.rmtree(folder / "collections" / name, ignore_errors=True)


def read_index(folder: Path, name: str, field: str) -> tuple[str, int] | None:
    """The type of a vector field's index ("" for none) and how many rows were ever written; None if unknown.

    Milvus Lite counts all rows one by one to describe an index, and keeps both in this file.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        specs, rows = _read_manifest(*file_version(folder / "collections" / name / "manifest.json"))
        return str(specs[field]["index_type"]) if field in specs else "", rows
    return None


@lru_cache(maxsize=16)
def _read_manifest(file: str, *_version: int) -> tuple[dict[str, Any], int]:
    about = json.loads(Path(file).read_text("utf-8"))
    return about["index_specs"], int(about["current_seq"])


def remove_indexes(folder: Path, name: str) -> bool:
    """Remove a collection's index files, which Milvus Lite makes anew from the rows; False if it has none."""
    files = list(folder.glob(f"collections/{name}/partitions/*/indexes/*"))
    for file in files:
        file.unlink(missing_ok=True)
    return bool(files)
