"""The controls that cost time, obeyed once they stand still: of changes in a row only the last is computed."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import ipywidgets as widgets

PAUSE = 0.2  # seconds; what the page held back while the kernel was busy arrives in less


class Settled:
    """Calls `act()` when controls have changed and stand still; before, `say(changed)` with those that differ from
    what was computed last, none if they went back.

    Without an event loop, as in a script, it acts at once.
    """

    def __init__(
        self,
        controls: Sequence[widgets.Widget],
        *,
        say: Callable[[Sequence[widgets.Widget]], None],
        act: Callable[[], None],
    ) -> None:
        self._controls, self._say, self._act = controls, say, act
        self._lock = threading.RLock()  # the kernel may answer each control in a thread of its own
        self._waits: asyncio.TimerHandle | None = None
        self.took()
        for control in controls:
            control.observe(lambda _: self._change(), "value")

    def took(self) -> None:
        """Note that what the controls say now is what was computed."""
        self._used = {control: control.value for control in self._controls}

    def put_back(self) -> None:
        """Let the controls say what was computed last."""
        for control, value in self._used.items():
            control.value = value

    def now(self) -> None:
        """Compute what still waits, if anything does."""
        if self._stop():
            self._compute()

    def _change(self) -> None:
        waited = self._stop()
        changed = [control for control, value in self._used.items() if control.value != value]
        if changed or waited:
            self._say(changed)
        if not changed:
            return
        try:
            self._waits = asyncio.get_running_loop().call_later(PAUSE, self.now)
        except RuntimeError:  # there is no loop
            self._compute()

    def _compute(self) -> None:
        with self._lock:
            self._act()

    def _stop(self) -> bool:
        """Whether something waited, which does no more."""
        waits, self._waits = self._waits, None
        if waits:
            waits.cancel()
        return waits is not None
