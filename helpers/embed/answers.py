"""Is this the answer to what was asked, and is all of it there? By scopes, options, and where clips begin."""

from collections.abc import Sequence
from typing import Any

from twelvelabs.types import EmbeddingData

EDGE = 0.5  # seconds by which a clip's edge may differ from where it was asked for


TAIL = 2.5  # seconds at the end that may be without a clip: the service drops a rest that is too short


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


def lacks(
    request: dict[str, Any], rows: Sequence[EmbeddingData], *, duration: float | None, has_audio: bool | None
) -> str:
    """What is missing from an answer, in words; "" if nothing is.

    A film with sound must have audio vectors, and clips must follow each other to the end. Speech
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
        for (_, end), (start, _) in zip(edges, edges[1:], strict=False):
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
    """Whether clips stand every so many seconds, the last one cut short by the end of the film at most."""
    edges = [abs(start - i * seconds) < EDGE for i, (start, _) in enumerate(clips)]
    lengths = [abs(end - start - seconds) < EDGE for start, end in clips[:-1]]
    start, end = clips[-1]
    last = seconds if duration is None else min(seconds, duration - start)
    whole = abs(end - start - last) < EDGE or (duration is None and end - start <= seconds + EDGE)
    return all(edges) and all(lengths) and whole
