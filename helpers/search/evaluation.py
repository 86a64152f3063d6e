"""How good a search is: recall@k, MRR and nDCG@10 against the ground truth, and baselines to compare with.

A clip is relevant to a query when its midpoint lies in one of the query's spans; its grade is the highest
`relevance` of those spans (2 exact, 1 partial, 0 otherwise). Recall and MRR count grade 2 only, nDCG uses
all. Queries without an answer (no span) have no quality to measure and are left out.
"""

import functools
import urllib.parse
from collections.abc import Iterator, Mapping
from math import comb
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from helpers.arguments import check_limit, check_table, is_number
from helpers.errors import DataError, SearchError
from helpers.files import is_published
from helpers.search.stems import shares_content_word
from helpers.segments import HIT_COLUMNS, SPAN
from helpers.settings import ROOT

GROUND_TRUTH = ROOT / "data" / "ground_truth.csv"
EXACT = 2  # the relevance of a span that shows just what was asked for
HITS = "give a table as a search returns it"
METRICS = ("recall@1", "recall@5", "rr", "ndcg@10")
MEASURED = {
    "query_id": str,
    "query": str,
    **dict.fromkeys(METRICS, float),
    "reachable": bool,
    "shares_word": bool,
}
Grades = npt.NDArray[np.int64]


def load_ground_truth(path: str | Path | None = None) -> pd.DataFrame:
    """The spans that answer each query, one row per span; a query without an answer has one row, video "".

    Columns: query_id, query, video (file stem), start_offset_sec, end_offset_sec (seconds, NaN without an
    answer), relevance (2, 1; 0 without an answer). Raises DataError if the file is not the one that was
    published: its sha256 stands beside it, in a file of the same name plus `.sha256`.
    """
    if not isinstance(path, str | Path | None):
        raise DataError(f"The ground truth is a {type(path).__name__}: give the path of a file, or nothing.")
    file = Path(path) if path else GROUND_TRUTH
    note = file.with_name(file.name + ".sha256")
    for needed in (file, note):
        if not needed.is_file():
            raise DataError(f"{needed.name} is missing: restore it with `git checkout -- data`.")
    if not is_published(file, note.read_text(encoding="utf-8").split()[0]):
        raise DataError(
            f"{file.name} is not the file that was published (its sha256 differs): "
            "restore it with `git checkout -- data`."
        )
    truth = pd.read_csv(file, dtype={"query_id": str, "query": str, "video": str})
    return truth.fillna({"video": "", "relevance": 0}).astype(
        {"start_offset_sec": float, "end_offset_sec": float, "relevance": int}
    )


@functools.lru_cache(maxsize=4096)  # asked for each clip of each query
def video_name(video_url: str) -> str:
    """The name by which the ground truth knows a video: the file's stem, of a path or of a web address."""
    if video_url.startswith(("http://", "https://")):
        video_url = urllib.parse.unquote(urllib.parse.urlsplit(video_url).path)
    return PurePosixPath(video_url.replace("\\", "/")).stem


def relevance(hits: pd.DataFrame, spans: pd.DataFrame) -> Grades:
    """The grade (0, 1 or 2) of each hit or segment, in their order, given the spans of one query."""
    best: Grades = _grades(hits, spans).max(axis=1, initial=0)
    return best


def _grades(hits: pd.DataFrame, spans: pd.DataFrame) -> Grades:
    """The grade of each hit by each span."""
    middle = ((hits["start_offset_sec"] + hits["end_offset_sec"]) / 2).to_numpy(dtype=float)[:, None]
    inside = (
        _of_the_video(hits, spans)
        & (middle >= spans["start_offset_sec"].to_numpy(dtype=float))
        & (middle <= spans["end_offset_sec"].to_numpy(dtype=float))
    )
    return np.where(inside, spans["relevance"].to_numpy(dtype=np.int64), 0)


