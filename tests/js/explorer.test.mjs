import assert from "node:assert/strict";
import test from "node:test";
import { groupName, makeData } from "../../helpers/explorer/data.js";
import { actionOf } from "../../helpers/explorer/keys.js";
import { pickedInLegend } from "../../helpers/explorer/legend.js";
import { endOf } from "../../helpers/explorer/screen.js";
import { SHAPES, trace } from "../../helpers/explorer/shapes.js";
import { makeStills } from "../../helpers/explorer/stills.js";

// What the kernel sends: bytes that begin anywhere in a larger buffer.
function bytes(Kind, numbers) {
  const content = new Uint8Array(Kind.from(numbers).buffer);
  const sent = new Uint8Array(content.length + 3);
  sent.set(content, 3);
  return new DataView(sent.buffer, 3, content.length);
}
const TRAITS = {
  points: bytes(Float32Array, [0, 0, 0, 6, 1, 1, 6, 12, 2, 2, 60, 66]),
  videos: bytes(Int32Array, [0, 0, 1]),
  labels: bytes(Int32Array, [0, -1, 0]),
  codes: bytes(Int32Array, [0, -1, 0]),
  column: "cluster",
  hidden: {},
  words: { 2: { tags: ["seen", "red"], note: "look" } },
  hits: [2, 0],
  found: { title: "hits", items: [{ row: 2, score: 0.5 }] },
  legend: [
    { code: 0, name: "0", colour: "#000", shape: "o" },
    { code: -1, name: "-1", colour: "#888", shape: "x" },
  ],
  shown: bytes(Uint8Array, [1, 1, 1]),
  groups: [
    { cluster: 0, name: "rabbits", colour: "#000", shape: "o" },
    { cluster: -1, name: "", colour: "#888", shape: "x" },
  ],
  page: { ids: ["a", "b", "c"], videos: [{ title: "one" }, { title: "two" }] },
};
function dataOf(changes = {}) {
  const traits = { ...TRAITS, ...changes };
  const data = makeData({ get: (name) => traits[name] });
  data.readPoints();
  data.readGroups();
  return data;
}

test("rows have their video, span and cluster; noise is drawn first", () => {
  const data = dataOf();
  assert.deepEqual([...data.order], [1, 0, 2]);
  assert.deepEqual(
    [0, 1, 2].map((row) => data.videoOf(row).title),
    ["one", "one", "two"],
  );
  assert.equal(data.spanOf(2), "1:00-1:06");
  assert.deepEqual([0, 1].map(data.clusterOf), ["0 rabbits", "noise"]);
  assert.deepEqual(
    data.groups.map((group) => [...group.rows]),
    [[0, 2], [1]],
  );
});

test("a row that the filter hides is in no order and no group", () => {
  const data = dataOf({ shown: bytes(Uint8Array, [0, 0, 1]) });
  assert.deepEqual([...data.order], [2]);
  assert.deepEqual(
    data.groups.map((group) => [...group.rows]),
    [[2], []],
  );
  assert.deepEqual(
    data.groups.map((group) => group.at),
    [[2, 2], null],
  );
});

test("the legend has names of clusters, or the values of another column", () => {
  const texts = (data) => data.groups.map(({ text, label, hidden }) => [text, label, hidden]);
  assert.deepEqual(texts(dataOf()), [
    ["0 rabbits", "rabbits", false],
    ["noise", "-1", false],
  ]);
  const legend = [
    { code: 0, name: "film", colour: "#000", shape: "o" },
    { code: 1, name: "photo", colour: "#111", shape: "s" },
  ];
  const codes = bytes(Int32Array, [1, 1, 0]);
  const data = dataOf({ legend, codes, column: "category", hidden: { category: ["photo"], cluster: ["0"] } });
  assert.deepEqual(texts(data), [
    ["film", "film", false],
    ["photo", "photo", true],
  ]);
  assert.deepEqual(
    data.groups.map((group) => [...group.rows]),
    [[2], [0, 1]],
  );
  assert.equal(data.clusterOf(0), "0 rabbits", "whatever the colours are");
});

test("tags, notes and scores of a row", () => {
  const data = dataOf();
  data.readHits();
  assert.deepEqual(
    [data.tagsOf(2), data.tagsOf(0), data.noteOf(2), data.noteOf(0)],
    [["seen", "red"], [], "look", ""],
  );
  assert.deepEqual([data.scores.get(2), data.scores.has(0)], [0.5, false]);
});

