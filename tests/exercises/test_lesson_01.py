"""Each exercise of notebook 01, with the right answer and at least three kinds of wrong ones."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from exercises.checking import NOT_YET


def hits(*titles: str) -> pd.DataFrame:
    return pd.DataFrame({"title": titles, "score": [0.4 - n / 100 for n in range(len(titles))]})


COFFEE = hits("Coffee", "Coffee", "Coffee", "Coffee", "Astronaut", "Dahlia", "Dahlia", "Brick")
Find = Callable[[str], Any]


def finds(form: str) -> Find:
    titles = {"a rocket ready for launch": "Rocket before launch", "a cup of coffee": "Coffee"}
    return lambda words: form.format(titles[words])


@pytest.mark.parametrize(
    ("name", "answers", "said"),
    [
        ("01.coffee", [COFFEE], "Right, because the search filled all eight places, 4"),
        ("01.coffee", [...], NOT_YET),
        ("01.coffee", [COFFEE.head(5)], "there are 5 hits, not eight"),
        ("01.coffee", [COFFEE.iloc[::-1]], "the first hit is 'Brick'"),
        ("01.coffee", ["Coffee"], "a table is wanted, and this is a str"),
        ("01.coffee", [COFFEE[["score"]]], "no column 'title'"),
        ("01.coffee", [COFFEE.head(0)], "the table has no rows"),
        ("01.scores", [0.341, 0.284], "Right, because no rule"),
        ("01.scores", [0.341, ...], NOT_YET),
        ("01.scores", [0.296, 0.284], "take the largest"),
        ("01.scores", [0.341, 0.406], "take the smallest"),
        ("01.scores", [0.341, 0.24], "not a clip of Coffee"),
        ("01.scores", [0.341, 0.341], "the same one"),
        ("01.scores", [341, 0.284], "between -1 and 1"),
        ("01.scores", [COFFEE, 0.284], "a number is wanted, and this is a DataFrame"),
        ("01.find", [finds("{} from second 6.0")], "Right, because it says"),
        ("01.find", [lambda words: None], NOT_YET),
        ("01.find", ["Coffee"], "a function is wanted"),
        ("01.find", [lambda words: hits("Coffee")], "a text is wanted"),
        ("01.find", [finds("{}")], "the second at which the hit starts is missing"),
        ("01.find", [lambda words: "Rocket before launch from second 6"], "for 'a cup of coffee' it returns"),
        ("01.find", [lambda words: words.titel], "ended in AttributeError"),
        ("01.afresh", [False, 153], "Right, because the rows went and came back"),
        ("01.afresh", [..., ...], NOT_YET),
        ("01.afresh", [True, 153], "was still there"),
        ("01.afresh", [False, 306], "306 rows are not all segments"),
        ("01.afresh", [0, 153], "the first answer is True or False"),
    ],
)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = {"segments": 153} if name == "01.afresh" else {}
    assert said in verdict(name, *answers, **given)
