"""The parts of README.md and workshop/README.md that hold minutes, written from the lessons."""

import re

from tools.book.lessons import Lesson
from tools.workshop.plans import PLANS, plan_minutes
from tools.workshop.sections import Section, Timed
from tools.workshop.ways import to_five

START, END = "<!-- {}: written by make guide -->", "<!-- /{} -->"
ROW = re.compile(r"^(\| \[(\d\d) .*\| )\d+( \|)$", re.MULTILINE)


def with_minutes(readme: str, suite: dict[str, Timed]) -> str:
    """The README with the minutes of each lesson in the last column of its table."""
    return ROW.sub(lambda row: f"{row.group(1)}{to_five(suite[row.group(2)].whole)}{row.group(3)}", readme)


def between(text: str, name: str, content: str) -> str:
    """The text with this content between the two marks of that name. Raises ValueError where they are not."""
    start, end = START.format(name), END.format(name)
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the text has no place for {name!r}: write {start} and {end}")
    return f"{before}{start}\n{content.strip()}\n{end}{after}"


def plan_table(plan: str, lessons: dict[str, Lesson], suite: dict[str, Timed]) -> str:
    """The steps of a plan, with the minute at which each ends when nothing else is done."""
    rows, so_far = ["| lesson | as far as | minutes | ends at |", "|---|---|---|---|"], 0
    for step in PLANS[plan]:
        lesson, minutes = lessons[step.number], step.minutes(suite[step.number])
        so_far += minutes
        end = "the end of its core" if step.first is None else step.sections(suite[step.number])[-1].title
        link = f"[{step.number} {lesson.title}](../{lesson.path.as_posix()})"
        rows.append(f"| {link} | {end} | {minutes} | {clock(so_far)} |")
    return "\n".join([*rows, f"| **together** | | **{plan_minutes(plan, suite)}** | |"])


def clock(minutes: int) -> str:
    return "{}:{:02}".format(*divmod(minutes, 60))


def section_list(lessons: dict[str, Lesson], suite: dict[str, Timed]) -> str:
    """A line for each lesson: its minutes, and those of each section; what is not core in italics."""
    lines = []
    for number, timed in suite.items():
        shown = ", ".join(_with_minutes(each) for each in timed.sections if not each.later)
        lines.append(f"* **{number} {lessons[number].title}**, core {timed.core} of {timed.whole}: {shown}.")
    return "\n".join(lines)


def _with_minutes(section: Section) -> str:
    words = f"{section.title} {max(1, round(section.minutes))}"
    return f"*{words}*" if section.more else words
