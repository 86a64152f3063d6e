"""Run notebooks and compare every output with the committed one: `python -m tools.gate [notebooks] [-options]`.

Options go to pytest (as one word each: -n2, --dist=loadscope, -ptools.gate.warm). `make test` and the tests of the
gate call this, so there is one command line and one environment.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.settings import ROOT
from tools.notebook_env import compared_paths, offline_environment

CELL_TIMEOUT = 120  # seconds


def main(arguments: list[str]) -> int:
    """The exit code of pytest: 0 only when cells were run and all are as committed."""
    options = [word for word in arguments if word.startswith("-")]
    notebooks = compared_paths([word for word in arguments if word not in options])
    if not notebooks:
        print("There is no notebook in notebooks/.")
        return 1
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    command += ["--rootdir", str(notebooks[0].parent), f"--color={'yes' if sys.stdout.isatty() else 'no'}"]
    command += ["-p", "tools.gate.plugin", "-p", "nbval.plugin", "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(ROOT / "tools" / "gate" / "sanitize.cfg")]
    command += ["--nbval-cell-timeout", str(CELL_TIMEOUT)]
    with tempfile.TemporaryDirectory(prefix="gate-", ignore_cleanup_errors=True) as home:
        env = offline_environment(Path(home))
        return subprocess.run(
            [*command, *options, *map(str, notebooks)], cwd=ROOT, env=env, check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
