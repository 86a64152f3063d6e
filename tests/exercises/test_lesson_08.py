"""Each exercise of notebook 08, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

RUNS = pd.DataFrame(
    [("none", 1, 60.0), ("none", 2, 29.0), ("none", 4, 15.0), ("none", 8, 9.0)]
    + [("8 a minute", 1, 60.0), ("8 a minute", 2, 31.0), ("8 a minute", 4, 22.0), ("8 a minute", 8, 18.0)],
    columns=["limit", "workers", "s"],
)
EXACT = [{1, 2}, {3, 4}]
FOUND = {1: [{1, 2}, {3, 9}], 4: [{1, 2}, {3, 9}], 32: [{1, 2}, {3, 4}]}
GIVEN: dict[str, dict[str, Any]] = {
    "08.enough": {"runs": RUNS},
    "08.recalls": {"search": lambda query, n: FOUND[n][query], "queries": [0, 1], "exact": EXACT},
}


def cache(asked: list[str], size: int, *, refresh: bool = True) -> int:
    kept: list[str] = []
    hits = 0
    for question in asked:
        hits += question in kept
        if refresh and question in kept:
            kept.remove(question)
        if question not in kept:
            kept.append(question)
        kept = kept[-size:]
    return hits


def best(settings: list[tuple[float, float]]) -> list[tuple[float, float]]:
    def beaten(one: tuple[float, float]) -> bool:
        return any(other != one and other[0] <= one[0] and other[1] >= one[1] for other in settings)

    return sorted(each for each in settings if not beaten(each))


CASES: list[tuple[str, list[Any], str]] = [
    ("08.enough", [4], "Right, because half of the time"),
    ("08.enough", [...], NOT_YET),
    ("08.enough", [8], "not the fewest"),
    ("08.enough", [2], "that holds without a limit"),
    ("08.enough", [1], "half of the time of one, or more"),
    ("08.enough", [22.0], "not with seconds"),
    ("08.hits", [cache], "Right, because a question that is asked often"),
    ("08.hits", [lambda asked, size: None], NOT_YET),
    ("08.hits", [lambda asked, size: len(asked) - cache(asked, size)], "the misses"),
    ("08.hits", [lambda asked, size: cache(asked, 99)], "does anything leave"),
    ("08.hits", [lambda asked, size: cache(asked, size, refresh=False)], "the oldest went"),
    ("08.hits", [lambda asked, size: cache(asked, min(size, 2))], "does one leave too early"),
    ("08.recalls", [{1: 0.75, 4: 0.75, 32: 1.0}], "Right, because a few cells"),
    ("08.recalls", [...], NOT_YET),
    ("08.recalls", [dict.fromkeys((1, 4, 32))], NOT_YET),
    ("08.recalls", [{1: 0.5, 4: 0.5, 32: 1.0}], "whose ten are all right"),
    ("08.recalls", [{1: 1.0, 4: 1.0, 32: 1.0}], "the recall of the first query"),
    ("08.recalls", [{1: 0.75, 4: 0.75, 32: 0.75}], "for 32 cells it is another number"),
    ("08.recalls", [{1: 15, 4: 15, 32: 20}], "at most 1"),
    ("08.recalls", [{1: 0.75}], "its keys are"),
    ("08.recalls", [0.75], "a dict is wanted"),
    ("08.front", [best], "Right, because whatever you prefer"),
    ("08.front", [lambda settings: None], NOT_YET),
    ("08.front", [sorted], "slower *and* finds less"),
    ("08.front", [lambda settings: [*best(settings), (30, 0.95)]], "two settings find the same"),
    ("08.front", [lambda settings: [*best(settings), (5, 0.85)]], "equally fast"),
    ("08.front", [lambda settings: best(settings)[::-1]], "not fastest first"),
    ("08.front", [lambda settings: best(settings)[1:]], "one is missing"),
    ("08.front", [lambda settings: 3], "a list of pairs"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = GIVEN.get(name, {})
    assert said in verdict(name, *answers, **given)