def mark_right(hits: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The hits with a column `right`: whether a hit has grade 2, given the rows of one query in the ground truth.

    Raises SearchError for rows of several queries, and for what are no hits.
    """
    _check_truth(truth)
    check_table(hits, SearchError, what="hits", cure=HITS, numbers=SPAN, texts=["video_url"])
    if truth["query_id"].nunique() > 1:
        raise SearchError(
            "The ground truth has rows of several queries: keep those of the query that was asked."
        )
    return hits.assign(right=relevance(hits, truth) >= EXACT)


def _of_the_video(hits: pd.DataFrame, spans: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """For each hit and each span, whether the span names the hit's video: by its file's stem, or its video_id."""
    named = spans["video"].to_numpy(dtype=object)
    names = [hits["video_url"].map(video_name), *([hits["video_id"]] if "video_id" in hits else [])]
    found: npt.NDArray[np.bool_] = np.any(
        [name.to_numpy(dtype=object)[:, None] == named for name in names], axis=0
    )
    return found


def recall_at_k(grades: Grades, k: int) -> float:
    """1.0 if any of the first k hits has grade 2, else 0.0; the mean over queries is the share answered."""
    return float(np.any(np.asarray(grades)[:k] >= EXACT))


def reciprocal_rank(grades: Grades, k: int = 10) -> float:
    """1 / rank of the first hit of grade 2 among the first k, else 0.0; the mean over queries is the MRR.

    Cut at k, so that searches of different lengths can be compared.
    """
    found = np.flatnonzero(np.asarray(grades)[:k] >= EXACT)
    return 1.0 / (int(found[0]) + 1) if found.size else 0.0


def dcg_at_k(grades: Grades, k: int) -> float:
    """Discounted cumulated gain: the sum over the first k hits of (2^grade - 1) / log2(rank + 1).

    The discounted gain is Järvelin and Kekäläinen's (ACM TOIS 20(4), 2002, doi:10.1145/582415.582418); gain
    2^grade - 1 and discount log2(rank + 1) as in Burges et al. (ICML 2005, doi:10.1145/1102351.1102363).
    """
    top = np.asarray(grades, dtype=float)[:k]
    return float(((2.0**top - 1.0) / np.log2(np.arange(2, top.size + 2))).sum())


def ndcg_at_k(grades: Grades, corpus_grades: Grades, k: int = 10) -> float:
    """DCG of the hits over that of the best order of the whole corpus; 0.0 if no clip is relevant."""
    best = dcg_at_k(np.sort(np.asarray(corpus_grades))[::-1], k)
    return dcg_at_k(grades, k) / best if best else 0.0


def temporal_iou(
    a_start: npt.ArrayLike, a_end: npt.ArrayLike, b_start: npt.ArrayLike, b_end: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Seconds shared by two stretches of time over the seconds that they cover together; 0 if they are empty.

    Numbers or arrays (broadcast), in seconds.
    """
    try:
        times = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (a_start, a_end, b_start, b_end)))
    except (TypeError, ValueError, OverflowError):
        raise SearchError(
            "The times are no numbers, or differ in number: give seconds, or arrays of them."
        ) from None
    a0, a1, b0, b1 = times
    shared = np.clip(np.minimum(a1, b1) - np.maximum(a0, b0), 0.0, None)
    union = (a1 - a0) + (b1 - b0) - shared
    iou: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou


