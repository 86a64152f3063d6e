"""What an analyst takes away: segments with their labels as CSV, WebVTT chapters and MP4 clips."""

import csv
import hashlib
import html
import re
import unicodedata
import warnings
from pathlib import Path

import pandas as pd
import webvtt

from helpers.analysis.checks import NOISE, check_labels, check_segments, spans_of
from helpers.analysis.labels import WORDS, follow_moments, make_labels, write_result
from helpers.arguments import checked_path
from helpers.errors import AnalysisError, VideoError, VideoSearchWarning
from helpers.segments import SPAN
from helpers.videos.cues import timecode
from helpers.videos.frames import cut_clip
from helpers.videos.samples import content_digits

ABOUT = ["title", "category", "recorded_at", "description", "video_id", "video_url"]  # of a segment, for CSV
LONGEST = 1e8  # seconds: no video lasts three years
GAP = 1.0  # seconds: clips of one cluster no further apart than this are one chapter
FORMULA = re.compile(r"'*(\s*[=+\-@＝＋－＠]|[\t\r\n])")  # how a cell begins that a spreadsheet may run
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|$)", re.IGNORECASE)


def export_csv(segments: pd.DataFrame, labels: pd.DataFrame, path: str | Path) -> list[Path]:
    """Write one row per segment with its times (hh:mm:ss.mmm and seconds), cluster and words, and return [path].

    UTF-8 with a byte order mark, which spreadsheets need, commas, text in quotation marks (RFC 4180). A text
    that begins with = + - @ (also after space or apostrophes), a tab or a line break gets an apostrophe in
    front, so that no spreadsheet runs it as a formula (OWASP, "CSV Injection"): to have the exact text back,
    take one apostrophe from texts that begin so. Raises AnalysisError if the file cannot be written.
    """
    target = checked_path(path, AnalysisError, what="path of the CSV")
    rows = _labelled(segments, labels)
    table = pd.DataFrame(index=rows.index)
    for which in ("start", "end"):
        table[which] = rows[f"{which}_offset_sec"].map(timecode)
    for column in (*SPAN, "cluster", *WORDS, *ABOUT, "segment_id"):
        if column in rows:
            table[column] = rows[column] if column not in (*WORDS, *ABOUT) else rows[column].map(_no_formula)
    table.insert(0, "title", table.pop("title"))
    text = table.to_csv(index=False, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    return [write_result(target, text.encode("utf-8-sig", errors="replace"))]


def export_chapters(segments: pd.DataFrame, labels: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write the chapters of each video as WebVTT (kind "chapters") into `folder`, and return the paths.

    Neighbouring clips of one cluster, no more than GAP seconds apart, are one chapter; its text is the name
    of the cluster, else "cluster 3", and "other" for noise. Where clips overlap, a chapter ends as the next
    one begins. & < > are written as &amp; &lt; &gt;, and line breaks as spaces (W3C WebVTT, "chapter title text"), so
    no name can end a cue. Raises AnalysisError if a file cannot be written.
    """
    target = checked_path(folder, AnalysisError, what="folder")
    rows = _labelled(segments, labels)
    if "embedding_scope" in rows:
        rows = rows[rows["embedding_scope"] == "clip"]
    paths = []
    for video_id, clips in rows.sort_values(SPAN).groupby("video_id", sort=False):
        cues = [
            webvtt.Caption(timecode(start), timecode(end), _cue_text(text))
            for start, end, text in _chapters(clips)
        ]
        name = f"{_video_name(str(clips['title'].iloc[0]), str(video_id))}.chapters.vtt"
        content = webvtt.WebVTT(captions=cues).content
        paths.append(write_result(target / name, content.encode(errors="replace")))
    return paths


def export_clips(
    segments: pd.DataFrame, folder: str | Path, *, labels: pd.DataFrame | None = None
) -> list[Path]:
    """Cut each segment (or hit) out of its video as a small MP4 into `folder`, and return the paths written.

    File names carry title, times and the cluster's name: from `labels`, else "cluster 3" by the column. A
    clip that is there already is replaced. A video that has moved, or cannot be cut, does not stop the rest:
    one warning says so in the end. Raises AnalysisError if no clip could be cut, or the folder is not writable.
    """
    target = checked_path(folder, AnalysisError, what="folder")
    rows = _labelled(segments, make_labels({}) if labels is None else labels)
    paths: list[Path] = []
    failed: dict[str, str] = {}
    for row in rows.to_dict("records"):
        start, end = row["start_offset_sec"], row["end_offset_sec"]
        try:
            clip = cut_clip(row["video_url"], start, end)
        except VideoError as error:
            failed.setdefault(Path(row["video_url"]).name, str(error))
            continue
        times = f"{timecode(start)}_{timecode(end)}".replace(":", "-")
        name = f"{_video_name(row['title'], row['video_id'])} {times} {_file_name(row['text'], 60)}.mp4"
        paths.append(write_result(target / name, clip))
    if failed:
        names = ", ".join(list(failed)[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
        reasons = sorted(failed.values(), key=lambda reason: "relink" not in reason)  # the usual one first
        problem = f"{len(rows) - len(paths)} of {len(rows)} clips were not cut (of {names}): {reasons[0]}"
        if not paths:
            raise AnalysisError(problem)
        warnings.warn(problem, VideoSearchWarning, stacklevel=2)
    return paths


def _labelled(segments: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """The segments with their labels, and what to call the cluster as `text`; without a label, by `cluster`."""
    check_segments(segments, texts=["segment_id", "video_id", "title", "video_url"], spans=True)
    if segments.empty:
        raise AnalysisError("There is no segment to export: select at least one.")
    start, end = spans_of(segments)
    if (start < 0).any() or (end > LONGEST).any():
        raise AnalysisError(
            "A segment begins before second 0, or ends after years: use segments or hits of a search."
        )
    words = follow_moments(labels, list(segments["segment_id"])).set_index("segment_id")
    rows = segments.drop(columns=[word for word in WORDS if word in segments]).reset_index(drop=True)
    own = pd.Series(NOISE, index=rows.index)
    if "cluster" in rows:
        own[:] = check_labels(rows["cluster"].tolist(), len(rows))
    rows["cluster"] = rows["segment_id"].map(words["cluster"]).fillna(own).astype("int64")
    for word in WORDS:
        said = words[word].to_dict()
        rows[word] = [said.get(key, "") for key in rows["segment_id"]]
    for column in ABOUT:
        if column in rows:
            rows[column] = rows[column].astype(object).where(rows[column].notna(), "").map(str)
    rows["text"] = [
        name if name.strip() else "other" if cluster == NOISE else f"cluster {cluster}"
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


def _no_formula(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _cue_text(text: str) -> str:
    return html.escape(" ".join(text.replace("\0", "\ufffd").split()), quote=False)


def _video_name(title: str, video_id: str) -> str:
    """A file name for a video: its title and six digits of its id, so no two videos ever share one."""
    digest = content_digits(video_id) or hashlib.sha256(video_id.encode(errors="replace")).hexdigest()
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
