"""What a learner's first result has to wait for: moments, a table and a contact sheet need no figures or widgets."""

import subprocess
import sys

import pytest

HEAVY = {"sklearn", "scipy", "matplotlib", "ipywidgets", "anywidget", "cycler", "onnxruntime", "pymilvus"}


@pytest.mark.slow
def test_a_first_result_loads_neither_figures_nor_widgets():
    code = "import sys\nfrom helpers import show_contact_sheet, show_moments, show_table\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "helpers.show.players" in loaded
    assert loaded & HEAVY == set()
