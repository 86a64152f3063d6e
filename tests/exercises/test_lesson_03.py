"""Each exercise of notebook 03, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

SEGMENTS = pd.DataFrame(
    {
        "title": ["Big Buck Bunny"] * 6 + ["Coffee"] * 3,
        "embedding_scope": ["clip"] * 5 + ["asset"] + ["clip"] * 3,
        "start_offset_sec": [0.0, 54.0, 60.0, 66.0, 72.0, 0.0, 0.0, 60.0, 66.0],
    }
)
HITS = {32: 1, 64: 2, 128: 3, 256: 3}
GIVEN: dict[str, dict[str, Any]] = {
    "03.count": {"segments": SEGMENTS},
    "03.ef": {"found": lambda title, ef: HITS[ef], "titles": ["a", "b"]},
}


def right(video: str, scope: str, start: float, end: float) -> str:
    return f"{video}/{scope}/{start:09.3f}-{end:09.3f}"


CASES: list[tuple[str, list[Any], str]] = [
    ("03.count", [3], "Right, because the database counted"),
    ("03.count", [...], NOT_YET),
    ("03.count", [9], "that counts too much"),
    ("03.count", [5], "before second 60, too"),
    ("03.count", [2], "2 is not the number of clips"),
    ("03.count", ["three"], "a number is wanted"),
    ("03.copy", [0], "Right, because the id comes from the bytes"),
    ("03.copy", [...], NOT_YET),
    ("03.copy", [5], "5 rows more"),
    ("03.copy", [-5], "fewer rows than before"),
    ("03.copy", [SEGMENTS], "a number is wanted"),
    ("03.ef", [128], "Right, because nearly as many"),
    ("03.ef", [...], NOT_YET),
    ("03.ef", [64], "still short: 4 hits of 6"),
    ("03.ef", [256], "a smaller one is, too"),
    ("03.ef", [100], "none of the four numbers"),
    ("03.id", [right], "Right, because the same row"),
    ("03.id", [lambda *parts: None], NOT_YET),
    ("03.id", [lambda *parts: 7], "an id is a text"),
    ("03.id", [lambda video, scope, start, end: f"{video}/{scope}/{start}"], "gets the same id"),
    ("03.id", [lambda *parts: "/".join(map(str, parts))], "pad the numbers with zeros"),
    ("03.id", [lambda *parts: right(*parts) + "/"], "sign by sign"),
    ("03.id", [lambda video: video], "ended in TypeError"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = GIVEN.get(name, {})
    assert said in verdict(name, *answers, **given)
