"""Each exercise of notebook 09, with the right answer and at least three kinds of wrong ones."""

import random
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET

LIMITS = [0.5, 1, 2, 4, 8, 16, 20, 20]
COUNTS = {408: 1, 429: 2, 500: 1, 503: 1, "hangup": 1}


def report(status: str = "done", tasks: int = 2, repeated: int = 1, rows: int = 1) -> pd.DataFrame:
    return pd.DataFrame([{"status": status, "tasks": tasks, "repeated": repeated}] * rows)


def trier(
    *,
    kinds: tuple[type[Exception], ...] = (ConnectionError,),
    factor: float = 2,
    draw: Callable[[float], float] = lambda limit: random.uniform(0, limit),
    obey: bool = True,
    more: int = 0,
    sleep_at_end: bool = False,
) -> Callable[..., Any]:
    """A retry with something wrong in it."""

    def retry(action: Callable[[], Any], tries: int, sleep: Callable[[float], None]) -> Any:
        for number in range(tries + more):
            last = number == tries + more - 1
            try:
                return action()
            except kinds as error:
                told = getattr(error, "wait", None) if obey else None
                if not last or sleep_at_end:
                    sleep(draw(0.5 * factor**number) if told is None else told)
                if last:
                    raise
        return None

    return retry


CASES: list[tuple[str, list[Any], str]] = [
    ("09.limits", [LIMITS], "Right, because a few doublings"),
    ("09.limits", [...], NOT_YET),
    ("09.limits", [LIMITS[:7]], "has 7 numbers"),
    ("09.limits", [[0.5 * 2**n for n in range(8)]], "above 20"),
    ("09.limits", [[1, 2, 4, 8, 16, 20, 20, 20]], "the first limit is 0.5"),
    ("09.limits", [[0.5] * 8], "not each limit is twice"),
    ("09.limits", [[0.5, 2, 1, 4, 8, 16, 20, 20]], "smaller than the one before"),
    ("09.limits", ["0.5"], "a list is wanted"),
    ("09.twice", [COUNTS], "Right, because only a refusal"),
    ("09.twice", [...], NOT_YET),
    ("09.twice", [dict.fromkeys(COUNTS, 2)], "did you pass repeatable=False"),
    ("09.twice", [COUNTS | {503: 9}], "more than two requests"),
    ("09.twice", [COUNTS | {503: 0}], "no request at all"),
    ("09.twice", [{408: 1}], "no number for 429"),
    ("09.twice", [dict.fromkeys(COUNTS, 1)], "not the server's counts"),
    ("09.twice", [[1, 2]], "a dict is wanted"),
    ("09.reset", [report()], "Right, because two POSTs"),
    ("09.reset", [...], NOT_YET),
    ("09.reset", [report(tasks=1, repeated=0)], "nothing broke"),
    ("09.reset", [report("cached", 0, 0)], "from the cache"),
    ("09.reset", [report(rows=2)], "embed apple only"),
    ("09.reset", [report("failed")], "the film is failed"),
    ("09.reset", [report(repeated=0)], "another fault was at work"),
    ("09.retry", [trier()], "Right, because it waits as told"),
    ("09.retry", [lambda action, tries, sleep: None], NOT_YET),
    ("09.retry", [lambda action, tries, sleep: action()], "gives up too early"),
    ("09.retry", [trier(factor=1)], "the limit stays the same"),
    ("09.retry", [trier(factor=4)], "pause 2 is not between 0 and 1"),
    ("09.retry", [trier(draw=lambda limit: limit)], "draw them at random"),
    ("09.retry", [trier(obey=False)], "was not obeyed"),
    ("09.retry", [trier(more=1)], "more often than tries allows"),
    ("09.retry", [trier(sleep_at_end=True)], "sleeps after the last try"),
    ("09.retry", [trier(kinds=(Exception,))], "tries a ValueError again"),
    ("09.retry", ["retry"], "a function is wanted"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = {"charged": 1} if name == "09.reset" else {}
    assert said in verdict(name, *answers, **given)
