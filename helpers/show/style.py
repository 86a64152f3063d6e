"""The look of every figure: one palette, one set of Matplotlib settings."""

from typing import Any

from cycler import cycler
from matplotlib import pyplot as plt

# Okabe and Ito (2008), "Color Universal Design": eight colours that colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


TICKS = (1, 2, 5, 6, 10, 15, 20, 30, 60, 120, 300, 600, 1800)  # seconds between the times on an axis


def figure_style() -> Any:
    """The look of every figure, as Matplotlib settings: opaque and light, with colours safe for all."""
    return {
        "figure.figsize": (7.0, 3.6),
        "figure.dpi": 90,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "axes.facecolor": "white",
        "axes.prop_cycle": cycler(color=list(PALETTE)),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#dddddd",
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 11,
        "legend.frameon": False,
    }


def use_style() -> None:
    """Apply `figure_style` to the figures of this notebook."""
    plt.rcParams.update(figure_style())