# ---------------------------------------------------------------- over all queries
def evaluate(
    rankings: Mapping[str, pd.DataFrame], truth: pd.DataFrame, *, segments: pd.DataFrame
) -> pd.DataFrame:
    """Measure one search: `rankings` maps query_id to its hits, best first; `segments` is the whole corpus.

    One row per query that has an answer, in the order of `truth`: query_id, query, the metrics recall@1,
    recall@5, rr and ndcg@10 (each within the hits given), `reachable` (some clip of the corpus has grade 2:
    where none has, no search can succeed) and `shares_word` (the query shares a content word with its cue, the
    descriptions of the clips of which a grade-2 span has a second). Raises SearchError if a query has no ranking.
    """
    if not isinstance(rankings, Mapping):
        raise SearchError("The rankings are no dict: give the hits of each query, {query_id: hits}.")
    rows = []
    for asked in _answerable(truth, segments):
        if asked.id not in rankings:
            raise SearchError(
                f"There is no ranking for query {asked.id} ({asked.words!r}): search for it as well."
            )
        hits = rankings[asked.id]
        check_table(hits, SearchError, what="hits", cure=HITS, numbers=SPAN, texts=["video_url"])
        grades = relevance(hits, asked.spans)
        recalls = recall_at_k(grades, 1), recall_at_k(grades, 5)
        metrics = (*recalls, reciprocal_rank(grades), ndcg_at_k(grades, asked.corpus))
        rows.append(asked.measured(metrics))
    return pd.DataFrame(rows, columns=list(MEASURED)).astype(MEASURED)


