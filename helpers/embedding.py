"""From videos to segments, and from words, images and clips to queries, through the Embed API v2."""

import base64
import os
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from tqdm.auto import tqdm
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types import (
    AsyncVideoInputRequest,
    EmbeddingData,
    ImageInputRequest,
    MediaSource,
    MultiInputMediaSource,
    MultiInputRequest,
    TextInputRequest,
)

from helpers.api import call
from helpers.cache import Cache, cache_key
from helpers.errors import EmbedError, VideoError, VideoSearchError
from helpers.frames import cut_clip
from helpers.settings import LIVE_MODEL, OFFLINE_MODEL, load_settings
from helpers.videos import Cue, describe, description_track, file_sha256, local_path, own_videos, probe

Vector = np.ndarray[Any, np.dtype[np.float32]]
COLUMNS = [
    *("segment_id", "video_id", "title", "category", "recorded_at", "video_url", "embedding_scope"),
    *("start_offset_sec", "end_offset_sec", "description", "segmentation", "model", "cluster"),
]
TEMPORAL_MODELS = (LIVE_MODEL, OFFLINE_MODEL)  # they speak the dialect of Marengo 3.5, the others that of 3.0
MAX_WORDS = 1500
QUERY_SECONDS = 30  # the longest clip that the service takes as a query
POLL_SECONDS = (0.05, 5.0)  # the first pause between two polls, and the longest


@dataclass(frozen=True)
class Query:
    """A vector to search with, the model that made it, and what it was made from (for titles)."""

    vector: Vector
    model: str
    source: str


def vector_field(option: str) -> str:
    """The name of the column and Milvus field that holds the vectors of an embedding option."""
    return f"embedding_{option}"


def declared_options(segments: pd.DataFrame) -> list[str]:
    """The embedding options that have a column, `visual` first, even where a column holds no vector yet."""
    columns = [str(c) for c in segments if str(c).startswith("embedding_") and c not in COLUMNS]
    return sorted((c.removeprefix("embedding_") for c in columns), key=lambda option: option != "visual")


def available_options(segments: pd.DataFrame) -> list[str]:
    """The embedding options that the segments have vectors for, `visual` first."""
    return [o for o in declared_options(segments) if segments[vector_field(o)].notna().any()]


def embed_videos(
    client: TwelveLabs,
    videos: pd.DataFrame | str | Path | Iterable[str | Path],
    *,
    model: str | None = None,
    options: Sequence[str] | None = None,
    scopes: Sequence[str] = ("clip", "asset"),
    segmentation: str = "fixed-6",
    workers: int = 4,
    deadline: float = 1800,
) -> pd.DataFrame:
    """Embed videos and return their segments, one row each, sorted by video and time.

    `videos` is a table such as `sample_videos()`, or paths. `options=None` takes what the model gives by
    default. `segmentation` is "fixed-S" (S seconds, 2-10) or "dynamic-S" (by shot, at least S seconds, 2-5).
    `deadline` is the longest wait for one video, in seconds. Each answer is kept in the cache as soon as it
    is there, so that an interrupted run loses nothing and a second run costs nothing.
    Raises VideoError for a file that is missing or no video, EmbedError for what the API refuses: when the
    other videos are through, and naming those that are not.
    """
    model = model or load_settings().model
    table = videos if isinstance(videos, pd.DataFrame) else own_videos(*_paths(videos))
    wire = segmentation_request(segmentation, model=model)
    cache = Cache(load_settings().home / "cache" / "segments")
    stop = threading.Event()

    def one(video: dict[str, Any]) -> pd.DataFrame:
        path = _file(video["video_url"])
        digest = file_sha256(path)
        cues = description_track(path, digest)
        sent = cues if model == OFFLINE_MODEL else []  # the live service is never sent a local text file
        key = cache_key(
            content=digest,
            model=model,
            options=options,
            scopes=scopes,
            segmentation=segmentation,
            cues=[(c.start, c.end, c.text) for c in sent],
        )
        answer = cache.get(key)
        if answer is None:
            request: dict[str, Any] = {"segmentation": wire, "embedding_scope": list(scopes)}
            if options:
                request["embedding_option"] = list(options)
            if sent:
                request["time_based_metadata"] = [
                    {"start": c.start, "end": c.end, "text": c.text} for c in sent
                ]
            answer = _to_answer(run_task(client, path, request, model=model, deadline=deadline, stop=stop))
            cache.put(key, answer)
        return to_segments(answer, video, model=model, segmentation=segmentation, cues=cues)

    rows = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    if not rows:
        raise VideoError("There is no video to embed: the table is empty.")
    done: dict[int, pd.DataFrame] = {}
    failed: list[VideoSearchError] = []
    pool = ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(one, row): i for i, row in enumerate(rows)}
        for future in progress(as_completed(futures), total=len(futures), desc="videos embedded"):
            try:
                done[futures[future]] = future.result()
            except VideoSearchError as error:
                if getattr(error, "status", None) in (401, 403):  # the next video will fare no better
                    raise
                failed.append(error)
    finally:  # Ctrl-C too: workers that wait for the service stop waiting
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    if failed:
        raise failed[0] if len(rows) == 1 else _summary(failed, len(rows))
    segments = pd.concat([done[i] for i in range(len(rows))], ignore_index=True)
    vectors = [vector_field(option) for option in declared_options(segments)]
    return segments[[*COLUMNS, *vectors]].astype({c: object for c in vectors}).replace({np.nan: None})


