// The page of the cluster explorer: a map, and beside it a player, neighbours and a table. What it shows comes from
// the traits of ExplorerView (view.py); what is clicked goes back in `chosen`, `picked` and `focus`.

import { clock } from "../show/clock.js";
import { make } from "./dom.js";
import { middleOf } from "./geometry.js";
import { fillLegend, groupName, makeBar } from "./legend.js";
import { makeMap } from "./map.js";
import { makePanel } from "./panel.js";
import { makePointer } from "./pointer.js";
import { makeStills } from "./stills.js";

const REST = 90; // milliseconds that the mouse rests on a point before its still is asked for

// What there is to draw, from the model: numbers by row, and the rows in the order in which they are drawn.
export function makeData(model) {
  const numbers = (name, Kind) => {
    const bytes = model.get(name);
    return new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  const data = { groups: [], order: [], hits: [], picked: new Set(), hover: -1 };
  let byCluster = new Map();
  data.readPoints = () => {
    data.points = numbers("points", Float32Array);
    data.videos = numbers("videos", Int32Array);
  };
  data.readGroups = () => {
    const { points } = data;
    const labels = numbers("labels", Int32Array);
    const shown = numbers("shown", Uint8Array);
    const rows = Array.from(labels.keys()).filter((row) => shown[row]);
    data.labels = labels;
    data.shown = shown;
    data.order = [...rows].sort((a, b) => (labels[a] >= 0) - (labels[b] >= 0) || a - b); // noise at the bottom
    data.groups = model.get("groups").map((group) => {
      const members = rows.filter((row) => labels[row] === group.cluster);
      return { ...group, rows: members, at: middleOf(points, members) };
    });
    byCluster = new Map(data.groups.map((group) => [group.cluster, group]));
  };
  data.videoOf = (row) => model.get("page").videos[data.videos[row]];
  data.spanOf = (row) => `${clock(data.points[4 * row + 2])}-${clock(data.points[4 * row + 3])}`;
  data.clusterOf = (row) => {
    const group = byCluster.get(data.labels[row]);
    return group ? groupName(group) : "";
  };
  return data;
}

function render({ model, el }) {
  const root = make("div", "explorer", undefined, el);
  root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not the notebook's
  const left = make("div", "left", undefined, root);
  const right = make("div", "right", undefined, root);
  const bar = make("div", "bar", undefined, left);
  const status = make("p", "status", undefined, left); // above the map: below, a small screen does not show it
  status.setAttribute("role", "status");

  const data = makeData(model);
  const map = makeMap(model, data, left, { onZoom: showTip });
  const tip = make("div", "tip", undefined, map.plot);
  tip.hidden = true;
  const legend = make("div", "legend", undefined, left);
  let rested = -1;
  let timer = 0;

  const set = (values) => {
    for (const name in values) model.set(name, values[name]);
    model.save_changes();
  };
  const pick = (rows, focus = null) => set({ picked: rows, focus });
  function choose(row) {
    if (model.get("chosen") === row)
      panel.showPlayer(); // again from its first second
    else set({ chosen: row });
  }
  function hover(row) {
    data.hover = row;
    map.drawMarks();
  }

  const stills = makeStills(model, {
    wanted: () => {
      if (rested >= 0 && !stills.has(rested)) return rested;
      return (model.get("tiles").items || []).find(({ row }) => !stills.has(row))?.row ?? -1;
    },
    arrived: (row) => {
      if (row === data.hover) showTip();
      panel.fillTiles();
    },
  });
  const panel = makePanel(model, data, stills, right, {
    choose,
    hover,
    clear: () => pick([]),
    clearHits: () => set({ hits: [] }),
  });
  const pointer = makePointer(map, data, { choose, pick, look, hideTip });
  const { setMode, count } = makeBar(map, bar, {
    onMode: (name) => {
      pointer.setMode(name);
      map.canvas.style.cursor = pointer.restingCursor();
    },
  });

  // Words at once, a still when the mouse rests.
  function look(row) {
    if (row === data.hover) return;
    map.canvas.style.cursor = row >= 0 ? "pointer" : pointer.restingCursor();
    clearTimeout(timer);
    rested = -1;
    if (row >= 0)
      timer = setTimeout(() => {
        rested = row;
        stills.ask();
      }, REST);
    hover(row);
    showTip();
  }
  function hideTip() {
    data.hover = -1;
    tip.hidden = true;
  }
  function showTip() {
    const row = data.hover;
    tip.hidden = row < 0 || !data.shown[row] || pointer.isDragging();
    if (tip.hidden) return;
    tip.replaceChildren();
    const still = stills.get(row);
    const { title, credit } = data.videoOf(row);
    if (still?.image) {
      const image = make("img", "", undefined, tip);
      image.src = still.image;
      image.alt = "";
    }
    make("b", "", title, tip);
    make("div", "", `${data.spanOf(row)} · ${data.clusterOf(row)}`, tip);
    if (still?.words) make("div", "words", still.words, tip);
    if (still?.image && credit) make("small", "", credit, tip);
    const { width, height } = map.view;
    const [x, y] = [map.x(row), map.y(row)];
    tip.style.left = x < width / 2 ? `${x + 16}px` : "";
    tip.style.right = x < width / 2 ? "" : `${width - x + 16}px`;
    tip.style.top = y < height / 2 ? `${y + 10}px` : "";
    tip.style.bottom = y < height / 2 ? "" : `${height - y + 10}px`;
  }

  function showLegend() {
    fillLegend(legend, data, model.get("focus"), pick);
    const all = data.labels.length;
    const some = data.order.length;
    count.textContent = some === all ? `${all} segments` : `${some} of ${all} segments`;
    const clusters = data.groups.filter((group) => group.cluster >= 0).length;
    map.canvas.setAttribute(
      "aria-label",
      `Map of ${count.textContent} in ${clusters} clusters; ` +
        "the buttons of the legend list the segments of a cluster in the table",
    );
  }
  function readPoints() {
    data.readPoints();
    map.readPoints();
  }
  function readGroups() {
    data.readGroups();
    map.paint();
    showLegend();
    showTable();
    map.draw();
  }
  function showTable() {
    data.picked = new Set(model.get("picked"));
    panel.showTable();
  }
  function showTiles() {
    data.hits = model.get("hits");
    panel.showTiles();
    map.drawMarks();
  }
  function showStatus() {
    status.textContent = model.get("status");
  }

  const on = {
    "change:points": () => {
      readPoints();
      readGroups(); // the clusters may be the same, their places not
      map.whole();
    },
    "change:groups": readGroups,
    "change:labels": readGroups,
    "change:shown": () => {
      readGroups();
      map.whole();
    },
    "change:player": panel.showPlayer,
    "change:tiles": showTiles,
    "change:hits": () => {
      showTiles();
      map.draw();
    },
    "change:picked": () => {
      showTable();
      map.draw();
    },
    "change:focus": () => {
      showLegend();
      map.draw();
    },
    "change:chosen": () => {
      showTable();
      map.drawMarks();
    },
    "change:status": showStatus,
    "msg:custom": stills.answer,
  };
  for (const name in on) model.on(name, on[name]);
  readPoints();
  readGroups();
  panel.showPlayer();
  showTiles();
  setMode("pan");
  showStatus();
  map.start();
  return () => {
    map.stop();
    clearTimeout(timer);
    for (const name in on) model.off(name, on[name]);
  };
}

export default { render };
