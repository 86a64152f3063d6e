// The buttons above the map and the legend below it.

import { make, makeButton } from "./dom.js";
import { sprite } from "./shapes.js";

const MODES = {
  pan: ["Move", "drag to move the map"],
  lasso: ["Lasso", "draw around points; Shift adds to the selection"],
  box: ["Box", "drag a box over points; Shift adds to the selection"],
};

// What a cluster is called: "3 rabbits", "cluster 3" while it has no name, or "noise".
export function groupName({ cluster, name }) {
  if (cluster < 0) return "noise";
  return name ? `${cluster} ${name}` : `cluster ${cluster}`;
}

// Fills the bar; gives what sets the mode and the text at its end.
export function makeBar(map, bar, { onMode }) {
  const buttons = {};
  const setMode = (name) => {
    for (const key in buttons) buttons[key].setAttribute("aria-pressed", key === name);
    onMode(name);
  };
  for (const [name, [words, help]] of Object.entries(MODES))
    buttons[name] = makeButton(words, help, () => setMode(name), bar);
  makeButton("+", "zoom in (or the wheel, after a click on the map)", () => map.zoom(1.4), bar);
  makeButton("−", "zoom out", () => map.zoom(1 / 1.4), bar);
  makeButton("Whole map", "show every point again", map.whole, bar);
  return { setMode, count: make("span", "count", "", bar) };
}

// One button for each cluster; `pick(rows, cluster)` is called for a click, with null to let go of it.
export function fillLegend(legend, data, focus, pick) {
  legend.replaceChildren();
  for (const group of data.groups) {
    const entry = make("button", "entry", undefined, legend);
    entry.dataset.cluster = group.cluster;
    entry.title = "show and select the points of this cluster";
    entry.disabled = !group.rows.length; // the filter hides all of it
    entry.setAttribute("aria-pressed", focus === group.cluster);
    const icon = make("img", "", undefined, entry);
    icon.src = sprite(group.colour, group.shape, 5, 2).toDataURL();
    icon.alt = "";
    make("span", "", `${groupName(group)} (${group.rows.length})`, entry);
    entry.addEventListener("click", () => {
      if (focus === group.cluster) pick([], null);
      else pick(group.rows, group.cluster);
    });
  }
}
