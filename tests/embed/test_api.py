"""api.call and the queries of the live path: the real SDK over real HTTP, against the practice server."""

import dataclasses
import json
import logging
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from twelvelabs import TwelveLabs

from helpers import embed_clip, embed_image, embed_text, embed_videos
from helpers.embed import client as api
from helpers.errors import EmbedError, QuotaError, SettingsError, VideoError
from helpers.settings import ROOT, load_settings
from helpers.standin.practice import PracticeServer
from tests.conftest import KEY

CAT = ROOT / "data" / "videos" / "cat.mp4"
QUERY, TASKS = "POST /embed-v2", "POST /embed-v2/tasks"


def sent(practice: PracticeServer, route: str) -> list[Any]:
    return [seen.json for seen in practice.seen if seen.route == route]


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("model", "input_type"), [("marengo3.5", ["multi_input"] * 2), ("marengo3.0", ["text", "image"])]
)
def test_queries_speak_the_model_s_dialect(
    client: TwelveLabs, practice: PracticeServer, model: str, input_type: list[str]
) -> None:
    embed_text(client, "a cat", model=model)
    embed_image(client, ROOT / "data" / "images" / "cat-mirrored-grey.jpg", model=model)
    requests = sent(practice, QUERY)
    assert [request["input_type"] for request in requests] == input_type
    assert "base64_string" in json.dumps(requests[1])


@pytest.mark.slow
def test_a_clip_as_query(client: TwelveLabs, practice: PracticeServer) -> None:
    assert embed_clip(client, CAT, start=0, end=2).model == "marengo3.5"
    assert sent(practice, QUERY)[-1]["multi_input"]["media_sources"][0]["media_type"] == "video"
    assert embed_clip(client, CAT, start=0, end=2, model="marengo3.0").vector.shape == (512,)
    assert sent(practice, QUERY)[-1]["video"]["embedding_scope"] == ["asset"]
    for start, end in ((0, None), (-1, 3), (5, 5), (100, 110), (20, 30)):
        film = CAT.with_name("big-buck-bunny.mp4") if end is None else CAT
        with pytest.raises(EmbedError, match="up to 30 s inside the video's"):
            embed_clip(client, film, start=start, end=end)


