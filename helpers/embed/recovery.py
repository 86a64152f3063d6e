"""To find a task again whose answer was lost: is this the answer to what was asked, and is all of it there?"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from twelvelabs.types import EmbeddingData

from helpers.embed.work import Work

SKEW = timedelta(days=1)  # by which this machine's clock may be wrong
EDGE = 0.5  # seconds by which a clip's edge may differ from where it was asked for
TAIL = 2.5  # seconds at the end that may be without a clip: the service drops a rest that is too short


def find_lost_task(
    work: Work,
    tasks: Iterable[Any],
    entries: Mapping[str, dict[str, Any]],
    since: datetime,
    rows_of: Callable[[str], Sequence[EmbeddingData] | None],
) -> str | None:
    """The id of the task of `work` whose answer was lost, if one of the service's `tasks` is surely it.

    Surely: it is of this file and model, made since then, claimed by none of the journal's `entries`, and its
    rows (`rows_of` its id; None where there are none) answer this request and no other that is lost as well.
    """
    claimed = {entry.get("id") for entry in entries.values()}
    others = [
        entry.get("request")
        for key, entry in entries.items()
        if key.startswith("task-") and key != work.key and "id" not in entry
        if entry.get("digest", work.digest) == work.digest and entry.get("model", work.model) == work.model
    ]
    fits = partial(is_answer, duration=work.duration, has_audio=work.has_audio)
    for task in tasks:
        if task.id in claimed or not _may_be(task, work, since):
            continue
        rows = rows_of(str(task.id))
        if rows is None or not fits(work.request, rows):
            continue
        if not any(request is None or fits(request, rows) for request in others):
            return str(task.id)
    return None


def _may_be(task: Any, work: Work, since: datetime) -> bool:
    """Whether a listed task may be the lost one: by model, time, and the file's name on the wire."""
    if task.model_name not in (None, work.model) or task.status == "failed":
        return False
    made = task.created_at
    made = datetime.fromisoformat(made) if isinstance(made, str) else made
    if made is not None and made < since - SKEW:
        return False
    about = getattr(task.video_embedding, "metadata", None)
    name = getattr(about, "input_filename", None) or getattr(about, "input_url", None)
    return work.digest[:16] in str(name)


def is_answer(
    request: dict[str, Any], rows: Sequence[EmbeddingData], *, duration: float | None, has_audio: bool | None
) -> bool:
    """Whether rows can only come from this request for a video of `duration` seconds; None is not known."""
    options = {row.embedding_option for row in rows}
    asked = set(request.get("embedding_option") or options)
    if {row.embedding_scope or "clip" for row in rows} != set(request["embedding_scope"]):
        return False
    if not options <= asked or ("embedding_option" not in request and "visual" not in options):
        return False
    if has_audio is not None and ("audio" in options) != (has_audio and _wants(request, "audio")):
        return False
    clips = _clips(rows)
    if not clips:
        return True
    wire = request["segmentation"].get("temporal") or request["segmentation"]
    if wire["strategy"] == "fixed":
        return _on_grid(clips, wire["fixed"]["duration_sec"], duration)
    return len(clips) == 1 or not any(_on_grid(clips, seconds, duration) for seconds in range(2, 11))


def missing_parts(
    request: dict[str, Any], rows: Sequence[EmbeddingData], *, duration: float | None, has_audio: bool | None
) -> str:
    """What is missing from an answer, in words; "" if nothing is.

    A video with sound must have audio vectors, and clips must follow each other to the end. Speech
    (`transcription`) may be missing, as nobody need speak.
    """
    options = {row.embedding_option for row in rows}
    expected = [name for name in ("visual", "audio") if _wants(request, name)]
    missing = [f"the option {n}" for n in expected if n not in options and (n != "audio" or has_audio)]
    scopes = {row.embedding_scope or "clip" for row in rows}
    missing += [f"the scope {scope}" for scope in request["embedding_scope"] if scope not in scopes]
    clips = _clips(rows)
    if clips and duration:
        edges = [(0.0, 0.0), *clips, (duration, duration)]
        for (_, end), (start, _) in itertools.pairwise(edges):
            if start - end > TAIL:
                missing.append(f"the clips from {end:g} to {start:g} s")
    return ", ".join(missing)


def _wants(request: dict[str, Any], option: str) -> bool:
    return option in request.get("embedding_option", [option])


def _clips(rows: Sequence[EmbeddingData]) -> list[tuple[float, float]]:
    """Start and end of the clips, in order; where an option has fewer, those of the fullest."""
    spans: dict[Any, list[tuple[float, float]]] = {}
    for row in rows:
        if row.embedding_scope != "asset":
            spans.setdefault(row.embedding_option, []).append((row.start_sec or 0.0, row.end_sec or 0.0))
    fullest: list[tuple[float, float]] = max(spans.values(), key=len, default=[])
    return sorted(set(fullest))


def _on_grid(clips: list[tuple[float, float]], seconds: float, duration: float | None) -> bool:
    """Whether clips stand every so many seconds, the last one cut short by the end of the video at most."""
    edges = [abs(start - i * seconds) < EDGE for i, (start, _) in enumerate(clips)]
    lengths = [abs(end - start - seconds) < EDGE for start, end in clips[:-1]]
    start, end = clips[-1]
    last = seconds if duration is None else min(seconds, duration - start)
    whole = abs(end - start - last) < EDGE or (duration is None and end - start <= seconds + EDGE)
    return all(edges) and all(lengths) and whole
