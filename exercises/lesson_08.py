"""Checks of the exercises for notebook 08."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from exercises.checking import Unanswered, Wrong, answer_of, exercise, number


@exercise("08.enough")
def enough(workers: Any, *, runs: pd.DataFrame) -> str:
    given = number(workers)
    seconds = {limit: rows.set_index("workers")["s"] for limit, rows in runs.groupby("limit")}
    fast = {limit: each.index[each < each[1] / 2] for limit, each in seconds.items()}
    limited, free = fast.pop("8 a minute"), fast.pop("none")
    if given == limited.min():
        return "half of the time is soon reached. With more workers the rate limit is what you wait for."
    if given not in set(runs["workers"]):
        raise Wrong(f"{given:g} workers were not tried: answer with a number of workers, not with seconds.")
    if given in set(limited):
        raise Wrong(f"{given:g} workers are fast enough, but not the fewest that are.")
    if given in set(free):
        raise Wrong("that holds without a limit: select the rows of the other limit first.")
    raise Wrong(f"{given:g} workers need half of the time of one, or more.")


@exercise("08.hits")
def hits(function: Any) -> str:
    asked = list("abacab")
    answer = number(answer_of(function, list(asked), 2))
    if answer == 4:
        raise Wrong("for a, b, a, c, a, b and room for 2 it returns 4, the misses: count the hits.")
    if answer == 3:
        raise Wrong("for a, b, a, c, a, b and room for 2 it returns 3: does anything leave a full cache?")
    if answer == 1:
        raise Wrong("the oldest went, though it was asked again since: a hit moves its question to the end.")
    if answer != 2:
        raise Wrong(f"for the questions a, b, a, c, a, b and room for 2 it returns {answer:g}.")
    if number(function(list("aaaa"), 1)) != 3:
        raise Wrong("a cache with room for one knows the same question when it comes again at once.")
    if number(function(list("abcabc"), 3)) != 3:
        raise Wrong("with room for 3, three answers stay: does one leave too early?")
    if number(function([], 2)) != 0:
        raise Wrong("no question, no hit.")
    return "a question that is asked often stays, however old its answer is."


@exercise("08.recalls")
def recalls(
    shares: Any, *, search: Callable[[Any, int], set[int]], queries: Sequence[Any], exact: Sequence[set[int]]
) -> str:
    if not isinstance(shares, Mapping):
        raise Wrong(f"a dict is wanted, and this is a {type(shares).__name__}: {{1: …, 4: …, 32: …}}.")
    if set(shares) != {1, 4, 32}:
        raise Wrong("its keys are the numbers of cells: 1, 4 and 32.")
    if any(share is ... or share is None for share in shares.values()):
        raise Unanswered
    given = {nprobe: number(share) for nprobe, share in shares.items()}
    if any(share > 1 for share in given.values()):
        raise Wrong(
            "a recall is at most 1: divide by the ten right ones, and take the mean over the queries."
        )
    for nprobe, share in given.items():
        pairs = [(search(query, nprobe), right) for query, right in zip(queries, exact, strict=True)]
        if math.isclose(share, _mean([len(found & right) / len(right) for found, right in pairs])):
            continue
        if math.isclose(share, _mean([float(found == right) for found, right in pairs])):
            raise Wrong(
                "you count the queries whose ten are all right. Recall counts the right ones of each."
            )
        first = len(pairs[0][0] & pairs[0][1]) / len(pairs[0][1])
        if math.isclose(share, first):
            raise Wrong("that is the recall of the first query: take the mean over all of them.")
        raise Wrong(f"for {nprobe} cells it is another number: does each search get its own nprobe?")
    return "a few cells of 32 find nearly all. What is missing lies in a cell that was not visited."


@exercise("08.front")
def front(function: Any) -> str:
    tried = [(20, 0.95), (5, 0.90), (9, 0.80), (40, 1.0), (30, 0.95), (5, 0.85)]
    answer = answer_of(function, list(tried))
    if not isinstance(answer, list | tuple) or not all(isinstance(each, list | tuple) for each in answer):
        raise Wrong("a list of pairs is wanted: return those of the given settings that nobody beats.")
    kept = [tuple(each) for each in answer]
    right = [(5, 0.90), (20, 0.95), (40, 1.0)]
    if kept == right:
        if [tuple(each) for each in function([(5, 0.9)])] != [(5, 0.9)]:
            raise Wrong("a single setting is beaten by nobody.")
        return "whatever you prefer, speed or recall, your choice is one of these."
    if (9, 0.80) in kept:
        raise Wrong("a setting is kept that is slower *and* finds less than another.")
    if (5, 0.85) in kept:
        raise Wrong("two settings are equally fast: then the one that finds less is beaten.")
    if (30, 0.95) in kept:
        raise Wrong("two settings find the same: then the slower one is beaten.")
    if sorted(kept) == right:
        raise Wrong("these are the right ones, but not fastest first.")
    raise Wrong("one is missing that nobody beats. The fastest and the one with the best recall always stay.")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
