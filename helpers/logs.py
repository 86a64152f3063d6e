"""A log that helps and tells no secrets: JSON lines in a file, one short line on the screen.

The modules log to `logging.getLogger("video_search.<module>")`; nothing is shown or written before
`start_logging`. Everything passes `redact` on its way out: message, fields, tracebacks.
"""

import base64
import functools
import json
import logging
import math
import numbers
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import pandas as pd
from dotenv import dotenv_values
from filelock import FileLock, Timeout

from helpers import settings as switches
from helpers.errors import SettingsError, VideoSearchError
from helpers.settings import Settings, load_settings

NAME = "video_search"
MAX_BYTES, OLDER_FILES, MOST_KERNELS = 1_000_000, 3, 8  # 4 files of 1 MB for each of up to 8 kernels at once
MAX_TEXT, MAX_LINE = 4_000, 64_000  # characters of one text, and of one line
COLUMNS = ("time", "level", "logger", "event", "message", "seconds", "outcome")

# Their warnings go to the file. What pymilvus logs as an error also reaches the caller, as an exception.
QUIET = {
    **dict.fromkeys(
        ("asyncio", "faiss", "filelock", "grpc", "httpcore", "httpx", "matplotlib"), logging.WARNING
    ),
    **dict.fromkeys(("milvus_lite", "PIL", "requests", "twelvelabs", "urllib3"), logging.WARNING),
    **dict.fromkeys(("pymilvus", "pymilvus.bulk_writer", "pymilvus.milvus_client"), logging.CRITICAL),
}

# ---------------------------------------------------------------- redaction

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
_told: set[str] = set()  # the secrets of every Settings that start_logging was given


def redact(text: str) -> str:
    """`text` without the key and the Milvus token, and without anything that looks like one.

    Known secrets come from the environment, `.env` and `start_logging`; they are also found URL-quoted, in
    base64 and escaped. Unknown ones are known by their shape: tlk_..., the header x-api-key, passwords in URLs.
    """
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
    return _spellings(frozenset(here | _told | _from_file(path, changed)))


@functools.lru_cache(maxsize=4)
def _from_file(path: Path, changed: int) -> frozenset[str]:
    """The secrets in a `.env` file; `changed` is its time stamp, so that another file is read anew."""
    if not changed:
        return frozenset()
    try:
        values = dotenv_values(path)
    except (OSError, ValueError):
        return frozenset()
    return frozenset((values.get(name) or "").strip() for name in SECRET_NAMES)


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


def _text(value: object) -> str:
    """Redacted text of anything, bounded, encodable; never an exception, whatever `__str__` does."""
    try:
        text = value if isinstance(value, str) else str(value)
    except Exception:  # somebody else's __str__
        text = f"<{type(value).__name__}>"
    text = _writable(redact(text))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text) - MAX_TEXT} characters more)"


def _writable(text: str) -> str:
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
            _text(k): HIDDEN if SECRET_FIELD.fullmatch(_text(k)) else _clean(v, depth + 1)
            for k, v in list(value.items())
        }
    if depth < 6 and isinstance(value, list | tuple | set | frozenset):
        if len(pair := list(value)) == 2 and isinstance(pair[0], str) and SECRET_FIELD.fullmatch(pair[0]):
            return [_text(pair[0]), HIDDEN]  # a header as (name, value)
        return [_clean(item, depth + 1) for item in value]
    return _text(value)


class RedactingFilter(logging.Filter):
    """Takes the secrets out of a record: message and arguments, extra fields, exception, stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True: what is logged stays, without its secrets."""
        try:
            message = record.getMessage()
        except Exception:  # arguments that do not fit the message must not stop the caller
            message = f"{_text(record.msg)} {_text(record.args)}" if record.args else _text(record.msg)
        record.msg, record.args = _text(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _writable(redact(record.exc_text))
        if record.stack_info:
            record.stack_info = _writable(redact(record.stack_info))
        extra = {name: value for name, value in vars(record).items() if name not in PLAIN}
        try:
            vars(record).update(_clean(extra))
        except Exception:  # a field that changes meanwhile, or is broken
            vars(record).update(dict.fromkeys(extra, "not readable"))
        return True


PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}

# ---------------------------------------------------------------- where it goes


