import assert from "node:assert/strict";
import test from "node:test";
import { histogramOf, KINDS, rangeBetween } from "../../helpers/explorer/histogram.js";

test("every value is in a bin, and what has none is in no bin", () => {
  const values = Float64Array.from([0, 1, 24, Number.NaN, 12, 23.9]);
  const { low, high, bins } = histogramOf(values);
  assert.deepEqual([low, high, bins.length], [0, 24, 24]);
  assert.deepEqual([bins[0], bins[1], bins[12], bins[23]], [1, 1, 1, 2]);
  assert.equal(
    bins.reduce((a, b) => a + b),
    5,
  );
  assert.deepEqual(
    histogramOf(values, (row) => row === 4).bins.map((n, i) => n && i),
    bins.map((_, i) => (i === 12 ? 12 : 0)),
  );
  assert.equal(histogramOf([3, 3, Number.NaN]), null);
  assert.equal(histogramOf([]), null);
});

test("a drag is a range whichever way it goes, a click a bin, and near the edge is the edge", () => {
  const whole = { low: 100, high: 340 };
  assert.deepEqual(rangeBetween(whole, 60, 120, 240), [160, 220]);
  assert.deepEqual(rangeBetween(whole, 120, 60, 240), [160, 220]);
  assert.deepEqual(rangeBetween(whole, 65, 65, 240), [160, 170]);
  assert.deepEqual(rangeBetween(whole, 2, 238, 240), [100, 340]);
  assert.deepEqual(rangeBetween(whole, 240, 240, 240), [330, 340]);
});

test("times, numbers and dates are read as they are written", () => {
  const { time, number, date } = KINDS;
  assert.deepEqual(["1:30", "90", " 1:00:01 ", "soon", "", "1:2:3:4"].map(time.read), [
    90,
    90,
    3601,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
  assert.deepEqual(["-20,5", "1e3", "", "x"].map(number.read), [-20.5, 1000, Number.NaN, Number.NaN]);
  assert.equal(date.read("2024-05-01"), Date.UTC(2024, 4, 1) / 1000);
  assert.ok(Number.isNaN(date.read("")));
  assert.equal(date.write(date.read("2024-05-01") + 4000), "2024-05-01");
  assert.deepEqual([time.write(90.7), number.write(-20.51234)], ["1:30", "-20.51"]);
});
