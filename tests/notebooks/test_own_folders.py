"""A folder of own videos through explore.ipynb, 06 and 10: to their ends, apart from the samples, in both orders."""

import re
import shutil
from pathlib import Path

import av
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from helpers import (
    collection_name,
    connect_milvus,
    connect_twelvelabs,
    create_collection,
    disconnect_milvus,
    embed_batch,
    insert_segments,
    load_settings,
    own_videos,
    read_segments,
    sample_videos,
)
from helpers.settings import ROOT
from tools.notebook_env import offline_environment

pytestmark = pytest.mark.live  # whole notebooks run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve films of 6 s, two pictures a second, as small as the service takes them; and a file that is none."""
    folder = tmp_path_factory.mktemp("garden")
    for number in range(12):
        random = np.random.default_rng(number)
        with av.open(str(folder / f"IMG_{number:04}.mp4"), "w") as film:
            stream = film.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
            tiles = random.integers(0, 255, (6, 8, 3)).repeat(60, 0).repeat(60, 1).astype(np.uint8)
            for _ in range(12):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(tiles, format="rgb24")))
            film.mux(stream.encode())
    (folder / "notes.txt").write_text("no film", "utf-8")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home, for the kernels and for this process alike."""
    for name, value in offline_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def run(
    path: Path, home: Path, folder: Path | None = None, *changes: tuple[str, str]
) -> nbformat.NotebookNode:
    """The notebook after Run All, with these words of its cells replaced; a cell that fails raises."""
    notebook = nbformat.read(path, as_version=4)
    for old, new in changes:
        assert any(old in cell.source for cell in notebook.cells), old
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new) if cell.cell_type == "code" else cell.source
    client = NotebookClient(
        notebook,
        timeout=300,
        iopub_timeout=60,  # on a busy machine an output may come late
        kernel_name="python3",
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=offline_environment(home) | {"VIDEO_SEARCH_FOLDER": str(folder or "")})
    return notebook


def stored(notebook: str) -> dict[str, set[str]]:
    """The ids of the videos in each collection of a notebook's folder."""
    settings = load_settings(notebook=notebook)
    milvus = connect_milvus(settings)
    try:
        names = milvus.list_collections()
        return {name: set(read_segments(milvus, name, columns=["video_id"])["video_id"]) for name in names}
    finally:
        disconnect_milvus(milvus, settings)


# The other order, and 06 and 10 on own videos, are in tests/browser/test_browser_own_folder.py too.
@pytest.mark.parametrize(
    "own_first",
    [
        pytest.param(True, id="own, then samples"),
        pytest.param(False, id="samples, then own", marks=pytest.mark.nightly),
    ],
)
def test_explore_keeps_own_videos_and_samples_apart(own_first: bool, home: Path, folder: Path) -> None:
    path = ROOT / "explore" / "explore.ipynb"
    for own in (own_first, not own_first):
        shown = str([cell.get("outputs") for cell in run(path, home, folder if own else None).cells])
        assert ("12 clips of 12 videos" if own else "141 clips of 12 videos") in shown, shown
    own_ids, samples = (set(videos["video_id"]) for videos in (own_videos(folder), sample_videos()))
    found = stored("explore")
    assert found.pop("videos") == samples
    assert list(found.values()) == [own_ids]


def store_samples(notebook: str) -> None:
    settings = load_settings(notebook=notebook)
    segments = embed_batch(connect_twelvelabs(settings), sample_videos()).segments
    milvus = connect_milvus(settings)
    create_collection(milvus, name := collection_name(settings, segments), segments)
    insert_segments(milvus, name, segments)
    disconnect_milvus(milvus, settings)


def test_10_measures_own_questions_and_embeds_one_more_film_alone(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    films = shutil.copytree(folder, tmp_path / "films")
    arrives = f"""from pathlib import Path
films = Path({str(films)!r})
(films / "new.mp4").write_bytes((films / "IMG_0000.mp4").read_bytes() + bytes([0, 0, 0, 8]) + b"free")"""
    changes = [
        ("mine = []\n", "mine = [('tiles', 'IMG_0003', 0, 6), ('more tiles', 'IMG_0004', 0, 6)]\n"),
        ("if demonstrate:\n    practice_videos(settings, one_more=True)", arrives),
    ]
    ran = run(ROOT / "notebooks" / "10_own_videos.ipynb", home, films, *changes)
    shown = {cell.source: str(cell.outputs) for cell in ran.cells if cell.cell_type == "code"}

    def after(words: str) -> str:
        return next(text for source, text in shown.items() if words in source)

    assert "2 questions in questions.csv" in after("own_questions(")
    assert re.search(r"visual\s+2 ", after("summarise("))
    assert re.search(r"videos +1\.0 +12\.0", after('cost.loc[["videos"'))
    assert re.findall(r"(\w+)  +done +1\b", after("added.report")) == ["new"]
    assert len(stored("10")) == 1
    kept = next((home / "video-search" / "explore").iterdir())
    assert (kept / "questions.csv").read_text("utf-8-sig").splitlines()[1] == "tiles,IMG_0003,0,6"


@pytest.mark.parametrize(
    ("stem", "samples_first"),
    [
        pytest.param("06_clustering_analysis", True, id="06, samples first"),
        pytest.param("06_clustering_analysis", False, id="06, own first", marks=pytest.mark.nightly),
        pytest.param("10_own_videos", True, id="10, samples first", marks=pytest.mark.nightly),
        pytest.param("10_own_videos", False, id="10, own first", marks=pytest.mark.nightly),
    ],
)
def test_06_and_10_run_to_their_end_on_own_videos(
    stem: str, samples_first: bool, home: Path, folder: Path
) -> None:
    if samples_first:
        store_samples(stem[:2])
    changes = [("my_videos = settings.folder or practice\n", f"my_videos = {str(folder)!r}\n")]
    if stem.startswith("06"):
        changes = [("sample_videos())", f"own_videos({str(folder)!r}))"), ("sample_videos\n", "own_videos\n")]
    run(ROOT / "notebooks" / f"{stem}.ipynb", home, None, *changes)
    if not samples_first:
        store_samples(stem[:2])
    found = stored(stem[:2])
    assert found.pop("videos") == set(sample_videos()["video_id"])
    assert list(found.values()) == [set(own_videos(folder)["video_id"])]
