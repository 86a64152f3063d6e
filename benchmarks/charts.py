"""The charts of notebook 08: lines over sizes, and dots of time against recall. Each is shown with its alt text."""

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from helpers.show.figures import chart_style, show_figure

MARKERS = "os^Dv"
RING: dict[str, Any] = {"marker": "o", "markersize": 14, "markerfacecolor": "none"}


def show_lines(table: pd.DataFrame, y: str, *, title: str, alt: str, notice: float | None = None) -> None:
    """A line for each column over the index, whose name is the label of x; an axis of many sizes is logarithmic.

    `notice` draws a dotted level.
    """
    with chart_style():
        fig, axes = plt.subplots()
        for column, marker in zip(table, MARKERS, strict=False):
            axes.plot(table.index, table[column], marker=marker, label=str(column))
        if notice is not None:
            axes.axhline(notice, color="grey", ls=":")
        _numbers(axes, "x", table.index.to_numpy())
        _numbers(axes, "y", table.to_numpy())
        axes.set(xlabel=table.index.name, ylabel=y, title=title)
        axes.legend()
        show_figure(fig, alt=alt)


def _numbers(axes: Axes, which: Literal["x", "y"], values: Any) -> None:
    """Scale an axis by its values, from 0 or by powers of ten, and write its numbers as people do."""
    if values.max() >= 30 * values.min():
        axes.set(**{f"{which}scale": "log"})
    else:
        axes.set(**{f"{which}lim": (0, None)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_formatter(NullFormatter())


def show_workers(runs: pd.DataFrame, *, title: str, alt: str) -> None:
    """Seconds by number of workers, a line for each limit; dotted, the least that is possible."""
    with chart_style():
        fig, axes = plt.subplots()
        for (limit, part), marker in zip(runs.groupby("limit", sort=False), MARKERS, strict=False):
            [line] = axes.plot(part["workers"], part["s"], marker=marker, label=f"limit: {limit}")
            axes.plot(part["workers"], part["least_s"], ls=":", color=line.get_color())
        axes.set(xlabel="workers", ylabel="seconds (scaled)", title=title, ylim=(0, None))
        axes.set_xticks(sorted(runs["workers"].unique()))
        axes.legend()
        show_figure(fig, alt=alt)


def show_trade(rows: pd.DataFrame, by: str, *, panels: str = "", front: bool = False, alt: str) -> None:
    """Recall@10 against the median of a search, a dot for each row; `by` gives colour and mark.

    `panels` names a column that has a panel for each of its values. `front` rings and joins the rows that no other
    row beats in both.
    """
    parts = list(rows.groupby(panels, sort=False)) if panels else [("Up and to the left is better", rows)]
    with chart_style():
        size = (9 if panels else 7, 3.6)
        fig, row = plt.subplots(1, len(parts), figsize=size, sharey=True, squeeze=False, layout="constrained")
        for axes, (name, part) in zip(row[0], parts, strict=True):
            _dots(axes, part, by)
            if front:
                best = pareto(part)
                axes.plot(best["p50_ms"], best["recall@10"], color="grey", lw=1, zorder=0, **RING)
            axes.set(title=name, xlabel="search, median ms", xlim=(0, None))
        row[0][0].set_ylabel("recall@10")
        fig.legend(*row[0][0].get_legend_handles_labels(), loc="outside right upper")
        show_figure(fig, alt=alt)


def _dots(axes: Axes, rows: pd.DataFrame, by: str) -> None:
    for (name, part), marker in zip(rows.groupby(by, sort=False), MARKERS, strict=False):
        axes.scatter(part["p50_ms"], part["recall@10"], marker=marker, s=40, alpha=0.85, label=str(name))


def pareto(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that no other row beats: none is both as fast and has a higher recall, fastest first."""
    ranked = rows.sort_values(["p50_ms", "recall@10"], ascending=[True, False])
    above = ranked["recall@10"].cummax().shift(fill_value=-1.0)
    return ranked[ranked["recall@10"] > above]


def show_bars(values: pd.Series, good: Sequence[bool], x: str, *, title: str, alt: str) -> None:
    """A bar for each value, blue where it is good and orange where not, in the order that is given."""
    with chart_style():
        fig, axes = plt.subplots(figsize=(7, 2.6))
        axes.barh([str(name) for name in values.index], values, color=["C0" if g else "C1" for g in good])
        axes.invert_yaxis()
        axes.set(xlabel=x, title=title)
        show_figure(fig, alt=alt)
