"""Sentences of the analysis as the explorer says them: of the controls on screen, not of Python's arguments."""

import re

INSTEAD = (
    (r"leave them out, or choose option='fused'", "choose “fused” under vectors"),
    (r"fewer than min_cluster_size=(\d+)", r"fewer than the \1 of “at least”"),
)


def on_screen(sentence: str) -> str:
    """The sentence with what to do in the explorer."""
    for python, seen in INSTEAD:
        sentence = re.sub(python, seen, sentence)
    return sentence
