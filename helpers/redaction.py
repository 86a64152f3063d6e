"""What must not be told: the key, the Milvus token, and whatever looks like one, taken out of every text."""

import base64
import functools
import json
import logging
import math
import numbers
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from helpers import settings as switches
from helpers.errors import SettingsError

MAX_TEXT, MAX_LINE = 4_000, 64_000  # characters of one text, and of one line
HIDDEN = "***"  # stays what it is when a text is redacted again
SECRET_NAMES = ("TWELVE_LABS_API_KEY", "TWELVELABS_API_KEY", "MILVUS_TOKEN")
SHORTEST = 4  # a shorter "secret" is part of too many words to be looked for
SECRET_FIELD = re.compile(
    r"(?i)[\w-]*(api[_-]?key|authorization|password|secret)|(\w+[_-])?token|cookie|[\w-]*signature"
)
SHAPES = [
    (re.compile(r"tlk_[\w-]{4,}"), HIDDEN),
    (re.compile(r"://[^\s/'\"<>]+@"), f"://{HIDDEN}@"),
    (  # x-api-key: v, 'authorization': 'Bearer v', (b'x-api-key', b'v')
        re.compile(
            r"(?i)((?:x-api-key|authorization)\\*['\"]?\s*[:=,]\s*(?:b(?=\\*['\"]))?\\*['\"]?)((?:bearer|basic)\s+)?[^\s'\",;}\])\\]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (  # api_key=v, ?token=v, "secret": "v"; not the prose of `token: expired`
        re.compile(
            r"(?i)((?:api[_-]?key|token|password|secret|signature)\\*['\"]?\s*(?:=\s*|:\s*(?=b?\\*['\"]))b?\\*['\"]?)"
            r"[^\s'\",;&}\])\\]+"
        ),
        rf"\1{HIDDEN}",
    ),
]
told_secrets: set[str] = set()  # the secrets of every Settings that start_logging was given


def redact(text: str) -> str:
    """`text` without the key and the Milvus token, and without anything that looks like one.

    Known secrets come from the environment, `.env` and `start_logging`; they are also found URL-quoted, in
    base64 and escaped. Unknown ones are known by their shape: tlk_..., the header x-api-key, passwords in URLs.
    """
    if not isinstance(text, str):
        raise SettingsError(f"What to redact is a {type(text).__name__}: give a text.")
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    for shape, instead in SHAPES:
        text = shape.sub(instead, text)
    return text


def _secrets() -> list[str]:
    path = switches.ROOT / ".env"
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    here = {os.environ.get(name, "").strip() for name in SECRET_NAMES}
    return _spellings(frozenset(here | told_secrets | _from_file(path, changed)))


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, changed: int) -> frozenset[str]:
    """The secrets in a `.env` file; `changed` is its time stamp, so that another file is read anew."""
    if not changed:
        return frozenset()
    try:
        values = switches.env_file()
    except SettingsError:
        return frozenset()
    return frozenset(values.get(name, "").strip() for name in SECRET_NAMES)


@functools.lru_cache(maxsize=16)
def _spellings(secrets: frozenset[str]) -> list[str]:
    """Every way in which the secrets may be written, longest first."""
    found = set()
    for secret in secrets:
        password = secret.partition(":")[2]  # of a Milvus token "user:password"; Milvus's own is no secret
        for text in (secret, password if len(password) >= 8 else ""):
            if len(text) >= SHORTEST:
                raw = text.encode("utf-8", "surrogatepass")
                found |= {text, quote(raw, safe=""), base64.b64encode(raw).decode()}
                found |= {json.dumps(text)[1:-1], repr(text)[1:-1]}
    return sorted(found, key=len, reverse=True)


def safe_text(value: object) -> str:
    """Redacted text of anything, bounded, encodable; never an exception, whatever `__str__` does."""
    try:
        text = value if isinstance(value, str) else str(value)
    except Exception:  # somebody else's __str__
        text = f"<{type(value).__name__}>"
    text = writable(redact(text))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text) - MAX_TEXT} characters more)"


def writable(text: str) -> str:
    """Text that UTF-8 can hold: the name of a file may contain what is none."""
    return text.encode("utf-8", "backslashreplace").decode()


def _clean(value: object, depth: int = 0) -> Any:
    """What JSON can hold of `value`, redacted at every level."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(value)
    if depth < 6 and isinstance(value, Mapping):
        return {
            safe_text(k): HIDDEN if SECRET_FIELD.fullmatch(safe_text(k)) else _clean(v, depth + 1)
            for k, v in list(value.items())
        }
    if depth < 6 and isinstance(value, list | tuple | set | frozenset):
        if len(pair := list(value)) == 2 and isinstance(pair[0], str) and SECRET_FIELD.fullmatch(pair[0]):
            return [safe_text(pair[0]), HIDDEN]  # a header as (name, value)
        return [_clean(item, depth + 1) for item in value]
    return safe_text(value)


class RedactingFilter(logging.Filter):
    """Takes the secrets out of a record: message and arguments, extra fields, exception, stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: what is logged stays, without its secrets."""
        try:
            message = record.getMessage()
        except Exception:  # arguments that do not fit the message must not stop the caller
            message = (
                f"{safe_text(record.msg)} {safe_text(record.args)}" if record.args else safe_text(record.msg)
            )
        record.msg, record.args = safe_text(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = writable(redact(record.exc_text))
        if record.stack_info:
            record.stack_info = writable(redact(record.stack_info))
        extra = {name: value for name, value in vars(record).items() if name not in PLAIN}
        try:
            vars(record).update(_clean(extra))
        except Exception:  # a field that changes meanwhile, or is broken
            vars(record).update(dict.fromkeys(extra, "not readable"))
        return True


PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
