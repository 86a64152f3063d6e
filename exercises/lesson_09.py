"""Checks of the exercises for notebook 09."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from exercises.checking import Unanswered, Wrong, exercise, number, table_with

LIMITS = [0.5, 1, 2, 4, 8, 16, 20, 20]
TELLS = (429,)  # the one failure that says: nothing was done


@exercise("09.limits")
def limits(answer: Any) -> str:
    if not isinstance(answer, list | tuple):
        raise Wrong(f"a list is wanted, and this is a {type(answer).__name__}.")
    given = [number(each) for each in answer]
    if len(given) != len(LIMITS):
        raise Wrong(f"the list has {len(given)} numbers, not eight.")
    if given[0] != 0.5:
        raise Wrong("the first limit is 0.5: nothing has doubled yet.")
    if max(given) > 20:
        raise Wrong("a limit is above 20: cut it off with min().")
    if any(after < before for before, after in pairwise(given)):
        raise Wrong("a limit is smaller than the one before: it only doubles, or stays.")
    if given != LIMITS:
        raise Wrong("not each limit is twice the one before, or 20 where that would be more.")
    return "a few doublings reach the top, and from there the pauses stay bearable."


@exercise("09.twice")
def twice(answer: Any) -> str:
    kinds = [408, *TELLS, 500, 503, "hangup"]
    if not isinstance(answer, dict):
        raise Wrong(f"a dict is wanted, and this is a {type(answer).__name__}: start with requests = {{}}.")
    if missing := [kind for kind in kinds if kind not in answer]:
        raise Wrong(f"there is no number for {missing[0]!r}: go through all of kinds.")
    counts = {kind: number(answer[kind]) for kind in kinds}
    if any(count == 0 for count in counts.values()):
        raise Wrong("a kind has no request at all: count after the call, and take away the count before.")
    if max(counts.values()) > 2:
        raise Wrong("a kind has more than two requests: take away what the server had counted before.")
    if all(count == 2 for count in counts.values()):
        raise Wrong("each is tried again: did you pass repeatable=False?")
    if counts != {kind: 2 if kind in TELLS else 1 for kind in kinds}:
        raise Wrong("these are not the server's counts: spoil one request of each kind, with Retry-After.")
    return "only a refusal says that nothing was done; after all else the work may have been done and be paid for."


@exercise("09.reset")
def reset(report: Any, *, charged: float) -> str:
    table = table_with(report, "status", "tasks", "repeated")
    if len(table) != 1:
        raise Wrong(f"the report has {len(table)} films: embed apple only.")
    row = table.iloc[0]
    if row["status"] == "cached":
        raise Wrong("the film came from the cache, so nothing was asked for: start this notebook anew.")
    if row["status"] != "done":
        raise Wrong(
            f"the film is {row['status']}, and the helper goes on after one broken line: set one fault."
        )
    if row["tasks"] == 1 and charged > 1:
        raise Wrong("another task was made before: start this notebook anew.")
    if row["tasks"] == 1 and row["repeated"] == 0:
        raise Wrong("nothing broke: set the fault for the POST of tasks, and before you embed.")
    if (row["tasks"], row["repeated"]) != (2, 1) or charged != 1:
        raise Wrong("another fault was at work: 'reset' breaks the line before the server acts.")
    return "two POSTs went out and one was charged for, and the report counts the one it cannot be sure of."


class Broken(ConnectionError):
    """A broken line that may say how long to wait."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__("the line broke")
        if wait is not None:
            self.wait = wait


def _action(*outcomes: Any) -> Callable[[], Any]:
    """A function that raises or returns one of these at each call."""
    left: Iterator[Any] = iter(outcomes)

    def act() -> Any:
        try:
            outcome = next(left)
        except StopIteration:
            raise Wrong("it tries more often than tries allows.") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return act


def _pauses(function: Any, tries: int, *outcomes: Any) -> list[float]:
    pauses: list[float] = []
    if function(_action(*outcomes), tries, pauses.append) != "well":
        raise Wrong("it does not return what the action returns.")
    return pauses


@exercise("09.retry")
def retry(function: Any) -> str:
    if not callable(function):
        raise Wrong(f"a function is wanted, and this is a {type(function).__name__}: keep the line with def.")
    if function(_action("well"), 3, [].append) is None:
        raise Unanswered
    if _pauses(function, 3, "well"):
        raise Wrong("it sleeps although the first try went well.")
    try:
        broken = [_pauses(function, 4, *[Broken()] * 3, "well") for _ in range(20)]
    except ConnectionError:
        raise Wrong("it gives up too early: with tries=4, the fourth try may still go well.") from None
    if any(len(pauses) != 3 for pauses in broken):
        raise Wrong("between four tries there are three pauses: call sleep once after each failure.")
    if broken[0] == broken[1]:
        raise Wrong("the pauses are the same each time: draw them at random.")
    for place, limit in enumerate((0.5, 1, 2)):
        drawn = [pauses[place] for pauses in broken]
        if not 0 <= min(drawn) <= max(drawn) <= limit:
            raise Wrong(
                f"pause {place + 1} is not between 0 and {limit}: the limit begins at 0.5 and doubles."
            )
    if max(pauses[2] for pauses in broken) <= 0.5:
        raise Wrong("the limit stays the same: double it after each failure.")
    if _pauses(function, 3, Broken(7), Broken(0), "well") != [7, 0]:
        raise Wrong("an error said how long to wait, in error.wait, and was not obeyed (0 counts, too).")
    pauses: list[float] = []
    try:
        function(_action(Broken(), Broken()), 2, pauses.append)
        raise Wrong("after the last try the error must pass.")
    except ConnectionError:
        if len(pauses) != 1:
            raise Wrong("it sleeps after the last try, when nothing follows.") from None
    try:
        function(_action(ValueError("not yours"), "well"), 3, pauses.append)
        raise Wrong("it tries a ValueError again: only a ConnectionError may pass.")
    except ValueError:
        return "it waits as told, else at random below a limit that doubles, and gives up in time."
