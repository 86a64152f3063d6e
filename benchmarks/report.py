"""docs/benchmarks.md, from what lies in benchmarks/results: `python -m benchmarks.report`."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import records
from benchmarks.aims import shown
from benchmarks.records import Row, duration, read, table
from helpers.files import write_file
from helpers.settings import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
INTRO = """# Benchmarks

Written by `make bench` (benchmarks/README.md says how, and what each figure is). Times are medians; in brackets the
spread, from a tenth to nine tenths of the times. They are of one machine: ratios and orders carry over, seconds do not.
"""
ENGINES_INTRO = """Made-up vectors of 384 numbers, the ten nearest to each of 100 queries; *batch* is the time for each
of many queries in one call, LanceDB and Qdrant one by one; *filtered* keeps 1 % of the rows. HNSW everywhere with M 16,
efConstruction 200, ef 64.
Exact NumPy, FAISS and hnswlib get the rows that the filter keeps as a list, made beforehand; the others find them.
*Memory* is the process's peak above what it held before, *disk* what lies in the folder afterwards.
"""
NOTEBOOKS_INTRO = """Each by itself, offline, in a new home, as on a learner's first run; of 01 and 04 the time to the
first search is the median of three runs.
"""
WHY = """A vector index in the process, such as FAISS or hnswlib, is not a database: no filter language, no fields, no
updates, nothing on disk until you save it. Milvus Lite is used here because the same code, filters and hybrid searches
run on a Milvus server for millions of segments, nothing is installed but a package, and an exact index answers
sample-sized collections in milliseconds. Who needs the last millisecond on one machine and nothing else takes another.
"""


def page() -> str:
    """The whole page; a part that was never measured is left out."""
    parts = [INTRO, *_real_size(), *_engines(), *_milvus_lite(), *_notebooks(), *_explorer()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def about(record: Mapping[str, Any]) -> str:
    """On which machine, when, and whether other work shared it."""
    machine = record["machine"]
    memory = f", {machine['memory_gb']} GB" if machine.get("memory_gb") else ""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    text = f"{record['date']}, {machine['cpu']}, {machine['cores']} cores{memory}, {machine['system']}; {packages}."
    if record.get("provisional"):
        text += f"\n**Provisional:** other work shared the cores (load {record['load_before']} before)."
    return text + "\n"


def _real_size() -> list[str]:
    found = []
    every = [read(path.stem) for path in sorted(records.RESULTS.glob("real_size_*.json"))]
    for record in sorted(every, key=lambda r: (r["rows"][0]["rows"], "baseline" in r["rows"][0])):
        rows: list[Row] = record["rows"]
        beside = ", beside an older checkout" if any("baseline" in row for row in rows) else ""
        found += [f"## Helpers at {rows[0]['rows']:,} rows{beside}\n", about(record), shown(rows)]
    return found


def _engines() -> list[str]:
    record = read("engines")
    if not record:
        return []
    parts = ["## Milvus Lite beside others\n", about(record), ENGINES_INTRO]
    for size in dict.fromkeys(row["rows"] for row in record["rows"]):
        rows = [row for row in record["rows"] if row["rows"] == size]
        parts += [f"### {size:,} rows\n", table([engine_line(row) for row in rows])]
        if lost := losses(rows):
            parts.append(f"Where Milvus Lite loses, at {size:,} rows: {lost}.\n")
    return [*parts, WHY]


def engine_line(row: Row) -> dict[str, str]:
    """One engine's row as people read it; one that could not be measured says why."""
    if "note" in row:
        return {"engine": row["engine"], "build": f"not measured: {row['note']}"}
    return {
        "engine": row["engine"],
        "build": duration(row["build_s"]),
        "disk": f"{row['disk_mb']:.0f} MB",
        "memory": "–" if row["peak_mb"] is None else f"{row['peak_mb']:.0f} MB",
        "p50": with_spread(row),
        "p95": _ms(row["p95_ms"]),
        "batch": _ms(row["batch_ms"]),
        "recall@10": f"{row['recall@10']:.3f}",
        "filtered p50": _ms(row["filtered_p50_ms"]),
        "filtered recall@10": f"{row['filtered_recall@10']:.3f}",
    }


