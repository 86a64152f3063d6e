"""The Embed v2 protocol: its routes, requests, tasks and answers, over a brain that gives the vectors.

It speaks the dialect of the model that is asked for (see helpers/models.py): that of Marengo 3.5, or that of 3.0.
It embeds videos by tasks; there are no tasks for audio, images or documents, no audio queries, and none of the v1
routes. All times are seconds from the start of the video.
"""

import hashlib
import itertools
import json
import threading
from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from helpers.errors import EmbedError, VideoError
from helpers.models import Model, model_facts
from helpers.segmentation import SCOPES, Segmentation
from helpers.standin.assets import Assets, Media
from helpers.standin.brain import Brain, QueryRequest, VideoRequest, vector_row, video_metadata
from helpers.standin.parts import Parts
from helpers.standin.wire import (
    BASE,
    Answer,
    Body,
    Refusal,
    Request,
    error_body,
    invalid,
    page,
    rfc3339,
    time_of,
)
from helpers.videos.cues import Cue

KEPT = timedelta(days=7)  # the service forgets a task's embeddings after that
SHORTEST_SIDE = 128  # pixels, of an image as a query


@dataclass
class Task:
    """A task as it goes on; `fate` and `reason` are what a fault has made of it, `asset` what it embeds."""

    id: str
    asset: str
    request: VideoRequest
    filename: str
    created: datetime
    rows: Future[list[Body]]
    polls: int = 0
    fate: str = ""
    reason: str = ""


