"""A key that is planted in the environment shows up nowhere: not in errors, logs, caches, databases, outputs, git."""

import io
import json
import logging
import re
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
import tenacity
from dotenv import dotenv_values
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers import (
    check_environment,
    connect_milvus,
    connect_twelvelabs,
    embed_text,
    embed_videos,
    logs,
    redaction,
)
from helpers.embed import client as api
from helpers.errors import VideoSearchError
from helpers.settings import ROOT, load_settings
from helpers.standin.practice import PracticeServer
from helpers.store import client as store
from helpers.store import collection as store_collection
from helpers.store import io as store_io
from tools.gate import rules
from tools.notebook_env import SWITCHES, offline_environment

KEY, PASSWORD = "Zq7planted0key8Xw", "planted-passw0rd"  # of no shape that gives them away
CAT = ROOT / "data" / "videos" / "cat.mp4"
PLANTED = (KEY, PASSWORD)


def leaks(text: str) -> list[str]:
    return [secret for secret in PLANTED if secret in text]


def files_that_leak(folder: Path) -> list[str]:
    """Every file under the folder that holds a planted secret; tables also by what they say."""
    found = []
    for path in (p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        text = data.decode("latin-1")
        if path.suffix == ".parquet" and data:
            text += pd.read_parquet(io.BytesIO(data)).to_csv()
        found += [f"{path.name}: {secret}" for secret in leaks(text)]
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeServer]:
    running = PracticeServer(None, time_scale=0.01)
    monkeypatch.setenv("TWELVE_LABS_API_KEY", KEY)
    monkeypatch.setenv("VIDEO_SEARCH_MODE", "")
    monkeypatch.setenv("MILVUS_TOKEN", f"root:{PASSWORD}")
    monkeypatch.setenv("TWELVELABS_BASE_URL", running.url)
    monkeypatch.setattr(api, "WAIT", tenacity.wait_none())
    logs.start_logging(load_settings(), screen="DEBUG")
    yield running
    logs.stop_logging()
    running.close()


ECHO = f"the key {KEY} is not known"
ANSWERS: list[tuple[int, Any]] = [
    (401, {"error": {"code": "api_key_invalid", "message": ECHO}}),
    (403, {"code": "forbidden", "message": ECHO, "docs_url": f"https://x/?api_key={KEY}"}),
    (400, {"message": {"deep": ECHO}}),
    (404, ECHO.encode()),
    (500, {"error": {"message": ECHO}}),
    (200, f'{{"data": "{KEY}'.encode()),
    (200, [KEY]),
]


