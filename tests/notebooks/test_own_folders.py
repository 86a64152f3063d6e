"""Folders as people have them, through explore.ipynb, 10 and 06 to the end, and apart from the samples.

The cells run in this process, which is quicker than a kernel for each notebook. What cannot be shown is said in a
sentence. The same notebooks in a kernel, and in the other order, are in tests/browser/test_browser_own_folder.py.
"""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from matplotlib import pyplot as plt

from helpers import (
    VideoSearchError,
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
    summarise,
)
from helpers.settings import ROOT
from tests.make_media import garden, tiles_film

NOTEBOOKS = {
    "explore": ROOT / "explore" / "explore.ipynb",
    "10": ROOT / "notebooks" / "10_own_videos.ipynb",
    "06": ROOT / "notebooks" / "06_clustering_analysis.ipynb",
}
EMPTY_BOX = b"\0\0\0\x08free"  # another content, and the same pictures


def one(folder: Path) -> None:
    tiles_film(folder / "holiday.mp4")


def two(folder: Path) -> None:
    tiles_film(folder / "first.mp4", 1, seconds=4)
    tiles_film(folder / "second.mp4", 2, seconds=20)


def alike(folder: Path) -> None:
    data = tiles_film(folder / "a.mp4").read_bytes()
    for number in range(1, 8):
        (folder / f"copy {number}.mp4").write_bytes(data + number * EMPTY_BOX)


def odd(folder: Path) -> None:
    """Names with odd letters, a folder inside, a broken film, a film without an end, text; one film is no square."""
    names = [
        "Ärger & Co. #1 100%.mp4",
        "日本 の 庭.mp4",
        'it\'s "quoted" [x] {y}.mp4',
        "=SUM(A1).mp4",
        "-rf.mp4",
    ]
    for seed, name in enumerate(names):
        tiles_film(folder / name, seed, seconds=6 + 3 * seed, columns=6 if seed else 8)
    (folder / "inside").mkdir()
    tiles_film(folder / "inside" / "deep.mp4", 9)
    (folder / "broken.mp4").write_bytes(b"no film at all")
    (folder / "cut off.mp4").write_bytes(next(folder.glob("*.mp4")).read_bytes()[:2000])
    (folder / "notes.txt").write_text("no film", "utf-8")


FOLDERS: dict[str, Callable[[Path], None]] = {
    "one": one,
    "two": two,
    "alike": alike,
    "odd": odd,
    "twelve": garden,
}


def made(kind: str, folder: Path) -> Path:
    folder.mkdir()
    FOLDERS[kind](folder)
    return folder


class Run(NamedTuple):
    """What the cells of a notebook have defined, and the warnings, each once."""

    names: dict[str, Any]
    said: list[str]


