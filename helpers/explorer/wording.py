"""Sentences as the explorer says them: of the controls on screen, not of Python's arguments."""

import re
from collections.abc import Sequence

from helpers.analysis.carry import WAS

INSTEAD = (
    (r"leave them out, or choose option='fused'", "choose “fused” under vectors"),
    (r"fewer than min_cluster_size=(\d+)", r"fewer than the \1 of “at least”"),
)
NOTHING_SELECTED = (
    "Nothing is selected: draw around points with Lasso or Box, or click a cluster in the legend."
)


def on_screen(sentence: str) -> str:
    """The sentence with what to do in the explorer."""
    for python, seen in INSTEAD:
        sentence = re.sub(python, seen, sentence)
    return sentence


def names_left(names: Sequence[str]) -> str:
    """What becomes of names for which no cluster is left, as a sentence."""
    tags = ", ".join(f"“{WAS}{name}”" for name in names)
    whose = "their" if len(names) > 1 else "its"
    return (
        f"No cluster is left for {', '.join(names)}: {whose} segments are tagged {tags}, and named again "
        "when a cluster holds just them."
    )
