"""offline.py: the offline Embed API as the real SDK sees it."""

import base64
import io
import json
import os
import shutil
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError

from helpers import connect_twelvelabs, embed_clip, embed_image, embed_text, embed_videos
from helpers.embed import uploads
from helpers.embed.tasks import run_task
from helpers.errors import DataError, EmbedError, VideoError
from helpers.files import file_sha256
from helpers.models import model_facts
from helpers.segmentation import Segmentation
from helpers.settings import ROOT
from helpers.standin.encoder import MODEL, Encoder, VideoVectors
from helpers.standin.offline import OfflineTransport
from helpers.videos.cues import description_track

DATA = ROOT / "data"
CAT = DATA / "videos" / "cat.mp4"
MIRRORED = DATA / "images" / "cat-mirrored-grey.jpg"
REQUEST = {"segmentation": Segmentation.parse("fixed-6").request(model_facts(MODEL))}


def make_client(fixtures: Path | None, models: Path = DATA / "models") -> TwelveLabs:
    transport = OfflineTransport(models=models, fixtures=fixtures)
    return TwelveLabs(api_key="offline", httpx_client=httpx.Client(transport=transport))


@pytest.fixture(scope="module")
def client() -> TwelveLabs:
    return make_client(DATA / "fixtures")


@pytest.fixture(scope="module")
def encoder_client() -> TwelveLabs:
    """The same service with its cached answers left out."""
    return make_client(None)


@pytest.fixture(scope="module")
def no_models(tmp_path_factory: pytest.TempPathFactory) -> TwelveLabs:
    """The same service without its models: it can answer from the fixtures only."""
    return make_client(DATA / "fixtures", models=tmp_path_factory.mktemp("none"))


@pytest.fixture(scope="module")
def samples(no_models: TwelveLabs) -> pd.DataFrame:
    return embed_videos(no_models, DATA / "videos")


def cosines(a: pd.Series, b: pd.Series) -> np.ndarray:
    x, y = np.stack(a), np.stack(b)
    return (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


# fixtures ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_fixtures_are_what_the_encoder_says(
    client: TwelveLabs, encoder_client: TwelveLabs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, segmentation in (("flower.mp4", "fixed-6"), ("cat.mp4", "dynamic-4")):
        video = DATA / "videos" / name
        monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / f"cached-{segmentation}"))
        cached = embed_videos(client, video, segmentation=segmentation)
        monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / f"fresh-{segmentation}"))
        fresh = embed_videos(encoder_client, video, segmentation=segmentation)
        assert cached["segment_id"].tolist() == fresh["segment_id"].tolist()
        for column in ("embedding_visual", "embedding_description"):
            assert cosines(cached[column], fresh[column]).min() > 0.999


@pytest.mark.slow
def test_the_long_film_s_fixtures_too(samples: pd.DataFrame) -> None:
    bunny, bounds = DATA / "videos" / "big-buck-bunny.mp4", [(186.0, 192.0), (192.0, 198.0)]
    cached = samples[samples["start_offset_sec"].isin([186.0, 192.0])]["embedding_visual"]
    fresh = Encoder(DATA / "models").embed_segments(bunny, bounds).clips
    assert cosines(cached, pd.Series(list(fresh))).min() > 0.999


@pytest.mark.slow
def test_cached_queries_are_what_the_encoder_says(
    client: TwelveLabs, encoder_client: TwelveLabs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    queries = pd.read_csv(DATA / "ground_truth.csv")["query"].unique()[::7]
    kept = [embed_text(client, q).vector for q in queries] + [embed_image(client, MIRRORED).vector]
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path))
    fresh = [embed_text(encoder_client, q).vector for q in queries] + [
        embed_image(encoder_client, MIRRORED).vector
    ]
    assert cosines(pd.Series(kept), pd.Series(fresh)).min() > 0.999


@pytest.mark.slow
def test_every_sample_and_every_query_is_cached(no_models: TwelveLabs, samples: pd.DataFrame) -> None:
    """Without the models every answer must come from the fixtures."""
    assert len(samples) > 140
    truth = pd.read_csv(DATA / "ground_truth.csv")["query"]
    for query in [*truth.unique(), *(DATA / "queries.txt").read_text("utf-8").splitlines()]:
        embed_text(no_models, query)
    embed_image(no_models, MIRRORED)


