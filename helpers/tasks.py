"""One embedding task: made once, found again after a loss, waited for, and its answer brought home."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twelvelabs import TwelveLabs
from twelvelabs.types import AsyncVideoInputRequest, EmbeddingData

from helpers.api import call
from helpers.errors import EmbedError
from helpers.journal import Journal
from helpers.logs import redact
from helpers.settings import OFFLINE_MODEL
from helpers.uploads import Source, upload
from helpers.videos import file_sha256

POLL_SECONDS = (0.05, 5.0)  # the first pause between two polls, and the longest
KEPT_DAYS = 7  # so long the service keeps an answer
LOST_SECONDS = 1.0  # before a task is asked for again whose answer was lost for good
SKEW = timedelta(minutes=10)  # between the service's clock and this one


class TaskFailed(EmbedError):
    """The service says that an upload or a task has failed, and why."""


class _Other(Exception):
    """The service no longer has the task, or it is not the one that was looked for."""


@dataclass
class Work:
    """What is to be embedded: the source, its digest, the request and the key that it has in the journal.

    `posts` counts the tasks that were asked for, `repeated` those of them of which nobody knows whether an
    earlier one was made and paid for, `adopted` the tasks of an earlier run that were found again.
    """

    source: Source
    digest: str
    request: dict[str, Any]
    model: str
    key: str
    deadline: float = 1800.0
    posts: int = 0
    repeated: int = 0
    adopted: int = 0

    @property
    def name(self) -> str:
        """The file's name; of an address only its host, as the rest may hold a token."""
        return self.source.name if isinstance(self.source, Path) else self.source.split("/")[2]


def run_task(
    client: TwelveLabs, path: Path, video: dict[str, Any], *, model: str, deadline: float = 1800
) -> list[EmbeddingData]:
    """Embed one file with the request `video`, without a journal, and return the answer's rows."""
    work = Work(path, file_sha256(path), video, model, key="", deadline=deadline)
    return run_work(client, work, None, threading.Event())


def run_work(
    client: TwelveLabs, work: Work, journal: Journal | None, stop: threading.Event
) -> list[EmbeddingData]:
    """Bring home the rows of one task: of the one that the journal knows, else of a new one.

    Without a journal (offline, where nothing is paid for) the upload is deleted at once. Setting `stop` ends
    the waiting. Raises EmbedError if the upload or the task fails, or takes longer than `work.deadline`.
    """
    limit = time.monotonic() + work.deadline
    entry = journal.read(work.key) if journal else {}
    if entry and journal:
        for task_id in _earlier(client, work, entry, journal):
            with suppress(_Other):
                work.adopted = 1
                return _result(client, work, task_id, journal, limit, stop)
    lost = "intent" in entry  # and was not found
    asset_id = upload(
        client, work.source, digest=work.digest, journal=journal, deadline=work.deadline, stop=stop
    )
    try:
        _wait(lambda: client.assets.retrieve(asset_id), f"upload {work.name}", limit, stop)
        for again in (True, False):
            work.posts, work.repeated = work.posts + 1, work.repeated + lost
            for task_id in _create(client, work, asset_id, journal, limit, stop, again=again):
                with suppress(_Other):
                    return _result(client, work, task_id, journal, limit, stop)
            lost = True
        raise EmbedError(
            f"Could not start to embed {work.name}: the answers got lost, so run the cell again."
        )
    finally:
        if work.model == OFFLINE_MODEL:
            with suppress(EmbedError):
                call(lambda: client.assets.delete(asset_id), "delete an upload")


def _earlier(client: TwelveLabs, work: Work, entry: dict[str, Any], journal: Journal) -> list[str]:
    """The task of an earlier run: by its id on disk, else those of the service's list that may be it."""
    if task_id := entry.get("id"):
        age = datetime.now(UTC) - datetime.fromisoformat(entry["created"])
        return [str(task_id)] if age < timedelta(days=KEPT_DAYS) else []
    return _lost_tasks(client, work, datetime.fromisoformat(entry["intent"]), journal)


def _lost_tasks(client: TwelveLabs, work: Work, intent: datetime, journal: Journal) -> list[str]:
    """The tasks since an intent that are of this file and model, and that no entry of the journal claims."""
    taken = {entry.get("id") for entry in journal.entries().values()}
    listed = call(
        lambda: list(client.embed.v_2.tasks.list(started_at=(intent - SKEW).isoformat(), page_limit=50)),
        "look for a task whose answer was lost",
    )
    return [str(task.id) for task in listed if task.id not in taken and _fits(task, work, intent)]


