"""What is said of a cluster's name: how far a carried one fits, and words for a cluster that nobody named."""

import numpy as np
import pandas as pd

from helpers.analysis.carry import Overlap
from helpers.analysis.matrix import Labels
from helpers.analysis.reduced import sample_rows
from helpers.analysis.words import suggest_labels
from helpers.errors import AnalysisError


def fit_of(overlap: Overlap) -> dict[str, str]:
    """How a carried name fits its cluster, in words (`fit`), and how much it kept (`kept`); nothing where it does."""
    shared, named, here = overlap
    if shared == named == here:
        return {}
    kept = f"{shared} of " if shared < named else ""
    others = f", and {here - shared} you did not" if here > shared else ""
    return {"kept": f"{kept}{named}" if kept else "", "fit": f"has {kept}the {named} you named{others}"}


class Suggestions:
    """Words of the descriptions that mark each cluster, worked out anew where the clusters are others.

    A cluster of which fewer than half of the segments have a description gets none: a few would speak for all.
    """

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
            spoken = (told["description"].str.strip() != "").groupby(labels[rows]).mean()
            common = found[spoken.reindex(found.index) >= 0.5]
            self._words = dict(zip(common.index.tolist(), common.tolist(), strict=True))
        return self._words
