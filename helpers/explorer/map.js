// The map: points as pixels of an image, and names, rings and lines on a plain canvas on top of it.

import { make } from "./dom.js";
import {
  atEdge,
  farRows,
  fitPoints,
  freeLine,
  nearestRow,
  placeX,
  placeY,
  shortName,
  zoomed,
} from "./geometry.js";
import { drawBadges, drawRings } from "./hits.js";
import { makeRaster, pixelOf, stampOf, stampRows } from "./raster.js";
import { sprite, trace } from "./shapes.js";
import { inksOf, seenOn } from "./theme.js";

const BRIGHT = 0.9;
const NAMED = "bold 13px sans-serif";
const SUGGESTED = "italic 12px sans-serif";
const EDGE = 8; // pixels from the edge at which a far point is shown
const MOST_FAR = 200; // points that are shown so

// Draws what `data` (see explorer.js) and the model say; `onZoom()` is called when the points have moved apart.
export function makeMap(model, data, parent, { onZoom }) {
  const plot = make("div", "plot", undefined, parent);
  const canvas = make("canvas", "", undefined, plot);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const pen = canvas.getContext("2d", { alpha: false });
  const layer = document.createElement("canvas"); // the points alone, for when only what is on top changes
  const ink = layer.getContext("2d", { alpha: false });
  let raster = makeRaster(1, 1, 1);
  const map = {
    plot,
    canvas,
    outline: null,
    view: { width: 1, height: 1, panX: 0, panY: 0, zoom: 1, fit: null },
  };
  let stamps = () => new Map();
  let far = new Set(); // rows outside the whole map
  let robust = true; // whether far points may lie outside at first
  let inks = inksOf(document.body);
  let radius = 4;
  let scale = 1;
  let stale = true;
  let waiting = false;

  // Where the point of a row is seen: a far one at the edge, so that it can be found and clicked.
  map.x = (row) => {
    const x = placeX(map.view, data.points[4 * row]);
    return far.has(row) ? atEdge(x, map.view.width, EDGE) : x;
  };
  map.y = (row) => {
    const y = placeY(map.view, data.points[4 * row + 1]);
    return far.has(row) ? atEdge(y, map.view.height, EDGE) : y;
  };
  map.nearest = (x, y, reach) => {
    const row = nearestRow(map.view, data.points, data.order, x, y, reach);
    if (row >= 0) return row;
    return [...far].find((row) => Math.hypot(map.x(row) - x, map.y(row) - y) <= reach) ?? -1;
  };

  function fit() {
    map.view.fit = fitPoints(data.points, data.shown, map.view.width, map.view.height, { robust });
    far = new Set(robust ? farRows(map.view, data.points, data.shown, MOST_FAR) : []);
  }
  map.readPoints = () => {
    const count = data.points.length / 4;
    radius = count > 3000 ? 3 : count > 600 ? 4.2 : 5.2;
    fit();
  };
  // How the markers of each entry look, for the opacities as they are asked for.
  map.paint = () => {
    const images = data.groups.map(({ code, colour, shape }) => {
      const marker = sprite(seenOn(colour, inks), shape, radius, scale, inks.edge);
      return [code, marker.getContext("2d").getImageData(0, 0, marker.width, marker.width)];
    });
    const size = Math.max(1, ...images.map(([, { width }]) => width));
    raster = makeRaster(canvas.width, canvas.height, size);
    const known = new Map();
    stamps = (alpha) => {
      const make = ([code, image]) => [code, stampOf(image, alpha, raster.wide)];
      if (!known.has(alpha)) known.set(alpha, new Map(images.map(make)));
      return known.get(alpha);
    };
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
    if (inks !== inksOf(document.body)) {
      inks = inksOf(document.body);
      map.paint(); // markers have other colours
    }
    const { width, height, panX, panY, zoom, fit } = map.view;
    const unit = fit.scale * zoom * scale;
    const place = {
      unit,
      left: (width / 2 + panX) * scale - fit.x * unit,
      top: (height / 2 + panY) * scale + fit.y * unit,
    };
    const { margin, wide, high, pixels, bytes } = raster;
    const stamp = (alpha, counts) =>
      stampRows(raster, data.order, data.points, data.codes, stamps(alpha), place, counts);
    pixels.fill(pixelOf(inks.paper));
    const isBright = brightRows();
    if (isBright) {
      stamp(
        data.picked.size || model.get("focus") !== null ? inks.dimmer : inks.dim,
        (row) => !isBright(row),
      );
      stamp(BRIGHT, isBright);
    } else stamp(BRIGHT, () => true);
    ink.putImageData(new ImageData(bytes, wide, high), -margin, -margin);
  }
  // Which rows stand out: the hits, and the selection or else the cluster of the legend; null for all.
  function brightRows() {
    const [focus, lit] = [model.get("focus"), new Set(data.hits)];
    if (data.picked.size) return (row) => data.picked.has(row) || lit.has(row);
    if (focus !== null) return (row) => data.labels[row] === focus || lit.has(row);
    return lit.size ? (row) => lit.has(row) : null;
  }

  function drawNow() {
    if (stale) drawPoints();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(layer, 0, 0);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    drawFar();
    const chosen = model.get("chosen");
    const seen = chosen >= 0 && data.shown[chosen];
    if (seen && !data.hits.includes(chosen)) drawNeighbours(chosen); // among hits its lines would hide them
    drawRings(pen, { data, map, inks, radius });
    if (data.hover >= 0 && data.shown[data.hover]) circle(data.hover, radius + 3, 2, inks.ink);
    if (seen) {
      const out = radius + (data.rankOf(chosen) ? 10 : 6); // around the ring of a hit
      circle(chosen, out, 6, inks.paper);
      circle(chosen, out, 3, inks.ink);
    }
    const taken = drawNames(); // words last: no ring goes through them
    drawBadges(pen, { data, map, inks, radius, taken });
    if (map.outline) drawOutline(map.outline);
  }
  // Far points, in a ring at the edge that they lie beyond.
  function drawFar() {
    const colours = new Map(data.groups.map((group) => [group.code, seenOn(group.colour, inks)]));
    for (const row of far) {
      const [x, y] = [map.x(row), map.y(row)];
      if (x === placeX(map.view, data.points[4 * row]) && y === placeY(map.view, data.points[4 * row + 1]))
        continue;
      trace(pen, "o", x, y, radius);
      pen.fillStyle = colours.get(data.codes[row]);
      pen.fill();
      circle(row, radius + 2, 1, inks.line);
    }
  }
  function drawNames() {
    const taken = [];
    const { width, height } = map.view;
    for (const group of data.groups) {
      if (!group.at || group.code < 0) continue;
      const [left, top] = [placeX(map.view, group.at[0]), placeY(map.view, group.at[1])];
      if (left < 0 || top < 0 || left > width || top > height) continue;
      const words = group.suggested ? `${group.label} ${group.suggested}?` : group.label;
      const text = shortName(words) + (group.kept ? `, ${group.kept}` : "");
      pen.font = group.suggested ? SUGGESTED : NAMED;
      const wide = pen.measureText(text).width + 6;
      const x = Math.max(wide / 2, Math.min(left, width - wide / 2));
      const y = freeLine(taken, x, top, wide, height);
      taken.push({ x, y, wide, high: 15 });
      write(text, x, y, pen.font, inks.ink);
    }
    return taken;
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
    [layer.width, layer.height] = [canvas.width, canvas.height];
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
