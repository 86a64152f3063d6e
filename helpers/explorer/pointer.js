// Mouse, touch, wheel and keys on the map: move and zoom, choose a point, draw around some.

import { inside } from "./geometry.js";
import { pickedAfter } from "./tiles.js";

const REACH = { mouse: 12, touch: 20 }; // pixels around a point in which a click is meant for it
const CLICK = { mouse: 4, touch: 10 }; // pixels that a hand may shake in a click
const KEY_STEPS = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };

// `choose(row)`, `pick(rows)` and `look(row)` are called for a click, a selection and a hover (-1: none).
export function makePointer(map, data, { choose, pick, look, hideTip }) {
  const { canvas } = map;
  let mode = "pan";
  let drag = null;
  const fingers = new Map(); // where each that is down is; two of them zoom
  const of = (pixels, { pointerType }) => pixels[pointerType] ?? pixels.mouse;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const nearest = (event) => map.nearest(...at(event), of(REACH, event));
  const ascending = (rows) => [...rows].sort((a, b) => a - b);

  function press(event) {
    if (event.button) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    fingers.set(event.pointerId, [x, y]);
    if (fingers.size > 1) return end();
    drag = { x, y, panX: map.view.panX, panY: map.view.panY, moved: false };
  }
  function move(event) {
    const [x, y] = at(event);
    if (fingers.size > 1) return pinch(event.pointerId, [x, y]);
    if (!drag) return fingers.size || look(nearest(event));
    drag.moved = drag.moved || Math.hypot(x - drag.x, y - drag.y) > of(CLICK, event);
    if (!drag.moved) return;
    hideTip();
    if (mode === "pan") return map.move(drag.panX + x - drag.x, drag.panY + y - drag.y);
    if (mode === "box")
      map.outline = [
        [drag.x, drag.y],
        [x, drag.y],
        [x, y],
        [drag.x, y],
      ];
    else map.outline = [...(map.outline ?? [[drag.x, drag.y]]), [x, y]];
    map.drawMarks();
  }
  // What lies between two fingers stays between them.
  function pinch(id, to) {
    const measure = () => {
      const [[x, y], [u, v]] = fingers.values();
      return { apart: Math.hypot(u - x, v - y), x: (x + u) / 2, y: (y + v) / 2 };
    };
    const before = measure();
    fingers.set(id, to);
    const after = measure();
    map.zoom(after.apart / Math.max(1, before.apart), before.x, before.y);
    map.move(map.view.panX + after.x - before.x, map.view.panY + after.y - before.y);
  }
  function release(event) {
    fingers.delete(event.pointerId);
    if (!drag) return;
    const { moved } = drag;
    const path = map.outline;
    end();
    if (!moved) {
      const row = nearest(event);
      const adds = data.adding || event.ctrlKey || event.metaKey;
      if (row >= 0 && adds) pick(pickedAfter([row], data.picked, -1, row, { ctrl: true }));
      else if (row >= 0) choose(row);
    } else if (path) {
      const found = data.order.filter((row) => inside(path, map.x(row), map.y(row)));
      pick(ascending(event.shiftKey || data.adding ? new Set([...data.picked, ...found]) : found));
    }
  }
  function end() {
    drag = map.outline = null;
    map.drawMarks();
  }
  function wheel(event) {
    if (document.activeElement !== canvas) return; // before a click on the map the wheel scrolls the notebook
    event.preventDefault();
    map.zoom(Math.exp(-event.deltaY / 300), ...at(event));
  }
  function key(event) {
    const step = KEY_STEPS[event.key];
    if (event.key === "+" || event.key === "-") return map.zoom(event.key === "+" ? 1.3 : 1 / 1.3);
    if (event.key === "0") return map.whole();
    if (!step || !event.shiftKey) return; // without Shift they go from point to point
    event.preventDefault();
    map.move(map.view.panX + step[0], map.view.panY + step[1]);
  }

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    end();
  });
  canvas.addEventListener("pointerleave", () => {
    if (!drag) look(-1);
  });
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("keydown", key);
  return {
    isDragging: () => fingers.size > 0,
    restingCursor: () => (mode === "pan" ? "grab" : "crosshair"),
    setMode: (name) => {
      mode = name;
    },
  };
}
