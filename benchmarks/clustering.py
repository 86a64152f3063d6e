"""How long clustering takes with 10,000 segments: `python -m benchmarks.clustering` from the checkout.

Prints figures, and asserts nothing; see benchmarks/README.md for what they mean.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

from helpers.analysis.checks import NOISE
from helpers.analysis.clusters import hdbscan_clusters, kmeans_clusters
from helpers.analysis.matrix import Labels, Matrix, unit_rows

NUMBERS, CENTRES, COMPONENTS = 512, 40, 50


def made_up(rows: int, seed: int = 0) -> Matrix:
    """Unit vectors (rows, 512) scattered around 40 centres: those of benchmarks.explorer."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(CENTRES, NUMBERS))
    near = centres[random.integers(0, CENTRES, rows)]
    return unit_rows((near + 1.5 * random.normal(size=(rows, NUMBERS))).astype(np.float32))


def timed(what: str, act: Callable[[], Labels]) -> float:
    """Run `act`, print one line with its seconds, clusters and noise, and return the seconds."""
    start = time.perf_counter()
    found = act()
    seconds = time.perf_counter() - start
    clusters, noise = len(set(found.tolist()) - {NOISE}), int((found == NOISE).sum())
    print(f"{what:<34} {seconds:8.1f} s   {clusters:3} clusters, {noise} rows of noise", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    print(f"{rows} rows of {NUMBERS} numbers; {os.cpu_count()} cores; load before {load}")
    matrix = made_up(rows)
    timed(f"k-means, k = {CENTRES}", lambda: kmeans_clusters(matrix, CENTRES))
    few = timed(
        f"HDBSCAN, {COMPONENTS} components",
        lambda: hdbscan_clusters(matrix, min_cluster_size=5, components=COMPONENTS),
    )
    every = timed(
        f"HDBSCAN, all {NUMBERS} numbers",
        lambda: hdbscan_clusters(matrix, min_cluster_size=5, components=NUMBERS),
    )
    print(f"{'all numbers / components':<34} {every / few:8.1f} times")


if __name__ == "__main__":
    main()
