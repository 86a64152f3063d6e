"""Checks of the exercises for notebook 05."""

import math
from typing import Any

import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number, table_with


@exercise("05.both")
def both(hits: Any, *, options: list[str]) -> str:
    table = table_with(hits, "title", "score")
    scores = [f"score_{option}" for option in ("visual", options[-1])]
    if missing := [score for score in scores if score not in table.columns]:
        raise Wrong(
            f"no leg of the table is {missing[0].removeprefix('score_')!r}: give a Leg for each option."
        )
    if len(table) != 8:
        raise Wrong(f"there are {len(table)} hits, not eight: hybrid_search takes limit=….")
    seen = table.dropna(subset=scores)
    if seen["score"].max() < 0.1:
        raise Wrong("these scores are sums of 1/(k + rank): ask for the other ranker.")
    wanted = sum(w * (1 + seen[score]) / 2 for w, score in zip((0.3, 0.7), scores, strict=True))
    if not (abs(seen["score"] - wanted) < 1e-3).all():
        raise Wrong("the legs have other weights: 0.3 for visual, and what is left for the other.")
    return "each score is 0.3 of one leg's and 0.7 of the other's, brought to 0 to 1 first."


@exercise("05.rrf")
def rrf(function: Any) -> str:
    answer = number(answer_of(function, [4, 2]))
    if math.isclose(answer, 1 / 4 + 1 / 2):
        raise Wrong("for the places 4 and 2 it returns 0.75: where is k?")
    if math.isclose(answer, 1 / 63 + 1 / 61):
        raise Wrong("places count from 1, as in the lesson: do not take one away.")
    if not math.isclose(answer, 1 / 64 + 1 / 62):
        raise Wrong(f"for the places 4 and 2 it returns {answer:.4g}: add up 1/(k + place), with k = 60.")
    if not math.isclose(number(function([4, None])), 1 / 64):
        raise Wrong("a leg that did not see the segment adds nothing.")
    if not math.isclose(number(function([1, 1], 1)), 1):
        raise Wrong("k is an argument: use it, and not 60 in every case.")
    return "two legs that like a segment a little outweigh one that likes it much."


@exercise("05.choose")
def choose(function: Any) -> str:
    curve = pd.DataFrame(
        {"for choosing": [0.5, 0.7, 0.6], "for reporting": [0.4, 0.5, 0.8]}, index=[0.0, 0.3, 1.0]
    )
    answer = answer_of(function, curve)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(
            "two things are wanted, the weight and the reported number: return them with a comma between."
        )
    weight, reported = number(answer[0]), number(answer[1])
    if weight == 1.0:
        raise Wrong("the weight was chosen on the half for reporting: then nothing is left to report on.")
    if weight != 0.3:
        raise Wrong(f"{weight:g} is not the weight that the half for choosing likes best.")
    if math.isclose(reported, 0.7):
        raise Wrong("the number comes from the half that chose, so it flatters: take the other half's.")
    if not math.isclose(reported, 0.5):
        raise Wrong(f"{reported:g} is not what the other half says of that weight.")
    return "the number that you report comes from queries that had no say."


@exercise("05.oracle")
def oracle(share: Any, *, right: pd.DataFrame) -> str:
    given = number(share)
    if given > 1:
        raise Wrong("a share is at most 1: take the mean over the queries.")
    if math.isclose(given, float(right.max(axis=1).mean())):
        return "for each query its best option counts. A fusion can beat it: it may put first what no leg has first."
    if math.isclose(given, float(right.mean().max())):
        raise Wrong("that is the best single option: the oracle chooses anew for each query.")
    if given < float(right.mean().max()):
        raise Wrong("an oracle cannot be worse than a single option: take the maximum of each row.")
    raise Wrong("that is more than any choice of one option for each query can reach.")
