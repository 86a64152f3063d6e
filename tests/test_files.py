"""The files around the code: fixtures that are whole, pins that are complete, switches that are documented."""

import ast
import hashlib
import json
import re
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers import settings
from helpers.settings import ROOT
from tools.notebook_env import SWITCHES

MANIFEST = ROOT / "data" / "fixtures" / "manifest.json"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def test_the_manifest_names_the_fixtures() -> None:
    outputs = json.loads(MANIFEST.read_text("utf-8"))["outputs"]
    assert set(outputs) == {path.name for path in MANIFEST.parent.glob("*.parquet")}
    assert {"segments.parquet", "queries.parquet"} <= set(outputs)


def test_fixtures_are_whole() -> None:
    outputs = json.loads(MANIFEST.read_text("utf-8"))["outputs"]
    assert {name: sha256(MANIFEST.parent / name) for name in outputs} == {
        name: entry["sha256"] for name, entry in outputs.items()
    }


def test_fixtures_were_made_from_the_files_that_are_here() -> None:
    inputs = json.loads(MANIFEST.read_text("utf-8"))["inputs"]
    assert {name: sha256(ROOT / "data" / name) for name in inputs} == inputs


# ---------------------------------------------------------------- pins

FILES = ("requirements.txt", "requirements-book.txt", "requirements-dev.txt", "constraints.txt")


def pins(name: str) -> dict[str, str]:
    """Package -> exact version, of one requirements file."""
    lines = [line.split(" #")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    assert all(re.fullmatch(r"==[^*]+", str(wanted.specifier)) for wanted in found), (
        f"{name}: exact pins only"
    )
    return {canonicalize_name(wanted.name): str(wanted.specifier)[2:] for wanted in found}


def imported(folder: str) -> set[str]:
    """Top-level modules that the Python files of a folder import, without the standard library and our own."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(str(node.module).split(".")[0])
    own = {"helpers", "tests", "tools", "benchmarks", "exercises"}
    return names - set(sys.stdlib_module_names) - own


def packages_of(modules: set[str]) -> dict[str, list[str]]:
    known = packages_distributions()
    return {m: [canonicalize_name(d) for d in known.get(m, [])] for m in modules}


@pytest.mark.slow
def test_every_import_of_the_helpers_is_a_direct_pin() -> None:
    pinned = pins("requirements.txt")
    assert {m: d for m, d in packages_of(imported("helpers")).items() if not set(d) & set(pinned)} == {}


@pytest.mark.slow
def test_every_import_of_the_tests_is_pinned() -> None:
    pinned = {name: pin for file in FILES for name, pin in pins(file).items()}
    assert {m: d for m, d in packages_of(imported("tests")).items() if not set(d) & set(pinned)} == {}


def test_nothing_is_pinned_twice() -> None:
    files = [pins(name) for name in FILES]
    assert sum(map(len, files)) == len(set().union(*files))


def test_the_pins_are_complete() -> None:
    """Whatever our packages bring along has a pin: follow what each asks for, as installed here."""
    pinned = {name: pin for file in FILES for name, pin in pins(file).items()}
    here = {canonicalize_name(d.metadata["Name"]): d for d in distributions()}
    todo, seen = list(pinned), set()
    while todo:
        name = todo.pop()
        if name in seen or name not in here:
            continue
        seen.add(name)
        for line in here[name].requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or Marker(str(wanted.marker)).evaluate({"extra": ""}):
                todo.append(canonicalize_name(wanted.name))
    assert sorted(seen - set(pinned)) == []


# ---------------------------------------------------------------- switches


def test_every_switch_is_in_the_example() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    read = set(
        re.findall(
            r"\"((?:TWELVE_LABS|MILVUS|VIDEO_SEARCH)_\w+)\"", Path(settings.__file__).read_text("utf-8")
        )
    )
    assert {name for name in read if not re.search(rf"^#?{name}=", text, re.MULTILINE)} == set()


@pytest.mark.parametrize("name", SWITCHES)
def test_an_empty_variable_silences_the_env_file(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the machines' environment relies on, so that a learner's .env changes no comparison."""
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    plain = settings.load_settings()
    (tmp_path / ".env").write_text(f"{name}=from-the-file\n", "utf-8")
    assert settings.load_settings() == plain
