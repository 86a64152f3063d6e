"""How a cluster looks and what it is called, in every figure and in the explorer."""

import textwrap
from collections.abc import Mapping

from helpers.analysis.checks import NOISE, whole_number
from helpers.show.figures import PALETTE

# Nine shapes and eight colours: the first eight differ in both, and 72 clusters have a pair of their own.
MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<", "p")
NOISE_STYLE = ("#8c8c8c", "x")


def cluster_style(number: int) -> tuple[str, str]:
    """The colour (#rrggbb) and Matplotlib marker of a cluster; noise (-1) is a grey cross."""
    if whole_number(number, "The cluster", least=NOISE) == NOISE:
        return NOISE_STYLE
    return PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]


def cluster_name(number: int, names: Mapping[int, str] | None = None) -> str:
    """What a legend calls a cluster: "3", "3 rabbits" where it has a name, or "noise"."""
    if number == NOISE:
        return "noise"
    name = names.get(number) if names else ""
    return f"{number} {textwrap.shorten(name, 40, placeholder=' …')}" if name else str(number)
