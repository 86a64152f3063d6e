// A grid of stills that scrolls: only the tiles that are seen are on the page, and ask for their stills.

import { clock } from "../show/clock.js";
import { make } from "./dom.js";
import { heightOf, layoutOf, pickedAfter, seenTiles } from "./tiles.js";

// `lines` is how many lines of tiles are seen at most (0: as tall as the style sheet says). `choose(row)`,
// `hover(row)` and `pick(rows)` are called for a click, the mouse, and a click with Ctrl or Shift.
export function makeGrid(parent, data, stills, { choose, hover, pick, narrowest, lines }) {
  const scroll = make("div", "tiles", undefined, parent);
  const sheet = make("div", "sheet", undefined, scroll);
  const credit = make("small", "", "", parent);
  let rows = [];
  let scores = new Map();
  let layout = layoutOf(1, narrowest);
  let anchor = -1;
  const nodes = new Map();

  function show(shown, ofRow = new Map()) {
    if (shown.length !== rows.length || shown.some((row, i) => row !== rows[i])) scroll.scrollTop = 0;
    rows = shown;
    scores = ofRow;
    for (const node of nodes.values()) node.remove();
    nodes.clear();
    fit();
  }
  function fit() {
    const width = scroll.clientWidth;
    if (!width) return;
    layout = layoutOf(width, narrowest);
    const tall = heightOf(layout, rows.length);
    sheet.style.height = `${tall}px`;
    if (lines) scroll.style.height = `${Math.min(tall, lines * layout.high)}px`;
    draw();
  }
  function seen() {
    const [from, to] = seenTiles(layout, scroll.scrollTop, scroll.clientHeight, rows.length);
    return rows.slice(from, to).map((row, i) => [row, from + i]);
  }
  function draw() {
    const now = new Set(seen().map(([row]) => row));
    for (const [row, node] of nodes)
      if (!now.has(row)) {
        node.remove();
        nodes.delete(row);
      }
    for (const [row, at] of seen()) {
      if (!nodes.has(row)) nodes.set(row, makeTile(row));
      const { style } = nodes.get(row);
      style.left = `${(at % layout.columns) * layout.wide}px`;
      style.top = `${Math.floor(at / layout.columns) * layout.high}px`;
      style.width = `${layout.wide - 6}px`;
      style.height = `${layout.high - 6}px`;
    }
    mark();
    fill();
    stills.ask();
  }
  function makeTile(row) {
    const tile = make("button", "tile", undefined, sheet);
    tile.dataset.row = row;
    tile.title = `${data.videoOf(row).title}, ${data.spanOf(row)}: ${data.clusterOf(row)}`;
    make("div", "blank", "", tile);
    const rank = data.rankOf(row);
    if (rank) make("b", "rank", String(rank), tile);
    tile.classList.toggle("hit", rank > 0);
    const score = scores.get(row);
    const tags = data.tagsOf(row);
    make("span", "", clock(data.start(row)) + (score == null ? "" : ` · ${score.toFixed(2)}`), tile);
    make("span", "", data.videoOf(row).title + (tags.length ? ` · ${tags.join(", ")}` : ""), tile);
    tile.addEventListener("click", (event) => {
      const [ctrl, shift] = [event.ctrlKey || event.metaKey, event.shiftKey];
      const add = ctrl || (data.adding && !shift);
      if (add || shift) pick(pickedAfter(rows, data.picked, anchor, row, { ctrl: add, shift }));
      else choose(row);
      anchor = row;
    });
    tile.addEventListener("mouseenter", () => hover(row));
    tile.addEventListener("mouseleave", () => hover(-1));
    return tile;
  }
  // Which tiles are selected, and which one plays.
  function mark(chosen) {
    for (const [row, tile] of nodes) {
      tile.classList.toggle("picked", data.picked.has(row));
      if (chosen !== undefined) tile.classList.toggle("chosen", row === chosen);
    }
  }
  function fill() {
    const credits = new Set();
    for (const [row, tile] of nodes) {
      const still = stills.get(row);
      const blank = tile.querySelector(".blank");
      if (still?.image && data.videoOf(row).credit) credits.add(data.videoOf(row).credit);
      if (!still || !blank) continue;
      if (!still.image) {
        blank.textContent = "no picture";
        continue;
      }
      const image = make("img");
      image.src = still.image;
      image.alt = "";
      blank.replaceWith(image);
    }
    credit.textContent = credits.size ? `Videos: ${[...credits].join("; ")}` : "";
    credit.tabIndex = credit.scrollHeight > credit.clientHeight ? 0 : -1; // scrolled by keyboard, too
  }
  function reveal(row) {
    const line = Math.floor(rows.indexOf(row) / layout.columns);
    if (line < 0) return;
    const top = line * layout.high;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + layout.high > scroll.scrollTop + scroll.clientHeight)
      scroll.scrollTop = top + layout.high - scroll.clientHeight;
  }
  scroll.addEventListener("scroll", draw);
  const resize = new ResizeObserver(fit);
  return {
    show,
    fill,
    mark,
    reveal,
    rows: () => rows,
    wanted: () => (scroll.clientWidth ? (seen().find(([row]) => !stills.has(row))?.[0] ?? -1) : -1),
    start: () => resize.observe(scroll),
    stop: () => resize.disconnect(),
  };
}
