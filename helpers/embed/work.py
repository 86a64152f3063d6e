"""One piece of work for the service: what is to be embedded, and what became of it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Source = Path | str  # a local file, or an http(s) address that the service fetches itself


@dataclass
class Course:
    """How far a video is: its length in seconds (0: not known), and the shares `done` and, of that, `kept` before."""

    seconds: float = 0.0
    done: float = 0.0
    kept: float = 0.0
    is_at_service: bool = False

    def hear(self, result: Any) -> bool:
        """Take in what a task says of itself, and return whether it got on; the service never says that it did."""
        told, before = getattr(result, "progress", None), self.done
        if isinstance(told, dict):
            self.done, self.kept = told["done"], told["kept"]
        return self.done > before


@dataclass
class Work:
    """What is to be embedded: the source, its digest, the request and the key that it has in the journal.

    `duration` (seconds) and `has_audio` are None where they are not known; `course` is told how far it is. After
    a run, `posts` counts the tasks that were made, or perhaps made, `repeated` those of them of which nobody knows
    whether an earlier one was made and paid for, and `note` says what the answer lacks.
    """

    source: Source
    digest: str
    request: dict[str, Any]
    model: str
    key: str
    deadline: float = 1800.0
    duration: float | None = None
    has_audio: bool | None = None
    course: Course = field(default_factory=Course)
    posts: int = 0
    repeated: int = 0
    note: str = ""

    @property
    def name(self) -> str:
        """The file's name; of an address only its host, as the rest may hold a password or a token."""
        return self.source.name if isinstance(self.source, Path) else urlsplit(self.source).hostname or "?"

    def named(self, message: str) -> str:
        """A message with the name by which the user knows the file: on the wire it is called by its digest."""
        return re.sub(rf"{re.escape(self.digest[:16])}[0-9a-f]*(?:\.\w+)?", lambda _: self.name, message)
