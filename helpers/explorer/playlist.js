// Several moments, one after the other: which ones, and which of them plays.

import { make, makeButton } from "./dom.js";

// The plain part; `choose(row)` plays a row, `changed()` is called when the list or its place is another.
export function makePlaylist({ choose, changed }) {
  let rows = [];
  let at = -1;
  const turnTo = (place) => {
    at = place;
    changed();
    choose(rows[at]);
  };
  const list = {
    name: "",
    isOn: () => at >= 0,
    rows: () => rows,
    place: () => at,
    start(given, name) {
      if (!given.length) return;
      rows = [...given];
      list.name = name;
      turnTo(0);
    },
    stop() {
      at = -1;
      rows = [];
      changed();
    },
    // Back stays at the first; past the last the list is over.
    step(by) {
      if (at < 0) return;
      if (at + by >= rows.length) list.stop();
      else turnTo(Math.max(0, at + by));
    },
    // Something was chosen: in the list its place, otherwise the list is over.
    follow(row) {
      if (at < 0 || rows[at] === row) return;
      if (!rows.includes(row)) return list.stop();
      at = rows.indexOf(row);
      changed();
    },
  };
  return list;
}

// The line that says what plays, with its buttons; hidden while no list plays.
export function makePlaylistLine(parent) {
  const line = make("div", "playing", undefined, parent);
  const words = make("span", "", "", line);
  line.hidden = true;
  return {
    connect(list) {
      makeButton("Previous", "the moment before (←)", () => list.step(-1), line);
      makeButton("Next", "the next moment (→)", () => list.step(1), line);
      makeButton("Stop", "no more of the list (p)", list.stop, line);
    },
    show(list) {
      line.hidden = !list.isOn();
      words.textContent = `${list.place() + 1} of ${list.rows().length} ${list.name}`;
    },
  };
}
