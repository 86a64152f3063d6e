"""Each exercise of notebook 04, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

MEASURED = pd.DataFrame({"rr": [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 0, 0, 0]})


def hits(title: str, *starts: float, scope: str = "clip") -> pd.DataFrame:
    return pd.DataFrame({"title": title, "start_offset_sec": starts, "embedding_scope": scope})


def apart(table: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(table["start_offset_sec"], table["end_offset_sec"], strict=True))


def joined(table: pd.DataFrame) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(apart(table)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


CASES: list[tuple[str, list[Any], str]] = [
    ("04.late", [hits("Big Buck Bunny", 480, 540)], "Right, because Milvus ranked"),
    ("04.late", [...], NOT_YET),
    ("04.late", [hits("Coffee", 480)], "hits of other videos"),
    ("04.late", [hits("Big Buck Bunny", 480, 60)], "starts before second 480"),
    ("04.late", [hits("Big Buck Bunny", 480, scope="asset")], "a whole video is among them"),
    ("04.recall", [3 / 8], "Right, because of 8 queries"),
    ("04.recall", [...], NOT_YET),
    ("04.recall", [5 / 8], "that is recall@5"),
    ("04.recall", [2 / 8], "that is recall@2"),
    ("04.recall", [3], "take the mean and not the sum"),
    ("04.recall", [0.9], "lies between recall@1 and recall@5"),
    ("04.recall", [0.4], "in the right region"),
    ("04.mrr", [lambda ranks: sum(1 / r for r in ranks if r) / len(ranks)], "Right, because one number"),
    ("04.mrr", [lambda ranks: None], NOT_YET),
    ("04.mrr", [lambda ranks: sum(1 / r for r in ranks if r) / 3], "a query without a right hit counts"),
    ("04.mrr", [lambda ranks: sum(r for r in ranks if r) / 3], "that is the mean rank"),
    ("04.mrr", [lambda ranks: 0.5], "work it out on paper"),
    ("04.mrr", [lambda ranks: sum(1 / r for r in ranks)], "ended in TypeError"),
    ("04.spans", [joined], "Right, because the hits have become moments"),
    ("04.spans", [lambda table: None], NOT_YET),
    ("04.spans", [apart], "clips that touch are still apart"),
    ("04.spans", [lambda table: joined(table)[::-1]], "not in the order of time"),
    ("04.spans", [lambda table: [(6, 36)]], "follow your loop by hand"),
    ("04.spans", [lambda table: "6-18"], "a list of pairs is wanted"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = {"measured": MEASURED} if name == "04.recall" else {}
    assert said in verdict(name, *answers, **given)
