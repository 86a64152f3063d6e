"""The brain of the practice server: vectors drawn at random, always the same ones for the same content.

Two things only are not left to chance, so that the notebooks have something to find: clips of one video resemble
each other, and words resemble a clip of a sample video whose description track has the same words. What the
service's documents do not say is guessed: a video without sound has no rows for what is heard.
"""

import functools
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from helpers.errors import SettingsError
from helpers.models import MODELS, Model
from helpers.standin.assets import Media, look
from helpers.standin.brain import QueryRequest, VideoRequest, vector_row
from helpers.standin.wire import Body, Refusal, invalid, sha256
from helpers.videos.cues import Cue, describe, description_track

LIVE_MODELS = tuple(name for name, model in MODELS.items() if not model.offline)
DIMENSION = 512
QUERY_BYTES = 32_000_000
STOP_WORDS = frozenset(
    "a an and are at by for from in into is it its of on or out that the then to with you".split()
)


class PracticeBrain:
    """Stands for `models`; another `seed` gives other vectors. SettingsError for a model that nobody practises."""

    name = "The practice server"
    media_types: tuple[str, ...] = ("image", "video", "audio")

    def __init__(self, models: tuple[str, ...], *, seed: int) -> None:
        self.models, self.seed = models, seed
        if unknown := [name for name in models if name not in LIVE_MODELS]:
            raise SettingsError(
                f"There is no model {unknown[0]!r} to practise with: {', '.join(LIVE_MODELS)}."
            )

    def unknown_model(self, name: str) -> str:
        return f"There is no model {name} here, only {', '.join(self.models)}."

    def fetch(self, url: str) -> Media:
        """The file at a URL of this machine; any other is never fetched, and stands for a video of 30 s."""
        if urlsplit(url).hostname not in ("localhost", "127.0.0.1"):
            return Media(sha256(url), 1_000_000, "video", 30.0, 640, 360, has_audio=True)
        try:
            got = httpx.get(url, timeout=10).raise_for_status()
        except httpx.HTTPError:
            return Media(sha256(url), 0, "", problem="failed to fetch or materialize source media")
        return look(io.BytesIO(got.content), Path(urlsplit(url).path).name)

    def check(self, request: VideoRequest) -> None:
        newer = request.model.temporal
        fused, timed = "fused_embedding" in request.kinds, bool(request.cues)
        if timed and not (newer and fused):
            raise invalid("time_based_metadata needs marengo3.5 and fused_embedding.")
        if fused and (len(request.options or request.model.options) < 2 or (newer and not timed)):
            raise invalid("fused_embedding needs two options (and, in 3.5, time_based_metadata).")
        if request.uncertain and (not newer or "asset" in request.scopes):
            raise invalid("embedding_uncertainty needs marengo3.5 without scope asset.")

    def check_media(self, media: Media) -> None:
        """A Refusal, with the documented code, for what the service does not embed."""
        long, short = max(media.width, media.height), min(media.width, media.height)
        wrong = {
            "video_duration_too_short": media.duration < 4,
            "video_duration_too_long": media.duration > 4 * 3600,
            "video_resolution_too_low": short < 360,
            "video_resolution_too_high": long > 5184 or short > 2160,
            "video_resolution_invalid_aspect_ratio": long > 2.4 * short,
        }
        if code := next((code for code, is_so in wrong.items() if is_so), ""):
            seen = f"{media.width}x{media.height}, {media.duration:g} s"
            raise Refusal(400, code, f"The video cannot be embedded: {code.replace('_', ' ')} ({seen}).")

    def embed(self, request: VideoRequest) -> list[Body]:
        """The rows of a video, in no particular order: by scope and time at random."""
        media, key, size = request.media, (self.seed, request.model.name), request.dimension
        length, cut = request.end - request.start, request.segmentation
        cuts = _random_cuts(length, shortest=cut.seconds, seed=int(media.content[:8], 16))
        clips = [
            (round(request.start + a, 3), round(request.start + b, 3))
            for a, b in cut.bounds(length, cuts=cuts)
        ]
        options = list(request.options or request.model.options)
        if not media.has_audio:  # nothing to hear, nothing to embed
            options = [option for option in options if option == "visual"]
        options = options if "separate_embedding" in request.kinds else []
        options += ["fused"] if "fused_embedding" in request.kinds else []
        spans = [("clip", *clip) for clip in clips if "clip" in request.scopes]
        spans += [("asset", request.start, request.end)] if "asset" in request.scopes else []
        rows = [
            vector_row(segment_vector(media.content, option, *span, key=key, size=size), option, *span)
            for option in options
            for span in spans
        ]
        if request.uncertain:
            rows = [row | {"embedding_uncertainty": [0.01] * size} for row in rows]
        return [rows[i] for i in np.random.default_rng(self.seed).permutation(len(rows))]

    def embed_query(self, request: QueryRequest) -> list[float]:
        """The vector of words and of files."""
        text, most = request.text, request.model.words
        if text and len(text.split()) > most and not request.auto_truncate:
            raise Refusal(400, "token_limit_exceeded", f"The text has more than {most} tokens.")
        if any(media.size > QUERY_BYTES for _, media in request.media):
            raise Refusal(413, "content_too_large", "A media source of a query may have 32 MB.")
        key = (self.seed, request.model.name)
        parts = [(0.3, direction(*key, "text", text)), *words_of(text, key)] if text else []
        parts += [(1.0, direction(*key, media.content)) for _, media in request.media]
        return mixture(parts, size=request.dimension)

    def usage(self, model: Model, **tokens: int) -> Body:
        return {"usage": {"input_tokens": tokens, "truncated": False}} if model.temporal else {}


