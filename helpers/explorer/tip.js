// What is said beside a point on which the mouse rests.

import { make } from "./dom.js";

// `isHidden()` says when nothing is to be said, as while a hand draws.
export function makeTip(map, data, stills, { isHidden }) {
  const tip = make("div", "tip", undefined, map.plot);
  tip.hidden = true;
  function show() {
    const row = data.hover;
    tip.hidden = row < 0 || !data.shown[row] || isHidden();
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
    if (data.tagsOf(row).length) make("div", "tagged", data.tagsOf(row).join(", "), tip);
    if (data.noteOf(row)) make("div", "words", data.noteOf(row), tip);
    if (still?.words) make("div", "words", still.words, tip);
    if (still?.image && credit) make("small", "", credit, tip);
    const { width, height } = map.view;
    const [x, y] = [map.x(row), map.y(row)];
    tip.style.left = x < width / 2 ? `${x + 16}px` : "";
    tip.style.right = x < width / 2 ? "" : `${width - x + 16}px`;
    tip.style.top = y < height / 2 ? `${y + 10}px` : "";
    tip.style.bottom = y < height / 2 ? "" : `${height - y + 10}px`;
  }
  return {
    show,
    hide: () => {
      data.hover = -1;
      tip.hidden = true;
    },
  };
}
