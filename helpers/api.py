"""The real Twelve Labs client, live or offline, and one way to call it.

Offline differs from live only in the HTTP transport below the SDK (helpers/offline.py).
"""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import pydantic
import tenacity
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError

from helpers.errors import EmbedError
from helpers.offline import OfflineTransport
from helpers.settings import Settings, load_settings, make_home

T = TypeVar("T")
RETRIED = (408, 429, 500, 502, 503, 504)
WAIT = tenacity.wait_random_exponential(multiplier=0.5, max=20)  # seconds between two tries
LONGEST_PAUSE = 90.0  # rate limits count by the minute

WHAT_TO_DO = {
    401: "set TWELVE_LABS_API_KEY to a valid key, or unset it to work offline",
    403: "your plan or key does not allow this: look at your account's page",
    404: "it may have expired on the server: embed the video again",
    413: "make the file smaller, or cut it into parts",
    429: "the rate limit or the quota is used up: wait, then run the cell again",
}


def connect_twelvelabs(settings: Settings | None = None) -> TwelveLabs:
    """The SDK's client: with the network when `settings.live`, with the offline transport otherwise.

    Raises DataError if a fixture is missing or damaged, SettingsError if the home folder cannot be written.
    """
    settings = settings or load_settings()
    make_home(settings)
    if settings.live:
        return TwelveLabs(api_key=settings.api_key, timeout=120)
    transport = OfflineTransport(models=settings.data / "models", fixtures=settings.data / "fixtures")
    return TwelveLabs(api_key="offline", httpx_client=httpx.Client(transport=transport))


def call(action: Callable[[], T], what: str, *, attempts: int = 5) -> T:
    """Run one SDK call; try again, slower each time, when the service is busy or out of reach.

    `what` completes "Could not ..." in the message. `action` must open its files itself, since a second
    try reads them again. The SDK's own retry stays off: it loses the body of an upload.
    Raises EmbedError with the HTTP status and what to do.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_passing),
        wait=_pause,
        stop=tenacity.stop_after_attempt(attempts),
        reraise=True,
    )
    try:
        return retrying(action)
    except ApiError as error:
        status = error.status_code
        reason = _reason(error.body)
        advice = WHAT_TO_DO.get(status or 0)
        said = f"the Embed API answered {status}" + (f", {reason.rstrip('.')}" if reason else "")
        raise EmbedError(
            f"Could not {what}: {said}{f'; {advice}' if advice else ''}.", status=status
        ) from error
    except httpx.HTTPError as error:
        raise EmbedError(
            f"Could not {what}: the Embed API cannot be reached ({type(error).__name__}); "
            "check the network, or set VIDEO_SEARCH_MODE=offline."
        ) from error
    except (pydantic.ValidationError, ValueError) as error:
        raise EmbedError(
            f"Could not {what}: the answer is not one that this SDK understands; "
            "check TWELVELABS_BASE_URL and the version of twelvelabs."
        ) from error


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what the service asks for, else longer each time.

    The reset of the rate limit comes as seconds since 1970, `Retry-After` as seconds from now.
    """
    error = state.outcome.exception() if state.outcome else None
    headers = {k.lower(): v for k, v in (getattr(error, "headers", None) or {}).items()}
    try:
        if "retry-after" in headers:
            return min(max(float(headers["retry-after"]), 0), LONGEST_PAUSE)
        if getattr(error, "status_code", None) == 429 and "x-ratelimit-reset" in headers:
            return min(max(float(headers["x-ratelimit-reset"]) - time.time(), 0), LONGEST_PAUSE)
    except ValueError:
        pass  # a date in words, or nonsense
    return float(WAIT(state))


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, ApiError):
        return error.status_code in RETRIED
    return isinstance(error, httpx.TransportError)


def _reason(body: object) -> str:
    """The message of an error body, which is flat for assets and nested for embed-v2."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        return str(inner.get("message", "")) if isinstance(inner, dict) else ""
    return ""
