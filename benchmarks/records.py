"""What a benchmark leaves behind: a JSON file of rows, with the machine and the date, and a table of them."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from helpers.files import write_file
from helpers.settings import ROOT

RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("pymilvus", "milvus-lite", "faiss-cpu", "numpy", "pandas")
QUIET_LOAD = 1.0  # a higher load average before a run makes its times provisional
Row = dict[str, Any]


def machine() -> dict[str, Any]:
    """The CPU, cores, memory and system of this machine; no names of hosts or folders."""
    cpu = platform.processor() or platform.machine()
    memory = None
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = names[0] if names else cpu
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": memory,
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := version_of(name))},
    }


def version_of(package: str) -> str:
    """The version of an installed package, "" if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@cache
def load_average() -> float | None:
    """How many processes wanted a core in the minute before this run first asked; None where no system says.

    Asked once, as later on it would tell of the benchmarks' own work.
    """
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def summary(seconds: Sequence[float]) -> Row:
    """p50, p95 and the spread (a tenth to nine tenths) of some times, in milliseconds, and how many they are."""
    ranked = sorted(1000 * second for second in seconds)
    if not ranked:
        return {"times": 0, "p50_ms": None, "p95_ms": None, "spread_ms": None}
    low, middle, high, p95 = (float(np.quantile(ranked, share)) for share in (0.1, 0.5, 0.9, 0.95))
    return {
        "times": len(ranked),
        "p50_ms": round(middle, 3),
        "p95_ms": round(p95, 3),
        "spread_ms": [round(low, 3), round(high, 3)],
    }


def save(name: str, rows: Sequence[Mapping[str, Any]], *, load_before: float | None, **more: Any) -> Path:
    """Write benchmarks/results/<name>.json: machine, date, load, whatever else is given, and the rows.

    Where other work wanted the machine's cores as well, the record says that it is provisional.
    """
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    about = {"machine": machine(), "date": date.today().isoformat(), "load_before": load_before}
    about["provisional"] = load_before is not None and load_before > QUIET_LOAD
    content = json.dumps({**about, **more, "rows": list(rows)}, indent=1, ensure_ascii=False)
    write_file(path, (content + "\n").encode())
    return path


def read(name: str) -> dict[str, Any]:
    """What `save` wrote under this name; an empty dict if it is not there."""
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def duration(seconds: float | None) -> str:
    """A time as people read it: 0.43 ms, 17 ms, 2.4 s, 77 s; a dash where there is none."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.2g} ms" if seconds < 0.01 else f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a Markdown table, in the order in which the columns first appear; "" where a row has none."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
