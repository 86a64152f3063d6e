"""Folders as people have them, through explore.ipynb, 10 and 06 to the end: what cannot be shown is said in a sentence.

The cells run in this process, which is quicker than a kernel for each notebook.
"""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt

from helpers import VideoSearchError
from helpers.settings import ROOT
from tests.make_media import timed_film

NOTEBOOKS = {
    "explore": ROOT / "explore" / "explore.ipynb",
    "10": ROOT / "notebooks" / "10_own_videos.ipynb",
    "06": ROOT / "notebooks" / "06_clustering_analysis.ipynb",
}
EMPTY_BOX = b"\0\0\0\x08free"  # another content, and the same pictures


def film(path: Path, seed: int = 0, *, seconds: int = 6) -> Path:
    tiles = np.random.default_rng(seed).integers(0, 255, (6, 8, 3)).repeat(60, 0).repeat(60, 1)
    picture = tiles.astype(np.uint8)
    return timed_film(path, [n / 2 for n in range(2 * seconds)], lambda second: picture, rate=2)


def one(folder: Path) -> None:
    film(folder / "holiday.mp4")


def two(folder: Path) -> None:
    film(folder / "first.mp4", 1, seconds=4)
    film(folder / "second.mp4", 2, seconds=20)


def alike(folder: Path) -> None:
    data = film(folder / "a.mp4").read_bytes()
    for number in range(1, 8):
        (folder / f"copy {number}.mp4").write_bytes(data + number * EMPTY_BOX)


def odd(folder: Path) -> None:
    """Names with odd letters, a folder inside, a broken film, a film without an end, text."""
    names = [
        "Ärger & Co. #1 100%.mp4",
        "日本 の 庭.mp4",
        'it\'s "quoted" [x] {y}.mp4',
        "=SUM(A1).mp4",
        "-rf.mp4",
    ]
    for seed, name in enumerate(names):
        film(folder / name, seed, seconds=6 + 3 * seed)
    (folder / "inside").mkdir()
    film(folder / "inside" / "deep.mp4", 9)
    (folder / "broken.mp4").write_bytes(b"no film at all")
    (folder / "cut off.mp4").write_bytes(next(folder.glob("*.mp4")).read_bytes()[:2000])
    (folder / "notes.txt").write_text("no film", "utf-8")


FOLDERS: dict[str, Callable[[Path], None]] = {"one": one, "two": two, "alike": alike, "odd": odd}


def run_cells(notebook: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the notebook's cells on a folder, as a learner who changes the one line; the warnings, each once."""
    monkeypatch.setenv("VIDEO_SEARCH_FOLDER", str(folder))
    monkeypatch.chdir(notebook.parent)
    names: dict[str, Any] = {"__name__": "__main__"}
    sources = [c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for source in sources:
            source = source.replace("sample_videos())", "own_videos(settings.folder))")
            source = source.replace("sample_videos\n", "own_videos\n")
            exec(compile(source, notebook.name, "exec"), names)
            plt.close("all")
    assert all(issubclass(each.category, UserWarning) for each in caught), list(map(str, caught))
    return list(dict.fromkeys(str(each.message) for each in caught))


# What differs most: names and damage of every kind, one clip for all that is drawn, and clips that are all alike.
SHOWN = {("odd", "10"), ("odd", "explore"), ("one", "06"), ("alike", "explore")}


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
    folder = tmp_path / "films"
    folder.mkdir()
    FOLDERS[kind](folder)
    said = run_cells(NOTEBOOKS[notebook], folder, monkeypatch)
    assert not any("\n" in line for line in said), said
    assert (kind == "odd") == any("broken.mp4" in line for line in said)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_empty_folder_has_one_sentence(
    notebook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trip" / "day 1").mkdir(parents=True)
    film(tmp_path / "trip" / "day 1" / "a.mp4")
    with pytest.raises(
        VideoSearchError, match=r"^The folder .*trip holds no video .*\(day 1\): name one of them"
    ):
        run_cells(NOTEBOOKS[notebook], tmp_path / "trip", monkeypatch)
    shutil.rmtree(tmp_path / "trip" / "day 1")
    with pytest.raises(
        VideoSearchError, match=r"^The folder .*trip holds no video .*: name another folder\.$"
    ):
        run_cells(NOTEBOOKS[notebook], tmp_path / "trip", monkeypatch)
