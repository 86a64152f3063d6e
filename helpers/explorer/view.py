"""The page of the cluster explorer: a map on a canvas, and beside it a player, neighbours and a table.

What the page shows comes from the traits of `ExplorerView`; what is clicked goes back in `chosen`, `picked` and
`focus`. Points are drawn on a plain canvas: 10,000 of them in a few milliseconds, with no graphics card and
nothing to download. Everything that people wrote (titles, names) is set as text, never as HTML.
"""

from typing import Any

import anywidget
import traitlets

from helpers.show.widgets import QuietWidget

# Shapes are paths on a square from -1 to 1, by Matplotlib's names, so that figures and map look alike.
SCRIPT = """
const poly = text => text.split(" ").map(pair => pair.split(",").map(Number));
const star = (n, inner) => Array.from({ length: 2 * n }, (_, i) => {
  const r = i % 2 ? inner : 1.15, a = Math.PI * (i / n - 0.5);
  return [r * Math.cos(a), r * Math.sin(a)];
});
const ring = (n, turn) => Array.from({ length: n }, (_, i) => {
  const a = 2 * Math.PI * (i / n + turn) - Math.PI / 2;
  return [1.05 * Math.cos(a), 1.05 * Math.sin(a)];
});
const plus = poly("-.35,-1 .35,-1 .35,-.35 1,-.35 1,.35 .35,.35 .35,1 -.35,1 -.35,.35 -1,.35 -1,-.35 -.35,-.35");
const thin = plus.map(pair => pair.map(v => Math.abs(v) < 1 ? v * 0.5 : v));
const turned = path => path.map(([x, y]) => [(x - y) * 0.75, (x + y) * 0.75]);
const SHAPES = {
  "s": poly("-.85,-.85 .85,-.85 .85,.85 -.85,.85"), "D": poly("0,-1.1 1.1,0 0,1.1 -1.1,0"),
  "^": poly("0,-1.1 1.1,.9 -1.1,.9"), "v": poly("0,1.1 1.1,-.9 -1.1,-.9"),
  "<": poly("-1.1,0 .9,-1.1 .9,1.1"), ">": poly("1.1,0 -.9,-1.1 -.9,1.1"), "P": plus, "X": turned(plus),
  "*": star(5, 0.5), "p": ring(5, 0), "x": turned(thin),
};

function trace(pen, shape, x, y, r) {
  const path = SHAPES[shape];
  pen.beginPath();
  if (path) path.forEach(([a, b], i) => pen[i ? "lineTo" : "moveTo"](x + a * r, y + b * r));
  else pen.arc(x, y, 0.95 * r, 0, 7);
  pen.closePath();
}
function sprite(colour, shape, r, scale) {
  const canvas = document.createElement("canvas"), size = Math.ceil(2 * (1.3 * r + 1) * scale);
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  trace(pen, shape, size / scale / 2, size / scale / 2, r);
  pen.fillStyle = colour;
  pen.fill();
  if (shape !== "x") {
    pen.strokeStyle = "#333";
    pen.lineWidth = 0.5;
    pen.stroke();
  }
  return canvas;
}
function clock(t) {
  const two = n => String(Math.floor(n)).padStart(2, "0");
  t = Math.floor(t + 1e-6);
  return t < 3600 ? `${Math.floor(t / 60)}:${two(t % 60)}`
                  : `${Math.floor(t / 3600)}:${two(t / 60 % 60)}:${two(t % 60)}`;
}
function make(tag, className, text, parent) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}
const view = (model, name, Kind) => {
  const bytes = model.get(name);
  return new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const NEAR = 12, REST = 90, ROWS = 300, STILLS = 500;

function render({ model, el }) {
  const root = make("div", "explorer", undefined, el);
  root.dataset.lmSuppressShortcuts = "true";  // keys typed here are not the notebook's
  const left = make("div", "left", undefined, root), right = make("div", "right", undefined, root);
  const bar = make("div", "bar", undefined, left);
  const status = make("p", "status", undefined, left);  // above the map: below, a small screen does not show it
  status.setAttribute("role", "status");
  const plot = make("div", "plot", undefined, left);
  const canvas = make("canvas", "", undefined, plot);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const tip = make("div", "tip", undefined, plot);
  tip.hidden = true;
  const legend = make("div", "legend", undefined, left);
  const figure = make("figure", "", undefined, right);
  const screen = make("div", "screen", undefined, figure);
  const hint = make("p", "", undefined, screen), video = make("video", "", undefined, screen);
  video.controls = true;
  video.preload = "metadata";
  const caption = make("figcaption", "", undefined, figure);
  const strip = make("section", "strip", undefined, right);
  const list = make("section", "list", undefined, right);

  // -------------------------------------------------------------- what there is to draw
  const pen = canvas.getContext("2d", { alpha: false });
  let points, films, labels, shown, groups, byCluster, sprites, picked = new Set(), hits = [], order = [];
  let width = 1, height = 1, scale = 1, zoom = 1, panX = 0, panY = 0, fit = null, radius = 4;
  let hover = -1, mode = "pan", drag = null, waiting = false;
  const page = () => model.get("page");
  const label = ({ cluster, name }) => cluster < 0 ? "noise" : name ? `${cluster} ${name}` : `cluster ${cluster}`;
  const short = name => {  // code points, so that no character is cut in two
    const signs = Array.from(name);
    return signs.length > 28 ? `${signs.slice(0, 27).join("").trimEnd()}…` : name;
  };
  const span = i => `${clock(points[4 * i + 2])}-${clock(points[4 * i + 3])}`;
  const film = i => page().films[films[i]];
  const X = i => width / 2 + panX + (points[4 * i] - fit.x) * fit.scale * zoom;
  const Y = i => height / 2 + panY - (points[4 * i + 1] - fit.y) * fit.scale * zoom;

  function readPoints() {
    points = view(model, "points", Float32Array);
    films = view(model, "films", Int32Array);
    radius = films.length > 3000 ? 3 : films.length > 600 ? 4.2 : 5.2;
    frame();
  }
  function frame() {  // the whole map, with one scale for both axes, so that distances stay true
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < films.length; i++) {
      if (shown && !shown[i]) continue;
      x0 = Math.min(x0, points[4 * i]); x1 = Math.max(x1, points[4 * i]);
      y0 = Math.min(y0, points[4 * i + 1]); y1 = Math.max(y1, points[4 * i + 1]);
    }
    if (x0 > x1) [x0, x1, y0, y1] = [0, 1, 0, 1];
    const room = Math.min((width - 50) / (x1 - x0 || 1e-9), (height - 50) / (y1 - y0 || 1e-9));
    fit = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(room, 1e-9) };
  }
  function whole() { [zoom, panX, panY] = [1, 0, 0]; frame(); draw(); }
  function readGroups() {
    labels = view(model, "labels", Int32Array);
    shown = view(model, "shown", Uint8Array);
    groups = model.get("groups");
    byCluster = new Map(groups.map(group => [group.cluster, group]));
    paint();
    order = Array.from(labels.keys()).filter(i => shown[i]);
    order.sort((a, b) => (labels[a] >= 0) - (labels[b] >= 0) || a - b);  // noise lies at the bottom
    for (const group of groups) {
      const rows = order.filter(i => labels[i] === group.cluster), middle = rows.length >> 1;
      const median = k => rows.map(i => points[4 * i + k]).sort((a, b) => a - b)[middle];
      group.at = rows.length ? [median(0), median(1)] : null;
      group.seen = rows.length;
    }
    showLegend();
    showTable();
    draw();
  }
  function paint() {
    sprites = new Map((groups || []).map(g => [g.cluster, sprite(g.colour, g.shape, radius, scale)]));
  }

  // -------------------------------------------------------------- the map
  const layer = document.createElement("canvas"), ink = layer.getContext("2d", { alpha: false });
  let stale = true;
  function draw() { stale = true; drawMarks(); }
  function drawMarks() {  // the points as they were, and what is on top of them
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawNow(); });
  }
  function drawPoints() {
    stale = false;
    if (layer.width !== canvas.width || layer.height !== canvas.height)
      [layer.width, layer.height] = [canvas.width, canvas.height];
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.fillStyle = "#fff";
    ink.globalAlpha = 1;
    ink.fillRect(0, 0, width + 1, height + 1);
    const focus = model.get("focus"), lit = new Set(hits), unit = fit.scale * zoom, bright = [];
    const right = width / 2 + panX - fit.x * unit, down = height / 2 + panY + fit.y * unit;
    const all = !picked.size && focus === null && !lit.size;
    const stamp = i => {
      const image = sprites.get(labels[i]), x = right + points[4 * i] * unit, y = down - points[4 * i + 1] * unit;
      if (!image || x < -9 || y < -9 || x > width + 9 || y > height + 9) return;
      const size = image.width / scale;
      ink.drawImage(image, x - size / 2, y - size / 2, size, size);
    };
    ink.globalAlpha = picked.size || focus !== null ? 0.22 : 0.4;
    for (const i of order) {
      if (all || (picked.size ? picked.has(i) : focus !== null ? labels[i] === focus : lit.has(i))) bright.push(i);
      else stamp(i);
    }
    ink.globalAlpha = 0.9;
    for (const i of bright) stamp(i);
  }
  function drawNow() {
    if (stale) drawPoints();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(layer, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const chosen = model.get("chosen");
    const taken = [];
    pen.font = "bold 13px sans-serif";
    for (const group of groups) if (group.at && group.cluster >= 0) {
      const text = short(group.name || String(group.cluster)), wide = pen.measureText(text).width + 6;
      const x = width / 2 + panX + (group.at[0] - fit.x) * fit.scale * zoom;
      let y = height / 2 + panY - (group.at[1] - fit.y) * fit.scale * zoom;
      const under = other => Math.abs(other.x - x) < (other.wide + wide) / 2 && Math.abs(other.y - y) < 15;
      for (let other, n = 0; n < 40 && (other = taken.find(under)); n++) y = other.y + 15;  // the next free line
      taken.push({ x, y, wide });
      write(text, x, y, pen.font, "#111", 4);
    }
    const { of, items } = model.get("tiles");
    if (chosen >= 0 && shown[chosen]) {
      pen.strokeStyle = "rgba(0,0,0,.45)";
      pen.lineWidth = 1;
      for (const { row } of of === chosen ? items : []) if (shown[row]) {
        pen.beginPath();
        pen.moveTo(X(chosen), Y(chosen));
        pen.lineTo(X(row), Y(row));
        pen.stroke();
      }
    }
    hits.forEach((i, n) => {
      if (!shown[i]) return;
      circle(i, radius + 4, 5, "#fff");
      circle(i, radius + 4, 2.5, "#D55E00");
      if (n < 10) write(String(n + 1), X(i) + radius + 12, Y(i) - radius - 4, "bold 12px sans-serif", "#A33F00", 4);
    });
    if (hover >= 0 && shown[hover]) circle(hover, radius + 3, 2, "#000");
    if (chosen >= 0 && shown[chosen]) {
      circle(chosen, radius + 6, 6, "#fff");
      circle(chosen, radius + 6, 3, "#000");
    }
    if (drag && drag.path) {
      pen.beginPath();
      drag.path.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x, y));
      pen.closePath();
      pen.fillStyle = "rgba(0,114,178,.12)";
      pen.fill();
      pen.strokeStyle = "#0072B2";
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }
  function write(text, x, y, font, colour, halo) {
    pen.font = font;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.strokeStyle = "rgba(255,255,255,.9)";
    pen.lineWidth = halo;
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }
  function circle(i, r, line, colour) {
    pen.beginPath();
    pen.arc(X(i), Y(i), r, 0, 7);
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.stroke();
  }
  function nearest(x, y) {
    let best = -1, least = NEAR * NEAR;
    for (const i of order) {
      const d = (X(i) - x) ** 2 + (Y(i) - y) ** 2;
      if (d <= least) { least = d; best = i; }  // of points in one place, the one on top
    }
    return best;
  }
  const inside = (path, x, y) => path.reduce((odd, [x1, y1], i) => {
    const [x0, y0] = path[i ? i - 1 : path.length - 1];
    return (y0 > y) !== (y1 > y) && x < (x1 - x0) * (y - y0) / (y1 - y0) + x0 ? !odd : odd;
  }, false);

  // -------------------------------------------------------------- hover: words at once, a still when the mouse rests
  const stills = new Map();
  let asked = -1, askedAt = 0, rested = -1, timer = 0;
  function askStill() {  // one question at a time: neither a fast mouse nor fast clicks can flood the kernel
    if (asked >= 0 && performance.now() - askedAt < 5000) return;
    const tile = (model.get("tiles").items || []).find(({ row }) => !stills.has(row));
    asked = rested >= 0 && !stills.has(rested) ? rested : tile ? tile.row : -1;
    askedAt = performance.now();
    if (asked >= 0) model.send({ still: asked });
  }
  function answer(message) {
    if (message.still === undefined) return;
    stills.set(message.still, message);
    if (stills.size > STILLS) stills.delete(stills.keys().next().value);
    asked = -1;
    if (message.still === hover) showTip();
    fillTiles();
    askStill();
  }
  function look(i) {
    if (i === hover) return;
    hover = i;
    canvas.style.cursor = i >= 0 ? "pointer" : mode === "pan" ? "grab" : "crosshair";
    clearTimeout(timer);
    rested = -1;
    if (i >= 0) timer = setTimeout(() => { rested = i; askStill(); }, REST);
    showTip();
    drawMarks();
  }
  function showTip() {
    tip.hidden = hover < 0 || !shown[hover] || !!drag;
    if (tip.hidden) return;
    tip.replaceChildren();
    const still = stills.get(hover), group = byCluster.get(labels[hover]);
    if (still && still.image) {
      make("img", "", undefined, tip).src = still.image;
      tip.firstChild.alt = "";
    }
    make("b", "", film(hover).title, tip);
    make("div", "", `${span(hover)} · ${group ? label(group) : ""}`, tip);
    if (still && still.words) make("div", "words", still.words, tip);
    if (still && still.image && film(hover).credit) make("small", "", film(hover).credit, tip);
    const x = X(hover), y = Y(hover);
    tip.style.left = x < width / 2 ? `${x + 16}px` : "";
    tip.style.right = x < width / 2 ? "" : `${width - x + 16}px`;
    tip.style.top = y < height / 2 ? `${y + 10}px` : "";
    tip.style.bottom = y < height / 2 ? "" : `${height - y + 10}px`;
  }

  // -------------------------------------------------------------- mouse, touch, wheel
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", event => {
    if (event.button) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    drag = { x, y, panX, panY, moved: false };
  });
  canvas.addEventListener("pointermove", event => {
    const [x, y] = at(event);
    if (!drag) return look(nearest(x, y));
    drag.moved = drag.moved || Math.hypot(x - drag.x, y - drag.y) > 4;
    if (!drag.moved) return;
    hover = -1;
    tip.hidden = true;
    if (mode === "pan") [panX, panY] = [drag.panX + x - drag.x, drag.panY + y - drag.y];
    else if (mode === "box") drag.path = [[drag.x, drag.y], [x, drag.y], [x, y], [drag.x, y]];
    else (drag.path = drag.path || [[drag.x, drag.y]]).push([x, y]);
    if (mode === "pan") draw(); else drawMarks();
  });
  canvas.addEventListener("pointerup", event => {
    const was = drag, [x, y] = at(event);
    drag = null;
    if (!was) return;
    if (!was.moved) {
      const i = nearest(x, y);
      if (i >= 0) choose(i);
    } else if (was.path) {
      const found = order.filter(i => inside(was.path, X(i), Y(i))).sort((a, b) => a - b);
      pick(event.shiftKey ? [...new Set([...picked, ...found])].sort((a, b) => a - b) : found, null);
    }
    drawMarks();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; drawMarks(); });
  canvas.addEventListener("pointerleave", () => { if (!drag) look(-1); });
  canvas.addEventListener("wheel", event => {
    if (document.activeElement !== canvas) return;  // before a click on the map the wheel scrolls the notebook
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 300), ...at(event));
  }, { passive: false });
  canvas.addEventListener("keydown", event => {
    const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    if (step) { panX += step[0]; panY += step[1]; }
    else if (event.key === "+" || event.key === "-") return zoomBy(event.key === "+" ? 1.3 : 1 / 1.3);
    else if (event.key === "0") return whole();
    else if (event.key === "Escape") return pick([], null);
    else return;
    event.preventDefault();
    draw();
  });
  function zoomBy(factor, x = width / 2, y = height / 2) {
    const next = Math.min(Math.max(zoom * factor, 0.3), 300), ratio = next / zoom;
    panX = (panX + width / 2 - x) * ratio + x - width / 2;
    panY = (panY + height / 2 - y) * ratio + y - height / 2;
    zoom = next;
    showTip();
    draw();
  }
  function choose(i) {
    if (model.get("chosen") === i) return showPlayer();  // again from its first second
    model.set("chosen", i);
    model.save_changes();
  }
  function pick(rows, focus) {
    model.set("picked", rows);
    model.set("focus", focus);
    model.save_changes();
  }

  // -------------------------------------------------------------- buttons, legend
  const modes = {};
  for (const [name, words, help] of [
    ["pan", "Move", "drag to move the map"], ["lasso", "Lasso", "draw around points; Shift adds to the selection"],
    ["box", "Box", "drag a box over points; Shift adds to the selection"],
  ]) {
    modes[name] = make("button", "jupyter-button", words, bar);
    modes[name].title = help;
    modes[name].addEventListener("click", () => setMode(name));
  }
  function setMode(name) {
    mode = name;
    for (const key in modes) modes[key].setAttribute("aria-pressed", key === name);
    canvas.style.cursor = name === "pan" ? "grab" : "crosshair";
  }
  for (const [words, help, act] of [
    ["+", "zoom in (or the wheel, after a click on the map)", () => zoomBy(1.4)],
    ["−", "zoom out", () => zoomBy(1 / 1.4)], ["Whole map", "show every point again", whole],
  ]) {
    const button = make("button", "jupyter-button", words, bar);
    button.title = help;
    button.addEventListener("click", act);
  }
  const count = make("span", "count", "", bar);
  function showLegend() {
    legend.replaceChildren();
    for (const group of groups) {
      const entry = make("button", "entry", undefined, legend);
      entry.dataset.cluster = group.cluster;
      entry.title = "show and select the points of this cluster";
      entry.disabled = !group.seen;  // the film filter hides all of it
      entry.setAttribute("aria-pressed", model.get("focus") === group.cluster);
      const icon = make("img", "", undefined, entry);
      icon.src = sprite(group.colour, group.shape, 5, 2).toDataURL();
      icon.alt = "";
      make("span", "", `${label(group)} (${group.seen})`, entry);
      entry.addEventListener("click", () => {
        const again = model.get("focus") === group.cluster;
        pick(again ? [] : order.filter(i => labels[i] === group.cluster).sort((a, b) => a - b),
             again ? null : group.cluster);
      });
    }
    const all = labels.length, some = order.length;
    count.textContent = some === all ? `${all} segments` : `${some} of ${all} segments`;
    canvas.setAttribute("aria-label", `Map of ${count.textContent} in ${groups.filter(g => g.cluster >= 0).length} ` +
      "clusters; the buttons of the legend list the segments of a cluster in the table");
  }

  // -------------------------------------------------------------- player, tiles, table
  function showPlayer() {
    const film = model.get("player");
    caption.replaceChildren();
    video.hidden = !film.source;
    if (film.source) { video.src = film.source; video.setAttribute("aria-label", film.caption); }
    else { video.removeAttribute("src"); video.load(); }
    tell(film.problem || (film.source ? "" : "Click a point: it plays here."), !!film.problem);
    make("b", "", film.caption || "", caption);
    if (film.words) make("div", "words", film.words, caption);
    if (film.credit) make("small", "", film.credit, caption);
  }
  function tell(words, alarm) {
    hint.textContent = words;
    hint.hidden = !words;
    if (alarm) hint.setAttribute("role", "alert"); else hint.removeAttribute("role");
  }
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    video.hidden = true;
    tell("The browser cannot play this film: try to convert it to MP4 (H.264).", true);
  });
  function showTiles() {
    const { title, items } = model.get("tiles");
    strip.replaceChildren();
    if (!title) return drawMarks();
    const head = make("h4", "", title, strip);
    if (hits.length) {
      const clear = make("button", "jupyter-button", "Clear hits", head);
      clear.addEventListener("click", () => { model.set("hits", []); model.save_changes(); });
    }
    const grid = make("div", "tiles", undefined, strip);
    for (const { row, score } of items) {
      const tile = make("button", "tile", undefined, grid);
      tile.dataset.row = row;
      tile.title = `${film(row).title}, ${span(row)}`;
      make("div", "blank", "", tile);
      make("span", "", clock(points[4 * row + 2]) + (score === null ? "" : ` · ${score.toFixed(2)}`), tile);
      make("span", "", film(row).title, tile);
      point(tile, row);
    }
    make("small", "", "", strip);
    fillTiles();
    askStill();
    drawMarks();
  }
  function fillTiles() {
    const credits = new Set();
    for (const tile of strip.querySelectorAll(".tile")) {
      const row = Number(tile.dataset.row), still = stills.get(row), blank = tile.querySelector(".blank");
      if (still && still.image && film(row).credit) credits.add(film(row).credit);
      if (!still || !blank) continue;
      if (!still.image) { blank.textContent = "no picture"; continue; }
      const image = document.createElement("img");
      image.src = still.image;
      image.alt = "";
      blank.replaceWith(image);
    }
    if (credits.size) strip.querySelector("small").textContent = `Frames: ${[...credits].join("; ")}`;
  }
  function point(node, row) {  // a tile or a line of the table stands for a point
    node.addEventListener("click", () => choose(row));
    node.addEventListener("mouseenter", () => { hover = row; drawMarks(); });
    node.addEventListener("mouseleave", () => { hover = -1; drawMarks(); });
  }
  function showTable() {
    picked = new Set(model.get("picked"));
    const rows = [...picked], top = list.querySelector(".scroll");
    const place = top ? top.scrollTop : 0;
    list.replaceChildren();
    const head = make("h4", "", rows.length ? `Selection: ${rows.length} segments` : "Selection", list);
    if (!rows.length)
      return make("p", "hint", "Draw around points with Lasso or Box, or click a cluster in the legend.", list);
    const clear = make("button", "jupyter-button", "Clear", head);
    clear.addEventListener("click", () => pick([], null));
    const scroll = make("div", "scroll", undefined, list);
    const table = make("table", "", undefined, scroll);
    const names = make("tr", "", undefined, make("thead", "", undefined, table));
    for (const name of ["time", "title", "cluster"]) make("th", "", name, names).scope = "col";
    const body = make("tbody", "", undefined, table), chosen = model.get("chosen");
    for (const i of rows.slice(0, ROWS)) {
      const line = make("tr", i === chosen ? "chosen" : "", undefined, body), group = byCluster.get(labels[i]);
      line.dataset.id = page().ids[i];
      const play = make("button", "link", span(i), make("td", "", undefined, line));
      play.title = "show in the player";
      make("td", "", film(i).title, line);
      make("td", "", group ? label(group) : "", line);
      point(line, i);
    }
    if (rows.length > ROWS) make("p", "hint", `The first ${ROWS} of ${rows.length}; the export holds all.`, list);
    scroll.scrollTop = place;
  }

  // -------------------------------------------------------------- what Python changes
  const on = {
    "change:points": () => { readPoints(); readGroups(); whole(); },  // the clusters may be the same, their places not
    "change:groups": readGroups, "change:labels": readGroups,
    "change:shown": () => { readGroups(); whole(); }, "change:player": showPlayer, "change:tiles": showTiles,
    "change:hits": () => { hits = model.get("hits"); showTiles(); draw(); },
    "change:picked": () => { showTable(); draw(); }, "change:focus": () => { showLegend(); draw(); },
    "change:chosen": () => { showTable(); drawMarks(); },
    "change:status": () => { status.textContent = model.get("status"); }, "msg:custom": answer,
  };
  const resize = new ResizeObserver(() => {
    const box = plot.getBoundingClientRect();
    if (!box.width || !box.height) return;
    [width, height, scale] = [box.width, box.height, window.devicePixelRatio || 1];
    [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
    frame();
    paint();
    stale = true;
    drawNow();
  });
  for (const name in on) model.on(name, on[name]);
  hits = model.get("hits");
  readPoints();
  readGroups();
  showPlayer();
  showTiles();
  setMode("pan");
  status.textContent = model.get("status");
  resize.observe(plot);
  return () => {
    resize.disconnect();
    clearTimeout(timer);
    for (const name in on) model.off(name, on[name]);
  };
}
export default { render };
"""


