// Where things are on the map. `points` holds x, y, start and end of each row, one after the other.

const LINE = 15; // pixels from one line of text to the next

// The middle of the points and the scale at which all of them fit into width x height pixels; one scale for both
// axes, so that distances stay true. `shown` says which rows count; all of them where it is left out.
export function fitPoints(points, shown, width, height) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; 4 * i < points.length; i++) {
    if (shown && !shown[i]) continue;
    left = Math.min(left, points[4 * i]);
    right = Math.max(right, points[4 * i]);
    bottom = Math.min(bottom, points[4 * i + 1]);
    top = Math.max(top, points[4 * i + 1]);
  }
  if (left > right) [left, right, bottom, top] = [0, 1, 0, 1];
  const scale = Math.min((width - 50) / (right - left || 1e-9), (height - 50) / (top - bottom || 1e-9));
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.max(scale, 1e-9) };
}

// The median x and y of some rows: where the name of their cluster stands.
export function middleOf(points, rows) {
  if (!rows.length) return null;
  const median = (column) => rows.map((i) => points[4 * i + column]).sort((a, b) => a - b)[rows.length >> 1];
  return [median(0), median(1)];
}

// A view is what of the map is seen: width, height, panX and panY in pixels, zoom (1 is the whole map) and fit.
export const placeX = (view, x) => view.width / 2 + view.panX + (x - view.fit.x) * view.fit.scale * view.zoom;
export const placeY = (view, y) =>
  view.height / 2 + view.panY - (y - view.fit.y) * view.fit.scale * view.zoom;

// The view after zooming by a factor; what lies at x, y (pixels) stays there.
export function zoomed(view, factor, x, y) {
  const zoom = Math.min(Math.max(view.zoom * factor, 0.3), 300);
  const ratio = zoom / view.zoom;
  const panX = (view.panX + view.width / 2 - x) * ratio + x - view.width / 2;
  const panY = (view.panY + view.height / 2 - y) * ratio + y - view.height / 2;
  return { ...view, zoom, panX, panY };
}

// The row whose point is nearest to x, y and no further than `reach` pixels, or -1; of points in one place the
// last in `order`, which lies on top.
export function nearestRow(view, points, order, x, y, reach) {
  let [best, least] = [-1, reach * reach];
  for (const i of order) {
    const distance = (placeX(view, points[4 * i]) - x) ** 2 + (placeY(view, points[4 * i + 1]) - y) ** 2;
    if (distance <= least) [best, least] = [i, distance];
  }
  return best;
}

// Whether x, y lies inside a closed path [[x, y], …], by the even-odd rule.
export function inside(path, x, y) {
  let odd = false;
  for (const [i, [x1, y1]] of path.entries()) {
    const [x0, y0] = path.at(i - 1);
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd;
  }
  return odd;
}

// The next free line at or below y for a text `wide` pixels wide; `taken` holds the texts that stand already.
export function freeLine(taken, x, y, wide) {
  const covers = (other) =>
    Math.abs(other.x - x) < (other.wide + wide) / 2 && Math.abs(other.y - line) < LINE;
  let line = y;
  for (let tries = 0; tries < 40; tries++) {
    const other = taken.find(covers);
    if (!other) break;
    line = other.y + LINE;
  }
  return line;
}

// A name as it stands on the map; cut between code points, so that no character is cut in two.
export function shortName(name) {
  const signs = Array.from(name);
  return signs.length > 28 ? `${signs.slice(0, 27).join("").trimEnd()}…` : name;
}
