"""What the practice server knows of the Embed API: assets, multipart uploads, tasks, queries (see practice_server).

It speaks the protocol of `marengo3.5` (queries as `multi_input`, segmentation inside `temporal`) and of
`marengo3.0` (an input type for each kind of query, segmentation bare, transcription besides). It embeds videos by
tasks; it has no tasks for audio, images or documents, no audio queries, and none of the v1 routes. What the
documents do not say is guessed: a film without sound has no rows for what is heard.
"""

import hashlib
import itertools
import json
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from helpers.standin.assets import Assets, Media, check_media
from helpers.standin.protocol import Answer, Body, Refusal, error_body, page, rfc3339, time_of
from helpers.standin.vectors import DIMENSION, bounds, query_vector, segment_vector

OPTIONS = {"marengo3.5": ("visual", "audio"), "marengo3.0": ("visual", "audio", "transcription")}


INPUT_TYPES = {
    "marengo3.5": ("multi_input",),
    "marengo3.0": ("text", "image", "text_image", "video", "multi_input"),
}


MOST_WORDS = {"marengo3.5": 2000, "marengo3.0": 500}  # the service counts tokens, at least one a word


SHORTEST = {"marengo3.5": 2, "marengo3.0": 4}  # dynamic segmentation by default, seconds


QUERY_SECONDS, QUERY_BYTES = 30.0, 32_000_000


KEPT = timedelta(days=7)  # the service forgets a task's embeddings after that


NO_PLACE: Body = dict.fromkeys(("embedding_option", "embedding_scope", "start_sec", "end_sec"))


@dataclass
class Task:
    id: str
    model: str
    request: Body
    media: Media
    filename: str
    created: datetime
    polls: int = 0
    fate: str = ""
    reason: str = ""


