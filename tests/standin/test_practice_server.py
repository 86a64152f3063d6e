"""The practice server: the protocol through the real SDK, and every fault on the wire."""

import contextlib
import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.wrapper.multipart_upload_client_wrapper import UploadError

from helpers.errors import SettingsError
from helpers.settings import ROOT
from helpers.standin.faults import FATES, KINDS, ROWS
from helpers.standin.practice import PracticeServer, main
from tests.make_media import film

VIDEOS = ROOT / "data" / "videos"
CAT, COFFEE = (VIDEOS / f"{name}.mp4" for name in ("cat", "coffee"))
FIXED = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
TASKS, POLL, QUERY = "POST /embed-v2/tasks", "GET /embed-v2/tasks/*", "POST /embed-v2"


@pytest.fixture
def server() -> Iterator[PracticeServer]:
    with PracticeServer() as running:
        yield running


@pytest.fixture
def server30() -> Iterator[PracticeServer]:
    with PracticeServer("marengo3.0") as running:
        yield running


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of about 20 s with sound."""
    path = tmp_path_factory.mktemp("film") / "sound.mp4"
    return film(path, size=(480, 360), seconds=20, loud=True)


@pytest.fixture
def client(server: PracticeServer) -> TwelveLabs:
    return sdk(server)


def sdk(server: PracticeServer, key: str = "practice") -> TwelveLabs:
    return TwelveLabs(api_key=key, base_url=server.url, timeout=5)


def upload(client: TwelveLabs, path: Path = CAT, *, polls: int = 2) -> str:
    with open(path, "rb") as file:
        asset = client.assets.create(method="direct", file=(path.name, file, "video/mp4"))
    states = [client.assets.retrieve(str(asset.id)).status for _ in range(polls)]
    assert polls < 2 or states[0] == "processing"
    return str(asset.id)


def start(client: TwelveLabs, asset: str, model: str = "marengo3.5", **video: Any) -> str:
    segmentation = video.pop("segmentation", {"temporal": FIXED} if model == "marengo3.5" else FIXED)
    request: Any = {"media_source": {"asset_id": asset}, "segmentation": segmentation, **video}
    return client.embed.v_2.tasks.create(input_type="video", model_name=model, video=request).id


def finish(client: TwelveLabs, task: str) -> Any:
    client.embed.v_2.tasks.retrieve(task)
    return client.embed.v_2.tasks.retrieve(task)


def ask(client: TwelveLabs, words: str = "a cat") -> Any:
    return client.embed.v_2.create(
        input_type="multi_input", model_name="marengo3.5", multi_input={"input_text": words}
    )


def raw(server: PracticeServer, **options: Any) -> httpx.Response:
    """A query without the SDK."""
    body = {"input_type": "multi_input", "model_name": "marengo3.5", "multi_input": {"input_text": "a cat"}}
    headers = {"x-api-key": "practice"}
    return httpx.post(f"{server.url}/embed-v2", json=body, headers=headers, **options)


# the protocol ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "invalid"])
def test_a_key_is_needed(server: PracticeServer, key: str) -> None:
    for route in ("/assets", "/embed-v2/tasks"):
        answer = httpx.get(server.url + route, headers={"x-api-key": key} if key else {})
        assert answer.status_code == 401 and answer.json()["code"] == "api_key_invalid"


def test_an_asset_from_upload_to_deletion(server: PracticeServer, client: TwelveLabs) -> None:
    asset = upload(client)
    kept = client.assets.retrieve(asset)
    assert (kept.status, kept.filename, kept.size) == ("ready", "cat.mp4", CAT.stat().st_size)
    assert kept.duration == pytest.approx(21.0)
    assert [one.id for one in client.assets.list()] == [asset]
    assert [one.id for one in client.assets.list(filename="CAT")] == [asset]
    assert not list(client.assets.list(filename="dog")) and not list(client.assets.list(asset_types="image"))
    client.assets.delete(asset)
    with pytest.raises(ApiError) as gone:
        client.assets.retrieve(asset)
    assert gone.value.status_code == 404 and set(gone.value.body) == {"code", "message"}  # flat
    (seen,) = [one for one in server.seen if one.route == "POST /assets"]
    assert seen.json == {
        "method": "direct",
        "file": hashlib.sha256(CAT.read_bytes()).hexdigest(),
        "file_name": "cat.mp4",
    }


def test_what_is_no_video_fails_after_the_upload(client: TwelveLabs, tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"not a video")
    asset = upload(client, tmp_path / "no.mp4")
    broken = client.assets.retrieve(asset)
    assert broken.status == "failed" and "corrupt" in str(broken.error and broken.error.message)
    with pytest.raises(ApiError, match="is failed"):
        start(client, asset)


def test_what_cannot_be_uploaded(server: PracticeServer, client: TwelveLabs) -> None:
    server.service.assets.direct_bytes = 1000
    with open(CAT, "rb") as file, pytest.raises(ApiError) as large:
        client.assets.create(method="direct", file=file)
    assert large.value.status_code == 413
    with pytest.raises(ApiError) as nothing:
        client.assets.create(method="direct")
    assert nothing.value.status_code == 400
    no_form = httpx.post(f"{server.url}/assets", headers={"x-api-key": "k"}, content=b"no form")
    assert no_form.status_code == 400


def test_an_address_elsewhere_is_never_fetched(server: PracticeServer, client: TwelveLabs) -> None:
    asset = client.assets.create(method="url", url="https://example.org/films/dog.mp4")
    assert asset.filename == "dog.mp4"
    assert [client.assets.retrieve(str(asset.id)).status for _ in range(2)] == ["processing", "ready"]
    nowhere = client.assets.create(method="url", url="http://127.0.0.1:9/nothing.mp4")
    states = [client.assets.retrieve(str(nowhere.id)) for _ in range(2)]
    assert states[1].status == "failed" and "failed to fetch" in str(states[1].error)


def test_an_upload_in_parts(server: PracticeServer, client: TwelveLabs, tmp_path: Path) -> None:
    copy = tmp_path / "cat.mp4"
    copy.write_bytes(CAT.read_bytes())
    server.service.assets.chunk_bytes, server.service.assets.first_urls = 60_000, 2
    chunks = -(-len(copy.read_bytes()) // 60_000)
    assert chunks > 4
    done = client.multipart_upload.upload_file(copy, batch_size=4)
    assert server.count("PUT /uploads/*") == chunks
    assert server.count("POST /assets/multipart-uploads/*/presigned-urls") >= 1
    states = [client.assets.retrieve(done.asset_id) for _ in range(2)]
    assert [one.status for one in states] == ["processing", "ready"]
    assert states[1].size == len(copy.read_bytes()) and done.asset_url
    start(client, done.asset_id)
    ((content, _, _),) = server.charged
    assert content == hashlib.sha256(CAT.read_bytes()).hexdigest()


def test_an_upload_in_parts_that_stops_on_the_way(server: PracticeServer, client: TwelveLabs) -> None:
    server.service.assets.chunk_bytes = 400_000
    made = client.multipart_upload.create(filename="cat.mp4", type="video", total_size=900_000)
    assert made.total_chunks == 3 and made.upload_urls and made.upload_id
    tag = httpx.put(str(made.upload_urls[0].url), content=b"x" * 400_000).headers["ETag"]
    parts = [{"chunk_index": 1, "proof": tag, "proof_type": "etag", "chunk_size": 400_000}]
    report = client.multipart_upload.report_chunk_batch(made.upload_id, completed_chunks=parts)  # type: ignore[arg-type]
    assert (report.processed_chunks, report.total_completed, report.url) == (1, 1, None)
    assert len(list(client.multipart_upload.list_incomplete_uploads())) == 1
    chunks = list(client.multipart_upload.get_status(made.upload_id))
    assert [one.status for one in chunks] == ["completed", "pending", "pending"]
    assert client.assets.retrieve(str(made.asset_id)).status == "processing"
    lie = [{"chunk_index": 2, "proof": "x", "proof_type": "etag", "chunk_size": 1}]
    with pytest.raises(ApiError, match="has not arrived"):
        client.multipart_upload.report_chunk_batch(made.upload_id, completed_chunks=lie)  # type: ignore[arg-type]
    assert httpx.put(f"{server.host}/uploads/nobody/1", content=b"x").status_code == 403


@pytest.mark.slow
def test_a_task_from_creation_to_result(server: PracticeServer, client: TwelveLabs, sound: Path) -> None:
    asset = upload(client, sound)
    video = {"media_source": {"asset_id": asset}, "segmentation": {"temporal": FIXED}}
    body = {"input_type": "video", "model_name": "marengo3.5", "video": video}
    made = httpx.post(f"{server.url}/embed-v2/tasks", json=body, headers={"x-api-key": "k"})
    task = made.json()["_id"]
    assert made.status_code == 202 and made.headers["location"] == f"/v1.3/embed-v2/tasks/{task}"
    assert made.json()["data"] is None and made.json()["status"] == "processing"
    assert client.embed.v_2.tasks.retrieve(task).status == "processing"
    ready = client.embed.v_2.tasks.retrieve(task)
    assert ready.status == "ready" and ready.data
    rows = {(r.embedding_option, r.embedding_scope, r.start_sec, r.end_sec) for r in ready.data}
    duration = client.assets.retrieve(asset).duration
    clips = sorted((a, b) for o, s, a, b in rows if (o, s) == ("visual", "clip"))
    assert [a for a, _ in clips] == [0.0, 6.0, 12.0, 18.0] and clips[-1][1] == duration
    assert {o for o, *_ in rows} == {"visual", "audio"} and len(rows) == 2 * 5
    assert [r.start_sec for r in ready.data] != sorted(float(r.start_sec or 0) for r in ready.data)
    norms = np.linalg.norm([r.embedding for r in ready.data], axis=1)
    assert {len(r.embedding) for r in ready.data} == {512} and np.all(abs(norms - 1) < 0.01)
    told: Any = ready.metadata
    assert (told.input_type, told.duration, told.clip_length) == ("video", duration, 6)
    again = finish(client, start(client, asset))
    assert {tuple(r.embedding) for r in again.data} == {tuple(r.embedding) for r in ready.data}
    assert list(server.charged.values()) == [2]


def test_a_silent_film_has_nothing_to_hear(client: TwelveLabs) -> None:
    rows = finish(client, start(client, upload(client))).data
    assert {row.embedding_option for row in rows} == {"visual"}


def test_dynamic_segments_follow_one_another(client: TwelveLabs) -> None:
    cut = {"temporal": {"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}}}
    rows = finish(client, start(client, upload(client), segmentation=cut, embedding_scope=["clip"])).data
    spans = sorted((row.start_sec, row.end_sec) for row in rows)
    assert spans[0][0] == 0 and spans[-1][1] == 21.0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert all(4 <= b - a <= 10 for a, b in spans[:-1])


@pytest.mark.slow
def test_as_marengo_3_0(server30: PracticeServer, sound: Path) -> None:
    client = sdk(server30)
    asset = upload(client, sound)
    rows = finish(client, start(client, asset, "marengo3.0")).data
    assert {row.embedding_option for row in rows} == {"visual", "audio", "transcription"}
    text = client.embed.v_2.create(input_type="text", model_name="marengo3.0", text={"input_text": "a cat"})  # type: ignore[arg-type]
    assert len(text.data[0].embedding) == 512 and text.metadata is None
    clip = client.embed.v_2.create(
        input_type="video",
        model_name="marengo3.0",
        video={"media_source": {"asset_id": asset}, "embedding_scope": ["asset"]},  # type: ignore[arg-type]
    )
    assert [row.embedding_scope for row in clip.data] == ["asset"] * 3


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("marengo3.5", {"segmentation": FIXED}, "inside segmentation.temporal"),
    ("marengo3.0", {"segmentation": {"temporal": FIXED}}, "directly in segmentation"),
    (
        "marengo3.5",
        {"segmentation": {"temporal": {"strategy": "fixed", "fixed": {"duration_sec": 1}}}},
        "2 to 10",
    ),
    ("marengo3.5", {"segmentation": {"temporal": {"strategy": "none", "none": {}}}}, "strategy is"),
    ("marengo3.5", {"embedding_option": ["transcription"]}, "no embedding_option transcription"),
    ("marengo3.0", {"embedding_scope": ["local"]}, "no embedding_scope local"),
    (
        "marengo3.5",
        {"time_based_metadata": [{"start": 0, "end": 1, "text": "x"}]},
        "time_based_metadata needs",
    ),
    ("marengo3.5", {"embedding_type": ["fused_embedding"]}, "fused_embedding needs"),
    ("marengo3.5", {"media_source": {"asset_id": "nobody"}}, "no asset"),
    ("marengo2.7", {}, "no model marengo2.7"),
]


@pytest.mark.parametrize(("model", "video", "words"), WRONG, ids=lambda value: str(value)[:40])
def test_a_task_that_is_refused(
    server: PracticeServer, model: str, video: dict[str, Any], words: str
) -> None:
    with PracticeServer(None) as both:
        client = sdk(both)
        asset = upload(client)
        cut = FIXED if model == "marengo3.0" else {"temporal": FIXED}
        request = {"media_source": {"asset_id": asset}, "segmentation": cut, **video}
        body = {"input_type": "video", "model_name": model, "video": request}
        refused = httpx.post(f"{both.url}/embed-v2/tasks", json=body, headers={"x-api-key": "k"})
        assert refused.status_code in (400, 404)
        assert words in refused.json()["error"]["message"]  # nested
        assert not both.charged


QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("marengo3.5", {"input_type": "text", "text": {"input_text": "a cat"}}, "no input_type text"),
    ("marengo3.5", {"input_type": "multi_input", "multi_input": {"input_text": " "}}, "empty"),
    ("marengo3.5", {"input_type": "multi_input", "multi_input": {}}, "empty"),
    ("marengo3.5", {"input_type": "multi_input"}, "not as documented"),
    ("marengo3.0", {"input_type": "text", "text": {"input_text": "cat " * 501}}, "more than 500 tokens"),
    ("marengo3.0", {"input_type": "text", "text": {"input_text": "a"}, "embedding_dimension": 128}, "of 128"),
    (
        "marengo3.5",
        {
            "input_type": "multi_input",
            "multi_input": {"media_sources": [{"media_type": "image", "base64_string": "%%%"}]},
        },
        "not base64",
    ),
    (
        "marengo3.5",
        {
            "input_type": "multi_input",
            "multi_input": {"media_sources": [{"media_type": "image", "base64_string": "aGFsbG8="}]},
        },
        "image cannot be read",
    ),
]


@pytest.mark.parametrize(("model", "body", "words"), QUESTIONS, ids=lambda value: str(value)[:40])
def test_a_query_that_is_refused(model: str, body: dict[str, Any], words: str) -> None:
    with PracticeServer(model) as server:
        url, headers = f"{server.url}/embed-v2", {"x-api-key": "k"}
        refused = httpx.post(url, json=body | {"model_name": model}, headers=headers)
        assert refused.status_code == 400 and words in refused.json()["error"]["message"]


def test_queries(client: TwelveLabs) -> None:
    one, two = ask(client), ask(client)
    assert one.data[0].embedding == two.data[0].embedding
    assert one.data[0].embedding != ask(client, "a dog").data[0].embedding
    short = client.embed.v_2.create(
        input_type="multi_input",
        model_name="marengo3.5",
        multi_input={"input_text": "a cat"},  # type: ignore[arg-type]
        embedding_dimension=128,
    )
    assert short.data[0].embedding == pytest.approx(
        np.array(one.data[0].embedding[:128]) / np.linalg.norm(one.data[0].embedding[:128]), abs=0.01
    )


def test_words_find_the_film_that_is_described_with_them(client: TwelveLabs) -> None:
    clips = [
        (np.array(row.embedding), path.stem)
        for path in (CAT, COFFEE)
        for row in finish(client, start(client, upload(client, path))).data
    ]
    query = np.array(ask(client, "a cup of coffee").data[0].embedding)
    assert max(clips, key=lambda clip: float(clip[0] @ query))[1] == "coffee"


@pytest.mark.slow
def test_the_list_of_tasks(server: PracticeServer, client: TwelveLabs) -> None:
    asset = upload(client)
    tasks = [start(client, asset) for _ in range(12)]
    finish(client, tasks[3])
    listed = list(client.embed.v_2.tasks.list(page_limit=5))  # ends only because the last page is empty
    assert [one.id for one in listed] == tasks[::-1]
    told: Any = listed[0].video_embedding
    assert (told.metadata.input_filename, told.metadata.duration) == ("cat.mp4", 21.0)
    assert [one.id for one in client.embed.v_2.tasks.list(status="ready")] == [tasks[3]]
    assert not list(client.embed.v_2.tasks.list(started_at="2999-01-01T00:00:00Z"))
    assert len(list(client.embed.v_2.tasks.list(ended_at="2999-01-01T00:00:00Z"))) == 12
    for query in ({"page_limit": 51}, {"started_at": "yesterday"}):
        url = f"{server.url}/embed-v2/tasks"
        assert httpx.get(url, params=query, headers={"x-api-key": "k"}).status_code == 400


def test_embeddings_are_kept_for_seven_days(server: PracticeServer, client: TwelveLabs) -> None:
    task = start(client, upload(client))
    server.advance(days=6.9)
    assert client.embed.v_2.tasks.retrieve(task).id == task
    server.advance(days=0.2)
    with pytest.raises(ApiError) as gone:
        client.embed.v_2.tasks.retrieve(task)
    assert gone.value.status_code == 404 and not list(client.embed.v_2.tasks.list())


def test_what_was_asked_for_is_what_is_charged(server: PracticeServer, client: TwelveLabs) -> None:
    one, two = upload(client), upload(client)
    for asset, options in ((one, ["visual"]), (two, ["visual"]), (one, ["visual", "audio"])):
        start(client, asset, embedding_option=options)
    assert sorted(server.charged.values()) == [1, 2]
    server.reset()
    assert not (server.charged or server.seen or server.tasks or server.count("*"))


# the faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504])
def test_a_status_by_script(server: PracticeServer, client: TwelveLabs, status: int) -> None:
    server.fault(QUERY, status)
    with pytest.raises(ApiError) as caught:
        ask(client)
    assert caught.value.status_code == status
    body = caught.value.body  # of a type of its own for 413, else a dict
    assert body["error"]["message"] if isinstance(body, dict) else body.error.message
    assert len(ask(client).data) == 1 and [seen.answer for seen in server.seen] == [str(status), "200"]


def test_when_and_how_often(server: PracticeServer) -> None:
    server.fault(QUERY, 503, times=2, after=1)
    server.fault(QUERY, 500)
    assert [raw(server).status_code for _ in range(6)] == [500, 503, 503, 200, 200, 200]
    server.fault("POST *", 502, times=float("inf"))
    assert {raw(server).status_code for _ in range(3)} == {502}
    server.heal()
    assert raw(server).status_code == 200
    with pytest.raises(SettingsError, match="choose one of"):
        server.fault(QUERY, "gremlins")


def test_a_rate_limit_says_when_to_come_back(server: PracticeServer) -> None:
    server.time_scale = 0.5
    server.fault(QUERY, 429, retry_after=4)
    server.fault(QUERY, 429, body="", reset=60, limit=8)
    server.fault(QUERY, 429, retry_after="Sun, 22 Nov 2026 12:00:00 GMT")
    server.fault(QUERY, "quota", limit=50)
    first, second, third, quota = (raw(server) for _ in range(4))
    assert first.headers["retry-after"] == "2"
    assert first.json()["error"]["details"] == {"retryAfter": "2"}
    assert second.content == b"" and second.headers["x-ratelimit-remaining"] == "0"
    assert 0 < float(second.headers["x-ratelimit-reset"]) - time.time() <= 31
    assert third.headers["retry-after"].endswith("GMT")
    assert quota.status_code == 429 and quota.json()["error"]["details"]["limitType"] == "RPD"
    assert quota.headers["x-ratelimit-limit"] == "50"


def test_a_limit_by_the_minute(server: PracticeServer) -> None:
    server.limit("POST *", 3)
    answers = [raw(server) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 50 < float(answers[-1].headers["x-ratelimit-reset"]) - time.time() <= 60
    assert answers[-1].json()["error"]["code"] == "too_many_requests"
    server.heal()
    assert raw(server).status_code == 200


def test_a_share_of_the_answers(server: PracticeServer) -> None:
    server.fault(QUERY, 503, times=float("inf"), share=0.5)
    assert 3 < sum(raw(server).status_code == 503 for _ in range(20)) < 17


def test_any_answer_at_all(server: PracticeServer, client: TwelveLabs) -> None:
    server.fault(QUERY, "answer", body={"data": []})
    assert ask(client).data == []
    server.fault(QUERY, "answer", status=409, body="no", headers={"X-Why": "because"})
    answer = raw(server)
    assert (answer.status_code, answer.text, answer.headers["x-why"]) == (409, "no", "because")


def test_an_answer_that_does_not_come(server: PracticeServer) -> None:
    server.fault(QUERY, "timeout")
    with pytest.raises(httpx.ReadTimeout):
        raw(server, timeout=0.2)
    server.fault(QUERY, "timeout", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        raw(server, timeout=5)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("hangup", httpx.RemoteProtocolError),
        ("cut", httpx.RemoteProtocolError),
        ("lost", httpx.ReadError),
    ],
)
def test_a_connection_that_breaks(server: PracticeServer, kind: str, error: type[Exception]) -> None:
    server.fault(QUERY, kind)
    with pytest.raises(error):
        raw(server)
    assert raw(server).status_code == 200


@pytest.mark.parametrize("kind", ["truncated", "html", "empty"])
def test_a_body_that_is_no_answer(server: PracticeServer, client: TwelveLabs, kind: str) -> None:
    server.fault(QUERY, kind)
    with pytest.raises(ApiError) as caught:
        ask(client)
    assert caught.value.status_code == 200 and isinstance(caught.value.body, str)
    server.fault(QUERY, kind, status=502)
    assert kind == "truncated" or raw(server).status_code == 502


def test_a_slow_drip_is_whole_in_the_end(server: PracticeServer) -> None:
    server.fault(QUERY, "slow", seconds=0.3)
    answer = raw(server, timeout=0.2)  # each piece comes in time
    assert len(answer.json()["data"]) == 1


@pytest.mark.parametrize("kind", ["lost", "cut"])
def test_accepted_but_the_answer_is_lost(server: PracticeServer, client: TwelveLabs, kind: str) -> None:
    asset = upload(client)
    server.fault(TASKS, kind)
    with pytest.raises(httpx.TransportError):
        start(client, asset)
    (lost,) = client.embed.v_2.tasks.list()  # what a client that has no id can still find
    assert list(server.charged.values()) == [1] and finish(client, str(lost.id)).status == "ready"
    server.fault(TASKS, 503, effect=True)
    with pytest.raises(ApiError):
        start(client, asset)
    server.fault(TASKS, "reset")
    with pytest.raises(httpx.TransportError):
        start(client, asset)
    assert list(server.charged.values()) == [2]


@pytest.mark.parametrize("route", [TASKS, POLL])
@pytest.mark.parametrize("kind", sorted(FATES))
def test_a_task_that_comes_to_no_good(
    server: PracticeServer, client: TwelveLabs, kind: str, route: str
) -> None:
    server.fault(route, kind, message="The embedding request was invalid.")
    task = start(client, upload(client))
    if kind == "expired":
        with pytest.raises(ApiError) as gone:
            client.embed.v_2.tasks.retrieve(task)
        assert gone.value.status_code == 404
        return
    end = [client.embed.v_2.tasks.retrieve(task) for _ in range(5)][-1]
    assert end.status == {"failed": "failed", "never": "processing"}[kind] and end.data is None
    assert kind == "never" or (end.error and end.error.message == "The embedding request was invalid.")


def test_an_asset_that_fails(server: PracticeServer, client: TwelveLabs) -> None:
    server.fault("POST /assets", "failed", message="The file is invalid.")
    broken = client.assets.retrieve(upload(client))
    assert broken.status == "failed" and broken.error and broken.error.message == "The file is invalid."


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(ROWS) - {"pages"}))
def test_a_result_that_is_spoilt(server: PracticeServer, client: TwelveLabs, sound: Path, kind: str) -> None:
    task = start(client, upload(client, sound), embedding_scope=["clip"])
    server.fault(POLL, kind, **({"field": "embedding"} if kind == "missing_field" else {}))
    address, headers = f"{server.url}/embed-v2/tasks/{task}", {"x-api-key": "k"}
    assert httpx.get(address, headers=headers).json()["status"] == "processing"  # does not use the fault up
    body = json.loads(httpx.get(address, headers=headers).text)
    whole = httpx.get(address, headers=headers).json()["data"]
    rows, numbers = body["data"], [row.get("embedding", []) for row in body["data"]]
    spoilt = {
        "dimension": lambda: {len(row) for row in numbers} == {256},
        "nan": lambda: sum(np.isnan(row).any() for row in numbers) == 1,
        "zero": lambda: sum(not np.any(row) for row in numbers) == 1,
        "no_rows": lambda: rows == [],
        "missing_option": lambda: {row["embedding_option"] for row in rows} == {"audio"},
        "missing_field": lambda: not any(numbers) and len(rows) == len(whole),
        "order": lambda: (
            [r["start_sec"] for r in rows] == sorted((r["start_sec"] for r in rows), reverse=True)
        ),
        "double": lambda: len(rows) == 2 * len(whole),
    }
    assert spoilt[kind]() and len(whole) == 2 * 4


def test_a_field_that_is_missing(server: PracticeServer, client: TwelveLabs) -> None:
    server.fault(TASKS, "missing_field", field="_id")
    with pytest.raises(ValueError, match="Field required"):  # pydantic's, from the SDK
        start(client, upload(client))


def test_pages_out_of_order(server: PracticeServer, client: TwelveLabs) -> None:
    asset = upload(client)
    tasks = [start(client, asset) for _ in range(4)]
    server.fault("GET /embed-v2/tasks", "pages", times=9)
    assert [one.id for one in client.embed.v_2.tasks.list(page_limit=2)] == tasks


def test_faults_of_an_upload_in_parts(server: PracticeServer, client: TwelveLabs, tmp_path: Path) -> None:
    copy = tmp_path / "cat.mp4"
    copy.write_bytes(CAT.read_bytes())
    server.fault("PUT /uploads/*", 503)
    assert client.multipart_upload.upload_file(copy, retry_delay=0).asset_id
    server.fault("PUT /uploads/*", "reset", times=9)
    with pytest.raises(UploadError):
        client.multipart_upload.upload_file(copy, retry_delay=0, max_retries=1)


def test_every_fault_is_explained() -> None:
    assert len(KINDS) >= 30 and all(KINDS.values())


# the server itself -----------------------------------------------------------------------------------


def test_the_key_is_kept_nowhere(server: PracticeServer) -> None:
    ask(sdk(server, "tlk_planted"))
    assert "tlk_planted" not in repr(vars(server)) + repr([vars(seen) for seen in server.seen])


def test_it_outlives_clients_that_are_killed(
    server: PracticeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    address = ("127.0.0.1", int(server.host.rsplit(":", 1)[1]))
    with socket.create_connection(address) as half:
        half.sendall(b"POST /v1.3/assets HTTP/1.1\r\nx-api-key: k\r\ncontent-length: 999999\r\n\r\nabc")
    server.fault(QUERY, "slow", seconds=0.5)
    code = f"import httpx; httpx.post('{server.url}/embed-v2', json={{}}, headers={{'x-api-key': 'k'}})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not server.count(QUERY):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.heal()
    assert raw(server).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_many_clients_at_once(server: PracticeServer) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: raw(server, timeout=20).status_code, range(64)))
    assert answers == [200] * 64 and server.count(QUERY) == 64


def test_a_closed_server_answers_nobody() -> None:
    with PracticeServer() as server, httpx.Client(headers={"x-api-key": "k"}) as http:
        http.get(f"{server.url}/assets")  # a connection that is kept alive
        server.fault("GET /assets", "timeout")
        waiting = threading.Thread(
            target=lambda: _ignore(lambda: httpx.get(f"{server.url}/assets", timeout=9))
        )
        waiting.start()
        while server.count("GET /assets") < 2:
            time.sleep(0.01)
        server.close()
        waiting.join(5)
        assert not waiting.is_alive()
        with pytest.raises(httpx.TransportError):
            http.get(f"{server.url}/assets")


def _ignore(action: Any) -> None:
    with contextlib.suppress(httpx.TransportError):
        action()


def test_a_body_in_chunks(server: PracticeServer) -> None:
    body = json.dumps({"input_type": "multi_input", "model_name": "x"}).encode()
    headers = {"x-api-key": "k"}
    answer = httpx.post(f"{server.url}/embed-v2", content=iter([body[:9], body[9:]]), headers=headers)
    assert "no model x" in answer.json()["error"]["message"]


@pytest.mark.slow
def test_alone_from_the_command_line() -> None:
    command = [sys.executable, "-m", "helpers.standin.practice", "--model", "marengo3.0", "--port", "0"]
    command += ["--fault", "GET /assets", "503"]
    environment = dict(os.environ)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(3)]
        exported = dict(line.removeprefix("export ").split("=") for line in lines)
        assert set(exported) == {"TWELVELABS_BASE_URL", "TWELVE_LABS_API_KEY", "TWELVE_LABS_MODEL"}
        assert httpx.get(exported["TWELVELABS_BASE_URL"] + "/assets").status_code == 503
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_what_the_command_line_refuses(server: PracticeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", server.host.rsplit(":", 1)[1]]) == 1
    assert "name another with --port" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="no model 'marengo2.7'"):
        PracticeServer("marengo2.7")
