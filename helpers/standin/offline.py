"""The offline Embed API: an HTTP transport that answers in the Embed v2 wire protocol, without a network.

It sits below the real SDK, so that notebooks run the same calls with and without a key. It answers from the
fixtures in data/fixtures, then from the local encoder, and else with an ordinary API error. It speaks the
dialect of Marengo 3.5 (text queries as `multi_input`, segmentation inside `temporal`, descriptions as
`time_based_metadata`) under a model name of its own, and never claims to be Marengo. One thing it does that
Marengo does not: time-based metadata gets an embedding option of its own, `description`, where Marengo folds
it into the fused vector.
"""

import base64
import hashlib
import io
import json
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from multipart import MultipartParser
from PIL import Image, UnidentifiedImageError

from helpers.errors import EmbedError, VideoError
from helpers.models import model_facts
from helpers.segmentation import SCOPES, Segmentation
from helpers.standin.encoder import DIMENSION, MODEL, Encoder, check_readable, find_shots
from helpers.standin.fixtures import Fixtures, Vector
from helpers.videos.cues import Cue, overlaps
from helpers.videos.media import probe

OPTIONS = model_facts(MODEL).options


MOST_LETTERS = 256  # a text of fewer letters has fewer word pieces, and the model need not count them


QUERY_SECONDS = 30  # the live limit for a clip as a query