class Service:
    """The state behind the routes; `model=None` serves both models. All methods may be called by many threads."""

    def __init__(self, model: str | None, *, seed: int = 0, polls: int = 1) -> None:
        self.models = (model,) if model else tuple(OPTIONS)
        if unknown := [name for name in self.models if name not in OPTIONS]:
            raise ValueError(f"There is no model {unknown[0]!r} to practise with: {', '.join(OPTIONS)}.")
        self.seed, self.polls = seed, polls
        self.later = timedelta()  # what `advance` has added to the clock
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self.assets = Assets(self._id, self.now)
        self.tasks: dict[str, Task] = {}
        self.charged: Counter[tuple[str, str, str]] = Counter()

    def clear(self) -> None:
        for kept in (self.assets.all, self.assets.uploads, self.tasks, self.charged):
            kept.clear()

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.later

    def doom(self, what: str, fate: str, reason: str) -> None:
        """Give an asset or a task, known by its id, a bad end: "failed", "never" (ends) or "expired"."""
        one = self.tasks.get(what) or self.assets.all.get(what)
        if one is not None:
            one.fate, one.reason = fate, reason

    def answer(
        self,
        method: str,
        path: str,
        query: dict[str, list[str]],
        headers: dict[str, str],
        body: bytes,
        host: str,
    ) -> Answer:
        """The answer to one request; `path` without /v1.3, `host` as http://name:port for presigned URLs."""
        parts = path.strip("/").split("/")
        try:
            with self._lock:
                if parts[0] == "uploads" and method == "PUT":  # presigned: the address is the permission
                    return self.assets.put_chunk(parts[1], int(parts[2]), body)
                if headers.get("x-api-key", "") in ("", "invalid"):
                    raise Refusal(401, "api_key_invalid", "The API key is missing or invalid.")
                return self._route(method, parts, query, headers, body, host)
        except Refusal as error:
            flat = "" if error.status == 401 else path
            return Answer(error.status, error_body(flat, error.code, error.message))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            message = f"The request is not as documented ({type(error).__name__}: {error})."
            return Answer(400, error_body(path, "parameter_invalid", message))

    def _route(
        self,
        method: str,
        parts: list[str],
        query: dict[str, list[str]],
        headers: dict[str, str],
        body: bytes,
        host: str,
    ) -> Answer:
        assets = self.assets
        match (method, *parts):
            case ("POST", "assets"):
                return assets.create(headers, body)
            case ("GET", "assets"):
                return assets.listed(query)
            case ("POST", "assets", "multipart-uploads"):
                return assets.create_upload(json.loads(body), host)
            case ("GET", "assets", "multipart-uploads"):
                return assets.open_uploads(query)
            case ("GET", "assets", "multipart-uploads", upload):
                return assets.upload_status(assets.find_upload(upload), query)
            case ("POST", "assets", "multipart-uploads", upload):
                return assets.report_chunks(assets.find_upload(upload), json.loads(body), host)
            case ("POST", "assets", "multipart-uploads", upload, "presigned-urls"):
                return assets.more_urls(assets.find_upload(upload), json.loads(body), host)
            case ("GET", "assets", asset):
                return assets.retrieve(assets.find(asset))
            case ("DELETE", "assets", asset):
                del assets.all[assets.find(asset).id]
                return Answer(204)
            case ("POST", "embed-v2"):
                return self._query(json.loads(body))
            case ("POST", "embed-v2", "tasks"):
                return self._create_task(json.loads(body))
            case ("GET", "embed-v2", "tasks"):
                return self._list_tasks(query)
            case ("GET", "embed-v2", "tasks", task):
                return self._get_task(task)
        raise Refusal(404, "endpoint_not_found", f"There is no {method} /{'/'.join(parts)}.")

    def _id(self, kind: str) -> str:
        return hashlib.sha256(f"{self.seed} {kind} {next(self._numbers)}".encode()).hexdigest()[:24]

    # tasks -------------------------------------------------------------------------------------------

    def _create_task(self, request: Body) -> Answer:
        model = self._model(request)
        if request.get("input_type") != "video":
            raise Refusal(
                400, "parameter_invalid", "The practice server embeds videos by tasks, nothing else."
            )
        video = request["video"]
        self._check_video(video, model, uncertain=bool(request.get("embedding_uncertainty")))
        dimension = self._dimension(request, model)
        media, filename = self.assets.source(video["media_source"])
        check_media(media)
        task = Task(self._id("task"), model, request, media, filename, self.now())
        self.tasks[task.id] = task
        self.charged[media.content, model, json.dumps(_asked(request), sort_keys=True)] += 1
        body: Body = {"_id": task.id, "status": "processing", "data": None}
        body["metadata"] = {"embedding_dimension": dimension}
        return Answer(202, body, {"Location": f"/v1.3/embed-v2/tasks/{task.id}"})

    def _check_video(self, video: Body, model: str, *, uncertain: bool = False) -> None:
        segmentation_of(video, model)
        newer = model == "marengo3.5"
        options = video.get("embedding_option") or OPTIONS[model]
        scopes = video.get("embedding_scope") or ("clip", "asset")
        known = ("clip", "local", "asset") if newer else ("clip", "asset")
        for name, given, allowed in (("option", options, OPTIONS[model]), ("scope", scopes, known)):
            if wrong := [one for one in given if one not in allowed]:
                choice = ", ".join(allowed)
                raise Refusal(
                    400, "parameter_invalid", f"{model} has no embedding_{name} {wrong[0]}: {choice}."
                )
        fused = "fused_embedding" in (video.get("embedding_type") or [])
        timed = bool(video.get("time_based_metadata"))
        if timed and not (newer and fused):
            raise Refusal(
                400, "parameter_invalid", "time_based_metadata needs marengo3.5 and fused_embedding."
            )
        if fused and (len(options) < 2 or (newer and not timed)):
            raise Refusal(
                400,
                "parameter_invalid",
                "fused_embedding needs two options (and, in 3.5, time_based_metadata).",
            )
        if uncertain and (not newer or "asset" in scopes):
            raise Refusal(
                400, "parameter_invalid", "embedding_uncertainty needs marengo3.5 without scope asset."
            )

    def _get_task(self, task_id: str) -> Answer:
        task = self.tasks.get(task_id)
        if task is None or task.fate == "expired" or task.created + KEPT < self.now():
            raise Refusal(404, "embed_task_not_found", f"There is no embedding task {task_id}.")
        task.polls += 1
        body: Body = {
            "_id": task.id,
            "status": self._task_status(task),
            "created_at": rfc3339(task.created),
            "updated_at": rfc3339(self.now()),
            "data": None,
        }
        if body["status"] == "failed":
            body["error"] = {"message": task.reason or "failed to fetch or materialize source media"}
        if body["status"] == "ready":
            body |= self._result(task)
        return Answer(200, body)

    def _task_status(self, task: Task) -> str:
        if task.fate == "never" or task.polls <= self.polls:
            return "processing"
        return "failed" if task.fate == "failed" else "ready"

    def _result(self, task: Task) -> Body:
        """The rows of a finished task, in no particular order: by scope and time at random."""
        video, dimension = task.request["video"], self._dimension(task.request, task.model)
        rows = self._rows(video, task.media, task.model, dimension)
        if task.request.get("embedding_uncertainty"):
            rows = [row | {"embedding_uncertainty": [0.01] * dimension} for row in rows]
        rows = [rows[i] for i in np.random.default_rng(self.seed).permutation(len(rows))]
        strategy, seconds = segmentation_of(video, task.model)
        metadata = {
            "input_type": "video",
            "input_filename": task.filename,
            "embedding_options": sorted({str(row["embedding_option"]) for row in rows}),
            "embedding_scopes": sorted({str(row["embedding_scope"]) for row in rows}),
            "duration": task.media.duration,
            "embedding_dimension": dimension,
        }
        metadata |= {"clip_length": int(seconds)} if strategy == "fixed" else {}
        tokens = {"input_tokens": {"video": round(task.media.duration * 64)}, "truncated": False}
        return {"data": rows, "metadata": metadata} | (
            {"usage": tokens} if task.model == "marengo3.5" else {}
        )

    def _rows(self, video: Body, media: Media, model: str, dimension: int) -> list[Body]:
        strategy, seconds = segmentation_of(video, model)
        start, end = video.get("start_sec") or 0.0, video.get("end_sec") or media.duration
        seed = int(media.content[:8], 16)
        cuts = bounds(start, min(end, media.duration), strategy=strategy, seconds=seconds, seed=seed)
        scopes = [
            scope.replace("local", "clip") for scope in video.get("embedding_scope") or ("clip", "asset")
        ]
        options = list(video.get("embedding_option") or OPTIONS[model])
        if not media.has_audio:  # nothing to hear, nothing to embed
            options = [option for option in options if option == "visual"]
        kinds = video.get("embedding_type") or ["separate_embedding"]
        options = options if "separate_embedding" in kinds else []
        options += ["fused"] if "fused_embedding" in kinds else []
        spans = [("clip", a, b) for a, b in cuts if "clip" in scopes]
        spans += [("asset", start, cuts[-1][1])] if "asset" in scopes else []
        return [
            {
                "embedding": segment_vector(
                    media.content, option, *span, key=(self.seed, model), size=dimension
                ),
                "embedding_option": option,
                "embedding_scope": span[0],
                "start_sec": span[1],
                "end_sec": span[2],
            }
            for option in options
            for span in spans
        ]

    def _list_tasks(self, query: dict[str, list[str]]) -> Answer:
        after, before = (time_of(query.get(name, [""])[0]) for name in ("started_at", "ended_at"))
        status = query.get("status", [""])[0]
        rows = [
            {
                "_id": task.id,
                "model_name": task.model,
                "status": self._task_status(task),
                "created_at": rfc3339(task.created),
                "updated_at": rfc3339(task.created),
                "video_embedding": {
                    "metadata": {"input_filename": task.filename, "duration": task.media.duration}
                },
            }
            for task in reversed(self.tasks.values())
            if task.fate != "expired"
            and task.created + KEPT >= self.now()
            and (after is None or task.created >= after)
            and (before is None or task.created <= before)
            and status in ("", self._task_status(task))
        ]
        return page(rows, query)

    # queries -----------------------------------------------------------------------------------------

    def _query(self, request: Body) -> Answer:
        model, kind = self._model(request), str(request.get("input_type"))
        if kind not in INPUT_TYPES[model]:
            choice = ", ".join(INPUT_TYPES[model])
            raise Refusal(400, "parameter_invalid", f"{model} has no input_type {kind}: {choice}.")
        dimension, given = self._dimension(request, model), request[kind]
        text = given.get("input_text")
        sources = given.get("media_sources") or []
        sources += [given["media_source"] | {"media_type": kind}] if "media_source" in given else []
        if text is not None and not text.strip() or text is None and not sources:
            raise Refusal(400, "parameter_invalid", "The query is empty.")
        if text and len(text.split()) > MOST_WORDS[model] and not request.get("auto_truncate"):
            raise Refusal(400, "token_limit_exceeded", f"The text has more than {MOST_WORDS[model]} tokens.")
        found = [self._query_media(source, model, kind) for source in sources]
        metadata: Body = {"input_type": kind, "embedding_dimension": dimension}
        if kind == "video":
            self._check_video(given, model)
            rows = self._rows(given, found[0], model, dimension)
            metadata |= {"embedding_options": list(OPTIONS[model]), "embedding_scopes": ["clip", "asset"]}
            metadata |= {"duration": found[0].duration}
        else:
            contents = [media.content for media in found]
            row = query_vector(text, contents, key=(self.seed, model), size=dimension)
            rows = [{"embedding": row} | NO_PLACE]
        body: Body = {"data": rows} | ({} if kind == "text" else {"metadata": metadata})
        if model == "marengo3.5":
            body["usage"] = {"input_tokens": {"text": len((text or "").split())}, "truncated": False}
        return Answer(200, body)

    def _query_media(self, source: Body, model: str, kind: str) -> Media:
        media, _ = self.assets.source(source)
        wanted = str(source["media_type"]).replace("text_image", "image")
        if model == "marengo3.0" and kind == "multi_input" and wanted != "image":
            raise Refusal(400, "parameter_invalid", "marengo3.0 combines text and images only.")
        if media.size > QUERY_BYTES:
            raise Refusal(413, "content_too_large", "A media source of a query may have 32 MB.")
        if wanted == "image" and (media.kind != "image" or min(media.width, media.height) < 128):
            raise Refusal(400, "image_file_broken", "The image cannot be read, or is smaller than 128x128.")
        if wanted in ("video", "audio") and media.kind != "video":
            raise Refusal(400, "video_file_broken", f"The {wanted} cannot be read.")
        if model == "marengo3.5" and media.duration > QUERY_SECONDS + 0.5:
            message = (
                f"Duration ({media.duration:.1f} seconds) exceeds maximum limit of 30 seconds (0 minutes)"
            )
            raise Refusal(400, "parameter_invalid", message)
        return media

    # what requests share -----------------------------------------------------------------------------

    def _model(self, request: Body) -> str:
        model = str(request.get("model_name"))
        if model not in self.models:
            choice = ", ".join(self.models)
            raise Refusal(400, "model_not_available", f"There is no model {model} here, only {choice}.")
        return model

    def _dimension(self, request: Body, model: str) -> int:
        wanted = request.get("embedding_dimension") or DIMENSION
        if wanted not in ((128, 256, 512) if model == "marengo3.5" else (512,)):
            raise Refusal(400, "parameter_invalid", f"{model} has no vectors of {wanted} dimensions.")
        return int(wanted)


