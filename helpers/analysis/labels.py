"""The analyst's own words: cluster names, tags and notes, in one Parquet file that survives re-clustering.

Labels are a table keyed by `segment_id`, with the columns of COLUMNS: `cluster` (int, -1 for noise and for
segments outside the last clustering), `name` (of the cluster), `tags` ("a; b"), `note` and `moved` (where an
analyst put it, see moves.py; "" and in older tables absent: nowhere). Every function that changes labels returns a
new table; `write_labels` keeps it. Where somebody else may write to the same file (the explorer, another notebook),
give the change to `change_labels`, which reads, changes and writes under one lock. Words belong to a moment: where a
video was embedded again, by another model or segmentation, they follow to the segments of the same start and end.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from filelock import FileLock, Timeout
from pyarrow import parquet

from helpers.analysis.checks import NOISE, are_among, without_noise
from helpers.arguments import as_list, check_table, checked_path, is_number, is_text
from helpers.errors import AnalysisError
from helpers.files import write_file
from helpers.segments import moment_of

COLUMNS = ["segment_id", "cluster", "name", "tags", "note", "moved"]
WORDS = ["name", "tags", "note"]
OWN = [*WORDS, "moved"]  # what an analyst gave
TYPES = {column: pd.Series(dtype="int64" if column == "cluster" else "str").dtype for column in COLUMNS}
PATIENCE = 20.0  # seconds for which a change waits until another notebook has written


def read_labels(path: str | Path) -> pd.DataFrame:
    """The labels in the file, or an empty table where there is no file.

    Raises AnalysisError for a file that is damaged or holds something else; it is left as it is.
    """
    file = checked_path(path, AnalysisError, what="path of the labels")
    cure = "move it away, or put a copy of it back"
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
    file = checked_path(path, AnalysisError, what="path of the labels")
    with _alone_with(file):
        read_labels(file)
        return _write(file, table)


def change_labels(path: str | Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Change the labels in the file so that nothing is lost when two notebooks write at the same moment.

    `change(labels)` gets them as they are now and gives the new table, while every other writer waits. Returns
    that table. Raises AnalysisError as `read_labels` and `write_labels`, and if another process holds the file.
    """
    if not callable(change):
        raise AnalysisError(
            f"The change is a {type(change).__name__}: give a function from labels to labels."
        )
    file = checked_path(path, AnalysisError, what="path of the labels")
    with _alone_with(file):
        table = check_labels_table(change(read_labels(file)))
        _write(file, table)
    return table


def _write(file: Path, table: pd.DataFrame) -> Path:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return write_result(file, buffer.getvalue())


@contextmanager
def _alone_with(file: Path) -> Iterator[None]:
    """While this lasts, no other process writes these labels."""
    target = Path(file).resolve()
    lock = FileLock(target.with_name(f".{target.name}.lock"), timeout=PATIENCE)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise AnalysisError(
            f"Another notebook has been writing {file} for {PATIENCE:.0f} seconds: wait, then do it again."
        ) from error
    except (OSError, ValueError) as error:
        raise _not_written(file, error) from error
    try:
        yield
    finally:
        lock.release()


def write_result(path: Path, data: bytes) -> Path:
    """Put what an analyst keeps at `path`; AnalysisError if it cannot be written."""
    try:
        write_file(path, data)
    except (OSError, ValueError) as error:  # a ValueError for the path of no file, such as "/"
        raise _not_written(path, error) from error
    return path


def _not_written(path: Path, error: Exception) -> AnalysisError:
    reason = getattr(error, "strerror", None) or error
    return AnalysisError(
        f"{path} was not written ({reason}), and what was there before is untouched: "
        "free some space, or name another folder."
    )


def make_labels(columns: dict[str, Any]) -> pd.DataFrame:
    """A table of labels from columns of equal length; words that are left out are empty."""
    ids = list(columns.get("segment_id", []))
    blank = {"cluster": [NOISE] * len(ids)} | {word: [""] * len(ids) for word in OWN}
    cells = {"segment_id": ids} | blank | columns
    return pd.DataFrame({column: pd.array(cells[column], dtype=kind) for column, kind in TYPES.items()})


def check_labels_table(labels: pd.DataFrame) -> pd.DataFrame:
    """A copy with the columns, types and order of labels, rows counted from 0; AnalysisError if it is none."""
    cure = "use the table of read_labels"
    check_table(labels, AnalysisError, what="labels", cure=cure, columns=COLUMNS[:-1])
    table = (labels if "moved" in labels else labels.assign(moved=""))[COLUMNS].reset_index(drop=True)
    as_made = table.dtypes.to_dict() == TYPES and not any(cells.hasnans for _, cells in table.items())
    texts = [] if as_made else [cell for c in ("segment_id", *OWN) for cell in table[c].tolist()]
    if not all(isinstance(cell, str) for cell in texts) or not are_whole_numbers(table["cluster"]):
        raise AnalysisError(
            "The labels hold a cell of the wrong kind: words are text, clusters whole numbers."
        )
    if not (ids := table["segment_id"]).is_unique:
        again = ids[ids.duplicated()].iloc[0]
        raise AnalysisError(f"The segment {again!r} is in the labels twice: keep one row of it.")
    return table if as_made else make_labels({column: table[column].tolist() for column in COLUMNS})


