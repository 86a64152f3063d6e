"""Checks of the exercises for notebook 04."""

import math
from typing import Any

import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number, table_with


@exercise("04.late")
def late(hits: Any) -> str:
    table = table_with(hits, "title", "start_offset_sec")
    if set(table["title"]) != {"Big Buck Bunny"}:
        raise Wrong("there are hits of other videos: filter by the title.")
    if table["start_offset_sec"].min() < 480:
        raise Wrong("a hit starts before second 480: filter by start_offset_sec, from 480 on.")
    if "embedding_scope" in table and set(table["embedding_scope"]) != {"clip"}:
        raise Wrong("a whole video is among them: leave the scope as it is.")
    return "Milvus ranked only the rows that match, so the list is still full."


@exercise("04.recall")
def recall(share: Any, *, measured: pd.DataFrame) -> str:
    given = number(share)
    right = {k: float((measured["rr"] >= 1 / k - 1e-9).mean()) for k in (1, 2, 3, 4, 5)}
    if given > 1:
        raise Wrong("a share is at most 1: take the mean and not the sum.")
    if math.isclose(given, right[3], abs_tol=1e-6):
        return f"of {len(measured)} queries that share has a right hit among the first three."
    for k, value in right.items():
        if k != 3 and math.isclose(given, value, abs_tol=1e-6):
            raise Wrong(f"that is recall@{k}: compare rr with one over three.")
    if math.isclose(given, float((measured["rr"] > 1 / 3 + 1e-9).mean()), abs_tol=1e-6):
        raise Wrong("rank 3 counts, too: at least one over three, not more.")
    if not right[1] <= given <= right[5]:
        raise Wrong("recall@3 lies between recall@1 and recall@5: did you compare rr with 1/3?")
    raise Wrong("the number lies in the right region: which queries does your comparison leave out?")


@exercise("04.mrr")
def mrr(function: Any) -> str:
    answer = number(answer_of(function, [1, 2, None, 4]))
    if math.isclose(answer, (1 + 1 / 2 + 1 / 4) / 3):
        raise Wrong("a query without a right hit counts, with 0: divide by the number of all queries.")
    if math.isclose(answer, 7 / 3):
        raise Wrong("that is the mean rank: take one over each rank first.")
    if not math.isclose(answer, (1 + 1 / 2 + 1 / 4) / 4):
        raise Wrong(f"for the ranks 1, 2, none and 4 it returns {answer:.3g}: work it out on paper.")
    if not math.isclose(number(function([1, 1])), 1):
        raise Wrong("with every right hit at rank 1 the result is the best possible one.")
    return "one number says how far people scroll, and a miss costs as much as it should."


@exercise("04.spans")
def spans(function: Any) -> str:
    starts = [30.0, 6.0, 12.0, 60.0]
    hits = pd.DataFrame({"start_offset_sec": starts, "end_offset_sec": [s + 6 for s in starts]})
    answer = answer_of(function, hits)
    if not isinstance(answer, list) or not all(
        isinstance(span, tuple | list) and len(span) == 2 for span in answer
    ):
        raise Wrong("a list of pairs is wanted, such as [(0.0, 6.0)].")
    pairs = [(float(start), float(end)) for start, end in answer]
    if len(pairs) == len(starts):
        raise Wrong("clips that touch are still apart: 6 to 12 and 12 to 18 make one span.")
    if pairs != sorted(pairs):
        raise Wrong("the spans are not in the order of time: sort the hits by their start first.")
    if pairs != [(6.0, 18.0), (30.0, 36.0), (60.0, 66.0)]:
        raise Wrong(f"for clips from 6, 12, 30 and 60 it returns {pairs}: follow your loop by hand.")
    if [tuple(map(float, span)) for span in function(hits.head(1))] != [(30.0, 36.0)]:
        raise Wrong("a single clip is a span, too.")
    return "the hits have become moments that one can watch."
