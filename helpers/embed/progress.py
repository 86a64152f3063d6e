"""How far many videos are: one progress bar by their minutes, or one line in outputs that are compared."""

import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from IPython import get_ipython
from tqdm.auto import tqdm

from helpers.arguments import is_number
from helpers.embed.work import Course
from helpers.settings import plain_progress

LOOK_SECONDS = 0.5  # from one look at how far the videos are to the next
STILL_SECONDS = 10.0  # before a bar that does not move shows that time goes on
FORM = "{l_bar}{bar}| {n_fmt}/{total_fmt} {unit} [{elapsed}<{remaining}{postfix}]"


def as_they_end(
    futures: dict[Future[Any], int], report: list[dict[str, Any]], courses: list[Course]
) -> Iterator[Future[Any]]:
    """The futures as they end, behind one progress bar; one last line only in outputs that are compared.

    The bar counts minutes of video, offline also within one. Live, a video counts when its answer is there, as the
    service says of a task no more than that it is at work; how many are there is said beside the bar.
    """
    plain, waiting = plain_progress(), set(futures)
    bar = _Bar(report, courses, disable=plain)
    with bar.bar:
        while waiting:
            bar.show()
            ended, waiting = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
            for future in ended:
                if not future.cancelled():
                    yield future
                    i = futures[future]
                    courses[i].done = 1.0 if report[i]["status"] != "left" else courses[i].done
        bar.show()
    if plain:
        good = sum(row["status"] in ("done", "cached") for row in report)
        # A script's standard output is its own: there the line goes where the bar would.
        where = sys.stdout if getattr(get_ipython(), "kernel", None) else sys.stderr
        print(f"videos embedded: {good} of {len(futures)}", file=where)


class _Bar:
    """A progress bar that counts in minutes, or in videos where the length of none is known."""

    def __init__(self, report: list[dict[str, Any]], courses: list[Course], *, disable: bool) -> None:
        self.report, self.courses = report[: len(courses)], courses
        known = [course.seconds for course in courses if course.seconds]
        usual = sum(known) / len(known) if known else 60.0
        self.minutes = [(course.seconds or usual) / 60 for course in courses]
        self.bar = tqdm(
            desc="videos embedded",
            total=round(sum(self.minutes), 1),
            unit="min" if known else "videos",
            bar_format=FORM,
            smoothing=0,
            disable=disable,
        )
        self.said, self.at = "", 0.0

    def sum(self, shares: Iterable[float]) -> float:
        return round(sum(share * minutes for share, minutes in zip(shares, self.minutes, strict=True)), 1)

    def show(self) -> None:
        """Say how far the videos are; what an earlier run has done says nothing about the time left."""
        statuses = [row["status"] for row in self.report]
        words = {"videos": f"{sum(s in ('done', 'cached') for s in statuses)}/{len(statuses)}"}
        words |= {name: str(statuses.count(name)) for name in ("cached", "failed") if name in statuses}
        if there := sum(course.is_at_service for course in self.courses):
            words["at work"] = str(there)
        self.bar.initial = self.sum(course.kept for course in self.courses)
        self.bar.n = self.sum(course.done for course in self.courses)
        said = f"{words} {self.bar.n}"
        if said != self.said or time.monotonic() - self.at > STILL_SECONDS:
            self.said, self.at = said, time.monotonic()
            self.bar.set_postfix(words)


def courses_of(records: list[dict[str, Any]]) -> list[Course]:
    """A course for each row of a table of videos, which may say nothing of their lengths."""
    lengths = [record.get("duration_sec") for record in records]
    return [Course(float(one) if is_number(one) and one > 0 else 0.0) for one in lengths]