@functools.lru_cache(maxsize=4096)
def direction(*parts: object) -> Any:
    """A unit vector for these parts, always the same, and at nearly a right angle to any other."""
    seed = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big")
    row = np.random.default_rng(seed).normal(size=DIMENSION)
    return row / np.linalg.norm(row)


def mixture(parts: Sequence[tuple[float, Any]], *, size: int = DIMENSION) -> list[float]:
    """The first `size` numbers of the weighted sum; of nearly unit length, as the service's vectors are."""
    row = sum(weight * part for weight, part in parts)[:size]
    return [round(float(x), 7) for x in row * (0.997 / np.linalg.norm(row))]


def words_of(text: str, key: tuple[object, ...]) -> list[tuple[float, Any]]:
    """The words that carry something, each with a direction of its own; all together of about unit length."""
    words = {word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower()) if word not in STOP_WORDS}
    return [(len(words) ** -0.5, direction(*key, "word", word)) for word in sorted(words)]


def segment_vector(
    content: str, option: str, scope: str, start: float, end: float, *, key: tuple[object, ...], size: int
) -> list[float]:
    """The vector of a segment of the file with this sha256; `key` sets one model, or one server, apart."""
    video = (*key, content, option)
    parts = [(0.6, direction(*video)), (0.5, direction(*video, scope, start, end))]
    if option in ("visual", "fused"):
        described = words_of(describe(_sample_cues(content), start, end), key)
        parts += [(0.6 * weight, word) for weight, word in described]
    return mixture(parts, size=size)


def _random_cuts(duration: float, *, shortest: float, seed: int) -> list[float]:
    """Times between `shortest` and 10 s apart, as if there were shots."""
    steps = np.random.default_rng(seed).uniform(shortest, 10, size=int(duration // shortest) + 1)
    return [float(cut) for cut in np.cumsum(steps) if cut < duration]


@functools.lru_cache(maxsize=64)
def _sample_cues(content: str) -> list[Cue]:
    """The description track of a sample video, known by the sha256 of the file; none for any other."""
    return description_track(Path("no file"), content)
