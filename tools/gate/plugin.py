"""The pytest plugin that makes `pytest --nbval` strict about what nbval 0.11 lets pass: `-p tools.gate.plugin`.

- Pictures are compared by their pixels, before any mask of the sanitise file applies (nbval skips them).
- A code cell without a counter fails (nbval compares nothing there, so a stripped notebook would pass).
- Each notebook gets a home of its own, new and empty, so that no output depends on what ran before.

nbval has no hooks for this and names its classes in its own `super` calls, so their methods are replaced.
"""

import os
import tempfile
from typing import Any

from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from tools.gate.pictures import PICTURES, settle

nbval_setup, nbval_teardown = IPyNbFile.setup, IPyNbFile.teardown
nbval_runtest, nbval_compare = IPyNbCell.runtest, IPyNbCell.compare_outputs


def setup(self: Any) -> None:
    self.skip_compare = tuple(key for key in self.skip_compare if key not in PICTURES)
    self.home = tempfile.TemporaryDirectory(prefix="video-search-", ignore_cleanup_errors=True)
    os.environ["VIDEO_SEARCH_HOME"] = self.home.name  # the kernel inherits it
    nbval_setup(self)


def teardown(self: Any) -> None:
    nbval_teardown(self)
    self.home.cleanup()


def runtest(self: Any) -> None:
    if self.cell.execution_count is None:
        message = "This cell has no counter: run `make refresh` and commit."
        raise NbCellError(self.cell_num, message, self.cell.source, "")
    nbval_runtest(self)


def compare_outputs(self: Any, test: list[Any], ref: list[Any], skip_compare: Any = None) -> bool:
    problems = settle(ref, test)
    same = nbval_compare(self, test, ref, skip_compare)
    self.comparison_traceback += problems
    return same and not problems


IPyNbFile.setup, IPyNbFile.teardown = setup, teardown
IPyNbCell.runtest, IPyNbCell.compare_outputs = runtest, compare_outputs
