import assert from "node:assert/strict";
import test from "node:test";
import { badgePlace, strengths } from "../../helpers/explorer/hits.js";

test("the higher the score the stronger the ring, and without scores all are equal", () => {
  const strong = strengths(
    [4, 7, 9],
    new Map([
      [4, 0.9],
      [7, 0.5],
      [9, 0.7],
    ]),
  );
  assert.deepEqual([strong.get(4), strong.get(7)], [1, 0.35]);
  assert.ok(Math.abs(strong.get(9) - 0.675) < 1e-9);
  assert.deepEqual([...strengths([1, 2], new Map([[1, null]])).values()], [1, 1]);
});

test("a badge stands where no name and no other badge is, and on the map", () => {
  const map = { width: 200, height: 100 };
  const first = badgePlace([], 100, 50, 16, 10, map);
  assert.deepEqual([first.x, first.y], [118, 41]);
  const second = badgePlace([first], 100, 50, 16, 10, map);
  assert.ok(second.x < 100, "on the other side");
  assert.ok(badgePlace([], 199, 2, 16, 10, map).x < 199, "at the edge it goes to the other side");
  const taken = [];
  for (let i = 0; i < 6; i++) {
    const badge = badgePlace(taken, 100, 50, 16, 10, map);
    const near = taken.filter((other) => Math.hypot(other.x - badge.x, other.y - badge.y) < 16);
    assert.equal(near.length, 0);
    taken.push(badge);
  }
});
