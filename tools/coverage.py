"""How much of the branches of what must not break is tested: `python -m tools.coverage` fails below 95 %.

A branch is a jump from one line to the next that a run may take (coverage.py, `--branch`): an `if` has two.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.settings import ROOT

LEAST = 95.0  # per cent of branches
TESTS = (
    "embed",
    "store",
    "standin",
    "test_bad_inputs.py",
    "test_logs.py",
    "test_secrets.py",
    "test_file_writes.py",
    "test_settings.py",
    "test_wrong_types.py",
)
MODULES = ("embed/*.py", "store/*.py", "standin/offline.py", "segments.py", "files.py", "logs.py")


def measure(report: Path, jobs: int = 2) -> int:
    """Run the tests with branches counted, write coverage's JSON report, and return pytest's exit code."""
    options = ["-q", "-p", "no:cacheprovider", f"-n{jobs}", "--dist=loadfile"]
    counted = ["--cov=helpers", "--cov-branch", f"--cov-report=json:{report}"]
    command = [sys.executable, "-m", "pytest", *options, *counted, *(f"tests/{name}" for name in TESTS)]
    env = os.environ | {"COVERAGE_FILE": str(report.with_suffix(".data"))}  # nothing is left in the checkout
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def shares(report: Path) -> dict[str, tuple[int, int, list[str]]]:
    """Of each module: branches covered, branches in all, and those that were never taken ("12->15")."""
    files = json.loads(report.read_text("utf-8"))["files"]
    found = {}
    for path in sorted(path for pattern in MODULES for path in (ROOT / "helpers").glob(pattern)):
        about = files[path.relative_to(ROOT).as_posix()]
        summary, lost = about["summary"], about["missing_branches"]
        arcs = [f"{a}->{'exit' if b < 0 else b}" for a, b in lost]
        name = path.relative_to(ROOT / "helpers").as_posix()
        found[name] = (summary["covered_branches"], summary["num_branches"], arcs)
    return found


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        report = Path(folder) / "coverage.json"
        code = measure(report)
        if not report.exists():
            return code or 1
        found = shares(report)
    low = []
    print(f"{'module':<26}{'branches':>10}{'covered':>9}   never taken")
    for name, (covered, every, lost) in found.items():
        share = 100 * covered / every if every else 100.0
        low += [name] if share < LEAST else []
        print(f"{name:<26}{every:>10}{share:>8.1f}%   {', '.join(lost)}")
    if low:
        print(f"Below {LEAST:g} % of branches: {', '.join(low)}.")
    return code or int(bool(low))


if __name__ == "__main__":
    raise SystemExit(main())
