// The hits of a search on the map: a ring around each, the best the strongest, and their ranks in badges.

const RANKED = 10; // hits that carry their rank
const [BADGE, PAD] = [16, 5]; // of a badge: its height, and the room beside its number, in pixels
const FAINTEST = 0.35;

// How strong the ring of each row is, from FAINTEST for the lowest score to 1 for the highest.
export function strengths(rows, scores) {
  const known = rows.map((row) => scores.get(row)).filter((score) => score != null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const of = (score) => (score == null || high === low ? 1 : (score - low) / (high - low));
  return new Map(rows.map((row) => [row, FAINTEST + (1 - FAINTEST) * of(scores.get(row))]));
}

// Where a badge `wide` pixels wide stands beside a point at x, y: the first place around it that nothing in `taken`
// ({x, y, wide, high}, middles) covers and that is on the map; above it to the right where there is none.
export function badgePlace(taken, x, y, wide, reach, { width, height }) {
  const [right, down] = [reach + wide / 2, reach + BADGE / 2];
  const around = [
    [right, -down / 2],
    [-right, -down / 2],
    [right, down / 2],
    [-right, down / 2],
    [0, -down],
    [0, down],
    [right, -1.5 * down],
    [-right, -1.5 * down],
    [right, 1.5 * down],
    [-right, 1.5 * down],
  ].map(([dx, dy]) => ({ x: x + dx, y: y + dy, wide, high: BADGE }));
  const onMap = (at) =>
    at.x >= wide / 2 && at.x <= width - wide / 2 && at.y >= BADGE / 2 && at.y <= height - BADGE / 2;
  const covers = (a, b) =>
    Math.abs(a.x - b.x) < (a.wide + b.wide) / 2 && Math.abs(a.y - b.y) < (a.high + b.high) / 2;
  return around.find((at) => onMap(at) && !taken.some((other) => covers(at, other))) ?? around[0];
}

export function drawRings(pen, { data, map, inks, radius }) {
  const rows = data.hits.filter((row) => data.shown[row]);
  const strong = strengths(rows, data.scores);
  const ring = (row, line, colour) => {
    pen.beginPath();
    pen.arc(map.x(row), map.y(row), radius + 4, 0, 7);
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.stroke();
  };
  for (const row of [...rows].reverse()) {
    ring(row, 5, inks.paper);
    pen.globalAlpha = strong.get(row);
    ring(row, 2.5, inks.hit);
    pen.globalAlpha = 1;
  }
}

// Draws the ranks; `taken` are the names that stand already.
export function drawBadges(pen, { data, map, inks, radius, taken }) {
  pen.font = "bold 11px sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const all = [...taken];
  for (const [n, row] of data.hits.slice(0, RANKED).entries()) {
    if (!data.shown[row]) continue;
    const text = String(n + 1);
    const wide = Math.max(BADGE, pen.measureText(text).width + 2 * PAD);
    const badge = badgePlace(all, map.x(row), map.y(row), wide, radius + 5, map.view);
    all.push(badge);
    pen.beginPath();
    pen.roundRect(badge.x - wide / 2, badge.y - BADGE / 2, wide, BADGE, BADGE / 2);
    pen.fillStyle = inks.badge;
    pen.fill();
    pen.strokeStyle = inks.paper;
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.fillStyle = inks.onBadge;
    pen.fillText(text, badge.x, badge.y + 0.5);
  }
}
