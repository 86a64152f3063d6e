"""A hundred films of an hour, from a practice service: each notebook that takes own videos goes to its end."""

from pathlib import Path

import pytest

from helpers.standin.practice import PracticeServer
from tests.make_media import tiles, timed_film
from tests.notebooks.test_own_folders import EMPTY_BOX, NOTEBOOKS, run_cells

FILMS, SECONDS = 100, 3_600


@pytest.mark.live
@pytest.mark.nightly
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_it_runs_to_its_end(
    notebook: str, practice: PracticeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    picture = tiles(1)
    data = timed_film(folder / "GOPR000.mp4", range(0, SECONDS + 1, 60), lambda second: picture).read_bytes()
    for number in range(1, FILMS):
        (folder / f"GOPR{number:03}.mp4").write_bytes(data + number * EMPTY_BOX)
    run_cells(NOTEBOOKS[notebook], folder, monkeypatch)
