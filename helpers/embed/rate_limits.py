"""What the service says of its rate limits in the headers of an answer, and the pause that follows from it."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 90.0  # seconds; rate limits count by the minute, and what asks for more is a quota


def pause_asked_for(headers: Mapping[str, str], status: int | None) -> float | None:
    """Seconds that a refusal asks to wait, or None; the names of the headers are in small letters.

    `Retry-After` comes as seconds from now or as a date (RFC 9110, 10.2.3), the reset of the rate limit as
    seconds since 1970.
    """
    if after := headers.get("retry-after", ""):
        with suppress(ValueError):
            return max(float(after), 0.0)
        with suppress(ValueError, TypeError):
            return max((parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds(), 0.0)
    return _seconds_to_reset(headers) if status == 429 else None


def used_up_for(headers: Mapping[str, str]) -> float:
    """Seconds until a limit that this answer has used up is reset: 0 where there is more, or it is a quota."""
    if headers.get("x-ratelimit-remaining") != "0":
        return 0.0
    pause = _seconds_to_reset(headers) or 0.0
    return pause if pause <= LONGEST_PAUSE else 0.0  # a quota is told at once, and not waited for


def _seconds_to_reset(headers: Mapping[str, str]) -> float | None:
    try:
        return max(float(headers["x-ratelimit-reset"]) - time.time(), 0.0)
    except (KeyError, ValueError):
        return None
