"""Controls to play with: a search box, and a slider that weighs two legs."""

from collections.abc import Callable, Sequence

import ipywidgets as widgets
import pandas as pd

from helpers.arguments import as_list, check_names, is_number, is_text, is_whole
from helpers.errors import SearchError, VideoSearchError
from helpers.show.captions import Hit, check_hits, credits_of, records
from helpers.show.output import as_text, credits_html
from helpers.show.pictures import sheet_html, tiles_of
from helpers.show.players import clip_html
from helpers.show.text_line import TextLine, on_enter_or_click
from helpers.show.widget_base import WHOLE_DESCRIPTION, QuietWidget, nobody_looks

MOST_STEPS = 10_000  # of a slider
SHOWN, PLAYERS = 10, 4  # hits, and those of them with a player below a contact sheet


def answer_html(search: Callable[..., pd.DataFrame], words: str, *, option: str | None = None) -> str:
    """What the search box shows for `words`: the first ten hits, each a player, or one sentence.

    `search(words)` gives hits; where the box offers options it is called as `search(words, option=…)`.
    """
    if not words.strip():
        return "Type a few words first."
    arguments = {} if option is None else {"option": option}
    return _shown(lambda: search(words.strip(), **arguments), _tiles)


def hits_html(search: Callable[[], pd.DataFrame]) -> str:
    """What a widget shows of the hits that `search()` gives: a contact sheet and the first players as HTML.

    No hits, or a VideoSearchError, give one sentence.
    """

    def sheet_and_players(rows: Sequence[Hit]) -> str:
        sheet = sheet_html([("", tiles_of(rows))], credits=credits_of(rows))
        return sheet + "".join(clip_html(row, in_widget=True) for row in rows[:PLAYERS])

    return _shown(search, sheet_and_players)


def _shown(search: Callable[[], pd.DataFrame], show: Callable[[Sequence[Hit]], str]) -> str:
    try:
        hits = search()
        check_hits(hits)
        return "Nothing was found." if hits.empty else show(records(hits, SHOWN))
    except VideoSearchError as error:
        return f'<p role="alert">{as_text(str(error))}</p>'


def _tiles(rows: Sequence[Hit]) -> str:
    """Players side by side, as many as there is room for: none is cut off in a narrow window; each credit once."""
    players = "".join(clip_html(row, in_widget=True, width="100%") for row in rows)
    columns = "repeat(auto-fill,minmax(min(200px,100%),1fr))"
    grid = f'<div style="display:grid;grid-template-columns:{columns};gap:0 10px">{players}</div>'
    return grid + credits_html(credits_of(rows))


def show_answer(place: widgets.HTML, answer: Callable[[], str]) -> None:
    """Put the answer in its place; an error that nobody foresaw is said there, and raised."""
    try:
        place.value = answer()
    except Exception:
        place.value = "Something unexpected went wrong: call the search in a cell to see what."
        raise


