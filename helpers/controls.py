"""Controls to play with: a slider that weighs two legs, and a score-over-time curve that moves a player."""

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from helpers.display import (
    PALETTE,
    QuietWidget,
    data_uri,
    figure_style,
    format_time,
    hits_html,
    jpeg_uri,
    nobody_looks,
    player_source,
    sample_credit,
)
from helpers.errors import SearchError, VideoError
from helpers.evaluation import EXACT
from helpers.frames import thumbnail
from helpers.videos import local_path

CUT = 12.0  # seconds that are sent at a time where no server hands out the film
SPAN = ["start_offset_sec", "end_offset_sec"]


# ---------------------------------------------------------------- the weight of two legs


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
            style={"description_width": "initial"},
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
        try:
            self.results.value = hits_html(lambda: self.search(weight))
        except Exception:
            self.results.value = "Something unexpected went wrong: call the search in a cell to see what."
            raise


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
    if isinstance(legs, str) or len(legs) != 2:
        raise SearchError(f"The legs are {legs!r}: give the names of two.")
    if not 0 <= value <= 1:
        raise SearchError(f"The value is {value!r}: give a weight from 0 to 1.")
    if not isinstance(steps, int | np.integer) or steps < 2:
        raise SearchError(f"There are {steps!r} steps: give a whole number from 2, such as 11 for tenths.")
    return WeightSlider(search, legs=(legs[0], legs[1]), value=float(value), steps=int(steps))


# ---------------------------------------------------------------- the curve, as a figure


def plot_curve(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> Figure:
    """The score over time of one film: the line, the found moments shaded, the ground truth as bars below.

    `curve` is what `score_curve` gives. `moments` (rows of hits or moments of this film) are shaded and carry
    their rank; `truth` (rows of one query of the ground truth, in this film) are bars, paler for a partial
    answer. Where the scores were smoothed, the line is smooth and the scores of the clips are pale steps.
    `curve_words` says the same in words. Raises SearchError for an empty curve, or spans of several videos.
    """
    _check_curve(curve, moments, truth)
    with plt.rc_context(figure_style()):
        fig = Figure(figsize=(7.5, 3.0), layout="constrained")
        axes = fig.add_subplot()
        score, line = curve["score"].to_numpy(dtype=float), curve["smoothed"].to_numpy(dtype=float)
        low, high = min(score.min(), line.min()), max(score.max(), line.max())
        room = (high - low) or 1.0
        smooth = not np.allclose(score, line)
        if smooth:
            starts, ends = (curve[c].to_numpy(dtype=float) for c in SPAN)
            axes.hlines(score, starts, ends, color="#999999", linewidth=1.2, label="score")
        name = "smoothed" if smooth else "score"
        axes.plot(curve["middle_sec"], line, color=PALETTE[0], linewidth=1.6, label=name)
        for n, moment in enumerate(sorted(_rows(moments), key=lambda row: row["start_offset_sec"])):
            start, end = moment["start_offset_sec"], moment["end_offset_sec"]
            label = None if n else "moment, with its rank"
            axes.axvspan(start, end, facecolor=PALETTE[1], edgecolor=PALETTE[1], alpha=0.35, label=label)
            at = ((start + end) / 2, high + (0.08 + 0.12 * (n % 2)) * room)  # neighbours at two heights
            axes.annotate(str(moment.get("rank", n + 1)), at, ha="center", va="center", size=9)
        for words, alpha, rows in _graded(truth):
            bars = [
                (row["start_offset_sec"], row["end_offset_sec"] - row["start_offset_sec"]) for row in rows
            ]
            height = (low - 0.18 * room, 0.1 * room)
            axes.broken_barh(bars, height, facecolor=PALETTE[2], alpha=alpha, label=words)
        steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)
        tick = next((step for step in steps if _duration(curve) <= 10 * step), 3600)
        axes.set_xlim(0, _duration(curve))
        axes.set_ylim(low - 0.22 * room, high + 0.28 * room)
        axes.xaxis.set_major_locator(MultipleLocator(tick))
        axes.xaxis.set_major_formatter(lambda seconds, _: format_time(seconds))
        axes.set(xlabel="time (m:ss)", ylabel="score")
        axes.set_title(title or "", parse_math=False)  # a title with two $ is no formula
        fig.legend(loc="outside lower center", ncols=5, fontsize=9)
    return fig


