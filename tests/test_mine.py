"""`make mine`: copies without outputs, none that was changed is overwritten, and git sees nothing of them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from tools.mine import ROOT, copy_all

NEEDS_GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells):
        cell.id, cell.execution_count = f"cell{number}", number + 1
        cell.outputs = [nbformat.v4.new_output("stream", text="my private thumbnail")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout" / "notebooks"
    folder.mkdir(parents=True)
    notebook(folder / "01_setup.ipynb", "a = 1")
    notebook(folder / "03_insertion.ipynb", "b = 2")
    (folder / "glossary.md").write_text("# Glossary\n", "utf-8")
    (folder / "scratch.txt").write_text("not copied", "utf-8")
    return folder


def run(source: Path) -> dict[str, str]:
    return {path.name: what for path, what in copy_all(source, source.parent / "mine")}


def edit(path: Path, text: str) -> bytes:
    """What running a cell does to a copy: the file gets an output."""
    copy = nbformat.read(path, as_version=4)
    copy.cells[0].outputs = [nbformat.v4.new_output("stream", text=text)]
    nbformat.write(copy, path)
    return path.read_bytes()


def test_copies_have_no_outputs_and_the_originals_keep_theirs(source: Path) -> None:
    before = (source / "01_setup.ipynb").read_bytes()
    assert run(source) == {"01_setup.ipynb": "new", "03_insertion.ipynb": "new", "glossary.md": "new"}
    copy = nbformat.read(source.parent / "mine" / "01_setup.ipynb", as_version=4)
    nbformat.validate(copy)
    assert [(c.source, c.outputs, c.execution_count) for c in copy.cells] == [("a = 1", [], None)]
    assert (source / "01_setup.ipynb").read_bytes() == before
    assert not (source.parent / "mine" / "scratch.txt").exists()


def test_a_second_run_changes_nothing(source: Path) -> None:
    run(source)
    mine = source.parent / "mine"
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    assert set(run(source).values()) == {"as it was"}
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before


def test_new_outputs_in_the_project_are_no_new_notebook(source: Path) -> None:
    run(source)
    edit(source / "01_setup.ipynb", "another output")
    assert run(source)["01_setup.ipynb"] == "as it was"


def test_an_untouched_copy_is_renewed(source: Path) -> None:
    run(source)
    notebook(source / "01_setup.ipynb", "a = 11")
    assert run(source)["01_setup.ipynb"] == "renewed"
    assert "a = 11" in (source.parent / "mine" / "01_setup.ipynb").read_text("utf-8")


def test_a_changed_copy_is_kept(source: Path) -> None:
    run(source)
    kept = edit(source.parent / "mine" / "01_setup.ipynb", "a picture of grandmother")
    assert run(source)["01_setup.ipynb"] == "yours, kept"
    assert (source.parent / "mine" / "01_setup.ipynb").read_bytes() == kept
    assert not (source.parent / "mine" / "01_setup-2.ipynb").exists()


def test_beside_a_changed_copy_comes_the_new_one(source: Path) -> None:
    run(source)
    mine = source.parent / "mine"
    first = edit(mine / "01_setup.ipynb", "mine")
    notebook(source / "01_setup.ipynb", "a = 11")
    assert run(source) == {
        "01_setup-2.ipynb": "new, beside yours",
        "03_insertion.ipynb": "as it was",
        "glossary.md": "as it was",
    }
    assert run(source)["01_setup-2.ipynb"] == "as it was"
    second = edit(mine / "01_setup-2.ipynb", "mine too")
    assert run(source)["01_setup-2.ipynb"] == "yours, kept"
    notebook(source / "01_setup.ipynb", "a = 111")
    assert run(source)["01_setup-3.ipynb"] == "new, beside yours"
    assert (mine / "01_setup.ipynb").read_bytes() == first
    assert (mine / "01_setup-2.ipynb").read_bytes() == second


def test_the_renewed_copy_is_the_untouched_one(source: Path) -> None:
    run(source)
    mine = source.parent / "mine"
    first = edit(mine / "01_setup.ipynb", "mine")
    for code, what in [("a = 11", "new, beside yours"), ("a = 111", "renewed")]:
        notebook(source / "01_setup.ipynb", code)
        assert run(source)["01_setup-2.ipynb"] == what
    assert (mine / "01_setup.ipynb").read_bytes() == first


@pytest.mark.parametrize("content", ["", "[]", "{", '{"01_setup.ipynb": 3}'])
def test_without_the_ledger_everything_that_differs_is_kept(source: Path, content: str) -> None:
    run(source)
    mine = source.parent / "mine"
    kept = edit(mine / "01_setup.ipynb", "mine")
    (mine / ".copies.json").write_text(content, "utf-8")
    assert run(source) == {
        "01_setup-2.ipynb": "new, beside yours",
        "03_insertion.ipynb": "as it was",
        "glossary.md": "as it was",
    }
    assert (mine / "01_setup.ipynb").read_bytes() == kept


def test_an_answer_to_an_exercise_is_kept(source: Path) -> None:
    (source / "exercises").mkdir()
    notebook(source / "exercises" / "01_setup.ipynb", "coffee = ...")
    copies = dict.fromkeys(("01_setup.ipynb", "03_insertion.ipynb", "glossary.md"), "as it was")
    assert run(source)["01_setup.ipynb"] == "new"
    answer = source.parent / "mine" / "exercises" / "01_setup.ipynb"
    kept = edit(answer, "my answer")
    notebook(source / "exercises" / "01_setup.ipynb", "coffee = ...  # eight hits")
    found = copy_all(source, source.parent / "mine")
    assert {path.name: what for path, what in found if path.parent.name == "mine"} == copies
    assert [what for path, what in found if path.parent.name == "exercises"] == ["new, beside yours"]
    assert answer.read_bytes() == kept


def test_a_copy_that_was_deleted_comes_back(source: Path) -> None:
    run(source)
    (source.parent / "mine" / "01_setup.ipynb").unlink()
    assert run(source)["01_setup.ipynb"] == "new"


@pytest.mark.slow
def test_links_of_the_real_copies_lead_where_those_of_the_notebooks_do(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for path in ROOT.iterdir():
        if path.name not in ("notebooks", "mine", ".git"):
            (checkout / path.name).symlink_to(path)
    found = copy_all(ROOT / "notebooks", checkout / "mine")
    assert found
    for path, _ in found:
        text = path.read_text("utf-8")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for link in re.findall(r"\]\(([^)\s]+)\)|\bsrc=[\"']([^\"']+)", text):
            target = "".join(link).split("#")[0]
            if target and not re.match(r"[a-z]+:", target):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


@NEEDS_GIT
def test_git_sees_nothing_of_the_folder(source: Path) -> None:
    checkout = source.parent
    subprocess.run(["git", "init", "-q"], cwd=checkout, check=True)
    run(source)
    told = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=checkout, check=True, capture_output=True, text=True
    )
    assert "notebooks/01_setup.ipynb" in told.stdout and "mine" not in told.stdout


@NEEDS_GIT
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout of git")
def test_the_project_ignores_the_folder_before_it_is_there() -> None:
    ignored = subprocess.run(["git", "check-ignore", "-q", "--no-index", "mine/videos/me.mp4"], cwd=ROOT)
    assert ignored.returncode == 0, ".gitignore needs the line mine/"