def run_cells(
    notebook: Path, folder: Path | None, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]
) -> Run:
    """Run the notebook's cells on a folder, or the samples, as a learner who changes the one line.

    changes: words of the cells, and what is there instead.
    """
    monkeypatch.setenv("VIDEO_SEARCH_FOLDER", str(folder or ""))
    monkeypatch.chdir(notebook.parent)
    names: dict[str, Any] = {"__name__": "__main__"}
    sources = [c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    if folder:
        own = [("sample_videos())", "own_videos(settings.folder))"), ("sample_videos\n", "own_videos\n")]
        sources = [changed(source, *own) for source in sources]
    assert all(any(old in source for source in sources) for old, _ in changes)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for source in sources:
            exec(compile(changed(source, *changes), notebook.name, "exec"), names)
            plt.close("all")
    assert all(issubclass(each.category, UserWarning) for each in caught), list(map(str, caught))
    said = list(dict.fromkeys(str(each.message) for each in caught))
    assert not any("\n" in line for line in said), said
    return Run(names, said)


def changed(source: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        source = source.replace(old, new)
    return source


def stored(notebook: str) -> dict[str, set[str]]:
    """The ids of the videos in each collection of a notebook's folder."""
    settings = load_settings(notebook=notebook)
    milvus = connect_milvus(settings)
    try:
        names = milvus.list_collections()
        return {name: set(read_segments(milvus, name, columns=["video_id"])["video_id"]) for name in names}
    finally:
        disconnect_milvus(milvus, settings)


def store_samples(notebook: str) -> None:
    settings = load_settings(notebook=notebook)
    segments = embed_batch(connect_twelvelabs(settings), sample_videos()).segments
    milvus = connect_milvus(settings)
    create_collection(milvus, name := collection_name(settings, segments), segments)
    insert_segments(milvus, name, segments)
    disconnect_milvus(milvus, settings)


def ids(videos: Any) -> set[str]:
    return set(videos["video_id"])


# Clips that are all alike, and one clip for all that is drawn; a folder with names and damage of every kind is below.
SHOWN = {("alike", "explore"), ("one", "06")}


@pytest.mark.live
@pytest.mark.parametrize(
    ("kind", "notebook"),
    [
        pytest.param(kind, notebook, marks=[] if (kind, notebook) in SHOWN else pytest.mark.nightly)
        for kind in FOLDERS
        for notebook in NOTEBOOKS
    ],
)
def test_it_runs_to_its_end(
    kind: str, notebook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run_cells(NOTEBOOKS[notebook], made(kind, tmp_path / "films"), monkeypatch).said
    assert (kind == "odd") == any("broken.mp4" in line for line in said)


@pytest.mark.live
@pytest.mark.parametrize(
    "own_first",
    [
        pytest.param(True, id="own, then samples"),
        pytest.param(False, id="samples, then own", marks=pytest.mark.nightly),
    ],
)
def test_explore_keeps_own_videos_and_samples_apart(
    own_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made("odd", tmp_path / "films")
    embedded = {}
    for own in (own_first, not own_first):
        run = run_cells(NOTEBOOKS["explore"], folder if own else None, monkeypatch)
        assert own == any("broken.mp4" in line for line in run.said)
        assert ("11 clips of 5 videos" if own else "141 clips of 12 videos") in capsys.readouterr().out
        embedded[own] = ids(run.names["batch"].segments)
    found = stored("explore")
    assert found.pop("videos") == embedded[False] == ids(sample_videos())
    assert list(found.values()) == [embedded[True]]


@pytest.mark.live
def test_10_measures_own_questions_and_embeds_one_more_film_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made("odd", tmp_path / "films")
    film = (folder / "inside" / "deep.mp4").read_bytes()
    arrives = f"import pathlib\npathlib.Path({str(folder / 'new.mp4')!r}).write_bytes({film + EMPTY_BOX!r})"
    changes = [
        ("mine = []\n", "mine = [('tiles', '日本 の 庭', 0, 6), ('more tiles', '-rf', 0, 6)]\n"),
        ("if demonstrate:\n    practice_videos(settings, one_more=True)", arrives),
    ]
    names, said = run_cells(NOTEBOOKS["10"], folder, monkeypatch, *changes)
    assert any("broken.mp4" in line for line in said)
    assert summarise(names["measured"]).loc["visual", "queries"] == 2
    report = names["added"].report
    assert report.loc[report["status"] == "done", ["title", "tasks"]].to_numpy().tolist() == [["new", 1]]
    assert list(stored("10").values()) == [ids(names["segments"])]
    questions = next((names["settings"].home / "explore").iterdir()) / "questions.csv"
    assert questions.read_text("utf-8-sig").splitlines()[1] == "tiles,日本 の 庭,0,6"
    assert names["cost"].loc["videos", ["new", "cached"]].tolist() == [1, 5]


@pytest.mark.live
@pytest.mark.parametrize(
    ("notebook", "samples_first"),
    [
        pytest.param("06", True, id="06, samples first"),
        pytest.param("06", False, id="06, own first", marks=pytest.mark.nightly),
        pytest.param("10", True, id="10, samples first", marks=pytest.mark.nightly),
        pytest.param("10", False, id="10, own first", marks=pytest.mark.nightly),
    ],
)
def test_06_and_10_keep_own_videos_and_samples_apart(
    notebook: str, samples_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made("twelve", tmp_path / "films")
    if samples_first:
        store_samples(notebook)
    run_cells(NOTEBOOKS[notebook], folder, monkeypatch)
    if not samples_first:
        store_samples(notebook)
    found = stored(notebook)
    assert found.pop("videos") == ids(sample_videos())
    assert list(found.values()) == [ids(own_videos(folder))]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_empty_folder_has_one_sentence(
    notebook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trip" / "day 1").mkdir(parents=True)
    tiles_film(tmp_path / "trip" / "day 1" / "a.mp4")
    with pytest.raises(
        VideoSearchError, match=r"^The folder .*trip holds no video .*\(day 1\): name one of them"
    ):
        run_cells(NOTEBOOKS[notebook], tmp_path / "trip", monkeypatch)
    shutil.rmtree(tmp_path / "trip" / "day 1")
    with pytest.raises(
        VideoSearchError, match=r"^The folder .*trip holds no video .*: name another folder\.$"
    ):
        run_cells(NOTEBOOKS[notebook], tmp_path / "trip", monkeypatch)
