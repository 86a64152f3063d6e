"""What the tests in a browser ask of a page: a player, a file that is saved, and whether everybody can use it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat.reader import NotJSONError
from playwright.sync_api import Locator, Page

from helpers.settings import ROOT
from helpers.videos.cues import read_track
from tools.browser import PATIENCE

REQUESTS: list[str] = []  # whatever the page of JupyterLab has asked for
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def state(video: Locator) -> dict[str, Any]:
    found: dict[str, Any] = video.evaluate(
        "v => ({src: v.src, at: v.currentTime, ready: v.readyState, error: v.error?.message})"
    )
    return found


def wait_until(video: Locator, condition: str) -> None:
    """Wait for a condition on the video `v`, written in JavaScript."""
    until = time.monotonic() + PATIENCE / 1000
    while not video.evaluate(f"v => {condition}"):
        assert time.monotonic() < until, f"{condition} did not come true: {state(video)}"
        time.sleep(0.05)


def stands_at(video: Locator, second: float) -> None:
    """The player stands at this second of its video, and has no error."""
    wait_until(video, f"v.readyState >= 1 && !v.seeking && Math.abs(v.currentTime - {second}) <= 0.5")
    assert state(video)["error"] is None


def shows_its_captions(video: Locator) -> None:
    """Captions are off until somebody switches them on; then they say what is written of the player's second."""
    modes = video.evaluate("v => [...v.textTracks].map(track => track.mode)")
    assert len(modes) == 1 and "showing" not in modes
    video.scroll_into_view_if_needed()
    video.evaluate("v => { v.textTracks[0].mode = 'showing'; }")
    wait_until(video, "v.textTracks[0].activeCues?.length > 0")
    second = state(video)["at"]
    shown = video.evaluate("v => [...v.textTracks[0].activeCues].map(cue => cue.text)")
    written = read_track(ROOT / "data" / "descriptions" / f"{video_name(video)}.vtt").cues
    assert shown == [cue.text for cue in written if cue.start <= second < cue.end]


def video_name(video: Locator) -> str:
    """The name of the file that a player plays."""
    return Path(urlsplit(state(video)["src"]).path).stem


def saved_notebook(path: Path, before: int) -> Any:
    """The notebook, once it is written anew and whole; `before` is the file's st_mtime_ns."""
    until = time.monotonic() + PATIENCE / 1000
    while True:
        if path.stat().st_mtime_ns != before:
            with suppress(NotJSONError):  # it is still being written
                return nbformat.read(path, as_version=4)
        assert time.monotonic() < until, f"{path.name} was not saved"
        time.sleep(0.02)


COUNT_PLAYS = """() => {
  window.letPlay = false;
  const real = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    this.dataset.plays = Number(this.dataset.plays ?? 0) + 1;
    this.dataset.played = this.src;
    return window.letPlay ? real.call(this) : Promise.resolve();
  };
  return () => { HTMLMediaElement.prototype.play = real; };
}"""


@contextmanager
def players_stand(page: Page) -> Iterator[None]:
    """Players count how often they are to play, note what, and stand still unless a test lets them run.

    So a test can see at which second they stand.
    """
    put_back = page.evaluate_handle(COUNT_PLAYS)
    yield
    put_back.evaluate("put_back => put_back()")
    put_back.dispose()


COLOURS = ("color-contrast", "link-in-text-block")  # the rules of axe-core that another theme may break


def barriers(
    page: Page, *, inside: str = "body", without: str = "none", rules: tuple[str, ...] = ()
) -> list[str]:
    """What axe-core finds serious or critical in the parts of a page that two CSS selectors name.

    rules: of axe-core, all if empty.
    """
    if not AXE.exists() and not os.environ.get("CI"):
        pytest.skip("no axe-core here: `make js` installs it, where there is node")
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    run = """async ([include, exclude, rules]) =>
      (await axe.run({ include, exclude }, {
        preload: false, reporter: "no-passes", ...(rules.length && { runOnly: rules })
      })).violations
        .filter(v => ["serious", "critical"].includes(v.impact))
        .flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 200)}`))"""
    found: list[str] = page.evaluate(run, [[inside], [without], rules])
    return found