def _fits(task: Any, work: Work, intent: datetime) -> bool:
    """Whether a listed task may be the lost one: by model, time, and the file's name on the wire."""
    if task.model_name not in (None, work.model) or task.status == "failed":
        return False
    made = task.created_at
    made = datetime.fromisoformat(made) if isinstance(made, str) else made
    if made is not None and made < intent - SKEW:
        return False
    about = getattr(task.video_embedding, "metadata", None)
    name = getattr(about, "input_filename", None) or getattr(about, "input_url", None)
    return work.digest[:16] in str(name)


def _create(
    client: TwelveLabs,
    work: Work,
    asset_id: str,
    journal: Journal | None,
    limit: float,
    stop: threading.Event,
    *,
    again: bool,
) -> list[str]:
    """Create a task; where the answer is lost, the ids that may be it, or none if it may be asked `again`."""
    request = AsyncVideoInputRequest.model_validate({"media_source": {"asset_id": asset_id}, **work.request})

    def create() -> Any:
        return client.embed.v_2.tasks.create(input_type="video", model_name=work.model, video=request)

    intent = datetime.now(UTC)
    if journal:
        journal.intend(work.key)
    try:
        left = max(limit - time.monotonic(), 1.0)
        task = call(create, f"start to embed {work.name}", repeatable=False, deadline=left, stop=stop)
    except EmbedError as error:
        if journal and not error.unsure:  # the service said no: nothing was made
            journal.forget(work.key)
        found = _lost_tasks(client, work, intent, journal) if journal and error.unsure else []
        if found or (again and error.unsure and not stop.wait(LOST_SECONDS)):
            return found
        raise
    if journal:
        _keep(journal, work, str(task.id))
    return [str(task.id)]


def _keep(journal: Journal, work: Work, task_id: str) -> None:
    """Write the id down, also of a task that is done: what was paid for can be fetched again for a week."""
    journal.write(work.key, id=task_id, created=datetime.now(UTC).isoformat())


def _result(
    client: TwelveLabs,
    work: Work,
    task_id: str,
    journal: Journal | None,
    limit: float,
    stop: threading.Event,
) -> list[EmbeddingData]:
    known = journal.read(work.key).get("id") == task_id if journal else True
    try:
        result = _wait(lambda: client.embed.v_2.tasks.retrieve(task_id), f"embed {work.name}", limit, stop)
    except EmbedError as error:
        if error.status == 404 and work.adopted:
            raise _Other from None
        if journal and isinstance(error, TaskFailed):
            journal.forget(work.key)
        raise
    if not known and journal:
        if not _answers(work.request, result.data or []):
            raise _Other
        _keep(journal, work, task_id)
    sizes, said = {len(row.embedding) for row in result.data or []}, _dimension(result)
    if said and sizes - {said}:
        raise EmbedError(
            f"The Embed API returned vectors for {work.name} that cannot be used, of {min(sizes)} numbers in "
            f"place of the {said} that it promised: run the cell again."
        )
    if not result.data:
        raise EmbedError(f"The Embed API returned no segments for {work.name}: is the video longer than 4 s?")
    return list(result.data)


def _dimension(result: Any) -> int | None:
    """The dimension that an answer says its vectors have, if it says so."""
    return getattr(getattr(result, "metadata", None), "embedding_dimension", None)


def _answers(request: dict[str, Any], rows: list[EmbeddingData]) -> bool:
    """Whether rows are what was asked for: the same video may have been embedded in other ways as well."""
    wire = request["segmentation"].get("temporal") or request["segmentation"]
    clips = [row for row in rows if row.embedding_scope != "asset"]
    longest = max(((row.end_sec or 0) - (row.start_sec or 0) for row in clips), default=None)
    wanted = wire.get("fixed", {}).get("duration_sec")
    options = {row.embedding_option for row in rows}
    return (
        {row.embedding_scope or "clip" for row in rows} <= set(request["embedding_scope"])
        and options <= set(request.get("embedding_option") or options)
        and (longest is None or wanted is None or abs(longest - wanted) < 0.5)
    )


def _wait(retrieve: Callable[[], Any], what: str, limit: float, stop: threading.Event) -> Any:
    """Poll until `ready`, slower each time; EmbedError if it has failed or the time is over."""
    pause, longest = POLL_SECONDS
    while True:
        result = call(retrieve, what, deadline=max(limit - time.monotonic(), 1.0), stop=stop)
        if result.status == "ready":
            return result
        if result.status == "failed":
            reason = getattr(getattr(result, "error", None), "message", None) or "the service gave no reason"
            raise TaskFailed(redact(f"Could not {what}: {str(reason).rstrip('.')[:300]}."))
        if time.monotonic() + pause > limit:
            raise EmbedError(f"Could not {what} in time: run the cell again, or give a longer deadline.")
        if stop.wait(pause):
            raise EmbedError(f"Stopped on the way to {what}: run the cell again to go on.")
        pause = min(pause * 1.5, longest)
