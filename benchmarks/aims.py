"""What must become of each operation of benchmarks.real_size, and the table that says whether it has.

The answers of a run are {tree: {step: answer}}, with the trees "this", "baseline" and "raw" (pymilvus alone), and an
answer as benchmarks.real_size_child gives it: times in seconds, peaks in MB, or {"error": one line}.
"""

import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.records import Row, duration, table

Answer = dict[str, Any]
LEAST_RECALL = 0.99  # of a filtered search, whatever the index


@dataclass(frozen=True)
class Aim:
    """What an operation must become: this figure of this tree at most (or at least) that."""

    text: str
    most: float
    of: str = "ratio"  # to raw pymilvus; or "seconds", or "rate" (at least, of the first insert)

    def met(self, figure: float | None, recall: float = 1.0) -> bool | None:
        """Whether it is; never by a search that misses what it should find."""
        if figure is None:
            return None
        good = figure >= self.most if self.of == "rate" else figure <= self.most
        return good and recall >= LEAST_RECALL


AIMS = {
    "insert": Aim("1.15 × raw", 1.15),
    "search": Aim("1.10 × raw", 1.10),
    "hybrid": Aim("1.3 × the two raw searches", 1.3),
    "hybrid 100": Aim("1.3 × the two raw searches", 1.3),
    "HNSW hybrid": Aim("1.3 × the two raw searches", 1.3),
    "read": Aim("2 × a raw iterator", 2.0),
    "count": Aim("2 s", 2.0, "seconds"),
    "again": Aim("80 % of a first insert's rows a second", 0.8, "rate"),
    "new": Aim("2 s", 2.0, "seconds"),
    "HNSW filter 0.1 %": Aim("2 × FLAT, recall 0.99", 2.0),
    "HNSW filter 1 %": Aim("2 × FLAT, recall 0.99", 2.0),
    "notebook 07": Aim("5 s", 5.0, "seconds"),
    "memory of an insert": Aim("1.3 × raw", 1.3),
    "memory of searches": Aim("1.3 × raw", 1.3),
}
TITLES = {
    "insert": "insert_segments, all rows; raw: upsert and flush",
    "search": "search_segments, limit 10",
    "hybrid": "hybrid_search, two legs, defaults; raw: two searches, 200 deep",
    "hybrid 100": "hybrid_search, two legs, depth=100; raw: two searches, as deep",
    "count": "count_segments(where=…), half match; raw: count(*)",
    "filter 0.1 %": "search_segments, a filter that keeps 0.1 %",
    "filter 1 %": "search_segments, a filter that keeps 1 %",
    "read": "read_segments, all; raw: an iterator, a minute of it at most",
    "new": "1,000 new rows into the full collection",
    "again": "the same rows inserted again, in turns with new ones",
    "HNSW search": "search_segments, limit 10, HNSW",
    "HNSW hybrid": "hybrid_search, two legs, defaults, HNSW",
    "HNSW filter 0.1 %": "a filter that keeps 0.1 %, HNSW",
    "HNSW filter 1 %": "a filter that keeps 1 %, HNSW",
    "notebook 07": "notebook 07, the cell of many searches",
    "memory of an insert": "peak memory: insert",
    "memory of searches": "peak memory: search, hybrid, count (raw: three searches)",
}


def rows_of(answers: dict[str, dict[str, Answer]], rows: int) -> list[Row]:
    """The answers of a run as rows: for each operation the figures of both trees, the ratios, the aim."""
    found = []
    for label, title in TITLES.items():
        if label not in {"memory of an insert", *answers["this"]}:
            continue
        row: Row = {"operation": title, "rows": rows}
        for name in ("baseline", "this"):
            if name in answers:
                row[name], row[f"{name}_ratio"], note = figures(answers, name, label, rows)
                row |= {f"{name}_note": note} if note else {}
        row["raw"] = raw_figure(answers, "this", label)
        row["unit"] = "MB" if label.startswith("memory") else "rows/s" if label == "again" else "s"
        aim = AIMS.get(label)
        if aim:
            figure = row["this"] if aim.of == "seconds" else row["this_ratio"]
            recall = answers["this"].get(label, {}).get("helper_recall", 1.0)
            row |= {"aim": aim.text, "met": aim.met(figure, recall)}
        found.append(row)
    return found


def figures(
    answers: dict[str, dict[str, Answer]], name: str, label: str, rows: int
) -> tuple[float | None, float | None, str]:
    """One tree's figure of an operation, its ratio (to raw; to FLAT; to a first insert), and what is to be said."""
    own = answers[name].get("insert" if label == "memory of an insert" else label, {})
    if "error" in own:
        return None, None, str(own["error"])
    raw = raw_figure(answers, name, label)
    if label.startswith("memory"):
        figure = own.get("peak_mb")
        return figure, ratio(figure, raw), ""
    figure = median(own.get("helper") or own.get("own") or [])
    if label == "again":
        rate = own["rows"] / figure if figure else None
        note = f"of {own['rows']} rows" if own["rows"] < rows else ""
        return rate, ratio(median(own["first"]), figure), note
    note = f"recall {own['helper_recall']}" if "helper_recall" in own else ""
    if label.startswith("HNSW filter"):
        flat = answers[name].get(label.removeprefix("HNSW "), {})
        return figure, ratio(figure, median(flat.get("helper", []))), f"{note}, {of_raw(figure, raw)}"
    return figure, ratio(figure, raw), note


def of_raw(figure: float | None, raw: float | None) -> str:
    times = ratio(figure, raw)
    return f"{times} × raw" if times else "no raw figure"


def raw_figure(answers: dict[str, dict[str, Answer]], name: str, label: str) -> float | None:
    """What raw pymilvus took: in turns with this tree, whose rows the baseline has, else in a process of its own."""
    if label.startswith("memory"):
        step = "insert" if label == "memory of an insert" else label
        peak = answers.get("raw", {}).get(step, {}).get("peak_mb")
        return float(peak) if peak is not None else None
    if label == "insert":
        return median(answers.get("raw", {}).get("insert", {}).get("own", []))
    taken = answers[name].get(label, {}).get("raw") or answers["this"].get(label, {}).get("raw", [])
    return median(taken)


def median(seconds: list[float]) -> float | None:
    return statistics.median(seconds) if seconds else None


def ratio(figure: float | None, other: float | None) -> float | None:
    return round(figure / other, 3) if figure is not None and other else None


def shown(rows: list[Row]) -> str:
    """The rows as a Markdown table for people."""
    lines = []
    for row in rows:
        trees = [name for name in ("baseline", "this") if name in row]
        line = {"operation": row["operation"]}
        for name in trees:
            note = f" ({row[f'{name}_note']})" if f"{name}_note" in row else ""
            line[name] = _figure(row[name], row["unit"]) + note
        line["raw"] = _figure(row["raw"], row["unit"])
        for name in trees:
            times = row[f"{name}_ratio"]
            line[f"{name}: ratio"] = "–" if times is None else f"{times:.2f}"
        line["aim"] = row.get("aim", "")
        line["met"] = {True: "yes", False: "no", None: "no figure"}[row["met"]] if "met" in row else ""
        lines.append(line)
    return table(lines)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return duration(value) if unit == "s" else f"{value:,.0f} {unit}"
