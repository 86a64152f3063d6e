"""Files on disk: their digests, whether they are the published ones, and writing that leaves no half file."""

import errno
import functools
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from helpers.errors import VideoError

ABANDONED_DAYS = 1 / 24  # a half-written file this old belongs to a process that was killed


def write_file(path: str | Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path`, whole or not at all; see `file_in_place`."""
    with file_in_place(path, durable=durable) as file:
        file.write(data)


@contextmanager
def file_in_place(path: str | Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A new file for the block to write, which then is at `path`, whole or not at all.

    It is written beside it and moved into place. `durable=False` leaves it to the system when the bytes reach the
    disk, for what can be had again. Folders are made, a link stays a link. What a killed writer of this file left is
    removed by a later one.
    Raises OSError; what was there before is then untouched, as after any other error in the block.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # as root, a device would be replaced by a file
        raise FileExistsError(errno.EEXIST, "what is there is no file", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    stem = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}"  # a long name would be too long
    remove_old(target.parent.glob(f"{stem}-*.part"), days=ABANDONED_DAYS)
    part = target.with_name(f"{stem}-{uuid.uuid4().hex[:16]}.part")
    try:
        with open(part, "xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def remove_old(paths: Iterable[Path], *, days: float) -> None:
    """Remove those of these files and folders that have not changed for so many days, as far as possible."""
    for path in paths:
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > days * 86_400:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def file_version(path: str | Path) -> tuple[str, int, int, int]:
    """The absolute path of a file, and what changes when it does: inode, size, time of change. Raises OSError."""
    found = os.stat(path)
    return os.path.abspath(path), found.st_ino, found.st_size, found.st_mtime_ns


def published_digests(folder: Path) -> dict[str, str]:
    """The sha256 of each file that the folder's manifest.json names; empty if it cannot be read."""
    manifest = _manifest(folder)
    try:
        entries = manifest.get("files") or manifest["outputs"]
        return {name: entry["sha256"] for name, entry in entries.items()}
    except (KeyError, TypeError, AttributeError):
        return {}


def published_model(folder: Path) -> str:
    """The model that the folder's manifest.json names; "" if it cannot be read."""
    return str(_manifest(folder).get("model", ""))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def is_published(path: Path, sha256: str) -> bool:
    """Whether the file is there and has the sha256 that was published."""
    try:
        return file_sha256(path) == sha256
    except VideoError:
        return False


def file_sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes; VideoError if there is no such file.

    Kept while the process lives for as long as inode, size and time of change stay the same.
    """
    try:
        version = file_version(path)
        # Two writes within a tick of the clock look alike: what is that young is not kept (as git does).
        young = abs(time.time_ns() - version[-1]) < 2_000_000_000
        return _sha256.__wrapped__(*version) if young else _sha256(*version)
    except OSError as error:
        raise VideoError(f"There is no file to read at {path}: check the path and its spelling.") from error


@functools.lru_cache(maxsize=4096)
def _sha256(path: str, *_version: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_key(**parts: object) -> str:
    """The sha256 of the named parts, in a fixed order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
