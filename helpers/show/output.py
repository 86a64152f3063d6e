"""The ways out of a cell: a table, a figure, a picture with its alt text.

Outputs are the same from run to run, because they are committed and compared.
"""

import base64
import html
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import display
from PIL import Image

from helpers.show.captions import format_span, records

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLUMBING = ("segment_id", "video_id", "video_url", "embedding_scope", "segmentation", "model")


def show_table(
    df: pd.DataFrame, *, columns: Sequence[str] | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Hits or segments as a table to read: no vectors, no ids, scores to 3 decimals, `time` as m:ss.

    `columns` names what to show instead, in that order (`time` is always at hand). The result is a new
    DataFrame of text; a `rank` becomes its index.
    """
    table = df.head(limit or len(df)).copy()
    if {"start_offset_sec", "end_offset_sec"} <= set(table):
        at = int(np.flatnonzero(table.columns == "start_offset_sec")[0])
        spans = [format_span(row) for row in records(table)]
        table.insert(at, "time", pd.Series(spans, table.index, dtype=str))
    if columns is None:
        drop = (*PLUMBING, "start_offset_sec", "end_offset_sec")
        columns = [c for c in map(str, table) if c not in drop and not c.startswith(("embedding_", "has_"))]
        if "cluster" in columns and (table["cluster"] == -1).all():
            columns.remove("cluster")
    elif "rank" in table and "rank" not in columns:
        table = table.set_index("rank")
    table = table[list(columns)]
    for column in table.select_dtypes("float"):
        table[column] = table[column].map("{:.3f}".format)
    return table.set_index("rank") if "rank" in table else table


def as_text(words: str) -> str:
    """Words as HTML that shows just them: not marked up, and no formula made of what stands between two $."""
    escaped = html.escape(words)
    return f'<span class="mathjax_ignore">{escaped}</span>' if re.search(r"[$\\]", words) else escaped


def show_bundle(bundle: dict[str, Any]) -> None:
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, optimize=True, **options)
    return buffer.getvalue()


def show_picture(png: bytes, *, alt: str, caption: str = "", source: str = "") -> None:
    """The one way out for pictures: PNG, HTML with alt text (`source` or the same PNG), the alt text alone."""
    page = figure_html(source or data_uri("image/png", png), alt, caption)
    show_bundle({"image/png": png, "text/html": page, "text/plain": alt})


def figure_html(source: str, alt: str, caption: str) -> str:
    words = f"<figcaption>{as_text(caption)}</figcaption>" if caption else ""
    return f'<figure style="margin:0"><img alt="{html.escape(alt)}" src="{source}">{words}</figure>'


def jpeg_uri(picture: Image.Image, quality: int) -> str:
    return data_uri("image/jpeg", encoded(picture, "JPEG", quality=quality))


def show_figure(fig: "Figure", *, alt: str, caption: str = "") -> None:
    """Show a figure with its alt text, and close it, so that it is drawn once and holds no memory."""
    from matplotlib import pyplot as plt  # half a second, which tables and players do without

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=90, bbox_inches="tight", facecolor="white")
    plt.close(fig)
    show_picture(encoded(Image.open(buffer).convert("RGB"), "PNG"), alt=alt, caption=caption)
