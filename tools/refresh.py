"""Run the notebooks in order, offline, and write their outputs in place: `python -m tools.refresh [03_insertion …]`.

Run twice it changes nothing: each notebook starts from a new, empty home, and what differs from run to run
without meaning anything (ids of widgets, the pieces in which text arrives, how long something took, the last bit
of a pixel) is settled.
"""

import hashlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbval.plugin import get_sanitize_patterns

from helpers.settings import ROOT
from tools.gate.pictures import settle
from tools.notebook_env import UNSET, compared_paths, offline_environment

CELL_TIMEOUT = 300  # seconds
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # useless without its kernel, and its id is random
MASKS = ROOT / "tools" / "gate" / "sanitize.cfg"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def merge_streams(outputs: list[Any]) -> list[Any]:
    """Consecutive pieces of the same stream as one, however they arrived."""
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def normalise(notebook: Any) -> None:
    """Leave in the file only what people wrote and what the code answered."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = nbformat.from_dict(KERNEL)
    notebook.metadata.language_info = nbformat.from_dict({"name": "python"})
    taken: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        if not cell.get("id") or cell.id in taken:
            cell.id = hashlib.sha256(f"{number}\n{cell.source}".encode()).hexdigest()[:8]
        taken.add(cell.id)
        cell.source = cell.source.rstrip()
        for passing in ("execution", "ExecuteTime", "scrolled", "collapsed", "trusted", "vscode"):
            cell.metadata.pop(passing, None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)


def settle_texts(reference: list[Any], fresh: list[Any]) -> None:
    """Keep the reference's text where only what the gate masks is another, such as how long something took."""

    patterns = get_sanitize_patterns(MASKS.read_text("utf-8"))

    def masked(output: Any) -> tuple[str, str]:
        text = output.text
        for regex, replacement in patterns:
            text = re.sub(regex, replacement, text)
        return output.name, text

    old, new = ([each for each in outputs if each.output_type == "stream"] for outputs in (reference, fresh))
    for before, now in zip(old, new, strict=False):
        if masked(before) == masked(now):
            now.text = before.text


def refresh(path: Path) -> None:
    """Run one notebook from its first cell to its last, and write it. Raises what nbclient raises."""
    notebook = nbformat.read(path, as_version=4)
    before = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code" and cell.get("id")}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        iopub_timeout=60,  # on a busy machine an output may come late
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    normalise(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            settle(before.get(cell.id, []), cell.outputs)
            settle_texts(before.get(cell.id, []), cell.outputs)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main(names: list[str]) -> int:
    """Refresh the named notebooks, or all; 1 when one of them stopped at an error (that one stays as it was)."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="refresh-", ignore_cleanup_errors=True) as home:
        os.environ.update(offline_environment(Path(home)))
        for name in UNSET:
            os.environ.pop(name, None)
        for number, path in enumerate(compared_paths(names)):
            started = time.monotonic()
            os.environ["VIDEO_SEARCH_HOME"] = str(Path(home) / str(number))  # the kernel inherits it
            try:
                refresh(path)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                failed.append(path.name)
                print(f"{path.name}: stopped, and left as it was.\n{error}")
            else:
                print(f"{path.name}: {time.monotonic() - started:.1f} s")
    if failed:
        print(f"Not refreshed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