@pytest.mark.slow
def test_a_clip_by_a_path_relative_to_where_one_is(
    client: TwelveLabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    assert embed_clip(client, "../data/videos/cat.mp4", start=1, end=3).source == "cat.mp4"


def test_the_key_goes_in_its_header_only(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_text(client, "a cat")
    assert practice.seen[-1].headers["x-api-key"] == "(a key)"  # what the server keeps of any key
    assert KEY not in repr(practice.seen) and KEY not in repr(load_settings())


def test_an_image_by_its_address_is_not_fetched_here(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 400)
    with pytest.raises(EmbedError):
        embed_image(client, "http://127.0.0.1:9/cat.jpg")
    (source,) = sent(practice, QUERY)[-1]["multi_input"]["media_sources"]
    assert source == {"media_type": "image", "url": "http://127.0.0.1:9/cat.jpg"}
    with pytest.raises(EmbedError, match="The image is a int: give a path or an address"):
        embed_image(client, 7)  # type: ignore[arg-type]


def test_a_query_is_asked_once(client: TwelveLabs, practice: PracticeServer) -> None:
    first = embed_text(client, "a cat")
    assert np.array_equal(embed_text(client, "a cat").vector, first.vector)
    assert practice.count(QUERY) == 1


def test_answers_of_another_service_are_never_mixed_in(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embed_text(client, "a cat")
    with PracticeServer(None, seed=1) as other:
        monkeypatch.setenv("TWELVELABS_BASE_URL", other.url)
        second = embed_text(api.connect_twelvelabs(), "a cat")
        assert other.count(QUERY) == 1
    assert first.model == second.model and not np.allclose(first.vector, second.vector)


def test_settings_given_by_hand_win_over_the_environment(practice: PracticeServer) -> None:
    with PracticeServer(None) as other:
        settings = dataclasses.replace(load_settings(), base_url=other.url, model="marengo3.0")
        assert embed_text(api.connect_twelvelabs(settings), "a cat").model == "marengo3.0"
        assert (practice.count(QUERY), other.count(QUERY)) == (0, 1)
    assert load_settings().base_url == practice.url


# ---------------------------------------------------------------- what passes is tried again

PASSING: dict[str, dict[str, Any]] = {
    "408": {},
    "429": {},
    "500": {},
    "502": {},
    "503": {},
    "504": {},
    "reset": {},
    "hangup": {},
    "cut": {},
    "truncated": {},
    "lost": {},
}


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_tried_again(client: TwelveLabs, practice: PracticeServer, kind: str) -> None:
    practice.fault(QUERY, kind, times=2)
    assert embed_text(client, "a cat").vector.shape == (512,)
    assert practice.count(QUERY) == 3


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"Retry-After": "-3"}, 0, 0),
        ({"Retry-After": "soon"}, 0, 0),
        ({"Retry-After": "{in 30 s}"}, 28, 30),
        ({"X-Ratelimit-Reset": "{at 20 s}"}, 18, 20),
        ({"X-Ratelimit-Reset": "tomorrow"}, 0, 0),
        ({}, 0, 0),
    ],
    ids=str,
)
def test_the_service_says_how_long_to_wait(
    client: TwelveLabs,
    practice: PracticeServer,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    least: float,
    most: float,
) -> None:
    now = datetime.now(UTC)
    said = {
        "{in 30 s}": (now + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "{at 20 s}": str((now + timedelta(seconds=20)).timestamp()),
    }
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    practice.fault(QUERY, 429, headers={k: said.get(v, v) for k, v in headers.items()})
    embed_text(client, "a cat")
    assert len(waits) == 1 and least <= waits[0] <= most


def test_pauses_grow_and_differ() -> None:
    pauses = [[api.WAIT(_state(n)) for _ in range(200)] for n in (1, 4, 9)]
    assert [max(p) <= limit for p, limit in zip(pauses, (0.5, 4, 20), strict=True)] == [True] * 3
    assert max(pauses[0]) < max(pauses[1]) < max(pauses[2]) and len(set(pauses[1])) > 100


def _state(attempt: int) -> Any:
    state = type("State", (), {})()
    state.attempt_number = attempt
    return state


def test_busy_for_too_long(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 429, times=9)
    with pytest.raises(QuotaError, match="429, .*; the rate limit or the quota") as caught:
        embed_text(client, "a cat")
    assert caught.value.status == 429 and practice.count(QUERY) == 5


def test_a_quota_of_the_day_is_not_waited_for(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 429, headers={"X-Ratelimit-Reset": "4102444800"})
    with pytest.raises(QuotaError, match="not before 2100-01-01 00:00 UTC") as caught:
        embed_text(client, "a cat")
    assert practice.count(QUERY) == 1
    assert caught.value.resume_at is not None and caught.value.resume_at.year == 2100


# ---------------------------------------------------------------- what does not pass is said in one sentence

FINAL: list[tuple[str, dict[str, Any], str]] = [
    ("401", {}, "set TWELVE_LABS_API_KEY to a valid key"),
    ("403", {}, "your plan or key"),
    ("404", {"message": "no such model"}, "no such model"),
    ("413", {}, "answered 413, The request is too large; make the file smaller"),
    ("400", {"message": "text\n is too   long"}, "answered 400, text is too long"),
    ("html", {}, "not one that this SDK understands"),
    ("empty", {}, "not one that this SDK understands"),
    ("missing_field", {"field": "data"}, "not one that this SDK understands"),
    ("missing_field", {"field": "embedding"}, "not one that this SDK understands"),
    ("no_rows", {}, "no vector"),
    ("zero", {}, "cannot be used"),
    ("nan", {}, "cannot be used"),
]


@pytest.mark.parametrize(("kind", "details", "words"), FINAL, ids=lambda x: x if isinstance(x, str) else "")
def test_what_does_not_pass(
    client: TwelveLabs, practice: PracticeServer, kind: str, details: dict[str, Any], words: str
) -> None:
    practice.fault(QUERY, kind, **details)
    with pytest.raises(EmbedError, match=words) as caught:
        embed_text(client, "a cat")
    assert practice.count(QUERY) == 1
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.__cause__ is None  # bodies and headers, a page for a learner, are in the log only
    practice.heal()
    assert embed_text(client, "a cat").vector.shape == (512,)  # nothing bad was kept


@pytest.mark.parametrize("kind", ["503", "html"])
def test_a_page_of_html_with_a_bad_status(client: TwelveLabs, practice: PracticeServer, kind: str) -> None:
    practice.fault(QUERY, "html", status=int(kind) if kind.isdigit() else 502, times=9)
    with pytest.raises(EmbedError, match=r"answered 50[23]") as caught:
        embed_text(client, "a cat")
    assert "<" not in str(caught.value) and practice.count(QUERY) == 5


def test_the_service_names_the_request(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 403, headers={"X-Request-Id": "req-4711"})
    with pytest.raises(EmbedError, match=r"\(request req-4711\)") as caught:
        embed_text(client, "a cat")
    assert (caught.value.status, caught.value.request_id) == (403, "req-4711")


def test_a_service_that_repeats_the_key(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 400, message=f"bad header x-api-key: {KEY}", headers={"X-Request-Id": KEY})
    with pytest.raises(EmbedError, match="answered 400, bad header") as caught:
        embed_text(client, "a cat")
    assert KEY not in str(caught.value) and KEY not in repr(caught.value.__dict__)


def test_a_proxy_is_not_asked_for_a_server_on_this_machine(
    practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert embed_text(api.connect_twelvelabs(), "a cat").vector.shape == (512,)


def test_nobody_answers(practice: PracticeServer, client: TwelveLabs) -> None:
    practice.close()
    with pytest.raises(EmbedError, match=r"cannot be reached \(ConnectError\)") as caught:
        embed_text(client, "a cat")
    assert not caught.value.unsure


# ---------------------------------------------------------------- deadlines


@pytest.mark.parametrize(("kind", "name"), [("timeout", "ReadTimeout"), ("slow", "ReadTimeout")])
def test_a_call_ends_at_its_deadline(
    client: TwelveLabs, practice: PracticeServer, kind: str, name: str
) -> None:
    practice.time_scale = 1.0
    practice.fault("GET /assets", kind, times=9, seconds=60)
    with pytest.raises(EmbedError, match=rf"cannot be reached \({name}\)") as caught:
        api.call(lambda: list(client.assets.list()), "list", deadline=1.5)
    assert caught.value.unsure and practice.count("GET /assets") == 1


def test_no_pause_reaches_beyond_the_deadline(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault("GET /assets", 503, times=9, headers={"Retry-After": "60"})
    with pytest.raises(EmbedError, match="503"):
        api.call(lambda: list(client.assets.list()), "list", deadline=30)
    assert practice.count("GET /assets") == 1


@pytest.mark.parametrize("kind", ["408", "500", "503", "reset", "lost", "cut", "truncated"])
def test_what_must_not_happen_twice_is_not_repeated(
    client: TwelveLabs, practice: PracticeServer, kind: str
) -> None:
    practice.fault(QUERY, kind)
    with pytest.raises(EmbedError) as caught:
        api.call(lambda: _ask(client), "ask", repeatable=False)
    assert caught.value.unsure and practice.count(QUERY) == 1


def test_what_certainly_did_not_happen_is_repeated(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 429)
    api.call(lambda: _ask(client), "ask", repeatable=False)
    assert practice.count(QUERY) == 2


def _ask(client: TwelveLabs) -> Any:
    return client.embed.v_2.create(
        input_type="multi_input", model_name="marengo3.5", multi_input={"input_text": "cat"}
    )


def test_a_connection_that_is_refused_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def refused() -> None:
        tries.append(1)
        raise httpx.ConnectError("no")

    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    with pytest.raises(EmbedError, match="cannot be reached"):
        api.call(refused, "ask", repeatable=False)
    assert len(tries) == 5


# ---------------------------------------------------------------- the log, and what never leaves


def test_calls_and_tries_are_logged(
    client: TwelveLabs, practice: PracticeServer, caplog: pytest.LogCaptureFixture
) -> None:
    practice.fault(QUERY, 503)
    with caplog.at_level(logging.DEBUG, logger="video_search"):
        embed_text(client, "a cat")
    rows = [(r.event, getattr(r, "status", None)) for r in caplog.records if r.name == "video_search.api"]
    assert rows == [("api", 503), ("api.retry", 503), ("api", 200)]
    assert all(r.seconds >= 0 for r in caplog.records if r.event == "api")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "type at least one word"), ("  ", "type at least"), ("word " * 10_000, "10,000 words")],
)
def test_queries_that_are_never_sent(
    client: TwelveLabs, practice: PracticeServer, text: str, words: str
) -> None:
    with pytest.raises(EmbedError, match=words):
        embed_text(client, text)
    assert practice.seen == []


