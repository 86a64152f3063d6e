"""The offline Embed API: an HTTP transport that answers in the Embed v2 wire protocol, without a network.

It sits below the real SDK, so that notebooks run the same calls with and without a key. It answers from the
fixtures in data/fixtures, then from the local encoder, and else with an ordinary API error. It speaks the
dialect of Marengo 3.5 (text queries as `multi_input`, segmentation inside `temporal`, descriptions as
`time_based_metadata`) under a model name of its own, and never claims to be Marengo. One thing it does that
Marengo does not: time-based metadata gets an embedding option of its own, `description`, where Marengo folds
it into the fused vector.
"""

import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np

from helpers.arguments import checked_path
from helpers.errors import DataError
from helpers.models import Model
from helpers.standin.assets import Media
from helpers.standin.brain import QueryRequest, VideoRequest, vector_row
from helpers.standin.encoder import MODEL, Encoder, check_readable, find_shots
from helpers.standin.fixtures import Fixtures, Vector
from helpers.standin.protocol import Service
from helpers.standin.wire import BASE, IN_MEMORY, Body, Refusal, Request, invalid
from helpers.videos.cues import Cue, overlaps
from helpers.videos.images import open_picture

MOST_LETTERS = 256  # a text of fewer letters has fewer word pieces, and the model need not count them
TASKS = 4  # at once: each reads its video in a thread of its own, and all share the threads of the encoder
Rows = list[tuple[float, float, Vector]]  # start, end, vector


class OfflineTransport(httpx.BaseTransport):
    """Answers what the notebooks ask of the Embed API; pass it as `httpx.Client(transport=...)`.

    `fixtures=None` leaves the cached answers out, so that the encoder answers everything. Uploads lie in `folder`
    until they are deleted, or until `close()`; that stops what is at work on them. What was made of a video lies in
    `unfinished` until its answer has been fetched, and a later run goes on from there.
    Raises DataError where a file of the fixtures is missing or damaged.
    """

    def __init__(self, *, models: Path, fixtures: Path | None, unfinished: Path | None = None) -> None:
        known = (
            None if fixtures is None else Fixtures(checked_path(fixtures, DataError, what="fixtures' folder"))
        )
        place = None if unfinished is None else checked_path(unfinished, DataError, what="folder of parts")
        brain = OfflineBrain(Encoder(checked_path(models, DataError, what="models' folder")), known, place)
        self.folder = Path(tempfile.mkdtemp(prefix="video-search-assets-"))
        # Many a client is dropped, and never closed.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._workers = ThreadPoolExecutor(TASKS, thread_name_prefix="offline-embed")
        self._service = Service(brain, asset_polls=0, executor=self._workers, folder=self.folder)

    def close(self) -> None:
        for task in list(self._service.tasks.values()):
            task.request.work.stop.set()
        self._workers.shutdown(cancel_futures=True)
        self._remove()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path.removeprefix(BASE), parse_qs(request.url.query.decode())
        host = f"{request.url.scheme}://{request.url.netloc.decode()}"
        assert isinstance(request.stream, httpx.SyncByteStream)  # of a client without asyncio
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as body:
            for piece in request.stream:
                body.write(piece)
            body.seek(0)
            asked = Request(request.method, path, query, dict(request.headers), body, host)
            answer = self._service.answer(asked)
        headers = {"content-type": "application/json"} | answer.headers
        return httpx.Response(answer.status, content=answer.data(), headers=headers)


