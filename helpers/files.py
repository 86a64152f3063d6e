"""Files on disk: what is in them, as a digest."""

import functools
import hashlib
import json
import os
import time
from pathlib import Path

from helpers.errors import VideoError


def file_sha256(path: str | Path) -> str:
    """The sha256 of a file's bytes; VideoError if there is no such file.

    Kept while the process lives for as long as inode, size and time of change stay the same.
    """
    full = os.path.abspath(path)
    try:
        found = os.stat(full)
        key = (full, found.st_ino, found.st_size, found.st_mtime_ns)
        # Two writes within a tick of the clock look alike: what is that young is not kept (as git does).
        young = abs(time.time_ns() - found.st_mtime_ns) < 2_000_000_000
        return _sha256.__wrapped__(*key) if young else _sha256(*key)
    except OSError as error:
        raise VideoError(f"There is no file to read at {path}: check the path and its spelling.") from error


@functools.lru_cache(maxsize=4096)
def _sha256(path: str, inode: int, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_key(**parts: object) -> str:
    """The sha256 of the named parts, in a fixed order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
