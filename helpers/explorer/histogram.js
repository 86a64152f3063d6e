// Numbers and dates as small histograms: drag over one, or write from and to, and map and grid keep that range.

import { clock } from "../show/clock.js";
import { make, makeButton } from "./dom.js";

const BINS = 24;
const DAY = 86400; // seconds
const BRINK = 3; // pixels from the edge that mean the edge itself
const HIGH = 40; // pixels

// From the least to the greatest of the values and how many are in each bin; null where all are one. NaN is left out.
export function histogramOf(values, counts = () => true) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return null;
  const bins = new Array(BINS).fill(0);
  for (const [row, value] of values.entries())
    if (!Number.isNaN(value) && counts(row))
      bins[Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS))]++;
  return { low, high, bins };
}

// The range between two places on a histogram so many pixels wide; a click is its bin. To the edges where it is near.
export function rangeBetween({ low, high }, from, to, width) {
  let [left, right] = [Math.min(from, to), Math.max(from, to)];
  if (right - left < BRINK) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor((left / width) * BINS)));
    [left, right] = [(bin / BINS) * width, ((bin + 1) / BINS) * width];
  }
  const value = (x) => low + (x / width) * (high - low);
  return [left <= BRINK ? low : value(left), right >= width - BRINK ? high : value(right)];
}

// How values of each kind are written and read; what cannot be read is NaN.
export const KINDS = {
  time: {
    input: "text",
    upTo: 0.999, // what is written of a value is rounded down: its end is the last that is written so
    write: clock,
    read: (text) =>
      /^\d+(:\d\d?){0,2}$/.test(text.trim())
        ? text
            .trim()
            .split(":")
            .reduce((sum, part) => 60 * sum + Number(part), 0)
        : Number.NaN,
  },
  number: {
    input: "text",
    upTo: 0,
    write: (value) => String(Number(value.toPrecision(4))),
    read: (text) => (text.trim() ? Number(text.replace(",", ".")) : Number.NaN),
  },
  date: {
    input: "date",
    upTo: DAY - 1,
    write: (value) => new Date(Math.floor(value / DAY) * DAY * 1000).toISOString().slice(0, 10),
    read: (text) => (text ? Date.parse(`${text}T00:00:00Z`) / 1000 : Number.NaN),
  },
};

// One histogram for each of the model's `numbers`; a change of the model's `ranges` is asked for by `limit(name, range)`,
// with null for all.
export function makeHistograms(model, data, parent, { limit }) {
  const root = make("details", "ranges", undefined, parent);
  const title = make("summary", "", "", root);
  const line = make("div", "line", undefined, root);
  const columns = Object.entries(model.get("numbers")).flatMap(([name, { kind, values: bytes }]) => {
    const values = new Float64Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
    const whole = histogramOf(values);
    return whole ? [{ name, kind: KINDS[kind], values, whole }] : [];
  });
  const names = columns.map(({ name }) => name).join(", ");
  let made = null; // as soon as somebody looks
  root.hidden = !columns.length;
  root.addEventListener("toggle", show);
  function show() {
    const ranges = model.get("ranges");
    const set = Object.keys(ranges).length;
    title.textContent = `Ranges: ${names}${set ? ` (${set} set)` : ""}`;
    if (!root.open) return;
    made ??= columns.map((column) => makeOne(line, column, limit));
    for (const one of made) one.show(ranges[one.name], data.shown);
  }
  return { show };
}

function makeOne(parent, { name, kind, values, whole }, limit) {
  const { input, upTo, write, read } = kind;
  const box = make("div", "range", undefined, parent);
  make("b", "", name, box);
  const canvas = make("canvas", "", undefined, box);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `How often each ${name}; drag over it, or write from and to`);
  const row = make("div", "ends", undefined, box);
  const [from, to] = ["from", "to"].map((end) => {
    const field = make("input", "", undefined, row);
    field.type = input;
    field.setAttribute("aria-label", `${name} ${end}`);
    // "change" alone is not enough: Chromium leaves it out where a script has replaced the text in between.
    for (const kind of ["change", "blur"]) field.addEventListener(kind, written);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") written();
    });
    return field;
  });
  const reset = makeButton("All", `every ${name}`, () => limit(name, null), row);
  let range = null;
  let shown = null;
  let press = null; // where the drag began

  const place = (event) => {
    const { left, width } = canvas.getBoundingClientRect();
    return [Math.min(Math.max(event.clientX - left, 0), width), width];
  };
  const ends = () => (range ?? [whole.low, whole.high]).map(write);
  function written() {
    if ([from, to].every((field, i) => field.value === ends()[i])) return; // else the rounded ends were taken
    const [low, high] = [read(from.value), read(to.value)];
    if (Number.isNaN(low) || Number.isNaN(high)) return fill(true); // as it was
    const least = low <= Math.floor(whole.low) ? whole.low : low;
    const end = write(whole.high) === to.value || high >= whole.high ? whole.high : high + upTo;
    if (least > end) return fill(true);
    limit(name, [least, end]);
  }
  // What somebody is writing stays, unless it cannot be read.
  function fill(always) {
    for (const [i, field] of [from, to].entries())
      if (always || field !== document.activeElement) field.value = ends()[i];
    reset.hidden = !range;
  }
  function draw(between = range) {
    const width = canvas.clientWidth;
    if (!width) return;
    const scale = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [width * scale, HIGH * scale];
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const { color } = getComputedStyle(canvas);
    const most = Math.max(...whole.bins);
    const bars = ({ bins }, alpha) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = color;
      for (const [i, count] of bins.entries()) {
        const tall = count ? Math.max(2, (count / most) * (HIGH - 2)) : 0;
        pen.fillRect((i * width) / BINS, HIGH - tall, width / BINS - 1, tall);
      }
    };
    bars(whole, 0.25);
    const now = histogramOf(values, (n) => shown?.[n]);
    bars(now, 0.8);
    if (!between) return;
    const x = (value) => ((value - whole.low) / (whole.high - whole.low)) * width;
    pen.globalAlpha = 0.25;
    pen.fillStyle = "#0072b2";
    pen.fillRect(x(between[0]), 0, Math.max(1, x(between[1]) - x(between[0])), HIGH);
    pen.globalAlpha = 1;
    for (const end of between) pen.fillRect(Math.min(width - 2, Math.max(0, x(end) - 1)), 0, 2, HIGH);
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    [press] = place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (press !== null) draw(rangeBetween(whole, press, ...place(event)));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (press === null) return;
    const chosen = rangeBetween(whole, press, ...place(event));
    press = null;
    limit(name, chosen);
  });
  canvas.addEventListener("pointercancel", () => {
    press = null;
    draw();
  });
  return {
    name,
    show: (given, seen) => {
      [range, shown] = [given ?? null, seen];
      fill(false);
      draw();
    },
  };
}
