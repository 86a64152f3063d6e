"""Things to look at: players at the right second, contact sheets, tables, figures, a search box.

Whatever is shown also carries words: a player its caption, a picture its alt text. Outputs are the same
from run to run, because they are committed and compared.
"""

import base64
import functools
import html
import io
import itertools
import json
import os
import re
import textwrap
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import matplotlib
import numpy as np
import pandas as pd
from cycler import cycler
from IPython.display import display
from jupyter_core.paths import jupyter_runtime_dir
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from PIL import Image, ImageDraw, ImageFont, ImageOps

from helpers.errors import VideoError, VideoSearchError
from helpers.frames import cut_clip
from helpers.frames import thumbnail as thumbnail
from helpers.settings import ROOT
from helpers.videos import catalogue, local_path

# Okabe and Ito (2008), "Color Universal Design": eight colours that colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
TILE, LABEL, GAP = 152, 32, 6  # pixels of a contact sheet: tile width, label height, space between
TICKS = (1, 2, 5, 6, 10, 15, 20, 30, 60, 120, 300, 600, 1800)  # seconds between the times on an axis
PLAYED = (".mp4", ".m4v", ".webm")  # what browsers play as it is; of anything else they get an MP4 clip
PLUMBING = ("segment_id", "video_id", "video_url", "embedding_scope", "segmentation", "model")

Hit = Mapping[str, Any]


# ---------------------------------------------------------------- words about a hit


