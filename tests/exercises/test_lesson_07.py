"""Each exercise of notebook 07, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET
from helpers import find_moments, find_sequence, moment_recall

LENGTHS = (3, 6, 10)


def clips(scores: list[float], *, length: int = 6) -> pd.DataFrame:
    """Neighbouring clips of one video as hits, best first."""
    table = pd.DataFrame({"score": scores, "start_offset_sec": [length * n for n in range(len(scores))]})
    table["end_offset_sec"] = table["start_offset_sec"] + length
    table["segment_id"] = [f"clip {n}" for n in range(len(scores))]
    table = table.assign(video_id="bunny", title="Bunny", video_url="bunny.mp4")
    return table.sort_values("score", ascending=False, ignore_index=True)


HITS = clips([0.2, 0.5, 0.48, 0.45, 0.1, 0.3, 0.28, 0.15, 0.4, 0.36, 0.2])
APPLE, BUTTERFLY, WAKES = (clips([1.0 if n == at else n / 100 for n in range(30)]) for at in (20, 10, 1))
STEPS = [APPLE, BUTTERFLY, WAKES]
# Two queries: one is answered by two clips merged, the other by a single clip at rank 2.
RANKED = {n: {"b01": clips([0.1, 0.5, 0.49, 0.1]), "b02": clips([0.5, 0.1, 0.1, 0.4])} for n in LENGTHS}
SPANS = {
    key: pd.DataFrame({"video": ["bunny"], "start_offset_sec": [a], "end_offset_sec": [b], "relevance": [2]})
    for key, (a, b) in {"b01": (6.0, 16.0), "b02": (18.0, 22.0)}.items()
}
GIVEN: dict[str, dict[str, Any]] = {
    "07.heads": {"hits": HITS},
    "07.reverse": {"steps": STEPS},
    "07.strict": {"ranked": RANKED, "spans": SPANS},
}


def recall(*, k: int = 5, iou: float = 0.7, merge: bool = True) -> dict[int, float]:
    shares = {}
    for length, lists in RANKED.items():
        found = {key: find_moments(hits, keep=0.9) if merge else hits for key, hits in lists.items()}
        shares[length] = sum(moment_recall(found[key], SPANS[key], k=k, iou=iou) for key in found) / len(
            found
        )
    return shares


def shared(found: tuple[float, float], true: tuple[float, float]) -> float:
    return min(found[1], true[1]) - max(found[0], true[0])


CASES: list[tuple[str, list[Any], str]] = [
    ("07.heads", [find_moments(HITS, keep=0.8, limit=3)], "Right, because with a lower line"),
    ("07.heads", [...], NOT_YET),
    ("07.heads", [find_moments(HITS, keep=0.8, limit=2)], "there are 2 moments, not three"),
    ("07.heads", [find_moments(HITS, limit=3)], "the default of keep"),
    ("07.heads", [find_moments(HITS, keep=0.8, smooth=6, limit=3)], "start or end elsewhere"),
    ("07.heads", [HITS.head(3)], "merge them with find_moments"),
    ("07.covered", [lambda f, t: max(0, shared(f, t)) / (t[1] - t[0])], "Right, because the shared seconds"),
    ("07.covered", [lambda f, t: None], NOT_YET),
    ("07.covered", [lambda f, t: shared(f, t) / (max(f[1], t[1]) - min(f[0], t[0]))], "that is the IoU"),
    ("07.covered", [lambda f, t: shared(f, t) / (f[1] - f[0])], "the share of the found moment"),
    ("07.covered", [lambda f, t: shared(f, t) / (t[1] - t[0])], "share 0 seconds, and never less"),
    ("07.covered", [lambda f, t: 6], "it returns 6"),
    ("07.reverse", [find_sequence(STEPS, within=60)], "and its score does not say that it happened"),
    ("07.reverse", [...], NOT_YET),
    ("07.reverse", [find_sequence(STEPS[::-1], within=60)], "turn it round"),
    ("07.reverse", [find_sequence(STEPS[:2], within=60)], "two steps, not three"),
    ("07.reverse", [find_sequence([BUTTERFLY, APPLE, WAKES], within=60)], "in another order"),
    ("07.reverse", [find_sequence([BUTTERFLY, WAKES, APPLE], within=170)], "longer than a minute"),
    ("07.strict", [recall()], ": where clips are short, a merged moment"),
    ("07.strict", [...], NOT_YET),
    ("07.strict", [dict.fromkeys(LENGTHS)], NOT_YET),
    ("07.strict", [recall(iou=0.5)], "an IoU of 0.5"),
    ("07.strict", [recall(merge=False)], "those are single clips"),
    ("07.strict", [0.5], "a dict is wanted"),
    ("07.strict", [{"3 s": 1, "6 s": 1, "10 s": 1}], "its keys are wanted"),
    ("07.strict", [dict.fromkeys(LENGTHS, 0.25)], "some of the numbers differ"),
    ("07.strict", [dict.fromkeys(LENGTHS, 7)], "a share is at most 1"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = GIVEN.get(name, {})
    assert said in verdict(name, *answers, **given)
