"""The analyst's own words: cluster names, tags and notes, in one Parquet file that survives re-clustering.

Labels are a table keyed by `segment_id`, with the columns of COLUMNS: `cluster` (int, -1 for noise and for
segments outside the last clustering), `name` (of the cluster), `tags` ("a; b") and `note`. Every function
that changes labels returns a new table; `write_labels` keeps it.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from scipy.optimize import linear_sum_assignment

from helpers.errors import AnalysisError
from helpers.files import write_file

COLUMNS = ["segment_id", "cluster", "name", "tags", "note"]


WORDS = ["name", "tags", "note"]


WAS = "was "  # and a name: the tag that keeps a name whose cluster is gone


class Carried(NamedTuple):
    """What became of the names: the new labels; the names that found a cluster (name, old, new, shared); and
    the names that found none. `old` and `new` are cluster numbers, `shared` counts segments."""

    labels: pd.DataFrame
    matched: pd.DataFrame
    unmatched: list[str]


def read_labels(path: str | Path) -> pd.DataFrame:
    """The labels in the file, or an empty table where there is no file.

    Raises AnalysisError for a file that is damaged or holds something else; it is left as it is.
    """
    file, cure = Path(path).expanduser(), "move it away, or put a copy of it back"
    try:
        with open(file, "rb") as opened:
            table: pd.DataFrame = parquet.ParquetFile(opened).read(columns=COLUMNS).to_pandas()
    except (FileNotFoundError, NotADirectoryError):
        return make_labels({})
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AnalysisError(
            f"The labels in {file} cannot be read (damaged, or no file of labels): {cure}."
        ) from error
    try:
        return check_labels_table(table)
    except AnalysisError as error:
        raise AnalysisError(
            f"The file {file} holds no labels as this project writes them: {cure}."
        ) from error


def write_labels(path: str | Path, labels: pd.DataFrame) -> Path:
    """Write the labels and return the path; a kill or a full disk at any moment leaves the old file.

    Raises AnalysisError for a table that is none of labels, a file there that holds something else (it is not
    overwritten), and a folder that cannot be written.
    """
    table = check_labels_table(labels)
    read_labels(path)
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return write_result(Path(path).expanduser(), buffer.getvalue())


def write_result(path: Path, data: bytes) -> Path:
    """Put what an analyst keeps at `path`; AnalysisError if it cannot be written."""
    try:
        write_file(path, data)
    except OSError as error:
        raise AnalysisError(
            f"{path} was not written ({error.strerror or error}), and what was there before is untouched: "
            "free some space, or name another folder."
        ) from error
    return path


def make_labels(columns: dict[str, Any]) -> pd.DataFrame:
    """A table of labels from columns of equal length; words that are left out are empty."""
    ids = list(columns.get("segment_id", []))
    blank = {"cluster": [-1] * len(ids)} | {word: [""] * len(ids) for word in WORDS}
    table = pd.DataFrame({"segment_id": ids} | blank | columns, columns=COLUMNS)
    return table.astype({column: "int64" if column == "cluster" else "str" for column in COLUMNS})


def check_labels_table(labels: pd.DataFrame) -> pd.DataFrame:
    """A copy with the columns, types and order of labels, rows counted from 0; AnalysisError if it is none."""
    absent = [column for column in COLUMNS if column not in labels]
    if absent:
        raise AnalysisError(f"The labels lack the column {absent[0]!r}: use the table of read_labels.")
    table = labels[COLUMNS].reset_index(drop=True)
    texts = [cell for column in ("segment_id", *WORDS) for cell in table[column]]
    if not all(isinstance(cell, str) for cell in texts) or not _whole(table["cluster"]):
        raise AnalysisError(
            "The labels hold a cell of the wrong kind: words are text, clusters whole numbers."
        )
    if (twice := table["segment_id"].duplicated()).any():
        again = table.loc[twice, "segment_id"].iloc[0]
        raise AnalysisError(f"The segment {again!r} is in the labels twice: keep one row of it.")
    return make_labels({column: table[column].tolist() for column in COLUMNS})


def _whole(numbers: pd.Series) -> bool:
    return bool(pd.api.types.is_integer_dtype(numbers) and not numbers.isna().any()) or numbers.empty


def _text(words: object, what: str) -> str:
    if not isinstance(words, str) or words.encode(errors="replace").decode() != words:
        raise AnalysisError(f"The {what} {words!r} is no text that can be written: type it again.")
    return words


def assign_clusters(labels: pd.DataFrame, clusters: pd.Series) -> Carried:
    """Give segments their new clusters (a Series of whole numbers by segment_id); names follow the overlap.

    Names and new clusters are paired one to one so that the segments which they share are as many as can be:
    the assignment problem on the contingency table (Kuhn 1955, doi:10.1002/nav.3800020109), solved by
    scipy.optimize.linear_sum_assignment. A name goes to all segments of its new cluster and leaves the rest
    of its old one. Noise (-1) takes no name. A name that shares no segment with a cluster left for it is
    listed as unmatched, and stays on its segments as the tag "was <name>"; it is a name again, and the tag
    goes, as soon as a cluster without a name has exactly these segments. Segments that are not in `clusters`
    keep their words and get the cluster -1, as the number of another clustering would mislead.
    How clusters are numbered changes nothing. Raises AnalysisError for clusters or labels that are none.
    """
    table, new = check_labels_table(labels), _clusters(clusters)
    table = _with_rows(table, list(new.index))
    found = table["segment_id"].map(new)
    inside = found.notna()
    old, table["cluster"] = table["cluster"], found.fillna(-1).astype("int64")

    # Names and clusters in the order of their first segment_id: ties then do not hang on how either is called.
    votes = table[inside & (table["name"] != "")].sort_values("segment_id")
    names = list(votes["name"].unique())
    takers = table[table["cluster"] != -1].sort_values("segment_id")["cluster"]
    numbers = pd.Index(takers.unique())
    votes = votes[votes["cluster"] != -1]
    shared = np.zeros((len(names), len(numbers)), dtype=np.int64)
    cells = pd.Index(names).get_indexer(votes["name"]), numbers.get_indexer(votes["cluster"])
    np.add.at(shared, cells, 1)
    pairs = [
        (n, c) for n, c in zip(*linear_sum_assignment(shared, maximize=True), strict=True) if shared[n, c]
    ]
    rows = [(names[n], _usual(old[table["name"] == names[n]]), numbers[c], shared[n, c]) for n, c in pairs]
    matched = pd.DataFrame(rows, columns=["name", "old", "new", "shared"])
    matched = matched.astype({"name": "str", "old": "int64", "new": "int64", "shared": "int64"})
    unmatched = [name for name in names if name not in set(matched["name"])]
    lost = inside & table["name"].isin(unmatched)
    was = [
        _add_tags(tags, [f"{WAS}{name}"])
        for tags, name in zip(table["tags"][lost], table["name"][lost], strict=True)
    ]
    table.loc[lost, "tags"] = was
    follow = dict(zip(matched["new"], matched["name"], strict=True))
    now = [follow.get(cluster, "") for cluster in table["cluster"]]
    table["name"] = table["name"].mask(inside, pd.Series(now, index=table.index, dtype="str"))
    table, back = _names_again(table)
    matched = pd.concat([matched, back.astype(matched.dtypes)], ignore_index=True)
    return Carried(table, matched, unmatched)


def _names_again(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn tags "was <name>" into names where a cluster without one has exactly the segments with the tag.

    Gives the table and the names that came back (name, old: -1, new, shared). A name in use stays where it
    is, and of two names for one cluster neither is taken.
    """
    tags = table["tags"].map(split_tags)
    tagged = tags.explode().dropna()
    tagged = tagged[tagged.str.startswith(WAS)]
    rows_of = {tag: frozenset(rows) for tag, rows in tagged.groupby(tagged).groups.items()}
    claims = list(rows_of.values())
    bare = table[(table["cluster"] != -1) & (table["name"] == "")]
    cluster_at = {frozenset(rows): cluster for cluster, rows in bare.groupby("cluster").groups.items()}
    used, back = set(table["name"]), []
    for tag, rows in rows_of.items():
        name = str(tag).removeprefix(WAS)
        if rows not in cluster_at or name in used or claims.count(rows) > 1:
            continue
        table.loc[list(rows), "name"] = name
        for row in rows:
            table.loc[row, "tags"] = _add_tags("", [other for other in tags[row] if other != tag])
        back.append((name, -1, cluster_at[rows], len(rows)))
    return table, pd.DataFrame(back, columns=["name", "old", "new", "shared"])


