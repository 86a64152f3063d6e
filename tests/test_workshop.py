"""What a teacher gets: minutes that follow from the lessons, the guide's tables, the way on, the editions."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from benchmarks.records import read
from helpers.settings import ROOT
from tools import editions
from tools.book.lessons import lessons
from tools.gate import rules
from tools.workshop.__main__ import outdated
from tools.workshop.plans import MOST, PLANS, plan_minutes
from tools.workshop.sections import HERE, Timed, lesson_paths, sections, timed
from tools.workshop.tables import between
from tools.workshop.ways import exercise_ways, head_time, ways, write_exercise_ways

LESSONS = lesson_paths()
cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


@pytest.fixture(scope="module")
def suite() -> dict[str, Timed]:
    return {path.name[:2]: timed(path) for path in LESSONS}


def test_lessons_readme_and_guide_say_the_minutes_that_follow_from_the_lessons() -> None:
    assert [path.name for path in outdated()] == [], "`make guide` writes them"


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_fits_its_time(plan: str, suite: dict[str, Timed]) -> None:
    assert 0.5 * MOST[plan] < plan_minutes(plan, suite) <= MOST[plan]


def test_a_heading_begins_a_section_in_the_middle_of_a_text_too() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[
            text("# One\n\nwords"),
            text("## A\n\nwords\n\n## B"),
            cell("x = 1"),
            text("## C", metadata={"tags": ["more"]}),
        ]
    )
    found = sections(notebook)
    assert [(each.title, each.core, len(each.parts)) for each in found] == [
        ("Head", True, 1),
        ("A", True, 1),
        ("B", True, 2),
        ("C", False, 1),
    ]


def test_words_lines_pictures_and_predictions_take_minutes() -> None:
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "a map"})
    found = sections(
        nbformat.v4.new_notebook(
            cells=[
                text(f"## A\n\n{'word ' * 199}"),
                cell("x = 1\ny = 2\nz = 3"),
                cell("x", outputs=[picture]),
                text("**Predict.**"),
                text(f"{HERE} these words do not count"),
            ]
        )
    )
    assert found[1].minutes * 60 == pytest.approx(60 + (15 + 6) + (15 + 2 + 20) + (45 + 0.3))


def test_running_the_cells_takes_less_than_half_of_the_minutes(suite: dict[str, Timed]) -> None:
    measured = {row["notebook"][:2]: row for row in read("notebooks")["rows"]}
    assert measured.keys() == suite.keys()
    for number, row in measured.items():
        assert row["seconds"] < 0.5 * 60 * suite[number].whole, row["notebook"]
        assert sum(row["sections"].values()) == pytest.approx(row["seconds"], abs=5)


def test_a_head_says_its_core_where_there_is_more(suite: dict[str, Timed]) -> None:
    assert head_time("**Time** 1 min. **What", suite["07"]).startswith("**Time** 40 min. **What")
    assert ", of which the core takes " in head_time(
        "**Time:** 1 min, of which the core takes 1.", suite["05"]
    )
    with pytest.raises(ValueError, match="has no"):
        head_time("no time", suite["05"])


def test_the_way_leads_to_the_neighbours_and_to_all() -> None:
    found = lessons()
    first, middle = ways(found, found[0]), ways(found, found[2])
    assert first[0].startswith(
        f"{HERE} **[01 Set up](01_setup.ipynb)** → [02 Embedding](02_embedding.ipynb) ·"
    )
    assert "[02 Embedding](02_embedding.ipynb) ← **[03 Insertion]" in middle[0]
    assert middle[1].count(".ipynb)") == len(found)


def test_exercises_lead_to_their_neighbours_and_back() -> None:
    found = lessons()
    head, tail = exercise_ways(found, found[1])
    assert head.startswith(
        f"{HERE} tasks for [01 Set up](01_setup.ipynb) ← **[02 Embedding](02_embedding.ipynb)** →"
    )
    assert head.endswith("[overview](../../README.md)")
    assert (
        tail
        == "Back to [notebook 02](../02_embedding.ipynb), or on to [03 Insertion](../03_insertion.ipynb)."
    )
    assert exercise_ways(found, found[-1])[1].endswith("or on to [the overview](../../README.md).")


def test_what_is_written_into_solutions_is_written_once() -> None:
    found = lessons()
    notebook = nbformat.v4.new_notebook(cells=[text("# Exercises\n\nFour tasks."), cell("done()")])
    for _ in range(2):
        write_exercise_ways(notebook, suite=found, here=found[0])
    assert [each.source for each in notebook.cells] == [
        f"# Exercises\n\nFour tasks.\n\n{exercise_ways(found, found[0])[0]}",
        "done()",
        exercise_ways(found, found[0])[1],
    ]


def test_a_page_without_a_place_for_it_is_an_error() -> None:
    assert between("a <!-- x: written by make guide -->old<!-- /x --> b", "x", "new").splitlines() == [
        "a <!-- x: written by make guide -->",
        "new",
        "<!-- /x --> b",
    ]
    with pytest.raises(ValueError, match="no place for 'x'"):
        between("nothing", "x", "new")


def headings(notebook: Any) -> list[str]:
    return [each.title for each in sections(notebook)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to everything of the checkout, and both editions."""
    root = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.name not in ("learner", "live-coding"):
            (root / path.name).symlink_to(path)
    editions.make(root, root)
    return root


def test_learners_get_lessons_and_exercises_without_outputs_or_solutions(checkout: Path) -> None:
    names = sorted(path.relative_to(checkout / "learner") for path in (checkout / "learner").rglob("*.ipynb"))
    assert names == sorted(
        path.relative_to(ROOT / "notebooks")
        for path in (ROOT / "notebooks").rglob("[0-9]*.ipynb")
        if "solutions" not in path.parts
    )
    for name in names:
        notebook = nbformat.read(checkout / "learner" / name, as_version=4)
        assert not any(each.get("outputs") for each in notebook.cells)
        assert rules.links_lead_somewhere(checkout / "learner" / name, notebook) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_for_typing_along_short_cells_are_empty_and_long_ones_filled(checkout: Path, lesson: Path) -> None:
    path = checkout / "live-coding" / lesson.name
    notebook, whole = (nbformat.read(each, as_version=4) for each in (path, lesson))
    nbformat.validate(notebook)
    typed = {each.id: each.source for each in notebook.cells if each.cell_type == "code"}
    code = [each for each in whole.cells if each.cell_type == "code"]
    assert list(typed) == [each.id for each in code]
    empty = [each for each in code if typed[each.id].endswith(editions.TYPE_HERE)]
    assert all(typed[each.id] == each.source for each in code if each not in empty)
    assert 0.5 < len(empty) / len(code) < 1
    assert headings(notebook) == headings(whole)
    assert rules.links_lead_somewhere(path, notebook) == []
    assert not any(rules.VERDICT.search(each.source) for each in notebook.cells)


def test_a_folder_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "workshop", tmp_path / "learner")
    with pytest.raises(FileExistsError, match="learner/ was not made by this"):
        editions.make(ROOT, tmp_path)
    assert (tmp_path / "learner" / "README.md").exists()