def _summary(failed: list[VideoSearchError], videos: int) -> EmbedError:
    """One error for several: how many, and why."""
    reasons = list(dict.fromkeys(map(str, failed)))
    more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
    return EmbedError(
        f"{len(failed)} of {videos} videos were not embedded, the others are kept for the next run: "
        f"{' '.join(reasons[:3])}{more}"
    )


def embed_text(client: TwelveLabs, text: str, *, model: str | None = None) -> Query:
    """Embed words as a query; EmbedError if they are empty, too many, or not readable by the model."""
    if not text.strip():
        raise EmbedError("The query is empty: type at least one word.")
    if (words := len(text.split())) > MAX_WORDS:
        raise EmbedError(f"The query has {words:,} words: shorten it to the few that matter.")
    return _embed_query(client, text, None, source=text, model=model)


def embed_image(client: TwelveLabs, path_or_url: str | Path, *, model: str | None = None) -> Query:
    """Embed an image (JPEG or PNG, a path or a URL) as a query; VideoError if there is no such file."""
    media = {"media_type": "image", **_media(str(path_or_url))}
    return _embed_query(client, None, media, source=Path(str(path_or_url)).name, model=model)


def embed_clip(
    client: TwelveLabs,
    path: str | Path,
    *,
    start: float = 0.0,
    end: float | None = None,
    model: str | None = None,
) -> Query:
    """Embed the seconds [start, end) of a video (30 s at most) as a query; `end=None` is the end of the file.

    Raises VideoError for no such file or no video, EmbedError for a model without such queries (Marengo 3.0).
    """
    path = Path(path).expanduser().absolute()
    duration = probe(path).duration
    end = duration if end is None else end
    if not (0 <= start < end <= duration + 0.1 and end - start <= QUERY_SECONDS):
        raise EmbedError(
            f"A clip as a query lasts up to {QUERY_SECONDS} s inside the video's {duration:g} s, "
            f"not from {start:g} to {end:g} s: name another start and end."
        )
    data = cut_clip(path, start, end)
    media = {"media_type": "video", "base_64_string": base64.b64encode(data).decode()}
    return _embed_query(client, None, media, source=path.name, model=model)


def _embed_query(
    client: TwelveLabs, text: str | None, media: dict[str, str] | None, *, source: str, model: str | None
) -> Query:
    model = model or load_settings().model
    cache = Cache(load_settings().home / "cache" / "queries")
    key = cache_key(model=model, text=text, media=media)
    kept = cache.get(key)
    if kept is None:
        request = query_request(text, media, model=model)
        answer = call(lambda: client.embed.v_2.create(**request), f"embed the query {source[:60]!r}")
        if not answer.data:
            raise EmbedError(f"The Embed API returned no vector for {source[:60]!r}: try other words.")
        kept = pd.DataFrame({"embedding": [np.asarray(answer.data[0].embedding, dtype=np.float32)]})
        _check_vectors(kept["embedding"], source)
        cache.put(key, kept)
    return Query(np.asarray(kept["embedding"].iloc[0], dtype=np.float32), model, source)


