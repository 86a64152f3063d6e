"""api.py and the live path of embedding.py: the real SDK over real HTTP, on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tenacity
from twelvelabs import TwelveLabs

from helpers import api, available_options, embed_clip, embed_image, embed_text, embed_videos, sample_videos
from helpers.errors import EmbedError, SettingsError, VideoError
from helpers.settings import ROOT, load_settings
from tests.embed_server import EmbedServer

CAT = ROOT / "data" / "videos" / "cat.mp4"
KEY = "tlk_planted_in_the_tests"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmbedServer]:
    running = EmbedServer()
    for name in ("VIDEO_SEARCH_MODE", "TWELVELABS_API_KEY", "TWELVE_LABS_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TWELVE_LABS_API_KEY", KEY)
    monkeypatch.setenv("TWELVELABS_BASE_URL", running.url)
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(api, "WAIT", tenacity.wait_none())
    yield running
    running.close()


@pytest.fixture
def client(server: EmbedServer) -> TwelveLabs:
    return api.connect_twelvelabs(load_settings())


@pytest.mark.parametrize("model", ["marengo3.5", "marengo3.0"])
def test_a_video_becomes_segments(client: TwelveLabs, server: EmbedServer, model: str) -> None:
    segments = embed_videos(client, CAT, model=model)
    assert segments["embedding_scope"].tolist() == ["clip", "clip", "asset"]
    assert segments["start_offset_sec"].tolist() == [0.0, 6.0, 0.0]
    assert segments["model"].unique().tolist() == [model]
    assert available_options(segments)[0] == "visual"
    assert ("transcription" in available_options(segments)) == (model == "marengo3.0")
    assert all(len(v) == 512 for v in segments["embedding_visual"])
    request = next(json.loads(b) for m, p, _, b in server.seen if (m, p) == ("POST", "/v1.3/embed-v2/tasks"))
    assert ("temporal" in request["video"]["segmentation"]) == (model == "marengo3.5")
    assert request["video"]["media_source"] == {"asset_id": "a1"}
    assert "time_based_metadata" not in request["video"]  # no local text leaves the machine


def test_the_upload_carries_the_file_and_the_key(client: TwelveLabs, server: EmbedServer) -> None:
    embed_videos(client, CAT)
    _, _, headers, body = next(s for s in server.seen if s[1] == "/v1.3/assets")
    assert CAT.read_bytes() in body
    assert headers["x-api-key"] == KEY


def test_a_second_run_asks_nothing(client: TwelveLabs, server: EmbedServer) -> None:
    first = embed_videos(client, CAT)
    query = embed_text(client, "a cat")
    asked = len(server.seen)
    second = embed_videos(client, CAT)
    assert np.array_equal(embed_text(client, "a cat").vector, query.vector)
    assert len(server.seen) == asked
    assert second["segment_id"].tolist() == first["segment_id"].tolist()
    assert np.array_equal(np.stack(second["embedding_visual"]), np.stack(first["embedding_visual"]))


def test_what_is_embedded_is_kept_when_a_later_video_fails(client: TwelveLabs, server: EmbedServer) -> None:
    embed_videos(client, CAT)
    server.script["POST /embed-v2/tasks"].append((400, {"error": {"code": "x", "message": "no"}}))
    with pytest.raises(EmbedError):
        embed_videos(client, [CAT, CAT.with_name("coffee.mp4")], workers=1)
    uploads = server.count("POST /assets")
    embed_videos(client, [CAT, CAT.with_name("coffee.mp4")])
    assert server.count("POST /assets") == uploads + 1


@pytest.mark.parametrize(
    ("model", "input_type"), [("marengo3.5", ["multi_input"] * 2), ("marengo3.0", ["text", "image"])]
)
def test_queries_speak_the_model_s_dialect(
    client: TwelveLabs, server: EmbedServer, model: str, input_type: list[str]
) -> None:
    embed_text(client, "a cat", model=model)
    embed_image(client, ROOT / "data" / "images" / "cat-mirrored-grey.jpg", model=model)
    sent = [json.loads(b) for m, p, _, b in server.seen if (m, p) == ("POST", "/v1.3/embed-v2")]
    assert [s["input_type"] for s in sent] == input_type
    assert "base64_string" in json.dumps(sent[1])


def test_a_clip_as_query(client: TwelveLabs, server: EmbedServer) -> None:
    assert embed_clip(client, CAT, start=0, end=2).model == "marengo3.5"
    sent = json.loads(server.seen[-1][3])["multi_input"]["media_sources"][0]
    assert sent["media_type"] == "video"
    with pytest.raises(EmbedError, match=r"marengo3\.0 embeds no clip"):
        embed_clip(client, CAT, start=0, end=2, model="marengo3.0")
    for start, end in ((0, None), (-1, 3), (5, 5), (100, 110), (20, 30)):
        film = CAT.with_name("big-buck-bunny.mp4") if end is None else CAT
        with pytest.raises(EmbedError, match="up to 30 s inside the video's"):
            embed_clip(client, film, start=start, end=end)


def test_a_clip_by_a_path_relative_to_where_one_is(
    client: TwelveLabs, server: EmbedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    assert embed_clip(client, "../data/videos/cat.mp4", start=1, end=3).source == "cat.mp4"


PASSING = [
    (429, {"error": {"code": "too_many_requests", "message": "slow"}}),
    (429, b""),
    (503, b"busy"),
    (500, {}),
]


@pytest.mark.parametrize("answer", PASSING, ids=lambda a: f"{a[0]}-{type(a[1]).__name__}")
def test_what_passes_is_tried_again(
    client: TwelveLabs, server: EmbedServer, answer: tuple[int, object]
) -> None:
    server.script["POST /embed-v2"].extend([answer, answer])
    assert embed_text(client, "a cat").vector.shape == (512,)
    assert server.count("POST /embed-v2") == 3


def test_the_service_says_how_long_to_wait(
    client: TwelveLabs, server: EmbedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    server.headers.extend(
        [{"Retry-After": "7"}, {"X-Ratelimit-Reset": "4102444800"}, {"Retry-After": "soon"}]
    )
    server.script["POST /embed-v2"].extend([(429, {})] * 3)
    embed_text(client, "a cat")
    assert waits == [7.0, api.LONGEST_PAUSE, 0.0]


def test_what_was_uploaded_is_deleted_again(client: TwelveLabs, server: EmbedServer) -> None:
    embed_videos(client, CAT)
    assert server.count("DELETE /assets/a1") == 1


def test_one_failure_does_not_stop_the_others(client: TwelveLabs, server: EmbedServer) -> None:
    films = [CAT.with_name(f"{name}.mp4") for name in ("cat", "coffee", "flower")]
    server.script["POST /embed-v2/tasks"].append((400, {"error": {"code": "x", "message": "no such luck"}}))
    with pytest.raises(
        EmbedError, match="1 of 3 videos were not embedded, the others are kept.*no such luck"
    ):
        embed_videos(client, films, workers=1)
    uploads = server.count("POST /assets")
    assert len(embed_videos(client, films)) == 9
    assert server.count("POST /assets") == uploads + 1


def test_a_wrong_key_is_said_once_and_at_once(client: TwelveLabs, server: EmbedServer) -> None:
    server.script["POST /assets"].extend([(401, {"code": "api_key_invalid", "message": "invalid"})] * 9)
    with pytest.raises(EmbedError, match="valid key") as caught:
        embed_videos(client, CAT.parent, workers=1)
    assert caught.value.status == 401 and server.count("POST /assets") <= 2


def test_ctrl_c_comes_back_at_once_and_keeps_what_is_done(server: EmbedServer, tmp_path: Path) -> None:
    busy = {"_id": "t0", "status": "processing"}
    server.script["GET /embed-v2/tasks/t1"].extend([(200, busy)] * 10_000)
    code = (
        "from helpers import connect_twelvelabs, embed_videos\n"
        "import sys; embed_videos(connect_twelvelabs(), sys.argv[1:], workers=1)"
    )
    films = [str(CAT), str(CAT.with_name("coffee.mp4"))]
    process = subprocess.Popen([sys.executable, "-c", code, *films], cwd=ROOT, stderr=subprocess.PIPE)
    while server.count("GET /embed-v2/tasks/t1") < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)  # far below the deadline of half an hour
    assert process.returncode != 0 and b"KeyboardInterrupt" in errors
    assert len(list((Path(os.environ["VIDEO_SEARCH_HOME"]) / "cache" / "segments").glob("*/*.parquet"))) == 1


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsError, match="set VIDEO_SEARCH_HOME"):
        api.connect_twelvelabs()


def test_an_empty_table(client: TwelveLabs) -> None:
    with pytest.raises(VideoError, match="the table is empty"):
        embed_videos(client, sample_videos().head(0))


def test_a_repeated_upload_sends_the_file_again(client: TwelveLabs, server: EmbedServer) -> None:
    server.script["POST /assets"].append((503, b""))
    embed_videos(client, CAT)
    bodies = [b for m, p, _, b in server.seen if (m, p) == ("POST", "/v1.3/assets")]
    assert len(bodies) == 2 and all(CAT.read_bytes() in b and b'name="method"' in b for b in bodies)


FINAL = [
    (
        401,
        {"code": "api_key_invalid", "message": "The API key is invalid."},
        "set TWELVE_LABS_API_KEY to a valid key",
    ),
    (403, {"error": {"code": "forbidden", "message": "no"}}, "your plan or key"),
    (404, {"error": {"code": "model_not_found", "message": "no such model"}}, "no such model"),
    (413, {"error": {"code": "too_large", "message": "too large"}}, "smaller"),
    (400, {"error": {"code": "parameter_invalid", "message": "text is too long"}}, "text is too long"),
    (200, b"<html>not the API</html>", "not one that this SDK understands|answered 200"),
    (200, {"nothing": 1}, "not one that this SDK understands"),
    (200, {"data": []}, "no vector"),
    (200, {"data": [{"embedding": [0.0, 0.0]}]}, "cannot be used"),
]


@pytest.mark.parametrize(("status", "body", "words"), FINAL)
def test_what_does_not_pass_is_said_in_one_sentence(
    client: TwelveLabs, server: EmbedServer, status: int, body: object, words: str
) -> None:
    server.script["POST /embed-v2"].append((status, body))
    with pytest.raises(EmbedError, match=words) as caught:
        embed_text(client, "a cat")
    assert server.count("POST /embed-v2") == 1
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.status == (status if status >= 400 else None) or status == 200


def test_busy_for_too_long(client: TwelveLabs, server: EmbedServer) -> None:
    server.script["POST /embed-v2"].extend([(429, {"error": {"code": "x", "message": "slow down"}})] * 9)
    with pytest.raises(EmbedError, match="429, slow down; the rate limit or the quota") as caught:
        embed_text(client, "a cat")
    assert caught.value.status == 429


def test_nobody_answers(server: EmbedServer, client: TwelveLabs) -> None:
    server.close()
    with pytest.raises(EmbedError, match="cannot be reached"):
        embed_text(client, "a cat")


def test_a_task_that_fails_says_why(client: TwelveLabs, server: EmbedServer) -> None:
    failed = {"_id": "t0", "status": "failed", "data": None, "error": {"message": "cannot read the media"}}
    server.script["GET /embed-v2/tasks/"].append((200, failed))
    with pytest.raises(EmbedError, match="embed cat.mp4: cannot read the media"):
        embed_videos(client, CAT)


def test_a_task_that_never_ends_meets_the_deadline(client: TwelveLabs, server: EmbedServer) -> None:
    busy = {"_id": "t0", "status": "processing"}
    server.script["GET /embed-v2/tasks/"].extend([(200, busy)] * 50)
    with pytest.raises(EmbedError, match="in time"):
        embed_videos(client, CAT, deadline=0.3)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no segments"),
        ([{"embedding": [1.0, 0.0]}, {"embedding": [1.0]}], "different lengths"),
        ([{"embedding": [0.0, 0.0]}], "zero"),
    ],
)
def test_answers_that_cannot_be_used(
    client: TwelveLabs, server: EmbedServer, rows: list[dict[str, object]], words: str
) -> None:
    data = [
        {**r, "embedding_option": "visual", "embedding_scope": "clip", "start_sec": i, "end_sec": i + 1}
        for i, r in enumerate(rows)
    ]
    answer = {**server.result_shape, "data": data}
    server.script["GET /embed-v2/tasks/"].append((200, answer))
    with pytest.raises(EmbedError, match=words):
        embed_videos(client, CAT)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "type at least one word"), ("  ", "type at least"), ("word " * 10_000, "10,000 words")],
)
def test_queries_that_are_never_sent(client: TwelveLabs, server: EmbedServer, text: str, words: str) -> None:
    with pytest.raises(EmbedError, match=words):
        embed_text(client, text)
    assert server.seen == []


@pytest.mark.parametrize("segmentation", ["fixed-11", "fixed-1", "dynamic-9", "shots", "fixed-", "6"])
def test_segmentations_that_do_not_exist(client: TwelveLabs, segmentation: str) -> None:
    with pytest.raises(EmbedError, match="write fixed-2 to fixed-10"):
        embed_videos(client, CAT, segmentation=segmentation)


def test_files_that_do_not_exist(client: TwelveLabs, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no image file"):
        embed_image(client, tmp_path / "missing.jpg")
    with pytest.raises(VideoError, match="no video file"):
        embed_videos(client, tmp_path / "missing.mp4")
    with pytest.raises(VideoError, match="no video file"):
        embed_clip(client, tmp_path / "missing.mp4")