ACTIONS: dict[str, Callable[[Any], object]] = {
    "POST /embed-v2": lambda client: embed_text(client, "a cat"),
    "POST /embed-v2/tasks": lambda client: embed_videos(client, CAT),
    "POST /assets": lambda client: embed_videos(client, CAT),
}


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer[0]}-{type(answer[1]).__name__}")
@pytest.mark.parametrize("route", ACTIONS)
def test_a_service_that_repeats_the_key(
    server: PracticeServer, capfd: pytest.CaptureFixture[str], route: str, answer: tuple[int, Any]
) -> None:
    status, body = answer
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"www-authenticate": f"key={KEY}", "set-cookie": f"key={KEY}"}
    server.fault(route, "answer", times=9, status=status, body=data, headers=headers)
    with pytest.raises(VideoSearchError) as caught:
        ACTIONS[route](connect_twelvelabs())
    logging.getLogger("video_search.tests").error("It failed", exc_info=caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert leaks(f"{shown} {caught.value!r} {vars(caught.value)!r}") == []
    assert leaks("".join(capfd.readouterr())) == [] and files_that_leak(load_settings().home) == []
    assert server.seen[-1].headers["x-api-key"] == "(a key)"  # it was there to be lost


def test_a_request_id_that_is_the_key(server: PracticeServer) -> None:
    server.fault("POST /embed-v2", 400, headers={"x-request-id": KEY})
    with pytest.raises(VideoSearchError) as caught:
        embed_text(connect_twelvelabs(), "a cat")
    assert leaks(f"{caught.value} {vars(caught.value)!r}") == []


def test_a_task_that_fails_with_the_key_in_its_reason(
    server: PracticeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server.fault("POST /embed-v2/tasks", "failed", message=ECHO)
    with pytest.raises(VideoSearchError) as caught:
        embed_videos(connect_twelvelabs(), CAT)
    assert leaks("".join(traceback.format_exception(caught.value))) == []
    assert leaks("".join(capfd.readouterr())) == [] and files_that_leak(load_settings().home) == []


@pytest.mark.slow
def test_nothing_is_left_by_a_run_that_goes_well(
    server: PracticeServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings()
    client = connect_twelvelabs(settings)
    segments = embed_videos(client, CAT)
    query = embed_text(client, "a cat")
    milvus = connect_milvus(settings)
    try:
        store_collection.create_collection(milvus, "films", segments)
        store_io.insert_segments(milvus, "films", segments)
        logging.getLogger("video_search.tests").info("%r %s", settings, vars(settings), extra=vars(client))
        logging.getLogger("httpx").warning("%s", vars(settings))
        assert leaks(f"{settings!r} {settings} {client!r} {query!r} {milvus!r} {segments.to_csv()}") == []
        assert len(logs.read_log()) > 1
    finally:
        store.disconnect_milvus(milvus, settings)
    assert leaks("".join(capfd.readouterr())) == [] and files_that_leak(settings.home) == []
    assert len(list(settings.home.rglob("*"))) > 5


def test_a_milvus_that_does_not_answer(
    server: PracticeServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILVUS_URI", f"http://root:{PASSWORD}@127.0.0.1:1")
    with pytest.raises(VideoSearchError) as caught:
        connect_milvus(load_settings())
    logging.getLogger("video_search.tests").error("no Milvus", exc_info=caught.value)
    assert leaks(str(caught.value)) == [] and leaks("".join(traceback.format_exception(caught.value))) == []
    assert leaks("".join(capfd.readouterr())) == [] and files_that_leak(load_settings().home) == []


@pytest.mark.parametrize("name", ["MILVUS_URI", "TWELVELABS_BASE_URL"])
def test_a_password_in_an_address(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"http://ann:{PASSWORD}@127.0.0.1:1")
    settings = load_settings()
    assert leaks(f"{settings!r} {settings}") == []
    assert leaks(check_environment().to_csv()) == []


# ---------------------------------------------------------------- notebooks and git


OUTPUTS = {
    "stream": new_output("stream", text="using tlk_0123456789AB"),
    "html": new_output("display_data", {"text/html": "<b>api_key='0123456789abcdef'</b>"}),
    "text": new_output("execute_result", {"text/plain": "Client(token='0123456789abcdef')"}),
    "traceback": new_output("error", ename="E", evalue="no", traceback=["header tlk_0123456789AB"]),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_key_in_an_output_is_found(kind: str) -> None:
    cell = new_code_cell("connect()", outputs=[nbformat.from_dict(OUTPUTS[kind])])
    assert rules.no_private_things(new_notebook(cells=[cell])) == [
        "code cell 1 ('connect()') holds what looks like a key"
    ]


@pytest.mark.parametrize("name", SWITCHES)
def test_machines_run_notebooks_without_the_learner_s_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, KEY)
    assert leaks(repr(offline_environment(tmp_path))) == []


def git(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, timeout=60)


in_git = pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"), reason="this copy is no git checkout"
)
# Keys as the service gives them out, longer than those that the tests plant; and long values beside such a name.
KEY_SHAPE = re.compile(rb"tlk_[A-Za-z0-9]{20,}")
REAL = re.compile(
    KEY_SHAPE.pattern + rb"|(?i:api_?key|token|secret)[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9_-]{24,}\b"
)


@in_git
def test_no_file_in_git_holds_a_key() -> None:
    """Nor the key of this machine's own .env, whatever its shape."""
    own = dotenv_values(ROOT / ".env") if (ROOT / ".env").is_file() else {}
    mine = {value.encode() for name, value in own.items() if name in redaction.SECRET_NAMES and value}
    found = []
    for name in filter(None, git("ls-files", "-z").stdout.split("\0")):
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b""
        binary = b"\0" in data[:8000]  # as git tells them apart
        keys = [*(KEY_SHAPE if binary else REAL).findall(data), *(key for key in mine if key in data)]
        found += [f"{name} holds what looks like a key" for _ in keys[:1]]
    assert found == []


@pytest.mark.parametrize(
    "line",
    ["x = 'tlk_" + "0123456789" * 2 + "'", "API_KEY=" + "0123456789" * 3, '"token": "' + "aB3" * 9 + '"'],
)
def test_what_looks_like_a_key(line: str) -> None:
    assert REAL.search(line.encode())


@in_git
@pytest.mark.parametrize("name", [".env", ".video-search/logs/video-search.log", "notebooks/films.db/x"])
def test_what_is_a_learner_s_own_is_ignored_by_git(name: str) -> None:
    assert git("check-ignore", "-q", "--no-index", name).returncode == 0
    assert git("ls-files", "--", name).stdout == ""


def test_the_example_of_an_env_file_holds_no_secret() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    assert re.findall(r"^#?\w*(?:KEY|TOKEN)\w*=(.+)$", text, re.MULTILINE) == []
