// Where things are on the map. `points` holds x, y, start and end of each row, one after the other.

const LINE = 15; // pixels from one line of text to the next

const FEW = 10; // fewer points than this are all seen
const SHARE = 0.02; // of the points that may lie outside on each side

// From the least to the greatest of the numbers; `robust` leaves out the few far ones that would squeeze the rest
// into less than half of that.
export function rangeOf(values, robust) {
  if (!values.length) return [0, 1];
  const sorted = Float64Array.from(values).sort();
  const whole = [sorted[0], sorted.at(-1)];
  if (!robust || sorted.length < FEW) return whole;
  const far = Math.max(1, Math.floor(SHARE * sorted.length));
  const most = [sorted[far], sorted.at(-1 - far)];
  const room = 0.1 * (most[1] - most[0]);
  return 2 * (most[1] - most[0] + 2 * room) < whole[1] - whole[0] ? [most[0] - room, most[1] + room] : whole;
}

// The middle of the points and the scale at which they fit into width x height pixels; one scale for both axes, so
// that distances stay true. `shown` says which rows count; all of them where it is left out.
export function fitPoints(points, shown, width, height, { robust = false } = {}) {
  const [xs, ys] = [[], []];
  for (let i = 0; 4 * i < points.length; i++) {
    if (shown && !shown[i]) continue;
    xs.push(points[4 * i]);
    ys.push(points[4 * i + 1]);
  }
  const [left, right] = rangeOf(xs, robust);
  const [bottom, top] = rangeOf(ys, robust);
  const scale = Math.min((width - 50) / (right - left || 1e-9), (height - 50) / (top - bottom || 1e-9));
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale: Math.max(scale, 1e-9) };
}

// The median x and y of some rows: where the name of their cluster stands.
export function middleOf(points, rows) {
  if (!rows.length) return null;
  const median = (column) => Float32Array.from(rows, (i) => points[4 * i + column]).sort()[rows.length >> 1];
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

// The rows that lie outside the whole map (as it is fitted, not zoomed), `most` of them at the most.
export function farRows(view, points, shown, most) {
  const whole = { ...view, panX: 0, panY: 0, zoom: 1 };
  const found = [];
  for (let row = 0; 4 * row < points.length && found.length < most; row++) {
    const [x, y] = [placeX(whole, points[4 * row]), placeY(whole, points[4 * row + 1])];
    if ((!shown || shown[row]) && (x < 0 || y < 0 || x > view.width || y > view.height)) found.push(row);
  }
  return found;
}

// The place at the edge, `inset` pixels inside, of what lies further out; what is inside stays where it is.
export const atEdge = (at, size, inset) => (at < 0 ? inset : at > size ? size - inset : at);

// The row whose point is nearest to x, y and no further than `reach` pixels, or -1; of points in one place the
// last in `order`, which lies on top.
export function nearestRow(view, points, order, x, y, reach) {
  const unit = view.fit.scale * view.zoom;
  const [left, top] = [placeX(view, 0) - x, placeY(view, 0) - y];
  let best = -1;
  let least = reach * reach;
  for (let n = 0; n < order.length; n++) {
    const i = order[n];
    const [across, down] = [left + points[4 * i] * unit, top - points[4 * i + 1] * unit];
    const distance = across * across + down * down;
    if (distance > least) continue;
    best = i;
    least = distance;
  }
  return best;
}

// Whether x, y lies inside a closed path [[x, y], …], by the even-odd rule.
export function inside(path, x, y) {
  let odd = false;
  for (let i = 0, last = path.length - 1; i < path.length; last = i++) {
    const [y0, y1] = [path[last][1], path[i][1]];
    if (y0 > y === y1 > y) continue;
    const [x0, x1] = [path[last][0], path[i][0]];
    if (x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd;
  }
  return odd;
}

// A free line for a text `wide` pixels wide: the next at or below y, or above it where the map (`height`) ends;
// `taken` holds the texts that stand already.
export function freeLine(taken, x, y, wide, height = Number.POSITIVE_INFINITY) {
  const [top, bottom] = [LINE / 2, Math.max(height - LINE / 2, LINE / 2)];
  const search = (from, step) => {
    let line = from;
    const covers = (other) =>
      Math.abs(other.x - x) < (other.wide + wide) / 2 && Math.abs(other.y - line) < LINE;
    for (let tries = 0; tries < 40; tries++) {
      const other = taken.find(covers);
      if (!other) break;
      line = other.y + step;
    }
    return line;
  };
  const start = Math.min(Math.max(y, top), bottom);
  const below = search(start, LINE);
  if (below <= bottom) return below;
  const above = search(start, -LINE);
  return above >= top ? above : below;
}

// A name as it stands on the map; cut between code points, so that no character is cut in two.
export function shortName(name) {
  const signs = Array.from(name);
  return signs.length > 28 ? `${signs.slice(0, 27).join("").trimEnd()}…` : name;
}
