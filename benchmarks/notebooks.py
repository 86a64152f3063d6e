"""How long every notebook takes, and how long from the start of its kernel to its first result.

    python -m benchmarks.notebooks 01_setup 04_similarity_search

Each runs offline from its first cell to its last, in a new home, as a learner's first run does. The first result is
the end of the first cell that searches. The seconds of each section are kept too, for the minutes of the workshop.
Writes benchmarks/results/notebooks.json.
"""

import argparse
import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

from benchmarks.records import Row, load_average, read, save, table
from tools.notebook_env import UNSET, notebook_paths, offline_environment
from tools.workshop.sections import sections

CELL_TIMEOUT = 300  # seconds
SEARCH = re.compile(r"search_segments\(|\.search\(")
TIMES = 3  # runs until the first result of those that one runs first
FIRST = ("01_setup", "04_similarity_search")


def first_search(notebook: Any) -> int | None:
    """The place among all cells of the first one that searches; None where none does."""
    cells = enumerate(notebook.cells)
    return next((n for n, cell in cells if cell.cell_type == "code" and SEARCH.search(cell.source)), None)


def run(path: Path, *, until: int | None = None) -> tuple[dict[int, float], float]:
    """Run the cells of a notebook (to the one at place `until`): seconds to the end of each, and in all."""
    notebook = nbformat.read(path, as_version=4)
    if until is not None:
        notebook.cells = notebook.cells[: until + 1]
    ends: dict[int, float] = {}
    start = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda cell_index, **_: ends.update({cell_index: time.perf_counter() - start}),
    ).execute()
    return ends, time.perf_counter() - start


def by_section(notebook: Any, ends: dict[int, float]) -> dict[str, float]:
    """The seconds that each section runs; the first has the kernel's start in it, too."""
    code = iter([ends[n] for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"])
    found, before = {}, 0.0
    for section in sections(notebook):
        end = max([before, *(next(code) for part in section.parts if part.cell_type == "code")])
        if end > before:
            found[section.title], before = round(end - before, 1), end
    return found


def measured(paths: list[Path], home: Path) -> list[Row]:
    """A row for each notebook: its seconds, and to the first result, the median of three where one begins."""
    found: list[Row] = []
    for path in tqdm(paths, desc="notebooks"):
        notebook = nbformat.read(path, as_version=4)
        place = first_search(notebook)
        row: Row = {"notebook": path.stem}
        try:
            ends, seconds = _in_new_home(path, home)
            row |= {"seconds": round(seconds, 1), "sections": by_section(notebook, ends)}
            if place is not None:
                firsts = [ends[place]]
                again = TIMES - 1 if path.stem in FIRST else 0
                firsts += [_in_new_home(path, home, until=place)[0][place] for _ in range(again)]
                row |= {"first_result_s": round(statistics.median(firsts), 2), "times": len(firsts)}
                row["spread_s"] = [round(min(firsts), 2), round(max(firsts), 2)]
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            row["note"] = f"it stopped: {str(error).strip().splitlines()[-1][:200]}"
        found.append(row)
    return found


def _in_new_home(path: Path, home: Path, *, until: int | None = None) -> tuple[dict[int, float], float]:
    with tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as own:
        os.environ["VIDEO_SEARCH_HOME"] = own  # the kernel inherits it
        return run(path, until=until)


def measure(names: list[str]) -> None:
    """Run the named notebooks, or all, and keep their times."""
    load, before = load_average(), dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="notebooks-", ignore_cleanup_errors=True) as home:
        os.environ.update(offline_environment(Path(home)))
        for name in (*UNSET, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.pop(name, None)  # threads as a learner has them
        try:
            rows = measured(notebook_paths(names), Path(home))
        finally:
            os.environ.clear()
            os.environ.update(before)
    save("notebooks", rows, load_before=load)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    measure(parser.parse_args().names)
    print(f"\n{table(read('notebooks')['rows'])}")


if __name__ == "__main__":
    main()
