"""The way out of a cell for pictures and HTML, with alt text.

Outputs are the same from run to run, because they are committed and compared.
"""

import base64
import html
import io
import re
from typing import Any

from IPython.display import display
from PIL import Image


def as_text(words: str) -> str:
    """Words as HTML that shows just them: not marked up, and no formula made of what stands between two $."""
    escaped = html.escape(words)
    return f'<span class="mathjax_ignore">{escaped}</span>' if re.search(r"[$\\]", words) else escaped


def credits_html(credits: str) -> str:
    """Credits as a line of their own; the slides know them by the class. "" for none."""
    return f'<div><small class="credits">{as_text(credits)}</small></div>' if credits else ""


def show_bundle(bundle: dict[str, Any]) -> None:
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, optimize=True, **options)
    return buffer.getvalue()


def show_picture(png: bytes, *, alt: str, caption: str = "", credits: str = "", source: str = "") -> None:
    """The one way out for pictures: PNG, HTML with alt text (`source` or the same PNG), the alt text alone."""
    page = figure_html(source or data_uri("image/png", png), alt, caption) + credits_html(credits)
    show_bundle({"image/png": png, "text/html": page, "text/plain": alt})


def figure_html(source: str, alt: str, caption: str) -> str:
    words = f"<figcaption>{as_text(caption)}</figcaption>" if caption else ""
    return f'<figure style="margin:0"><img alt="{html.escape(alt)}" src="{source}">{words}</figure>'


def jpeg_uri(picture: Image.Image, quality: int) -> str:
    return data_uri("image/jpeg", encoded(picture, "JPEG", quality=quality))
