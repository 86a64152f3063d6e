"""A video that is being embedded: how far it is, and what was made of it so far, on disk.

The networks take most of the time of an hour of video. What they have seen is kept in small files, each whole or not
there, so that a run that was stopped or killed goes on from there; they are removed when the answer was fetched.
"""

import io
import shutil
import threading
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from helpers.files import remove_old, write_file

KEPT_DAYS = 30.0  # so long the parts of a video wait that nobody goes on with
Rows = NDArray[np.float64]


class Unfinished:
    """What was made of one video: a row of numbers by second.

    `done` is the share of it (0 to 1), and `kept` that of an earlier run. Setting `stop` ends the work. `passed` are
    the seconds of the pictures that could not be decoded.
    """

    def __init__(self) -> None:
        self.done = self.kept = 0.0
        self.stop = threading.Event()
        self.rows: dict[float, Rows] = {}
        self.passed: set[float] = set()
        self._folder: Path | None = None

    def keep_in(self, folder: Path) -> None:
        """From now on it is on disk too; what is there already counts."""
        self._folder = folder
        for path in sorted(folder.glob("*.npz")):
            with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                with np.load(io.BytesIO(path.read_bytes())) as part:
                    rows = dict(zip(part["times"].tolist(), part["rows"], strict=True))
                    passed = part["passed"].tolist()
                self.rows |= rows
                self.passed |= set(passed)

    def add(self, times: Sequence[float], rows: Rows, passed: Sequence[float]) -> None:
        """Keep the rows of these seconds; where the disk is full, for this run only."""
        self.rows |= dict(zip(times, rows, strict=True))
        self.passed |= set(passed)
        if self._folder:
            data = io.BytesIO()
            np.savez(data, times=np.array(times), rows=rows, passed=np.array(passed, np.float64))
            with suppress(OSError):
                if not self._folder.exists():
                    remove_old(self._folder.parent.glob("*"), days=KEPT_DAYS)
                write_file(self._folder / f"{times[0]:012.3f}.npz", data.getvalue(), durable=False)

    def remove(self) -> None:
        """Take it off the disk: the whole answer has been fetched."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
