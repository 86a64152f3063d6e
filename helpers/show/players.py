"""Players at the right second, of the file itself or of a clip of it."""

import html
import json
import math
import os
import urllib.parse
from pathlib import Path

import pandas as pd
from jupyter_core.paths import jupyter_runtime_dir

from helpers.arguments import check_limit, is_number
from helpers.errors import SearchError, VideoError
from helpers.settings import ROOT
from helpers.show.captions import Hit, caption_of, check_count, check_hits, credits_due, records
from helpers.show.output import as_text, credits_html, data_uri, jpeg_uri, show_bundle
from helpers.show.tracks import captions_html
from helpers.videos.frames import local_file, thumbnail
from helpers.videos.playable import is_playable, playable_clip, player_seconds
from helpers.videos.samples import local_path


def lab_server() -> tuple[str, Path] | None:
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
    itself as a data URI. A fragment counts as the player does: by the file's own clock.
    """
    path = local_path(video_url)
    if path is None:
        return video_url.partition("#")[0] + _fragment(start, end)
    server = lab_server()
    root = server[1] if server else ROOT
    inside = path.relative_to(root) if path.is_relative_to(root) else None
    reachable = inside is not None and not any(part.startswith(".") for part in inside.parts)
    if inside is not None and reachable and (server or not in_widget) and is_playable(local_file(path)):
        fragment = _fragment(*player_seconds(path, start, end))
        if in_widget and server:
            return f"{server[0]}files/{urllib.parse.quote(inside.as_posix())}{fragment}"
        return urllib.parse.quote(Path(os.path.relpath(path)).as_posix()) + fragment
    return data_uri("video/mp4", playable_clip(path, start, end))


def _fragment(start: float, end: float) -> str:
    return f"#t={round(start, 3):g},{round(end, 3):g}"


def clip_html(hit: Hit, *, context: float = 0.0, width: str = "48%", in_widget: bool = False) -> str:
    """One player as HTML: it starts at the hit's first second and stops at its last.

    `hit` is a row of hits, or any mapping with video_url, start_offset_sec and end_offset_sec; `context` adds
    seconds before and after. A file that is missing or cannot be read gives its caption and one sentence.
    Credits belong below all players.
    """
    url = str(hit["video_url"])
    start, end = max(0.0, hit["start_offset_sec"] - context), hit["end_offset_sec"] + context
    caption, poster, captions, problem, player = caption_of(hit), "", "", "", ""
    try:
        source = player_source(url, start, end, in_widget=in_widget)
        if (path := local_path(url)) is not None:
            captions = _captions(path, start, end, source)
            poster = f' poster="{jpeg_uri(thumbnail(url, (start + end) / 2), 60)}"'
        # The address stands on <video>: JupyterLab removes <source> from a notebook that was not run yet.
        player = (
            f'<video src="{html.escape(source)}" controls preload="metadata" width="100%"{poster} '
            f'aria-label="{html.escape(caption)}">{captions}</video>'
        )
    except VideoError as error:
        problem = f"<br>{as_text(str(error))}"
    return (
        f'<figure style="display:inline-block;vertical-align:top;width:{width};margin:0 1% 12px 0">{player}'
        f"<figcaption>{as_text(caption)}{problem}</figcaption></figure>"
    )


def _captions(path: Path, start: float, end: float, source: str) -> str:
    """The captions where somebody looks: JupyterLab takes their address out of a notebook that was not run yet."""
    if lab_server() is None:
        return ""
    shift = -start if source.startswith("data:") else player_seconds(path, 0.0)[0]
    return captions_html(path, start, end, shift=shift)


def show_moments(hits: pd.DataFrame, *, columns: int = 2, limit: int = 6, context: float = 0.0) -> None:
    """Show the first `limit` hits as players side by side, each with `context` more seconds on both sides."""
    check_hits(hits)
    check_count(columns, "number of columns")
    check_limit(SearchError, limit)
    if not is_number(context) or math.isinf(context):
        raise SearchError(f"The context is {context!r}: give seconds as a number.")
    rows = records(hits, limit)
    width = f"{100 // columns - 2}%"
    players = [clip_html(row, context=context, width=width) for row in rows]
    page = "\n".join(players) + credits_html(credits_due(rows))
    words = "\n".join(caption_of(row) for row in rows) or "No moments to show."
    show_bundle({"text/html": page or words, "text/plain": words})
