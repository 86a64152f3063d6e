"""How far many videos are: one progress bar, or one line in outputs that are compared."""

import os
from collections.abc import Iterable
from concurrent.futures import Future, as_completed
from typing import Any

from tqdm.auto import tqdm


def as_they_end(futures: dict[Future[Any], int], report: list[dict[str, Any]]) -> Iterable[Future[Any]]:
    """The futures as they end, behind one progress bar; one last line only in outputs that are compared."""
    plain = os.environ.get("VIDEO_SEARCH_PROGRESS") == "plain"
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
        print(f"videos embedded: {good} of {len(futures)}")