def _usual(numbers: pd.Series) -> int:
    """The cluster that most of the rows of a name had; -1 where none was in a cluster."""
    real = numbers[numbers != -1].mode()
    return int(real.iloc[0]) if len(real) else -1


def _clusters(clusters: pd.Series) -> pd.Series:
    ids = list(clusters.index)
    if not all(isinstance(key, str) and key for key in ids) or not clusters.index.is_unique:
        raise AnalysisError(
            "The clusters name a segment twice, or by no segment_id: index them by segment_id."
        )
    if not _whole(clusters) or (clusters < -1).any():
        raise AnalysisError(
            "A cluster is no whole number from -1: give those of kmeans_clusters or hdbscan_clusters."
        )
    return pd.Series(clusters.to_numpy(), index=ids, dtype="int64")


def name_cluster(labels: pd.DataFrame, cluster: int, name: str) -> pd.DataFrame:
    """Name a cluster, or name it anew; "" takes the name away. One name stands for one cluster.

    Space around the name is dropped; every other character stays.

    Raises AnalysisError for a cluster that has no segment, for noise, and for a name of another cluster.
    """
    table, name = check_labels_table(labels), _text(name, "name").strip()
    known = sorted(set(table["cluster"]) - {-1})
    if cluster not in known:
        choice = f"choose from {', '.join(map(str, known))}" if known else "call assign_clusters first"
        raise AnalysisError(f"There is no cluster {cluster} to name (noise is none): {choice}.")
    taken = table[(table["name"] == name) & ~table["cluster"].isin([cluster, -1])]
    if name and len(taken):
        raise AnalysisError(
            f"The name {name!r} is that of cluster {taken['cluster'].iloc[0]}: use another name."
        )
    table.loc[table["cluster"] == cluster, "name"] = name
    return table


