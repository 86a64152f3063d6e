"""How a video is cut into segments: "fixed-6" and "dynamic-4", on the wire and on the clock."""

import itertools
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from helpers.errors import EmbedError, VideoError
from helpers.models import Model

SCOPES = ("clip", "asset")  # what a vector is of: a segment, or the whole video
LIMITS = {"fixed": (2, 10), "dynamic": (2, 5)}  # seconds
FIELDS = {"fixed": "duration_sec", "dynamic": "min_duration_sec"}  # on the wire
LONGEST_SHOT = 10.0  # seconds
SHORTEST_REST = 0.5  # seconds; less at the end joins the segment before
Bounds = list[tuple[float, float]]


@dataclass(frozen=True)
class Segmentation:
    """fixed: segments of `seconds` (2 to 10) each; dynamic: by shot, and none shorter than `seconds` (2 to 5).

    Raises EmbedError (400) for any other.
    """

    strategy: str
    seconds: float

    def __post_init__(self) -> None:
        low, high = LIMITS.get(self.strategy, (0, -1))
        if not low <= self.seconds <= high:
            raise _unknown(str(self))

    def __str__(self) -> str:
        return f"{self.strategy}-{self.seconds:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The segmentation that "fixed-6" or "dynamic-4" names; EmbedError for one outside the API's limits."""
        if not isinstance(text, str):
            raise _unknown(text)
        strategy, _, number = text.partition("-")
        try:
            return cls(strategy, float(number))
        except (EmbedError, ValueError):
            raise _unknown(text) from None

    def request(self, model: Model) -> dict[str, Any]:
        """The wire form: Marengo 3.5 wraps in `temporal` what 3.0 takes as it is."""
        seconds = int(self.seconds) if float(self.seconds).is_integer() else self.seconds
        inner = {"strategy": self.strategy, self.strategy: {FIELDS[self.strategy]: seconds}}
        return {"temporal": inner} if model.temporal else inner

    @classmethod
    def from_request(cls, given: dict[str, Any] | None, model: Model) -> Self:
        """What the wire form says; without one it is dynamic. EmbedError (400) for what the model does not take."""
        if not given:
            return cls("dynamic", model.shortest_shot)
        if ("temporal" in given) != model.temporal:
            where = "inside segmentation.temporal" if model.temporal else "directly in segmentation"
            what_to_do = "put it inside a `temporal` object" if model.temporal else "leave `temporal` out"
            raise EmbedError(f"{model.name} takes the strategy {where}: {what_to_do}.", status=400)
        match inner := given["temporal"] if model.temporal else given:
            case {"strategy": "fixed", "fixed": {"duration_sec": int() | float() as seconds}} | {
                "strategy": "dynamic",
                "dynamic": {"min_duration_sec": int() | float() as seconds},
            }:
                with suppress(EmbedError):
                    return cls(inner["strategy"], float(seconds))
        message = "The strategy is fixed with duration_sec 2 to 10, or dynamic with min_duration_sec 2 to 5."
        raise EmbedError(message, status=400)

    def bounds(self, duration: float, *, cuts: Sequence[float] = ()) -> Bounds:
        """Segments (start, end), in seconds, that follow one another without a gap from 0 to `duration`.

        fixed: the last may be shorter, but a rest under 0.5 s joins the one before. dynamic: the shots between
        `cuts`; a shot that is too short is joined with the next (the last with the one before), and what is
        longer than 10 s is split evenly. Raises VideoError for a video without length.
        """
        if not (duration > 0 and math.isfinite(duration)):
            raise VideoError(f"A film of {duration} seconds cannot be cut into segments; check the file.")
        duration = round(duration, 3)
        if self.strategy == "fixed":
            count = max(1, math.ceil((duration - SHORTEST_REST) / self.seconds + 1e-9))
            edges = [round(i * self.seconds, 3) for i in range(count)] + [duration]
        else:
            inside = sorted(round(cut, 3) for cut in cuts if 0 < cut < duration)
            edges = _split(_join([0.0, *inside, duration], self.seconds))
        return list(itertools.pairwise(edges))


def _unknown(text: str) -> EmbedError:
    message = f"The segmentation {text!r} is not known: write fixed-2 to fixed-10, or dynamic-2 to dynamic-5."
    return EmbedError(message, status=400)


def _join(edges: list[float], seconds: float) -> list[float]:
    """Leave out the edges that make a shot shorter than `seconds`."""
    kept = [edges[0]]
    for edge in edges[1:-1]:
        if edge - kept[-1] >= seconds:
            kept.append(edge)
    if len(kept) > 1 and edges[-1] - kept[-1] < seconds:
        kept.pop()
    return [*kept, edges[-1]]


def _split(edges: list[float]) -> list[float]:
    """Add the edges that split what is longer than 10 s evenly."""
    whole = [edges[0]]
    for start, end in itertools.pairwise(edges):
        parts = max(1, math.ceil((end - start) / LONGEST_SHOT - 1e-9))
        whole += [round(start + (end - start) * i / parts, 3) for i in range(1, parts)] + [end]
    return whole
