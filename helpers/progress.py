"""The progress bar of work that may take long."""

from typing import Any

from tqdm.auto import tqdm

from helpers.settings import plain_progress

BAR_SECONDS = 3.0  # before it appears


def progress_bar(doing: str, total: float | None = None, **look: Any) -> "tqdm[Any]":
    """A bar that appears after some seconds, and goes at the end; none in outputs that are compared."""
    return tqdm(desc=doing, total=total, disable=plain_progress(), delay=BAR_SECONDS, leave=False, **look)
