"""From videos to segments through the Embed API v2: many videos at once, stopped and resumed as you like."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import Timeout
from twelvelabs import TwelveLabs

from helpers.arguments import as_list, check_names, is_whole
from helpers.embed.cache import Cache
from helpers.embed.client import check_client, service_of, settings_of
from helpers.embed.journal import Journal
from helpers.embed.progress import as_they_end, courses_of
from helpers.embed.tasks import KEPT_DAYS, run_work
from helpers.embed.work import Course, Work
from helpers.errors import EmbedError, QuotaError, VideoError, VideoSearchError
from helpers.files import cache_key, file_sha256, remove_old
from helpers.models import model_facts
from helpers.segmentation import SCOPES, Segmentation
from helpers.segments import COLUMNS, check_vectors, join_segments, to_answer, to_segments
from helpers.videos.cues import Cue, Track, read_track, readable_cues, track_beside
from helpers.videos.limits import require_limits
from helpers.videos.listing import Listed
from helpers.videos.media import shown
from helpers.videos.own import check_videos, list_sources, read_videos
from helpers.videos.samples import local_path

REPORT = ["video_id", "title", "status", "segments", "tasks", "repeated", "reason"]
Looked = tuple[Path | str, str, Track, str]  # source, digest, description track, key


@dataclass(frozen=True)
class Batch:
    """What became of many videos: their segments, and a report with a row for each video.

    The report's columns: video_id, title, `status` ("done", "cached", "failed" or "left"), segments, `tasks`
    (made for it in this run, or perhaps made; one that was refused is none), `repeated` (those of them that may
    have been paid for twice, as an answer was lost for good), `reason` (one sentence, where something went wrong).
    `resume_at` (UTC) is when a quota ends, if the service says so. `errors` are the exceptions behind it.
    """

    segments: pd.DataFrame
    report: pd.DataFrame
    resume_at: datetime | None = None
    errors: tuple[VideoSearchError, ...] = ()


class _Embedder:
    """Embeds one video after another for a batch; the parts that all of them share."""

    def __init__(
        self,
        client: TwelveLabs,
        *,
        model: str | None,
        options: Sequence[str] | None,
        scopes: Sequence[str],
        segmentation: str,
        deadline: float,
    ) -> None:
        check_names(EmbedError, options=options, scopes=scopes)
        settings = settings_of(client)
        self.client, self.model = client, settings.model if model is None else model
        self.segmentation = segmentation
        self.options = None if options is None else as_list(options)
        self.scopes = list(SCOPES if scopes is None else scopes)
        self.facts = model_facts(self.model)
        self.wire = Segmentation.parse(segmentation).request(self.facts)
        self.deadline = deadline
        self.cache = Cache(settings.home / "cache" / "segments")
        self.offline = self.facts.offline
        self.journal = None if self.offline else Journal(settings.home / "journal")
        if self.journal:
            remove_old(self.journal.folder.glob("task-*"), days=KEPT_DAYS + 1)
        self.stop = threading.Event()
        self.full: QuotaError | None = None  # the first to meet the quota speaks for all

    def key(self, digest: str, cues: Sequence[Cue]) -> str:
        """The key of an answer in the cache: everything that decides it."""
        return cache_key(
            content=digest,
            model=self.model,
            options=self.options,
            scopes=self.scopes,
            segmentation=self.segmentation,
            cues=[(c.start, c.end, c.text) for c in cues],
            **service_of(self.client),
        )

    def look(self, video: dict[str, Any]) -> Looked:
        """The source of a video, its digest, its description track, and its key."""
        path = local_path(video["video_url"])
        if path is None:
            if self.offline:
                raise VideoError(f"{video['title']} is an address: download it, as offline reads files only.")
            digest = cache_key(url=video["video_url"])
            return video["video_url"], digest, Track([], []), self.key(digest, [])
        digest = file_sha256(path)
        track = Track([], [])
        if beside := track_beside(path, digest):
            try:
                track = read_track(beside)
            except VideoError as error:  # it costs the words, and not the pictures
                track = Track([], [str(error)])
        return path, digest, track, self.key(digest, track.cues if self.offline else [])

    def embed(self, video: dict[str, Any], row: dict[str, Any], course: Course) -> pd.DataFrame:
        """The segments of one video, out of the cache or from the service.

        `row` of the report is filled in, and `course` says how far it is.
        """
        _, _, track, key = looked = self.look(video)
        row["reason"] = " ".join(track.problems)
        # One worker per video, in this process or another: a second would ask, and pay, for the same.
        with self._alone(key):
            answer = self.cache.get(key)
            if answer is None:
                answer = self._ask(looked, row, course)
            else:
                row["status"], course.kept = "cached", 1.0
        segments = to_segments(
            answer, video, model=self.model, segmentation=self.segmentation, cues=track.cues
        )
        row.update(status=row["status"] if row["status"] == "cached" else "done", segments=len(segments))
        return segments

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        if self.journal is None:
            yield
            return
        lock = self.journal.lock(f"task-{key[:32]}")
        try:
            lock.acquire(timeout=self.deadline, cancel_check=self.stop.is_set)
        except Timeout:
            said = "Stopped before its turn" if self.stop.is_set() else "Another process is still at it"
            raise EmbedError(f"{said}: run the cell again to go on.") from None
        try:
            yield
        finally:
            lock.release()

    def _ask(self, looked: Looked, row: dict[str, Any], course: Course) -> pd.DataFrame:
        source, digest, track, key = looked
        cues: Sequence[Cue] = track.cues
        found = require_limits(source, model=self.model) if isinstance(source, Path) else None
        said = [row["reason"], found.note if found else ""]
        if self.offline:
            all_cues = len(cues)
            cues, unread = readable_cues(cues)
            if unread:
                what = f"{unread} of {all_cues} cues"
                said.append(f"The offline model cannot read {what}: it reads words in English only.")
        # The options are always named: what a service answers with by default may change, and has.
        options = self.options or [o for o in self.facts.options if o != "description" or cues]
        request: dict[str, Any] = {"segmentation": self.wire, "embedding_scope": self.scopes}
        request["embedding_option"] = list(options)
        if cues and self.offline:  # the live service is never sent a local text file
            request["time_based_metadata"] = [{"start": c.start, "end": c.end, "text": c.text} for c in cues]
        check_client(self.client)  # what is cached needs none
        if self.full:
            raise self.full
        work = Work(
            source,
            digest,
            request,
            self.model,
            key=f"task-{key[:32]}",
            deadline=self.deadline,
            duration=found.duration if found else None,
            has_audio=found.has_audio if found else None,
            course=course,
        )
        try:
            answer = to_answer(run_work(self.client, work, self.journal, self.stop))
            check_vectors(answer["embedding"], work.name)
        except QuotaError as error:
            self.full = error
            raise
        except EmbedError as error:
            error.args = (work.named(str(error)), *error.args[1:])
            raise
        finally:
            reason = " ".join(filter(None, [*said, work.note]))
            row.update(tasks=work.posts, repeated=work.repeated, reason=reason)
        self.cache.put(key, answer)
        return answer


def embed_batch(
    client: TwelveLabs,
    videos: pd.DataFrame | str | Path | Iterable[str | Path],
    *,
    model: str | None = None,
    options: Sequence[str] | None = None,
    scopes: Sequence[str] = SCOPES,
    segmentation: str = "fixed-6",
    workers: int = 4,
    deadline: float = 1800,
) -> Batch:
    """Embed videos, `workers` at once, and return their segments with a report; no video stops the others.

    `videos` is a table such as `sample_videos()`, or paths. `options=None` takes what the model gives by
    default. `segmentation` is "fixed-S" (S seconds, 2-10) or "dynamic-S" (by shot, at least S seconds, 2-5).
    `deadline` is the longest wait for one video, in seconds; offline, for it to get on. Each answer is kept on disk
    as soon as it is there, offline also the parts of one: after Ctrl-C, a crash or a used-up quota the same call goes
    on where it was, and a second run costs nothing. A quota that is used up stops what has not begun.
    The bar counts minutes of video; live a video counts when its answer is there, as the service says no more.
    Raises EmbedError at once for a key that is refused; VideoError for an empty table; SettingsError for a model
    that is not known.
    """
    if not is_whole(workers, least=1):
        raise EmbedError(f"The number of workers is {workers!r}: give a whole number from 1.")
    problems: list[tuple[Listed, str]] = []
    if isinstance(videos, pd.DataFrame):
        table = videos
    else:
        table, problems = read_videos(list_sources(*as_list(videos)))
    check_videos(table)
    embedder = _Embedder(
        client, model=model, options=options, scopes=scopes, segmentation=segmentation, deadline=deadline
    )
    table = table.drop_duplicates("video_id")  # the same content twice is one video
    records = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    if not records:
        raise VideoError("There is no video to embed: the table is empty.")
    counts = {"segments": 0, "tasks": 0, "repeated": 0}
    report: list[dict[str, Any]] = [
        {"video_id": r["video_id"], "title": r["title"], "status": "left", **counts, "reason": ""}
        for r in records
    ]
    for listed, problem in problems:
        title = listed.title or shown(listed.source)
        report.append({"video_id": "", "title": title, "status": "failed", **counts, "reason": problem})
    done: dict[int, pd.DataFrame] = {}
    errors: list[VideoSearchError] = [VideoError(problem) for _, problem in problems]
    courses = courses_of(records)
    pool = ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(embedder.embed, r, report[i], courses[i]): i for i, r in enumerate(records)}
        for future in as_they_end(futures, report, courses):
            i = futures[future]
            try:
                done[i] = future.result()
            except QuotaError as error:
                report[i].update(status="left", reason=str(error))
                errors.append(error)
                # What has not begun does not begin; what runs is paid for, and waited for.
                for other in futures:
                    other.cancel()
            except VideoSearchError as error:
                if getattr(error, "status", None) in (401, 403):  # the next video will fare no better
                    raise
                report[i].update(status="failed", reason=str(error))
                errors.append(error)
    finally:  # Ctrl-C too: workers that wait for the service stop waiting
        embedder.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    tables = [done[i] for i in sorted(done)]
    segments = join_segments(tables) if tables else pd.DataFrame(columns=COLUMNS)
    resume_at = next((e.resume_at for e in errors if isinstance(e, QuotaError) and e.resume_at), None)
    return Batch(segments, pd.DataFrame(report, columns=REPORT), resume_at, tuple(errors))


def embed_videos(
    client: TwelveLabs,
    videos: pd.DataFrame | str | Path | Iterable[str | Path],
    *,
    model: str | None = None,
    options: Sequence[str] | None = None,
    scopes: Sequence[str] = SCOPES,
    segmentation: str = "fixed-6",
    workers: int = 4,
    deadline: float = 1800,
) -> pd.DataFrame:
    """Embed videos as `embed_batch` does, and return their segments, one row each, by video and time.

    Raises EmbedError or VideoError, naming the videos that failed, when the others are through; QuotaError
    where a quota is used up. What is done is kept for the next run.
    """
    batch = embed_batch(
        client,
        videos,
        model=model,
        options=options,
        scopes=scopes,
        segmentation=segmentation,
        workers=workers,
        deadline=deadline,
    )
    if not batch.errors:
        return batch.segments
    if len(batch.report) == 1:
        raise batch.errors[0]
    bad = batch.report["status"].isin(["failed", "left"]).sum()
    reasons = list(dict.fromkeys(map(str, batch.errors)))
    more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
    message = (
        f"{bad} of {len(batch.report)} videos were not embedded, the others are kept for the next run: "
        f"{' '.join(reasons[:3])}{more}"
    )
    if any(isinstance(error, QuotaError) for error in batch.errors):
        raise QuotaError(message, resume_at=batch.resume_at)
    raise EmbedError(message)


def cached_videos(
    client: TwelveLabs,
    videos: pd.DataFrame,
    *,
    model: str | None = None,
    options: Sequence[str] | None = None,
    scopes: Sequence[str] = SCOPES,
    segmentation: str = "fixed-6",
) -> set[str]:
    """The `video_id`s whose answer is on disk already: to embed them again costs nothing."""
    embedder = _Embedder(
        client, model=model, options=options, scopes=scopes, segmentation=segmentation, deadline=0
    )
    check_videos(videos)
    rows = [{str(k): v for k, v in row.items()} for row in videos.to_dict("records")]
    return {str(row["video_id"]) for row in rows if embedder.cache.get(embedder.look(row)[3]) is not None}