def segmentation_of(video: Body, model: str) -> tuple[str, float]:
    """("fixed" or "dynamic", seconds); a Refusal for the wrong wrapping or a length out of range."""
    given = video.get("segmentation")
    if given is None:
        return "dynamic", SHORTEST[model]
    wrapped = "temporal" in given
    if wrapped != (model == "marengo3.5"):
        where = "inside segmentation.temporal" if model == "marengo3.5" else "directly in segmentation"
        raise Refusal(400, "parameter_invalid", f"{model} takes the strategy {where}.")
    inner = given["temporal"] if wrapped else given
    strategy = inner.get("strategy")
    names = {"fixed": ("duration_sec", 2, 10), "dynamic": ("min_duration_sec", 2, 5)}
    if strategy not in names or strategy not in inner:
        raise Refusal(400, "parameter_invalid", "strategy is fixed or dynamic, with a field of that name.")
    name, low, high = names[strategy]
    seconds = inner[strategy].get(name)
    if not isinstance(seconds, int | float) or not low <= seconds <= high:
        raise Refusal(400, "parameter_invalid", f"{name} must be between {low} and {high}.")
    return strategy, float(seconds)


def _asked(request: Body) -> Body:
    """A request without its media source: what was asked for, whatever the upload's id."""
    video = {k: v for k, v in request["video"].items() if k != "media_source"}
    return {k: v for k, v in request.items() if k != "video"} | {"video": video}
