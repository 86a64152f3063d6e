"""The faults that the practice server knows, and how each spoils an answer."""

import copy
import fnmatch
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from helpers.errors import SettingsError
from helpers.standin.wire import Answer, error_body

STATUSES = {
    400: ("parameter_invalid", "A parameter is not valid."),
    401: ("api_key_invalid", "The API key is invalid or has expired."),
    403: ("forbidden", "Your plan does not include this operation."),
    404: ("resource_not_exists", "The resource does not exist."),
    408: ("request_timeout", "The request took too long."),
    413: ("content_too_large", "The request is too large."),
    429: ("too_many_requests", "The rate limit is exceeded. Please try again later."),
    500: ("internal_server_error", "Something went wrong on our side."),
    502: ("bad_gateway", "Bad gateway."),
    503: ("service_unavailable", "The service is busy. Please try again later."),
    504: ("gateway_timeout", "The gateway timed out."),
}
WIRE = {
    "timeout": "holds the answer back, `seconds` long (an hour), or until the client has gone",
    "reset": "resets the connection before a byte of the answer",
    "hangup": "closes the connection in good order before a byte of the answer",
    "lost": "does what was asked, then resets the connection: accepted, but the answer is lost",
    "cut": "does what was asked, and closes the connection in the middle of the answer",
    "slow": "does what was asked, and drips the answer over `seconds` (10)",
}
SECONDS = {"timeout": 3600.0, "slow": 10.0}  # by default
BODIES = {
    "truncated": "half of the JSON, with a content-length that fits the half",
    "html": "a page of HTML in place of JSON; `status` 200 or for instance 502",
    "empty": "no body at all; `status` 200",
    "answer": "`status` (200), `body` (JSON data, text or bytes) and `headers` as given",
    "quota": "429: the quota of the day is used up; `message`, reset at the next midnight UTC",
}
FATES = {
    "failed": "the task (or asset) that is created or polled fails; `message` is the reason",
    "never": "the task (or asset) that is created or polled never ends",
    "expired": "the task (or asset) that is created or polled is gone: 404",
}
ROWS = {
    "dimension": "vectors are cut to `size` (256) numbers; `rows` limits how many are (all)",
    "nan": "the first number of `rows` (1) vectors is NaN, which JSON does not know but Python writes",
    "zero": "`rows` (1) vectors are all zeros",
    "no_rows": "`data` is an empty list",
    "missing_option": "no row of `option` (the last one by name)",
    "missing_field": "`field` (embedding) is left out of each row, or of the body where rows have none",
    "order": "rows from the last to the first by time",
    "double": "each row twice",
    "pages": "lists begin with the oldest, not with the newest",
}
TAKES_EFFECT = {"lost", "cut", "slow", "truncated", *FATES, *ROWS}
KINDS = {**{str(status): words for status, (_, words) in STATUSES.items()}, **WIRE, **BODIES, **FATES, **ROWS}