def are_whole_numbers(numbers: pd.Series) -> bool:
    """Whether there is a whole number in each row; an empty column may be of any type."""
    return bool(pd.api.types.is_integer_dtype(numbers) and not numbers.isna().any()) or numbers.empty


def _text(words: object, what: str) -> str:
    if not is_text(words):
        raise AnalysisError(f"The {what} {words!r} is no text that can be written: type it again.")
    return words


def segment_ids_of(segment_ids: Sequence[str]) -> list[str]:
    """The ids as a list, each once; AnalysisError for one that is no text."""
    return list(dict.fromkeys(_text(key, "segment_id") for key in as_list(segment_ids)))


def name_cluster(labels: pd.DataFrame, cluster: int, name: str) -> pd.DataFrame:
    """Name a cluster, or name it anew; "" takes the name away. One name stands for one cluster.

    Space around the name is dropped; every other character stays.

    Raises AnalysisError for a cluster that has no segment, for noise, and for a name of another cluster.
    """
    table, name = check_labels_table(labels), _text(name, "name").strip()
    known = without_noise(table["cluster"])
    if not is_number(cluster) or cluster not in known:
        choice = f"choose from {', '.join(map(str, known))}" if known else "call assign_clusters first"
        raise AnalysisError(f"There is no cluster {cluster} to name (noise is none): {choice}.")
    taken = table[(table["name"] == name) & ~table["cluster"].isin([cluster, NOISE])]
    if name and len(taken):
        raise AnalysisError(
            f"The name {name!r} is that of cluster {taken['cluster'].iloc[0]}: use another name."
        )
    table.loc[table["cluster"] == cluster, "name"] = name
    return table


def tag_segments(labels: pd.DataFrame, segment_ids: Sequence[str], *tags: str) -> pd.DataFrame:
    """Add tags to segments, each once; "a; b" is two tags. A segment without a row gets one (cluster -1)."""
    ids = segment_ids_of(segment_ids)
    new = [part.strip() for tag in tags for part in _text(tag, "tag").split(";") if part.strip()]
    table = with_rows(labels, ids)
    rows = are_among(table["segment_id"], ids)
    table.loc[rows, "tags"] = [add_tags(old, new) for old in table.loc[rows, "tags"]]
    return table


def untag_segments(labels: pd.DataFrame, segment_ids: Sequence[str], *tags: str) -> pd.DataFrame:
    """Take tags from segments; "a; b" is two tags. What has no such tag stays as it is."""
    ids = segment_ids_of(segment_ids)
    gone = {part.strip() for tag in tags for part in _text(tag, "tag").split(";")}
    table = check_labels_table(labels)
    rows = are_among(table["segment_id"], ids)
    table.loc[rows, "tags"] = [
        add_tags("", [tag for tag in split_tags(old) if tag not in gone]) for old in table.loc[rows, "tags"]
    ]
    return table


def annotate_segment(labels: pd.DataFrame, segment_id: str, note: str) -> pd.DataFrame:
    """Set the note of a segment, "" for none. A segment without a row gets one (cluster -1)."""
    table = with_rows(labels, [segment_id])
    table.loc[table["segment_id"] == segment_id, "note"] = _text(note, "note")
    return table


def follow_moments(labels: pd.DataFrame, segment_ids: Sequence[str]) -> pd.DataFrame:
    """The labels, in which the words of a moment stand at the one of `segment_ids` that is this moment now.

    A segment without a row takes over the row, cluster included, of a segment with the same video, scope, start
    and end that another model or segmentation made, and that is not among `segment_ids` (of several the last
    that has words). A segment with a row keeps it.
    """
    table = check_labels_table(labels)
    spoken = (table[OWN] != "").any(axis=1) & ~are_among(table["segment_id"], segment_ids)
    old = {moment: key for key in table.loc[spoken, "segment_id"] if (moment := moment_of(key))}
    fresh = ((moment_of(key), key) for key in _without_row(table, segment_ids)) if old else ()
    if heirs := {old[moment]: key for moment, key in fresh if moment in old}:
        table["segment_id"] = [heirs.get(key, key) for key in table["segment_id"]]
    return table


def with_rows(labels: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """A checked copy in which every one of the segments has a row."""
    if not all(_text(key, "segment_id") for key in ids):
        raise AnalysisError("A segment_id is empty: name segments by the segment_id of the table.")
    table = follow_moments(labels, ids)
    fresh = _without_row(table, ids)
    return pd.concat([table, make_labels({"segment_id": fresh})], ignore_index=True) if fresh else table


def _without_row(table: pd.DataFrame, ids: Sequence[str]) -> list[str]:
    """Those of the segments that have no row."""
    return [key for key, has in zip(ids, are_among(ids, table["segment_id"]), strict=True) if not has]


def split_tags(tags: str) -> list[str]:
    r"""The single tags of a cell "a; b"; a semicolon or backslash inside a tag is written `\;` or `\\`."""
    parts = re.findall(r"(?:[^;\\]|\\.)+", tags, flags=re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", part.strip(), flags=re.DOTALL) for part in parts if part.strip()]


def add_tags(tags: str, new: Sequence[str]) -> str:
    """The cell "a; b" with more tags, each once."""
    every = dict.fromkeys([*split_tags(tags), *new])
    return "; ".join(re.sub(r"([;\\])", r"\\\1", tag) for tag in every)