def test_the_manifest_knows_every_input() -> None:
    manifest = json.loads((DATA / "fixtures" / "manifest.json").read_text("utf-8"))
    assert manifest["model"] == MODEL
    for name, digest in manifest["inputs"].items():
        assert file_sha256(DATA / name) == digest, f"{name} has changed: run `make fixtures`"
    for folder, pattern in (("videos", "*.mp4"), ("descriptions", "*.vtt"), ("models", "*.onnx")):
        for path in (DATA / folder).glob(pattern):
            assert f"{folder}/{path.name}" in manifest["inputs"]


@pytest.mark.slow
def test_a_renamed_copy_hits_and_a_changed_byte_misses(no_models: TwelveLabs, tmp_path: Path) -> None:
    copy = tmp_path / "holiday.mp4"
    shutil.copy(CAT, copy)
    assert len(run_task(no_models, copy, REQUEST, model=MODEL)) > 0
    copy.write_bytes(CAT.read_bytes() + b"\0")
    with pytest.raises(EmbedError, match=r"lacks .*vision\.onnx|lacks .*manifest\.json"):
        run_task(no_models, copy, REQUEST, model=MODEL)


@pytest.mark.parametrize("name", ["segments.parquet", "queries.parquet", "manifest.json"])
def test_a_missing_fixture_is_noticed(tmp_path: Path, name: str) -> None:
    shutil.copytree(DATA / "fixtures", tmp_path / "fixtures")
    (tmp_path / "fixtures" / name).unlink()
    with pytest.raises(DataError, match="missing: restore it with"):
        OfflineTransport(models=DATA / "models", fixtures=tmp_path / "fixtures")


def test_a_damaged_fixture_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(DATA / "fixtures", tmp_path / "fixtures")
    with open(tmp_path / "fixtures" / "segments.parquet", "ab") as file:
        file.write(b"\0")
    with pytest.raises(DataError, match=r"segments\.parquet is damaged \(its sha256 differs"):
        OfflineTransport(models=DATA / "models", fixtures=tmp_path / "fixtures")


def test_a_missing_model_is_said_in_one_sentence(no_models: TwelveLabs) -> None:
    with pytest.raises(DataError, match=r"lacks .*git checkout -- data/models"):
        embed_text(no_models, "words that nobody has asked before")


# the wire ----------------------------------------------------------------------------------------------


def test_a_task_is_processing_before_it_is_ready(client: TwelveLabs) -> None:
    with open(CAT, "rb") as file:
        asset = client.assets.create(method="direct", file=("cat.mp4", file, "video/mp4"))
    assert asset.status == "processing" and asset.id
    assert client.assets.retrieve(asset.id).status == "ready"
    video = {"media_source": {"asset_id": asset.id}, **REQUEST}
    task = client.embed.v_2.tasks.create(input_type="video", model_name=MODEL, video=video)
    assert task.status == "processing"
    assert client.embed.v_2.tasks.retrieve(task.id).status == "processing"
    while (result := client.embed.v_2.tasks.retrieve(task.id)).status == "processing":
        pass
    assert result.status == "ready" and result.data
    assert result.metadata and result.metadata.input_type == "video"
    assert result.metadata.embedding_options == ["visual"]  # no track was sent, so no description
    assert {row.embedding_scope for row in result.data} == {"clip", "asset"}
    assert task.id in [t.id for t in client.embed.v_2.tasks.list(page_limit=2)]  # and the pager ends


@pytest.mark.slow
def test_a_description_track_adds_its_option(client: TwelveLabs) -> None:
    entries = [{"start": c.start, "end": c.end, "text": c.text} for c in description_track(CAT)]
    rows = run_task(client, CAT, {**REQUEST, "time_based_metadata": entries}, model=MODEL)
    assert {row.embedding_option for row in rows} == {"visual", "description"}
    some = run_task(client, CAT, {**REQUEST, "time_based_metadata": entries[:1]}, model=MODEL)
    clips = [r for r in some if r.embedding_scope == "clip"]
    assert len([r for r in clips if r.embedding_option == "description"]) == 1 < len(clips) / 2