def summarise(evaluations: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The mean over queries of each evaluation: columns queries, recall@1, recall@5, MRR, nDCG@10; NaN without any."""
    if not isinstance(evaluations, Mapping):
        raise SearchError("The evaluations are no dict: give the table of each search, {name: evaluation}.")
    for rows in evaluations.values():
        check_table(
            rows, SearchError, what="evaluations", cure="give what evaluate returned", numbers=METRICS
        )
    means = {name: [len(rows), *(rows[m].mean() for m in METRICS)] for name, rows in evaluations.items()}
    columns = ["queries", "recall@1", "recall@5", "MRR", "nDCG@10"]
    return pd.DataFrame.from_dict(means, orient="index", columns=columns).astype({"queries": int})


class _Asked(NamedTuple):
    """A query with an answer: its spans, the grades of all clips of the corpus, and its cue."""

    id: str
    words: str
    spans: pd.DataFrame
    corpus: Grades
    cue: str

    def measured(self, metrics: tuple[float, ...]) -> list[object]:
        """Its row, as MEASURED has the columns."""
        reachable = bool(np.any(self.corpus >= EXACT))
        return [self.id, self.words, *metrics, reachable, shares_content_word(self.words, self.cue)]


def _answerable(truth: pd.DataFrame, segments: pd.DataFrame) -> Iterator[_Asked]:
    _check_truth(truth)
    clips, spans = _clips(segments), truth[truth["video"] != ""]
    grades, near, words = _grades(clips, spans), _near(clips, spans), clips["description"].to_numpy()
    numbers, ids = pd.factorize(spans["query_id"])
    for number, query_id in enumerate(ids):
        own = np.flatnonzero(numbers == number)
        asked, cue = spans.take(own), " ".join(words[near[:, own].any(axis=1)])
        yield _Asked(str(query_id), str(asked["query"].iloc[0]), asked, grades[:, own].max(axis=1), cue)


def _near(clips: pd.DataFrame, spans: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """For each clip and each span, whether the span has grade 2 and they share at least a second."""
    (a0, a1), (b0, b1) = ([table[name].to_numpy(float) for name in SPAN] for table in (clips, spans))
    shared = np.minimum.outer(a1, b1) - np.maximum.outer(a0, b0)
    exact = spans["relevance"].to_numpy() >= EXACT
    near: npt.NDArray[np.bool_] = _of_the_video(clips, spans) & (shared >= 1) & exact
    return near


def _check_truth(truth: pd.DataFrame) -> None:
    cure, texts = "give what load_ground_truth returned", ("query_id", "query", "video")
    numbers = (*SPAN, "relevance")
    check_table(truth, SearchError, what="queries", cure=cure, numbers=numbers, texts=texts)


def _clips(segments: pd.DataFrame) -> pd.DataFrame:
    texts = ("segment_id", "video_url", "embedding_scope", "description")
    cure = "give the table of embed_videos"
    check_table(segments, SearchError, what="segments", cure=cure, numbers=SPAN, texts=texts)
    return segments[segments["embedding_scope"] == "clip"]


# ---------------------------------------------------------------- baselines
def expected_at_random(truth: pd.DataFrame, *, segments: pd.DataFrame) -> pd.DataFrame:
    """The exact expectation of `evaluate` when all clips come in random order; rows and columns as there.

    With n clips of which r have grade 2: recall@k is 1 - C(n-r, k) / C(n, k), the first of them stands at
    rank i (up to 10) with probability C(n-i, r-1) / C(n, r), and each rank of the DCG holds the mean gain.
    """
    rows = []
    for asked in _answerable(truth, segments):
        corpus = asked.corpus
        n, r = len(corpus), int((corpus >= EXACT).sum())
        missed = [comb(n - r, min(k, n)) / comb(n, min(k, n)) for k in (1, 5)]
        first = (
            sum(comb(n - i, r - 1) / comb(n, r) / i for i in range(1, min(10, n - r + 1) + 1)) if r else 0.0
        )
        best = dcg_at_k(np.sort(corpus)[::-1], 10)
        gain = float((2.0**corpus - 1.0).mean()) * float((1 / np.log2(np.arange(2, min(n, 10) + 2))).sum())
        metrics = (1 - missed[0], 1 - missed[1], first, gain / best if best else 0.0)
        rows.append(asked.measured(metrics))
    return pd.DataFrame(rows, columns=list(MEASURED)).astype(MEASURED)


def bm25_ranking(
    segments: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    limit: int | None = None,
    k1: float = 1.2,
    b: float = 0.75,
) -> dict[str, pd.DataFrame]:
    """For each query of `truth`, the clips by plain BM25 over `description`, as hits: {query_id: hits}.

    Plain: lower-case words, no stemming, no stop words; a clip without any word of the query is no hit.
    Robertson and Zaragoza (2009, doi:10.1561/1500000019), with idf = log(1 + (N - n + 0.5) / (n + 0.5)),
    which is never negative (as in Lucene). Raises SearchError if no clip has a description.
    """
    _check_truth(truth)
    clips = _clips(segments)
    check_limit(SearchError, limit)
    if not (is_number(k1) and 0 <= k1 < np.inf and is_number(b) and 0 <= b <= 1):
        raise SearchError(f"k1 is {k1!r} and b {b!r}: give k1 of 0 or more, and b from 0 to 1.")
    if not clips["description"].str.contains(r"\w").any():
        raise SearchError("No segment has a description to search in: embed videos that have one.")
    words = CountVectorizer(token_pattern=r"(?u)\b\w+\b", dtype=np.float64)
    tf = words.fit_transform(clips["description"]).tocsr()
    length = np.asarray(tf.sum(axis=1)).ravel()
    n = np.bincount(tf.indices, minlength=tf.shape[1])
    idf = np.log1p((len(clips) - n + 0.5) / (n + 0.5))
    norm = k1 * (1 - b + b * length / length.mean())
    tf.data = idf[tf.indices] * tf.data * (k1 + 1) / (tf.data + np.repeat(norm, np.diff(tf.indptr)))
    queries = truth[["query_id", "query"]].drop_duplicates()
    scores = (words.transform(queries["query"]) @ tf.T).toarray()
    found = scores > 0
    return {
        query_id: _hits(clips[keep], score[keep], limit)
        for query_id, score, keep in zip(queries["query_id"], scores, found, strict=True)
    }


def _hits(clips: pd.DataFrame, scores: npt.NDArray[np.float64], limit: int | None) -> pd.DataFrame:
    """Clips with their scores as hits, best first; equal scores in the order of segment_id."""
    order = np.lexsort((clips["segment_id"].to_numpy(dtype=str), -scores))[:limit]
    hits = clips.iloc[order].assign(rank=np.arange(1, len(order) + 1), score=scores[order])
    return hits[[c for c in HIT_COLUMNS if c in hits]].reset_index(drop=True)
