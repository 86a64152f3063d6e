import assert from "node:assert/strict";
import test from "node:test";
import { makeRaster, pixelOf, stampOf, stampRows } from "../../helpers/explorer/raster.js";

// A picture of 2 x 2 pixels: three of one colour, one of which covers half, and one that covers nothing.
const MARKER = {
  width: 2,
  data: [200, 100, 50, 255, 200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 0],
};
const ALL = () => true;
const AS_IS = { left: 0, top: 0, unit: 1 };

function pixel(raster, x, y) {
  const at = 4 * ((y + raster.margin) * raster.wide + x + raster.margin);
  return [...raster.bytes.subarray(at, at + 4)];
}
function stamped({
  alpha = 1,
  points = [3, -2, 0, 0],
  rows = [0],
  codes = [7],
  counts = ALL,
  place = AS_IS,
}) {
  const raster = makeRaster(6, 4, 2);
  raster.pixels.fill(pixelOf("#ffffff"));
  const stamps = new Map([[7, stampOf(MARKER, alpha, raster.wide)]]);
  stampRows(raster, rows, points, codes, stamps, place, counts);
  return raster;
}
const inked = (raster) => raster.pixels.filter((value) => value !== pixelOf("#ffffff")).length;

test("a colour is a pixel, red in its lowest byte", () => {
  assert.equal(pixelOf("#123456"), 0xff563412);
});

test("a marker lies around its point and covers what is below as far as it is opaque", () => {
  const raster = stamped({});
  assert.deepEqual(pixel(raster, 2, 1), [200, 100, 50, 255]);
  assert.deepEqual(pixel(raster, 3, 1), [200, 100, 50, 255]);
  const half = pixel(raster, 2, 2);
  for (const [i, value] of [227, 177, 152, 255].entries()) assert.ok(Math.abs(half[i] - value) <= 1, half);
  assert.equal(inked(raster), 3);
  const faint = pixel(stamped({ alpha: 0.4 }), 2, 1);
  for (const [i, value] of [233, 193, 173, 255].entries()) assert.ok(Math.abs(faint[i] - value) <= 1, faint);
});

test("the last row lies on top, and rows that do not count or have no marker are left out", () => {
  const points = [3, -2, 0, 0, 1, -1, 0, 0, 5, -3, 0, 0];
  assert.equal(inked(stamped({ points, rows: [0, 1, 2], codes: [7, 7, 7] })), 9);
  assert.equal(inked(stamped({ points, rows: [0, 1, 2], codes: [7, 7, 7], counts: (row) => row === 1 })), 3);
  assert.equal(inked(stamped({ points, rows: [0, 1, 2], codes: [7, 8, -1] })), 3);
});

test("a marker at the edge ends in the margin, and what is further out is nowhere", () => {
  for (const [x, y] of [
    [0, 0],
    [6, -4],
  ])
    assert.equal(inked(stamped({ points: [x, y, 0, 0] })), 3);
  for (const x of [-3, 9, Number.NaN, 1e12]) assert.equal(inked(stamped({ points: [x, -2, 0, 0] })), 0);
});

test("a point is moved and scaled", () => {
  const raster = stamped({ points: [1, 1, 0, 0], place: { left: 1, top: 4, unit: 2 } });
  assert.deepEqual(pixel(raster, 2, 1), [200, 100, 50, 255]);
});
