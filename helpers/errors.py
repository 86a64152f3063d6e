"""The errors of this project: one family, so that `except VideoSearchError` catches them all.

Each message is one sentence that says what happened and what to do about it.
"""

import re
from datetime import datetime


class VideoSearchError(Exception):
    """Base of every error that the helpers raise on purpose; its message is one line, whatever it quotes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(re.sub(r"\s*\n\s*", " ", str(message)))


class SettingsError(VideoSearchError):
    """A switch, a path or an environment variable is not usable."""


class VideoError(VideoSearchError):
    """A video, image or description file is missing, damaged or outside the limits."""


class EmbedError(VideoSearchError):
    """The Embed API refused a request, failed, or did not answer in time.

    `status` is the HTTP status code, or None where the failure is not an HTTP answer; `request_id` is what
    the service calls the request, where it says so. `unsure` is true where the service may have acted all the
    same: the answer was lost on its way.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None, unsure: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.request_id, self.unsure = status, request_id, unsure


class QuotaError(EmbedError):
    """The rate limit or a quota is used up: nothing is lost, `resume_at` (UTC) says when to go on, if known."""

    def __init__(
        self, message: str, *, resume_at: datetime | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, status=429, request_id=request_id)
        self.resume_at = resume_at


class DataError(VideoSearchError):
    """A file under data/ (fixture, model, ground truth) is missing or is not the file that was published."""


class StoreError(VideoSearchError):
    """Milvus cannot be opened, or what is to be written does not fit the collection."""


class SearchError(VideoSearchError):
    """A search that cannot be answered as asked: wrong model, dimension, option or filter."""


class AnalysisError(VideoSearchError):
    """Clusters, labels or maps that cannot be made from what was given."""


class VideoSearchWarning(UserWarning):
    """What could not be done or shown, in one sentence; all else goes on."""
