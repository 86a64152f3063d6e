"""A CSV that lists videos: columns path, title, category, recorded_at, and a folder that it may not leave."""

import csv
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from helpers.errors import VideoError
from helpers.videos.media import printable, same_name, shown
from helpers.videos.samples import is_address

CSV_COLUMNS = ("path", "title", "category", "recorded_at")
MOST_BYTES = {"title": 1000, "category": 500, "address": 4000}  # what a collection has room for, in UTF-8
# Compact dates and weeks are ISO too, but mean more than one thing here.
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Listed:
    """One video that was named: its file (Path) or address (str), a CSV's words on it, and where they stand.

    `problem` is what is wrong with the line of a CSV; `in_folder` is true for what was not named itself.
    """

    source: Path | str
    title: str = ""
    category: str = ""
    recorded_at: str = ""
    where: str = ""
    problem: str = ""
    in_folder: bool = False


def read_list(path: str | Path, *, root: str | Path | None = None) -> list[Listed]:
    """The videos that a CSV lists; VideoError where it is no such list.

    A line that names no video that can be used has a `problem`, which begins with the number of the line.
    UTF-8, comma or semicolon. No file is opened, and none outside the CSV's folder and `root` is looked for.
    """
    path = Path(path)
    name = shown(path)
    allowed = [path.parent.resolve()]
    if root is not None:
        allowed.append(Path(root).resolve())
        if not allowed[-1].is_dir():
            raise VideoError(f"root={printable(root)!r} is no folder: name the folder that holds the files.")
    lines = csv_lines(path)
    where, header = next(lines, ("", []))
    if not header:
        raise VideoError(
            f"{name} is empty: its first line names the columns path,title,category,recorded_at."
        )
    header = [column.lower() for column in header]
    if strange := [column for column in header if column not in CSV_COLUMNS]:
        raise VideoError(
            f"{where}: the column {printable(strange[0])!r} is unknown: keep to {', '.join(CSV_COLUMNS)}."
        )
    if "path" not in header:
        raise VideoError(f"{where}: the column path is missing: it names the file of each video.")
    if twice := [column for column in header if header.count(column) > 1]:
        raise VideoError(f"{where}: the column {twice[0]} is there twice: keep one.")
    found: list[Listed] = []
    seen: dict[Path | str, str] = {}
    for where, cells in lines:
        row = dict(zip(header, cells, strict=False))
        try:
            with saying_where(where):
                if len(cells) > len(header):
                    raise VideoError(
                        f"{len(cells)} cells for {len(header)} columns: quote a cell that holds a comma or semicolon."
                    )
                source = _listed_source(row.get("path", ""), allowed, name)
                _check_words(row)
                if source in seen:
                    raise VideoError(f"the same video as {seen[source]}: keep one of the two.")
        except VideoError as error:
            title = printable(row.get("title", ""))[:200] or where  # a path may be an address with a password
            found.append(Listed(title, title=title, where=where, problem=str(error)))
            continue
        seen[source] = where.rpartition(", ")[2]
        title, category, day = (printable(" ".join(row.get(c, "").split())) for c in CSV_COLUMNS[1:])
        found.append(Listed(source, title, category, day, where))
    if not found:
        raise VideoError(f"{name} names columns but no video: write one line for each.")
    return found


def csv_lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """("list.csv, line 3", cells) of each line that is not blank; a cell in quotes may go over several lines."""
    name = shown(path)
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise VideoError(f"{name}, line {line}: not in UTF-8: save it as “CSV UTF-8”.") from error
    except OSError as error:
        raise VideoError(
            f"There is no list to read at {printable(path)} ({error.strerror}): check the path."
        ) from error
    first = text.strip().partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        where = f"{name}, line {reader.line_num + 1}"
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise VideoError(f"{where}: not to be read as CSV ({error}): check the quotes.") from error
        while cells and not cells[-1]:  # a spreadsheet fills all lines up to the longest
            cells.pop()
        if cells:
            yield where, cells


def _listed_source(cell: str, allowed: list[Path], name: str) -> Path | str:
    """The file or address in the path column; links and ".." are followed before the folder is checked."""
    if is_address(cell):
        return checked_address(cell)
    if any(ord(letter) < 32 for letter in cell):
        raise VideoError(f"the path {printable(cell)[:80]!r} holds a control character: write it anew.")
    if not cell:
        raise VideoError("the path is empty: name a file, or delete the line.")
    source_path(cell)
    try:
        target = (allowed[0] / cell).resolve()
        target = (same_name(target) or target).resolve() if _is_inside(target, allowed) else target
    except (OSError, RuntimeError) as error:  # a loop of links
        raise VideoError(f"the path {cell[:80]} leads nowhere: name a file.") from error
    if not _is_inside(target, allowed):
        raise VideoError(
            f"{cell} leaves the folder of {name}: move the file there, or call with root= a folder that holds it."
        )
    if os.path.isdir(target):
        raise VideoError(f"{cell} is a folder: a list names files.")
    return target


def _is_inside(target: Path, allowed: list[Path]) -> bool:
    return any(target.is_relative_to(folder) for folder in allowed)


def _check_words(row: dict[str, str]) -> None:
    for column in ("title", "category"):
        if len(row.get(column, "").encode()) > MOST_BYTES[column]:
            raise VideoError(f"the {column} has over {MOST_BYTES[column]} bytes: shorten it.")
    day = row.get("recorded_at", "")
    try:
        if day and not (DAY.fullmatch(day) and date.fromisoformat(day)):
            raise ValueError
    except ValueError as error:
        raise VideoError(
            f"recorded_at is {day[:40]!r}: write a date such as 2026-01-31, or nothing."
        ) from error


@contextmanager
def saying_where(where: str) -> Iterator[None]:
    """Put "list.csv, line 3: " in front of what goes wrong inside."""
    try:
        yield
    except VideoError as error:
        if not where:
            raise
        raise VideoError(f"{where}: {error}") from error


def source_path(text: str) -> Path:
    if not text.strip():
        raise VideoError("A path is empty: name a file or a folder.")
    if scheme := re.match(r"([a-z][a-z0-9+.-]+)://", text, re.IGNORECASE):
        raise VideoError(
            f"An address that begins with {scheme[1]}:// cannot be fetched: use http(s), or a file."
        )
    if "\0" in text:
        raise VideoError(f"The path {printable(text)[:80]!r} holds a control character: write it anew.")
    path = Path(os.path.expanduser(text))
    check_name(path)
    return path


def check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:  # its bytes are not UTF-8: no table or collection could keep it
        raise VideoError(
            f"The name of {shown(path)} is not in UTF-8: rename the file or its folder."
        ) from error


def checked_address(address: str) -> str:
    """The address, if the service could fetch it; no message shows the user, password or query in it."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname and parts.port != 0)
    except ValueError:
        parts, usable = SplitResult("", "", "", "", ""), False
    if not usable or re.search(r"[\s\x00-\x1f]", address):
        raise VideoError(
            f"An address beginning with {address[:8]!r} is not complete: copy it from the browser."
        )
    if len(address.encode()) > MOST_BYTES["address"]:
        raise VideoError(
            f"An address at {parts.hostname} has over {MOST_BYTES['address']} bytes: use a shorter link."
        )
    return address
