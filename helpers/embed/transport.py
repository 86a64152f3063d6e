"""Below the SDK: an HTTP client that keeps to the deadline of a call, waits for a rate limit, and logs."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from helpers.embed.rate_limits import used_up_for
from helpers.errors import SettingsError
from helpers.settings import is_local

log = logging.getLogger("video_search.api")

TIMEOUT = httpx.Timeout(120, connect=10)  # seconds of silence, not of the whole call: see `within`

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)  # by time.monotonic()
_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)
_full: dict[str, float] = {}  # of a service -> time.monotonic() until which its rate limit has nothing left


class RedirectError(httpx.RequestError):
    """A request was sent on to another host, to which neither the key nor a file goes; its name is the text."""


def http_client(address: str) -> httpx.Client:
    """An HTTP client for a service that keeps to the deadline of `within`, waits for a rate limit, and logs.

    Raises SettingsError where the environment names a proxy or certificates that cannot be used.
    """
    return httpx.Client(
        timeout=TIMEOUT,
        follow_redirects=True,
        transport=_transport(address),
        event_hooks={"request": [_before], "response": [_after, take_vectors_whole]},
    )


def _transport(address: str) -> httpx.HTTPTransport:
    """What reaches an address: through the proxy that the environment names for it, never for this machine."""
    variable, proxy = proxy_for(address)
    try:
        if proxy and not (httpx.URL(proxy).host and httpx.URL(proxy).path in ("", "/")):
            raise ValueError("no host, or a password with a / in it")
        return httpx.HTTPTransport(proxy=proxy)
    except ImportError as error:
        raise SettingsError(
            f"{variable} names a SOCKS proxy, which needs one more package: run `python -m pip install socksio`, "
            "or set it to an http:// proxy."
        ) from error
    except (ValueError, httpx.InvalidURL):  # without its text, which may hold a password
        raise SettingsError(
            f"{variable} is no address of a proxy: write it as http://host:port (of a password, write @ as %40 "
            "and / as %2F), or unset it."
        ) from None
    except OSError as error:
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        raise SettingsError(
            f"{name} is {os.environ.get(name)!r}, where no certificates can be read ({error.strerror or error}): "
            "mend the path, or unset it."
        ) from error


def proxy_for(address: str) -> tuple[str, str | None]:
    """The variable that names the proxy for an address, and the proxy; "" and None where there is none."""
    url, proxies = httpx.URL(address), getproxies()
    kind = url.scheme if proxies.get(url.scheme) else "all"
    proxy = proxies.get(kind)
    port = url.port or {"http": 80}.get(url.scheme, 443)  # NO_PROXY may name it
    if not proxy or is_local(address) or proxy_bypass(f"{url.host}:{port}"):
        return "", None
    names = [name for name in os.environ if name.lower() == f"{kind}_proxy" and os.environ[name]]
    return min(names, default="The system's proxy"), proxy if "://" in proxy else f"http://{proxy}"


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
    """Stay with the service, wait for its rate limit, and let no step outlast the call that it is part of."""
    deadline, stop = _deadline.get(), _stop.get()
    first, url = request.extensions.setdefault("first_url", request.url), request.url
    if url.netloc != first.netloc or url.scheme not in (first.scheme, "https"):
        raise RedirectError(url.netloc.decode(), request=request)
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


def take_vectors_whole(response: httpx.Response) -> None:
    """For `event_hooks`: the SDK looks at each number of a list by itself, 10 µs each, and at a tuple as one."""
    response.__class__ = _Answer


class _Answer(httpx.Response):
    def json(self, **options: Any) -> Any:
        return super().json(object_hook=_vector_as_tuple, **options)


def _vector_as_tuple(found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(found.get("embedding"), list):
        found["embedding"] = tuple(found["embedding"])  # the SDK's models make a list of it again
    return found


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
