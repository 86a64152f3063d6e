// The middle frames of segments, asked for one at a time: neither a fast mouse nor fast clicks flood the kernel.

const KEPT = 500;
const GIVEN_UP = 5000; // milliseconds after which a question without an answer no longer holds up the next

// `wanted()` names the row to ask for next, or -1; `arrived(row)` is called when a still is there.
export function makeStills(model, { wanted, arrived }) {
  const known = new Map();
  let asked = -1;
  let askedAt = 0;
  function ask() {
    if (asked >= 0 && performance.now() - askedAt < GIVEN_UP) return;
    asked = wanted();
    askedAt = performance.now();
    if (asked >= 0) model.send({ still: asked });
  }
  function answer(message) {
    if (message.still === undefined) return;
    known.set(message.still, message);
    if (known.size > KEPT) known.delete(known.keys().next().value);
    asked = -1;
    arrived(message.still);
    ask();
  }
  return { ask, answer, get: (row) => known.get(row), has: (row) => known.has(row) };
}
