import assert from "node:assert/strict";
import test from "node:test";
import {
  atEdge,
  farRows,
  fitPoints,
  freeLine,
  inside,
  middleOf,
  nearestRow,
  placeX,
  placeY,
  rangeOf,
  shortName,
  zoomed,
} from "../../helpers/explorer/geometry.js";

// x, y, start and end of four rows.
const POINTS = Float32Array.from([0, 0, 0, 6, 4, 0, 6, 12, 4, 2, 12, 18, 100, 100, 18, 24]);
const SHOWN = [1, 1, 1, 0];
const VIEW = { width: 450, height: 250, panX: 0, panY: 0, zoom: 1, fit: { x: 2, y: 1, scale: 100 } };

test("all points that are shown fit into the map, with one scale for both axes", () => {
  assert.deepEqual(fitPoints(POINTS, SHOWN, 450, 250), { x: 2, y: 1, scale: 100 });
  assert.deepEqual(fitPoints(POINTS, SHOWN, 450, 150), { x: 2, y: 1, scale: 50 });
  const all = fitPoints(POINTS, undefined, 450, 250);
  assert.deepEqual([all.x, all.y], [50, 50]);
});

test("a map without a point, or with one, has a place and a scale", () => {
  for (const shown of [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
  ]) {
    const fit = fitPoints(POINTS, shown, 450, 250);
    assert.ok(Object.values(fit).every(Number.isFinite) && fit.scale > 0);
  }
  assert.ok(fitPoints(POINTS, SHOWN, 1, 1).scale > 0, "before the page has a size");
});

test("y goes up on the map, and down in pixels", () => {
  assert.deepEqual([placeX(VIEW, 2), placeY(VIEW, 1)], [225, 125]);
  assert.deepEqual([placeX(VIEW, 4), placeY(VIEW, 2)], [425, 25]);
});

test("zooming leaves what is under the mouse where it is", () => {
  const closer = zoomed({ ...VIEW, panX: 30 }, 2, 300, 80);
  const [x, y] = [(300 - 225 - 30) / 100 + 2, 1 - (80 - 125) / 100];
  assert.equal(closer.zoom, 2);
  assert.ok(Math.abs(placeX(closer, x) - 300) < 1e-9 && Math.abs(placeY(closer, y) - 80) < 1e-9);
  assert.equal(zoomed(VIEW, 1e9, 0, 0).zoom, 300);
  assert.equal(zoomed(VIEW, 1e-9, 0, 0).zoom, 0.3);
});

test("the nearest point within reach, and of points in one place the one on top", () => {
  assert.equal(nearestRow(VIEW, POINTS, [0, 1, 2], 30, 220, 12), 0);
  assert.equal(nearestRow(VIEW, POINTS, [0, 1, 2], 25 + 12, 225, 12), 0, "just in reach");
  assert.equal(nearestRow(VIEW, POINTS, [0, 1, 2], 25 + 13, 225, 12), -1);
  assert.equal(nearestRow(VIEW, POINTS, [1, 2], 25, 225, 12), -1, "a hidden row is not there");
  const twins = Float32Array.from([...POINTS.slice(0, 4), ...POINTS.slice(0, 4)]);
  assert.equal(nearestRow(VIEW, twins, [1, 0], 25, 225, 12), 0);
});

test("inside a path, also one with a bay or that crosses itself", () => {
  const bay = [
    [0, 0],
    [10, 0],
    [10, 10],
    [5, 2],
    [0, 10],
  ];
  assert.ok(inside(bay, 1, 5) && inside(bay, 9, 5) && inside(bay, 5, 1));
  assert.ok(!inside(bay, 5, 5) && !inside(bay, -1, 5) && !inside(bay, 11, 1));
  const bow = [
    [0, 0],
    [10, 10],
    [10, 0],
    [0, 10],
  ];
  assert.ok(inside(bow, 1, 5) && inside(bow, 9, 5) && !inside(bow, 5, 1));
  assert.ok(!inside([], 0, 0) && !inside([[1, 1]], 1, 1));
});

test("a name goes to the next line that no other name covers", () => {
  const taken = [{ x: 100, y: 50, wide: 40 }];
  assert.equal(freeLine(taken, 100, 52, 40), 65);
  assert.equal(freeLine(taken, 141, 52, 40), 52, "beside it there is room");
  assert.equal(freeLine(taken, 100, 30, 40), 30, "and above it");
  taken.push({ x: 100, y: 65, wide: 40 });
  assert.equal(freeLine(taken, 100, 52, 40), 80);
});

test("at the edge of the map a name goes up, and none leaves it", () => {
  const taken = [{ x: 100, y: 90, wide: 40 }];
  assert.equal(freeLine(taken, 100, 92, 40, 100), 75);
  assert.equal(freeLine([], 100, -3, 40, 100), 7.5);
  assert.equal(freeLine([], 100, 99, 40, 100), 92.5);
});

test("one far point does not squeeze the rest, and a spread as it is stays", () => {
  const near = Array.from({ length: 50 }, (_, i) => i);
  assert.deepEqual(rangeOf([...near, 10000], false), [0, 10000]);
  const [low, high] = rangeOf([...near, 10000], true);
  assert.ok(low < 1 && high > 49 && high < 60);
  assert.deepEqual(rangeOf(near, true), [0, 49]);
  assert.deepEqual(rangeOf([0, 1, 100], true), [0, 100], "of few points all are seen");
  const points = Float32Array.from([...near, 10000].flatMap((x) => [x, 0, 0, 1]));
  const scale = (robust) => fitPoints(points, undefined, 450, 250, { robust }).scale;
  assert.ok(scale(true) > 100 * scale(false));
});

test("what lies outside the whole map is known, and has its place at the edge", () => {
  assert.deepEqual(farRows({ ...VIEW, zoom: 9, panX: 400 }, POINTS, [1, 1, 1, 1], 5), [3]);
  assert.deepEqual(farRows(VIEW, POINTS, SHOWN, 5), [], "what the filter hides is nowhere");
  assert.deepEqual(farRows({ ...VIEW, fit: { x: 999, y: 1, scale: 1 } }, POINTS, SHOWN, 2), [0, 1]);
  assert.deepEqual(
    [-5, 3, 460].map((at) => atEdge(at, 450, 8)),
    [8, 3, 442],
  );
});

test("the middle of a cluster is the median, which no far point moves", () => {
  assert.deepEqual(middleOf(POINTS, [0, 1, 2]), [4, 0]);
  assert.deepEqual(middleOf(POINTS, [1, 2, 3]), [4, 2]);
  assert.equal(middleOf(POINTS, []), null);
});

test("a long name is cut between characters", () => {
  assert.equal(shortName("x".repeat(28)), "x".repeat(28));
  assert.equal(shortName("🐇".repeat(40)), `${"🐇".repeat(27)}…`);
  assert.equal(shortName(`${"x".repeat(26)} ${"y".repeat(9)}`), `${"x".repeat(26)}…`);
});
