"""Run the notebooks live against the practice server: `python -m tools.live_run [03_insertion …] [--model=marengo3.0]`.

Each notebook runs from its first cell to its last with a key, a service that speaks the published protocol and a new,
empty home, as each model in turn. Outputs are neither compared nor written; every assertion in a cell must hold.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from helpers.standin.practice import PracticeServer
from tools.notebook_env import notebook_paths, offline_environment

MODELS = ("marengo3.5", "marengo3.0")
CELL_TIMEOUT = 300  # seconds, for a machine that does five things at once
KEY = "tlk_" + "PRACTICE" * 2  # of the shape of a key: it must not turn up in an output


def live_environment(home: Path, server: PracticeServer, model: str, milvus_uri: str = "") -> dict[str, str]:
    """The environment of a kernel that is live against `server`; `home` is a new folder, also for Milvus by default."""
    live = {"TWELVELABS_BASE_URL": server.url, "TWELVE_LABS_API_KEY": KEY, "TWELVE_LABS_MODEL": model}
    if milvus_uri:
        live |= {"MILVUS_URI": milvus_uri, "MILVUS_PREFIX": f"{home.name.replace('-', '_')}_"}
    # Progress as a learner sees it: bars, not the plain lines that are compared.
    return offline_environment(home) | {"VIDEO_SEARCH_MODE": "live", "VIDEO_SEARCH_PROGRESS": ""} | live


def run_live(path: Path, model: str, *, keep_going: bool = False, milvus_uri: str = "") -> list[str]:
    """Run one notebook live as `model`; what went wrong, a paragraph each, empty if all is well.

    `milvus_uri` is a shared Milvus, where the notebook gets a prefix of its own; else it has a folder. With
    `keep_going`, cells after one that failed are run too, so that all faults show at once.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with (
        tempfile.TemporaryDirectory(prefix="live-", ignore_cleanup_errors=True) as home,
        PracticeServer(model) as server,
    ):
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            allow_errors=keep_going,
            store_widget_state=False,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(path.parent)}},
        )
        try:
            client.execute(env=live_environment(Path(home), server, model, milvus_uri))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return [str(error)]
        refused = [f"{s.route}: {s.answer}" for s in server.seen if s.answer.startswith("4")]
        asked = server.count("*")
    problems = [
        f"cell {cell.id}: {output.ename}: {output.evalue}"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    shown = str([cell.get("outputs") for cell in notebook.cells])
    problems += ["the key is in an output"] if KEY in shown else []
    own_server = any("PracticeServer" in cell.source for cell in notebook.cells)
    problems += [] if asked or own_server else ["nothing was asked of the service: the notebook was not live"]
    return problems + ([f"the service refused: {', '.join(refused)}"] if problems and refused else [])


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if a notebook stopped at an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*")
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--keep-going", action="store_true", help="also run the cells after one that failed")
    given: Any = parser.parse_args(arguments)
    failed = 0
    for path in notebook_paths(given.notebooks):
        for model in given.model or MODELS:
            started = time.monotonic()
            problems = run_live(path, model, keep_going=given.keep_going)
            failed += bool(problems)
            verdict = "failed" if problems else "ran to its end"
            print(f"{path.stem} as {model}: {verdict}, {time.monotonic() - started:.1f} s", flush=True)
            for problem in problems:
                print(problem, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