class SearchBox(QuietWidget, widgets.VBox):  # type: ignore[misc]
    """A line for words, a button and a place for the answer; `search_box` makes one."""

    instead = "A search box stands here once this cell has run: type words of your own."

    def __init__(
        self, search: Callable[..., pd.DataFrame], *, placeholder: str, options: Sequence[str] | None
    ) -> None:
        self.search = search
        # A description is the label that a screen reader reads; a placeholder goes when words are typed.
        self.words = TextLine(
            placeholder=placeholder,
            description="search for",
            layout=widgets.Layout(width="28em"),
        )
        self.button = widgets.Button(description="Search", button_style="primary")
        self.option = widgets.Dropdown(
            options=options or [],
            description="in",
            style=WHOLE_DESCRIPTION,
            layout=widgets.Layout(width="13em"),
        )
        self.results = widgets.HTML()
        row = [self.words, self.option, self.button] if options else [self.words, self.button]
        line = widgets.HBox(row, layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([line, self.results])
        on_enter_or_click(self.words, self.button, self.ask)
        self.option.observe(lambda _: self.ask() if self.words.value.strip() else None, "value")

    def ask(self) -> None:
        """Search for what stands in the line, and show the answer."""
        self.results.value = "Searching …"
        show_answer(
            self.results, lambda: answer_html(self.search, self.words.value, option=self.option.value)
        )


def search_box(
    search: Callable[..., pd.DataFrame], *, placeholder: str = "words", options: Sequence[str] | None = None
) -> SearchBox:
    """A search box for a learner's own words: Enter or the button calls `search(words)` and shows the hits.

    With `options`, a drop-down offers them and the call is `search(words, option=…)`. A VideoSearchError
    appears as its one sentence.
    """
    _check_search(search)
    if not is_text(placeholder):
        raise SearchError(f"The placeholder is {placeholder!r}: give a text.")
    check_names(SearchError, options=options)
    names = None if options is None else as_list(options)
    return SearchBox(search, placeholder=placeholder, options=names)


def _check_search(search: object) -> None:
    if not callable(search):
        raise SearchError(f"The search is a {type(search).__name__}: give a function that returns hits.")


class WeightSlider(QuietWidget, widgets.VBox):  # type: ignore[misc]
    """A slider, the two weights in words, and the moments that they find; `weight_slider` makes one."""

    instead = (
        "A slider stands here once this cell has run: weigh the two legs, and see which moments come first."
    )

    def __init__(
        self, search: Callable[[float], pd.DataFrame], *, legs: tuple[str, str], value: float, steps: int
    ) -> None:
        self.search, self.legs = search, legs
        self.slider = widgets.FloatSlider(
            value=value,
            min=0.0,
            max=1.0,
            step=1 / (steps - 1),
            continuous_update=False,  # one search when the handle is let go, none on the way
            readout=False,
            description=f"weight of {legs[0]}",
            style=WHOLE_DESCRIPTION,
            layout=widgets.Layout(width="28em"),
        )
        self.weights = widgets.Label()
        self.results = widgets.HTML()
        super().__init__([widgets.HBox([self.slider, self.weights]), self.results])
        self.slider.observe(lambda _: self.ask(), "value")
        self.ask()

    def ask(self) -> None:
        """Search with the weight that the slider shows, and show what is found."""
        weight = round(float(self.slider.value), 6)  # the browser adds steps up: 0.30000000000000004
        first, second = self.legs
        self.weights.value = f"{first} {weight:.2f}, {second} {1 - weight:.2f}"
        if nobody_looks():
            return
        show_answer(self.results, lambda: hits_html(lambda: self.search(weight)))


def weight_slider(
    search: Callable[[float], pd.DataFrame],
    *,
    legs: Sequence[str] = ("words", "clip"),
    value: float = 0.5,
    steps: int = 11,
) -> WeightSlider:
    """A slider for the weight w of the first leg against the second (1 - w), the found moments below it.

    `search(w)` gives hits; it is called at once and whenever the handle has moved. `legs` are the two names
    to show, `value` is the w to begin with, `steps` how many weights there are from 0 to 1. A
    VideoSearchError appears as its one sentence. Raises SearchError for other than two legs, a value outside
    0 to 1, or fewer than two steps.
    """
    _check_search(search)
    if isinstance(legs, str) or len(names := as_list(legs)) != 2 or not all(map(is_text, names)):
        raise SearchError(f"The legs are {legs!r}: give the names of two.")
    if not is_number(value) or not 0 <= value <= 1:
        raise SearchError(f"The value is {value!r}: give a weight from 0 to 1.")
    if not is_whole(steps, least=2) or steps > MOST_STEPS:
        raise SearchError(
            f"There are {steps!r} steps: give a whole number from 2 to {MOST_STEPS:,}, such as 11 for tenths."
        )
    return WeightSlider(search, legs=(names[0], names[1]), value=float(value), steps=int(steps))
