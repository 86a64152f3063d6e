// The buttons above the map and the legend below it.

import { make, makeButton } from "./dom.js";
import { sprite } from "./shapes.js";
import { inksOf, seenOn } from "./theme.js";

const MODES = {
  pan: ["Move map", "drag to move the map, not the segments"],
  lasso: ["Lasso", "draw around points; Shift adds to the selection"],
  box: ["Box", "drag a box over points; Shift adds to the selection"],
};

// Fills the bar; gives what sets the mode, what says whether the map is seen, and the text at its end.
export function makeBar(map, bar, { onMode, onView, onHelp, onShowAll, onAdd }) {
  const buttons = {};
  const setMode = (name) => {
    for (const key in buttons) buttons[key].setAttribute("aria-pressed", key === name);
    onMode(name);
  };
  const views = {
    map: makeButton("Map", "points (m)", () => onView("map"), bar),
    grid: makeButton("Grid", "stills of everything or of the selection (g)", () => onView("grid"), bar),
  };
  const add = makeButton(
    "Add",
    "clicks and drawing add to the selection, as Shift and Ctrl do",
    () => {
      const on = add.getAttribute("aria-pressed") !== "true";
      add.setAttribute("aria-pressed", on);
      onAdd(on);
    },
    bar,
  );
  const tools = make("span", "tools", undefined, bar);
  for (const [name, [words, help]] of Object.entries(MODES))
    buttons[name] = makeButton(words, help, () => setMode(name), tools);
  makeButton("+", "zoom in (or the wheel, after a click on the map)", () => map.zoom(1.4), tools);
  makeButton("−", "zoom out", () => map.zoom(1 / 1.4), tools);
  makeButton("Whole map", "show every point again, the far ones too", map.whole, tools);
  const all = makeButton("Show all", "show again what the legend hides", onShowAll, bar);
  makeButton("?", "the keys", onHelp, bar);
  return {
    setMode,
    count: make("span", "count", "", bar),
    setView: (name) => {
      for (const key in views) views[key].setAttribute("aria-pressed", key === name);
      tools.hidden = name !== "map";
    },
    offerAll: (is) => {
      all.hidden = !is;
    },
  };
}

// The selection and the cluster in focus after a click on an entry of the legend; Shift adds it or takes it away. One that
// is selected, but not in focus, is brought there.
export function pickedInLegend(group, picked, shift, inFocus = true) {
  const full = group.rows.length > 0 && group.rows.every((row) => picked.has(row));
  if (shift) {
    const after = new Set(picked);
    for (const row of group.rows) full ? after.delete(row) : after.add(row);
    return { rows: [...after].sort((a, b) => a - b), focus: null };
  }
  const alone = full && picked.size === group.rows.length;
  if (alone && inFocus) return { rows: [], focus: null };
  return { rows: group.rows, focus: group.code };
}

// Two buttons for each entry: one selects its points, one hides them. `pick(rows, focus)` and `hide(name)` are called;
// `inFocus(code)` says whether a name would go to this entry, or to none.
export function fillLegend(legend, data, { pick, hide, inFocus }) {
  const inks = inksOf(document.body);
  legend.replaceChildren();
  for (const group of data.groups) {
    const pair = make("span", group.hidden ? "pair gone" : "pair", undefined, legend);
    const entry = make("button", "entry", undefined, pair);
    entry.dataset.cluster = group.code;
    entry.title = "select these points; Shift adds them to the selection";
    entry.disabled = !group.rows.length; // the filter hides all of it
    const icon = make("img", "", undefined, entry);
    icon.src = sprite(seenOn(group.colour, inks), group.shape, 5, 2, inks.edge).toDataURL();
    icon.alt = "";
    make("span", "", group.hidden ? group.text : `${group.text} (${group.rows.length})`, entry);
    if (group.fit) make("span", "fit", group.fit, entry);
    if (group.suggested) {
      const words = make("i", "suggested", `${group.suggested}?`, entry);
      words.title = "suggested from the descriptions: no name was given";
    }
    entry.addEventListener("click", (event) => {
      const adds = event.shiftKey || data.adding;
      const { rows, focus } = pickedInLegend(group, data.picked, adds, inFocus(group.code));
      pick(rows, focus);
    });
    const words = `${group.hidden ? "show" : "hide"} ${group.text}`;
    const eye = makeButton(group.hidden ? "show" : "hide", words, () => hide(group.name), pair);
    eye.className = "eye";
    eye.setAttribute("aria-label", words);
  }
  markLegend(legend, data);
}

// Which entries are selected in full.
export function markLegend(legend, data) {
  for (const [i, entry] of legend.querySelectorAll(".entry").entries()) {
    const { rows } = data.groups[i];
    entry.setAttribute("aria-pressed", rows.length > 0 && rows.every((row) => data.picked.has(row)));
  }
}
