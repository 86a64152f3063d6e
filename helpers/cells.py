"""In a notebook, an error or a warning of this project is its sentence; where it happened is one click away."""

import html
import sys
import traceback
import warnings
from types import TracebackType
from typing import Any

from helpers.errors import VideoSearchError, VideoSearchWarning


def show_errors_briefly() -> None:
    """In a notebook's kernel, from now on; elsewhere nothing changes. The cell fails as before, so Run All stops."""
    kernel = sys.modules.get("ipykernel.zmqshell")  # never imported from here
    shell = kernel.ZMQInteractiveShell._instance if kernel else None
    if shell is not None and VideoSearchError not in shell.custom_exceptions:
        shell.set_custom_exc((*shell.custom_exceptions, VideoSearchError), _show)
        usual = warnings.formatwarning

        def brief(message: Any, category: type[Warning], *where: Any, **line: Any) -> str:
            own = issubclass(category, VideoSearchWarning)
            return f"{message}\n" if own else usual(message, category, *where, **line)

        warnings.formatwarning = brief


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb and %debug
    shell._showtraceback(kind, error, [f"{kind.__name__}: {error}"])
    where = html.escape("".join(traceback.format_exception(error)))
    shell.display_pub.publish(
        {
            "text/html": f"<details><summary>Where it happened</summary><pre>{where}</pre></details>",
            "text/plain": "Where it happened: %tb",
        }
    )