class Fault(Exception):
    """An API error on its way out: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class _Task:
    request: dict[str, Any]
    created_at: str
    answer: Future[dict[str, Any]]
    polled: bool = False


class OfflineTransport(httpx.BaseTransport):
    """Answers what the notebooks ask of the Embed API; pass it as `httpx.Client(transport=...)`.

    `fixtures=None` leaves the cached answers out, so that the encoder answers everything.
    """

    def __init__(self, *, models: Path, fixtures: Path | None) -> None:
        self._fixtures = Fixtures(fixtures) if fixtures else None
        self._encoder = Encoder(models)
        self._folder = tempfile.TemporaryDirectory(prefix="video-search-assets-")
        self._assets: dict[str, dict[str, Any]] = {}
        self._uploads = 0
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="offline-embed")

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        path = request.url.path.removeprefix("/v1.3").strip("/")
        route, _, item = path.removeprefix("embed-v2/").partition("/")
        try:
            match (request.method, route, bool(item)):
                case ("POST", "assets", False):
                    return self._upload(request)
                case ("GET" | "DELETE", "assets", True):
                    return self._asset(item, delete=request.method == "DELETE")
                case ("GET", "assets", False):
                    return self._page(request, list(self._assets.values()))
                case ("POST", "embed-v2", False):
                    return httpx.Response(200, json=self._query(json.loads(request.content)))
                case ("POST", "tasks", False):
                    return self._create_task(json.loads(request.content))
                case ("GET", "tasks", True):
                    return self._task(item)
                case ("GET", "tasks", False):
                    return self._page(request, [self._summary(t) for t in self._tasks])
            raise Fault(404, "not_found", f"The offline Embed API has no {request.method} /{path}.")
        except (Fault, EmbedError, VideoError) as error:
            fault = error if isinstance(error, Fault) else Fault(400, "parameter_invalid", str(error))
            body = {"code": fault.code, "message": fault.message}
            return httpx.Response(fault.status, json=body if route == "assets" else {"error": body})

    # assets ------------------------------------------------------------------------------------------

    def _upload(self, request: httpx.Request) -> httpx.Response:
        boundary = request.headers.get("content-type", "").partition("boundary=")[2]
        parts = {part.name: part for part in MultipartParser(io.BytesIO(request.content), boundary)}
        if "file" not in parts:
            raise Fault(
                400,
                "parameter_invalid",
                "Offline reads files, not URLs: pass a file, or set a key to go live.",
            )
        data = parts["file"].raw
        content = hashlib.sha256(data).hexdigest()
        file = Path(self._folder.name) / content
        if not file.exists():
            file.write_bytes(data)
        with self._lock:
            self._uploads += 1
            asset_id = hashlib.sha256(f"asset {self._uploads}".encode()).hexdigest()[:24]
            self._assets[asset_id] = {
                "_id": asset_id,
                "method": "direct",
                "status": "ready",
                "filename": parts["file"].filename or "upload",
                "file_type": parts["file"].content_type,
                "created_at": _now(),
                "size": len(data),
                "content": content,
            }
        return httpx.Response(201, json={**self._assets[asset_id], "status": "processing"})

    def _asset(self, asset_id: str, *, delete: bool) -> httpx.Response:
        with self._lock:
            asset = self._assets.get(asset_id)
            if asset is None:
                raise Fault(404, "asset_not_exists", f"There is no asset {asset_id}.")
            if delete:
                del self._assets[asset_id]
                if not any(other["content"] == asset["content"] for other in self._assets.values()):
                    (Path(self._folder.name) / asset["content"]).unlink(missing_ok=True)
                return httpx.Response(204)
        return httpx.Response(200, json=asset)

    def _page(self, request: httpx.Request, rows: list[dict[str, Any]]) -> httpx.Response:
        """One page of a list; past the last page `data` is empty, which is what ends the SDK's pager."""
        page = int(request.url.params.get("page", 1))
        size = int(request.url.params.get("page_limit", 10))
        info = {
            "page": page,
            "limit_per_page": size,
            "total_results": len(rows),
            "total_page": -(-len(rows) // size),
        }
        return httpx.Response(200, json={"data": rows[(page - 1) * size : page * size], "page_info": info})

    # tasks: embed a video ----------------------------------------------------------------------------

    def _create_task(self, request: dict[str, Any]) -> httpx.Response:
        _check_model(request)
        if request.get("input_type") != "video" or not request.get("video"):
            raise Fault(400, "parameter_invalid", "Offline embeds video by tasks: input_type must be video.")
        video = request["video"]
        content, path = self._media(video["media_source"])
        _segmentation(video)
        for field, known in (("embedding_option", OPTIONS), ("embedding_scope", SCOPES)):
            if unknown := sorted(set(video.get(field) or []) - set(known)):
                known_ones = " and ".join(known)
                raise Fault(
                    400, "parameter_invalid", f"{MODEL} has no {field} {unknown[0]}, only {known_ones}."
                )
        for entry in video.get("time_based_metadata") or []:
            self._check_text(entry["text"])
        found = probe(path)
        if found.duration < 4 or min(found.width, found.height) < 360:
            raise Fault(
                400,
                "video_resolution_too_low" if found.duration >= 4 else "video_duration_too_short",
                f"The video is {found.width}x{found.height} and {found.duration:g} s long: "
                "it must be at least 360x360 and 4 s.",
            )
        with self._lock:
            task_id = hashlib.sha256(f"task {len(self._tasks)}".encode()).hexdigest()[:24]
            answer = self._worker.submit(self._embed_video, content, path, found.duration, video)
            self._tasks[task_id] = _Task(request, _now(), answer)
        body = {
            "_id": task_id,
            "status": "processing",
            "metadata": {"embedding_dimension": DIMENSION},
        }
        return httpx.Response(202, json=body, headers={"location": f"/v1.3/embed-v2/tasks/{task_id}"})

    def _task(self, task_id: str) -> httpx.Response:
        """Status and result; the first poll always says `processing`, so that every caller has to poll."""
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None:
            raise Fault(404, "embed_task_not_found", f"There is no embedding task {task_id}.")
        body: dict[str, Any] = {"_id": task_id, "status": "processing", "created_at": task.created_at}
        if task.polled and task.answer.done():
            error = task.answer.exception()
            body |= {"updated_at": _now()}
            if error is None:
                body |= {"status": "ready", **task.answer.result()}
            else:
                body |= {"status": "failed", "data": None, "error": {"message": str(error)}}
        task.polled = True
        return httpx.Response(200, json=body)

    def _summary(self, task_id: str) -> dict[str, Any]:
        task = self._tasks[task_id]
        done = task.answer.done() and not task.answer.exception()
        duration = task.answer.result()["metadata"]["duration"] if done else 0.0
        status = "ready" if done else "failed" if task.answer.done() else "processing"
        return {
            "_id": task_id,
            "model_name": MODEL,
            "status": status,
            "created_at": task.created_at,
            "video_embedding": {"metadata": {"duration": duration}},
        }

    def _embed_video(
        self, content: str, path: Path, duration: float, video: dict[str, Any]
    ) -> dict[str, Any]:
        cues = [Cue(e["start"], e["end"], e["text"]) for e in video.get("time_based_metadata") or []]
        options = video.get("embedding_option") or [o for o in OPTIONS if o == "visual" or cues]
        scopes = video.get("embedding_scope") or list(SCOPES)
        segmentation = _segmentation(video)
        computed: dict[str, dict[str, list[tuple[float, float, Vector]]]] = {}
        data: list[dict[str, Any]] = []
        for option in options:
            for scope in scopes:
                key = (
                    content,
                    option,
                    scope,
                    str(segmentation),
                    cues_digest(cues) if option == "description" else "",
                )
                rows = self._fixtures.segments(*key) if self._fixtures else None
                if rows is None:
                    if option not in computed:
                        computed[option] = self._compute(option, path, duration, segmentation, cues)
                    rows = computed[option][scope]
                data += [
                    {
                        "embedding": np.asarray(vector, dtype=np.float32).tolist(),
                        "embedding_option": option,
                        "embedding_scope": scope,
                        "start_sec": start,
                        "end_sec": end,
                    }
                    for start, end, vector in rows
                ]
        metadata = {
            "input_type": "video",
            "embedding_options": options,
            "embedding_scopes": scopes,
            "duration": duration,
            "embedding_dimension": DIMENSION,
        }
        return {"data": data, "metadata": metadata}

    def _compute(
        self, option: str, path: Path, duration: float, segmentation: Segmentation, cues: list[Cue]
    ) -> dict[str, list[tuple[float, float, Vector]]]:
        cuts = find_shots(path) if segmentation.strategy == "dynamic" else ()
        bounds = segmentation.bounds(duration, cuts=cuts)
        if option == "visual":
            clips, asset = self._encoder.embed_segments(path, bounds)
            rows = [(start, end, vector) for (start, end), vector in zip(bounds, clips, strict=True)]
            return {"clip": rows, "asset": [(0.0, duration, asset)]}
        vectors = {
            cue: v for cue, v in zip(cues, self._encoder.embed_texts([c.text for c in cues]), strict=True)
        }

        def mean(start: float, end: float) -> list[tuple[float, float, Vector]]:
            shared = overlaps(cues, start, end)  # each cue counts by the seconds that it shares
            return [(start, end, unit(sum(s * vectors[c] for c, s in shared)))] if shared else []

        return {"clip": [row for b in bounds for row in mean(*b)], "asset": mean(0.0, duration)}

    # queries -----------------------------------------------------------------------------------------

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_model(request)
        if request.get("input_type") != "multi_input":
            raise Fault(
                400,
                "parameter_invalid",
                f"{MODEL} speaks like marengo3.5: queries, words included, must use input_type multi_input.",
            )
        sources = request["multi_input"].get("media_sources") or []
        text = request["multi_input"].get("input_text")
        vectors = [self._embed_text(text)] if text is not None else []
        vectors += [self._embed_media(source) for source in sources]
        if not vectors:
            raise Fault(400, "parameter_invalid", "The query is empty: give it words, an image or a clip.")
        vector = vectors[0] if len(vectors) == 1 else unit(sum(vectors))
        row = {"embedding": vector.tolist(), "embedding_option": None, "embedding_scope": None}
        metadata = {"input_type": "multi_input", "embedding_dimension": DIMENSION}
        return {"data": [row], "metadata": metadata}

    def _embed_text(self, text: str) -> Vector:
        if not text.strip():
            raise Fault(400, "parameter_invalid", "The query is empty: type at least one word.")
        cached = self._fixtures.query(hashlib.sha256(text.encode()).hexdigest()) if self._fixtures else None
        if cached is not None:
            return cached
        self._check_text(text)
        return np.asarray(self._encoder.embed_texts([text])[0], dtype=np.float32)

    def _check_text(self, text: str) -> None:
        check_readable(text)
        if len(text) > MOST_LETTERS and self._encoder.is_too_long(text):
            start = f"{text[:40]!r} goes on for longer than the offline model can read"
            raise Fault(400, "token_limit_exceeded", f"{start}: shorten it.")

    def _embed_media(self, source: dict[str, Any]) -> Vector:
        content, path = self._media(source)
        cached = self._fixtures.query(content) if self._fixtures else None
        if cached is not None:
            return cached
        if source["media_type"] == "video":
            duration = probe(path).duration
            if duration > QUERY_SECONDS:
                raise Fault(
                    400, "parameter_invalid", f"A clip as a query may last {QUERY_SECONDS} s at most."
                )
            return self._encoder.embed_segments(path, [(0.0, duration)]).asset
        if source["media_type"] != "image":
            raise Fault(400, "parameter_invalid", f"The offline model cannot embed {source['media_type']}.")
        try:
            with Image.open(path) as image:
                image.load()
        except (UnidentifiedImageError, OSError) as error:
            raise Fault(
                400, "image_file_broken", "The image cannot be read: use a JPEG or PNG file."
            ) from error
        if min(image.size) < 128:
            raise Fault(400, "image_resolution_too_low", "The image must be at least 128x128 pixels.")
        return self._encoder.embed_image(image)

    def _media(self, source: dict[str, Any]) -> tuple[str, Path]:
        """The sha256 and the file of a media source: an uploaded asset or base64 data."""
        if source.get("url"):
            raise Fault(
                400,
                "parameter_invalid",
                "Offline cannot fetch a URL: download the file and pass its path, or set a key to go live.",
            )
        if source.get("base64_string"):
            data = base64.b64decode(source["base64_string"])
            content = hashlib.sha256(data).hexdigest()
            path = Path(self._folder.name) / content
            path.write_bytes(data)
            return content, path
        with self._lock:
            asset = self._assets.get(source.get("asset_id") or "")
        if asset is None:
            raise Fault(
                400, "asset_not_exists", f"There is no asset {source.get('asset_id')}: upload it first."
            )
        return asset["content"], Path(self._folder.name) / asset["content"]


def cues_digest(cues: list[Cue]) -> str:
    """The sha256 of a description track's times and words; "" for an empty track."""
    if not cues:
        return ""
    return hashlib.sha256(json.dumps([[c.start, c.end, c.text] for c in cues]).encode()).hexdigest()


def unit(vector: Any) -> Vector:
    """The vector at length 1, as float32."""
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _check_model(request: dict[str, Any]) -> None:
    if request.get("model_name") != MODEL:
        raise Fault(
            400,
            "model_not_available",
            f"There is no {request.get('model_name')} offline, only {MODEL}: "
            "set TWELVE_LABS_API_KEY for the real models.",
        )


def _segmentation(video: dict[str, Any]) -> Segmentation:
    return Segmentation.from_request(video.get("segmentation"), model_facts(MODEL))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
