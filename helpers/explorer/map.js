// The map: points on a plain canvas, 10,000 of them in a few milliseconds, with no graphics card.

import { make } from "./dom.js";
import { fitPoints, freeLine, placeX, placeY, shortName, zoomed } from "./geometry.js";
import { sprite } from "./shapes.js";
import { inksOf } from "./theme.js";

const MARGIN = 9; // pixels outside the map in which a point is still drawn
const RANKED = 10; // hits that carry their number

// Draws what `data` (see explorer.js) and the model say; `onZoom()` is called when the points have moved apart.
export function makeMap(model, data, parent, { onZoom }) {
  const plot = make("div", "plot", undefined, parent);
  const canvas = make("canvas", "", undefined, plot);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const pen = canvas.getContext("2d", { alpha: false });
  const layer = document.createElement("canvas"); // the points alone, for when only what is on top changes
  const ink = layer.getContext("2d", { alpha: false });
  const map = {
    plot,
    canvas,
    outline: null,
    view: { width: 1, height: 1, panX: 0, panY: 0, zoom: 1, fit: null },
  };
  let sprites = new Map();
  let robust = true; // whether far points may lie outside at first
  let inks = inksOf(document.body);
  let radius = 4;
  let scale = 1;
  let stale = true;
  let waiting = false;

  map.x = (row) => placeX(map.view, data.points[4 * row]);
  map.y = (row) => placeY(map.view, data.points[4 * row + 1]);

  function fit() {
    map.view.fit = fitPoints(data.points, data.shown, map.view.width, map.view.height, { robust });
  }
  map.readPoints = () => {
    const count = data.points.length / 4;
    radius = count > 3000 ? 3 : count > 600 ? 4.2 : 5.2;
    fit();
  };
  map.paint = () => {
    sprites = new Map(data.groups.map((g) => [g.code, sprite(g.colour, g.shape, radius, scale)]));
  };
  map.whole = () => {
    robust = false;
    map.refit();
  };
  map.refit = () => {
    map.view = { ...map.view, zoom: 1, panX: 0, panY: 0 };
    fit();
    map.draw();
  };
  map.move = (panX, panY) => {
    map.view = { ...map.view, panX, panY };
    map.draw();
  };
  map.zoom = (factor, x = map.view.width / 2, y = map.view.height / 2) => {
    map.view = zoomed(map.view, factor, x, y);
    onZoom();
    map.draw();
  };
  map.draw = () => {
    stale = true;
    map.drawMarks();
  };
  // The points as they were, and what is on top of them.
  map.drawMarks = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawNow();
    });
  };

  function drawPoints() {
    stale = false;
    inks = inksOf(document.body);
    const { width, height, panX, panY, zoom, fit } = map.view;
    if (layer.width !== canvas.width || layer.height !== canvas.height)
      [layer.width, layer.height] = [canvas.width, canvas.height];
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.fillStyle = inks.paper;
    ink.globalAlpha = 1;
    ink.fillRect(0, 0, width + 1, height + 1);
    const unit = fit.scale * zoom;
    const right = width / 2 + panX - fit.x * unit;
    const down = height / 2 + panY + fit.y * unit;
    const stamp = (row) => {
      const image = sprites.get(data.codes[row]);
      const x = right + data.points[4 * row] * unit;
      const y = down - data.points[4 * row + 1] * unit;
      if (!image || x < -MARGIN || y < -MARGIN || x > width + MARGIN || y > height + MARGIN) return;
      const size = image.width / scale;
      ink.drawImage(image, x - size / 2, y - size / 2, size, size);
    };
    const isBright = brightRows();
    const bright = [];
    ink.globalAlpha = data.picked.size || model.get("focus") !== null ? 0.22 : 0.4;
    for (const row of data.order) {
      if (isBright(row)) bright.push(row);
      else stamp(row);
    }
    ink.globalAlpha = 0.9;
    for (const row of bright) stamp(row);
  }
  // Which rows stand out: the selection, else the cluster of the legend, else the hits, else all.
  function brightRows() {
    const focus = model.get("focus");
    if (data.picked.size) return (row) => data.picked.has(row);
    if (focus !== null) return (row) => data.labels[row] === focus;
    if (!data.hits.length) return () => true;
    const lit = new Set(data.hits);
    return (row) => lit.has(row);
  }

  function drawNow() {
    if (stale) drawPoints();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(layer, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    drawNames();
    const chosen = model.get("chosen");
    const seen = chosen >= 0 && data.shown[chosen];
    if (seen) drawNeighbours(chosen);
    drawHits();
    if (data.hover >= 0 && data.shown[data.hover]) circle(data.hover, radius + 3, 2, inks.ink);
    if (seen) {
      circle(chosen, radius + 6, 6, inks.paper);
      circle(chosen, radius + 6, 3, inks.ink);
    }
    if (map.outline) drawOutline(map.outline);
  }
  function drawNames() {
    const taken = [];
    pen.font = "bold 13px sans-serif";
    const { width, height } = map.view;
    for (const group of data.groups) {
      if (!group.at || group.code < 0) continue;
      const [left, top] = [placeX(map.view, group.at[0]), placeY(map.view, group.at[1])];
      if (left < 0 || top < 0 || left > width || top > height) continue;
      const text = shortName(group.label);
      const wide = pen.measureText(text).width + 6;
      const x = Math.max(wide / 2, Math.min(left, width - wide / 2));
      const y = freeLine(taken, x, top, wide, height);
      taken.push({ x, y, wide });
      write(text, x, y, pen.font, inks.ink);
    }
  }
  function drawNeighbours(chosen) {
    const { of, items } = model.get("tiles");
    if (of !== chosen) return;
    pen.strokeStyle = inks.line;
    pen.lineWidth = 1;
    for (const { row } of items) {
      if (!data.shown[row]) continue;
      pen.beginPath();
      pen.moveTo(map.x(chosen), map.y(chosen));
      pen.lineTo(map.x(row), map.y(row));
      pen.stroke();
    }
  }
  function drawHits() {
    for (const [n, row] of data.hits.entries()) {
      if (!data.shown[row]) continue;
      circle(row, radius + 4, 5, inks.paper);
      circle(row, radius + 4, 2.5, inks.hit);
      if (n >= RANKED) continue;
      write(
        String(n + 1),
        map.x(row) + radius + 12,
        map.y(row) - radius - 4,
        "bold 12px sans-serif",
        inks.rank,
      );
    }
  }
  function drawOutline(path) {
    pen.beginPath();
    for (const [i, [x, y]] of path.entries()) pen[i ? "lineTo" : "moveTo"](x, y);
    pen.closePath();
    pen.fillStyle = "rgba(0,114,178,.12)";
    pen.fill();
    pen.strokeStyle = "#0072B2";
    pen.lineWidth = 1.5;
    pen.stroke();
  }
  function write(text, x, y, font, colour) {
    pen.font = font;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.strokeStyle = inks.halo;
    pen.lineWidth = 4;
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }
  function circle(row, r, line, colour) {
    pen.beginPath();
    pen.arc(map.x(row), map.y(row), r, 0, 7);
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.stroke();
  }

  const resize = new ResizeObserver(() => {
    const { width, height } = plot.getBoundingClientRect();
    if (!width || !height) return;
    map.view = { ...map.view, width, height };
    scale = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
    fit();
    map.paint();
    stale = true;
    drawNow();
  });
  map.start = () => resize.observe(plot);
  // New points: again without the far ones.
  map.begin = () => {
    robust = true;
    map.refit();
  };
  map.stop = () => resize.disconnect();
  return map;
}
