"""What the protocol asks of a brain, checked and typed, and what it gets. All times are seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from helpers.models import Model
from helpers.segmentation import SCOPES, Segmentation
from helpers.standin.assets import Media
from helpers.standin.unfinished import Unfinished
from helpers.standin.wire import Body
from helpers.videos.cues import Cue


@dataclass(frozen=True)
class VideoRequest:
    """What is to be embedded of a video; `options` is empty where the request leaves them to the model."""

    model: Model
    media: Media
    dimension: int
    options: tuple[str, ...]
    scopes: tuple[str, ...]
    segmentation: Segmentation
    start: float
    end: float
    kinds: tuple[str, ...]  # "separate_embedding" and "fused_embedding"
    cues: tuple[Cue, ...]  # time_based_metadata
    uncertain: bool
    notes: list[str] = field(default_factory=list, compare=False)  # what the brain has to say of its answer
    work: Unfinished = field(default_factory=Unfinished, compare=False)


@dataclass(frozen=True)
class QueryRequest:
    """Words, or media, or both; `media` are (media_type, what it holds)."""

    model: Model
    dimension: int
    text: str | None
    media: tuple[tuple[str, Media], ...]
    auto_truncate: bool


class Brain(Protocol):
    """What gives the vectors. Its methods raise Refusal, EmbedError or VideoError for what it cannot do."""

    name: str  # in messages
    models: tuple[str, ...]
    media_types: tuple[str, ...]  # of queries

    def unknown_model(self, name: str) -> str:
        """What to say of a model that it does not have."""

    def fetch(self, url: str) -> Media:
        """What a URL leads to."""

    def check(self, request: VideoRequest) -> None:
        """Refuse what is asked of a video."""

    def check_media(self, media: Media) -> None:
        """Refuse a video for a task."""

    def embed(self, request: VideoRequest) -> list[Body]:
        """The rows of a video, as `vector_row` writes them."""

    def embed_query(self, request: QueryRequest) -> list[float]:
        """The one vector of a query."""

    def usage(self, model: Model, **tokens: int) -> Body:
        """What an answer says of the tokens that it took, if anything."""


def vector_row(
    vector: Sequence[float],
    option: str | None = None,
    scope: str | None = None,
    start: float | None = None,
    end: float | None = None,
) -> Body:
    """One vector as it stands in an answer; that of a query has no option, scope and time."""
    place = {"embedding_option": option, "embedding_scope": scope, "start_sec": start, "end_sec": end}
    return {"embedding": list(vector)} | place


def video_metadata(wanted: VideoRequest, rows: Sequence[Body]) -> Body:
    """What an answer says of a video."""
    found = {str(row[name]) for row in rows for name in ("embedding_option", "embedding_scope")}
    metadata: Body = {
        "input_type": "video",
        "embedding_options": [o for o in (*wanted.model.options, "fused") if o in found],
        "embedding_scopes": [scope for scope in SCOPES if scope in found],
        "duration": wanted.media.duration,
        "embedding_dimension": wanted.dimension,
    }
    if wanted.segmentation.strategy == "fixed":
        metadata["clip_length"] = int(wanted.segmentation.seconds)
    if wanted.notes:  # the service has no such field
        metadata["notes"] = list(wanted.notes)
    return metadata
