"""All benchmarks that docs/benchmarks.md shows: `make bench`, or `python -m benchmarks --only engines notebooks`.

Half an hour on two cores that do nothing else. Each part writes its record into benchmarks/results, and the page is
written at the end from all records that are there. `--quick` measures small sizes, to see that all parts work, and
keeps nothing.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tqdm import tqdm

from benchmarks import engines, milvus_lite, notebooks, real_size, records, report
from helpers.settings import ROOT


def helpers_at_size(size: int, *, index: bool) -> None:
    load = records.load_average()
    rows = real_size.measured(size, None, index=index, notebook=index)
    records.save(f"real_size_{size}", rows, load_before=load)


def explorer(points: list[int], frames: int) -> None:
    load = records.load_average()
    run = [
        sys.executable,
        "-m",
        "benchmarks.explorer",
        "--points",
        *map(str, points),
        "--frames",
        str(frames),
    ]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = (
        done.stdout.splitlines() if done.returncode == 0 else (done.stderr.strip().splitlines() or [""])[-1:]
    )
    records.save("explorer", [{"line": line} for line in lines], load_before=load)


def parts(*, quick: bool) -> dict[str, Callable[[], None]]:
    """What there is to measure, by name, in order."""
    small, large = (1_000, 2_000) if quick else (10_000, 100_000)
    return {
        f"real_size_{small}": lambda: helpers_at_size(small, index=True),
        f"real_size_{large}": lambda: helpers_at_size(large, index=False),
        **{name: partial(milvus_lite.run, name, large) for name in milvus_lite.PARTS},
        "engines": lambda: engines.run([small] if quick else [small, large]),
        "notebooks": lambda: notebooks.measure(["04_similarity_search"] if quick else []),
        "explorer": lambda: explorer([500] if quick else [10_000, 100_000], 20 if quick else 200),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(parts(quick=False)), metavar="PART")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    chosen = parts(quick=given.quick)
    chosen = {name: part for name, part in chosen.items() if not given.only or name in given.only}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        if given.quick:
            records.RESULTS, report.PAGE = Path(scratch), Path(scratch) / "benchmarks.md"
        taken = {}
        for name in (bar := tqdm(chosen, desc="make bench", unit="part")):
            bar.set_postfix_str(name)
            start = time.monotonic()
            chosen[name]()
            taken[name] = time.monotonic() - start
        report.write()
        print(report.PAGE.read_text(encoding="utf-8"))
    print("\n".join(f"{name:<24} {records.duration(seconds):>8}" for name, seconds in taken.items()))


if __name__ == "__main__":
    main()
