"""The real Twelve Labs client, live or offline, and one way to call it.

Offline differs from live only in the HTTP transport below the SDK (helpers/standin/offline.py).
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from weakref import WeakKeyDictionary

import httpx
import pydantic
import tenacity
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.environment import TwelveLabsEnvironment

from helpers.embed.rate_limits import LONGEST_PAUSE, pause_asked_for
from helpers.embed.transport import (
    TIMEOUT,
    RedirectError,
    http_client,
    proxy_for,
    take_vectors_whole,
    within,
)
from helpers.errors import EmbedError, QuotaError, SettingsError
from helpers.redaction import redact
from helpers.settings import Settings, check_settings, load_settings, make_home
from helpers.standin.offline import OfflineTransport

T = TypeVar("T")

log = logging.getLogger("video_search.api")

RETRIED = (408, 429, 500, 502, 503, 504)
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # the request never left
WAIT = tenacity.wait_random_exponential(multiplier=0.5, max=20)  # seconds between two tries, with jitter
RATE_WAIT = tenacity.wait_exponential_jitter(multiplier=5, max=60, jitter=5)  # a 429 that says not how long

REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")
WHAT_TO_DO = {
    401: "set TWELVE_LABS_API_KEY to a valid key, or unset it to work offline",
    403: "your plan or key does not allow this: look at your account's page",
    404: "what was asked for is not there, or not any more: check the model's name, or embed the video again",
    413: "make the file smaller, or cut it into parts",
    429: "the rate limit or the quota is used up: wait, then run the cell again",
}

_settings: WeakKeyDictionary[TwelveLabs, Settings] = WeakKeyDictionary()
_offline: WeakKeyDictionary[TwelveLabs, httpx.Client] = WeakKeyDictionary()
_making = threading.Lock()


def connect_twelvelabs(settings: Settings | None = None) -> TwelveLabs:
    """The SDK's client: with the network when `settings.live`, with the offline transport otherwise.

    Raises DataError if a fixture is missing or damaged, SettingsError if the home folder cannot be written or
    the environment names a proxy or certificates that cannot be used.
    """
    settings = load_settings() if settings is None else settings
    check_settings(settings, SettingsError)
    make_home(settings)
    if settings.live:
        http = http_client(settings.base_url or TwelveLabsEnvironment.DEFAULT.value)
        with _making, _base_url(settings.base_url):
            client = TwelveLabs(api_key=settings.api_key, httpx_client=http, timeout=TIMEOUT)
    else:
        transport = OfflineTransport(
            models=settings.data / "models",
            fixtures=settings.data / "fixtures",
            unfinished=settings.home / "cache" / "unfinished",
        )
        http = httpx.Client(transport=transport, event_hooks={"response": [take_vectors_whole]})
        client = TwelveLabs(api_key="offline", httpx_client=http)
        _offline[client] = http
    _settings[client] = settings
    return client


@contextmanager
def http_to(client: TwelveLabs, address: str) -> Iterator[httpx.Client]:
    """What reaches an address that the service of `client` named, such as that of a part of an upload."""
    if offline := _offline.get(client):
        yield offline
    else:
        with http_client(address) as http:
            yield http


@contextmanager
def _base_url(url: str) -> Iterator[None]:
    """The SDK lets this variable win over its own `base_url=`, so it is set while a client is made."""
    kept = os.environ.get("TWELVELABS_BASE_URL")
    os.environ["TWELVELABS_BASE_URL"] = url
    try:
        yield
    finally:
        os.environ.pop("TWELVELABS_BASE_URL")
        if kept is not None:
            os.environ["TWELVELABS_BASE_URL"] = kept


def settings_of(client: TwelveLabs) -> Settings:
    """The settings that a client was made with; those of now for one that was made by hand, or for none."""
    known = _settings.get(client) if isinstance(client, TwelveLabs) else None
    return known or load_settings()


def check_client(client: object) -> None:
    """EmbedError unless this is a client of the SDK, or acts as one."""
    if not hasattr(client, "embed"):
        raise EmbedError(f"The client is a {type(client).__name__}: give what connect_twelvelabs returned.")


def service_of(client: TwelveLabs) -> dict[str, str]:
    """What keeps answers of another service apart in caches: empty for the published address and offline."""
    url = settings_of(client).base_url if settings_of(client).live else ""
    return {"service": url} if url else {}


def call(
    action: Callable[[], T],
    what: str,
    *,
    attempts: int = 5,
    deadline: float = 300.0,
    repeatable: bool = True,
    stop: threading.Event | None = None,
) -> T:
    """Run one SDK call; try again, slower each time, when the service is busy or out of reach.

    `what` completes "Could not ..." in the message. `action` must open its files itself, since a second
    try reads them again. The SDK's own retry stays off: it loses the body of an upload. `deadline` is the
    longest time for all tries together, in seconds, a slow answer included. `repeatable=False` is for what
    must not happen twice: it is tried again only where the service has certainly not acted. Setting `stop`
    ends the waiting.
    Raises QuotaError where the service asks to wait longer than LONGEST_PAUSE, or is busy to the end;
    EmbedError with the HTTP status and what to do for all else.
    """
    until = [tenacity.stop_after_attempt(attempts), tenacity.stop_before_delay(deadline)]
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: _may_repeat(error, repeatable)),
        wait=_pause,
        stop=tenacity.stop_any(*until, *([tenacity.stop_when_event_set(stop)] if stop else [])),
        sleep=tenacity.sleep_using_event(stop) if stop else tenacity.nap.sleep,
        before_sleep=_log_retry,
        reraise=True,
    )
    stopped = EmbedError(f"Stopped on the way to {what}: run the cell again to go on.")

    def act() -> T:
        if stop and stop.is_set():
            raise stopped
        return action()

    try:
        with within(deadline, stop):
            return retrying(act)
    except (ApiError, httpx.HTTPError, pydantic.ValidationError, ValueError) as error:
        # Without its cause: that holds whole bodies and headers, a page for a learner, maybe a key in it.
        log.debug("failed: %s", what, extra={"event": "api.failed", "outcome": type(error).__name__})
        explained = _explained(error, what)
        if stop and stop.is_set():
            stopped.unsure = explained.unsure
            raise stopped from None
        raise explained from None


def _explained(error: Exception, what: str) -> EmbedError:
    """The error of ours, one sentence, for one that the SDK or the network gave."""
    if isinstance(error, ApiError) and not 200 <= (error.status_code or 0) < 300:
        status, request = error.status_code, _request_id(error)
        said = f"the Embed API answered {status}"
        if reason := _reason(error.body):
            said += f", {reason.rstrip('.')}"
        if advice := WHAT_TO_DO.get(status or 0):
            said += f"; {advice}"
        if request:
            said += f" (request {request})"
        message = f"Could not {what}: {said}."
        if status == 429:
            pause = _asked(error)
            when = datetime.now(UTC) + timedelta(seconds=pause) if pause is not None else None
            if when and pause and pause > LONGEST_PAUSE:
                message = f"{message[:-1]}, not before {when:%Y-%m-%d %H:%M} UTC."
            return QuotaError(redact(message), resume_at=when, request_id=request)
        # What the service said no to was not done; a fault on the way may hide that it was.
        unsure = status == 408 or (status or 500) >= 500
        return EmbedError(redact(message), status=status, request_id=request, unsure=unsure)
    if isinstance(error, httpx.HTTPError):
        advice = "check the network, or set VIDEO_SEARCH_MODE=offline"
        if _is_distrusted(error):
            advice = (
                "its certificate is not trusted here: set SSL_CERT_FILE to the certificates of your office"
            )
        elif isinstance(error, RedirectError):
            advice = (
                f"it sent the request on to {error}, to which neither your key nor your file goes: check "
                "TWELVELABS_BASE_URL, or sign in to this network first"
            )
        elif variable := _proxy_variable(error):
            advice = f"check the proxy that {variable} names, and the network"
        message = f"Could not {what}: the Embed API cannot be reached ({type(error).__name__}); {advice}."
        return EmbedError(redact(message), unsure=not isinstance(error, UNSENT))
    message = (
        f"Could not {what}: the answer is not one that this SDK understands; "
        "check TWELVELABS_BASE_URL and the version of twelvelabs."
    )
    return EmbedError(message, unsure=True)


def _may_repeat(error: BaseException, repeatable: bool) -> bool:
    if isinstance(error, ApiError):
        if error.status_code == 429:
            return (_asked(error) or 0) <= LONGEST_PAUSE
        return repeatable and (error.status_code in RETRIED or _is_garbled(error))
    if not isinstance(error, httpx.TransportError) or _is_distrusted(error):
        return False
    return repeatable or isinstance(error, UNSENT)


def _is_distrusted(error: httpx.HTTPError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _proxy_variable(error: httpx.HTTPError) -> str:
    try:
        return proxy_for(str(error.request.url))[0]
    except RuntimeError:  # of no request
        return ""


def _is_garbled(error: ApiError) -> bool:
    """A good status with a body that is no JSON, but began as such: cut short on the way."""
    return error.status_code == 200 and isinstance(error.body, str) and error.body.startswith(("{", "["))


def _headers(error: BaseException | None) -> dict[str, str]:
    return {k.lower(): v for k, v in (getattr(error, "headers", None) or {}).items()}


def _asked(error: BaseException | None) -> float | None:
    """Seconds that the service asks to wait, or None."""
    return pause_asked_for(_headers(error), getattr(error, "status_code", None))


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what the service asks for, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = _asked(error)
    if asked is not None:
        return min(asked, LONGEST_PAUSE)
    return float((RATE_WAIT if getattr(error, "status_code", None) == 429 else WAIT)(state))


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0.0
    log.debug(
        "try %d failed, the next in %.1f s",
        state.attempt_number,
        pause,
        extra={
            "event": "api.retry",
            "attempt": state.attempt_number,
            "pause": round(pause, 3),
            "status": getattr(error, "status_code", None),
            "outcome": type(error).__name__,
        },
    )


def _reason(body: object) -> str:
    """The message of an error body, which is flat for assets and nested for embed-v2; 300 letters at most."""
    if isinstance(body, pydantic.BaseModel):  # where the SDK knows the shape of an error
        body = body.model_dump()
    if isinstance(body, dict):
        inner = body.get("error", body)
        text = str(inner.get("message") or "") if isinstance(inner, dict) else ""
        return " ".join(text.split())[:300]
    return ""


def _request_id(error: ApiError) -> str | None:
    headers = _headers(error)
    return next((redact(headers[name])[:80] for name in REQUEST_IDS if headers.get(name)), None)
