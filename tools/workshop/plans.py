"""The plans of the guide: which lessons a class takes in the time that it has, and how far it goes in each."""

from dataclasses import dataclass

from tools.workshop.sections import Section, Timed


@dataclass(frozen=True)
class Step:
    """The core of a lesson, by its number; with `first`, its head and that many core sections: nothing is skipped."""

    number: str
    first: int | None = None

    def sections(self, lesson: Timed) -> list[Section]:
        core = [each for each in lesson.sections if each.core]
        return core if self.first is None else core[: self.first + 1]

    def minutes(self, lesson: Timed) -> int:
        return round(sum(each.minutes for each in self.sections(lesson)))


HALF_DAY = tuple(Step(f"{number:02}") for number in range(1, 7))
PLANS: dict[str, tuple[Step, ...]] = {
    "one hour": (Step("01"), Step("04", first=5), Step("06", first=2)),
    "half day": HALF_DAY,
    "full day": (*HALF_DAY, Step("07"), Step("10")),
}
MOST = {"one hour": 50, "half day": 180, "full day": 270}  # minutes, without breaks, exercises and questions


def plan_minutes(plan: str, suite: dict[str, Timed]) -> int:
    return sum(step.minutes(suite[step.number]) for step in PLANS[plan])
