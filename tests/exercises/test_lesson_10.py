"""Each exercise of notebook 10, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

Find = Callable[[str], pd.DataFrame]
Questions = list[tuple[str, str, float, float]]


def report(*titles: str, status: str = "cached", tasks: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"title": titles, "status": status, "tasks": tasks})


LISTED = "Uncle Paul films"


def clips(count: int = 3, *, title: str = "IMG_0413", said: str = "Uncle Paul films us") -> pd.DataFrame:
    vectors = [[1.0, 0.0]] * count
    facts = {"title": title, "description": said, "embedding_scope": "clip"}
    return pd.DataFrame({"embedding_description": vectors} | facts)


def share(
    *,
    films: bool = True,
    times: bool = True,
    depth: int = 1,
    skip: bool = False,
    last: bool = False,
    whole: bool = False,
    total: bool = False,
) -> Callable[[Questions, Find], float]:
    """A measure with something wrong in it."""

    def fits(hit: Any, title: str, start: float, end: float) -> bool:
        middle = (hit.start_offset_sec + hit.end_offset_sec) / 2
        inside = start <= middle <= end if last else start <= middle < end
        if whole:
            inside = start <= hit.start_offset_sec and hit.end_offset_sec <= end
        return (hit.title == title or not films) and (inside or not times)

    def measured(questions: Questions, find: Find) -> float:
        found = [(find(words), title, start, end) for words, title, start, end in questions]
        found = [each for each in found if len(each[0]) or not skip]
        right = [
            any(fits(hit, title, start, end) for hit in hits.head(depth).itertuples())
            for hits, title, start, end in found
        ]
        return sum(right) / (1 if total else len(found))

    return measured


CASES: list[tuple[str, list[Any], str]] = [
    ("10.titles", [report(LISTED)], "Right, because the cache knows"),
    ("10.titles", [...], NOT_YET),
    ("10.titles", [report("Chelsea the cat", LISTED)], "the report has 2 films"),
    ("10.titles", [report("IMG_0413")], "its file's name"),
    ("10.titles", [report("Uncle Paul")], "compare it with the task"),
    ("10.titles", [report(LISTED, status="done", tasks=1)], "embedded anew"),
    ("10.titles", [report(LISTED, status="failed")], "the column reason"),
    ("10.track", [clips()], "Right, because 3 clips"),
    ("10.track", [...], NOT_YET),
    ("10.track", [clips(said="A man")], "do not name Paul"),
    ("10.track", [clips(title="Chelsea the cat")], "rows of another film"),
    ("10.track", [clips(2)], "does the cue reach"),
    ("10.track", [clips(0)], "no rows"),
    ("10.first", [share()], "Right, because that is recall@1"),
    ("10.first", [lambda questions, find: None], NOT_YET),
    ("10.first", [share(depth=5)], "further down"),
    ("10.first", [share(times=False)], "the wrong moment"),
    ("10.first", [share(films=False)], "compare the titles"),
    ("10.first", [share(skip=True)], "without any hit"),
    ("10.first", [share(total=True)], "divide by the number"),
    ("10.first", [share(whole=True)], "take the middle"),
    ("10.first", [share(last=True)], "the last does not"),
    ("10.first", [lambda questions, find: find("a violin").iloc[0]], "ended in IndexError"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    assert said in verdict(name, *answers)
