"""What is said of a cluster's name: how far a carried one fits, and words for a cluster that nobody named."""

import numpy as np
import pandas as pd

from helpers.analysis.carry import Overlap
from helpers.analysis.matrix import Labels
from helpers.analysis.reduced import sample_rows
from helpers.analysis.words import suggest_labels
from helpers.errors import AnalysisError


def fit_of(name: str, overlap: Overlap) -> dict[str, str]:
    """How a carried name fits its cluster, in short (`fit`) and as a sentence (`told`); nothing where it does."""
    shared, named, here = overlap
    if shared == named == here:
        return {}
    others = here - shared
    told = f"{shared} of the {named} segments that were called {name!r} are here, and {others} others."
    parts = [f"{max(1, min(99, round(100 * shared / named)))} % of it"] if shared < named else []
    parts += [f"{others} other{'s' * (others > 1)}"] if others else []
    return {"fit": " and ".join(parts), "told": told}


class Suggestions:
    """Words of the descriptions that mark each cluster, worked out anew where the clusters are others."""

    def __init__(self, segments: pd.DataFrame) -> None:
        self._told = segments.get("description")
        self._labels: Labels | None = None
        self._words: dict[int, str] = {}

    def of(self, labels: Labels) -> dict[int, str]:
        """By cluster; nothing without descriptions."""
        if self._told is not None and not (self._labels is not None and np.array_equal(labels, self._labels)):
            self._labels = labels
            rows = sample_rows(len(labels))
            told = pd.DataFrame({"description": self._told.iloc[rows].fillna("").map(str)})
            try:
                found = suggest_labels(told, labels[rows])
            except AnalysisError:  # no cluster, or no word
                found = pd.Series(dtype="str")
            self._words = dict(zip(found.index.tolist(), found.tolist(), strict=True))
        return self._words
