"""What our widgets have in common: a sentence where nobody looks, and a script made of several files."""

import re
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from helpers.settings import plain_progress
from helpers.show.players import lab_server

CLOCK = Path(__file__).with_name("clock.js")  # imported by the page of each widget
WHOLE_DESCRIPTION = {"description_width": "initial"}  # the style of a control whose label is not cut off
OWN_IMPORT = re.compile(r'^import [^;]* from "\.[^"]*";\n', re.MULTILINE)


def joined_modules(*files: Path) -> str:
    """ES modules as one, each after those that it imports.

    The browser loads a widget's script from memory, where it cannot import what lies beside it.
    """
    return "\n".join(OWN_IMPORT.sub("", file.read_text(encoding="utf-8")) for file in files)


def nobody_looks() -> bool:
    """Whether this is a run whose outputs are committed: no browser shows its widgets."""
    return plain_progress() and lab_server() is None


class QuietWidget(widgets.DOMWidget):  # type: ignore[misc]
    """A widget that leaves one sentence, `instead`, in a committed notebook; the first base class of ours."""

    instead = ""  # at most 110 characters: ipywidgets cuts what is longer

    def __repr__(self) -> str:
        return self.instead

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)  # a pair, with metadata, by anywidget
        if nobody_looks():  # without its kernel a view is an error box, and its id is random
            data.pop("application/vnd.jupyter.widget-view+json", None)
        return data
