// The keys of the explorer, and the list of them.

import { make } from "./dom.js";

const KEYS = {
  " ": ["play", "Space", "play or pause; at its end the moment starts again"],
  ArrowRight: ["next", "→ or ↓", "the next of what is listed: grid, selection, hits, or the film"],
  ArrowDown: ["next"],
  ArrowLeft: ["previous", "← or ↑", "the one before"],
  ArrowUp: ["previous"],
  p: ["playlist", "p", "play the selection, or else the hits, one after the other; again: stop"],
  c: ["compare", "c", "keep this player beside the next; again: one player"],
  "/": ["search", "/", "search for words"],
  s: ["similar", "s", "what is similar to the clicked point"],
  n: ["name", "n", "name the cluster"],
  t: ["tag", "t", "tag the selection, or the clicked point"],
  z: ["undo", "z", "undo the last name, tag, note or move"],
  Z: ["redo", "Shift+z", "do it again"],
  g: ["grid", "g", "stills instead of the map"],
  m: ["map", "m", "the map again"],
  "?": ["help", "?", "this list"],
  Escape: ["letGo", "Escape", "let go of the selection, leave a line of text, close this list"],
};
const ON_THE_MAP = [
  ["Shift+arrows", "move the map"],
  ["+ − 0", "zoom in, out, every point"],
];
const OWN_KEYS = "input, textarea, select, video, [contenteditable]"; // what needs its keys itself

// What a key asks for, or null: in a line of text, on the player and with Ctrl, Alt or Cmd, keys mean what they do.
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(OWN_KEYS)) return null;
  if (event.shiftKey && event.key.startsWith("Arrow")) return null;
  if (event.key === " " && event.target.closest("button:not([data-row])")) return null; // it presses the button
  return KEYS[event.key]?.[0] ?? null;
}

// The list of the keys, hidden at first; gives what shows and hides it, and what closes it.
export function makeHelp(parent) {
  const box = make("div", "help", undefined, parent);
  box.hidden = true;
  make("b", "", "Keys (after a click into the explorer)", box);
  const list = make("dl", "", undefined, box);
  const lines = Object.values(KEYS).filter((key) => key.length > 1);
  for (const [key, words] of [...lines.map(([, ...line]) => line), ...ON_THE_MAP]) {
    make("dt", "", key, list);
    make("dd", "", words, list);
  }
  return {
    toggle: () => {
      box.hidden = !box.hidden;
    },
    // Whether it was open.
    close: () => {
      const open = !box.hidden;
      box.hidden = true;
      return open;
    },
  };
}
