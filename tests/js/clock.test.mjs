import assert from "node:assert/strict";
import test from "node:test";
import { clock } from "../../helpers/show/clock.js";
import { wordsAt } from "../../helpers/show/curve_player.js";

test("seconds are m:ss, and h:mm:ss from an hour on, rounded down as players do", () => {
  const said = [0, 0.5, 59.99, 59.9999999, 60, 83, 3599.9, 3600, 7325.4].map(clock);
  const expected = ["0:00", "0:00", "0:59", "1:00", "1:00", "1:23", "59:59", "1:00:00", "2:02:05"];
  assert.deepEqual(said, expected);
});

test("the slider says the score of the clip at its second, and none between clips", () => {
  const clips = [
    [0, 6, 0.25],
    [10, 16, 0.5],
  ];
  assert.equal(wordsAt(clips, 0), "0:00, score 0.250");
  assert.equal(wordsAt(clips, 6), "0:06");
  assert.equal(wordsAt(clips, 15.9), "0:15, score 0.500");
});