def test_assets_can_be_listed_and_deleted(client: TwelveLabs) -> None:
    with open(CAT, "rb") as file:
        asset = client.assets.create(method="direct", file=("cat.mp4", file, "video/mp4"))
    assert asset.id in [a.id for a in client.assets.list()]
    client.assets.delete(asset.id)
    with pytest.raises(ApiError) as caught:
        client.assets.retrieve(asset.id)
    assert caught.value.status_code == 404


def test_a_composed_query_is_the_average(client: TwelveLabs) -> None:
    source = {"media_type": "image", "base_64_string": base64.b64encode(MIRRORED.read_bytes()).decode()}
    both = {"input_text": "a flower", "media_sources": [source]}
    answer = client.embed.v_2.create(input_type="multi_input", model_name=MODEL, multi_input=both)
    mean = embed_text(client, "a flower").vector + embed_image(client, MIRRORED).vector
    assert np.allclose(answer.data[0].embedding, mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.slow
def test_a_picture_and_a_clip_find_their_film(client: TwelveLabs, samples: pd.DataFrame) -> None:
    clips = samples[samples["embedding_scope"] == "clip"]
    for query in (embed_image(client, MIRRORED), embed_clip(client, CAT, start=1, end=4)):
        scores = np.stack(clips["embedding_visual"]) @ query.vector
        assert clips["title"].iloc[int(scores.argmax())] == "Chelsea the cat"


# refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("кот смотрит", "English only"),
        ("猫が見ている", "English only"),
        ("?!", "no word to read"),
        ("cat " * 1000, "longer than the offline model can read"),
    ],
)
def test_texts_that_the_model_cannot_read(client: TwelveLabs, text: str, words: str) -> None:
    with pytest.raises(EmbedError, match=words):
        embed_text(client, text)


def test_an_accent_is_no_reason_to_refuse(client: TwelveLabs) -> None:
    assert embed_text(client, "a café with crème brûlée").vector.shape == (512,)


def test_a_live_model_is_not_imitated(client: TwelveLabs) -> None:
    with pytest.raises(EmbedError, match=r"no marengo3\.5 offline, only offline-512"):
        embed_text(client, "a cat", model="marengo3.5")


def test_a_url_is_not_fetched(client: TwelveLabs) -> None:
    with pytest.raises(EmbedError, match="cannot fetch a URL: download the file"):
        embed_image(client, "https://example.org/cat.jpg")


def test_images_that_cannot_be_used(client: TwelveLabs, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(EmbedError, match="image cannot be read"):  # the service has its own say
        embed_image(client, tmp_path / "text.jpg")
    Image.new("RGB", (100, 100)).save(tmp_path / "small.png")
    with pytest.raises(EmbedError, match="at least 128x128"):
        embed_image(client, tmp_path / "small.png")


@pytest.mark.parametrize(("size", "seconds", "words"), [((320, 180), 5, "360x360"), ((640, 360), 2, "4 s")])
def test_videos_outside_the_limits(
    client: TwelveLabs, tmp_path: Path, size: tuple[int, int], seconds: int, words: str
) -> None:
    path = tmp_path / "small.mp4"
    path.write_bytes(make_video(size, seconds))
    with pytest.raises(VideoError, match=words):
        embed_videos(client, path)


@pytest.mark.parametrize(("size", "seconds"), [((320, 180), 5), ((640, 360), 2)])
def test_the_service_measures_a_video_too(
    client: TwelveLabs, tmp_path: Path, size: tuple[int, int], seconds: int
) -> None:
    path = tmp_path / "small.mp4"
    path.write_bytes(make_video(size, seconds))
    words = (
        f"answered 400, The video is {size[0]}x{size[1]} and {seconds} s long: it must be at least 360x360"
    )
    with pytest.raises(EmbedError, match=words):
        run_task(client, path, REQUEST, model=MODEL)


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        ({"input_type": "text", "text": {"input_text": "x"}}, "must use input_type multi_input"),
        ({"input_type": "multi_input", "multi_input": {}}, "query is empty"),
    ],
)
def test_query_requests_that_the_service_refuses(
    client: TwelveLabs, request_body: dict[str, object], words: str
) -> None:
    with pytest.raises(ApiError) as caught:
        client.embed.v_2.create(model_name=MODEL, **request_body)
    assert caught.value.status_code == 400
    assert words in caught.value.body["error"]["message"]


