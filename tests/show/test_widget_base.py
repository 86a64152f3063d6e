"""What the pages of the widgets are made of: one script each, that a browser can load from memory."""

import os
import re
import sys
import threading
from importlib import import_module

import pytest

from helpers.show.widget_base import joined_modules
from tools.faults.children import in_child

PAGES = [("helpers.explorer.view", "ExplorerView"), ("helpers.show.curve_player", "CurvePlayer")]


@pytest.mark.parametrize(("module", "name"), PAGES)
def test_a_page_is_one_script_that_imports_nothing_and_defines_each_name_once(module, name):
    script = str(getattr(import_module(module), name)._esm)
    assert not re.search(r"^\s*import\b", script, re.MULTILINE)
    assert script.count("export default { render };") == 1
    defined = re.findall(r"^(?:export )?(?:const|let|function|class) (\w+)", script, re.MULTILINE)
    assert len(defined) == len(set(defined)) > 2
    assert "clock" in defined


def threads_with_pages():
    for module, _ in PAGES:
        sys.modules.pop(module, None)  # which may have been there before the fork, that takes no thread along
        import_module(module)
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_no_thread_watches_the_files_of_a_page(monkeypatch):
    monkeypatch.delenv("ANYWIDGET_HMR", raising=False)
    assert in_child(threads_with_pages) == ["MainThread"]


def test_imports_of_other_packages_stay(tmp_path):
    first, second = tmp_path / "first.js", tmp_path / "second.js"
    first.write_text("export const one = 1;\n")
    second.write_text('import {\n  one,\n} from "../first.js";\nimport d3 from "d3";\none;\n')
    assert joined_modules(first, second) == 'export const one = 1;\n\nimport d3 from "d3";\none;\n'
