"""The errors of this project: one family, so that `except VideoSearchError` catches them all.

Each message is one sentence that says what happened and what to do about it.
"""


class VideoSearchError(Exception):
    """Base of every error that the helpers raise on purpose."""


class SettingsError(VideoSearchError):
    """A switch, a path or an environment variable is not usable."""


class VideoError(VideoSearchError):
    """A video, image or description file is missing, damaged or outside the limits."""


class EmbedError(VideoSearchError):
    """The Embed API refused a request, failed, or did not answer in time.

    `status` is the HTTP status code, or None where the failure is not an HTTP answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DataError(VideoSearchError):
    """A file under data/ (fixture, model, ground truth) is missing or is not the file that was published."""


class StoreError(VideoSearchError):
    """Milvus cannot be opened, or what is to be written does not fit the collection."""


class SearchError(VideoSearchError):
    """A search that cannot be answered as asked: wrong model, dimension, option or filter."""