STYLE = """
.explorer { display: flex; flex-wrap: wrap; gap: 12px; font: 13px/1.35 var(--jp-ui-font-family, sans-serif);
  color: var(--jp-ui-font-color1, #222); }
.explorer .left { flex: 3 1 480px; min-width: 0; display: flex; flex-direction: column; gap: 6px; }
.explorer .right { flex: 2 1 320px; min-width: 0; display: flex; flex-direction: column; gap: 8px; }
.explorer [hidden] { display: none; }
.explorer .bar { display: flex; gap: 4px; align-items: center; flex-wrap: wrap; }
.explorer .bar button, .explorer h4 button { height: 26px; line-height: 24px; padding: 0 10px; cursor: pointer; }
.explorer button[aria-pressed=true] { box-shadow: inset 0 0 0 2px #0072B2; }
.explorer .count { margin-left: auto; color: var(--jp-ui-font-color2, #666); }
.explorer .plot { position: relative; height: 520px; border: 1px solid var(--jp-border-color2, #ccc); }
.explorer canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; }
.explorer canvas:focus-visible { outline: 2px solid #0072B2; }
.explorer .tip { position: absolute; z-index: 2; width: 190px; padding: 6px; pointer-events: none; border-radius: 4px;
  background: #fff; color: #222; border: 1px solid #999; box-shadow: 0 2px 8px rgba(0,0,0,.25); }
.explorer .tip img { width: 100%; display: block; margin-bottom: 4px; }
.explorer .tip b, .explorer figcaption b { overflow-wrap: anywhere; }
.explorer .words { display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; overflow: hidden;
  color: var(--jp-ui-font-color2, #555); }
.explorer .tip .words { color: #555; }
.explorer small { display: block; font-size: 11px; opacity: .8; overflow-wrap: anywhere; }
.explorer .legend { display: flex; flex-wrap: wrap; gap: 4px; max-height: 96px; overflow: auto; }
.explorer .entry { display: flex; align-items: center; gap: 4px; border: 1px solid var(--jp-border-color2, #ccc);
  border-radius: 12px; padding: 1px 9px 1px 5px; background: none; color: inherit; font: inherit; cursor: pointer; }
.explorer .entry:disabled { opacity: .45; cursor: default; }
.explorer .entry img { width: 15px; height: 15px; background: #fff; border-radius: 50%; }
.explorer .entry span { max-width: 18em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.explorer .status { margin: 0; height: 2.75em; overflow: auto; overflow-wrap: anywhere; }
.explorer figure { margin: 0; }
.explorer .screen { aspect-ratio: 16 / 9; max-height: 230px; width: 100%; display: flex; align-items: center;
  justify-content: center; background: var(--jp-layout-color2, #eee); }
.explorer .screen p { padding: 0 24px; text-align: center; }
.explorer video { width: 100%; height: 100%; background: #000; display: block; }
.explorer h4 { margin: 0 0 4px; display: flex; align-items: center; gap: 10px; font-size: 13px; }
.explorer .tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 6px; }
.explorer .tile { padding: 0 0 2px; border: 1px solid var(--jp-border-color2, #ccc); background: none; color: inherit;
  font: inherit; font-size: 11px; line-height: 1.35; cursor: pointer; text-align: left; overflow: hidden; }
.explorer .tile img, .explorer .blank { width: 100%; aspect-ratio: 16 / 9; object-fit: cover; display: block; }
.explorer .blank { background: #ccc; color: #333; text-align: center; padding-top: 12%; box-sizing: border-box; }
.explorer .tile span { display: block; padding: 0 4px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.explorer .tile:hover, .explorer .entry:hover { border-color: #0072B2; }
.explorer .scroll { max-height: 150px; overflow: auto; border: 1px solid var(--jp-border-color2, #ccc); }
.explorer table { width: 100%; border-collapse: collapse; font-size: 12px; }
.explorer th { position: sticky; top: 0; background: var(--jp-layout-color2, #eee); text-align: left;
  padding: 2px 6px; }
.explorer td { padding: 1px 6px; overflow-wrap: anywhere; }
.explorer tbody tr { cursor: pointer; }
.explorer tbody tr:hover, .explorer tr.chosen { background: var(--jp-layout-color3, #ddd); }
.explorer .link { border: 0; padding: 0; background: none; color: inherit; font: inherit; cursor: pointer;
  text-decoration: underline; white-space: nowrap; }
.explorer .hint { margin: 2px 0; color: var(--jp-ui-font-color2, #666); }
"""


