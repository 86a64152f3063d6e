"""What was asked of the service and not yet answered, on disk: so that nothing is paid for twice.

One small JSON file per upload or task. An intent is written before each POST, the id at once after it. A
process may be killed between any two lines: what is on disk says what may have happened.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from helpers.errors import EmbedError
from helpers.files import write_file


class Journal:
    """Entries by key in `folder`; the keys are digests, so that they can be file names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def lock(self, key: str) -> FileLock:
        """One worker per key, in this process and others; the system frees it when a process is killed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        return FileLock(self.folder / f"{key}.lock", thread_local=False)

    def read(self, key: str) -> dict[str, Any]:
        """The entry; empty if there is none. One that cannot be read counts as an intent of then."""
        path = self._path(key)
        try:
            entry = json.loads(path.read_text("utf-8"))
            if isinstance(entry, dict):
                return entry
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            pass
        return {"intent": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()}

    def write(self, key: str, **entry: Any) -> None:
        """Keep an entry, whole or not at all; EmbedError if the disk refuses it."""
        try:
            write_file(self._path(key), json.dumps(entry).encode())
        except OSError as error:
            raise _unwritable(self.folder, error) from None

    def forget(self, key: str) -> None:
        """Remove an entry, if there is one."""
        self._path(key).unlink(missing_ok=True)

    def entries(self) -> dict[str, dict[str, Any]]:
        """All entries by key."""
        return {path.stem: self.read(path.stem) for path in sorted(self.folder.glob("*.json"))}


def _unwritable(folder: Path, error: OSError) -> EmbedError:
    return EmbedError(
        f"Nothing was sent, as {folder} cannot be written ({error.strerror}): "
        "make room, or set VIDEO_SEARCH_HOME to a folder of your own."
    )
