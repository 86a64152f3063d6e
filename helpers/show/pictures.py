"""Contact sheets: the middle frames of segments or hits, in rows that may have names."""

import functools
import html
import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution

import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps

from helpers.arguments import check_limit, check_texts
from helpers.errors import SearchError, VideoError
from helpers.show.captions import (
    Hit,
    caption_of,
    check_count,
    check_hits,
    credits_due,
    format_span,
    has_score,
    is_right,
    records,
    title_of,
)
from helpers.show.output import as_text, credits_html, data_uri, encoded, show_bundle
from helpers.videos.frames import thumbnail

TILE, LABEL, NAME, GAP = 200, 38, 24, 6  # pixels: a tile's width, its words, a row's name, the space between
AROUND = 14  # pixels beside a tile's picture on a page: a frame of 3 on both sides, the space to the next
RIGHT = "#009E73"  # the green of the figures; a tick and a word say the same
TICK = "✓ right"

# The font of the figures, found without importing Matplotlib: a first contact sheet need not wait for that.
FONT = str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf"))


@functools.lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


@dataclass(frozen=True)
class Tile:
    hit: Hit
    still: Image.Image
    words: tuple[str, str]  # rank, time and score; the title


def show_contact_sheet(
    hits: pd.DataFrame,
    *,
    columns: int = 4,
    limit: int = 10,
    title: str = "",
    width: int = TILE,
    rows: str | None = None,
) -> None:
    """Show the middle frame of each of the first `limit` hits; the alt text lists them.

    There are at most `columns` frames side by side, each `width` pixels wide, and fewer in a narrow window.
    `rows` is a column of `hits`: a new value begins a new row, which is named after it. A hit that is True in
    the column `right`, which `mark_right` adds, gets a tick. Raises SearchError for what is no hits.
    """
    check_hits(hits)
    check_count(columns, "number of columns")
    check_count(width, "width of a frame")
    check_limit(SearchError, limit)
    check_texts(SearchError, title=title, rows=rows)
    if rows is not None and rows not in hits:
        raise SearchError(f"The hits have no column {rows!r} that names rows: add it, or leave `rows` out.")
    if hits.empty:
        show_bundle({"text/plain": "No moments to show."})
        return
    first = records(hits, limit)
    groups = itertools.groupby(first, lambda hit: "" if rows is None else str(hit[rows]))
    named = [(name, tiles_of(list(row), width)) for name, row in groups]
    across = max(_across(len(tiles), columns) for _, tiles in named)
    # The PNG is for viewers that draw no HTML, so it has few colours.
    png = encoded(_drawn(named, across).quantize(48, dither=Image.Dither.NONE), "PNG")
    page = sheet_html(named, across=across, title=title, credits=credits_due(first))
    show_bundle({"image/png": png, "text/html": page, "text/plain": _listed(named, title)})


def middle_frame(hit: Hit, *, width: int) -> Image.Image:
    """The frame in the middle of a hit; VideoError as `thumbnail` raises it."""
    middle = (hit["start_offset_sec"] + hit["end_offset_sec"]) / 2
    return thumbnail(str(hit["video_url"]), middle, width=width)


