"""Back to a clean state: `python -m tools.reset`, or `make reset`. What you wrote or paid for is kept.

The databases of Milvus Lite go, as each notebook makes its own anew. A notebook that you changed is copied into
`mine/kept/` before the project's own takes its place. Embeddings, names, tags, questions, exports, logs, `mine/`
and `.env` stay as they are.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.settings import ROOT, load_settings
from tools.mine import IGNORE_ALL

NOTEBOOKS = ("notebooks", "explore")
ORIGINALS = ".originals"  # the project's notebooks, beside a copy from a handout, which has no git history


def remove_databases(folder: Path) -> Iterator[tuple[Path, str]]:
    """Remove the Milvus Lite folders in `folder`; (path, what became of it) for each: "removed", or why not."""
    for database in sorted(folder.glob("*.db")):
        lock = FileLock(database / "LOCK", timeout=0)
        try:
            with lock:
                for path in database.iterdir():
                    if path.name != "LOCK":
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.rmtree(database)
        except Timeout:
            yield database, "in use, so it stays: close its notebook, and run this again"
        except OSError as error:
            yield database, f"not removed ({error.strerror or error}): run this again"
        else:
            yield database, "removed"


def restore_notebooks(root: Path) -> Iterator[tuple[Path, str]]:
    """Keep a copy of each notebook that differs from the project's own, and put that in its place.

    The project's own are those of the last commit, or of the folder `.originals` where there is one.
    Raises OSError or CalledProcessError where there is neither.
    """
    originals = root / ORIGINALS
    for path in _changed(root, originals):
        name = path.relative_to(root)
        kept = _kept(root / "mine" / "kept", name) if path.exists() else None
        if originals.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(originals / name, path)
        else:
            subprocess.run(["git", "checkout", "--quiet", "HEAD", "--", str(path)], cwd=root, check=True)
        yield path, f"as it was; yours is {kept.relative_to(root).as_posix()}" if kept else "as it was"


def _changed(root: Path, originals: Path) -> list[Path]:
    if originals.is_dir():
        found = [path.relative_to(originals) for path in sorted(originals.rglob("*.ipynb"))]
        return [root / name for name in found if not _same(root / name, originals / name)]
    command = ["git", "diff", "--name-only", "-z", "HEAD", "--", *(f"{name}/*.ipynb" for name in NOTEBOOKS)]
    answer = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True)
    return [root / name for name in answer.stdout.split("\0") if name]


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _kept(folder: Path, name: Path) -> Path:
    """Copy root/name to a name in the folder that is free."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder.parent / ".gitignore").exists():
        (folder.parent / ".gitignore").write_text(IGNORE_ALL, "utf-8")
    source, stem, number = folder.parent.parent / name, "-".join(name.with_suffix("").parts[1:]), 1
    while (target := folder / f"{stem}-{number}.ipynb").exists():
        number += 1
    shutil.copyfile(source, target)
    return target


def main() -> int:
    """Reset, and print each path with what became of it; 1 if something stayed that should not."""
    stayed = 0
    for database, what in remove_databases(load_settings().home / "milvus"):
        print(f"{database.name}: {what}.")
        stayed += what != "removed"
    try:
        for path, what in restore_notebooks(ROOT):
            print(f"{path.relative_to(ROOT).as_posix()}: {what}.")
    except (
        OSError,
        subprocess.CalledProcessError,
    ):  # no git, or a copy without its history
        print(
            "The notebooks stay as they are: this folder has no git history to take the project's own from."
        )
    print("Embeddings, names, tags, questions, exports and mine/ are kept.")
    return 1 if stayed else 0


if __name__ == "__main__":
    sys.exit(main())
