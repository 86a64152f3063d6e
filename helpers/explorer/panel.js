// What stands beside the map: the player, the tiles of neighbours or hits, the table of the selection.

import { clock } from "../show/clock.js";
import { make, makeButton } from "./dom.js";

const ROWS = 300; // lines of the table; more make the page slow

// `choose(row)`, `hover(row)`, `clear()` (the selection) and `clearHits()` are called for clicks and the mouse.
export function makePanel(model, data, stills, parent, { choose, hover, clear, clearHits }) {
  const figure = make("figure", "", undefined, parent);
  const screen = make("div", "screen", undefined, figure);
  const hint = make("p", "", undefined, screen);
  const video = make("video", "", undefined, screen);
  video.controls = true;
  video.preload = "metadata";
  const caption = make("figcaption", "", undefined, figure);
  const strip = make("section", "strip", undefined, parent);
  const list = make("section", "list", undefined, parent);

  function showPlayer() {
    const player = model.get("player");
    caption.replaceChildren();
    video.hidden = !player.source;
    if (player.source) {
      video.src = player.source;
      video.setAttribute("aria-label", player.caption);
    } else {
      video.removeAttribute("src");
      video.load();
    }
    showHint(player.problem || (player.source ? "" : "Click a point: it plays here."), !!player.problem);
    make("b", "", player.caption || "", caption);
    if (player.words) make("div", "words", player.words, caption);
    if (player.credit) make("small", "", player.credit, caption);
  }
  function showHint(words, alarm) {
    hint.textContent = words;
    hint.hidden = !words;
    if (alarm) hint.setAttribute("role", "alert");
    else hint.removeAttribute("role");
  }
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    video.hidden = true;
    showHint("The browser cannot play this film: try to convert it to MP4 (H.264).", true);
  });

  function showTiles() {
    const { title, items } = model.get("tiles");
    strip.replaceChildren();
    if (!title) return;
    const head = make("h4", "", title, strip);
    if (data.hits.length) makeButton("Clear hits", "", clearHits, head);
    const grid = make("div", "tiles", undefined, strip);
    for (const { row, score } of items) {
      const tile = make("button", "tile", undefined, grid);
      tile.dataset.row = row;
      tile.title = `${data.videoOf(row).title}, ${data.spanOf(row)}`;
      make("div", "blank", "", tile);
      const cosine = score === null ? "" : ` · ${score.toFixed(2)}`;
      make("span", "", clock(data.points[4 * row + 2]) + cosine, tile);
      make("span", "", data.videoOf(row).title, tile);
      standForPoint(tile, row);
    }
    make("small", "", "", strip);
    fillTiles();
    stills.ask();
  }
  function fillTiles() {
    const credits = new Set();
    for (const tile of strip.querySelectorAll(".tile")) {
      const row = Number(tile.dataset.row);
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
    if (credits.size) strip.querySelector("small").textContent = `Frames: ${[...credits].join("; ")}`;
  }
  // A tile or a line of the table stands for a point.
  function standForPoint(node, row) {
    node.addEventListener("click", () => choose(row));
    node.addEventListener("mouseenter", () => hover(row));
    node.addEventListener("mouseleave", () => hover(-1));
  }

  function showTable() {
    const rows = [...data.picked];
    const place = list.querySelector(".scroll")?.scrollTop ?? 0;
    list.replaceChildren();
    const head = make("h4", "", rows.length ? `Selection: ${rows.length} segments` : "Selection", list);
    if (!rows.length) {
      make("p", "hint", "Draw around points with Lasso or Box, or click a cluster in the legend.", list);
      return;
    }
    makeButton("Clear", "", clear, head);
    const scroll = make("div", "scroll", undefined, list);
    const table = make("table", "", undefined, scroll);
    const names = make("tr", "", undefined, make("thead", "", undefined, table));
    for (const name of ["time", "title", "cluster"]) make("th", "", name, names).scope = "col";
    const body = make("tbody", "", undefined, table);
    for (const row of rows.slice(0, ROWS)) addLine(body, row);
    if (rows.length > ROWS)
      make("p", "hint", `The first ${ROWS} of ${rows.length}; the export holds all.`, list);
    scroll.scrollTop = place;
  }
  function addLine(body, row) {
    const line = make("tr", row === model.get("chosen") ? "chosen" : "", undefined, body);
    line.dataset.id = model.get("page").ids[row];
    const play = make("button", "link", data.spanOf(row), make("td", "", undefined, line));
    play.title = "show in the player";
    make("td", "", data.videoOf(row).title, line);
    make("td", "", data.clusterOf(row), line);
    standForPoint(line, row);
  }
  return { showPlayer, showTiles, fillTiles, showTable };
}