def tiles_of(hits: Sequence[Hit], width: int = TILE) -> list[Tile]:
    """A tile for each hit: its middle frame, `width` pixels wide; a grey one where there is none."""
    tiles = []
    for number, hit in enumerate(hits, start=1):
        try:
            still = ImageOps.contain(middle_frame(hit, width=width), (width, width * 3 // 4))
        except VideoError:
            still = Image.new("RGB", (width, width * 9 // 16), "#cccccc")
        score = f" · {hit['score']:.3f}" if has_score(hit) else ""
        words = f"{hit.get('rank', number)} · {format_span(hit)}{score}", title_of(hit)
        tiles.append(Tile(hit, still, words))
    return tiles


def sheet_html(
    named: Sequence[tuple[str, Sequence[Tile]]], *, across: int = 4, title: str = "", credits: str = ""
) -> str:
    """(name, tiles) of each row as HTML: tiles beside each other, as many as there is room for."""
    parts, share = [f"<div><b>{as_text(title)}</b></div>" if title else ""], f"{100 / across:.4g}%"
    for name, tiles in named:
        parts += [f"<div><b>{as_text(name)}</b></div>" if name else "", "<div>"]
        parts += [*(_tile_html(tile, share) for tile in tiles), "</div>"]
    parts.append(credits_html(credits))
    widest = max(tile.still.width for _, tiles in named for tile in tiles)
    return f'<figure style="margin:0;max-width:{across * (widest + AROUND)}px">{"".join(parts)}</figure>'


def _tile_html(tile: Tile, share: str) -> str:
    """A tile that takes its share of the page's width, and up to a tenth less than its picture has."""
    right, (place, title), width = is_right(tile.hit), tile.words, tile.still.width
    mark = f"<b>{TICK}</b> · " if right else ""
    source = data_uri("image/webp", encoded(tile.still, "WEBP", quality=70))
    return (
        f'<figure style="display:inline-block;vertical-align:top;box-sizing:border-box;width:{share};'
        f'min-width:{width * 9 // 10 + AROUND}px;max-width:{width + AROUND}px;margin:0;padding:0 8px 8px 0">'
        f'<img alt="{html.escape(caption_of(tile.hit))}" src="{source}" style="display:block;'
        f'box-sizing:border-box;max-width:100%;margin:0;border:3px solid {RIGHT if right else "transparent"}">'
        f'<figcaption style="margin:0 3px;font-size:13px;line-height:1.35">{as_text(place)}<br>'
        f"{mark}{as_text(title)}</figcaption></figure>"
    )


def _across(tiles: int, columns: int) -> int:
    """How many tiles stand side by side, so that the last line is about as long as the others."""
    return -(-tiles // -(-tiles // columns))


def _listed(named: Sequence[tuple[str, Sequence[Tile]]], title: str) -> str:
    lines = [
        (f"{name}: " if name else "") + "; ".join(caption_of(t.hit) for t in tiles) for name, tiles in named
    ]
    between = "\n" if len(lines) > 1 else " "
    return f"{title or 'Contact sheet'}:{between}" + "\n".join(lines)


def _drawn(named: Sequence[tuple[str, Sequence[Tile]]], across: int) -> Image.Image:
    """The sheet as one picture."""
    stills = [tile.still for _, tiles in named for tile in tiles]
    width, height = max(still.width for still in stills), max(still.height for still in stills)
    line = height + LABEL + GAP
    tall = sum(-(-len(tiles) // across) * line + (NAME if name else 0) for name, tiles in named)
    sheet = Image.new("RGB", (across * (width + GAP) + GAP, tall + GAP), "white")
    draw, y = ImageDraw.Draw(sheet), GAP
    for name, tiles in named:
        if name:
            draw.text((GAP, y), name, "black", _font(14))
            y += NAME
        for i, tile in enumerate(tiles):
            x, top = GAP + i % across * (width + GAP), y + i // across * line
            _draw_tile(sheet, tile, (x, top), (width, height))
        y += -(-len(tiles) // across) * line
    return sheet


def _draw_tile(sheet: Image.Image, tile: Tile, at: tuple[int, int], size: tuple[int, int]) -> None:
    (x, y), (width, height), draw = at, size, ImageDraw.Draw(sheet)
    place, title = tile.words
    sheet.paste(tile.still, (x + (width - tile.still.width) // 2, y + height - tile.still.height))
    if is_right(tile.hit):
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=RIGHT, width=3)
        title = f"{TICK} · {title}"
    draw.text((x, y + height + 3), place, "black", _font(12))
    title = textwrap.shorten(title, max(width // 7, 5), placeholder=" …")
    draw.text((x, y + height + 19), title, RIGHT if is_right(tile.hit) else "#444444", _font(12))
