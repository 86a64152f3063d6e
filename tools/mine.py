"""Copy the notebooks into `mine/`, which git does not see: `python -m tools.mine`, or `make mine`.

Outputs of your own videos hold pictures of them. So work in the copies: they come without outputs, and a copy
that you changed is never overwritten. `mine/` is as deep as `notebooks/`, so that `../data` leads to the same place.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers.files import write_file
from helpers.settings import ROOT

PARTS = (".", "exercises", "solutions")
LEDGER = ".copies.json"  # the sha256 of what was copied, and of what it was copied from
IGNORE_ALL = "# This folder is yours: git sees nothing in it, this file included.\n*\n"


def copy_all(notebooks: Path, mine: Path) -> list[tuple[Path, str]]:
    """Copy the lessons, exercises, solutions and the glossary; (path, what became of it) for each, in order.

    "new", "renewed" (the project's is another one now, and the copy was as it had been made), "as it was", "yours,
    kept" (you changed it), and "new, beside yours" (you changed it, and so did the project).
    Raises OSError where the folder cannot be written.
    """
    mine.mkdir(parents=True, exist_ok=True)
    if not (mine / ".gitignore").exists():
        write_file(mine / ".gitignore", IGNORE_ALL.encode())
    ledger = _read_ledger(mine / LEDGER)
    found = []
    sources = [path for part in PARTS for path in sorted((notebooks / part).glob("[0-9]*.ipynb"))]
    for source in [*sources, notebooks / "glossary.md"]:
        found.append(_copy(source, source.relative_to(notebooks).as_posix(), mine, ledger))
        write_file(mine / LEDGER, json.dumps(ledger, indent=1, sort_keys=True).encode())
    return found


def stripped(source: Path) -> bytes:
    """A notebook without outputs and counters; any other file as it is."""
    if source.suffix != ".ipynb":
        return source.read_bytes()
    notebook = nbformat.read(source, as_version=4)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    text: str = nbformat.writes(notebook)
    return f"{text}\n".encode()


def _copy(source: Path, name: str, mine: Path, ledger: dict[str, dict[str, str]]) -> tuple[Path, str]:
    """Copy to `name`, such as "exercises/01_setup.ipynb", under which the ledger knows it too."""
    fresh = stripped(source)
    digest = _digest(fresh)
    copies = [path for path in _names(mine, name) if path.exists()]
    for path in copies:
        key, now = path.relative_to(mine).as_posix(), _digest(path.read_bytes())
        entry = ledger.get(key, {})
        if now == digest:
            ledger[key] = {"source": digest, "written": digest}
            return path, "as it was"
        if entry.get("source") == digest:
            return path, "yours, kept"
    for path in copies:
        key = path.relative_to(mine).as_posix()
        if _digest(path.read_bytes()) == ledger.get(key, {}).get("written"):
            _keep(path, key, fresh, ledger)
            return path, "renewed"
    path = next(path for path in _names(mine, name) if not path.exists())
    _keep(path, path.relative_to(mine).as_posix(), fresh, ledger)
    return path, "new, beside yours" if copies else "new"


def _names(mine: Path, name: str) -> Iterator[Path]:
    """03_insertion.ipynb, 03_insertion-2.ipynb, 03_insertion-3.ipynb, up to the first that is not there."""
    path, number = mine / name, 1
    yield path
    while path.exists():
        number += 1
        path = mine / Path(name).with_stem(f"{Path(name).stem}-{number}")
        yield path


def _keep(path: Path, key: str, content: bytes, ledger: dict[str, dict[str, str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    write_file(path, content)
    ledger[key] = {"source": _digest(content), "written": _digest(content)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_ledger(path: Path) -> dict[str, dict[str, str]]:
    """Empty where there is none or it is damaged: then every copy counts as changed, and is kept."""
    try:
        ledger = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(ledger, dict) and all(isinstance(entry, dict) for entry in ledger.values())
    return ledger if whole else {}


def main() -> int:
    """Copy, and print each path from the checkout on with what became of it; 1 if the folder cannot be written."""
    try:
        found = copy_all(ROOT / "notebooks", ROOT / "mine")
    except OSError as error:
        print(f"mine/ cannot be written ({error.strerror}): make room, or take the write protection away.")
        return 1
    for path, what in found:
        print(f"{path.relative_to(ROOT).as_posix()}: {what}")
    print("Open them with `make lab`, in the folder mine/. Your films have a good place in mine/videos/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