class _JsonLines(logging.Formatter):
    """One record, one line of JSON: `COLUMNS` without those that are absent, then the extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        own: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.msg,
            "process": record.process,
        }
        if record.exc_text:
            own["exception"] = record.exc_text[-MAX_TEXT:]
        if record.stack_info:
            own["stack"] = record.stack_info[-MAX_TEXT:]
        extra = {k: v for k, v in vars(record).items() if k not in PLAIN and k != "fields"}
        fields = getattr(record, "fields", None)
        extra |= fields if isinstance(fields, dict) else {}
        line = json.dumps(own | {f"{k}_" if k in own else k: v for k, v in extra.items()}, ensure_ascii=False)
        return line if len(line) <= MAX_LINE else json.dumps(own | {"left_out": sorted(map(str, extra))[:20]})


class _LogFile(RotatingFileHandler):
    """A file of this process alone. When the disk is full, lines are lost and the caller never notices."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
        self.file_lock, self.process = lock, os.getpid()
        self.setFormatter(_JsonLines())
        self.addFilter(RedactingFilter())
        self.set_name(f"{NAME}-file")

    def _open(self) -> TextIOWrapper:
        """Open to append; a line that a kill or a full disk has cut stays alone."""
        stream = super()._open()
        with open(self.baseFilename, "rb") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                stream.write("\n")
        return stream

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Only the owner rotates; a forked child appends."""
        return os.getpid() == self.process and bool(super().shouldRollover(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Let go of the file: the next record opens it again, on a disk that may have room by then."""
        stream, self.stream = self.stream, None
        with suppress(OSError, ValueError):
            if stream:
                stream.close()

    def close(self) -> None:
        with suppress(OSError, ValueError):  # what was not on the disk yet does not fit
            super().close()
        if os.getpid() == self.process:
            self.file_lock.release()


CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)  # would move the cursor, or turn text round


