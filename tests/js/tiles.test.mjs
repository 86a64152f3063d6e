import assert from "node:assert/strict";
import test from "node:test";
import {
  heightOf,
  layoutOf,
  pickedAfter,
  seenTiles,
  sortRows,
  stepFrom,
} from "../../helpers/explorer/tiles.js";

const DATA = {
  labels: [1, 0, -1, 0],
  start: (row) => [12, 0, 6, 0][row],
  videoOf: (row) => ({ title: ["b", "b", "a", "a"][row] }),
  scores: new Map([
    [0, 0.2],
    [2, 0.9],
    [3, null],
  ]),
};
const sorted = (by, measures) => sortRows([0, 1, 2, 3], by, DATA, measures);

test("tiles fill the width, and only those that are seen are made, of thousands", () => {
  const layout = layoutOf(750, 150);
  assert.deepEqual([layout.columns, layout.wide], [5, 150]);
  assert.equal(layoutOf(60, 150).columns, 1);
  assert.equal(heightOf(layout, 10001), 2001 * layout.high);
  assert.deepEqual(seenTiles(layout, 0, 3 * layout.high, 10000), [0, 15]);
  assert.deepEqual(seenTiles(layout, 100.5 * layout.high, 3 * layout.high, 10000), [500, 520]);
  assert.deepEqual(seenTiles(layout, 0, 500, 3), [0, 3]);
  assert.deepEqual(seenTiles(layout, 5000, 500, 3), [3, 3]);
});

test("rows are sorted by every key, what has no value last", () => {
  assert.deepEqual(sorted("title"), [3, 2, 1, 0]);
  assert.deepEqual(sorted("time"), [3, 1, 2, 0]);
  assert.deepEqual(sorted("cluster"), [3, 1, 0, 2], "noise last");
  assert.deepEqual(sorted("score"), [2, 0, 3, 1]);
  const measures = { medoid: [0.3, 0.1, Number.NaN, 0.2], oddness: [1, 3, 2, 1] };
  assert.deepEqual(sorted("medoid", measures), [1, 3, 0, 2]);
  assert.deepEqual(sorted("oddness", measures), [1, 2, 3, 0]);
});

test("a step goes to the next that is listed, and stays at the ends", () => {
  assert.deepEqual(
    [stepFrom([5, 2, 9], 2, 1), stepFrom([5, 2, 9], 2, -1), stepFrom([5, 2, 9], 9, 1)],
    [9, 5, 9],
  );
  assert.deepEqual([stepFrom([5, 2], 7, 1), stepFrom([], 7, 1)], [5, -1]);
});

test("Ctrl adds and takes away one, Shift adds a stretch", () => {
  const rows = [5, 2, 9, 4];
  const pick = (picked, anchor, row, keys) => pickedAfter(rows, new Set(picked), anchor, row, keys);
  assert.deepEqual(pick([5], 5, 9, { ctrl: true }), [5, 9]);
  assert.deepEqual(pick([5, 9], 5, 9, { ctrl: true }), [5]);
  assert.deepEqual(pick([7], 4, 2, { shift: true }), [7, 2, 9, 4]);
  assert.deepEqual(pick([], -1, 2, { shift: true }), [2], "no place to begin from");
});
