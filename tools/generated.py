"""Files that are made from others: written where they are not up to date, or only named."""

import argparse
from collections.abc import Callable
from pathlib import Path

from helpers.files import write_file
from helpers.settings import ROOT


def write_or_check(outdated: Callable[[], dict[Path, str]], description: str) -> int:
    """Write the texts of `outdated`, and print their paths; with `--check` write nothing, and 1 if there are any."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 if something is not up to date"
    )
    only_check = parser.parse_args().check
    found = outdated()
    for path, text in found.items():
        if not only_check:
            write_file(path, text.encode())
        print(f"{path.relative_to(ROOT).as_posix()}: {'not up to date' if only_check else 'written'}")
    return 1 if found and only_check else 0
