"""A line of text whose Enter key, and a button beside it, take what stands in it at that moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from helpers.show.widget_base import joined_modules


class TextLine(anywidget.AnyWidget):
    """A line of text as that of ipywidgets, but for one thing: what is typed goes in the message of the Enter key.

    ipywidgets holds values back while the kernel is busy, and lets messages overtake them: the last letters were lost.
    """

    _esm = joined_modules(Path(__file__).with_name("text_line.js"))

    # Not sent back to the page: somebody may have typed on meanwhile.
    value = traitlets.Unicode(help="what stands in the line").tag(sync=True, echo_update=False)
    placeholder = traitlets.Unicode(help="what stands there while it is empty").tag(sync=True)
    description = traitlets.Unicode(help="its label").tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    options = widgets.TypedTuple(trait=traitlets.Unicode(), help="texts that are offered").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._acts: list[Callable[[], None]] = []
        self.on_msg(lambda _, message, __: self._take(message))

    def on_enter(self, act: Callable[[], None]) -> None:
        """Call `act` for each press of the Enter key."""
        self._acts.append(act)

    def _take(self, message: dict[str, Any]) -> None:
        if isinstance(message.get("value"), str):
            self.set_state({"value": message["value"]})
        if message.get("event") == "submit":
            for act in self._acts:
                act()


def on_enter_or_click(line: TextLine, button: widgets.Button, act: Callable[[], None]) -> None:
    """Call `act` for the button and for the Enter key in the line."""
    button.on_click(lambda _: act())
    line.on_enter(act)
