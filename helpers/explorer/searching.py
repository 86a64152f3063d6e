"""What the explorer looks for: words, what is like a point, what is like some segments and not like others."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.matrix import Matrix
from helpers.errors import AnalysisError
from helpers.explorer.state import best_rows, nearest_rows, place_hits, record, tile_strip
from helpers.explorer.view import ExplorerView
from helpers.show.captions import caption_of

Search = Callable[[str], pd.DataFrame]
ALIKE = 60  # segments that are found by likeness
LIT_SHARE = 5  # one in so many segments lights up at most: more would not stand out
LIT_LEAST = 3
BETA, GAMMA = 0.75, 0.25  # Rocchio's weights of what is wanted, and of what is not


def most_lit(n: int) -> int:
    """How many hits light up among n segments at most."""
    return max(LIT_LEAST, n // LIT_SHARE)


def example_scores(
    matrix: Matrix, like: Sequence[int], unlike: Sequence[int] = ()
) -> npt.NDArray[np.float64]:
    """How much each row (n,) is like the rows `like` and not like the rows `unlike`: a cosine, higher is better.

    The query is that of Rocchio (1971, "Relevance feedback in information retrieval", in Salton, The SMART
    Retrieval System): q = beta · mean(like) - gamma · mean(unlike), without a first query, as there are no words;
    beta 0.75 and gamma 0.25 are those of Salton and Buckley (1990, doi:10.1002/(SICI)1097-4571(199006)41:4<288::
    AID-ASI8>3.0.CO;2-H). `matrix` has rows of length 1.
    """
    query = BETA * matrix[list(like)].mean(axis=0, dtype=np.float64)
    if len(unlike):
        query -= GAMMA * matrix[list(unlike)].mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(query))
    scores: npt.NDArray[np.float64] = matrix @ (query / length if length > 0 else query)
    return scores


class Searching:
    """Each method looks for something: points light up, all that was found stands in tiles, the best is chosen.

    `matrix()` are the vectors (n, d) of the map, `shown()` says which rows (n,) are seen.
    """

    def __init__(
        self,
        segments: pd.DataFrame,
        search: Search | None,
        view: ExplorerView,
        *,
        matrix: Callable[[], Matrix],
        shown: Callable[[], npt.NDArray[np.bool_]],
    ) -> None:
        self._segments, self._search, self._view = segments, search, view
        self._matrix, self._shown = matrix, shown

    def words(self, words: str) -> None:
        """Look for words, by the search that the explorer was given; no words let go of what was found."""
        if not words or self._search is None:
            self.clear()
            raise AnalysisError("There are no words to look for: type some first.")
        self._view.examples = {}
        found, elsewhere = place_hits(self._segments, self._search(words))
        self._show(found, f"Hits for {words!r}", of=len(self._segments), elsewhere=elsewhere)
        self._choose_first(found)

    def alike(self) -> None:
        """Look for what is similar to the point that was clicked last, which stays chosen."""
        row = self._view.chosen
        if not 0 <= row < len(self._segments):
            raise AnalysisError("Nothing is chosen to find the like of: click a point first.")
        among = self._shown()
        found = nearest_rows(self._matrix(), row, among=among, limit=ALIKE)
        self._view.examples = {"like": [row], "unlike": []}
        self._show(
            found, f"Similar to {caption_of(record(self._segments, row))}", of=int(among.sum() - among[row])
        )

    def example(self, *, kind: str, rows: Sequence[int]) -> None:
        """Take rows as examples of what is wanted ("like") or not ("unlike"), and look for more like these."""
        rows = [row for row in rows if 0 <= row < len(self._segments)]
        if not rows:
            raise AnalysisError("An example is a segment: select some, or click one first.")
        examples = {
            other: sorted(set(self._view.examples.get(other, ())) - set(rows)) for other in ("like", "unlike")
        }
        examples[kind] = sorted({*examples[kind], *rows})
        self._view.examples = examples
        self._by_examples()

    def clear(self) -> None:
        """Let go of what was found, and of the examples."""
        with self._view.hold_sync():
            self._view.found, self._view.hits, self._view.examples = {}, [], {}
            self._view.rest()

    def _by_examples(self) -> None:
        like, unlike = self._view.examples["like"], self._view.examples["unlike"]
        if not like:
            raise AnalysisError(
                "That is what you do not want: now select what you want, and press More like these "
                "(Escape: never mind)."
            )
        scores = example_scores(self._matrix(), like, unlike)
        among = self._shown()
        among[[*like, *unlike]] = False
        title = f"Like {len(like)} of your examples" + (f", not like {len(unlike)}" if unlike else "")
        self._show(best_rows(scores, among=among, limit=ALIKE), title, of=int(among.sum()))

    def _show(self, found: list[tuple[int, float]], title: str, *, of: int, elsewhere: int = 0) -> None:
        """Show what was found among `of` segments."""
        lit = found[: most_lit(len(self._segments))]
        with self._view.hold_sync():
            self._view.found = tile_strip(found, title=f"{title}, by score")
            self._view.hits = [row for row, _ in lit]
        nearest = f"the {len(lit)} nearest" if len(lit) < len(found) else f"{len(lit)}"
        lost = f", {elsewhere} not on this map" if elsewhere else ""
        self._view.status = f"{title}: {nearest} of {of} segments light up{lost}."

    def _choose_first(self, found: list[tuple[int, float]]) -> None:
        shown = self._shown()
        self._view.chosen = next((row for row, _ in found if shown[row]), self._view.chosen)