class Service:
    """The state behind the routes. All methods may be called by many threads.

    Assets say that they are processing `asset_polls` times, tasks `polls` times and as long as they are at work in
    `executor`; without one they are done at once. `folder`, if there is one, keeps the files of uploads.
    """

    def __init__(
        self,
        brain: Brain,
        *,
        seed: int = 0,
        polls: int = 1,
        asset_polls: int = 1,
        executor: Executor | None = None,
        folder: Path | None = None,
    ) -> None:
        self.brain, self.seed, self.polls, self.executor = brain, seed, polls, executor
        self.later = timedelta()  # what was added to the clock
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self.assets = Assets(self._id, self.now, brain.fetch, polls=asset_polls, folder=folder)
        self.parts = Parts(self.assets)
        self.tasks: dict[str, Task] = {}
        self.charged: Counter[tuple[str, str, str]] = Counter()  # by content, model, and all other arguments

    def clear(self) -> None:
        for kept in (self.assets.all, self.parts.all, self.tasks, self.charged):
            kept.clear()

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.later

    def set_fate(self, what: str, fate: str, reason: str) -> None:
        """Give an asset or a task, known by its id, a bad end: "failed", "never" (ends) or "expired"."""
        one = self.tasks.get(what) or self.assets.all.get(what)
        if one is not None:
            one.fate, one.reason = fate, reason

    def answer(self, request: Request) -> Answer:
        """The answer to one request, a refusal too."""
        try:
            with self._lock:
                return self._route(request)
        except Refusal as error:
            return Answer(error.status, error_body(request.path, error.code, error.message))
        except (EmbedError, VideoError) as error:
            return Answer(400, error_body(request.path, "parameter_invalid", str(error)))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            message = f"The request is not as documented ({type(error).__name__}: {error})."
            return Answer(400, error_body(request.path, "parameter_invalid", message))

    def _route(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        match (request.method, *parts):
            case ("PUT", "uploads", upload, number):
                return self.parts.put(upload, int(number), request.body.read())
            case (_, "assets", "multipart-uploads", *_) if answer := self.parts.answer(request):
                return answer
            case (method, "assets", *_):
                if method == "DELETE" and self.executor:
                    self._end_tasks(parts[-1])
                if answer := self.assets.answer(request):
                    return answer
            case ("POST", "embed-v2"):
                return self._query(request.json())
            case ("POST", "embed-v2", "tasks"):
                return self._create_task(request.json())
            case ("GET", "embed-v2", "tasks"):
                return self._list_tasks(request.query)
            case ("GET", "embed-v2", "tasks", task):
                return self._get_task(task)
        message = f"{self.brain.name} has no {request.method} /{'/'.join(parts)}."
        raise Refusal(404, "endpoint_not_found", message)

    def _id(self, kind: str) -> str:
        return hashlib.sha256(f"{self.seed} {kind} {next(self._numbers)}".encode()).hexdigest()[:24]

    # tasks -------------------------------------------------------------------------------------------

    def _create_task(self, request: Body) -> Answer:
        model = self._model(request)
        if request.get("input_type") != "video" or not request.get("video"):
            raise invalid(f"{self.brain.name} embeds video by tasks: input_type must be video.")
        wanted, filename = self._video(request, model)
        self.brain.check(wanted)
        self.brain.check_media(wanted.media)
        if self.executor:
            rows = self.executor.submit(self.brain.embed, wanted)
        else:
            rows = Future()
            rows.set_result(self.brain.embed(wanted))
        asset = str(request["video"]["media_source"].get("asset_id"))
        task = Task(self._id("task"), asset, wanted, filename, self.now(), rows)
        self.tasks[task.id] = task
        self.charged[wanted.media.content, model.name, _other_arguments(request)] += 1
        body: Body = {"_id": task.id, "status": "processing", "data": None}
        body["metadata"] = {"embedding_dimension": wanted.dimension}
        return Answer(202, body, {"Location": f"{BASE}/embed-v2/tasks/{task.id}"})

    def _end_tasks(self, asset: str) -> None:
        """Of a video that was deleted nothing is made any more, and nothing is kept: neither here nor on disk.

        What was stopped on its way stays on disk, for the next time.
        """
        for task in [task for task in self.tasks.values() if task.asset == asset]:
            task.request.work.stop.set()
            if not task.rows.cancel() and task.rows.done() and not task.rows.exception():
                task.request.work.remove()
            del self.tasks[task.id]

    def _video(self, request: Body, model: Model) -> tuple[VideoRequest, str]:
        """What a request asks of a video, checked, and the name of its file."""
        video = request["video"]
        cut = Segmentation.from_request(video.get("segmentation"), model)
        known = {
            "embedding_option": model.options,
            "embedding_scope": (*SCOPES, *(["local"] if model.temporal else [])),  # another name for clip
        }
        for name, allowed in known.items():
            if wrong := [one for one in video.get(name) or () if one not in allowed]:
                choice = f"{', '.join(allowed[:-1])} and {allowed[-1]}"
                raise invalid(f"{model.name} has no {name} {wrong[0]}, only {choice}.")
        scopes = [scope.replace("local", "clip") for scope in video.get("embedding_scope") or SCOPES]
        cues = video.get("time_based_metadata") or ()
        dimension = self._dimension(request, model)
        media, filename = self.assets.source(video["media_source"])
        if media.kind != "video":
            raise Refusal(400, "video_file_broken", "The video cannot be read: it is no video, or damaged.")
        wanted = VideoRequest(
            model=model,
            media=media,
            dimension=dimension,
            options=tuple(video.get("embedding_option") or ()),
            scopes=tuple(scopes),
            segmentation=cut,
            start=video.get("start_sec") or 0.0,
            end=min(video.get("end_sec") or media.duration, media.duration),
            kinds=tuple(video.get("embedding_type") or ["separate_embedding"]),
            cues=tuple(Cue(cue["start"], cue["end"], cue["text"]) for cue in cues),
            uncertain=bool(request.get("embedding_uncertainty")),
        )
        return wanted, filename

    def _get_task(self, task_id: str) -> Answer:
        task = self.tasks.get(task_id)
        if task is None or task.fate == "expired" or task.created + KEPT < self.now():
            raise Refusal(404, "embed_task_not_found", f"There is no embedding task {task_id}.")
        status = self._status(task)
        task.polls += 1
        body: Body = {"_id": task.id, "status": status, "data": None}
        body |= {"created_at": rfc3339(task.created), "updated_at": rfc3339(self.now())}
        if status == "failed":
            error = task.reason or task.rows.exception() or "failed to fetch or materialize source media"
            body["error"] = {"message": str(error)}
        if status == "ready":
            body |= self._result(task)
        if status == "processing" and self.executor:  # the service has no such field
            body["progress"] = {"done": task.request.work.done, "kept": task.request.work.kept}
        return Answer(200, body)

    def _status(self, task: Task) -> str:
        if task.fate == "never" or task.polls < self.polls or not task.rows.done():
            return "processing"
        return "failed" if task.fate == "failed" or task.rows.exception() else "ready"

    def _result(self, task: Task) -> Body:
        wanted, rows = task.request, task.rows.result()
        metadata = video_metadata(wanted, rows) | {"input_filename": task.filename}
        usage = self.brain.usage(wanted.model, video=round(wanted.media.duration * 64))
        return {"data": rows, "metadata": metadata} | usage

    def _list_tasks(self, query: dict[str, list[str]]) -> Answer:
        after, before = (time_of(query.get(name, [""])[0]) for name in ("started_at", "ended_at"))
        status = query.get("status", [""])[0]
        rows = [
            {
                "_id": task.id,
                "model_name": task.request.model.name,
                "status": self._status(task),
                "created_at": rfc3339(task.created),
                "updated_at": rfc3339(task.created),
                "video_embedding": {
                    "metadata": {"input_filename": task.filename, "duration": task.request.media.duration}
                },
            }
            for task in reversed(self.tasks.values())
            if task.fate != "expired"
            and task.created + KEPT >= self.now()
            and (after is None or task.created >= after)
            and (before is None or task.created <= before)
            and status in ("", self._status(task))
        ]
        return page(rows, query)

    # queries -----------------------------------------------------------------------------------------

    def _query(self, request: Body) -> Answer:
        model, kind = self._model(request), str(request.get("input_type"))
        if kind not in model.input_types:
            choice = " or ".join(model.input_types)
            message = f"{model.name} has no input_type {kind}: queries, words included, must use input_type"
            raise invalid(f"{message} {choice}.")
        dimension, given = self._dimension(request, model), request[kind]
        metadata: Body = {"input_type": kind, "embedding_dimension": dimension}
        if kind == "video":
            wanted, _ = self._video(request, model)
            self.brain.check(wanted)
            rows, words = self.brain.embed(wanted), 0
            metadata = video_metadata(wanted, rows)
        else:
            query = self._query_request(given, kind, model, dimension, bool(request.get("auto_truncate")))
            rows, words = [vector_row(self.brain.embed_query(query))], len((query.text or "").split())
            for _, media in query.media:
                self.assets.release(media)
        body: Body = {"data": rows} | ({} if kind == "text" else {"metadata": metadata})
        return Answer(200, body | self.brain.usage(model, text=words))

    def _query_request(
        self, given: Body, kind: str, model: Model, dimension: int, auto_truncate: bool
    ) -> QueryRequest:
        text = given.get("input_text")
        sources = list(given.get("media_sources") or ())
        sources += [given["media_source"] | {"media_type": kind}] if "media_source" in given else []
        if text is not None and not text.strip():
            raise invalid("The query is empty: type at least one word.")
        if text is None and not sources:
            raise invalid("The query is empty: give it words, an image or a clip.")
        media = tuple(self._query_media(source, kind, model) for source in sources)
        return QueryRequest(model, dimension, text, media, auto_truncate)

    def _query_media(self, source: Body, kind: str, model: Model) -> tuple[str, Media]:
        wanted = str(source["media_type"]).replace("text_image", "image")
        if wanted not in self.brain.media_types:
            raise invalid(f"{self.brain.name} cannot embed {wanted}.")
        if kind == "multi_input" and not model.temporal and wanted != "image":
            raise invalid(f"{model.name} combines text and images only.")
        media, _ = self.assets.source(source)
        if wanted != "image" and media.kind != "video":
            raise Refusal(400, "video_file_broken", f"The {wanted} cannot be read.")
        if wanted == "image" and media.kind != "image":
            message = "The image cannot be read: use a JPEG or PNG file."
            raise Refusal(400, "image_file_broken", message)
        if wanted == "image" and min(media.width, media.height) < SHORTEST_SIDE:
            message = f"The image must be at least {SHORTEST_SIDE}x{SHORTEST_SIDE} pixels."
            raise Refusal(400, "image_resolution_too_low", message)
        if media.duration > model.query_seconds + 0.5:
            longest = f"{model.query_seconds:g} seconds ({model.query_seconds // 60:g} minutes)"
            said = f"Duration ({media.duration:.1f} seconds) exceeds maximum limit of {longest}"
            raise invalid(f"{said}: a clip as a query may last {model.query_seconds:g} s at most.")
        return wanted, media

    # what requests share -----------------------------------------------------------------------------

    def _model(self, request: Body) -> Model:
        name = str(request.get("model_name"))
        if name not in self.brain.models:
            raise Refusal(400, "model_not_available", self.brain.unknown_model(name))
        return model_facts(name)

    def _dimension(self, request: Body, model: Model) -> int:
        wanted = request.get("embedding_dimension") or model.dimensions[0]
        if wanted not in model.dimensions:
            raise invalid(f"{model.name} has no vectors of {wanted} dimensions.")
        return int(wanted)


def _other_arguments(request: Body) -> str:
    """A request without its media source, as JSON: what was asked for, whatever the upload's id."""
    video = {k: v for k, v in request["video"].items() if k != "media_source"}
    return json.dumps(request | {"video": video}, sort_keys=True)