def tag_segments(labels: pd.DataFrame, segment_ids: Sequence[str], *tags: str) -> pd.DataFrame:
    """Add tags to segments, each once; "a; b" is two tags. A segment without a row gets one (cluster -1)."""
    ids = [segment_ids] if isinstance(segment_ids, str) else list(dict.fromkeys(segment_ids))
    new = [part.strip() for tag in tags for part in _text(tag, "tag").split(";") if part.strip()]
    table = _with_rows(labels, ids)
    rows = table["segment_id"].isin(ids)
    table.loc[rows, "tags"] = [_add_tags(old, new) for old in table.loc[rows, "tags"]]
    return table


def annotate_segment(labels: pd.DataFrame, segment_id: str, note: str) -> pd.DataFrame:
    """Set the note of a segment, "" for none. A segment without a row gets one (cluster -1)."""
    table = _with_rows(labels, [segment_id])
    table.loc[table["segment_id"] == segment_id, "note"] = _text(note, "note")
    return table


def _with_rows(labels: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """A checked copy in which every one of the segments has a row."""
    table = check_labels_table(labels)
    if not all(_text(key, "segment_id") for key in ids):
        raise AnalysisError("A segment_id is empty: name segments by the segment_id of the table.")
    known = set(table["segment_id"])
    fresh = make_labels({"segment_id": [key for key in ids if key not in known]})
    return pd.concat([table, fresh], ignore_index=True)


def split_tags(tags: str) -> list[str]:
    r"""The single tags of a cell "a; b"; a semicolon or backslash inside a tag is written `\;` or `\\`."""
    parts = re.findall(r"(?:[^;\\]|\\.)+", tags, flags=re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", part.strip(), flags=re.DOTALL) for part in parts if part.strip()]


def _add_tags(tags: str, new: Sequence[str]) -> str:
    every = dict.fromkeys([*split_tags(tags), *new])
    return "; ".join(re.sub(r"([;\\])", r"\\\1", tag) for tag in every)