def query_request(text: str | None, media: dict[str, str] | None, *, model: str) -> dict[str, Any]:
    """The arguments of `client.embed.v_2.create` for words or a picture or a clip.

    Marengo 3.5 takes every query as `multi_input`; 3.0 has an input type of its own for each.
    """
    if model in TEMPORAL_MODELS:
        sources = [MultiInputMediaSource.model_validate(media)] if media else None
        request = MultiInputRequest(input_text=text, media_sources=sources)
        return {"input_type": "multi_input", "model_name": model, "multi_input": request}
    if media is None:
        return {"input_type": "text", "model_name": model, "text": TextInputRequest(input_text=text or "")}
    if media["media_type"] != "image":
        raise EmbedError(
            f"{model} embeds no clip as a query: use marengo3.5, or a segment of the collection."
        )
    source = MediaSource.model_validate({k: v for k, v in media.items() if k != "media_type"})
    return {"input_type": "image", "model_name": model, "image": ImageInputRequest(media_source=source)}


def run_task(
    client: TwelveLabs,
    path: Path,
    video: dict[str, Any],
    *,
    model: str,
    deadline: float = 1800,
    stop: threading.Event | None = None,
) -> list[EmbeddingData]:
    """Upload a file, create an embedding task with the request `video`, wait, and return the answer's rows.

    The upload is deleted from the service afterwards. Setting `stop` ends the waiting.
    Raises EmbedError if the upload or the task fails, or takes longer than `deadline` seconds.
    """

    def upload() -> Any:
        with open(path, "rb") as file:
            return client.assets.create(method="direct", file=(path.name, file, "video/mp4"))

    limit, stop = time.monotonic() + deadline, stop or threading.Event()
    asset = call(upload, f"upload {path.name}")
    asset_id = str(asset.id)
    try:
        _wait(lambda: client.assets.retrieve(asset_id), f"upload {path.name}", limit, stop)
        request = AsyncVideoInputRequest.model_validate({"media_source": {"asset_id": asset_id}, **video})
        task = call(
            lambda: client.embed.v_2.tasks.create(input_type="video", model_name=model, video=request),
            f"start to embed {path.name}",
        )
        result = _wait(lambda: client.embed.v_2.tasks.retrieve(task.id), f"embed {path.name}", limit, stop)
    finally:
        with suppress(ApiError, httpx.HTTPError):  # what is left behind does no harm, only takes room
            client.assets.delete(asset_id)
    if not result.data:
        raise EmbedError(f"The Embed API returned no segments for {path.name}: is the video longer than 4 s?")
    return list(result.data)


def _wait(retrieve: Any, what: str, limit: float, stop: threading.Event) -> Any:
    """Poll until `ready`, slower each time; EmbedError if it has failed or the time is over."""
    pause, longest = POLL_SECONDS
    while True:
        result = call(retrieve, what)
        if result.status == "ready":
            return result
        if result.status == "failed":
            reason = getattr(getattr(result, "error", None), "message", None) or "the service gave no reason"
            raise EmbedError(f"Could not {what}: {str(reason).rstrip('.')}.")
        if time.monotonic() + pause > limit:
            raise EmbedError(f"Could not {what} in time: run the cell again, or give a longer deadline.")
        if stop.wait(pause):
            raise EmbedError(f"Stopped on the way to {what}: run the cell again to go on.")
        pause = min(pause * 1.5, longest)


