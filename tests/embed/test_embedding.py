"""embed_batch, embed_videos, uploads and tasks: against the practice server, over real HTTP."""

import dataclasses
import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from twelvelabs import TwelveLabs
from twelvelabs.types import EmbeddingData, MediaEmbeddingTask

from helpers import (
    available_options,
    cached_videos,
    connect_twelvelabs,
    delete_uploads,
    embed_batch,
    embed_videos,
    load_settings,
    own_videos,
    sample_videos,
)
from helpers.embed import client as api
from helpers.embed import upload_parts, uploads
from helpers.embed.journal import Journal
from helpers.embed.recovery import find_lost_task, is_answer, missing_parts
from helpers.embed.tasks import run_work
from helpers.embed.work import Work
from helpers.errors import EmbedError, QuotaError, VideoError, VideoSearchError
from helpers.files import file_sha256
from helpers.models import model_facts
from helpers.settings import ROOT
from helpers.standin.practice import PracticeServer
from tests.conftest import KEY
from tests.make_media import film
from tools.faults.children import child

CAT, COFFEE, FLOWER = (ROOT / "data" / "videos" / f"{name}.mp4" for name in ("cat", "coffee", "flower"))
SIZE = (640, 360)
ASSETS, TASKS, POLL = "POST /assets", "POST /embed-v2/tasks", "GET /embed-v2/tasks/*"


def journal() -> dict[str, Any]:
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal"
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def embed_in_child(paths: list[Path], errors: Path | None = None) -> None:
    """What another process does; `errors` is where it shows them."""
    if errors:
        sys.stderr = errors.open("w")
    embed_videos(connect_twelvelabs(), paths, workers=1)


def charged(practice: PracticeServer) -> list[int]:
    return sorted(practice.charged.values())


# ---------------------------------------------------------------- what is sent, and what comes of it


@pytest.mark.slow
@pytest.mark.parametrize("model", ["marengo3.5", "marengo3.0"])
def test_a_video_becomes_segments(client: TwelveLabs, practice: PracticeServer, model: str) -> None:
    segments = embed_videos(client, CAT, model=model)
    assert segments["embedding_scope"].tolist() == ["clip"] * 4 + ["asset"]
    assert segments["start_offset_sec"].tolist() == [0.0, 6.0, 12.0, 18.0, 0.0]
    assert segments["model"].unique().tolist() == [model]
    assert available_options(segments)[0] == "visual"
    assert all(len(v) == 512 for v in segments["embedding_visual"])
    request = next(seen.json for seen in practice.seen if seen.route == TASKS)
    assert ("temporal" in request["video"]["segmentation"]) == (model == "marengo3.5")
    assert "time_based_metadata" not in request["video"]  # no local text leaves the machine
    assert request["video"]["embedding_option"] == list(model_facts(model).options)  # no default decides


def test_the_file_s_name_stays_at_home(client: TwelveLabs, practice: PracticeServer, tmp_path: Path) -> None:
    file = tmp_path / "my secret holiday.mp4"
    file.write_bytes(CAT.read_bytes())
    embed_videos(client, file)
    said = repr([(s.path, s.body) for s in practice.seen])
    assert "secret" not in said and "holiday" not in said


def test_a_second_run_asks_nothing(client: TwelveLabs, practice: PracticeServer) -> None:
    first = embed_batch(client, CAT)
    asked = len(practice.seen)
    second = embed_batch(client, CAT)
    assert len(practice.seen) == asked
    assert [*first.report["status"], *second.report["status"]] == ["done", "cached"]
    assert [*first.report["tasks"], *second.report["tasks"]] == [1, 0]
    assert second.segments["segment_id"].tolist() == first.segments["segment_id"].tolist()
    pair = [np.stack(list(b.segments["embedding_visual"])) for b in (first, second)]
    assert np.array_equal(*pair)


