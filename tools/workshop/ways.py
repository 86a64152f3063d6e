"""What a lesson says of itself and its neighbours: minutes and the way on in its head, all lessons in its tail.

Its exercises and their solutions say the same of theirs, and end with the way back.

A line of the way begins with "**You are here:**". It is written by `make guide`, and no rule counts its words.
"""

import re
from itertools import pairwise
from typing import Any

import nbformat

from tools.book.lessons import Lesson
from tools.workshop.sections import CORE, HERE, WRITTEN, Timed

TIME = re.compile(rf"(\*\*Time:?\*\*) \d+ min(?:{CORE}\d+)?")
OVERVIEW = "[overview]({}README.md)"


def to_five(minutes: float) -> int:
    """Minutes as a head says them: 5, 10, 15 …"""
    return max(5, 5 * round(minutes / 5))


def head_time(text: str, timed: Timed) -> str:
    """The text with the minutes of this lesson. Raises ValueError where it has no place for them."""
    whole, core = to_five(timed.whole), to_five(timed.core)
    said = f"{whole} min" + (f"{CORE}{core}" if core < whole else "")
    new, times = TIME.subn(lambda found: f"{found.group(1)} {said}", text, count=1)
    if not times:
        raise ValueError(f"the head of {timed.path.name} has no '**Time:** … min'")
    return new


def neighbours(suite: list[Lesson], here: Lesson) -> str:
    """The one before, this one, the next, as links from one to the other; they lie in one folder."""
    found = [f"**{_link(here)}**"]
    for one, two in pairwise(suite):
        if two == here:
            found.insert(0, f"{_link(one)} ←")
        if one == here:
            found.append(f"→ {_link(two)}")
    return " ".join(found)


def _link(lesson: Lesson, folder: str = "") -> str:
    return f"[{lesson.number} {lesson.title}]({folder}{lesson.path.name})"


def ways(suite: list[Lesson], here: Lesson) -> tuple[str, str]:
    """The line for the head of a lesson (the one before, this one, the next), and that for its tail (all)."""
    overview = OVERVIEW.format("../")
    everything = [f"**{_link(each)}**" if each == here else _link(each) for each in suite]
    return f"{HERE} {neighbours(suite, here)} · {overview}", f"{HERE} {' · '.join([*everything, overview])}"


def exercise_ways(suite: list[Lesson], here: Lesson) -> tuple[str, str]:
    """The line for the head of the tasks of a lesson, and their last words: back to the lesson, or on to the next."""
    head = f"{HERE} tasks for {neighbours(suite, here)} · {OVERVIEW.format('../../')}"
    back = f"Back to [notebook {here.number}](../{here.path.name})"
    following = [two for one, two in pairwise(suite) if one == here]
    on = _link(following[0], "../") if following else OVERVIEW.format("../../").replace("[", "[the ")
    return head, f"{back}, or on to {on}."


def write_ways(notebook: Any, *, suite: list[Lesson], timed: Timed) -> None:
    """Put the minutes and both lines into a lesson, in place of what an earlier run put there."""
    here = next(each for each in suite if each.number == timed.number)
    head, tail = ways(suite, here)
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in texts:
        cell.source = WRITTEN.sub("", cell.source)
    first = next((cell for cell in texts[:4] if TIME.search(cell.source)), texts[0])
    first.source = f"{head_time(first.source, timed)}\n\n{head}"
    texts[-1].source += f"\n\n{tail}"


def write_exercise_ways(notebook: Any, *, suite: list[Lesson], here: Lesson) -> None:
    """Put both lines into the solutions of a lesson: the first into its head, the other into a cell at its end."""
    head, tail = exercise_ways(suite, here)
    first = notebook.cells[0]
    first.source = f"{WRITTEN.sub('', first.source)}\n\n{head}"
    if notebook.cells[-1].cell_type != "markdown":
        notebook.cells.append(nbformat.v4.new_markdown_cell(id="way-on"))
    notebook.cells[-1].source = tail