def losses(rows: Sequence[Row]) -> str:
    """In what Milvus Lite's better index is slower or larger than the best of the others, and how many times."""
    own = [row for row in rows if row["engine"].startswith("Milvus Lite") and "note" not in row]
    others = [row for row in rows if not row["engine"].startswith("Milvus Lite") and "note" not in row]
    measures = {"build_s": "building", "p50_ms": "one search", "batch_ms": "searches in a batch"}
    measures |= {"filtered_p50_ms": "filtered searches", "disk_mb": "disk", "peak_mb": "memory"}
    said = []
    for column, words in measures.items():
        exact = [row for row in others if "filtered" not in column or row["filtered_recall@10"] >= 0.95]
        mine = [row for row in own if "filtered" not in column or row["filtered_recall@10"] >= 0.95]
        best = min((row for row in exact if row.get(column)), key=lambda row: row[column], default=None)
        least = min((row[column] for row in mine if row.get(column)), default=None)
        if best and least and least > 1.5 * best[column]:
            said.append(f"{words} {least / best[column]:.3g} times that of {best['engine']}")
    return "; ".join(said)


def _milvus_lite() -> list[str]:
    parts = []
    if record := read("index_tuning"):
        parts += [f"## Indexes of Milvus Lite, {record['rows'][0]['rows']:,} rows\n", about(record)]
        parts.append(table([_index_line(row) for row in record["rows"]]))
    if record := read("growth"):
        parts += ["## Growth\n", about(record), table([_growth_line(row) for row in record["rows"]])]
    if record := read("organising"):
        parts += [f"## Filter, partition, partition key, {record['rows'][0]['rows']:,} rows\n", about(record)]
        parts.append(table([_organising_line(row) for row in record["rows"]]))
    return parts


def _index_line(row: Row) -> dict[str, str]:
    asked = ", ".join(f"{key} {value}" for key, value in row["search"].items())
    return {
        "index": row["index"],
        "filter": row["filter"],
        "search": "search_segments" if row["by"] == "helper" else f"Milvus {asked}".strip(),
        "build": duration(row["build_s"]),
        "disk": f"{row['disk_mb']:.0f} MB",
        **_found(row),
    }


def _growth_line(row: Row) -> dict[str, str]:
    size = {
        "rows": f"{row['rows']:,}",
        "insert": duration(row["insert_s"]),
        "build": duration(row["build_s"]),
    }
    return {"engine": row["engine"], **size, "disk": f"{row['disk_mb']:.0f} MB", **_found(row)}


def _organising_line(row: Row) -> dict[str, str]:
    share = {"way": row["way"], "by": row["by"], "share": f"{row['share']:.1%}", "index": row["index"]}
    return {**share, "insert": duration(row["insert_s"]), **_found(row)}


def _found(row: Row) -> dict[str, str]:
    recalls = {"recall@10": f"{row['recall@10']:.3f}", "lowest": f"{row['lowest_recall@10']:.1f}"}
    return {"p50": with_spread(row), "p95": _ms(row["p95_ms"]), **recalls}


def _notebooks() -> list[str]:
    record = read("notebooks")
    if not record:
        return []
    lines = []
    for row in record["rows"]:
        line = {"notebook": row["notebook"], "all cells": duration(row.get("seconds"))}
        line["kernel to first search"] = duration(row["first_result_s"]) if "first_result_s" in row else ""
        lines.append(line | ({"": row["note"]} if "note" in row else {}))
    return ["## Notebooks\n", about(record), NOTEBOOKS_INTRO, table(lines)]


def _explorer() -> list[str]:
    record = read("explorer")
    if not record:
        return []
    lines = "\n".join(row["line"] for row in record["rows"])
    return ["## The cluster explorer with 10,000 and 100,000 points\n", about(record), f"```\n{lines}\n```\n"]


def with_spread(row: Mapping[str, Any]) -> str:
    """The median with the spread in brackets."""
    if row.get("p50_ms") is None:
        return "–"
    low, high = (_ms(end) for end in row["spread_ms"])
    return f"{_ms(row['p50_ms'])} ({low} to {high})"


def _ms(value: float | None) -> str:
    return duration(None if value is None else value / 1000)


def write() -> None:
    """Write docs/benchmarks.md anew."""
    write_file(PAGE, page().encode())


if __name__ == "__main__":
    write()
    print(PAGE.relative_to(ROOT))
