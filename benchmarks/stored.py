"""Stored runs, as notebook 08 reads them; and small things that its cells need: times of calls that take turns."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from benchmarks.records import read
from helpers.errors import DataError
from helpers.settings import ROOT, env_file

MADE_BY = {  # what writes each run
    "consistency": ["benchmarks.consistency"],
    "growth": ["benchmarks.milvus_lite", "--only", "growth"],
    "index_tuning": ["benchmarks.milvus_lite", "--only", "index_tuning"],
    "loading": ["benchmarks.loading"],
    "organising": ["benchmarks.milvus_lite", "--only", "organising"],
    "parallel": ["benchmarks.parallel"],
    "search_cache": ["benchmarks.search_cache"],
}

Way = TypeVar("Way")


@dataclass(frozen=True)
class Run:
    """A stored run: its rows as a table, and where and when they were measured, as a line to print."""

    rows: pd.DataFrame
    about: str


def stored(name: str) -> Run:
    """The run that benchmarks/results keeps under a name; with VIDEO_SEARCH_RERUN=1 it is made anew first.

    Raises DataError if there is no such run.
    """
    if name not in MADE_BY:
        raise DataError(f"There is no run {name!r}: choose from {', '.join(MADE_BY)}.")
    if (env_file() | dict(os.environ)).get("VIDEO_SEARCH_RERUN") == "1":
        subprocess.run([sys.executable, "-m", *MADE_BY[name]], cwd=ROOT, check=True)
    record = read(name)
    if not record:
        raise DataError(
            f"The run {name!r} is not stored: make it with `python -m {' '.join(MADE_BY[name])}`."
        )
    machine = record["machine"]
    about = f"stored run of {record['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    if server := record.get("server"):  # one in a single process calls itself "-lite", and is not Milvus Lite
        about += f", Milvus server {server.removesuffix('-lite')}"
    if record.get("provisional"):
        about += "; other work shared the cores"
    return Run(pd.DataFrame(record["rows"]), about)


def race(ways: Mapping[Way, Callable[[], object]], *, times: int = 9) -> dict[Way, float]:
    """The median seconds of each way; they take turns, so that a busy moment hits all of them.

    A first round, which opens files and warms caches, does not count.
    """
    seconds: dict[Way, list[float]] = {way: [] for way in ways}
    for number in range(times + 1):
        for way, act in ways.items():
            start = time.perf_counter()
            act()
            if number:
                seconds[way].append(time.perf_counter() - start)
    return {way: statistics.median(took) for way, took in seconds.items()}


def took(seconds: Mapping[str, float]) -> None:
    """Print how long each way took; the gate masks these times, as no two runs agree."""
    for way, each in seconds.items():
        print(f"{way}: took {1000 * each:.3g} ms" if each < 1 else f"{way}: took {each:.3g} s")
