"""Words for clusters: suggestions from descriptions or from embedded words, and the labels set by hand."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from helpers.analysis.checks import (
    check_labels,
    check_matrix,
    check_segments,
    spans_of,
    whole_number,
    without_noise,
)
from helpers.analysis.matrix import EPSILON, Matrix, unit_rows
from helpers.arguments import as_list
from helpers.errors import AnalysisError, DataError
from helpers.search.evaluation import video_name
from helpers.search.stems import content_words
from helpers.segments import Query
from helpers.settings import ROOT
from helpers.videos.catalogue import catalogue
from helpers.videos.samples import content_digits

SCENES = ROOT / "data" / "scenes.csv"
WORD = r"(?u)\b[^\W\d_]{2,}\b"


def suggest_labels(segments: pd.DataFrame, labels: npt.ArrayLike, *, words: int = 3) -> pd.Series:
    """Up to `words` words of the descriptions that mark each cluster: a Series, cluster -> "word, word, word".

    The weight of a word in a cluster is c-TF-IDF (Grootendorst 2022, arXiv:2203.05794): its share of the
    cluster's words, times log(1 + A / f), with A the mean number of words per cluster and f how often the
    word occurs in all clusters. English stop words are left out, and of words with one stem (rabbit, rabbits)
    the best stays. They are suggestions: words that set clusters apart, which need not be what one sees.
    A cluster without a description has "", noise (-1) no row. Raises AnalysisError if there are no words at all.
    """
    check_segments(segments, texts=["description"])
    words = whole_number(words, "The number of words", least=0)
    groups = check_labels(labels, len(segments))
    names = without_noise(groups.tolist())
    texts = [" ".join(segments["description"].to_numpy(dtype=object)[groups == name]) for name in names]
    counter = CountVectorizer(stop_words="english", token_pattern=WORD, dtype=np.float64)
    try:
        counts = counter.fit_transform(texts).toarray()
    except ValueError as error:  # an empty vocabulary
        raise AnalysisError(
            "No clustered segment has a description to take words from: use nearest_concepts instead."
        ) from error
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    weights = share * np.log1p(totals.mean() / counts.sum(axis=0))
    return _best(weights, list(counter.get_feature_names_out()), names, words)


def nearest_concepts(
    matrix: Matrix, labels: npt.ArrayLike, queries: Sequence[Query], *, words: int = 3
) -> pd.Series:
    """The `words` embedded words nearest to each cluster: a Series, cluster -> "word, word, word".

    `queries` come from `embed_text`, one per word or phrase; near is the cosine between the word and the
    cluster's mean minus the mean of all rows, that is, what sets the cluster apart ("" for an only cluster).
    They are suggestions; noise (-1) has no row. Raises AnalysisError without queries, for queries of several
    models, or of another dimension than the matrix (a fused matrix fits no word).
    """
    matrix, words = check_matrix(matrix), whole_number(words, "The number of words", least=0)
    groups = check_labels(labels, len(matrix))
    queries = as_list(queries)
    if not all(
        isinstance(q, Query) and isinstance(q.model, str) and isinstance(q.source, str) for q in queries
    ):
        raise AnalysisError("A word is no Query: give a list of what embed_text returns.")
    if not queries:
        raise AnalysisError("There are no words to choose from: embed some with embed_text.")
    if len({query.model for query in queries}) > 1:
        raise AnalysisError("The words were embedded with several models: embed all with the same one.")
    vectors = [check_matrix([query.vector])[0] for query in queries]
    if any(vector.shape != (matrix.shape[1],) for vector in vectors):
        raise AnalysisError(
            f"The words' vectors have {vectors[0].size} numbers, the segments' {matrix.shape[1]}: "
            "use the matrix of one option, and the model that embedded the segments."
        )
    names = without_noise(groups.tolist())
    if not names:
        return _best(np.zeros((0, len(queries))), [], [], words)
    rows = np.asarray(matrix, dtype=np.float64)
    apart = np.stack([rows[groups == name].mean(axis=0) for name in names]) - rows.mean(axis=0)
    cosines = unit_rows(apart).astype(np.float64) @ unit_rows(np.stack(vectors)).T
    known = np.where(np.linalg.norm(apart, axis=1, keepdims=True) > EPSILON, cosines + 2.0, 0.0)
    return _best(known, [query.source for query in queries], names, words)


def _best(weights: npt.NDArray[np.float64], words: list[str], names: list[int], limit: int) -> pd.Series:
    """For each row, the words with the largest weights above 0; equal ones by the alphabet; one per stem."""
    found = []
    for row in weights:
        chosen: list[str] = []
        stems: set[frozenset[str]] = set()
        for i in np.lexsort((np.array(words), -np.round(row, 9))):
            stem = frozenset(content_words(words[i]) or {words[i]})
            if len(chosen) == limit or row[i] <= 0:
                break
            if stem not in stems:
                chosen.append(words[i])
                stems.add(stem)
        found.append(", ".join(chosen))
    return pd.Series(found, index=pd.Index(names, name="cluster", dtype=np.int64), name="label", dtype=str)


def scene_labels(segments: pd.DataFrame) -> pd.DataFrame:
    """What was labelled by hand in data/scenes.csv: columns who, where, with the index of `segments`.

    A segment takes the labels of the scene with which it shares the most time (the earlier one of equals). A
    sample is known by its content, the digits that end `video_id`, or else by its file's name; any other video
    has "" for both. Raises DataError if the file is missing.
    """
    check_segments(segments, texts=["video_url"], spans=True)
    try:
        scenes = pd.read_csv(SCENES, keep_default_na=False)
    except OSError as error:
        raise DataError("data/scenes.csv is missing: restore it with `git checkout -- data`.") from error
    known = catalogue()
    stems = dict(zip(known["sha256"].str[:10], known["file"].map(video_name), strict=True))
    spans = {str(name): rows for name, rows in scenes.groupby("video", sort=False)}
    found = []
    for row in segments.to_dict("records"):
        digits = content_digits(str(row.get("video_id", "")))
        rows = spans.get(stems.get(digits, "") if digits else video_name(str(row["video_url"])))
        if rows is None:
            found.append(("", ""))
            continue
        begin, finish = spans_of(rows)
        shared = np.minimum(finish, row["end_offset_sec"]) - np.maximum(begin, row["start_offset_sec"])
        best = rows.iloc[int(np.argmax(np.round(shared, 6)))]
        found.append((best["who"], best["where"]) if shared.max() > 0 else ("", ""))
    return pd.DataFrame(found, columns=["who", "where"], index=segments.index, dtype=str)
