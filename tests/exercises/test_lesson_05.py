"""Each exercise of notebook 05, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

RIGHT = pd.DataFrame({"visual": [1, 0, 0, 0], "description": [0, 1, 1, 0]})
GIVEN: dict[str, dict[str, Any]] = {
    "05.both": {"options": ["visual", "description"]},
    "05.oracle": {"right": RIGHT},
}


def hits(rows: int = 8, weight: float = 0.3) -> pd.DataFrame:
    table = pd.DataFrame({"title": "Bunny", "score_visual": [0.2] * rows, "score_description": [0.6] * rows})
    parts = weight * (1 + table["score_visual"]) / 2 + (1 - weight) * (1 + table["score_description"]) / 2
    return table.assign(score=parts)


def by_rank(places: list[int | None], k: int = 60) -> float:
    return sum(1 / (k + place) for place in places if place)


CASES: list[tuple[str, list[Any], str]] = [
    ("05.both", [hits()], "Right, because each score is 0.3"),
    ("05.both", [...], NOT_YET),
    ("05.both", [hits(5)], "there are 5 hits, not eight"),
    ("05.both", [hits(weight=0.7)], "the legs have other weights"),
    ("05.both", [hits().drop(columns="score_description")], "no leg of the table is 'description'"),
    ("05.both", [hits().assign(score=0.03)], "ask for the other ranker"),
    ("05.rrf", [by_rank], "Right, because two legs"),
    ("05.rrf", [lambda places, k=60: None], NOT_YET),
    ("05.rrf", [lambda places, k=60: sum(1 / p for p in places if p)], "where is k?"),
    ("05.rrf", [lambda places, k=60: sum(1 / (k + p - 1) for p in places if p)], "places count from 1"),
    ("05.rrf", [lambda places, k=60: sum(1 / (k + (p or 100)) for p in places)], "adds nothing"),
    ("05.rrf", [lambda places, k=60: by_rank(places)], "k is an argument"),
    ("05.choose", [lambda curve: (0.3, 0.5)], "Right, because the number"),
    ("05.choose", [lambda curve: None], NOT_YET),
    ("05.choose", [lambda curve: (1.0, 0.8)], "nothing is left to report on"),
    ("05.choose", [lambda curve: (0.3, 0.7)], "so it flatters"),
    ("05.choose", [lambda curve: 0.3], "two things are wanted"),
    ("05.choose", [lambda curve: (0.0, 0.4)], "0 is not the weight"),
    ("05.oracle", [0.75], "Right, because for each query"),
    ("05.oracle", [...], NOT_YET),
    ("05.oracle", [0.5], "that is the best single option"),
    ("05.oracle", [0.25], "cannot be worse"),
    ("05.oracle", [0.9], "more than any choice"),
    ("05.oracle", [3], "a share is at most 1"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = GIVEN.get(name, {})
    assert said in verdict(name, *answers, **given)
