"""The analyst's own words: cluster names, tags and notes, in one Parquet file that survives re-clustering.

Labels are a table keyed by `segment_id`, with the columns of COLUMNS: `cluster` (int, -1 for noise and for
segments outside the last clustering), `name` (of the cluster), `tags` ("a; b") and `note`. Every function
that changes labels returns a new table; `write_labels` keeps it. Exports: CSV, WebVTT chapters, MP4 clips.
"""

import csv
import hashlib
import html
import io
import os
import re
import unicodedata
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import webvtt
from pyarrow import parquet
from scipy.optimize import linear_sum_assignment
from webvtt.models import Timestamp

from helpers.errors import AnalysisError, VideoError
from helpers.frames import cut_clip

COLUMNS = ["segment_id", "cluster", "name", "tags", "note"]
WORDS = ["name", "tags", "note"]
ABOUT = ["title", "category", "recorded_at", "description", "video_id", "video_url"]  # of a segment, for CSV
WAS = "was "  # and a name: the tag that keeps a name whose cluster is gone
GAP = 1.0  # seconds: clips of one cluster no further apart than this are one chapter
FORMULA = re.compile(r"'*(\s*[=+\-@＝＋－＠]|[\t\r\n])")  # how a cell begins that a spreadsheet may run
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|$)", re.IGNORECASE)


class Carried(NamedTuple):
    """What became of the names: the new labels; the names that found a cluster (name, old, new, shared); and
    the names that found none. `old` and `new` are cluster numbers, `shared` counts segments."""

    labels: pd.DataFrame
    matched: pd.DataFrame
    unmatched: list[str]


# ---------------------------------------------------------------- the file


def read_labels(path: str | Path) -> pd.DataFrame:
    """The labels in the file, or an empty table where there is no file.

    Raises AnalysisError for a file that is damaged or holds something else; it is left as it is.
    """
    file, cure = Path(path).expanduser(), "move it away, or put a copy of it back"
    try:
        with open(file, "rb") as opened:
            table: pd.DataFrame = parquet.ParquetFile(opened).read(columns=COLUMNS).to_pandas()
    except (FileNotFoundError, NotADirectoryError):
        return _labels({})
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AnalysisError(
            f"The labels in {file} cannot be read (damaged, or no file of labels): {cure}."
        ) from error
    try:
        return _checked(table)
    except AnalysisError as error:
        raise AnalysisError(
            f"The file {file} holds no labels as this project writes them: {cure}."
        ) from error


def write_labels(path: str | Path, labels: pd.DataFrame) -> Path:
    """Write the labels and return the path; a kill or a full disk at any moment leaves the old file.

    Raises AnalysisError for a table that is none of labels, a file there that holds something else (it is not
    overwritten), and a folder that cannot be written.
    """
    table = _checked(labels)
    read_labels(path)
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return _write(Path(path).expanduser(), buffer.getvalue())


def _write(path: Path, data: bytes) -> Path:
    """Put `data` at `path`: written beside it and moved into place, so the old file is whole until then."""
    beside = None
    try:
        target = Path(os.path.realpath(path))  # a link stays a link
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{uuid.uuid4().hex}.part")
        with open(part, "xb") as file:
            beside = part
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        raise AnalysisError(
            f"{path} was not written ({error.strerror or error}), and what was there before is untouched: "
            "free some space, or name another folder."
        ) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)
    return path


def _labels(columns: dict[str, Any]) -> pd.DataFrame:
    """A table of labels from columns of equal length; words that are left out are empty."""
    ids = list(columns.get("segment_id", []))
    blank = {"cluster": [-1] * len(ids)} | {word: [""] * len(ids) for word in WORDS}
    table = pd.DataFrame({"segment_id": ids} | blank | columns, columns=COLUMNS)
    return table.astype({column: "int64" if column == "cluster" else "str" for column in COLUMNS})


def _checked(labels: pd.DataFrame) -> pd.DataFrame:
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
    return _labels({column: table[column].tolist() for column in COLUMNS})


def _whole(numbers: pd.Series) -> bool:
    return bool(pd.api.types.is_integer_dtype(numbers) and not numbers.isna().any()) or numbers.empty


def _text(words: object, what: str) -> str:
    if not isinstance(words, str) or words.encode(errors="replace").decode() != words:
        raise AnalysisError(f"The {what} {words!r} is no text that can be written: type it again.")
    return words


