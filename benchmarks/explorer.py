"""How fast the cluster explorer is with 10,000 and 100,000 points: `python -m benchmarks.explorer` from the checkout.

Starts a JupyterLab of its own and drives it in headless Chromium, whose graphics are software. Prints figures, and
asserts nothing; see benchmarks/README.md for what they mean.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from helpers.settings import ROOT
from tools.browser import CHROMIUM, chromium, started_lab, wait_for_kernel, write_notebook
from tools.notebook_env import offline_environment

SETUP = """import numpy as np
import pandas as pd
from helpers import cluster_explorer

n, dim = {points}, 512
random = np.random.default_rng(0)
centres = random.normal(size=(40, dim))
vectors = (centres[random.integers(0, 40, n)] + 1.5 * random.normal(size=(n, dim))).astype("float32")
second = 6.0 * (np.arange(n) % 90)
clips = pd.DataFrame({{
    "segment_id": [f"s{{i}}" for i in range(n)], "video_id": [f"film-{{i % 50}}" for i in range(n)],
    "title": [f"film {{i % 50}}" for i in range(n)], "video_url": "data/videos/big-buck-bunny.mp4",
    "start_offset_sec": second, "end_offset_sec": second + 6, "embedding_visual": list(vectors)}})"""
SHOW = "explorer = cluster_explorer(clips, k=8)\nexplorer"
CLUSTER = """import time
from helpers import hdbscan_clusters, kmeans_clusters
from helpers.analysis.matrix import unit_rows

rows = unit_rows(vectors)

def seconds(act):
    start = time.perf_counter()
    act()
    return time.perf_counter() - start

def set_to(control, value):
    def act():
        control.value = value
        explorer.clusters  # it does not wait until the control stands still

    return seconds(act)

