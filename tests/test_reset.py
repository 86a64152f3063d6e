"""`make reset`: databases go, and nothing of a learner's is lost."""

import subprocess
from pathlib import Path

import pytest

from helpers import connect_milvus, disconnect_milvus, load_settings
from tools.reset import remove_databases, restore_notebooks


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout of two notebooks."""
    for name in ("notebooks/01.ipynb", "notebooks/exercises/01.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("the project's", "utf-8")
    for command in ("init -q", "add .", "-c user.name=n -c user.email=e commit -qm first"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    return tmp_path


def test_a_database_goes_and_one_in_use_stays() -> None:
    settings = load_settings(notebook="01")
    milvus = connect_milvus(settings)
    folder = settings.home / "milvus"
    (folder / "04.db" / "collections").mkdir(parents=True)
    (folder / "04.db" / "collections" / "rows").write_text("old", "utf-8")
    (folder / "notes.txt").write_text("mine", "utf-8")
    found = {path.name: what for path, what in remove_databases(folder)}
    assert found["04.db"] == "removed" and "in use, so it stays" in found["01.db"]
    assert milvus.list_collections() == []  # it still answers
    disconnect_milvus(milvus, settings)
    assert [what for _, what in remove_databases(folder)] == ["removed"]
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_answers_are_kept_beside_the_project_s_own(checkout: Path) -> None:
    lesson, exercise = checkout / "notebooks" / "01.ipynb", checkout / "notebooks" / "exercises" / "01.ipynb"
    for answer in ("first", "second"):
        exercise.write_text(answer, "utf-8")
        ((path, what),) = restore_notebooks(checkout)
        assert path == exercise and exercise.read_text("utf-8") == "the project's"
        assert (checkout / what.rpartition(" ")[2]).read_text("utf-8") == answer
    lesson.unlink()
    assert list(restore_notebooks(checkout)) == [(lesson, "as it was")] and lesson.exists()
    assert list(restore_notebooks(checkout)) == []
    seen = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, check=True)
    assert seen.stdout == b""


def test_a_copy_from_a_handout_has_the_project_s_own_beside_it(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / ".originals"):
        (folder / "notebooks" / "exercises").mkdir(parents=True)
        for name in ("01", "exercises/01", "exercises/02"):
            (folder / "notebooks" / f"{name}.ipynb").write_text("the project's", "utf-8")
    changed, gone = (tmp_path / "notebooks" / "exercises" / name for name in ("01.ipynb", "02.ipynb"))
    changed.write_text("my answer", "utf-8")
    gone.unlink()
    found = dict(restore_notebooks(tmp_path))
    assert list(found) == [changed, gone] and changed.read_text("utf-8") == gone.read_text("utf-8")
    assert (tmp_path / found[changed].rpartition(" ")[2]).read_text("utf-8") == "my answer"
    assert list(restore_notebooks(tmp_path)) == []


def test_without_git_history_notebooks_stay(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01.ipynb").write_text("mine", "utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        list(restore_notebooks(tmp_path))
    assert (tmp_path / "notebooks" / "01.ipynb").read_text("utf-8") == "mine"