def curve_words(
    curve: pd.DataFrame,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> str:
    """The picture of `plot_curve` in words, for its alt text: the highest score, the moments, the truth."""
    _check_curve(curve, moments, truth)
    line = curve["smoothed"].to_numpy(dtype=float)
    top = format_time(curve["middle_sec"].to_numpy(dtype=float)[line.argmax()])
    parts = [f"highest score {line.max():.3f} at {top}"]
    parts += [f"moments {_spans(_rows(moments))}"] if _rows(moments) else []
    parts += [f"{words} {_spans(rows)}" for words, _, rows in _graded(truth)]
    return f"{title or 'Score over time'}: {'; '.join(parts)}"


def _rows(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The rows that have a time: a query without an answer has none in the ground truth."""
    if frame is None:
        return []
    return [{str(k): v for k, v in row.items()} for row in frame.dropna(subset=SPAN).to_dict("records")]


def _graded(truth: pd.DataFrame | None) -> list[tuple[str, float, list[dict[str, Any]]]]:
    """Ground truth as (words, opacity, rows): what answers the query exactly, and what does so in part."""
    rows = _rows(truth)
    exact = [row for row in rows if row.get("relevance", EXACT) >= EXACT]
    part = [row for row in rows if row.get("relevance", EXACT) < EXACT]
    groups = [("ground truth", 1.0, exact), ("partial answer", 0.4, part)]
    return [group for group in groups if group[2]]


def _spans(rows: list[dict[str, Any]]) -> str:
    return ", ".join("-".join(format_time(row[c]) for c in SPAN) for row in rows)


def _duration(curve: pd.DataFrame) -> float:
    return float(curve["end_offset_sec"].max())


def _check_curve(curve: pd.DataFrame, moments: pd.DataFrame | None, truth: pd.DataFrame | None) -> None:
    if curve.empty:
        raise SearchError(
            "The curve has no clips: search the whole film with a high limit, then score_curve."
        )
    for words, frame, column in (("moments", moments, "video_id"), ("ground truth", truth, "video")):
        videos = [row[column] for row in _rows(frame) if column in row]
        if len(set(videos)) > 1:
            raise SearchError(f"The {words} are of {len(set(videos))} videos: keep the rows of this film.")


# ---------------------------------------------------------------- the curve, with a player

# The picture of `plot_curve` with an invisible slider of the browser over its axes: clicks, drags, touch, the
# keyboard and screen readers work as they do with every slider, and its handle is the line at the playing second.
SCRIPT = """
function clock(t) {
  const two = n => String(Math.floor(n)).padStart(2, "0");
  t = Math.floor(t + 1e-6);
  return t < 3600 ? `${Math.floor(t / 60)}:${two(t % 60)}`
                  : `${Math.floor(t / 3600)}:${two(t / 60 % 60)}:${two(t % 60)}`;
}
function render({ model, el }) {
  el.innerHTML = `<div class="curve-player">
    <div><div class="plot"><img><input type="range" step="1" min="0"></div>
      <div class="moments"></div></div>
    <figure><video controls preload="metadata"></video>
      <figcaption><output></output><br><small></small></figcaption></figure></div>`;
  const [img, range, video, output, list] =
    ["img", "input", "video", "output", ".moments"].map(name => el.querySelector(name));
  const page = model.get("page"), [left, right, top, bottom] = page.axes;
  img.src = page.picture;
  img.alt = page.words;
  el.querySelector("small").textContent = page.credit;
  range.max = Math.floor(page.duration);
  range.setAttribute("aria-label", "second of the film");
  // The handle is 2 px wide, and its middle stands for the value.
  range.style.left = `calc(${100 * left}% - 1px)`;
  range.style.width = `calc(${100 * (right - left) * range.max / page.duration}% + 2px)`;
  range.style.top = `${100 * top}%`;
  range.style.height = `${100 * (bottom - top)}%`;

  function tell(t) {
    const clip = page.clips.find(([start, end]) => start <= t && t < end);
    const words = clock(t) + (clip ? `, score ${clip[2].toFixed(3)}` : "");
    range.value = t;
    range.setAttribute("aria-valuetext", words);
    output.textContent = model.get("problem") || words;
  }
  function seek() {
    video.currentTime = Math.max(0, model.get("position") - model.get("offset"));
    tell(model.get("position"));
  }
  function load() {
    video.hidden = !model.get("source");
    video.src = model.get("source");
    seek();
  }
  function ask(t) {
    model.set("position", t);
    model.save_changes();
    seek();  // also to the second that was asked for last
  }
  range.addEventListener("input", () => tell(+range.value));
  range.addEventListener("change", () => ask(+range.value));
  video.addEventListener("timeupdate", () => {
    if (!video.seeking && !range.matches(":active")) tell(video.currentTime + model.get("offset"));
  });
  for (const [words, start] of page.moments) {
    const button = document.createElement("button");
    button.className = "jupyter-button";
    button.textContent = words;
    button.addEventListener("click", () => ask(start));
    list.append(button);
  }
  model.on("change:source", load);
  model.on("change:position", seek);
  model.on("change:problem", seek);
  for (const part of el.querySelectorAll("input, video, button"))
    part.dataset.lmSuppressShortcuts = "true";  // their keys are theirs, not the notebook's
  video.poster = model.get("poster");
  load();
}
export default { render };
"""
STYLE = """
.curve-player { display: flex; flex-wrap: wrap; gap: 12px; }
.curve-player > div { flex: 3 1 420px; }
.curve-player figure { flex: 2 1 280px; margin: 0; }
.curve-player img, .curve-player video { width: 100%; display: block; }
.curve-player video[hidden] { display: none; }
.curve-player .plot { position: relative; }
.curve-player input { position: absolute; margin: 0; padding: 0; appearance: none; background: none; cursor: pointer; }
.curve-player input::-webkit-slider-runnable-track { height: 100%; }
.curve-player input::-webkit-slider-thumb { appearance: none; width: 2px; height: 100%; background: #D55E00; }
.curve-player input::-moz-range-track { height: 100%; background: none; }
.curve-player input::-moz-range-thumb { width: 2px; height: 100%; border: 0; border-radius: 0; background: #D55E00; }
"""


class CurvePlayer(QuietWidget, anywidget.AnyWidget):  # type: ignore[misc]
    """The curve with a player beside it; `curve_player` makes one. Set `position` to move both."""

    instead = "A curve with a player stands here once this cell has run: click where you want to look."
    _esm, _css = SCRIPT, STYLE

    position = traitlets.Float(help="the second of the film that was asked for last").tag(sync=True)
    source = traitlets.Unicode(help="what the player plays").tag(sync=True)
    offset = traitlets.Float(help="the second of the film at which the source begins").tag(sync=True)
    poster = traitlets.Unicode(help="a still of the first position").tag(sync=True)
    problem = traitlets.Unicode(help="one sentence, if the film cannot be shown").tag(sync=True)
    page: "traitlets.Dict[str, Any]" = traitlets.Dict(help="what stays: see curve_player").tag(sync=True)

    def __init__(self, video_url: str, *, page: dict[str, Any], position: float) -> None:
        self.video_url = video_url
        super().__init__(page=page, position=position)
        self._load()
        self.observe(lambda _: self._load(), "position")

    @traitlets.validate("position")
    def _inside(self, proposal: Any) -> float:
        """The nearest second that the film has."""
        position = float(proposal["value"])
        return min(max(position, 0.0), self.page["duration"]) if math.isfinite(position) else 0.0

    def _load(self) -> None:
        """Give the player the film or, where no server hands that out, the seconds from the position on."""
        if nobody_looks():
            return
        start = min(self.position, max(0.0, self.page["duration"] - 1))
        try:
            if not self.poster and local_path(self.video_url) is not None:
                self.poster = jpeg_uri(thumbnail(self.video_url, start), 60)
            source = player_source(self.video_url, start, start + CUT, in_widget=True)
        except VideoError as error:
            self.problem = str(error)
            return
        cut = source.startswith("data:")
        with self.hold_sync():
            self.offset = start if cut else 0.0
            self.source = source if cut else source.partition("#")[0]


def curve_player(
    curve: pd.DataFrame,
    video_url: str,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> CurvePlayer:
    """The picture of `plot_curve` with a player beside it: a click on the curve moves the player to that second.

    The keyboard does the same (arrows a second, Page Up and Down a tenth of the film, Home and End), and so do
    the buttons of the moments below. The player begins at the first moment. A film that is missing gives one
    sentence in its place; raises SearchError as `plot_curve` does.
    """
    fig = plot_curve(curve, moments=moments, truth=truth, title=title)
    buffer = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": "curve"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    box = fig.axes[0].get_position()  # where the layout has put the axes; y from the bottom up
    found = _rows(moments)
    page = {
        "picture": data_uri("image/svg+xml", buffer.getvalue()),
        "words": curve_words(curve, moments=moments, truth=truth, title=title),
        "axes": [float(share) for share in (box.x0, box.x1, 1 - box.y1, 1 - box.y0)],  # of the picture
        "duration": _duration(curve),
        "clips": curve[[*SPAN, "smoothed"]].to_numpy(dtype=float).tolist(),
        "moments": [
            [f"{row.get('rank', n)}. {_spans([row])}", float(row["start_offset_sec"])]
            for n, row in enumerate(found, 1)
        ],
        "credit": sample_credit(video_url),
    }
    first = float(found[0]["start_offset_sec"]) if found else 0.0
    return CurvePlayer(video_url, page=page, position=first)