@pytest.mark.parametrize(
    ("video", "words"),
    [
        ({"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 6}}}, "inside a `temporal` object"),
        (
            {"segmentation": {"temporal": {"strategy": "fixed", "fixed": {"duration_sec": 1}}}},
            "duration_sec 2 to 10",
        ),
        ({"embedding_option": ["audio"]}, "has no embedding_option audio, only visual and description"),
        ({"embedding_scope": ["clips"]}, "has no embedding_scope clips"),
        ({"time_based_metadata": [{"start": 0, "end": 6, "text": "кот смотрит"}]}, "English only"),
        ({"time_based_metadata": [{"start": 0, "end": 6, "text": "cat " * 1000}]}, "longer than the offline"),
        ({"media_source": {"asset_id": "unknown"}}, "upload it first"),
        ({"media_source": {"url": "https://example.org/v.mp4"}}, "cannot fetch a URL"),
    ],
)
def test_video_requests_that_the_service_refuses(
    client: TwelveLabs, video: dict[str, object], words: str
) -> None:
    with pytest.raises((EmbedError, ApiError)) as caught:
        if "media_source" in video:
            client.embed.v_2.tasks.create(input_type="video", model_name=MODEL, video=video)
        else:
            run_task(client, CAT, video, model=MODEL)
    assert words in str(caught.value)


@pytest.mark.slow
def test_several_videos_are_embedded_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of two tasks waits in the encoder for the other: one after the other they would never get on."""
    both = threading.Barrier(2, timeout=60)
    embed = Encoder.embed_segments

    def together(self: Encoder, *arguments: Any, **options: Any) -> VideoVectors:
        both.wait()
        return embed(self, *arguments, **options)

    monkeypatch.setattr(Encoder, "embed_segments", together)
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path))
    paths = [tmp_path / f"{name}.mp4" for name in ("one", "two")]
    for seconds, path in enumerate(paths, start=4):
        path.write_bytes(make_video((360, 360), seconds))
    segments = embed_videos(make_client(None), paths, scopes=["asset"], workers=2)
    assert list(segments["title"]) == ["one", "two"]


def test_routes_that_do_not_exist(client: TwelveLabs) -> None:
    with pytest.raises(ApiError) as caught:
        client.indexes.create(index_name="x", models=[])
    assert caught.value.status_code == 404
    with pytest.raises(ApiError):
        client.embed.v_2.tasks.retrieve("unknown")


def test_closing_removes_the_uploads() -> None:
    transport = OfflineTransport(models=DATA / "models", fixtures=None)
    with TwelveLabsClosing(transport) as client, open(CAT, "rb") as file:
        client.assets.create(method="direct", file=("cat.mp4", file, "video/mp4"))
        folder = transport.folder
        assert len(list(folder.iterdir())) == 1
    assert not folder.exists()


def test_a_deleted_upload_takes_no_room() -> None:
    transport = OfflineTransport(models=DATA / "models", fixtures=DATA / "fixtures")
    with TwelveLabsClosing(transport) as client:
        run_task(client, CAT, REQUEST, model=MODEL)
        assert list(transport.folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("in_parts", [False, True])
def test_an_upload_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_parts: bool
) -> None:
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 10_000_000 if in_parts else 1_000_000_000)
    path = tmp_path / "large.mp4"
    shutil.copy(CAT, path)
    os.truncate(path, 160_000_000)  # the parts that are on their way may be: some 50 MB
    client = connect_twelvelabs()
    tracemalloc.start()
    try:
        asset = uploads.upload(client, path, digest=file_sha256(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    found = client.assets.retrieve(asset)
    assert (found.status, found.size) == ("ready", 160_000_000) and peak < 80_000_000


class TwelveLabsClosing:
    """The client inside a `with` that closes its transport."""

    def __init__(self, transport: OfflineTransport) -> None:
        self.http = httpx.Client(transport=transport)

    def __enter__(self) -> TwelveLabs:
        return TwelveLabs(api_key="offline", httpx_client=self.http)

    def __exit__(self, *args: object) -> None:
        self.http.close()


def make_video(size: tuple[int, int], seconds: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(seconds * 10):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", size, (i % 255, 80, 80)))))
        film.mux(stream.encode(None))
    return buffer.getvalue()