def format_time(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on; whole seconds, rounded down as players do."""
    whole = int(seconds + 1e-6)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"


def format_span(hit: Hit) -> str:
    return f"{format_time(hit['start_offset_sec'])}-{format_time(hit['end_offset_sec'])}"


def caption_of(hit: Hit) -> str:
    """Rank, title, time and score in one line of plain text; what a hit does not have is left out."""
    rank = f"{hit['rank']}. " if "rank" in hit else ""
    score = f", score {hit['score']:.3f}" if "score" in hit else ""
    return f"{rank}{hit.get('title') or Path(str(hit['video_url'])).stem}, {format_span(hit)}{score}"


def sample_credit(video_url: str, video_id: str = "") -> str:
    """Credit, licence and what was changed of a sample video; "" for any other.

    It is known by its content, the ten digits of its sha256 that end `video_id`, or else by its place.
    """
    known = catalogue()
    digits = re.search(r"-([0-9a-f]{10})$", video_id)
    row = known[known["sha256"].str[:10] == digits[1]] if digits else known.head(0)
    path = local_path(video_url)
    if row.empty and path is not None and path.resolve().parent == (ROOT / "data" / "videos").resolve():
        row = known[known["file"] == path.resolve().name]
    if row.empty:
        return ""
    file, credit, licence = (row[column].iloc[0] for column in ("file", "credit", "licence"))
    change = "scaled to 360p" if file == "big-buck-bunny.mp4" else "film made from photos"
    return f"{credit}, {licence} ({change})"


def credit_of(hit: Hit) -> str:
    return sample_credit(str(hit["video_url"]), str(hit.get("video_id", "")))


def _records(hits: pd.DataFrame, limit: int | None = None) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in hits.head(limit or len(hits)).to_dict("records")]


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
        spans = [format_span(row) for row in _records(table)]
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


# ---------------------------------------------------------------- players


def _as_text(words: str) -> str:
    """Words as HTML that shows just them: not marked up, and no formula made of what stands between two $."""
    escaped = html.escape(words)
    return f'<span class="mathjax_ignore">{escaped}</span>' if re.search(r"[$\\]", words) else escaped


def _show(bundle: dict[str, Any]) -> None:
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, optimize=True, **options)
    return buffer.getvalue()


def _server() -> tuple[str, Path] | None:
    """Base URL and root folder of the Jupyter server that started this kernel; None where there is none."""
    note = Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID', '')}.json"
    try:
        server = json.loads(note.read_text(encoding="utf-8"))
        return str(server["base_url"]), Path(server["root_dir"]).resolve()
    except (OSError, ValueError, KeyError, TypeError):
        return None


def player_source(video_url: str, start: float, end: float, *, in_widget: bool) -> str:
    """What a <video> must have as `src` to play the clip.

    A relative path with a time fragment works in a notebook's output, run or not, under every base URL.
    JupyterLab does not resolve it inside a widget, so there it is the server's own address. A file that the
    server cannot reach or the browser does not play, or a widget without a server we know of, gets the clip
    itself as a data URI.
    """
    fragment = f"#t={round(start, 3):g},{round(end, 3):g}"
    path = local_path(video_url)
    if path is None:
        return video_url.partition("#")[0] + fragment
    server = _server()
    root = server[1] if server else ROOT
    inside = path.relative_to(root) if path.is_relative_to(root) else None
    reachable = inside is not None and not any(part.startswith(".") for part in inside.parts)
    reachable = reachable and path.suffix.lower() in PLAYED
    if inside is not None and reachable and not in_widget:
        return urllib.parse.quote(Path(os.path.relpath(path)).as_posix()) + fragment
    if inside is not None and reachable and server:
        return f"{server[0]}files/{urllib.parse.quote(inside.as_posix())}{fragment}"
    return data_uri("video/mp4", cut_clip(path, start, end))


def clip_html(hit: Hit, *, context: float = 0.0, width: str = "48%", in_widget: bool = False) -> str:
    """One player as HTML: it starts at the hit's first second and stops at its last.

    `hit` is a row of hits, or any mapping with video_url, start_offset_sec and end_offset_sec; `context` adds
    seconds before and after. A file that is missing or cannot be read gives its caption and one sentence.
    """
    url = str(hit["video_url"])
    start, end = max(0.0, hit["start_offset_sec"] - context), hit["end_offset_sec"] + context
    caption, credit = caption_of(hit), credit_of(hit)
    poster, problem, player = "", "", ""
    try:
        if local_path(url) is not None:
            poster = f' poster="{jpeg_uri(thumbnail(url, (start + end) / 2), 60)}"'
        # The address stands on <video>: JupyterLab removes <source> from a notebook that was not run yet.
        player = (
            f'<video src="{html.escape(player_source(url, start, end, in_widget=in_widget))}" controls '
            f'preload="metadata" width="100%"{poster} aria-label="{html.escape(caption)}"></video>'
        )
    except VideoError as error:
        problem = f"<br>{_as_text(str(error))}"
    note = f"<br><small>{_as_text(credit)}</small>" if credit else ""
    return (
        f'<figure style="display:inline-block;vertical-align:top;width:{width};margin:0 1% 12px 0">{player}'
        f"<figcaption>{_as_text(caption)}{problem}{note}</figcaption></figure>"
    )


def show_moments(hits: pd.DataFrame, *, columns: int = 2, limit: int = 6, context: float = 0.0) -> None:
    """Show the first `limit` hits as players side by side, each with `context` more seconds on both sides."""
    rows = _records(hits, limit)
    players = [clip_html(row, context=context, width=f"{100 // columns - 2}%") for row in rows]
    words = "\n".join(caption_of(row) for row in rows) or "No moments to show."
    _show({"text/html": "\n".join(players) or words, "text/plain": words})


# ---------------------------------------------------------------- pictures


def _show_picture(png: bytes, *, alt: str, caption: str = "", source: str = "") -> None:
    """The one way out for pictures: PNG, HTML with alt text (`source` or the same PNG), the alt text alone."""
    page = _figure(source or data_uri("image/png", png), alt, caption)
    _show({"image/png": png, "text/html": page, "text/plain": alt})


def _figure(source: str, alt: str, caption: str) -> str:
    words = f"<figcaption>{_as_text(caption)}</figcaption>" if caption else ""
    return f'<figure style="margin:0"><img alt="{html.escape(alt)}" src="{source}">{words}</figure>'


@functools.lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _sheet(rows: Sequence[Hit], columns: int) -> Image.Image:
    """The middle frame of each row with its label, in a grid; a grey tile where there is no frame."""
    stills: list[Image.Image | None] = []
    for row in rows:
        try:
            middle = (row["start_offset_sec"] + row["end_offset_sec"]) / 2
            still = thumbnail(str(row["video_url"]), middle, width=TILE)
            stills.append(ImageOps.contain(still, (TILE, TILE * 3 // 4)))
        except VideoError:
            stills.append(None)
    height = max((picture.height for picture in stills if picture), default=TILE * 9 // 16)
    across = min(columns, len(rows))
    down = -(-len(rows) // across)
    sheet = Image.new("RGB", (across * (TILE + GAP) + GAP, down * (height + LABEL + GAP) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (row, picture) in enumerate(zip(rows, stills, strict=True)):
        x, y = GAP + i % across * (TILE + GAP), GAP + i // across * (height + LABEL + GAP)
        if picture:
            sheet.paste(picture, (x + (TILE - picture.width) // 2, y + height - picture.height))
        else:
            draw.rectangle((x, y, x + TILE - 1, y + height - 1), fill="#cccccc")
        score = f" · {row['score']:.3f}" if "score" in row else ""
        draw.text(
            (x, y + height + 3), f"{row.get('rank', i + 1)} · {format_span(row)}{score}", "black", _font(10)
        )
        title = str(row.get("title") or Path(str(row["video_url"])).stem)
        draw.text((x, y + height + 17), textwrap.shorten(title, 25, placeholder=" …"), "#444444", _font(10))
    return sheet


def _sheet_words(rows: Sequence[Hit], title: str) -> tuple[str, str]:
    """Alt text that lists the tiles, and a caption with the credits that the licences ask for."""
    alt = f"{title or 'Contact sheet'}: " + "; ".join(caption_of(row) for row in rows)
    credits = dict.fromkeys(filter(None, map(credit_of, rows)))
    return alt, ". ".join(filter(None, [title, "Frames: " + "; ".join(credits) if credits else ""]))


def jpeg_uri(picture: Image.Image, quality: int) -> str:
    return data_uri("image/jpeg", _encoded(picture, "JPEG", quality=quality))


def show_contact_sheet(hits: pd.DataFrame, *, columns: int = 5, limit: int = 10, title: str = "") -> None:
    """Show the middle frame of each of the first `limit` hits in one picture; its alt text lists them."""
    if hits.empty:
        _show({"text/plain": "No moments to show."})
        return
    rows = _records(hits, limit)
    sheet = _sheet(rows, columns)
    alt, caption = _sheet_words(rows, title)
    # The PNG is for viewers that draw no HTML: few colours keep it as small as the JPEG.
    png = _encoded(sheet.quantize(64, dither=Image.Dither.NONE), "PNG")
    _show_picture(png, alt=alt, caption=caption, source=jpeg_uri(sheet, 75))


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


def show_figure(fig: Figure, *, alt: str, caption: str = "") -> None:
    """Show a figure with its alt text, and close it, so that it is drawn once and holds no memory."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=90, bbox_inches="tight", facecolor="white")
    plt.close(fig)
    _show_picture(_encoded(Image.open(buffer).convert("RGB"), "PNG"), alt=alt, caption=caption)


def plot_timeline(
    segmentations: Mapping[str, pd.DataFrame], *, title: str = "", until: float | None = None
) -> Figure:
    """Bars over time, a row for each segmentation: {"fixed-6": segments, "dynamic-4": segments} of one video.

    Two shades alternate, so that each boundary is seen. `until` (seconds) shows the beginning only.
    """
    with plt.rc_context(figure_style()):
        fig = Figure(figsize=(7.5, 0.9 + 0.5 * len(segmentations)))
        axes = fig.add_subplot()
        for row, (colour, frame) in enumerate(
            zip(itertools.cycle(PALETTE), segmentations.values(), strict=False)
        ):
            clips = frame[frame["embedding_scope"] == "clip"] if "embedding_scope" in frame else frame
            clips = clips.sort_values("start_offset_sec")
            start, length = clips["start_offset_sec"], clips["end_offset_sec"] - clips["start_offset_sec"]
            bars = list(zip(start.tolist(), length.tolist(), strict=True))
            for shade, alpha in ((0, 0.9), (1, 0.5)):
                axes.broken_barh(bars[shade::2], (row - 0.35, 0.7), facecolor=colour, alpha=alpha)
        axes.set_yticks(range(len(segmentations)), list(segmentations), parse_math=False)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        end = until or max(
            (float(frame["end_offset_sec"].max()) for frame in segmentations.values() if len(frame)),
            default=0.0,
        )
        axes.xaxis.set_major_locator(
            MultipleLocator(next((step for step in TICKS if end <= 10 * step), 3600))
        )
        axes.xaxis.set_major_formatter(lambda seconds, _: format_time(seconds))
        axes.set_xlim(0, until)
        axes.set_xlabel("time (m:ss)")
        axes.set_title(title, parse_math=False)  # a title with two $ is no formula
    return fig


# ---------------------------------------------------------------- the search box


def answer_html(
    search: Callable[..., pd.DataFrame], words: str, *, option: str | None = None, players: int = 4
) -> str:
    """What the search box shows for `words`: a contact sheet and the first players, or one sentence.

    `search(words)` gives hits; where the box offers options it is called as `search(words, option=…)`.
    """
    if not words.strip():
        return "Type a few words first."
    arguments = {} if option is None else {"option": option}
    return hits_html(lambda: search(words.strip(), **arguments), players=players)


def hits_html(search: Callable[[], pd.DataFrame], *, players: int = 4) -> str:
    """What a widget shows of the hits that `search()` gives: a contact sheet and the first players as HTML.

    No hits, or a VideoSearchError, give one sentence.
    """
    try:
        hits = search()
        if hits.empty:
            return "Nothing was found."
        rows = _records(hits, 10)
        sheet = _figure(jpeg_uri(_sheet(rows, 5), 75), *_sheet_words(rows, ""))
        return sheet + "".join(clip_html(row, in_widget=True) for row in rows[:players])
    except VideoSearchError as error:
        return f'<p role="alert">{_as_text(str(error))}</p>'


def nobody_looks() -> bool:
    """Whether this is a run whose outputs are committed: no browser shows its widgets."""
    return os.environ.get("VIDEO_SEARCH_PROGRESS") == "plain" and _server() is None


class QuietWidget(widgets.DOMWidget):  # type: ignore[misc]
    """A widget that leaves one sentence, `instead`, in a committed notebook; the first base class of ours."""

    instead = ""  # at most 110 characters: ipywidgets cuts what is longer

    def __repr__(self) -> str:
        return self.instead

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)  # a pair, with metadata, by anywidget
        if nobody_looks():  # without its kernel a view is an error box, and its id is random
            data.pop("application/vnd.jupyter.widget-view+json", None)
        return data