@pytest.mark.slow
def test_what_is_cached_needs_no_client(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    assert len(embed_videos(None, CAT)) == 5  # type: ignore[arg-type]


@pytest.mark.slow
def test_another_segmentation_uses_the_same_upload(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    embed_videos(client, CAT, segmentation="fixed-3")
    assert (practice.count(ASSETS), practice.count(TASKS)) == (1, 2)


@pytest.mark.slow
def test_an_upload_that_is_gone_is_made_again(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    practice.service.assets.all.clear()
    embed_videos(client, CAT, segmentation="fixed-3")
    assert practice.count(ASSETS) == 2


def test_what_is_on_disk_costs_nothing(client: TwelveLabs, practice: PracticeServer) -> None:
    videos = own_videos(CAT, COFFEE)
    embed_videos(client, CAT)
    assert cached_videos(client, videos) == {videos["video_id"].iloc[0]}
    assert cached_videos(client, videos, segmentation="fixed-3") == set()


@pytest.mark.slow
def test_delete_uploads_takes_only_our_own(client: TwelveLabs, practice: PracticeServer) -> None:
    with COFFEE.open("rb") as file:
        other = client.assets.create(method="direct", file=("coffee.mp4", file, "video/mp4")).id
    embed_videos(client, [CAT, FLOWER])
    assert delete_uploads(client) == 2
    assert list(practice.service.assets.all) == [other]
    assert delete_uploads(client) == 0
    embed_videos(client, [CAT, FLOWER])  # the answers are still on disk
    assert practice.count(TASKS) == 2


def test_delete_uploads_finds_those_whose_answer_was_lost(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(ASSETS, "lost")
    embed_videos(client, CAT)
    assert len(practice.service.assets.all) == 2  # the first was not known here
    assert delete_uploads(client) == 2 and not practice.service.assets.all


def test_a_large_file_goes_in_parts(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 100_000)
    practice.service.assets.chunk_bytes = 100_000
    practice.fault("PUT *", 503)
    before = set(CAT.parent.iterdir())
    assert len(embed_videos(client, CAT)) == 5
    assert practice.count("POST /assets/multipart-uploads") == 1 and practice.count(ASSETS) == 0
    assert set(CAT.parent.iterdir()) == before  # the SDK's own would leave a folder while it works


def test_an_address_is_handed_over(client: TwelveLabs, practice: PracticeServer) -> None:
    videos = own_videos(f"{practice.host}/media/holiday.mp4?token=abc")
    batch = embed_batch(client, videos)
    assert practice.count(ASSETS) == 1
    assert batch.report["status"].tolist() in (["done"], ["failed"])
    assert "token" not in " ".join(batch.report["reason"])


# ---------------------------------------------------------------- the same task is never paid for twice


@pytest.mark.slow
def test_a_task_whose_id_is_on_disk_is_not_created_again(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(POLL, "never")
    with pytest.raises(EmbedError, match="in time"):
        embed_videos(client, CAT, deadline=1.0)
    assert [entry["id"] for key, entry in journal().items() if key.startswith("task-")]
    task = next(iter(practice.tasks.values()))
    task.fate = ""
    practice.heal()
    batch = embed_batch(client, CAT)
    assert batch.report[["status", "tasks"]].values.tolist() == [["done", 0]]
    assert charged(practice) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lost", "cut", "truncated"])
def test_a_task_whose_answer_was_lost_is_found_again(
    client: TwelveLabs, practice: PracticeServer, kind: str
) -> None:
    practice.fault(TASKS, kind)
    batch = embed_batch(client, CAT)
    assert batch.report[["status", "repeated"]].values.tolist() == [["done", 0]]
    assert charged(practice) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["reset", "503", "html"])
def test_what_cannot_be_found_again_is_repeated_once_and_said(
    client: TwelveLabs, practice: PracticeServer, kind: str
) -> None:
    practice.fault(TASKS, kind)
    batch = embed_batch(client, CAT)
    assert batch.report[["status", "tasks", "repeated"]].values.tolist() == [["done", 2, 1]]
    assert charged(practice) == [1]
    practice.fault(TASKS, kind, times=2)
    batch = embed_batch(client, COFFEE)
    assert batch.report[["status", "tasks", "repeated"]].values.tolist() == [["failed", 2, 1]]


def lose(practice: PracticeServer, client: TwelveLabs, **how: Any) -> None:
    """Lose the answer to a task, and the way to the list, so that it stays lost after this run."""
    practice.fault(TASKS, "lost")
    practice.fault("GET /embed-v2/tasks", 400)
    assert embed_batch(client, CAT, **how).report["status"].tolist() == ["failed"]


LOST: list[dict[str, Any]] = [
    {"segmentation": "fixed-6"},
    {"segmentation": "fixed-3"},
    {"segmentation": "dynamic-4"},
    {"segmentation": "fixed-6", "options": ["visual"]},
    {"segmentation": "fixed-6", "scopes": ["clip"]},
    {"segmentation": "fixed-6", "scopes": ["asset"]},
]


@pytest.mark.parametrize("mine", range(len(LOST)))
@pytest.mark.slow
def test_the_lost_task_of_another_request_is_not_taken_for_mine(
    client: TwelveLabs, practice: PracticeServer, mine: int
) -> None:
    for how in LOST:
        lose(practice, client, **how)
    batch = embed_batch(client, CAT, **LOST[mine])
    assert batch.report["status"].tolist() == ["done"]
    with PracticeServer(None) as other:  # what the same request brings where nothing went wrong
        settings = dataclasses.replace(load_settings(), base_url=other.url)
        wanted = embed_videos(connect_twelvelabs(settings), CAT, **LOST[mine])
    assert batch.segments["segment_id"].tolist() == wanted["segment_id"].tolist()
    assert available_options(batch.segments) == available_options(wanted)
    assert max(charged(practice)) <= 2 and batch.report["repeated"][0] == max(charged(practice)) - 1


@pytest.mark.slow
def test_a_film_shorter_than_its_clips_is_found_again(
    client: TwelveLabs, practice: PracticeServer, tmp_path: Path
) -> None:
    lose(practice, client, segmentation="fixed-6")
    short = film(tmp_path / "short.mp4", size=SIZE, seconds=5)
    practice.fault(TASKS, "lost")
    batch = embed_batch(client, short, segmentation="fixed-6")
    assert batch.report[["status", "repeated"]].values.tolist() == [["done", 0]]
    assert charged(practice) == [1, 1]


def test_a_task_that_is_refused_is_not_counted(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, 400)
    assert embed_batch(client, CAT).report[["status", "tasks"]].values.tolist() == [["failed", 0]]
    assert charged(practice) == []


def test_a_second_no_does_not_forget_the_first_maybe(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, "reset")
    practice.fault(TASKS, 400)
    assert embed_batch(client, CAT).report["status"].tolist() == ["failed"]
    assert embed_batch(client, CAT).report[["status", "tasks", "repeated"]].values.tolist() == [
        ["done", 1, 1]
    ]


@pytest.mark.slow
def test_where_the_list_is_out_of_reach_nothing_is_repeated(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(TASKS, "lost")
    practice.fault("GET /embed-v2/tasks", 400)
    assert embed_batch(client, CAT).report["status"].tolist() == ["failed"]
    assert embed_batch(client, CAT).report[["status", "tasks"]].values.tolist() == [["done", 0]]
    assert charged(practice) == [1]


@pytest.mark.slow
def test_a_task_that_expired_is_created_anew(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(POLL, "never")
    with pytest.raises(EmbedError):
        embed_videos(client, CAT, deadline=1.0)
    practice.heal()
    practice.advance(days=8)
    assert embed_batch(client, CAT).report["tasks"].tolist() == [1]
    assert charged(practice) == [2]


@pytest.mark.slow
def test_a_task_that_failed_is_created_anew(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, "failed", message="cannot read the media")
    with pytest.raises(EmbedError, match=r"embed cat.mp4: cannot read the media"):
        embed_videos(client, CAT)
    assert not [key for key in journal() if key.startswith("task-")]
    assert len(embed_videos(client, CAT)) == 5


def test_the_intent_is_on_disk_before_the_post(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    answer = practice.service.answer

    def spy(request: Any) -> Any:
        if f"{request.method} {request.path}" == TASKS:
            seen.append(journal())
        return answer(request)

    monkeypatch.setattr(practice.service, "answer", spy)
    embed_videos(client, CAT)
    (entry,) = (e for key, e in seen[0].items() if key.startswith("task-"))
    assert "id" not in entry and entry["intent"] and entry["request"]["embedding_scope"] == ["clip", "asset"]


def test_without_a_place_for_the_intent_nothing_is_sent(client: TwelveLabs, practice: PracticeServer) -> None:
    (Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal").write_text("in the way")
    with pytest.raises(EmbedError, match="Nothing was sent"):
        embed_videos(client, CAT)
    assert practice.seen == []


def test_the_journal_does_not_grow_for_ever(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal"
    for path in folder.iterdir():
        os.utime(path, (time.time() - 9 * 86_400,) * 2)
    embed_videos(client, CAT)
    assert [key.split("-")[0] for key in journal()] == ["asset"]  # an upload stays until it is deleted


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_two_at_once_ask_once(practice: PracticeServer) -> None:
    practice.latency = 5  # times the scale: a twentieth of a second
    both = [child(embed_in_child, [CAT]) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert charged(practice) == [1]


def test_a_lock_that_another_left_behind_is_free(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    locks = list((Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal").glob("*.lock"))
    assert all(FileLock(lock).acquire(timeout=0) for lock in locks)


# ---------------------------------------------------------------- many videos


@pytest.mark.slow
def test_one_failure_does_not_stop_the_others(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, 400, message="no such luck")
    batch = embed_batch(client, [CAT, COFFEE, FLOWER], workers=1)
    assert batch.report["status"].tolist() == ["failed", "done", "done"]
    assert "no such luck" in batch.report["reason"][0] and set(batch.segments["title"]) == set(
        batch.report["title"][1:]
    )
    again = embed_batch(client, [CAT, COFFEE, FLOWER])
    assert again.report["status"].tolist() == ["done", "cached", "cached"]
    assert practice.count(ASSETS) == 3


@pytest.mark.slow
def test_embed_videos_says_which_failed(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, 400, message="no such luck")
    with pytest.raises(
        EmbedError, match="1 of 3 videos were not embedded, the others are kept.*no such luck"
    ):
        embed_videos(client, [CAT, COFFEE, FLOWER], workers=1)


def test_a_wrong_key_is_said_once_and_at_once(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(ASSETS, 401, times=99)
    with pytest.raises(EmbedError, match="valid key") as caught:
        embed_batch(client, CAT.parent, workers=1)
    assert caught.value.status == 401 and practice.count(ASSETS) <= 2


@pytest.mark.slow
def test_a_quota_is_a_clean_stop(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.time_scale = 1.0
    practice.fault(TASKS, "quota", times=99, after=1)
    batch = embed_batch(client, [CAT, COFFEE, FLOWER], workers=1)
    assert batch.report["status"].tolist() == ["done", "left", "left"]
    assert batch.resume_at is not None and practice.count(TASKS) == 2
    practice.heal()
    assert embed_batch(client, [CAT, COFFEE, FLOWER]).report["tasks"].tolist() == [0, 1, 1]
    assert charged(practice) == [1, 1, 1]


def test_embed_videos_stops_at_a_quota(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.time_scale = 1.0
    practice.fault(TASKS, "quota", times=99)
    with pytest.raises(QuotaError, match=r"2 of 2 videos.*not before") as caught:
        embed_videos(client, [CAT, COFFEE], workers=1)
    assert caught.value.resume_at is not None


@pytest.mark.slow
def test_a_rate_limit_only_makes_it_slower(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, 429, times=4, retry_after=1)
    assert set(embed_batch(client, [CAT, COFFEE, FLOWER]).report["status"]) == {"done"}
    assert charged(practice) == [1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dimension", "nan", "zero", "no_rows", "missing_field"])
def test_rows_that_cannot_be_used(client: TwelveLabs, practice: PracticeServer, kind: str) -> None:
    practice.fault(POLL, kind, rows=1)
    with pytest.raises(EmbedError, match="cannot be used|no segments|not one that this SDK"):
        embed_videos(client, CAT)
    assert len(embed_videos(client, CAT)) == 5  # asked for once more, out of the same task
    assert charged(practice) == [1]


@pytest.mark.slow
def test_vectors_that_are_all_too_short(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(POLL, "dimension", size=256)
    with pytest.raises(EmbedError, match="of 256 numbers in place of the 512"):
        embed_videos(client, CAT)
    assert len(embed_videos(client, CAT)) == 5


def test_a_silent_film_has_no_audio_and_lacks_nothing(client: TwelveLabs, practice: PracticeServer) -> None:
    assert available_options(embed_videos(client, CAT, options=["visual", "audio"])) == ["visual"]


@pytest.mark.slow
def test_an_option_that_is_missing_is_asked_for_again_and_then_said(
    client: TwelveLabs, practice: PracticeServer, tmp_path: Path
) -> None:
    loud = film(tmp_path / "loud.mp4", size=SIZE, seconds=6, loud=True)
    practice.fault(POLL, "missing_option", option="audio")
    batch = embed_batch(client, loud)
    assert batch.report["status"][0] == "failed" and "lacks the option audio" in batch.report["reason"][0]
    assert available_options(embed_videos(client, loud)) == ["visual", "audio"] and charged(practice) == [1]
    other = film(tmp_path / "other.mp4", size=SIZE, seconds=7, loud=True)
    practice.fault(POLL, "missing_option", option="audio", times=9)
    assert embed_batch(client, other).report["status"].tolist() == ["failed"]
    batch = embed_batch(client, other)
    assert batch.report["status"].tolist() == ["done"] and "kept as it is" in batch.report["reason"][0]


def test_what_came_and_what_was_asked() -> None:
    def row(start: float, end: float) -> EmbeddingData:
        return EmbeddingData(
            embedding=[1.0],
            embedding_option="visual",
            embedding_scope="clip",
            start_sec=start,
            end_sec=end,
        )

    fixed = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
    request = {"segmentation": fixed, "embedding_scope": ["clip"], "embedding_option": ["visual", "audio"]}
    rows = [row(0, 6), row(6, 12), row(12, 14)]
    known: dict[str, Any] = {"duration": 14.0, "has_audio": False}
    assert missing_parts(request, rows, **known) == "" and is_answer(request, rows, **known)
    assert missing_parts(request, rows[:1], **known) == "the clips from 6 to 14 s"
    assert missing_parts(request, rows[1:], **known) == "the clips from 0 to 6 s"
    assert missing_parts(request, rows, duration=None, has_audio=None) == ""
    assert (
        missing_parts({**request, "embedding_scope": ["clip", "asset"]}, rows, **known) == "the scope asset"
    )
    assert not is_answer(request, rows[:2], duration=14.0, has_audio=True)
    assert not is_answer(request, [row(0, 5), row(5, 10)], duration=10.0, has_audio=False)
    dynamic = {**request, "segmentation": {"temporal": {"strategy": "dynamic"}}}
    shots = [row(0, 4.4), row(4.4, 14)]
    assert is_answer(dynamic, shots, **known) and not is_answer(dynamic, rows, **known)


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", ['{"id": "gone"}', '{"id": "gone", "created": 7}', "", "[]", '{"intent": "?"}']
)
def test_a_damaged_journal_stops_nothing(client: TwelveLabs, practice: PracticeServer, entry: str) -> None:
    practice.fault(POLL, "never")
    with pytest.raises(EmbedError):
        embed_videos(client, CAT, deadline=1.0)
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal"
    for path in folder.glob("*.json"):
        path.write_text(entry)
    practice.heal()
    for task in practice.tasks.values():
        task.fate = ""
    assert embed_batch(client, [CAT, COFFEE]).report["status"].tolist() == ["done", "done"]


def test_the_same_content_twice_is_one_video(client: TwelveLabs, practice: PracticeServer) -> None:
    table = own_videos(CAT)
    batch = embed_batch(client, pd.concat([table, table.assign(title="again")]))
    assert len(batch.report) == 1 and charged(practice) == [1]


def test_the_password_of_an_address_is_not_shown(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(ASSETS, 400)
    batch = embed_batch(client, own_videos("http://ann:geheim@films.example.org/a.mp4"))
    assert batch.report["status"][0] == "failed" and "geheim" not in batch.report.to_csv()


@pytest.mark.slow
def test_a_file_that_goes_away_stops_nothing(
    client: TwelveLabs, practice: PracticeServer, tmp_path: Path
) -> None:
    gone = film(tmp_path / "gone.mp4", size=SIZE, seconds=5)
    videos = own_videos(gone, COFFEE)
    gone.unlink()
    assert embed_batch(client, videos).report["status"].tolist() == ["failed", "done"]


def test_where_the_id_cannot_be_written_the_answer_still_comes(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Journal.write

    def full(self: Journal, key: str, **entry: Any) -> None:
        if key.startswith("task-") and "id" in entry:
            raise EmbedError("Nothing was sent, as the disk is full.")
        write(self, key, **entry)

    monkeypatch.setattr(Journal, "write", full)
    assert len(embed_videos(client, CAT)) == 5 and charged(practice) == [1]


# ---------------------------------------------------------------- a rate limit is waited for, and Ctrl-C ends it


@pytest.mark.slow
def test_a_rate_limit_only_delays(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.time_scale = 0.005
    practice.limit(TASKS, 2)  # in a minute, which lasts 0.3 s here
    assert set(embed_batch(client, [CAT, COFFEE, FLOWER]).report["status"]) == {"done"}
    assert charged(practice) == [1, 1, 1]


@pytest.mark.slow
def test_after_a_refusal_nobody_asks_before_the_limit_begins_anew(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.time_scale = 0.01
    practice.limit(TASKS, 1, seconds=30)
    embed_batch(client, [CAT, COFFEE], workers=1)
    posts = [seen.at for seen in practice.seen if seen.route == TASKS]
    assert len(posts) <= 4 and charged(practice) == [1, 1]


def test_ctrl_c_ends_a_pause_for_the_rate_limit(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.time_scale = 1.0
    practice.fault("GET /embed-v2/tasks/*", 429, times=99, retry_after=60)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(EmbedError, match="Stopped on the way"):
        api.call(lambda: client.embed.v_2.tasks.retrieve("x"), "look", stop=stop)
    with pytest.raises(EmbedError, match="Stopped on the way"):
        api.call(lambda: client.embed.v_2.tasks.retrieve("x"), "look", stop=stop)
    assert practice.count("GET /embed-v2/tasks/*") == 1


def test_after_ctrl_c_nothing_new_is_asked_for(client: TwelveLabs, practice: PracticeServer) -> None:
    stop = threading.Event()
    stop.set()
    request = {"segmentation": {"strategy": "fixed"}, "embedding_scope": ["clip"]}
    work = Work(CAT, "0" * 64, request, "marengo3.5", key="task-x")
    with pytest.raises(EmbedError, match="Stopped on the way"):
        run_work(client, work, None, stop)
    assert practice.seen == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["order", "double"])
def test_rows_in_any_order(client: TwelveLabs, practice: PracticeServer, kind: str) -> None:
    practice.fault(POLL, kind, times=9)
    segments = embed_videos(client, CAT)
    assert segments["start_offset_sec"].tolist() == [0.0, 6.0, 12.0, 18.0, 0.0]


@pytest.mark.parametrize("segmentation", ["fixed-11", "fixed-1", "dynamic-9", "shots", "fixed-", "6"])
def test_segmentations_that_do_not_exist(client: TwelveLabs, segmentation: str) -> None:
    with pytest.raises(EmbedError, match="write fixed-2 to fixed-10"):
        embed_videos(client, CAT, segmentation=segmentation)


def test_an_empty_table(client: TwelveLabs) -> None:
    with pytest.raises(VideoError, match="the table is empty"):
        embed_videos(client, sample_videos().head(0))


def test_an_upload_is_sent_again_whole(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(ASSETS, 503)
    embed_videos(client, CAT)
    first, second = (seen.json for seen in practice.seen if seen.route == ASSETS)
    assert first == second and first["method"] == "direct" and first["file"]


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_ctrl_c_comes_back_at_once_and_keeps_what_is_done(practice: PracticeServer, tmp_path: Path) -> None:
    practice.fault(POLL, "never", times=99, after=2)
    process = child(embed_in_child, [CAT, COFFEE], tmp_path / "errors")
    process.start()
    while practice.count(POLL) < 5:
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(20)  # far below the deadline of half an hour
    errors = (tmp_path / "errors").read_text()
    assert process.exitcode not in (0, None) and "KeyboardInterrupt" in errors and KEY not in errors
    home = Path(os.environ["VIDEO_SEARCH_HOME"])
    assert len(list((home / "cache" / "segments").glob("*/*.parquet"))) == 1
    assert len([key for key in journal() if key.startswith("task-")]) == 2


# ---------------------------------------------------------------- uploads, piece by piece


def test_an_upload_that_failed_is_made_again(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(ASSETS, "failed", message="the file is broken")
    with pytest.raises(EmbedError, match="upload cat.mp4: the file is broken"):
        embed_videos(client, CAT)
    assert len(embed_videos(client, CAT)) == 5 and practice.count(ASSETS) == 2


def test_an_upload_without_an_id(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(ASSETS, "missing_field", field="_id")
    with pytest.raises(EmbedError, match="gave the upload no id"):
        embed_videos(client, CAT)
    assert len(embed_videos(client, CAT)) == 5 and practice.count(ASSETS) == 1  # found by its name


def test_an_upload_that_cannot_be_looked_for(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    practice.fault("GET /assets/*", 400)
    with pytest.raises(EmbedError, match="look for an upload"):
        embed_videos(client, CAT, segmentation="fixed-3")


@pytest.fixture
def in_parts(practice: PracticeServer, monkeypatch: pytest.MonkeyPatch) -> int:
    """Uploads go in parts of 50,000 bytes, of which the service gives three addresses at first."""
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 100_000)
    practice.service.assets.chunk_bytes, practice.service.assets.first_urls = 50_000, 3
    return -(-CAT.stat().st_size // 50_000)


def test_more_addresses_are_asked_for(client: TwelveLabs, practice: PracticeServer, in_parts: int) -> None:
    assert len(embed_videos(client, CAT)) == 5
    assert practice.count("PUT *") == in_parts > 3
    (asset,) = practice.service.assets.all.values()
    assert asset.media and asset.media.content == file_sha256(CAT)


@pytest.mark.slow
def test_an_address_that_is_used_up_is_asked_for_anew(
    client: TwelveLabs, practice: PracticeServer, in_parts: int
) -> None:
    practice.fault("PUT *", 403)
    assert len(embed_videos(client, CAT)) == 5 and practice.count("PUT *") == in_parts + 1
    practice.fault("PUT *", 403, times=2)
    batch = embed_batch(client, [COFFEE, FLOWER], workers=1)  # the others go on: no key was refused
    assert batch.report["status"].tolist() == ["failed", "done"] and "in part 1" in batch.report["reason"][0]


def test_a_part_that_is_too_large(client: TwelveLabs, practice: PracticeServer, in_parts: int) -> None:
    practice.fault("PUT *", 413)
    assert "in part 1" in embed_batch(client, CAT).report["reason"][0]


def test_no_upload_in_parts_is_opened(client: TwelveLabs, practice: PracticeServer, in_parts: int) -> None:
    practice.fault("POST /assets/multipart-uploads", "missing_field", field="upload_id")
    with pytest.raises(EmbedError, match="opened no upload in parts"):
        embed_videos(client, CAT)


def test_a_file_that_cannot_be_read_to_its_end(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(uploads, "open", broken, raising=False)
    batch = embed_batch(client, [CAT])
    assert "could not be read to its end (Input/output error)" in batch.report["reason"][0]


def test_delete_uploads_of_this_service_only(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_videos(client, CAT)
    with PracticeServer(None) as other:
        settings = dataclasses.replace(load_settings(), base_url=other.url)
        assert delete_uploads(connect_twelvelabs(settings)) == 0
    practice.fault("DELETE /assets/*", 400)
    with pytest.raises(EmbedError, match="delete an upload"):
        delete_uploads(client)
    practice.service.assets.all.clear()  # somebody else deleted them
    assert delete_uploads(client) == 0


# ---------------------------------------------------------------- what the journal and the list may say


@pytest.mark.slow
def test_a_task_whose_id_is_too_old_is_not_asked_for(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(POLL, "never")
    with pytest.raises(EmbedError):
        embed_videos(client, CAT, deadline=1.0)
    folder = Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal"
    (path,) = folder.glob("task-*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"created": "2020-01-01T00:00:00+00:00"}))
    practice.heal()
    assert embed_batch(client, CAT).report[["status", "tasks"]].values.tolist() == [["done", 1]]


def test_a_new_task_that_the_service_has_lost(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(POLL, "expired")
    with pytest.raises(EmbedError, match="the service has lost its task"):
        embed_videos(client, CAT)
    assert len(embed_videos(client, CAT)) == 5


@pytest.mark.slow
def test_tasks_of_others_are_not_taken_for_a_lost_one(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = os.environ["VIDEO_SEARCH_HOME"]
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "colleague"))
    elsewhere = connect_twelvelabs()
    embed_videos(elsewhere, CAT, model="marengo3.0")  # another model
    practice.advance(days=-3)
    embed_videos(elsewhere, CAT)  # too long ago
    practice.advance(days=3)
    practice.fault(TASKS, "failed")
    embed_batch(elsewhere, CAT, segmentation="fixed-3")  # failed
    embed_videos(elsewhere, COFFEE)  # another film
    monkeypatch.setenv("VIDEO_SEARCH_HOME", here)
    practice.fault(TASKS, "reset")
    assert embed_batch(client, CAT).report[["status", "repeated"]].values.tolist() == [["done", 1]]


def test_an_entry_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EmbedError, match=r"Nothing was sent, .*No space left"):
        Journal(tmp_path).write("task-1", intent="now")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ({}, True),
        ({"model_name": None}, True),
        ({"model_name": "marengo3.0"}, False),
        ({"status": "failed"}, False),
        ({"created_at": "2026-01-01T00:00:00Z"}, False),
        ({"created_at": None}, True),
        ({"id": "claimed"}, False),
        ({"video_embedding": {"metadata": {"input_filename": "another.mp4"}}}, False),
        ({"scope": "asset"}, False),
        ({"id": "gone"}, False),
    ],
)
def test_which_task_is_the_lost_one(task: dict[str, Any], found: bool) -> None:
    digest, since = "0123456789abcdef", datetime(2026, 2, 1, tzinfo=UTC)
    about = {"metadata": {"input_filename": f"{digest}.mp4", "duration": 6.0}}
    made = {"id": "t1", "status": "ready", "model_name": "marengo3.5", "created_at": "2026-02-01T00:00:01Z"}
    listed = [MediaEmbeddingTask.model_validate({**made, "video_embedding": about, **task})]
    row = EmbeddingData(embedding=[1.0], embedding_option="visual", start_sec=0, end_sec=6)
    rows = [row.model_copy(update={"embedding_scope": task.get("scope", "clip")})]
    segmentation = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
    request = {"segmentation": segmentation, "embedding_scope": ["clip"], "embedding_option": ["visual"]}
    work = Work(CAT, digest, request, "marengo3.5", "task-1", duration=6.0, has_audio=False)
    entries = {"task-1": {"intent": "then", "request": request}, "task-2": {"id": "claimed"}}
    rows_of = {"t1": rows, "claimed": rows}.get
    assert (find_lost_task(work, listed, entries, since, rows_of) == "t1") is found


# ---------------------------------------------------------------- a batch, seen and stopped


def test_a_quota_leaves_what_has_not_begun(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.time_scale = 1.0
    practice.fault(TASKS, "quota", times=99)
    videos = sample_videos().query("duration_sec < 60")
    report = embed_batch(client, videos, workers=1).report
    assert set(report["status"]) == {"left"} and practice.count(TASKS) == 1
    assert report["reason"].iloc[0] and not report["reason"].iloc[-1]


def test_a_bar_for_people(
    client: TwelveLabs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VIDEO_SEARCH_PROGRESS")
    monkeypatch.setattr(upload_parts, "BAR_BYTES", 1)
    embed_videos(client, CAT)
    shown = capsys.readouterr()
    assert "videos embedded" in shown.err and "uploading cat.mp4" in shown.err and shown.out == ""


def test_offline_reads_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_SEARCH_MODE", "offline")
    videos = own_videos("http://films.example.org/a.mp4")
    with pytest.raises(VideoError, match="is an address: download it"):
        embed_videos(connect_twelvelabs(), videos)


def test_another_process_that_does_not_end(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(TASKS, 400)
    embed_batch(client, CAT)
    (lock,) = (Path(os.environ["VIDEO_SEARCH_HOME"]) / "journal").glob("task-*.lock")
    with FileLock(lock):
        report = embed_batch(client, CAT, deadline=0.2).report
    assert "Another process is still at it" in report["reason"][0]


def test_the_output_of_a_script_is_its_own(
    client: TwelveLabs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIDEO_SEARCH_PROGRESS", "plain")
    embed_videos(client, [CAT])
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "videos embedded: 1 of 1\n")


@pytest.mark.parametrize("workers", [0, -1, 2.5, None, "4", [4], pd.DataFrame(), np.arange(3)])
def test_workers_are_a_whole_number(workers):
    for embed in (embed_batch, embed_videos):
        with pytest.raises(EmbedError, match="number of workers is .*: give a whole number from 1"):
            embed(None, sample_videos()[:1], workers=workers)


@pytest.mark.slow
@pytest.mark.parametrize(
    "videos", [None, 3, 2.5, float("nan"), b"x", object(), np.array(3), [None], {"a": 1}, pd.Series([1])]
)
def test_what_is_no_video_is_refused(videos):
    for embed in (embed_batch, embed_videos):
        with pytest.raises(VideoSearchError):
            embed(connect_twelvelabs(), videos)
