// The plain part of a grid of tiles: how they are laid out, sorted, walked through and selected.

const WORDS = 36; // pixels for the two lines of text below a picture

// Columns, and width and height in pixels of each tile, for a grid `width` pixels wide.
export function layoutOf(width, narrowest) {
  const columns = Math.max(1, Math.floor(width / narrowest));
  const wide = Math.max(1, width) / columns;
  return { columns, wide, high: Math.ceil((wide * 9) / 16) + WORDS };
}

// The first tile that is seen and the one after the last, of `count`, when the grid is scrolled to `top`.
export function seenTiles({ columns, high }, top, height, count) {
  const first = Math.max(0, Math.floor(top / high)) * columns;
  return [Math.min(first, count), Math.min(count, Math.ceil((top + height) / high) * columns)];
}

// How tall so many tiles are, in pixels.
export const heightOf = ({ columns, high }, count) => Math.ceil(count / columns) * high;

// The ways to sort, in the order in which they are offered. `measure` says what the kernel must work out first.
export const SORTS = {
  title: { words: "title" },
  time: { words: "time in film" },
  cluster: { words: "cluster" },
  score: { words: "score" },
  medoid: { words: "distance to the medoid", measure: true },
  oddness: { words: "oddness", measure: true },
};

// The rows in another order; `measures` holds arrays by name. Equal ones stand by title and time, and what has no
// value comes last. What is compared is worked out once for each row, so that 100,000 take no second.
export function sortRows(rows, by, data, measures = {}) {
  const values = {
    title: () => 0,
    time: data.start,
    cluster: (row) => (data.labels[row] < 0 ? null : data.labels[row]),
    score: (row) => (data.scores.has(row) ? -(data.scores.get(row) ?? 0) : null),
    medoid: (row) => measures.medoid?.[row],
    oddness: (row) => (measures.oddness ? -measures.oddness[row] : null),
  };
  const list = Array.from(rows);
  const titleOf = (row) => data.videoOf(row).title;
  const place = new Map([...new Set(list.map(titleOf))].sort().map((title, i) => [title, i]));
  const keysBy = (key) =>
    Float64Array.from(list, (row) => {
      const value = key(row);
      return value == null || Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
    });
  const keys = [values[by], (row) => place.get(titleOf(row)), data.start].map(keysBy);
  const compare = (a, b) => {
    for (const key of keys) if (key[a] !== key[b]) return key[a] < key[b] ? -1 : 1;
    return list[a] - list[b];
  };
  return Array.from(Uint32Array.from(list.keys()).sort(compare), (i) => list[i]);
}

// The row that stands `by` places from `row` in `rows`; the first where `row` is not among them, -1 for none.
export function stepFrom(rows, row, by) {
  const at = rows.indexOf(row);
  if (at < 0) return rows[0] ?? -1;
  return rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
}

// The selection after a click on `row` with Ctrl (add or take away) or Shift (all from `anchor` to here).
export function pickedAfter(rows, picked, anchor, row, { ctrl, shift }) {
  const after = new Set(picked);
  if (shift && rows.includes(anchor)) {
    const [from, to] = [rows.indexOf(anchor), rows.indexOf(row)].sort((a, b) => a - b);
    for (const between of rows.slice(from, to + 1)) after.add(between);
  } else if (ctrl || shift) {
    if (after.has(row) && !shift) after.delete(row);
    else after.add(row);
  }
  return [...after];
}
