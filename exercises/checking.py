"""How a check speaks: not answered yet, right and why, or what is wrong and where to look."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pandas as pd

NOT_YET = "Not answered yet: put your code where the three dots stand, run that cell, then this one."


class Wrong(Exception):
    """The answer is not right; the text says what is wrong and where to look, and does not give the answer."""


class Unanswered(Exception):
    """Nothing was put in the place of the three dots."""


Checker = Callable[..., str]  # answers in; why they are right out, or Wrong
_CHECKERS: dict[str, Checker] = {}


def exercise(name: str) -> Callable[[Checker], Checker]:
    """Register the checker of an exercise, such as "01.coffee"."""

    def register(checker: Checker) -> Checker:
        _CHECKERS[name] = checker
        return checker

    return register


def check(name: str, *answers: Any, **given: Any) -> None:
    """Print what there is to say about the answers to the exercise `name`, such as "01.coffee".

    `given` is what the notebook has made before, which no learner has to answer: tables, counts.
    Raises KeyError where there is no such exercise; a wrong answer, of whatever type, raises nothing.
    """
    import_module(f"exercises.lesson_{name[:2]}")
    checker = _CHECKERS[name]
    try:
        if any(answer is ... or answer is None for answer in answers):
            raise Unanswered
        verdict = f"Right, because {checker(*answers, **given)}"
    except Unanswered:
        verdict = NOT_YET
    except Wrong as wrong:
        verdict = f"Not right yet: {wrong}"
    except Exception as error:  # the learner's own function, or an answer that nobody thought of
        verdict = f"Not right yet: looking at your answer ended in {type(error).__name__}: {error}."
    print(verdict)


def answer_of(function: Any, *arguments: Any) -> Any:
    """What the learner's function returns. Raises Unanswered where it still has its three dots, or returns nothing."""
    if not callable(function):
        raise Wrong(f"a function is wanted, and this is a {type(function).__name__}: keep the line with def.")
    answer = function(*arguments)
    if answer is None or answer is ...:
        raise Unanswered
    return answer


def table_with(answer: Any, *columns: str) -> pd.DataFrame:
    """The answer as a table that has these columns and at least one row, or Wrong."""
    if not isinstance(answer, pd.DataFrame):
        raise Wrong(
            f"a table is wanted, and this is a {type(answer).__name__}: keep all that the search returns."
        )
    missing = [column for column in columns if column not in answer.columns]
    if missing:
        raise Wrong(f"the table has no column {missing[0]!r}: keep the table as it comes from the helper.")
    if answer.empty:
        raise Wrong("the table has no rows: look at the filter and at the limit.")
    return answer


def number(answer: Any) -> float:
    """The answer as a number, or Wrong."""
    try:
        return float(answer)
    except (TypeError, ValueError):
        raise Wrong(f"a number is wanted, and this is a {type(answer).__name__}.") from None
