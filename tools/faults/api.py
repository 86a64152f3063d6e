"""Faults of the Embed API: each happens against the practice server.

A case embeds two short films while something goes wrong, then once more when all is well again. Lost are the
vectors that are missing then; doubled are the tasks that the service was paid for twice, by its own count,
where nobody was told.
"""

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import tenacity
from twelvelabs import TwelveLabs

from helpers import available_options, connect_twelvelabs, embed_batch, load_settings, vector_field
from helpers.embed import client as api
from helpers.embed import tasks
from helpers.errors import VideoSearchError
from helpers.settings import ROOT
from helpers.standin.practice import PracticeServer

FILMS = tuple(ROOT / "data" / "videos" / f"{name}.mp4" for name in ("cat", "coffee"))
LOUD = (ROOT / "data" / "videos" / "big-buck-bunny.mp4",)  # the sample with sound
QUERY, ASSET, TASK = "POST /embed-v2", "POST /assets", "POST /embed-v2/tasks"
POLL, LIST, LOOK = "GET /embed-v2/tasks/*", "GET /embed-v2/tasks", "GET /assets/*"


@dataclass(frozen=True)
class Case:
    """A fault by name, the request that it spoils, and how; `deadline` is that of the batch, in seconds."""

    name: str
    route: str
    kind: str | int
    details: dict[str, Any] = field(default_factory=dict)
    deadline: float = 60.0
    films: tuple[Path, ...] = FILMS


@dataclass(frozen=True)
class Outcome:
    """What the user saw, vectors lost, and tasks doubled."""

    sees: str
    lost: int
    doubled: int


def _case(
    name: str,
    route: str,
    kind: str | int,
    deadline: float = 60.0,
    *,
    films: tuple[Path, ...] = FILMS,
    **details: Any,
) -> Case:
    return Case(name, route, kind, details, deadline, films)


CASES = [
    # the request is refused
    _case("a wrong key", ASSET, 401),
    _case("a plan without this operation", ASSET, 403),
    _case("a model that does not exist", TASK, 404, message="The model does not exist"),
    _case("a parameter that is not valid", TASK, 400),
    _case("a file that is too large", ASSET, 413),
    # the service is busy
    _case("429 with a body", TASK, 429),
    _case("429 without a body", TASK, 429, body=b""),
    _case("429 with Retry-After", TASK, 429, retry_after=1),
    _case("429 with the rate limit's headers", TASK, 429, reset=1),
    _case("429 at every try", TASK, 429, times=99),
    _case("the quota of the day is used up", TASK, "quota", times=99),
    _case("503 at the upload", ASSET, 503),
    _case("503 at every upload", ASSET, 503, times=99),
    # something breaks between a request and its answer
    _case("408 for a new task", TASK, 408),
    _case("500 for a new task", TASK, 500),
    _case("502, a page of HTML", TASK, "html", status=502),
    _case("503 for a new task", TASK, 503),
    _case("504 for a new task", TASK, 504),
    _case("200, a page of HTML", TASK, "html"),
    _case("200 without a body", TASK, "empty"),
    _case("200 without the task's id", TASK, "missing_field", field="_id"),
    _case("the connection is reset before the task is made", TASK, "reset"),
    _case("the connection is closed before the task is made", TASK, "hangup"),
    _case("the task is made, its answer lost", TASK, "lost"),
    _case("the task is made, its answer cut", TASK, "cut"),
    _case("the task is made, its answer truncated", TASK, "truncated"),
    _case("the answer to a new task never comes", TASK, "timeout", 2.0),
    _case("the answer to a new task drips in", TASK, "slow", seconds=50),
    _case("the upload is made, its answer lost", ASSET, "lost"),
    _case("the list of tasks is reversed, an answer lost", LIST, "pages"),
    # while waiting
    _case("500 while waiting", POLL, 500),
    _case("the connection is cut while waiting", POLL, "cut"),
    _case("a truncated answer while waiting", POLL, "truncated"),
    _case("a task that fails", TASK, "failed", message="failed to fetch or materialize source media"),
    _case("a task that never ends", TASK, "never", 1.0),
    _case("an upload that fails", ASSET, "failed", message="the file is broken"),
    _case("a task that is gone while waiting", POLL, "expired"),
    # answers that cannot be used, or look odd
    _case("vectors of different lengths", POLL, "dimension", rows=1),
    _case("a vector that holds NaN", POLL, "nan"),
    _case("a vector of zeros", POLL, "zero"),
    _case("no rows", POLL, "no_rows"),
    _case("rows without a vector", POLL, "missing_field"),
    _case("an embedding option is missing", POLL, "missing_option", option="audio", films=LOUD),
    _case("rows out of order", POLL, "order"),
    _case("each row twice", POLL, "double"),
]