@dataclass
class Fault:
    """One fault by script; `effect` says whether the server does what was asked all the same."""

    route: str
    kind: str
    times: float
    after: int
    effect: bool
    share: float = 1.0
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"There is no fault {self.kind!r}: choose one of {', '.join(KINDS)}.")

    def matches(self, route: str) -> bool:
        """Whether it is for "METHOD /path"; `*` in its own route stands for anything."""
        return fnmatch.fnmatchcase(route, self.route)

    def is_due(self, chance: float) -> bool:
        """Count one request that it is for; True if this one is to be spoilt. `chance` is drawn from [0, 1)."""
        if self.after > 0:
            self.after -= 1
            return False
        if chance >= self.share:
            return False
        self.times -= 1
        return self.times >= 0

    def spoils(self, answer: Answer) -> bool:
        """Whether a fault of rows can be seen in this answer."""
        if self.kind not in ROWS or not isinstance(answer.body, dict) or answer.status >= 300:
            return False
        data = answer.body.get("data")
        if self.kind == "missing_field":
            name = self.details.get("field", "embedding")
            return name in answer.body or bool(data and name in data[0])
        return bool(data and "embedding" in data[0])

    def spoil(self, answer: Answer) -> Answer:
        """The answer with its rows spoilt; see ROWS."""
        body = copy.copy(answer.body)
        rows = [dict(row) for row in body.get("data") or []]
        count = int(self.details.get("rows", len(rows) if self.kind == "dimension" else 1))
        match self.kind:
            case "dimension":
                for row in rows[:count]:
                    row["embedding"] = row["embedding"][: int(self.details.get("size", 256))]
            case "nan":
                for row in rows[:count]:
                    row["embedding"] = [float("nan"), *row["embedding"][1:]]
            case "zero":
                for row in rows[:count]:
                    row["embedding"] = [0.0] * len(row["embedding"])
            case "no_rows":
                rows = []
            case "missing_option":
                names = sorted(str(row["embedding_option"]) for row in rows)
                rows = [r for r in rows if r["embedding_option"] != self.details.get("option", names[-1])]
            case "missing_field":
                name = self.details.get("field", "embedding")
                body.pop(name, None)
                rows = [{k: v for k, v in row.items() if k != name} for row in rows]
            case "order":
                rows.sort(key=lambda row: -(row.get("start_sec") or 0.0))
            case "double":
                rows = rows + rows
        return Answer(answer.status, body | ({"data": rows} if "data" in body else {}), answer.headers)

    def answer(self, path: str, *, scale: float) -> Answer:
        """The answer in place of the real one; for a status or a kind of BODIES. Pauses count `scale` times."""
        if self.kind == "html":
            page = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
            return Answer(self.details.get("status", 200), page, {"Content-Type": "text/html"})
        if self.kind in ("empty", "answer"):
            body = self.details.get("body", b"") if self.kind == "answer" else b""
            body = body.encode() if isinstance(body, str) else body
            return Answer(self.details.get("status", 200), body, self.details.get("headers", {}))
        status = 429 if self.kind == "quota" else int(self.kind)
        code, message = STATUSES[status]
        details: dict[str, Any] = {}
        headers = dict(self.details.get("headers", {}))
        if self.kind == "quota":
            headers, details = self._quota()
            message = "You have used up the requests of the day. They begin anew at midnight UTC."
        if "retry_after" in self.details:
            value = self.details["retry_after"]
            headers["Retry-After"] = value if isinstance(value, str) else _number(value * scale)
            details = {"retryAfter": headers["Retry-After"]}
        if "reset" in self.details:  # seconds from now, sent as the service does: since 1970
            headers |= ratelimit_headers(
                self.details.get("limit", 8), time.time() + self.details["reset"] * scale
            )
        body = self.details.get("body")
        if body is None:
            body = error_body(
                path, self.details.get("code", code), self.details.get("message", message), details
            )
        return Answer(status, body.encode() if isinstance(body, str) else body, headers)

    def _quota(self) -> tuple[dict[str, str], dict[str, Any]]:
        # Not scaled: nobody waits for it. Late in the day it is the next one, so that it is never a short pause.
        now = datetime.now(UTC) + timedelta(hours=1)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        limit, reset = int(self.details.get("limit", 50)), midnight
        details = {"limitType": "RPD", "limit": limit, "resetAt": reset.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return ratelimit_headers(limit, round(reset.timestamp(), 3)), details


@dataclass
class Limit:
    """At most `requests` to a route in any `seconds`, as the service has by the minute, the hour and the day."""

    route: str
    requests: int
    seconds: float
    recent: list[float] = field(default_factory=list)

    def refuses(self, route: str, path: str) -> Answer | None:
        """Count a request; a 429 if it is one too many, which does not count."""
        now = time.time()
        if not fnmatch.fnmatchcase(route, self.route):
            return None
        self.recent = [moment for moment in self.recent if moment > now - self.seconds]
        if len(self.recent) < self.requests:
            self.recent.append(now)
            return None
        headers = ratelimit_headers(self.requests, self.recent[0] + self.seconds)
        code, message = STATUSES[429]
        return Answer(429, error_body(path, code, message), headers)


class Script:
    """The faults and limits that are set; chance is drawn by `seed`, and threads may share one."""

    def __init__(self, seed: int) -> None:
        self.faults: list[Fault] = []
        self.limits: list[Limit] = []
        self._chance, self._lock = random.Random(seed), threading.Lock()

    def clear(self) -> None:
        with self._lock:
            self.faults.clear()
            self.limits.clear()

    def refusal(self, route: str, path: str) -> Answer | None:
        """Count a request against the limits; the 429 of the first that it is too many for."""
        with self._lock:
            return next(filter(None, (limit.refuses(route, path) for limit in self.limits)), None)

    def due(self, route: str, answer: Answer | None = None) -> Fault | None:
        """The first fault that spoils this request; with `answer`, the first that spoils its rows."""
        first = None
        with self._lock:
            for fault in self.faults:
                late = fault.kind in ROWS and fault.kind != "pages"
                if late != (answer is not None) or not fault.matches(route):
                    continue
                if answer is not None and not fault.spoils(answer):
                    continue
                if (first is None or fault.after > 0) and fault.is_due(self._chance.random()):
                    first = fault
        return first


def ratelimit_headers(limit: int, reset: float) -> dict[str, str]:
    """The headers of a used-up limit of requests; `reset` in seconds since 1970.

    As the service sends them: by the plain names, and again for each limit, of which one is not used up.
    """
    values = {"Limit": str(limit), "Remaining": "0", "Used": str(limit), "Reset": _number(reset)}
    seconds = {"Limit": "36000", "Remaining": "36000", "Used": "0", "Reset": _number(reset + 86_400)}
    limits = {"": values, "Request-": values, "Duration-": seconds}
    headers = {f"X-Ratelimit-{of}{name}": v for of, parts in limits.items() for name, v in parts.items()}
    return headers | {"X-Ratelimit-Dimensions": "Duration,Request"}


def halved(answer: Answer) -> Answer:
    """The first half of the answer's JSON, as an answer that says it is whole."""
    data = answer.data() or json.dumps({"data": []}).encode()
    return Answer(answer.status, data[: len(data) // 2], answer.headers)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.3f}"
