"""One embedding task: made once, found again after a loss, waited for, and its answer fetched."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twelvelabs import TwelveLabs
from twelvelabs.types import AsyncVideoInputRequest, EmbeddingData

from helpers.embed.client import call
from helpers.embed.journal import Journal
from helpers.embed.recovery import SKEW, find_lost_task, missing_parts
from helpers.embed.uploads import upload
from helpers.embed.work import Work
from helpers.errors import EmbedError
from helpers.files import file_sha256
from helpers.models import model_facts
from helpers.redaction import redact

T = TypeVar("T")
log = logging.getLogger("video_search.tasks")
POLL_SECONDS = (0.05, 5.0)  # the first pause between two polls, and the longest
KEPT_DAYS = 7  # so long the service keeps an answer
LOST_SECONDS = 1.0  # before a task is asked for again whose answer was lost for good


class TaskFailed(EmbedError):
    """The service says that an upload or a task has failed, and why."""


class TaskGone(EmbedError):
    """The service no longer has the task."""


def run_task(client: TwelveLabs, path: Path, video: dict[str, Any], *, model: str) -> list[EmbeddingData]:
    """Embed one file with the request `video`, without a journal, and return the answer's rows."""
    work = Work(path, file_sha256(path), video, model, key="")
    return run_work(client, work, None, threading.Event())


def run_work(
    client: TwelveLabs, work: Work, journal: Journal | None, stop: threading.Event
) -> list[EmbeddingData]:
    """The rows of one task: of the one that the journal knows, else of a new one.

    Without a journal (offline, where nothing is paid for) the upload is deleted at once. Setting `stop` ends
    it at the next step. Raises EmbedError if the upload or the task fails, or takes longer than
    `work.deadline`; QuotaError where the service asks to come back later.
    """
    run = _Run(client, work, journal, stop)
    entry = journal.read(work.key) if journal else {}
    since = None  # when a task was asked for of which nobody knows whether it was made
    if task_id := entry.get("id"):
        if time.time() - _time(entry.get("created")).timestamp() < KEPT_DAYS * 86_400:
            with suppress(TaskGone):
                return run.fetch(str(task_id))
    elif entry and journal:
        since = _time(entry.get("intent"))
        if (rows := run.find_lost(journal, since)) is not None:
            return rows
    asset_id = upload(
        client, work.source, digest=work.digest, journal=journal, deadline=run.left(), stop=stop
    )
    try:
        run.wait(lambda: client.assets.retrieve(asset_id), f"upload {work.name}")
        return run.create(asset_id, since)
    finally:
        if model_facts(work.model).offline:
            with suppress(EmbedError):
                call(lambda: client.assets.delete(asset_id), "delete an upload")


