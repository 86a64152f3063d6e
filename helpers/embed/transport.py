"""Below the SDK: an HTTP client that keeps to the deadline of a call, waits for a rate limit, and logs."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

from helpers.embed.rate_limits import used_up_for

log = logging.getLogger("video_search.api")

TIMEOUT = httpx.Timeout(120, connect=10)  # seconds of silence, not of the whole call: see `within`

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)  # by time.monotonic()
_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)
_full: dict[str, float] = {}  # of a service -> time.monotonic() until which its rate limit has nothing left


def http_client(*, local: bool = False) -> httpx.Client:
    """An HTTP client that keeps to the deadline of `within`, waits for a used-up rate limit, and logs."""
    return httpx.Client(
        timeout=TIMEOUT,
        follow_redirects=True,
        trust_env=not local,  # a proxy knows nothing of a server on this machine
        event_hooks={"request": [_before], "response": [_after]},
    )


@contextmanager
def within(seconds: float, stop: threading.Event | None) -> Iterator[None]:
    """All requests of the block end in so many seconds, answers that drip included; `stop` ends their pauses."""
    tokens = _deadline.set(time.monotonic() + seconds), _stop.set(stop)
    try:
        yield
    finally:
        _deadline.reset(tokens[0])
        _stop.reset(tokens[1])


def _sharing(request: httpx.Request) -> str:
    """What shares a rate limit: all that is to be embedded at a service, or all else."""
    return f"{request.url.netloc!r} {'embed' if '/embed' in request.url.path else 'other'}"


def _before(request: httpx.Request) -> None:
    """Wait for the rate limit; and no step of a request may outlast the call that it is part of."""
    deadline, stop = _deadline.get(), _stop.get()
    pause = _full.get(_sharing(request), 0.0) - time.monotonic()
    if request.method == "POST" and pause > 0 and (deadline is None or time.monotonic() + pause < deadline):
        log.debug(
            "the rate limit is used up: a pause", extra={"event": "api.pause", "pause": round(pause, 3)}
        )
        (stop or threading.Event()).wait(pause)
        if stop and stop.is_set():
            raise httpx.PoolTimeout("Stopped before the request was sent.", request=request)
    request.extensions["started"] = time.monotonic()
    if deadline is not None:
        left = max(deadline - time.monotonic(), 0.001)
        timeouts: dict[str, float | None] = request.extensions["timeout"]
        request.extensions["timeout"] = {k: min(v or left, left) for k, v in timeouts.items()}


def _after(response: httpx.Response) -> None:
    request = response.request
    log.debug(
        "%s %s",
        request.method,
        request.url.path,
        extra={
            "event": "api",
            "method": request.method,
            "path": request.url.path,
            "status": response.status_code,
            "seconds": round(time.monotonic() - request.extensions["started"], 4),
            "outcome": "ok" if response.is_success else "refused",
        },
    )
    if request.method == "POST" and (pause := used_up_for(response.headers)):
        _full[_sharing(request)] = time.monotonic() + pause
    if (deadline := _deadline.get()) is not None:
        response.stream = _InTime(response.stream, deadline, request)


class _InTime(httpx.SyncByteStream):
    """A body that must be there by `deadline`: httpx's own timeouts end only where nothing comes at all."""

    def __init__(self, stream: Any, deadline: float, request: httpx.Request) -> None:
        self.stream, self.deadline, self.request = stream, deadline, request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            if time.monotonic() > self.deadline:
                raise httpx.ReadTimeout("The answer drips too slowly.", request=self.request)
            yield chunk

    def close(self) -> None:
        self.stream.close()