class ExplorerView(QuietWidget, anywidget.AnyWidget):  # type: ignore[misc]
    """Map, player, neighbours and table; `row` means a row of the segments, from 0. Made by ClusterExplorer."""

    _esm, _css = SCRIPT, STYLE

    page: "traitlets.Dict[str, Any]" = traitlets.Dict(help="what stays: ids, films of title, credit").tag(
        sync=True
    )
    points = traitlets.Bytes(help="float32 (n, 4): x, y, start and end in seconds").tag(sync=True)
    films = traitlets.Bytes(help="int32 (n,): the film of each row, as a number in page").tag(sync=True)
    labels = traitlets.Bytes(help="int32 (n,): the cluster of each row").tag(sync=True)
    shown = traitlets.Bytes(help="uint8 (n,): 0 for rows that the filter hides").tag(sync=True)
    groups: "traitlets.List[Any]" = traitlets.List(help="cluster, name, colour, shape of each").tag(sync=True)
    chosen = traitlets.Int(-1, help="the row that was clicked last, or -1").tag(sync=True)
    picked: "traitlets.List[int]" = traitlets.List(traitlets.Int(), help="the rows of the selection").tag(
        sync=True
    )
    focus = traitlets.Int(None, allow_none=True, help="the cluster clicked in the legend").tag(sync=True)
    hits: "traitlets.List[int]" = traitlets.List(traitlets.Int(), help="rows that light up, in order").tag(
        sync=True
    )
    player: "traitlets.Dict[str, Any]" = traitlets.Dict(help="see explorer_state.clip_player").tag(sync=True)
    tiles: "traitlets.Dict[str, Any]" = traitlets.Dict(help="title, items, credit, of (a row)").tag(sync=True)
    status = traitlets.Unicode(help="one sentence").tag(sync=True)