def _time(text: Any) -> datetime:
    """A time of the journal; now where there is none that can be read."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return datetime.now(UTC)


class _Run:
    """One work on its way: what its steps share."""

    def __init__(
        self, client: TwelveLabs, work: Work, journal: Journal | None, stop: threading.Event
    ) -> None:
        self.client, self.work, self.journal, self.stop = client, work, journal, stop
        self.limit = time.monotonic() + work.deadline

    def left(self) -> float:
        """Seconds until the deadline, and one at least."""
        return max(self.limit - time.monotonic(), 1.0)

    def call(self, action: Callable[[], T], what: str, *, repeatable: bool = True) -> T:
        return call(action, what, deadline=self.left(), stop=self.stop, repeatable=repeatable)

    def create(self, asset_id: str, since: datetime | None) -> list[EmbeddingData]:
        """Create a task, once; after a lost answer, look whether it was made before asking once more."""
        work, what = self.work, f"start to embed {self.work.name}"
        source = {"media_source": {"asset_id": asset_id}}
        video = AsyncVideoInputRequest.model_validate({**source, **work.request})
        create = partial(
            self.client.embed.v_2.tasks.create, input_type="video", model_name=work.model, video=video
        )
        last = False
        while True:
            now = datetime.now(UTC)
            if self.journal:
                about = {"request": work.request, "model": work.model, "digest": work.digest}
                self.journal.write(work.key, intent=(since or now).isoformat(), **about)
            work.posts, work.repeated = work.posts + 1, work.repeated + (since is not None)
            try:
                task_id = str(self.call(create, what, repeatable=False).id)
                break
            except EmbedError as error:
                if not error.unsure:  # the service said no: this time nothing was made
                    work.posts -= 1
                    if self.journal and since is None:
                        self.journal.forget(work.key)
                    raise
                since = since or now
                if self.journal and (rows := self.find_lost(self.journal, since)) is not None:
                    return rows
                if last or self.stop.wait(LOST_SECONDS):
                    raise
                last = True
        self.remember(task_id)
        return self.fetch(task_id)

    def find_lost(self, journal: Journal, since: datetime) -> list[EmbeddingData] | None:
        """The rows of a task whose answer was lost, if the service's list has one that is surely it."""

        def rows_of(task_id: str) -> list[EmbeddingData] | None:
            try:
                return list(self.retrieve(task_id).data or [])
            except (TaskGone, TaskFailed):
                return None

        tasks = self.client.embed.v_2.tasks
        listed = self.call(
            lambda: list(tasks.list(started_at=(since - SKEW).isoformat(), page_limit=50)),
            "look for a task whose answer was lost",
        )
        task_id = find_lost_task(self.work, listed, journal.entries(), since, rows_of)
        if task_id is None:
            return None
        self.remember(task_id)
        return self.fetch(task_id)

    def remember(self, task_id: str) -> None:
        """Write the id down, also of a task that is done: what was paid for can be fetched again for a week."""
        if self.journal:
            try:
                self.journal.write(self.work.key, id=task_id, created=datetime.now(UTC).isoformat())
            except EmbedError:  # the intent is on disk, and finds the task again
                log.warning("The id of a task could not be written down: make room on the disk.")

    def fetch(self, task_id: str) -> list[EmbeddingData]:
        """The rows of a task, checked."""
        work = self.work
        try:
            result = self.retrieve(task_id)
        except TaskFailed:
            if self.journal:
                self.journal.forget(work.key)
            raise
        rows = list(result.data or [])
        sizes = {len(row.embedding) for row in rows}
        promised = getattr(getattr(result, "metadata", None), "embedding_dimension", None)
        if promised and sizes - {promised}:
            raise EmbedError(
                f"The Embed API returned vectors for {work.name} that cannot be used, of {min(sizes)} numbers "
                f"in place of the {promised} that it promised: run the cell again."
            )
        if not rows:
            raise EmbedError(
                f"The Embed API returned no segments for {work.name}: is the video longer than 4 s?"
            )
        work.note = " ".join(getattr(getattr(result, "metadata", None), "notes", None) or [])
        if self.journal:
            self._require_whole(rows, self.journal)
        return rows

    def _require_whole(self, rows: list[EmbeddingData], journal: Journal) -> None:
        """EmbedError the first time that an answer is not whole; the second time it is kept, and said."""
        work = self.work
        if missing := missing_parts(work.request, rows, duration=work.duration, has_audio=work.has_audio):
            entry = journal.read(work.key)
            if not entry.get("incomplete"):
                journal.write(work.key, **{**entry, "incomplete": True})
                raise EmbedError(
                    f"The answer for {work.name} lacks {missing}: run the cell again, and if it still does, "
                    "it is kept as it is."
                )
            work.note = f"The answer lacks {missing}, and was kept as it is."

    def retrieve(self, task_id: str) -> Any:
        """Wait for a task; TaskGone for one that the service does not know (any more)."""
        name, course = self.work.name, self.work.course
        course.is_at_service = True
        try:
            return self.wait(lambda: self.client.embed.v_2.tasks.retrieve(task_id), f"embed {name}")
        except EmbedError as error:
            if error.status == 404:
                raise TaskGone(
                    f"Could not embed {name}: the service has lost its task, so run the cell again."
                ) from None
            raise
        finally:
            course.is_at_service = False

    def wait(self, retrieve: Callable[[], Any], what: str) -> Any:
        """Poll until `ready`, slower each time; EmbedError if it has failed or the time is over."""
        pause, longest = POLL_SECONDS
        while True:
            result = self.call(retrieve, what)
            if self.work.course.hear(result):
                self.limit = time.monotonic() + self.work.deadline
            if result.status == "ready":
                return result
            if result.status == "failed":
                reason = (
                    getattr(getattr(result, "error", None), "message", None) or "the service gave no reason"
                )
                raise TaskFailed(redact(f"Could not {what}: {str(reason).rstrip('.')[:300]}."))
            if time.monotonic() + pause > self.limit:
                raise EmbedError(f"Could not {what} in time: run the cell again, or give a longer deadline.")
            self.stop.wait(pause)  # and the next call says that it was stopped
            pause = min(pause * 1.5, longest)
