"""Where else the notebooks open: what can be checked of it without a network."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.settings import ROOT
from tools import launch

URL = "https://github.com/somebody/video-search"


def checkout(folder: Path, url: str) -> Path:
    (folder / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("0[12]*.ipynb")):
        shutil.copy(path, folder / "notebooks")
    shutil.copy(ROOT / "README.md", folder)
    (folder / "pyproject.toml").write_text(f'[tool.video-search]\nrepo-url = "{url}"\n', "utf-8")
    return folder


def test_the_readme_has_the_badges_of_its_setting() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert launch.with_badges(readme, launch.repo_url()) == readme


def test_with_an_address_there_are_badges_and_without_there_are_none(tmp_path: Path) -> None:
    root = checkout(tmp_path, URL)
    before = (root / "README.md").read_text("utf-8")
    launch.main(root)
    readme = (root / "README.md").read_text("utf-8")
    assert re.findall(r"\[(\w+)\]\(https://[^)]*somebody/video-search", readme) == [
        "Binder",
        "Codespaces",
        "Colab",
    ]
    made = sorted((root / "colab").iterdir())
    assert [path.name for path in made] == ["01_setup.ipynb", "02_embedding.ipynb"]
    first, *rest = nbformat.read(made[0], as_version=4).cells
    lesson = nbformat.read(ROOT / "notebooks" / made[0].name, as_version=4).cells
    assert URL in first.source and [cell.source for cell in rest] == [cell.source for cell in lesson]
    assert not any(cell.get("outputs") for cell in rest)
    (root / "pyproject.toml").write_text('[tool.video-search]\nrepo-url = ""\n', "utf-8")
    launch.main(root)
    assert (root / "README.md").read_text("utf-8") == before and not (root / "colab").exists()


@pytest.mark.skipif(os.name == "nt", reason="Colab is Linux")
def test_on_colab_the_first_cell_brings_the_helpers_and_may_be_run_twice(tmp_path: Path) -> None:
    origin, folder, programs = tmp_path / "origin", tmp_path / "session" / "video-search", tmp_path / "bin"
    for path in (origin / "notebooks", folder.parent, programs):
        path.mkdir(parents=True)
    (origin / "notebooks" / "01.ipynb").write_text("{}", "utf-8")
    (origin / "brought.py").write_text("words = 'brought along'\n", "utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=origin, check=True)
    (programs / "pip").write_text(f'#!/bin/sh\necho "$PWD $*" >> {tmp_path}/asked\n', "utf-8")
    (programs / "pip").chmod(0o755)
    cell = launch.fetching(origin.as_uri(), folder=str(folder)) + "\nimport brought; print(brought.words)"
    home = {"IPYTHONDIR": str(tmp_path / "ipython"), "PATH": f"{programs}:{os.environ['PATH']}"}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "IPython", "--colors=nocolor", "-c", cell],
            cwd=folder.parent,
            env=os.environ | home,
            capture_output=True,
            text=True,
        )
        assert done.stdout.splitlines() == [str(folder), str(folder / "notebooks"), "brought along"]
    assert (tmp_path / "asked").read_text("utf-8") == f"{folder} install --quiet -r requirements.txt\n" * 2


@pytest.mark.parametrize("url", ["github.com/a/b", "https://example.org/a/b", "https://github.com/a"])
def test_an_address_of_another_kind_gets_a_sentence(url: str) -> None:
    with pytest.raises(SystemExit, match=r"write https://github\.com/OWNER/REPOSITORY"):
        launch.badges(url)


def test_what_the_other_places_name_is_there() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert container["postCreateCommand"].removeprefix("make ") in targets
    assert (ROOT / ".devcontainer" / container["build"]["dockerfile"]).is_file()
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text("utf-8"))
    assert settings["python.testing.pytestArgs"] == ["tests"]
    named = re.findall(r"^-r (.*)$", (ROOT / "binder" / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert [(ROOT / "binder" / name).resolve() for name in named] == [ROOT / "requirements.txt"]
    wanted = re.findall(r"3\.\d+", (ROOT / "binder" / "runtime.txt").read_text("utf-8"))
    wanted += re.findall(r"FROM python:(3\.\d+)", (ROOT / ".devcontainer" / "Dockerfile").read_text("utf-8"))
    assert len(wanted) == 2 and set(wanted) <= {"3.11", "3.12", "3.13"}