bare = [seconds(lambda: kmeans_clusters(rows, k)) for k in (9, 10, 11)]
whole = [set_to(explorer.controls.k, k) for k in (9, 10, 11)]
hdbscan = [set_to(explorer.controls.method, "hdbscan"), seconds(lambda: hdbscan_clusters(rows))]
print("clusters", *whole, *bare, *hdbscan)"""
# One step of the mouse in each frame, so that each frame has a map to draw and none is counted for nothing.
FRAMES = """async ([canvas, steps]) => {
  const box = canvas.getBoundingClientRect(), times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < steps; i++) {
    canvas.dispatchEvent(new PointerEvent("pointermove", {
      bubbles: true, pointerId: 1, clientX: box.x + box.width * (0.5 + 0.3 * Math.sin(i / 5)),
      clientY: box.y + box.height * (0.5 + 0.3 * Math.cos(i / 7)) }));
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""
IDLE = """async steps => {
  const times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < steps; i++) {
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""
# From the press of the mouse to the frame after the player has its film at the second, and the pictures beside it.
CLICK = """() => new Promise(done => {
  const root = document.querySelector(".explorer"), video = root.querySelector("video"), told = {};
  const old = root.querySelector("figcaption").textContent, tiles = root.querySelector(".strip").textContent;
  root.addEventListener("pointerdown", () => {
    const start = performance.now();
    const look = () => {
      const since = performance.now() - start;
      if (root.querySelector("figcaption").textContent !== old) {
        told.shown ??= since;
        if (video.readyState >= 1 && !video.seeking) told.ready ??= since;
      }
      if (root.querySelector(".strip").textContent !== tiles && root.querySelector(".tile img")
          && !root.querySelector(".strip .blank")) told.tiles ??= since;
      if ((told.ready && told.tiles) || since > 20000) return done(told);
      requestAnimationFrame(look);
    };
    look();
  }, { once: true, capture: true });
})"""


# From the click on "Grid" to the frame after its first tile; then a grid that moves by two thirds of a tile each frame.
GRID = """async steps => {
  const root = document.querySelector(".explorer"), start = performance.now(), times = [];
  [...root.querySelectorAll("button")].find(button => button.textContent === "Grid").click();
  while (!root.querySelector(".gallery .tile")) await new Promise(requestAnimationFrame);
  const opened = await new Promise(requestAnimationFrame) - start;
  const tiles = root.querySelector(".gallery .tiles");
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < steps; i++) {
    tiles.scrollTop += 80;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  [...root.querySelectorAll("button")].find(button => button.textContent === "Map").click();
  return [opened, times];
}"""


@contextmanager
def scratch_page(points: int) -> Iterator[str]:
    """A JupyterLab of its own with a scratch notebook; gives the address of the notebook."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True, dir=ROOT, prefix="benchmark-") as scratch:
        home = Path(scratch)
        path = write_notebook(home / "benchmark.ipynb", [SETUP.format(points=points), SHOW, CLUSTER])
        env = offline_environment(home) | {"HOME": str(home)}
        for name in ("VIDEO_SEARCH_PROGRESS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            env.pop(name)  # as an analyst has it
        with started_lab(ROOT, home, env) as lab:
            yield lab.page_of(path.relative_to(ROOT).as_posix())


def say(what: str, times: list[float], unit: str = "ms") -> None:
    """One line: the median, the 90th of a hundred and the longest."""
    ranked = sorted(times)
    high = ranked[min(len(ranked) - 1, int(0.9 * len(ranked)))]
    print(
        f"{what:<44} median {statistics.median(ranked):7.1f} {unit}   p90 {high:7.1f}   max {ranked[-1]:7.1f}"
    )


def run_cell(page: Page, number: int) -> None:
    cell = page.locator(".jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(f"[{number + 1}]:", timeout=600_000)


def measure(page: Page, steps: int) -> None:
    run_cell(page, 0)
    started = time.monotonic()
    run_cell(page, 1)
    page.locator(".explorer canvas").wait_for()
    print(f"{'the cell, until the map is there':<44} {time.monotonic() - started:14.1f} s")
    canvas = page.locator(".explorer canvas")
    canvas.evaluate("c => c.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(2000)
    box = canvas.bounding_box()
    assert box
    handle, (x, y) = canvas.element_handle(), (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    idle = page.evaluate(IDLE, steps)
    say("frame, nothing moves", idle)
    hover = page.evaluate(FRAMES, [handle, steps])
    say("frame, hovering", hover)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 9, y + 9)
    pan = page.evaluate(FRAMES, [handle, steps])
    page.mouse.up()
    say("frame, panning", pan)
    page.get_by_role("button", name="Whole map").click()
    print(f"{'panning / nothing moves':<44} {statistics.median(pan) / statistics.median(idle):14.2f} times")

    opened, scroll = page.evaluate(GRID, steps)
    print(f"{'grid of every segment, until it is there':<44} {opened:14.1f} ms")
    say("frame, scrolling the grid", scroll)

    clicks: dict[str, list[float]] = {"shown": [], "ready": [], "tiles": []}
    for i in range(15):
        page.wait_for_timeout(500)
        page.evaluate(f"() => {{ window.told = ({CLICK})(); }}")
        page.mouse.click(x - 60 + 13 * i, y - 30 + 7 * (i % 5))
        told = page.evaluate("window.told")
        for name in clicks:
            clicks[name].append(told.get(name, float("nan")))
    say("click, until the player shows the moment", clicks["shown"])
    say("click, until it stands at its second", clicks["ready"])
    say("click, until the neighbours are there", clicks["tiles"])

    run_cell(page, 2)
    said = page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output", has_text="clusters")
    numbers = [float(word) for word in said.inner_text().split()[1:]]
    whole, bare, (hdbscan, bare_hdbscan) = numbers[:3], numbers[3:6], numbers[6:]
    say("cluster anew with k-means", whole, "s ")
    say("kmeans_clusters alone", bare, "s ")
    print(f"{'cluster anew / kmeans_clusters alone':<44} {sum(whole) / sum(bare):14.2f} times")
    print(
        f"{'cluster anew with HDBSCAN':<44} {hdbscan:14.1f} s ({bare_hdbscan:.1f} s of it hdbscan_clusters)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--screenshot", help="write a picture of the page here")
    given = parser.parse_args()
    if not CHROMIUM:
        sys.exit("There is no Chromium here: install it, or name it in CHROMIUM.")
    for points in given.points:
        load = (
            ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
        )
        print(f"{points} points of 512 numbers; {os.cpu_count()} cores; load before {load}", flush=True)
        with scratch_page(points) as url, chromium("--enable-unsafe-swiftshader") as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(600_000)
            page.goto(url)
            wait_for_kernel(page)
            measure(page, given.frames)
            if given.screenshot:
                page.screenshot(path=given.screenshot)


if __name__ == "__main__":
    main()
