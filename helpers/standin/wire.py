"""Requests, answers, refusals and forms, as the Embed API reads and writes them."""

import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from multipart import MultipartError, MultipartParser

Body = dict[str, Any]
BASE = "/v1.3"  # of all addresses
IN_MEMORY = 1_000_000  # bytes: what is larger lies on disk while it is worked with


class Refusal(Exception):
    """An error answer of the API: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(message: str) -> Refusal:
    """The refusal of a request for one of its parameters."""
    return Refusal(400, "parameter_invalid", message)


@dataclass(frozen=True)
class Request:
    """An HTTP request: `path` without /v1.3, header names in lower case, `host` as http://name:port.

    `body` is at its beginning; that of an upload may lie on disk.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: IO[bytes]
    host: str = ""

    def json(self) -> Body:
        data: Body = json.load(self.body)
        return data


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is JSON data, or bytes as they are."""

    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def read_form(body: IO[bytes], content_type: str) -> tuple[dict[str, str], str, str, IO[bytes] | None]:
    """The fields of a multipart form, and the name, type and content of its file (None without one), to be closed."""
    boundary = content_type.partition("boundary=")[2].strip('"')
    try:
        parts = list(MultipartParser(body, boundary, spool_limit=IN_MEMORY))
    except (MultipartError, ValueError) as error:
        raise invalid("The body is not multipart/form-data.") from error
    fields = {part.name: part.value for part in parts if part.name != "file"}
    file = next((part for part in parts if part.name == "file"), None)
    if file is None:
        return fields, "", "", None
    return fields, file.filename or "upload", file.content_type or "application/octet-stream", file.file


def error_body(path: str, code: str, message: str, details: Body | None = None) -> Body:
    """An error as the service writes it: flat for assets, nested for embed-v2."""
    body: Body = {"code": code, "message": message}
    if "embed-v2" in path:
        return {"error": body | ({"details": details} if details else {})}
    return body


def page(rows: list[Body], query: dict[str, list[str]]) -> Answer:
    """One page of a list; past the last one `data` is empty, which is what ends the SDK's pager."""
    number, size = int(query.get("page", ["1"])[0]), int(query.get("page_limit", ["10"])[0])
    if number < 1 or not 1 <= size <= 50:
        raise invalid("page counts from 1, and page_limit is between 1 and 50.")
    rows = rows[::-1] if "reversed" in query else rows
    info = {"page": number, "limit_per_page": size, "total_results": len(rows)}
    info["total_page"] = math.ceil(len(rows) / size)
    return Answer(200, {"data": rows[(number - 1) * size : number * size], "page_info": info})


def rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def time_of(text: str) -> datetime | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text):
        raise invalid(f"{text} is not a time as RFC 3339 writes it.")
    return datetime.fromisoformat(text)
