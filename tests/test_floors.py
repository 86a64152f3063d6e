"""The rooms of helpers/: a floor imports from floors below it, and nothing is taken but what a module offers."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.settings import ROOT

PRIVATE = re.compile("_(?!_)")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("helpers", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml, checked in a copy of the checkout."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    env = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("store/filters.py", "from helpers.search import hybrid"),
        ("search/moments.py", "from helpers.standin import offline"),
    ],
)
def test_a_wrong_import_breaks_the_contract(copy: Path, module: str, line: str) -> None:
    path = copy / "helpers" / module
    path.write_text(f"{path.read_text('utf-8')}\n\n{line}\n", "utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert "helpers." + module.removesuffix(".py").replace("/", ".") in done.stdout
    assert "1 broken" in done.stdout


def imports(name: str) -> Iterator[tuple[str, ast.alias]]:
    """Each name that a module takes from another of ours, with the module that it is taken from."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield from ((node.module, alias) for alias in node.names)


@functools.cache
def offered(name: str) -> set[str]:
    """What a module defines itself, and the modules that lie in it."""
    found = {other.removeprefix(f"{name}.") for other in MODULES if other.startswith(f"{name}.")}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_no_private_name_is_taken_from_another_module() -> None:
    private = []
    for name in MODULES:
        taken = {alias.asname or alias.name for _, alias in imports(name)}
        private += [
            f"{name}: {source}.{alias.name}" for source, alias in imports(name) if PRIVATE.match(alias.name)
        ]
        for node in ast.walk(tree(name)):
            match node:
                case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                    private += [f"{name}: {owner}.{attr}"] if owner in taken and PRIVATE.match(attr) else []
    assert private == []


def test_a_name_is_taken_from_where_it_is_defined() -> None:
    """Only the face, helpers/__init__.pyi, gives a name a second address."""
    taken = [(name, source, alias) for name in MODULES for source, alias in imports(name)]
    borrowed = [
        f"{name}: {source}.{alias.name}"
        for name, source, alias in taken
        if source != "helpers" and alias.name not in offered(source)
    ]
    assert borrowed == []
    assert [f"{name}: {alias.name}" for name, _, alias in taken if alias.asname == alias.name] == []