class OfflineBrain:
    """Vectors from the fixtures, and from the encoder where they have none."""

    name = "The offline Embed API"
    models: tuple[str, ...] = (MODEL,)
    media_types: tuple[str, ...] = ("image", "video")

    def __init__(self, encoder: Encoder, fixtures: Fixtures | None, unfinished: Path | None = None) -> None:
        self._encoder, self._fixtures, self._unfinished = encoder, fixtures, unfinished

    def unknown_model(self, name: str) -> str:
        return f"There is no {name} offline, only {MODEL}: set TWELVE_LABS_API_KEY for the real models."

    def fetch(self, url: str) -> Media:
        message = "Offline cannot fetch a URL: download the file and pass its path, or set a key to go live."
        raise invalid(message)

    def usage(self, model: Model, **tokens: int) -> Body:
        return {}

    def check(self, request: VideoRequest) -> None:
        for cue in request.cues:
            self._check_text(cue.text)

    def check_media(self, media: Media) -> None:
        long_enough = media.duration >= 4
        if not long_enough or min(media.width, media.height) < 360:
            raise Refusal(
                400,
                "video_resolution_too_low" if long_enough else "video_duration_too_short",
                f"The video is {media.width}x{media.height} and {media.duration:g} s long: "
                "it must be at least 360x360 and 4 s.",
            )

    def embed(self, request: VideoRequest) -> list[Body]:
        options = request.options or [
            option for option in request.model.options if option == "visual" or request.cues
        ]
        computed: dict[str, dict[str, Rows]] = {}
        data: list[Body] = []
        for option in options:
            digest = cues_digest(request.cues) if option == "description" else ""
            for scope in request.scopes:
                key = (request.media.content, option, scope, str(request.segmentation), digest)
                rows = self._fixtures.segments(*key) if self._fixtures else None
                if rows is None:
                    if option not in computed:
                        computed[option] = self._compute(option, request)
                    rows = computed[option][scope]
                data += [
                    vector_row(np.asarray(vector, np.float32).tolist(), option, scope, start, end)
                    for start, end, vector in rows
                ]
        return data

    def _compute(self, option: str, request: VideoRequest) -> dict[str, Rows]:
        duration, cues, path = request.media.duration, request.cues, _path(request.media)
        cuts = find_shots(path, stop=request.work.stop) if request.segmentation.strategy == "dynamic" else ()
        bounds = request.segmentation.bounds(duration, cuts=cuts)
        if option == "visual":
            if self._unfinished:
                request.work.keep_in(self._unfinished / f"{MODEL}-{request.media.content[:32]}")
            clips, asset = self._encoder.embed_segments(path, bounds, work=request.work)
            rows = [(start, end, vector) for (start, end), vector in zip(bounds, clips, strict=True)]
            if failed := sorted(request.work.passed):
                what = (
                    f"A damaged picture near {failed[0]:.1f} s was"
                    if len(failed) == 1
                    else f"{len(failed)} damaged pictures from {failed[0]:.1f} s to {failed[-1]:.1f} s were"
                )
                request.notes.append(f"{what} passed over: the one before stays.")
            return {"clip": rows, "asset": [(0.0, duration, asset)]}
        texts = self._encoder.embed_texts([cue.text for cue in cues])
        vectors = dict(zip(cues, texts, strict=True))

        def mean(start: float, end: float) -> Rows:
            shared = overlaps(list(cues), start, end)  # each cue counts by the seconds that it shares
            return [(start, end, unit(sum(s * vectors[c] for c, s in shared)))] if shared else []

        return {"clip": [row for b in bounds for row in mean(*b)], "asset": mean(0.0, duration)}

    def embed_query(self, request: QueryRequest) -> list[float]:
        vectors = [self._text(request.text)] if request.text is not None else []
        vectors += [self._media(kind, media) for kind, media in request.media]
        vector = vectors[0] if len(vectors) == 1 else unit(sum(vectors))
        numbers: list[float] = vector.tolist()
        return numbers

    def _text(self, text: str) -> Vector:
        cached = self._fixtures.query(hashlib.sha256(text.encode()).hexdigest()) if self._fixtures else None
        if cached is not None:
            return cached
        self._check_text(text)
        return np.asarray(self._encoder.embed_texts([text])[0], dtype=np.float32)

    def _check_text(self, text: str) -> None:
        check_readable(text)
        if len(text) > MOST_LETTERS and self._encoder.is_too_long(text):
            start = f"{text[:40]!r} goes on for longer than the offline model can read"
            raise Refusal(400, "token_limit_exceeded", f"{start}: shorten it.")

    def _media(self, kind: str, media: Media) -> Vector:
        cached = self._fixtures.query(media.content) if self._fixtures else None
        if cached is not None:
            return cached
        if kind == "video":
            return self._encoder.embed_segments(_path(media), [(0.0, media.duration)]).asset
        return self._encoder.embed_image(open_picture(_path(media)))


def _path(media: Media) -> Path:
    assert media.path is not None  # the transport keeps its uploads
    return media.path


def cues_digest(cues: Sequence[Cue]) -> str:
    """The sha256 of a description track's times and words."""
    return hashlib.sha256(json.dumps([[c.start, c.end, c.text] for c in cues]).encode()).hexdigest()


def unit(vector: Any) -> Vector:
    """The vector at length 1, as float32."""
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
