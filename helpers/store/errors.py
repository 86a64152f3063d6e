"""What Milvus answers when a call fails, in one sentence; and a line in the log for every call."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from pymilvus import MilvusException

from helpers.errors import StoreError, VideoSearchError
from helpers.logs import timed

FAILURES = (MilvusException, grpc.RpcError, grpc.FutureTimeoutError)
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
SILENT = ("UNAVAILABLE", "Fail connecting", "Timeout expired")
DAMAGED = re.compile(r"schema file|manifest\.json|not valid JSON|Parquet|Arrow|magic|[Cc]orrupt|Invalid IPC")
NO_ANSWER = "no answer came, so check that Milvus runs and that the network is up, and try again"
TOO_LATE = "no answer came in time"  # a connection stands, and Milvus is at work
LESS = "ask for less at once, as with a narrower filter, or try again when Milvus is less busy"


@contextmanager
def timed_call(event: str, **fields: object) -> Iterator[dict[str, Any]]:
    """`timed`, for calls of Milvus: what Milvus quotes in its reason (a title, a filter) is not logged."""
    with timed(event, **fields) as more:
        try:
            yield more
        except Exception as error:
            more["error"] = re.sub(r"""(['"`<]).*['"`>]""", "…", reason_of(error))
            raise


@contextmanager
def milvus_errors(
    what: str,
    kind: type[VideoSearchError] = StoreError,
    *,
    cure: str = "",
    if_late: str = LESS,
    if_damaged: str = "",
) -> Iterator[None]:
    """Turn an error of Milvus inside the block into `kind`: "<what>: <its reason, in one line>, so <cure>.".

    The cure is for a reason that says nothing about one; a full disk, or no answer, has a cure of its own, and a
    deadline that was hit `if_late`. Only where files are known to be damaged, `if_damaged` is the cure: other rows
    may be good.
    """
    try:
        yield
    except FAILURES as error:
        reason = reason_of(error)
        if reason == TOO_LATE:
            cure = if_late
        if if_damaged and is_damaged(reason):
            cure = if_damaged
        raise kind(f"{what}: {reason}{f', so {cure}' if cure and ', so ' not in reason else ''}.") from error


def is_damaged(reason: str) -> bool:
    """Whether Milvus Lite says that what stands in a file cannot be read, and not that it may not read it."""
    said = re.sub(r"'[^']*'", "", reason)  # without the path, which may hold any word
    return bool(DAMAGED.search(said)) and not re.search(r"errno \d", said, flags=re.I)


def reason_of(error: BaseException) -> str:
    """Why a call failed, in one line: what to do where that is known, else the first line that Milvus gives."""
    text = str(error.message) if isinstance(error, MilvusException) else str(error)
    if isinstance(error, grpc.RpcError) and hasattr(error, "code"):
        text = f"{error.code()} {error.details()}"
    if any(sign in text for sign in SILENT):
        return NO_ANSWER
    if "DEADLINE_EXCEEDED" in text:
        return TOO_LATE
    if "should create connection first" in text:
        return "the client is closed, so open one with connect_milvus"
    if any(f"[Errno {number}]" in text or os.strerror(number) in text for number in FULL):
        return "the disk is full, so make room on it"
    if f"[Errno {errno.ENOENT}]" in text:
        return "the folder was deleted or moved while it was open, so open it anew with connect_milvus"
    return next(iter(text.strip().splitlines()), "").rstrip(".") or "no reason given"
