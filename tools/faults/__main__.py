"""`python -m tools.faults [--write]`."""

import contextlib
import os
import sys

from tools.faults.table import table, write


def main(arguments: list[str]) -> int:
    """Let every fault happen; print the table, or with `--write` put it into docs/faults.md."""
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        made = table()
    if arguments == ["--write"]:
        write(made)
    else:
        print(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
