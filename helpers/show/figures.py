"""How figures look, and how one gets out of a cell with its alt text."""

import io
import math
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from PIL import Image

from helpers.arguments import check_texts, is_text
from helpers.errors import SearchError
from helpers.show.captions import format_time
from helpers.show.output import encoded, show_picture

# Okabe and Ito (2008), "Color Universal Design": eight colours that colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
TICKS = (1, 2, 5, 6, 10, 15, 20, 30, 60, 120, 300, 600, 1800)  # seconds between the times on an axis


# The look of every figure: opaque and light, with colours safe for all.
STYLE: Any = {
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
    """Give the figures of this notebook the look of all the others."""
    matplotlib.rcParams.update(STYLE)


def chart_style() -> AbstractContextManager[None]:
    """That look while a chart is drawn, and text as it is written: a $ in a title or a name is no formula."""
    return matplotlib.rc_context({**STYLE, "text.parse_math": False})


def mark_times(axis: Axis, seconds: float) -> None:
    """Let an axis that spans so many seconds show m:ss, ten times at most."""
    hours = 3600 * max(1, math.ceil(seconds / 36_000))  # for what is longer than all of TICKS
    axis.set_major_locator(MultipleLocator(next((step for step in TICKS if seconds <= 10 * step), hours)))
    axis.set_major_formatter(lambda second, _: format_time(second))
    axis.set_label_text("time (m:ss)")


def show_figure(fig: Figure, *, alt: str, caption: str = "") -> None:
    """Show a figure with its alt text, and close it, so that it is drawn once and holds no memory."""
    if not isinstance(fig, Figure):
        raise SearchError(f"The figure is a {type(fig).__name__}: give what a plot function returned.")
    if not is_text(alt):
        raise SearchError(f"The alt text is {alt!r}: say in words what the figure shows.")
    check_texts(SearchError, caption=caption)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=90, bbox_inches="tight", facecolor="white")
    plt.close(fig)
    show_picture(encoded(Image.open(buffer).convert("RGB"), "PNG"), alt=alt, caption=caption)
