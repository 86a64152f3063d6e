import assert from "node:assert/strict";
import test from "node:test";
import { makePlaylist } from "../../helpers/explorer/playlist.js";

function listOf() {
  const played = [];
  let changes = 0;
  const list = makePlaylist({ choose: (row) => played.push(row), changed: () => changes++ });
  return { list, played, changes: () => changes };
}

test("moments follow each other, and past the last the list is over", () => {
  const { list, played } = listOf();
  list.start([5, 2, 9], "of the selection");
  assert.deepEqual([list.isOn(), list.place(), list.name], [true, 0, "of the selection"]);
  for (const by of [1, 1, -1, 1]) list.step(by);
  assert.deepEqual(played, [5, 2, 9, 2, 9]);
  list.step(1);
  assert.deepEqual([list.isOn(), list.rows()], [false, []]);
  list.step(1);
  assert.equal(played.length, 5, "a list that is over plays nothing");
});

test("back stays at the first, and nothing to play is no list", () => {
  const { list, played, changes } = listOf();
  list.start([], "of the hits");
  assert.deepEqual([list.isOn(), changes()], [false, 0]);
  list.start([7, 8], "of the hits");
  list.step(-1);
  assert.deepEqual(played, [7, 7]);
});

test("a click inside the list goes on from there, one outside ends it", () => {
  const { list, played } = listOf();
  list.start([5, 2, 9], "");
  list.follow(9);
  assert.equal(list.place(), 2);
  list.follow(4);
  assert.deepEqual([list.isOn(), played], [false, [5]]);
  list.follow(5);
  assert.equal(list.isOn(), false);
});
