"""Milvus Lite beside other ways to search vectors on one machine: `python -m benchmarks.engines --rows 10000 100000`.

Exact NumPy and FAISS are in the environment of the notebooks; hnswlib, LanceDB, Chroma and Qdrant's local mode in one
of their own, .venv-bench, made from requirements-bench.txt where it is missing. What cannot be had is left out, and
the table says why. Writes benchmarks/results/engines.json.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.engine_child import ENGINES
from benchmarks.made_up import CLUSTERS, made_up_vectors
from benchmarks.records import Row, load_average, read, save, summary, table
from helpers.settings import ROOT

QUERIES = 100
SECONDS = 420.0  # for one engine: what takes longer is stopped, and said to have been
HERE = ("numpy", "faiss-cpu", "milvus-lite")  # in the environment of the notebooks
OWN = ROOT / ".venv-bench"


def own_python() -> Path:
    return OWN / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make_environment() -> str:
    """Make .venv-bench if need be; what went wrong, or ""."""
    wanted = (ROOT / "requirements-bench.txt").read_text(encoding="utf-8")
    stamp = OWN / "ready"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return ""
    print("Making .venv-bench with the packages of requirements-bench.txt, a few minutes the first time.")
    venv.create(OWN, with_pip=True, clear=True)
    packages = ["-r", str(ROOT / "requirements-bench.txt")]
    uv = [sys.executable, *"-m uv pip install --quiet --no-cache --python".split(), str(own_python())]
    pip = [str(own_python()), *"-m pip install --quiet --disable-pip-version-check".split()]
    # uv takes a fraction of pip's time, but does not read pip's settings: where these name an index, pip does it.
    settings = subprocess.run(
        [*pip[:3], "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    ways = [pip] if re.search(r"\.(no-)?index(-url)?=", settings) else [uv, pip]
    if all(subprocess.run([*way, *packages], cwd=ROOT, check=False).returncode for way in ways):
        return "its packages could not be installed"
    stamp.write_text(wanted, encoding="utf-8")
    return ""


def measured(rows: int, problem: str, engines: list[str]) -> list[Row]:
    """A row for each engine on the same vectors; `problem` is why those of .venv-bench are left out."""
    found = []
    with tempfile.TemporaryDirectory(prefix="engines-", ignore_cleanup_errors=True) as scratch:
        arrays = Path(scratch)
        np.save(arrays / "vectors.npy", made_up_vectors(rows))
        np.save(arrays / "queries.npy", made_up_vectors(QUERIES, of=2**31))
        np.save(arrays / "clusters.npy", np.random.default_rng(7).integers(0, CLUSTERS, rows))
        for name in tqdm(engines, desc=f"engines, {rows} rows"):
            here = ENGINES[name][1] in HERE
            row: Row = {"engine": name, "rows": rows}
            found.append(row | ({"note": problem} if problem and not here else _row(name, arrays, here)))
    return found


def _row(name: str, arrays: Path, here: bool) -> Row:
    python = sys.executable if here else str(own_python())
    run = [python, "-m", "benchmarks.engine_child", name, str(arrays)]
    try:
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"note": f"stopped after {SECONDS:.0f} s"}
    if done.returncode:
        return {"note": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:200]}
    return figures(json.loads(done.stdout.strip().splitlines()[-1]))


def figures(answer: Row) -> Row:
    """What benchmarks.engine_child printed, as the columns of a row."""
    plain, filtered = answer["plain"], answer["filtered"]
    inside = summary(filtered["seconds"])
    peak = answer["peak_mb"]
    return {
        "build_s": round(answer["build_s"], 2),
        "disk_mb": round(answer["disk_mb"], 1),
        "peak_mb": None if peak is None else round(peak, 1),
        **summary(plain["seconds"]),
        "batch_ms": round(answer["batch_ms"], 3),
        "recall@10": round(plain["recall"], 4),
        **{f"filtered_{key}": inside[key] for key in ("p50_ms", "p95_ms")},
        "filtered_recall@10": round(filtered["recall"], 4),
        "filtered_hits": round(filtered["hits"], 2),
    }


def run(sizes: list[int], engines: list[str] | None = None) -> None:
    """Measure all engines at these sizes, and keep what came out."""
    load, problem = load_average(), make_environment()
    rows = [row for size in sizes for row in measured(size, problem, engines or list(ENGINES))]
    save("engines", rows, load_before=load)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000])
    parser.add_argument("--only", nargs="+", choices=list(ENGINES))
    given = parser.parse_args()
    run(given.rows, given.only)
    print(f"\n{table(read('engines')['rows'])}")


if __name__ == "__main__":
    main()
