"""Each exercise of notebook 02, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exercises.checking import NOT_YET

CLIPS = pd.DataFrame(
    {
        "video_id": ["a", "a", "b", "b", "c", "c"],
        "embedding_visual": [np.array(v, float) for v in ([1, 0], [3, 1], [1, 1], [1, 2], [0, 1], [-1, 1])],
    }
)
NEAR = [2, 2, 1, 4, 3, 3]  # the nearest of another video, by hand


def cut(segmentation: str, clips: int) -> pd.DataFrame:
    return pd.DataFrame({"segmentation": segmentation, "embedding_scope": ["clip"] * clips + ["asset"]})


def hits(*titles: str) -> pd.DataFrame:
    return pd.DataFrame({"title": titles, "score": 0.4})


def same_video(table: pd.DataFrame, row: int) -> int:
    return row + 1 if row % 2 == 0 else row - 1


def plain(a: Any, b: Any) -> Any:
    return a @ b


def cosine(a: Any, b: Any) -> Any:
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


TOWER = hits("Tower at the lake", "Dahlia")
CASES: list[tuple[str, list[Any], str]] = [
    ("02.cut", [cut("fixed-3", 199)], "Right, because clips of half the length are twice as many: 199"),
    ("02.cut", [...], NOT_YET),
    ("02.cut", [cut("fixed-6", 100)], "these are cut as fixed-6"),
    ("02.cut", [cut("fixed-3", 20)], "20 clips are not the whole video"),
    ("02.cut", ["fixed-3"], "a table is wanted"),
    ("02.words", ["a pagoda by the water", TOWER], "Right, because the model found it"),
    ("02.words", [..., TOWER], NOT_YET),
    ("02.words", ["the Tower", TOWER], "the word 'tower' is in the title"),
    ("02.words", ["a pagoda", hits("Dahlia")], "the first hit is 'Dahlia'"),
    ("02.words", [7, TOWER], "words are wanted"),
    ("02.cosine", [cosine], "Right, because the length"),
    ("02.cosine", [lambda a, b: ...], NOT_YET),
    ("02.cosine", [plain], "for the same arrow it returns 9"),
    ("02.cosine", [lambda a, b: abs(cosine(a, b))], "for opposite arrows it returns 1"),
    ("02.cosine", [lambda a, b: "1"], "Not right yet: for arrows at right angles"),
    ("02.cosine", [lambda a: a], "ended in TypeError"),
    ("02.like", [lambda table, row: NEAR[row]], "Right, because this is"),
    ("02.like", [lambda table, row: None], NOT_YET),
    ("02.like", [lambda table, row: row], "row 0 itself comes back"),
    ("02.like", [same_video], "a clip of the same video"),
    ("02.like", [lambda table, row: 4], "another video has a nearer clip"),
    ("02.like", [lambda table, row: 99], "there is no row 99"),
    ("02.like", [lambda table, row: "2"], "the number of a row is wanted"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = {"clips": CLIPS} if name == "02.like" else {}
    assert said in verdict(name, *answers, **given)
