"""What a lesson says of itself and its neighbours: minutes and the way on in its head, all lessons in its tail.

A line of the way begins with "**You are here:**". It is written by `make guide`, and no rule counts its words.
"""

import re
from itertools import pairwise
from typing import Any

from tools.book.lessons import Lesson
from tools.workshop.sections import CORE, HERE, WRITTEN, Timed

TIME = re.compile(rf"(\*\*Time:?\*\*) \d+ min(?:{CORE}\d+)?")
OVERVIEW = "[overview](../README.md)"


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


def ways(suite: list[Lesson], here: Lesson) -> tuple[str, str]:
    """The line for the head (the one before, this one, the next), and that for the tail (all)."""

    def link(each: Lesson) -> str:
        shown = f"[{each.number} {each.title}]({each.path.name})"
        return f"**{shown}**" if each == here else shown

    neighbours = [link(here)]
    for one, two in pairwise(suite):
        if two == here:
            neighbours.insert(0, f"{link(one)} ←")
        if one == here:
            neighbours.append(f"→ {link(two)}")
    head = f"{HERE} {' '.join(neighbours)} · {OVERVIEW}"
    return head, f"{HERE} {' · '.join(map(link, suite))} · {OVERVIEW}"


def write_ways(notebook: Any, *, suite: list[Lesson], timed: Timed) -> None:
    """Put the minutes and both lines into a notebook, in place of what an earlier run put there."""
    here = next(each for each in suite if each.number == timed.number)
    head, tail = ways(suite, here)
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in texts:
        cell.source = WRITTEN.sub("", cell.source)
    first = next((cell for cell in texts[:4] if TIME.search(cell.source)), texts[0])
    first.source = f"{head_time(first.source, timed)}\n\n{head}"
    texts[-1].source += f"\n\n{tail}"
