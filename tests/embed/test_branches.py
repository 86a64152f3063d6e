"""Ways through the offline service and the segments that no other test takes, as `python -m tools.coverage` finds."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from helpers.errors import EmbedError
from helpers.segments import check_vectors
from helpers.settings import ROOT
from helpers.standin.encoder import MODEL
from helpers.standin.offline import OfflineTransport
from tests.make_media import film


@pytest.fixture(scope="module")
def service() -> Any:
    """The offline service as a program without the SDK would meet it."""
    transport = OfflineTransport(models=ROOT / "data" / "models", fixtures=ROOT / "data" / "fixtures")
    with httpx.Client(transport=transport, base_url="http://offline/v1.3") as http:
        yield http


def composed(service: httpx.Client, sources: list[dict[str, Any]], **words: str) -> httpx.Response:
    request = {"input_type": "multi_input", "model_name": MODEL}
    return service.post("embed-v2", json=request | {"multi_input": {"media_sources": sources, **words}})


def uploaded(service: httpx.Client, path: Path) -> str:
    answer = service.post("assets", data={"method": "direct"}, files={"file": (path.name, path.read_bytes())})
    return str(answer.json()["_id"])


def refused(answer: httpx.Response, words: str) -> None:
    assert answer.status_code == 400, answer.text
    assert words in answer.text


def test_an_upload_without_its_file_is_refused(service: httpx.Client) -> None:
    refused(service.post("assets", files={"method": (None, "direct")}), "file")


def test_a_task_for_something_else_than_a_video_is_refused(service: httpx.Client) -> None:
    answer = service.post("embed-v2/tasks", json={"input_type": "audio", "model_name": MODEL})
    refused(answer, "input_type must be video")


def test_words_of_spaces_are_refused(service: httpx.Client) -> None:
    text = {"input_type": "text", "model_name": MODEL, "text": {"input_text": " "}}
    answer = service.post("embed-v2", json=text)
    refused(answer, "multi_input")
    refused(composed(service, [], input_text="  "), "empty")


def test_a_long_film_is_no_query_and_nor_is_sound(service: httpx.Client, tmp_path: Path) -> None:
    asset = uploaded(service, film(tmp_path / "long.mp4", size=(480, 360), seconds=40, rate=1))
    refused(composed(service, [{"media_type": "video", "asset_id": asset}]), "may last 30 s")
    refused(composed(service, [{"media_type": "audio", "asset_id": asset}]), "cannot embed audio")


def test_an_asset_that_was_never_uploaded_is_refused(service: httpx.Client) -> None:
    refused(composed(service, [{"media_type": "image", "asset_id": "none"}]), "upload it first")


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([np.ones(2), np.ones(3)], "of different lengths"),
        ([np.array([1.0, np.nan])], "not a finite number"),
        ([np.ones(2), np.zeros(2)], "all zeros"),
    ],
)
def test_vectors_that_cannot_be_used(vectors: list[Any], words: str) -> None:
    with pytest.raises(EmbedError, match=words):
        check_vectors(vectors, "cat.mp4")
