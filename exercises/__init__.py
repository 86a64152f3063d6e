"""The checks of notebooks/exercises: `check(name, answer)` says whether an answer is right, and never shows it."""

from exercises.checking import check

__all__ = ["check"]
