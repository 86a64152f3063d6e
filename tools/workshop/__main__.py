"""Write what follows from the lessons: `python -m tools.workshop`, or `make guide`; `--check` only says what differs.

The minutes in their heads, the lines "You are here" of lessons and solutions, the minutes in README.md, and the tables
of workshop/README.md. `make exercises` comes after it, since exercises are made from solutions.
"""

from pathlib import Path

import nbformat

from helpers.settings import ROOT
from tools.book.lessons import lessons
from tools.generated import write_or_check
from tools.workshop.plans import PLANS
from tools.workshop.sections import timed
from tools.workshop.tables import between, plan_table, section_list, with_minutes
from tools.workshop.ways import write_exercise_ways, write_ways

README, GUIDE = ROOT / "README.md", ROOT / "workshop" / "README.md"


def outdated() -> dict[Path, str]:
    """The files that are not what the lessons make of them, with the text that they should have."""
    suite = lessons()
    by_number = {each.number: each for each in suite}
    times = {each.number: timed(ROOT / each.path) for each in suite}
    texts = {}
    for each in suite:
        notebook = nbformat.read(ROOT / each.path, as_version=4)
        write_ways(notebook, suite=suite, timed=times[each.number])
        texts[ROOT / each.path] = nbformat.writes(notebook) + "\n"
        for path in each.exercises:
            if path.parent.name == "solutions":
                notebook = nbformat.read(ROOT / path, as_version=4)
                write_exercise_ways(notebook, suite=suite, here=each)
                texts[ROOT / path] = nbformat.writes(notebook) + "\n"
    texts[README] = with_minutes(README.read_text("utf-8"), times)
    guide = GUIDE.read_text("utf-8")
    for plan in PLANS:
        guide = between(guide, plan, plan_table(plan, by_number, times))
    texts[GUIDE] = between(guide, "sections", section_list(by_number, times))
    return {path: text for path, text in texts.items() if path.read_text("utf-8") != text}


def main() -> int:
    return write_or_check(outdated, "Write minutes and ways into the lessons, README and guide.")


if __name__ == "__main__":
    raise SystemExit(main())
