"""`python -m tools.lab` gives JupyterLab each option once: it takes none of two values."""

import os

import pytest

from tools import lab


@pytest.mark.parametrize("wanted", ["/lab/tree/notebooks", "/lab/tree/explore/explore.ipynb"])
def test_an_option_that_is_named_takes_the_place_of_ours(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VIDEO_SEARCH_FOLDER", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back what it changes
    started: list[list[str]] = []
    monkeypatch.setattr("jupyterlab.labapp.main", started.append)
    with pytest.raises(SystemExit):
        lab.main(["--no-browser", f"--LabApp.default_url={wanted}"])
    names = [option.partition("=")[0] for option in started[0]]
    assert len(names) == len(set(names)), names
    assert f"--LabApp.default_url={wanted}" in started[0]
    assert "--LabApp.extension_manager=readonly" in started[0]