class _Screen(logging.StreamHandler[TextIO]):
    """Standard output as it is when a record comes (notebooks and tests replace it), one line for each."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.addFilter(RedactingFilter())
        self.set_name(f"{NAME}-screen")

    def emit(self, record: logging.LogRecord) -> None:
        """Write to what is standard output now."""
        self.stream = sys.stdout
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """The message; of an error of this project also its text, which says what to do; no time of day."""
        text = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, VideoSearchError):
            text = text if (said := _text(error)) in text else f"{text.rstrip('.:')}: {said}"
        elif error is not None:
            text = f"{text.rstrip('.:')}: {type(error).__name__}: {_text(error)} (more in the log)"
        if record.levelno >= logging.WARNING:
            text = f"{record.levelname.capitalize()}: {text}"
        return CONTROL.sub("?", " ".join(text.split()))

    def handleError(self, record: logging.LogRecord) -> None:
        """A screen that is gone stops nobody."""


def start_logging(settings: Settings, *, screen: str = "INFO") -> Path:
    """Log to a file in `settings.home`/logs (everything), and to the screen (level `screen` and above).

    Returns the file: video-search.log, or video-search-2.log and so on while other kernels write to theirs.
    Each file has one writer, which holds a lock, since a file that two processes rotate loses lines; a
    kernel that was killed leaves its name to the next, so that the number of files is bounded.
    A second call changes nothing but the level and, with another home, the folder. Where the folder cannot be
    written, one warning says so and the screen goes on. Raises SettingsError for a level that is none.
    """
    level = logging.getLevelNamesMapping().get(screen.upper())
    if level is None:
        raise SettingsError(f"The level {screen!r} is not known: write DEBUG, INFO, WARNING or ERROR.")
    _told.update(filter(None, (settings.api_key, settings.milvus_token)))
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False  # a handler of somebody else's would show secrets
    if not (shown := _handler("screen")):
        logger.addHandler(shown := _Screen())
    shown.setLevel(level)

    folder = settings.home / "logs"
    if file := _handler("file"):
        path = Path(getattr(file, "baseFilename", ""))
        if path.parent == Path(os.path.abspath(folder)) and path.exists() and file.process == os.getpid():
            return path
        _remove(file)
    sink: logging.Handler
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sink = _open(folder)
    except OSError as error:
        sink = logging.NullHandler()  # so that third parties do not fall back on standard error
        sink.set_name(f"{NAME}-file")
        logger.warning(
            "The log in %s cannot be written (%s): make room or set VIDEO_SEARCH_HOME to a folder of your own.",
            folder,
            error.strerror or error,
        )
    logger.addHandler(sink)
    for name, least in QUIET.items():
        other = logging.getLogger(name)
        other.setLevel(max(other.level, least))
        other.addHandler(sink)
    return Path(getattr(sink, "baseFilename", folder / "video-search.log"))


def stop_logging() -> None:
    """Close the log and take it off the screen; `start_logging` starts it again."""
    for which in ("file", "screen"):
        if handler := _handler(which):
            _remove(handler)
    logging.getLogger(NAME).propagate = True
    _told.clear()


def _handler(which: str) -> Any:
    """The handler in use, found by name: a module that was reloaded has other classes and variables."""
    return next((h for h in logging.getLogger(NAME).handlers if h.get_name() == f"{NAME}-{which}"), None)


def _remove(handler: logging.Handler) -> None:
    for name in (NAME, *QUIET):
        logging.getLogger(name).removeHandler(handler)
    handler.close()


def _open(folder: Path) -> _LogFile:
    """The first log file of the folder that no other process holds; OSError if there is none."""
    for number in range(1, MOST_KERNELS + 1):
        path = folder / ("video-search.log" if number == 1 else f"video-search-{number}.log")
        lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            continue
        try:
            return _LogFile(path, lock)
        except OSError:
            lock.release()
            raise
    raise OSError(f"{MOST_KERNELS} kernels are writing logs there already")


# ---------------------------------------------------------------- timings, and the log read back


@contextmanager
def timed(event: str, **fields: object) -> Iterator[dict[str, Any]]:
    """Log one DEBUG record when the block ends: `event`, `seconds`, `outcome` ("ok" or the error's class).

    `event` is "part.step"; its part names the logger, such as video_search.api. Add what is known only later
    (status, attempt, request_id, bytes, rows) to the dict that is yielded. Errors of the block pass through.
    """
    part, dot, _ = event.partition(".")
    logger = logging.getLogger(f"{NAME}.{part}" if dot else NAME)
    more, outcome, start = dict(fields), "ok", time.perf_counter()
    try:
        yield more
    except BaseException as error:
        outcome = type(error).__name__
        more.setdefault("error", _text(error))
        raise
    finally:
        own = {"event": event, "seconds": round(time.perf_counter() - start, 6), "outcome": outcome}
        logger.debug(
            "%s: %s", event, outcome, extra={"fields": own | {k: v for k, v in more.items() if k not in own}}
        )


def read_log(path: Path | str | None = None) -> pd.DataFrame:
    """The log as a table, oldest first: `COLUMNS`, then the extra fields; lines that are damaged are left out.

    `path` is a log file, read with its older parts (.1, .2, ...), or a folder: all logs in it, merged by time.
    None is the folder of the current settings. `time` is in UTC, `seconds` in seconds; the number of damaged lines
    is in `.attrs["damaged"]`. A log that does not exist is an empty table.
    """
    path = load_settings().home / "logs" if path is None else Path(path)
    name = r"video-search(-\d+)?\.log" if path.is_dir() else re.escape(path.name)
    rows, damaged = [], 0
    for part in sorted(_files(path if path.is_dir() else path.parent, rf"{name}(\.\d+)?"), key=_age):
        with suppress(OSError):  # rotated away just now
            for line in filter(None, part.read_bytes().split(b"\n")):
                row = _row(line)
                damaged += row is None
                rows += [row] if row else []
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*COLUMNS, *(c for c in table if c not in COLUMNS)])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    table["seconds"] = pd.to_numeric(table["seconds"], errors="coerce").astype(float)
    words = ["level", "logger", "event", "message", "outcome"]
    table[words] = table[words].astype(object).fillna("").astype(str)
    table = table.sort_values("time", kind="stable", ignore_index=True)
    table.attrs["damaged"] = damaged
    return table


def _files(folder: Path, name: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if re.fullmatch(name, path.name)]
    except OSError:
        return []


def _age(path: Path) -> tuple[str, int]:
    """Sorts the parts of a log from the oldest (.3) to the current one."""
    stem, _, number = path.name.rpartition(".")
    return (stem, -int(number)) if number.isdigit() else (path.name, 0)


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        row["time"] = datetime.fromisoformat(row["time"]).astimezone(UTC)
        return row if isinstance(row, dict) else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
