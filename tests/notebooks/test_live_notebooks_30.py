"""Every notebook runs to its end live, as marengo3.0; as marengo3.5 in test_live_notebooks.py."""

from pathlib import Path

import pytest

from tools.live_run import run_live
from tools.notebook_env import notebook_paths


@pytest.mark.parametrize("path", notebook_paths([]), ids=lambda path: path.stem)
def test_live_as_marengo_3_0(path: Path) -> None:
    assert run_live(path, "marengo3.0") == []
