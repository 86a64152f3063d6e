// What there is to draw, from the model: numbers by row, and the rows in the order in which they are drawn.

import { clock } from "../show/clock.js";
import { middleOf } from "./geometry.js";

// What a cluster is called: "3 rabbits", "cluster 3" while it has no name, or "noise".
export function groupName({ cluster, name }) {
  if (cluster < 0) return "noise";
  return name ? `${cluster} ${name}` : `cluster ${cluster}`;
}

export function makeData(model) {
  const numbers = (bytes, Kind) =>
    new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const data = {
    groups: [],
    order: [],
    hits: [],
    scores: new Map(),
    picked: new Set(),
    hover: -1,
    adding: false,
  };
  let clusters = new Map();
  let ranks = new Map();
  data.readPoints = () => {
    data.points = numbers(model.get("points"), Float32Array);
    data.videos = numbers(model.get("videos"), Int32Array);
  };
  data.readGroups = () => {
    const { points } = data;
    data.labels = numbers(model.get("labels"), Int32Array);
    data.codes = numbers(model.get("codes"), Int32Array);
    data.shown = numbers(model.get("shown"), Uint8Array);
    const { codes, shown } = data;
    const rows = Int32Array.from(codes.keys()).filter((row) => shown[row]);
    const noise = rows.filter((row) => codes[row] < 0); // at the bottom
    data.order = new Int32Array(rows.length);
    data.order.set(noise);
    data.order.set(
      rows.filter((row) => codes[row] >= 0),
      noise.length,
    );
    clusters = new Map(model.get("groups").map((group) => [group.cluster, group]));
    const hidden = new Set(model.get("hidden")[model.get("column")] ?? []);
    const members = new Map(model.get("legend").map(({ code }) => [code, []]));
    for (const row of rows) members.get(codes[row])?.push(row);
    data.groups = model.get("legend").map((entry) => {
      const group = model.get("column") === "cluster" ? clusters.get(entry.code) : undefined;
      const own = members.get(entry.code);
      return {
        ...entry,
        text: group ? groupName(group) : entry.name,
        label: group?.name || entry.name,
        fit: group?.fit ?? "", // how far a carried name is that of this cluster,
        kept: group?.kept ?? "", // and in numbers
        suggested: group?.suggested ?? "", // words for a cluster that nobody named
        hidden: hidden.has(entry.name),
        rows: own,
        at: middleOf(points, own),
      };
    });
  };
  data.readHits = () => {
    data.hits = model.get("hits");
    ranks = new Map(data.hits.map((row, n) => [row, n + 1]));
    data.scores = new Map((model.get("found").items ?? []).map(({ row, score }) => [row, score]));
  };
  data.rankOf = (row) => ranks.get(row) ?? 0; // from 1; 0 for what is no hit
  data.start = (row) => data.points[4 * row + 2];
  data.videoOf = (row) => model.get("page").videos[data.videos[row]];
  data.spanOf = (row) => `${clock(data.start(row))}-${clock(data.points[4 * row + 3])}`;
  data.clusterOf = (row) => {
    const group = clusters.get(data.labels[row]);
    if (!group) return "";
    return groupName(group) + (model.get("words")[row]?.moved ? ", moved here" : "");
  };
  data.tagsOf = (row) => model.get("words")[row]?.tags ?? [];
  data.noteOf = (row) => model.get("words")[row]?.note ?? "";
  return data;
}
