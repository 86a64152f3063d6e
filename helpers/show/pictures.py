"""Contact sheets: the middle frames of segments or hits in one picture."""

import functools
import textwrap
from collections.abc import Sequence
from importlib.metadata import distribution

import pandas as pd
from PIL import Image, ImageDraw, ImageFont, ImageOps

from helpers.arguments import check_texts
from helpers.errors import SearchError, VideoError
from helpers.show.captions import (
    Hit,
    caption_of,
    check_count,
    check_hits,
    credits_of,
    format_span,
    records,
    title_of,
)
from helpers.show.output import encoded, jpeg_uri, show_bundle, show_picture
from helpers.videos.frames import thumbnail

TILE, LABEL, GAP = 152, 32, 6  # pixels of a contact sheet: tile width, label height, space between

# The font of the figures, found without importing Matplotlib: a first contact sheet need not wait for that.
FONT = str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf"))


@functools.lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def contact_sheet(rows: Sequence[Hit], columns: int, width: int = TILE) -> Image.Image:
    """The middle frame of each row, `width` pixels wide, with its label, in a grid; a grey tile where there is none."""
    stills: list[Image.Image | None] = []
    for row in rows:
        try:
            middle = (row["start_offset_sec"] + row["end_offset_sec"]) / 2
            still = thumbnail(str(row["video_url"]), middle, width=width)
            stills.append(ImageOps.contain(still, (width, width * 3 // 4)))
        except VideoError:
            stills.append(None)
    height = max((picture.height for picture in stills if picture), default=width * 9 // 16)
    across = min(columns, len(rows))
    down = -(-len(rows) // across)
    sheet = Image.new("RGB", (across * (width + GAP) + GAP, down * (height + LABEL + GAP) + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (row, picture) in enumerate(zip(rows, stills, strict=True)):
        x, y = GAP + i % across * (width + GAP), GAP + i // across * (height + LABEL + GAP)
        if picture:
            sheet.paste(picture, (x + (width - picture.width) // 2, y + height - picture.height))
        else:
            draw.rectangle((x, y, x + width - 1, y + height - 1), fill="#cccccc")
        score = f" · {row['score']:.3f}" if "score" in row else ""
        draw.text(
            (x, y + height + 3), f"{row.get('rank', i + 1)} · {format_span(row)}{score}", "black", _font(10)
        )
        draw.text(
            (x, y + height + 17),
            textwrap.shorten(title_of(row), width // 6, placeholder=" …"),
            "#444444",
            _font(10),
        )
    return sheet


def sheet_words(rows: Sequence[Hit], title: str) -> tuple[str, str]:
    """Alt text that lists the tiles, and a caption with the credits that the licences ask for."""
    alt = f"{title or 'Contact sheet'}: " + "; ".join(caption_of(row) for row in rows)
    return alt, ". ".join(filter(None, [title, credits_of(rows)]))


def show_contact_sheet(
    hits: pd.DataFrame, *, columns: int = 5, limit: int = 10, title: str = "", width: int = TILE
) -> None:
    """Show the middle frame of each of the first `limit` hits in one picture; its alt text lists them.

    `width` is that of a frame, in pixels.
    """
    check_hits(hits)
    check_count(columns, "number of columns")
    check_count(width, "width of a frame")
    if limit is not None:
        check_count(limit, "limit")
    check_texts(SearchError, title=title)
    if hits.empty:
        show_bundle({"text/plain": "No moments to show."})
        return
    rows = records(hits, limit)
    sheet = contact_sheet(rows, columns, width)
    alt, caption = sheet_words(rows, title)
    # The PNG is for viewers that draw no HTML: few colours keep it as small as the JPEG.
    png = encoded(sheet.quantize(64, dither=Image.Dither.NONE), "PNG")
    show_picture(png, alt=alt, caption=caption, source=jpeg_uri(sheet, 75))
