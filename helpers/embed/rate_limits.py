"""What the service says of its rate limits in the headers of an answer, and the pause that follows from it.

Several limits count at once: requests, seconds of video, words. Each may come with headers of its own, such as
`x-ratelimit-duration-remaining`, beside or in place of the plain `x-ratelimit-remaining`.
"""

import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 90.0  # seconds; rate limits count by the minute, and what asks for more is a quota
LONGEST_KNOWN = 100 * 365 * 86_400.0  # seconds; a longer one is a mistake of the service, and no date
SINCE_1970 = 1e9  # seconds; a smaller reset counts from now
HEADER = re.compile(r"x-ratelimit-(?:([\w-]+)-)?(remaining|reset)")


def pause_asked_for(headers: Mapping[str, str], status: int | None) -> float | None:
    """Seconds that a refusal asks to wait, or None; the names of the headers are in small letters.

    `Retry-After` comes as seconds from now or as a date (RFC 9110, 10.2.3), the reset of a rate limit as
    seconds since 1970. Of several limits, all that are used up must be reset.
    """
    after = headers.get("retry-after", "")
    if (pause := _number(after)) is not None:
        return pause
    with suppress(ValueError, TypeError):
        return max((parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds(), 0.0)
    if status != 429:
        return None
    limits = _limits(headers)
    full = [reset for remaining, reset in limits if remaining == 0 and reset is not None]
    return max(full or [reset for _, reset in limits if reset is not None], default=None)


def used_up_for(headers: Mapping[str, str]) -> float:
    """Seconds until what this answer has used up is reset: 0 where there is more, or it is a quota."""
    pause = max((reset or 0.0 for remaining, reset in _limits(headers) if remaining == 0), default=0.0)
    return pause if pause <= LONGEST_PAUSE else 0.0  # a quota is told at once, and not waited for


def _limits(headers: Mapping[str, str]) -> list[tuple[float | None, float | None]]:
    """What remains of each limit, and the seconds until it is reset; None where that is not said."""
    found: dict[str, dict[str, float | None]] = {}
    for name, value in headers.items():
        if match := HEADER.fullmatch(name.lower()):
            found.setdefault(match[1] or "", {})[match[2]] = _number(value, since=match[2] == "reset")
    return [(limit.get("remaining"), limit.get("reset")) for limit in found.values()]


def _number(text: str, *, since: bool = False) -> float | None:
    """A number that is not below zero, or None where there is none; of a time (`since` 1970) the seconds until then."""
    try:
        number = float(text)
    except ValueError:
        return None
    if since and number >= SINCE_1970:
        number -= time.time()
    return min(max(number, 0.0), LONGEST_KNOWN) if not math.isnan(number) else None
