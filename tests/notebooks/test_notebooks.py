"""What every committed notebook must look like; the rules are in tools/gate/rules.py and form.py."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools.gate import rules
from tools.gate.cells import tags
from tools.notebook_env import notebook_paths

NOTEBOOKS = notebook_paths([])
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@functools.cache  # no rule changes what it reads
def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks_in_order() -> None:
    assert rules.in_order([path.name for path in NOTEBOOKS]) == []


@by_name
def test_valid(path: Path) -> None:
    nbformat.validate(read(path))


@by_name
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_rule(path: Path, rule: Callable[[Any], list[str]]) -> None:
    assert rule(read(path)) == []


@by_name
def test_small_enough(path: Path) -> None:
    assert rules.small_enough(path) == []


@by_name
def test_links_lead_somewhere(path: Path) -> None:
    assert rules.links_lead_somewhere(path, read(path)) == []


@pytest.mark.parametrize("tag", sorted(rules.UNCOMPARED))
def test_cells_that_are_not_compared(tag: str) -> None:
    counts = {path.stem: sum(tag in tags(cell) for cell in read(path).cells) for path in NOTEBOOKS}
    assert {name: count for name, count in counts.items() if count} == rules.UNCOMPARED[tag]