class SearchBox(QuietWidget, widgets.VBox):  # type: ignore[misc]
    """A line for words, a button and a place for the answer; `search_box` makes one."""

    instead = "A search box stands here once this cell has run: type words of your own."

    def __init__(
        self, search: Callable[..., pd.DataFrame], *, placeholder: str, options: Sequence[str] | None
    ) -> None:
        self.search = search
        self.words = widgets.Text(
            placeholder=placeholder, tooltip="words to search for", layout=widgets.Layout(width="24em")
        )
        self.button = widgets.Button(description="Search", button_style="primary")
        self.option = widgets.Dropdown(
            options=options or [], tooltip="where to search", layout=widgets.Layout(width="12em")
        )
        self.results = widgets.HTML()
        row = [self.words, self.option, self.button] if options else [self.words, self.button]
        super().__init__([widgets.HBox(row), self.results])
        self.button.on_click(lambda _: self.ask())
        # The Enter key, without Text.on_submit, which is deprecated; a change of value also fires on leaving
        # the field, and would search twice when somebody types and then clicks.
        self.words.on_msg(lambda _, message, __: self.ask() if message.get("event") == "submit" else None)

    def ask(self) -> None:
        """Search for what stands in the line, and show the answer."""
        self.results.value = "Searching …"
        try:
            self.results.value = answer_html(self.search, self.words.value, option=self.option.value)
        except Exception:
            self.results.value = "Something unexpected went wrong: call the search in a cell to see what."
            raise


def search_box(
    search: Callable[..., pd.DataFrame], *, placeholder: str = "words", options: Sequence[str] | None = None
) -> SearchBox:
    """A search box for a learner's own words: Enter or the button calls `search(words)` and shows the hits.

    With `options`, a drop-down offers them and the call is `search(words, option=…)`. A VideoSearchError
    appears as its one sentence.
    """
    return SearchBox(search, placeholder=placeholder, options=options)
