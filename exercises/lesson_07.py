"""Checks of the exercises for notebook 07."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from exercises.checking import Unanswered, Wrong, answer_of, exercise, number, table_with
from helpers import find_moments, find_sequence, moment_recall

SPAN = ["start_offset_sec", "end_offset_sec"]


@exercise("07.heads")
def heads(moments: Any, *, hits: pd.DataFrame) -> str:
    table = table_with(moments, *SPAN, "score")
    if "clips" not in table.columns:
        raise Wrong("these are clips as the search returned them: merge them with find_moments.")
    if len(table) != 3:
        raise Wrong(f"there are {len(table)} moments, not three: find_moments takes limit=….")
    if _same(table, find_moments(hits, keep=0.8, limit=3)):
        return "with a lower line more neighbours may join. Whether that is better, only the IoU can say."
    if _same(table, find_moments(hits, limit=3)):
        raise Wrong("that is the cut with the default of keep: give another.")
    raise Wrong("the moments start or end elsewhere: are they of `hits`, with gap and smooth as they were?")


@exercise("07.covered")
def covered(function: Any) -> str:
    answer = number(answer_of(function, (10, 20), (14, 22)))
    if math.isclose(answer, 0.5):
        raise Wrong("that is the IoU: divide by the length of the true moment, not by all that is covered.")
    if math.isclose(answer, 0.6):
        raise Wrong("that is the share of the found moment: which of the two is the true one?")
    if not math.isclose(answer, 0.75):
        raise Wrong(
            f"found 10 to 20 s, true 14 to 22 s: it returns {answer:.4g}. How many seconds do they share?"
        )
    if number(function((0, 5), (8, 10))) != 0:
        raise Wrong("moments that do not meet share 0 seconds, and never less.")
    if not math.isclose(number(function((0, 600), (345, 352))), 1):
        raise Wrong("the whole film covers all of the true moment.")
    return "the shared seconds are divided by the true ones. Alone it misleads: the whole film has the best value."


@exercise("07.reverse")
def reverse(sequences: Any, *, steps: list[pd.DataFrame]) -> str:
    table = table_with(sequences, *SPAN, "score", "step1_start_sec")
    if "step3_start_sec" not in table.columns:
        raise Wrong("there are two steps, not three: give find_sequence a list of three tables.")
    if _same(table.head(1), find_sequence(steps, within=60, limit=1)):
        true = find_sequence(steps[::-1], within=60, limit=1)["score"].iloc[0]
        return (
            f"what never happens gets {table['score'].iloc[0]:.3f}, and the true order {true:.3f}: something always "
            "comes back, and its score does not say that it happened."
        )
    if _same(table.head(1), find_sequence(steps[::-1], within=60, limit=1)):
        raise Wrong("that is the order in which it happens in the film: turn it round.")
    if (table["end_offset_sec"] - table["start_offset_sec"] > 60).any():
        raise Wrong("a sequence lasts longer than a minute: `within` is in seconds.")
    raise Wrong("the steps are others, or in another order: the apple, the butterfly, the waking, within=60.")


@exercise("07.strict")
def strict(
    shares: Any, *, ranked: Mapping[int, Mapping[str, pd.DataFrame]], spans: Mapping[str, pd.DataFrame]
) -> str:
    if not isinstance(shares, Mapping):
        raise Wrong(f"a dict is wanted, and this is a {type(shares).__name__}: one number for each length.")
    if set(shares) != set(ranked):
        raise Wrong(f"its keys are wanted as in `ranked`: {', '.join(map(str, ranked))}.")
    if any(share is ... or share is None for share in shares.values()):
        raise Unanswered
    given = {length: number(share) for length, share in shares.items()}
    if any(share > 1 for share in given.values()):
        raise Wrong("a share is at most 1: take the mean over the queries.")
    found = {
        length: [(find_moments(hits, keep=0.9), hits, spans[key]) for key, hits in lists.items()]
        for length, lists in ranked.items()
    }

    def agrees(k: int, iou: float, single: bool = False) -> bool:
        means = {
            length: _mean([moment_recall(each[single], each[2], k=k, iou=iou) for each in rows])
            for length, rows in found.items()
        }
        return all(math.isclose(given[length], mean, abs_tol=0.002) for length, mean in means.items())

    if agrees(5, 0.7):
        figures = ", ".join(f"{length} s clips reach {share:.3f}" for length, share in given.items())
        return f"{figures}: where clips are short, a merged moment can take many lengths."
    if agrees(5, 0.5):
        raise Wrong("that is the recall at an IoU of 0.5: ask for 0.7.")
    if agrees(1, 0.7):
        raise Wrong("only the first moment was looked at: k is 5.")
    if agrees(5, 0.7, single=True):
        raise Wrong("those are single clips: merge them with find_moments first.")
    raise Wrong("some of the numbers differ: k=5, iou=0.7, keep=0.9, and the mean over all queries.")


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables hold the same stretches of time, in the same order."""
    return one[SPAN].to_numpy().tolist() == other[SPAN].to_numpy().tolist()


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
