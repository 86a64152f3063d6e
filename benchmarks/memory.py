"""The peak of memory that a stretch of work needs, as Linux counts it; None elsewhere."""

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

STATUS, REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_mb(field: str = "VmRSS") -> float | None:
    """The memory that this process holds now ("VmRSS"), or has held at most since `Peak` began ("VmHWM")."""
    if not STATUS.is_file():
        return None
    lines = (line.split() for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return next((round(int(words[1]) / 1024, 1) for words in lines), None)


class Peak:
    """`with Peak() as peak: …`, and `peak.mb` is what this process held at most in there, all in all."""

    mb: float | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):  # another system, or not allowed: it is the peak since the process began
            REFS.write_text("5")  # Linux begins to count the peak anew
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mb = resident_mb("VmHWM")
