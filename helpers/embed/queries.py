"""Words, images and clips as queries, through the Embed API v2."""

import base64
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from twelvelabs import TwelveLabs
from twelvelabs.types import (
    ImageInputRequest,
    MediaSource,
    MultiInputMediaSource,
    MultiInputRequest,
    TextInputRequest,
    VideoInputRequest,
)

from helpers.arguments import is_number
from helpers.embed.cache import Cache
from helpers.embed.client import call, check_client, service_of, settings_of
from helpers.errors import EmbedError
from helpers.files import cache_key
from helpers.models import Model, model_facts
from helpers.segments import Query, check_vectors
from helpers.videos.frames import cut_clip
from helpers.videos.images import picture_to_send
from helpers.videos.media import probe
from helpers.videos.samples import is_address


def embed_text(client: TwelveLabs, text: str, *, model: str | None = None) -> Query:
    """Embed words as a query; EmbedError if they are empty, too many, or not readable by the model."""
    if not isinstance(text, str):
        raise EmbedError(f"The query is a {type(text).__name__}: give its words as text.")
    if not text.strip():
        raise EmbedError("The query is empty: type at least one word.")
    facts = model_facts(settings_of(client).model if model is None else model)
    if (words := len(text.split())) > facts.words:
        raise EmbedError(f"The query has {words:,} words: shorten it to the few that matter.")
    return _embed(client, text, None, source=text, model=facts)


def embed_image(client: TwelveLabs, path_or_url: str | Path, *, model: str | None = None) -> Query:
    """Embed an image (a path or a URL) as a query; a large or unusual one is sent as a smaller JPEG.

    Raises VideoError if there is no such file, or none that can be read.
    """
    if not isinstance(path_or_url, str | Path):
        raise EmbedError(f"The image is a {type(path_or_url).__name__}: give a path or an address.")
    facts = model_facts(settings_of(client).model if model is None else model)
    media = {"media_type": "image", **_media(str(path_or_url))}
    return _embed(client, None, media, source=Path(str(path_or_url)).name, model=facts)


def embed_clip(
    client: TwelveLabs,
    path: str | Path,
    *,
    start: float = 0.0,
    end: float | None = None,
    model: str | None = None,
) -> Query:
    """Embed the seconds [start, end) of a video as a query; `end=None` is the end of the file.

    A query lasts 30 s at most, with Marengo 3.0 ten minutes.
    Raises VideoError for no such file or no video, EmbedError for a span that is too long or outside of it.
    """
    if not isinstance(path, str | Path):
        raise EmbedError(f"The video is a {type(path).__name__}: give the path of a file.")
    for name, second in (("start", start), ("end", 0.0 if end is None else end)):
        if not is_number(second):
            raise EmbedError(f"The {name} is {second!r}: give seconds as a number.")
    facts = model_facts(settings_of(client).model if model is None else model)
    path = Path(os.path.abspath(os.path.expanduser(path)))
    duration, longest = probe(path).duration, facts.query_seconds
    end = duration if end is None else end
    if not (0 <= start < end <= duration + 0.1 and end - start <= longest):
        raise EmbedError(
            f"A clip as a query lasts up to {longest:g} s inside the video's {duration:g} s, "
            f"not from {start:g} to {end:g} s: name another start and end."
        )
    data = cut_clip(path, start, end)
    media = {"media_type": "video", "base_64_string": base64.b64encode(data).decode()}
    return _embed(client, None, media, source=path.name, model=facts)


def _embed(
    client: TwelveLabs, text: str | None, media: dict[str, str] | None, *, source: str, model: Model
) -> Query:
    cache = Cache(settings_of(client).home / "cache" / "queries")
    key = cache_key(model=model.name, text=text, media=media, **service_of(client))
    kept = cache.get(key)
    if kept is None:
        check_client(client)  # what is cached needs none
        request = query_request(text, media, model=model)
        answer = call(lambda: client.embed.v_2.create(**request), f"embed the query {source[:60]!r}")
        if not answer.data:
            raise EmbedError(f"The Embed API returned no vector for {source[:60]!r}: try other words.")
        kept = pd.DataFrame({"embedding": [np.asarray(answer.data[0].embedding, dtype=np.float32)]})
        check_vectors(kept["embedding"], source)
        cache.put(key, kept)
    return Query(np.asarray(kept["embedding"].iloc[0], dtype=np.float32), model.name, source)


def query_request(text: str | None, media: dict[str, str] | None, *, model: Model) -> dict[str, Any]:
    """The arguments of `client.embed.v_2.create` for words or a picture or a clip.

    Marengo 3.5 takes every query as `multi_input`; 3.0 has an input type of its own for each.
    """

    def of_kind(kind: str, value: Any) -> dict[str, Any]:
        return {"input_type": kind, "model_name": model.name, kind: value}

    if model.temporal:
        sources = [MultiInputMediaSource.model_validate(media)] if media else None
        return of_kind("multi_input", MultiInputRequest(input_text=text, media_sources=sources))
    if media is None:
        return of_kind("text", TextInputRequest(input_text=text or ""))
    source = MediaSource.model_validate({k: v for k, v in media.items() if k != "media_type"})
    if media["media_type"] == "image":
        return of_kind("image", ImageInputRequest(media_source=source))
    whole = VideoInputRequest(media_source=source, embedding_option=["visual"], embedding_scope=["asset"])
    return of_kind("video", whole)


def _media(source: str) -> dict[str, str]:
    if is_address(source):
        return {"url": source}
    return {"base_64_string": base64.b64encode(picture_to_send(source)).decode()}
