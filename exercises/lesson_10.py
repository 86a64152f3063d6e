"""Checks of the exercises for notebook 10."""

import math
from typing import Any

import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number, table_with

TITLE = "Uncle Paul films"


@exercise("10.titles")
def titles(report: Any) -> str:
    table = table_with(report, "title", "status", "tasks")
    if len(table) != 1:
        raise Wrong(f"the report has {len(table)} films: embed the list of one, not the folder.")
    title = table["title"].iloc[0]
    if title == "IMG_0413":
        raise Wrong("the film has its file's name for a title: is the first line of the list path,title?")
    if title != TITLE:
        raise Wrong(f"the title is {title!r}: compare it with the task.")
    if set(table["status"]) & {"failed", "left"}:
        raise Wrong("a film was not embedded: look at the column reason of the report.")
    if table["tasks"].sum() or set(table["status"]) != {"cached"}:
        raise Wrong("a film was embedded anew: run the second cell of this notebook first.")
    return (
        "the cache knows a film by its content; a title is only a word beside it, so 0 tasks were paid for."
    )


@exercise("10.track")
def track(known: Any) -> str:
    table = table_with(known, "title", "description", "embedding_scope", "embedding_description")
    if not table["description"].str.contains("Paul").all():
        raise Wrong("some rows do not name Paul: select by the column description.")
    if set(table["title"]) != {"IMG_0413"}:
        raise Wrong("rows of another film name him: the track has the name of its film, IMG_0413.vtt.")
    clips = table[table["embedding_scope"] == "clip"]
    if len(clips) < 3:
        raise Wrong(f"{len(clips)} of the film's clips know him, not all: does the cue reach to second 18?")
    return f"{len(clips)} clips know him now, by a name that no picture shows."


QUESTIONS = [
    ("a cat", "garden", 0, 6),
    ("a dog", "garden", 6, 12),
    ("a cup", "kitchen", 0, 6),
    ("a plate", "kitchen", 0, 6),
    ("a violin", "garden", 0, 6),
]
HITS: dict[str, list[tuple[str, float, float]]] = {
    "a cat": [("garden", 0, 6)],
    "a dog": [("garden", 0, 6), ("garden", 6, 12)],  # the right one is second
    "a cup": [("street", 0, 6), ("kitchen", 0, 6)],
    "a plate": [("street", 0, 6), ("kitchen", 0, 6)],
    "a violin": [],
    "a late start": [("garden", 4, 10)],
    "the edge": [("garden", 3, 9)],
}


def _find(words: str) -> pd.DataFrame:
    return pd.DataFrame(HITS[words], columns=["title", "start_offset_sec", "end_offset_sec"])


@exercise("10.first")
def first(function: Any) -> str:
    share = number(answer_of(function, QUESTIONS, _find))
    said = {
        4 / 5: "a hit further down is counted: only the first one may be.",
        2 / 5: "a first hit of the right film and the wrong moment is counted.",
        3 / 5: "a first hit of another film is counted: compare the titles.",
        1 / 4: "a question without any hit counts, too: divide by the number of all questions.",
    }
    for value, reason in said.items():
        if math.isclose(share, value):
            raise Wrong(reason)
    if math.isclose(share, 1):
        raise Wrong("that is how many are right: divide by the number of questions.")
    if not math.isclose(share, 1 / 5):
        raise Wrong(f"for five questions with one right first hit it returns {share:.3g}.")
    if not math.isclose(number(function([("a late start", "garden", 6, 12)], _find)), 1):
        raise Wrong(
            "a clip from 4 to 10 has its middle between 6 and 12: take the middle, not start and end."
        )
    edges = [number(function([("the edge", "garden", *span)], _find)) for span in ((6, 12), (0, 6))]
    if edges != [1, 0]:
        raise Wrong(
            "a middle at 6 belongs to 6-12 and not to 0-6: the first second counts, the last does not."
        )
    return "that is recall@1 where a question has one answer, and it is about your films alone."
