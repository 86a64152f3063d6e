"""Checks of the exercises for notebook 03."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number


@exercise("03.count")
def count(late: Any, *, segments: pd.DataFrame) -> str:
    bunny = segments[segments["title"] == "Big Buck Bunny"]
    clips = bunny[bunny["embedding_scope"] == "clip"]
    given = number(late)
    if given == len(segments) or given == len(bunny):
        raise Wrong("that counts too much: the filter wants a title, a scope and a range of seconds.")
    if given == len(clips):
        raise Wrong("that counts the clips before second 60, too: give start_offset_sec a range.")
    if given != int(clips["start_offset_sec"].ge(60).sum()):
        raise Wrong(
            f"{given:g} is not the number of clips from second 60 on: look at each part of the filter."
        )
    return "the database counted without handing over one vector."


@exercise("03.copy")
def copy(gained: Any) -> str:
    if number(gained) > 0:
        raise Wrong(
            f"{number(gained):g} rows more: insert the copy into the same collection, and count both times."
        )
    if number(gained) < 0:
        raise Wrong("fewer rows than before: take the count before from the count after.")
    return "the id comes from the bytes of the file, so the copy is the same video."


@exercise("03.ef")
def ef(enough: Any, *, found: Callable[[str, int], int], titles: Sequence[str]) -> str:
    given = number(enough)
    if given not in (32, 64, 128, 256):
        raise Wrong(f"{given:g} is none of the four numbers.")
    totals = {each: sum(found(title, each) for title in titles) for each in (32, 64, 128, 256)}
    if totals[int(given)] < 3 * len(titles):
        raise Wrong(
            f"with {given:g} the lists are still short: {totals[int(given)]} hits of {3 * len(titles)}."
        )
    if any(each < given and total == 3 * len(titles) for each, total in totals.items()):
        raise Wrong(f"{given:g} is enough, but a smaller one is, too.")
    return "nearly as many candidates as rows leave nothing out; among a million rows nobody can afford that."


@exercise("03.id")
def row_id(function: Any) -> str:
    six = answer_of(function, "cat-f3b9787c53", "clip", 6.0, 12.0)
    if not isinstance(six, str):
        raise Wrong(f"an id is a text, and your function returns a {type(six).__name__}.")
    others = [("dog-1", "clip", 6.0, 12.0), ("cat-f3b9787c53", "asset", 6.0, 12.0)]
    others += [("cat-f3b9787c53", "clip", 6.0, 11.5), ("cat-f3b9787c53", "clip", 5.5, 12.0)]
    for other in others:
        if answer_of(function, *other) == six:
            raise Wrong(f"{other} gets the same id as ('cat-f3b9787c53', 'clip', 6.0, 12.0): use every part.")
    starts = [answer_of(function, "cat", "clip", start, start + 6.0) for start in (6.0, 12.0, 114.0)]
    if sorted(starts) != starts:
        raise Wrong(f"as text, {starts[2]} sorts before {starts[0]}: pad the numbers with zeros.")
    if six != "cat-f3b9787c53/clip/00006.000-00012.000":
        raise Wrong(f"it returns {six}: compare it with the form in the task, sign by sign.")
    return "the same row always gets the same id, and no two rows share one."