@contextmanager
def practising(folder: str) -> Iterator[tuple[PracticeServer, TwelveLabs]]:
    """A practice server and a client of it, with a home of its own; nobody waits between two tries."""
    with (
        PracticeServer(None, time_scale=0.01) as server,
        mock.patch.dict(os.environ, VIDEO_SEARCH_PROGRESS="plain"),
        mock.patch.object(api, "WAIT", tenacity.wait_none()),
        mock.patch.object(api, "RATE_WAIT", tenacity.wait_none()),
        mock.patch.object(tasks, "LOST_SECONDS", 0.0),
    ):
        settings = replace(
            load_settings(),
            live=True,
            api_key="practice",
            model="marengo3.5",
            base_url=server.url,
            home=Path(folder),
        )
        yield server, connect_twelvelabs(settings)


def run(wanted: Case) -> Outcome:
    """Let one fault happen, then embed again when all is well, and count."""
    with tempfile.TemporaryDirectory() as folder, practising(folder) as (server, client):
        server.fault(wanted.route, wanted.kind, **wanted.details)
        if wanted.route == LIST:
            server.fault(TASK, "lost")
        try:
            first = embed_batch(client, wanted.films, workers=1, deadline=wanted.deadline)
            sees = next((reason for reason in first.report["reason"] if reason), "")
            if repeated := int(first.report["repeated"].sum()):
                told = f"the report counts {repeated} task that may have been paid for twice"
                sees = f"{sees or 'nothing'} ({told})"
        except VideoSearchError as error:
            sees = str(error)
        sees = sees or _nothing(server, wanted)
        server.heal()
        stuck: list[Any] = [*server.tasks.values(), *server.service.assets.all.values()]
        for one in stuck:
            if one.fate == "never":  # the service wakes up
                one.fate = ""
        again = embed_batch(client, wanted.films)
        doubled = sum(count - 1 for count in server.charged.values())
        if wanted.kind in ("failed", "expired") and wanted.route != ASSET:
            doubled -= 1  # such a task is of no use, and another one is needed
        lost = len(_whole(wanted.films) - _vectors(again.segments))
        return Outcome(sees, lost, doubled)


def _vectors(segments: pd.DataFrame) -> set[tuple[str, str]]:
    """Every vector that is there, by segment and embedding option."""
    fields = {option: segments[vector_field(option)].notna() for option in available_options(segments)}
    return {(name, option) for option, there in fields.items() for name in segments.loc[there, "segment_id"]}


@functools.cache
def _whole(films: tuple[Path, ...]) -> set[tuple[str, str]]:
    """The vectors that films have where nothing goes wrong."""
    with tempfile.TemporaryDirectory() as folder, practising(folder) as (_, client):
        return _vectors(embed_batch(client, films).segments)


def _nothing(server: PracticeServer, wanted: Case) -> str:
    """What happened where the user saw no more than the answer: by the requests that came in."""
    if server.count(LIST):
        return "nothing: the task is found in the service's list"
    if wanted.kind in ("slow", "order", "double"):
        return "nothing: the answer can be used"
    return "nothing: it is tried again"