def to_segments(
    answer: pd.DataFrame, video: dict[str, Any], *, model: str, segmentation: str, cues: Sequence[Cue] = ()
) -> pd.DataFrame:
    """The rows of one answer (option, scope, start, end, embedding) as segments: one row per stretch of time."""
    _check_vectors(answer["embedding"], video["title"])
    wide = answer.pivot_table(
        index=["scope", "start", "end"], columns="option", values="embedding", aggfunc="first", sort=True
    )
    frame = wide.rename(columns=vector_field).reset_index().rename_axis(columns=None)
    frame = frame.rename(
        columns={"scope": "embedding_scope", "start": "start_offset_sec", "end": "end_offset_sec"}
    ).sort_values(["embedding_scope", "start_offset_sec"], ascending=[False, True], ignore_index=True)
    for name in ("video_id", "title", "category", "recorded_at", "video_url"):
        frame[name] = video.get(name, "")
    times = list(
        zip(frame["embedding_scope"], frame["start_offset_sec"], frame["end_offset_sec"], strict=True)
    )
    frame["description"] = [describe(list(cues), a, b) if scope == "clip" else "" for scope, a, b in times]
    frame["segmentation"], frame["model"], frame["cluster"] = segmentation, model, -1
    frame["segment_id"] = [
        segment_id(video["video_id"], scope, a, b, segmentation=segmentation, model=model)
        for scope, a, b in times
    ]
    return frame[[*COLUMNS, *(c for c in frame.columns if c not in COLUMNS)]]


def segment_id(video_id: str, scope: str, start: float, end: float, *, segmentation: str, model: str) -> str:
    """The same id for the same segment, always; another id for any other (seconds to the millisecond)."""
    tag = cache_key(model=model, segmentation=segmentation)[:6]
    return f"{video_id}/{scope}/{start:09.3f}-{end:09.3f}/{tag}"


def segmentation_request(segmentation: str, *, model: str) -> dict[str, Any]:
    """The wire form of "fixed-6" or "dynamic-4": Marengo 3.5 wraps in `temporal` what 3.0 takes as it is."""
    strategy, _, number = segmentation.partition("-")
    limits = {"fixed": (2.0, 10.0), "dynamic": (2.0, 5.0)}
    try:
        low, high = limits[strategy]
        seconds = float(number)
        if not low <= seconds <= high:
            raise ValueError
    except (KeyError, ValueError) as error:
        raise EmbedError(
            f"The segmentation {segmentation!r} is not known: write fixed-2 to fixed-10, or dynamic-2 to dynamic-5."
        ) from error
    name = "duration_sec" if strategy == "fixed" else "min_duration_sec"
    inner = {"strategy": strategy, strategy: {name: int(seconds) if seconds.is_integer() else seconds}}
    return {"temporal": inner} if model in TEMPORAL_MODELS else inner


def progress(items: Iterable[Any], *, total: int, desc: str) -> Iterable[Any]:
    """A progress bar; one last line only where VIDEO_SEARCH_PROGRESS=plain (outputs that are compared)."""
    if os.environ.get("VIDEO_SEARCH_PROGRESS") != "plain":
        yield from tqdm(items, total=total, desc=desc)
        return
    count = 0
    for count, item in enumerate(items, 1):  # noqa: B007 (the count is printed below)
        yield item
    print(f"{desc}: {count} of {total}")


def _paths(videos: str | Path | Iterable[str | Path]) -> list[str | Path]:
    return [videos] if isinstance(videos, str | Path) else list(videos)


def _file(video_url: str) -> Path:
    path = local_path(video_url)
    if path is None:
        raise VideoError(f"{video_url} is an address: download the video and pass its path.")
    return path


def _media(source: str) -> dict[str, str]:
    if source.startswith(("http://", "https://")):
        return {"url": source}
    try:
        return {"base_64_string": base64.b64encode(Path(source).read_bytes()).decode()}
    except OSError as error:
        raise VideoError(f"There is no image file at {source}: check the path and its spelling.") from error


def _to_answer(rows: list[EmbeddingData]) -> pd.DataFrame:
    scopes = {"local": "clip", None: "clip"}
    return pd.DataFrame(
        {
            "option": [str(r.embedding_option) for r in rows],
            "scope": [scopes.get(r.embedding_scope, str(r.embedding_scope)) for r in rows],
            "start": [float(r.start_sec or 0) for r in rows],
            "end": [float(r.end_sec or 0) for r in rows],
            "embedding": [np.asarray(r.embedding, dtype=np.float32) for r in rows],
        }
    )


def _check_vectors(vectors: Iterable[Vector], source: str) -> None:
    sizes = {len(v) for v in vectors}
    if len(sizes) > 1 or not all(np.isfinite(v).all() and v.any() for v in vectors):
        raise EmbedError(
            f"The Embed API returned vectors for {source[:60]!r} that cannot be used "
            "(of different lengths, zero, or not numbers): run the cell again."
        )
