"""A log that helps and tells no secrets: JSON lines in a file, one short line on the screen.

The modules log to `logging.getLogger("video_search.<module>")`; nothing is shown or written before
`start_logging`. Everything passes `redact` on its way out: message, fields, tracebacks.
"""

import glob
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
from concurrent_log_handler import ConcurrentRotatingFileHandler

from helpers.arguments import is_text
from helpers.errors import SettingsError, VideoSearchError
from helpers.redaction import MAX_LINE, MAX_TEXT, PLAIN, RedactingFilter, safe_text, told_secrets
from helpers.settings import Settings, check_settings, load_settings

NAME = "video_search"
MAX_BYTES, OLDER_FILES = 1_000_000, 3  # a file that is full becomes .1, and .1 becomes .2
COLUMNS = ("time", "level", "logger", "event", "message", "seconds", "outcome")

# Their warnings go to the file. What pymilvus logs as an error also reaches the caller, as an exception.
QUIET = {
    **dict.fromkeys("asyncio faiss filelock grpc httpcore httpx matplotlib".split(), logging.WARNING),
    **dict.fromkeys("milvus_lite PIL requests twelvelabs urllib3".split(), logging.WARNING),
    **dict.fromkeys("pymilvus pymilvus.bulk_writer pymilvus.milvus_client".split(), logging.CRITICAL),
}


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


class _LogFile(ConcurrentRotatingFileHandler):
    """A file that all processes share. When the disk is full, lines are lost and the caller never notices."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8", keep_file_open=False
        )
        self.setFormatter(_JsonLines())
        self.addFilter(RedactingFilter())
        self.set_name(f"{NAME}-file")

    def do_open(self, mode: str | None = None) -> TextIOWrapper:
        """Open to append, for each record; a line that a kill or a full disk has cut stays alone."""
        stream = super().do_open(mode)
        with open(self.baseFilename, "rb") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                stream.write("\n")
        return stream

    def handleError(self, record: logging.LogRecord) -> None:
        """Let go of what could not be written: the next record comes to a disk that may have room by then."""
        stream, self.stream = self.stream, None
        with suppress(OSError, ValueError):
            if stream:
                stream.close()


# These would move the cursor, or turn text round.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
            text = text if (said := safe_text(error)) in text else f"{text.rstrip('.:')}: {said}"
        elif error is not None:
            text = f"{text.rstrip('.:')}: {type(error).__name__}: {safe_text(error)} (more in the log)"
        if record.levelno >= logging.WARNING:
            text = f"{record.levelname.capitalize()}: {text}"
        return CONTROL.sub("?", " ".join(text.split()))

    def handleError(self, record: logging.LogRecord) -> None:
        """A screen that is gone stops nobody."""


def start_logging(settings: Settings, *, screen: str = "INFO") -> Path:
    """Log to a file in `settings.home`/logs (everything), and to the screen (level `screen` and above).

    Returns the file, video-search.log, which all kernels share: a lock keeps their lines apart, and its size
    is bounded. A second call changes nothing but the level and, with another home, the folder. Where the
    folder cannot be written, one warning says so and the screen goes on. Raises SettingsError for a level that
    is none.
    """
    check_settings(settings, SettingsError)
    level = logging.getLevelNamesMapping().get(str(screen).upper())
    if level is None:
        raise SettingsError(f"The level {screen!r} is not known: write DEBUG, INFO, WARNING or ERROR.")
    told_secrets.update(filter(None, (settings.api_key, settings.milvus_token)))
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False  # a handler of somebody else's would show secrets
    if not (shown := _handler("screen")):
        logger.addHandler(shown := _Screen())
    shown.setLevel(level)

    path = Path(os.path.abspath(settings.home)) / "logs" / "video-search.log"
    if file := _handler("file"):
        if getattr(file, "baseFilename", "") == str(path) and path.exists():
            return path
        _remove(file)
    sink: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
        sink = _LogFile(path)
    except OSError as error:
        sink = logging.NullHandler()  # so that third parties do not fall back on standard error
        sink.set_name(f"{NAME}-file")
        logger.warning(
            "The log in %s cannot be written (%s): make room or set VIDEO_SEARCH_HOME to a folder of your own.",
            path.parent,
            error.strerror or error,
        )
    logger.addHandler(sink)
    for name, least in QUIET.items():
        other = logging.getLogger(name)
        other.setLevel(max(other.level, least))
        other.addHandler(sink)
    return path


def stop_logging() -> None:
    """Close the log and take it off the screen; `start_logging` starts it again."""
    for which in ("file", "screen"):
        if handler := _handler(which):
            _remove(handler)
    logging.getLogger(NAME).propagate = True
    told_secrets.clear()


def _handler(which: str) -> Any:
    """The handler in use, found by name: a module that was reloaded has other classes and variables."""
    return next((h for h in logging.getLogger(NAME).handlers if h.get_name() == f"{NAME}-{which}"), None)


def _remove(handler: logging.Handler) -> None:
    for name in (NAME, *QUIET):
        logging.getLogger(name).removeHandler(handler)
    handler.close()


@contextmanager
def timed(event: str, **fields: object) -> Iterator[dict[str, Any]]:
    """Log one DEBUG record when the block ends: `event`, `seconds`, `outcome` ("ok" or the error's class).

    `event` is "part.step"; its part names the logger, such as video_search.api. Add what is known only later
    (status, attempt, request_id, bytes, rows) to the dict that is yielded. Errors of the block pass through.
    """
    if not is_text(event):
        raise SettingsError(f"The event is {event!r}: give a text, such as 'embed.video'.")
    part, dot, _ = event.partition(".")
    logger = logging.getLogger(f"{NAME}.{part}" if dot else NAME)
    more, outcome, start = dict(fields), "ok", time.perf_counter()
    try:
        yield more
    except BaseException as error:
        outcome = type(error).__name__
        more.setdefault("error", safe_text(error))
        raise
    finally:
        own = {"event": event, "seconds": round(time.perf_counter() - start, 6), "outcome": outcome}
        logger.debug(
            "%s: %s", event, outcome, extra={"fields": own | {k: v for k, v in more.items() if k not in own}}
        )


def read_log(path: Path | str | None = None) -> pd.DataFrame:
    """The log as a table, oldest first: `COLUMNS`, then the extra fields; lines that are damaged are left out.

    `path` is a log file, read with its older parts (.1, .2, ...), or the folder of one. None is the log of the
    current settings. `time` is in UTC, `seconds` in seconds; the number of damaged lines is in
    `.attrs["damaged"]`. A log that does not exist is an empty table.
    """
    if path is not None and not isinstance(path, str | Path):
        raise SettingsError(f"The log is a {type(path).__name__}: give the path of a file or a folder.")
    path = load_settings().home / "logs" if path is None else Path(path)
    path = path / "video-search.log" if path.is_dir() else path
    rows, damaged = [], 0
    for part in [*_older_parts(path), path]:
        with suppress(OSError, ValueError):  # there is none by this name, or it is rotated away just now
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


def _older_parts(path: Path) -> list[Path]:
    """The parts of a log that were rotated away, the oldest first."""
    parts = [part for part in path.parent.glob(f"{glob.escape(path.name)}.*") if part.suffix[1:].isdecimal()]
    return sorted(parts, key=lambda part: -int(part.suffix[1:]))


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        row["time"] = datetime.fromisoformat(row["time"]).astimezone(UTC)
        return row if isinstance(row, dict) else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