test("a click on the legend selects, again lets go, and Shift adds and takes away", () => {
  const group = { code: 3, rows: [1, 4] };
  assert.deepEqual(pickedInLegend(group, new Set([7]), false), { rows: [1, 4], focus: 3 });
  assert.deepEqual(pickedInLegend(group, new Set([1, 4]), false), { rows: [], focus: null });
  assert.deepEqual(pickedInLegend(group, new Set([1, 4]), false, false), { rows: [1, 4], focus: 3 });
  assert.deepEqual(pickedInLegend(group, new Set([7]), true), { rows: [1, 4, 7], focus: null });
  assert.deepEqual(pickedInLegend(group, new Set([1, 4, 7]), true), { rows: [7], focus: null });
  assert.deepEqual(pickedInLegend({ code: 0, rows: [] }, new Set(), true), { rows: [], focus: null });
});

test("keys act, but not where somebody types or plays", () => {
  const press = (key, inside = "", more = {}) =>
    actionOf({
      key,
      target: { closest: (where) => (inside && where.includes(inside) ? {} : null) },
      ...more,
    });
  assert.deepEqual(
    [" ", "ArrowRight", "ArrowUp", "/", "n", "t", "z", "Z", "g", "m", "?", "Escape", "q"].map((key) =>
      press(key),
    ),
    [
      "play",
      "next",
      "previous",
      "search",
      "name",
      "tag",
      "undo",
      "redo",
      "grid",
      "map",
      "help",
      "letGo",
      null,
    ],
  );
  for (const where of ["input", "select", "video"]) assert.equal(press("n", where), null);
  assert.equal(press(" ", "button"), null, "the button is pressed");
  assert.equal(press("z", "", { ctrlKey: true }), null);
  assert.equal(press("ArrowLeft", "", { shiftKey: true }), null, "moves the map");
});

test("a player knows where its moment ends", () => {
  assert.equal(endOf("/files/a.mp4#t=6,12.5"), 12.5);
  assert.equal(endOf("data:video/mp4;base64,AA"), Number.POSITIVE_INFINITY);
});

test("a cluster is called by its number while it has no name", () => {
  assert.equal(groupName({ cluster: 3, name: "" }), "cluster 3");
});

test("every shape stays near its square, and the circle is an arc", () => {
  const pen = () => {
    const calls = [];
    const note =
      (name) =>
      (...numbers) =>
        calls.push([name, ...numbers]);
    const names = ["beginPath", "moveTo", "lineTo", "arc", "closePath"];
    return { calls, ...Object.fromEntries(names.map((name) => [name, note(name)])) };
  };
  for (const shape in SHAPES) {
    const drawn = pen();
    trace(drawn, shape, 50, 20, 10);
    const corners = drawn.calls.slice(1, -1);
    assert.equal(corners[0][0], "moveTo");
    assert.ok(corners.length >= 3 && corners.slice(1).every(([name]) => name === "lineTo"));
    assert.ok(
      corners.every(([, x, y]) => Math.abs(x - 50) <= 11.5 && Math.abs(y - 20) <= 11.5),
      shape,
    );
  }
  const circle = pen();
  trace(circle, "o", 50, 20, 10);
  assert.deepEqual(circle.calls[1].slice(0, 4), ["arc", 50, 20, 9.5]);
});

test("one still is asked for at a time, and none twice", () => {
  const sent = [];
  const arrived = [];
  const queue = [4, 7];
  const stills = makeStills(
    { send: (message) => sent.push(message.still) },
    { wanted: () => queue.find((row) => !stills.has(row)) ?? -1, arrived: (row) => arrived.push(row) },
  );
  stills.ask();
  stills.ask();
  assert.deepEqual(sent, [4]);
  stills.answer({ other: 1 });
  assert.deepEqual(sent, [4], "a message of something else is none");
  stills.answer({ still: 4, image: "data:" });
  assert.deepEqual(sent, [4, 7]);
  stills.answer({ still: 7, image: "" });
  assert.deepEqual(
    [sent, arrived],
    [
      [4, 7],
      [4, 7],
    ],
  );
  assert.equal(stills.get(4).image, "data:");
});