# ---------------------------------------------------------------- words, and where they go


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
    table, new = _checked(labels), _clusters(clusters)
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
    table, name = _checked(labels), _text(name, "name").strip()
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
    table = _checked(labels)
    if not all(_text(key, "segment_id") for key in ids):
        raise AnalysisError("A segment_id is empty: name segments by the segment_id of the table.")
    known = set(table["segment_id"])
    fresh = _labels({"segment_id": [key for key in ids if key not in known]})
    return pd.concat([table, fresh], ignore_index=True)


def split_tags(tags: str) -> list[str]:
    r"""The single tags of a cell "a; b"; a semicolon or backslash inside a tag is written `\;` or `\\`."""
    parts = re.findall(r"(?:[^;\\]|\\.)+", tags, flags=re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", part.strip(), flags=re.DOTALL) for part in parts if part.strip()]


def _add_tags(tags: str, new: Sequence[str]) -> str:
    every = dict.fromkeys([*split_tags(tags), *new])
    return "; ".join(re.sub(r"([;\\])", r"\\\1", tag) for tag in every)


# ---------------------------------------------------------------- exports


def export_csv(segments: pd.DataFrame, labels: pd.DataFrame, path: str | Path) -> list[Path]:
    """Write one row per segment with its times (hh:mm:ss.mmm and seconds), cluster and words, and return [path].

    UTF-8 with a byte order mark, which spreadsheets need, commas, text in quotation marks (RFC 4180). A text
    that begins with = + - @ (also after space or apostrophes), a tab or a line break gets an apostrophe in
    front, so that no spreadsheet runs it as a formula (OWASP, "CSV Injection"): to have the exact text back,
    take one apostrophe from texts that begin so. Raises AnalysisError if the file cannot be written.
    """
    rows = _labelled(segments, labels)
    table = pd.DataFrame(index=rows.index)
    for which in ("start", "end"):
        table[which] = rows[f"{which}_offset_sec"].map(_timecode)
    for column in ("start_offset_sec", "end_offset_sec", "cluster", *WORDS, *ABOUT, "segment_id"):
        if column in rows:
            table[column] = rows[column] if column not in (*WORDS, *ABOUT) else rows[column].map(_no_formula)
    table.insert(0, "title", table.pop("title"))
    text = table.to_csv(index=False, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    return [_write(Path(path).expanduser(), text.encode("utf-8-sig", errors="replace"))]


def export_chapters(segments: pd.DataFrame, labels: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write the chapters of each video as WebVTT (kind "chapters") into `folder`, and return the paths.

    Neighbouring clips of one cluster, no more than GAP seconds apart, are one chapter; its text is the name
    of the cluster, else "cluster 3", and "other" for noise. Where clips overlap, a chapter ends as the next
    one begins. & < > are written as &amp; &lt; &gt;, and line breaks as spaces (W3C WebVTT, "chapter title text"), so
    no name can end a cue. Raises AnalysisError if a file cannot be written.
    """
    rows = _labelled(segments, labels)
    if "embedding_scope" in rows:
        rows = rows[rows["embedding_scope"] == "clip"]
    paths = []
    for video_id, clips in rows.sort_values(["start_offset_sec", "end_offset_sec"]).groupby(
        "video_id", sort=False
    ):
        cues = [
            webvtt.Caption(
                str(Timestamp.from_seconds(start)), str(Timestamp.from_seconds(end)), _cue_text(text)
            )
            for start, end, text in _chapters(clips)
        ]
        name = f"{_video_name(str(clips['title'].iloc[0]), str(video_id))}.chapters.vtt"
        content = webvtt.WebVTT(captions=cues).content
        paths.append(_write(Path(folder).expanduser() / name, content.encode(errors="replace")))
    return paths


def export_clips(
    segments: pd.DataFrame, folder: str | Path, *, labels: pd.DataFrame | None = None
) -> list[Path]:
    """Cut each segment (or hit) out of its video as a small MP4 into `folder`, and return the paths written.

    File names carry title, times and the cluster's name: from `labels`, else "cluster 3" by the column. A
    clip that is there already is replaced. A video that has moved, or cannot be cut, does not stop the rest:
    one warning says so in the end. Raises AnalysisError if no clip could be cut, or the folder is not writable.
    """
    rows = _labelled(segments, _labels({}) if labels is None else labels)
    paths: list[Path] = []
    failed: dict[str, str] = {}
    count = 0
    for row in rows.to_dict("records"):
        start, end = row["start_offset_sec"], row["end_offset_sec"]
        try:
            film = cut_clip(row["video_url"], start, end)
        except VideoError as error:
            failed.setdefault(Path(row["video_url"]).name, str(error))
            count += 1
            continue
        times = f"{_timecode(start)}_{_timecode(end)}".replace(":", "-")
        name = f"{_video_name(row['title'], row['video_id'])} {times} {_file_name(row['text'], 60)}.mp4"
        paths.append(_write(Path(folder).expanduser() / name, film))
    if failed:
        names = ", ".join(list(failed)[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
        reasons = sorted(failed.values(), key=lambda reason: "relink" not in reason)  # the usual one first
        problem = f"{count} of {len(rows)} clips were not cut (of {names}): {reasons[0]}"
        if not paths:
            raise AnalysisError(problem)
        warnings.warn(problem, stacklevel=2)
    return paths


def _labelled(segments: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The segments with their labels, and what to call the cluster as `text`; without a label, by `cluster`."""
    needed = ["segment_id", "video_id", "title", "start_offset_sec", "end_offset_sec", "video_url"]
    absent = [column for column in needed if column not in segments]
    if absent:
        raise AnalysisError(f"The segments lack the column {absent[0]!r}: use segments or hits of a search.")
    if segments.empty:
        raise AnalysisError("There is no segment to export: select at least one.")
    words = _checked(labels).set_index("segment_id")
    rows = segments.drop(columns=[word for word in WORDS if word in segments]).reset_index(drop=True)
    own = rows["cluster"] if "cluster" in rows else pd.Series(-1, index=rows.index)
    rows["cluster"] = rows["segment_id"].map(words["cluster"]).fillna(own).astype("int64")
    for word in WORDS:
        said = words[word].to_dict()
        rows[word] = [said.get(key, "") for key in rows["segment_id"]]
    for column in ABOUT:
        if column in rows:
            rows[column] = rows[column].fillna("").astype("str")
    rows["text"] = [
        name if name.strip() else "other" if cluster == -1 else f"cluster {cluster}"
        for name, cluster in zip(rows["name"], rows["cluster"], strict=True)
    ]
    return rows


def _chapters(clips: pd.DataFrame) -> list[tuple[float, float, str]]:
    """(start, end, text) of the chapters of one video, from its clips in order of time; none overlaps."""
    found: list[tuple[float, float, str]] = []
    for start, end, text in zip(
        clips["start_offset_sec"], clips["end_offset_sec"], clips["text"], strict=True
    ):
        if found and found[-1][2] == text and start <= found[-1][1] + GAP:
            found[-1] = (found[-1][0], max(found[-1][1], end), text)
            continue
        if found:
            found[-1] = (found[-1][0], min(found[-1][1], start), found[-1][2])
        found.append((start, end, text))
    return [(start, end, text) for start, end, text in found if round(end, 3) > round(start, 3)]


def _timecode(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _no_formula(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _cue_text(text: str) -> str:
    return html.escape(" ".join(text.replace("\0", "\ufffd").split()), quote=False)


def _video_name(title: str, video_id: str) -> str:
    """A file name for a video: its title and six digits of its id, so no two videos ever share one."""
    known = re.search(r"-([0-9a-f]{10})$", video_id)
    digest = known[1] if known else hashlib.sha256(video_id.encode(errors="replace")).hexdigest()
    return f"{_file_name(title, 100)}-{digest[:6]}"


def _file_name(text: str, size: int) -> str:
    """The text as part of a file name on every system, no longer than `size` bytes of UTF-8.

    Without / \\ : and the like, control characters, leading dots and dashes and trailing dots, and with _ before
    a name of a Windows device (Microsoft, "Naming Files, Paths, and Namespaces").
    """
    plain = unicodedata.normalize("NFC", text)
    plain = "".join(" " if c.isspace() else c for c in plain)
    plain = "".join(c for c in plain if not unicodedata.category(c).startswith("C"))
    plain = re.sub(r'[<>:"/\\|?*]', "_", " ".join(plain.split())).strip(" .-")
    plain = plain.encode()[:size].decode(errors="ignore").strip(" .-")
    return f"_{plain}" if RESERVED.match(plain) else plain or "untitled"