def test_files_that_do_not_exist(client: TwelveLabs, practice: PracticeServer, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no image file"):
        embed_image(client, tmp_path / "missing.jpg")
    with pytest.raises(VideoError, match="no video file"):
        embed_videos(client, tmp_path / "missing.mp4")
    with pytest.raises(VideoError, match="no video file"):
        embed_clip(client, tmp_path / "missing.mp4")
    assert practice.seen == []


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsError, match="set VIDEO_SEARCH_HOME"):
        api.connect_twelvelabs()


# ---------------------------------------------------------------- addresses, and the end of a pause


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1/v1.3"])
def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.delenv("TWELVELABS_BASE_URL", raising=False)
    settings = dataclasses.replace(load_settings(), live=True, api_key=KEY, base_url=address)
    client = api.connect_twelvelabs(settings)
    assert "TWELVELABS_BASE_URL" not in os.environ
    assert api.service_of(client) == ({"service": address} if address else {})
    assert client._client_wrapper.get_base_url() == (address or "https://api.twelvelabs.io/v1.3")


def test_stopped_in_the_middle_of_a_call() -> None:
    stop = threading.Event()

    def breaks() -> None:
        stop.set()
        raise httpx.ReadError("gone")

    with pytest.raises(EmbedError, match="Stopped on the way to ask") as caught:
        api.call(breaks, "ask", stop=stop, repeatable=False)
    assert caught.value.unsure


def test_a_used_up_rate_limit_is_not_asked_again_before_its_time(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    reset = str((datetime.now(UTC) + timedelta(seconds=60)).timestamp())
    practice.fault(QUERY, 429, headers={"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset})
    with pytest.raises(QuotaError):
        api.call(lambda: _ask(client), "ask", attempts=1)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(EmbedError, match="Stopped"):
        api.call(lambda: _ask(client), "ask", stop=stop)
    assert practice.count(QUERY) == 1
    api.call(lambda: _ask(client), "ask", deadline=30)  # too short to wait: better to be refused than never
    assert practice.count(QUERY) == 2


def test_a_reset_that_means_nothing_is_no_pause(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 429, headers={"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "soon"})
    assert embed_text(client, "a cat").vector.shape == (512,)
