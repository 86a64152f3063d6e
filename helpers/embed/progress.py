"""How far many videos are: one progress bar, or one line in outputs that are compared."""

import sys
from collections.abc import Iterable
from concurrent.futures import Future, as_completed
from typing import Any

from IPython import get_ipython
from tqdm.auto import tqdm

from helpers.settings import plain_progress


def as_they_end(futures: dict[Future[Any], int], report: list[dict[str, Any]]) -> Iterable[Future[Any]]:
    """The futures as they end, behind one progress bar; one last line only in outputs that are compared."""
    plain = plain_progress()
    with tqdm(total=len(futures), desc="videos embedded", disable=plain) as bar:
        for future in as_completed(futures):
            if future.cancelled():
                continue
            yield future
            statuses = [row["status"] for row in report]
            bar.set_postfix(cached=statuses.count("cached"), failed=statuses.count("failed"))
            bar.update()
    if plain:
        good = sum(row["status"] in ("done", "cached") for row in report)
        # A script's standard output is its own: there the line goes where the bar would.
        where = sys.stdout if getattr(get_ipython(), "kernel", None) else sys.stderr
        print(f"videos embedded: {good} of {len(futures)}", file=where)
