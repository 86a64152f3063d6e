// The grid in the map's place: everything, or the selection alone, in an order of one's choice.

import { make, makeButton } from "./dom.js";
import { makeGrid } from "./grid.js";
import { SORTS, sortRows } from "./tiles.js";

// `measure()` is called when the kernel is to work out what to sort by; see makeGrid for the rest.
export function makeGallery(model, data, stills, parent, { choose, hover, pick, measure }) {
  const root = make("div", "gallery", undefined, parent);
  root.hidden = true;
  const bar = make("div", "bar", undefined, root);
  const sort = make("select", "", undefined, make("label", "", "sort by ", bar));
  for (const [key, { words }] of Object.entries(SORTS)) make("option", "", words, sort).value = key;
  const only = makeButton("Selection only", "show the selected segments alone", () => limit(!limited), bar);
  const grid = makeGrid(root, data, stills, { choose, hover, pick, narrowest: 150, lines: 0 });
  const byScore = sort.querySelector("option[value=score]");
  let before = sort.value; // the order while there are no hits
  let limited = null; // the rows of the selection as it was when it was asked for

  function limit(on) {
    limited = on && data.picked.size ? new Set(data.picked) : null;
    show();
  }
  function show() {
    only.setAttribute("aria-pressed", limited !== null);
    if (root.hidden) return;
    const measures = Object.fromEntries(
      Object.entries(model.get("measures")).map(([name, bytes]) => [
        name,
        new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)),
      ]),
    );
    if (SORTS[sort.value].measure && !measures[sort.value]) return measure();
    const rows = data.order.filter((row) => !limited || limited.has(row));
    grid.show(sortRows(rows, sort.value, data, measures), data.scores);
    grid.mark(model.get("chosen"));
  }
  // By score as soon as there are hits, and again as before when they are gone.
  function sortFor(hits) {
    if (!hits && sort.value === "score") sort.value = before;
    if (hits && sort.value !== "score") [before, sort.value] = [sort.value, "score"];
    byScore.disabled = !hits;
  }
  sort.addEventListener("change", show);
  return {
    ...grid,
    show,
    sortFor,
    isOpen: () => !root.hidden,
    open: (on) => {
      root.hidden = !on;
      show();
    },
    wanted: () => (root.hidden ? -1 : grid.wanted()),
  };
}
