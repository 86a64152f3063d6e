"""protocol.py: one protocol, whichever brain gives the vectors; as programs without the SDK meet it."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from helpers.models import MODELS, Model
from helpers.segmentation import Segmentation
from helpers.settings import ROOT
from helpers.standin.offline import OfflineTransport
from helpers.standin.practice import PracticeServer

DATA = ROOT / "data"
CAT = (DATA / "videos" / "cat.mp4").read_bytes()


class Service:
    """A service with the model that it is asked for."""

    def __init__(self, http: httpx.Client, model: Model) -> None:
        self.http, self.model = http, model

    def upload(self, data: bytes = CAT) -> str:
        files = {"file": ("cat.mp4", data, "video/mp4")}
        asset = self.http.post("/assets", data={"method": "direct"}, files=files).json()["_id"]
        for _ in range(2):
            self.http.get(f"/assets/{asset}")
        return str(asset)

    def task(self, asset: str, **video: Any) -> httpx.Response:
        cut = Segmentation.parse("fixed-6").request(self.model)
        request = {"media_source": {"asset_id": asset}, "segmentation": cut, **video}
        body = {"input_type": "video", "model_name": self.model.name, "video": request}
        return self.http.post("/embed-v2/tasks", json=body)

    def query(self, **given: Any) -> httpx.Response:
        body = {"input_type": "multi_input", "model_name": self.model.name, "multi_input": given}
        return self.http.post("/embed-v2", json=body)


@pytest.fixture(scope="module", params=["offline-512", "marengo3.5", "marengo3.0"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    model = MODELS[request.param]
    headers = {"x-api-key": "practice"}
    if model.offline:
        transport = OfflineTransport(models=DATA / "models", fixtures=DATA / "fixtures")
        with httpx.Client(transport=transport, base_url="http://offline/v1.3", headers=headers) as http:
            yield Service(http, model)
        return
    with (
        PracticeServer(model.name) as server,
        httpx.Client(base_url=server.url, headers=headers) as http,
    ):
        yield Service(http, model)


def refused(answer: httpx.Response, words: str, code: str = "parameter_invalid") -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code) and words in error["message"]


def test_a_task_ends_with_the_vectors_of_its_segments(service: Service) -> None:
    made = service.task(service.upload())
    address = made.headers["location"].removeprefix("/v1.3")
    states = [service.http.get(address).json()]
    while states[-1]["status"] == "processing":
        states.append(service.http.get(address).json())
    assert len(states) > 1 and states[0]["data"] is None
    rows = [row for row in states[-1]["data"] if row["embedding_option"] == "visual"]
    clips = sorted((r["start_sec"], r["end_sec"]) for r in rows if r["embedding_scope"] == "clip")
    assert clips == [(0, 6), (6, 12), (12, 18), (18, 21)] and len(rows) == 5
    assert {len(row["embedding"]) for row in rows} == {service.model.dimensions[0]}
    told = states[-1]["metadata"]
    assert (told["input_type"], told["duration"], told["clip_length"]) == ("video", 21.0, 6)


@pytest.mark.slow
def test_lists_end_with_an_empty_page(service: Service) -> None:
    assets = [service.upload() for _ in range(2)]
    for route in ("/assets", "/embed-v2/tasks"):
        service.task(assets[0])
        pages = [service.http.get(route, params={"page": n, "page_limit": 1}).json() for n in (1, 2, 99)]
        assert [len(page["data"]) for page in pages[::2]] == [1, 0]
        assert pages[0]["page_info"]["total_page"] == pages[0]["page_info"]["total_results"]
    assert service.http.get("/assets", params={"page": 0}).status_code == 400


def test_what_is_no_video_fails_as_an_asset_and_is_not_embedded(service: Service) -> None:
    broken = service.upload(b"no video")
    asset = service.http.get(f"/assets/{broken}").json()
    assert asset["status"] == "failed" and "corrupt" in asset["error"]["message"]
    refused(service.task(broken), "is failed", "asset_not_ready")
    image = service.upload((DATA / "images" / "cat-mirrored-grey.jpg").read_bytes())
    refused(service.task(image), "no video", "video_file_broken")


def test_what_is_deleted_is_gone(service: Service) -> None:
    asset = service.upload()
    assert service.http.delete(f"/assets/{asset}").status_code == 204
    gone = service.http.get(f"/assets/{asset}")
    assert gone.status_code == 404 and gone.json()["code"] == "asset_not_exists"
    refused(service.task(asset), "upload it first", "asset_not_exists")


def test_a_request_that_is_not_as_documented_is_refused(service: Service) -> None:
    asset = service.upload()
    other = Segmentation.parse("fixed-6").request(
        MODELS["marengo3.5" if not service.model.temporal else "marengo3.0"]
    )
    refused(service.task(asset, segmentation=other), "takes the strategy")
    refused(service.task(asset, embedding_option=["smell"]), "has no embedding_option smell, only visual")
    refused(service.task(asset, embedding_scope=["frame"]), "has no embedding_scope frame, only clip")
    refused(service.query(), "query is empty")
    refused(service.query(input_text=" "), "query is empty")
    refused(service.query(media_sources=[{"media_type": "smell", "asset_id": asset}]), "cannot embed smell")
    no_image = {"media_type": "image", "base64_string": base64.b64encode(b"none").decode()}
    refused(service.query(media_sources=[no_image]), "image cannot be read", "image_file_broken")
    body = {"input_type": "multi_input", "model_name": service.model.name}
    refused(service.http.post("/embed-v2", json=body), "not as documented")
    sized = body | {"multi_input": {"input_text": "a cat"}, "embedding_dimension": 7}
    refused(service.http.post("/embed-v2", json=sized), "no vectors of 7 dimensions")
    unknown = service.http.post("/embed-v2", json=body | {"model_name": "marengo4.0"})
    refused(unknown, "There is no", "model_not_available")


def test_a_route_that_does_not_exist(service: Service) -> None:
    for method, path in (("POST", "/indexes"), ("PUT", "/embed-v2/tasks"), ("PATCH", "/assets/x/y")):
        answer = service.http.request(method, path)
        assert answer.status_code == 404, path


def test_an_upload_says_how_it_comes(service: Service) -> None:
    files = {"file": ("cat.mp4", CAT, "video/mp4")}
    answer = service.http.post("/assets", files=files)  # what the SDK's retry leaves out
    assert answer.status_code == 400
    assert "method=direct" in answer.json()["message"]
